//! `seeds`: the secrets from which the seeds of a unit's records are derived.

use std::path::PathBuf;

use creditbank_client::{Seeds, YearState};
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::output;
use crate::signing::ask;
use crate::whose::Unit;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show of which years there are secrets, and which are due to be destroyed
    Show(Arguments),
    /// Make a new file of secrets
    ///
    /// This is rarely needed: the first block of a unit makes the file. Make one by hand only where the old file is
    /// lost. Results that were issued with the lost secrets are then not recognised: `sync` would issue them again, so
    /// run `reconcile` with a file that has new results alone.
    New(Arguments),
    /// Destroy the secrets of past years, so that nobody who steals the file can read hidden fields of their records
    ///
    /// Records of these years stay valid, and the ledger still shows them to whoever may read them. They can no longer
    /// be issued, amended from a file, or compared with one. Destroy copies of the file too. An SSD may keep the old
    /// bytes until it reuses them: keep the file on an encrypted disk.
    Destroy(Destroy),
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The file, as unit-1-1.seeds
    file: PathBuf,
    #[command(flatten)]
    unit: Unit,
}

#[derive(clap::Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    file: Arguments,
    /// Destroy the years before this one [default: those that are older than the file's `keep_years`]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u32).range(1..=9999))]
    before: Option<u32>,
    /// Destroy without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show(Arguments { file, unit }) => show(global, &Seeds::open(&file, unit.id())?),
        Command::New(Arguments { file, unit }) => {
            if file.exists() {
                return Err(Failure::Usage(format!(
                    "{} exists and is not replaced: choose another name",
                    file.display()
                )));
            }
            Seeds::fresh(&file, unit.id())?.keep()?;
            let value = json!({ "file": file.display().to_string() });
            output::print(global, &value, || format!("made {}: keep a copy in a safe place", file.display()))
        }
        Command::Destroy(Destroy { file: Arguments { file, unit }, before, yes }) => {
            let seeds = Seeds::open(&file, unit.id())?;
            let due = seeds.due(before);
            if due.is_empty() {
                return Err(Failure::Told("nothing is due: no year's secret was destroyed".to_owned()));
            }
            ask(&format!("Destroy for ever the seed secrets of {}?", years(&due)), yes)?;
            let gone = seeds.destroy(before)?;
            output::print(global, &json!({ "destroyed": gone }), || format!("destroyed: {}", years(&gone)))
        }
    }
}

fn years(years: &[u32]) -> String {
    years.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn show(global: &Global, seeds: &Seeds) -> Result<(), Failure> {
    let state = |state: &YearState| match (state.is_destroyed, state.is_due) {
        (true, _) => "destroyed",
        (false, true) => "due to be destroyed",
        (false, false) => "in use",
    };
    let states = seeds.states();
    let value: Vec<Value> = states.iter().map(|one| json!({ "year": one.year, "state": state(one) })).collect();
    output::print(global, &json!({ "years": value }), || {
        let row = |one: &YearState| vec![one.year.to_string(), state(one).to_owned()];
        output::table(&["year", "secret"], states.iter().map(row))
    })
}
