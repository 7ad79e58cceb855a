//! `contested` and `confirm`: what a compromised key has sealed and done, and what its institution stands by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

use creditbank_client::Client;
use creditbank_client::correct::contest::{Contested, ContestedEffect, Findings, contested, findings};
use creditbank_client::correct::{Asked, Change, Correction, Target, effects, way_out};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Place, UnitId, counted, names, pb};
use serde_json::{Value, json};

use super::correct::{Common, Work, all, one};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Needs;
use crate::whose::Unit;
use crate::{entries, output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// What of a unit a compromised key has signed or approved, and what of it was confirmed, revoked or amended since;
    /// and what the key has done to records
    List {
        #[command(flatten)]
        unit: Unit,
    },
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV with the column `place`
    #[arg(required_unless_present_any = ["place", "all_of_key"])]
    file: Option<PathBuf>,
    /// One record: entry and index, as 34/718
    #[arg(long, conflicts_with = "file")]
    place: Option<Place>,
    /// Everything that this key has signed or approved, and that is contested; look at `contested list` first. Needs
    /// --before
    #[arg(long, value_parser = values::key_id, conflicts_with_all = ["file", "place"], requires = "before")]
    all_of_key: Option<KeyId>,
    /// With --all-of-key: what was sealed before this minute of UTC, as 2026-09-01T08:30Z
    #[arg(long, value_parser = values::minute)]
    before: Option<u64>,
    /// For the operator, instead of a unit's key: the reference of the case
    #[arg(long, default_value = "")]
    case_reference: String,
    #[command(flatten)]
    common: Common,
}

/// What a key has signed or approved that is still contested, before a minute since 1970 where one is given.
pub(super) async fn still_contested(client: &Client, id: KeyId, before: Option<u64>) -> Result<Vec<Place>, Failure> {
    let missing = || format!("the key {id} is not in the registry");
    let entry: pb::Key = entries::read(client, &RegistryKey::Key(id), missing).await?;
    let found = contested(client, UnitId::new(entry.institution, entry.unit)).await?;
    let wanted = |one: &&Contested| {
        let early = before.is_none_or(|before| one.sealed_at_ms / 60_000 < before);
        one.key_id == id && early && !one.ended && !one.confirmed
    };
    let (entries, records): (Vec<_>, Vec<_>) = found.iter().filter(wanted).partition(|one| one.published);
    if !entries.is_empty() {
        eprintln!(
            "note: the key has also published what is in force in the registry ({}): that stays. `creditbank contested \
             list` says what can be done about it",
            counted(entries.len(), "place", "places")
        );
    }
    Ok(records.into_iter().map(|one| one.place).collect())
}

fn state(one: &Contested) -> &'static str {
    match (one.ended, one.confirmed) {
        (true, _) => "ended",
        (false, true) => "confirmed",
        (false, false) if one.published => "in force",
        (false, false) => "contested",
    }
}

fn held(one: &ContestedEffect) -> &'static str {
    match one.holds {
        Some(true) => "holds",
        Some(false) => "undone",
        None => "not yours to read",
    }
}

pub(crate) async fn run(global: &Global, Command::List { unit }: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    let UnitId { institution, number } = unit.id();
    let missing = || format!("the registry has no unit {number} of institution {institution}");
    let _: pb::Unit = entries::read(&client, &RegistryKey::Unit(unit.id()), missing).await?;
    let Findings { records: found, effects: done } = findings(&client, unit.id()).await?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    found.iter().for_each(|one| *counts.entry(state(one)).or_default() += 1);
    let record = |one: &Contested| {
        json!({
            "place": values::show_place(&one.place), "kind": names::of(one.kind),
            "key_id": one.key_id.to_string(), "sealed_at": crate::partner::verify::time(one.sealed_at_ms), "state": state(one),
        })
    };
    let records: Vec<Value> = found.iter().map(record).collect();
    let effect = |one: &ContestedEffect| {
        json!({
            "place": values::show_place(&one.place), "action": names::of(one.action), "effect": one.entry.0,
            "key_id": one.key_id.to_string(), "sealed_at": crate::partner::verify::time(one.sealed_at_ms),
            "state": held(one),
        })
    };
    let effects: Vec<Value> = done.iter().map(effect).collect();
    let value = json!({ "counts": counts, "records": records, "effects": effects });
    output::print(global, &value, || {
        if found.is_empty() && effects.is_empty() {
            return format!(
                "No key of unit {number} of institution {institution} counts as stolen since a time at which it has sealed or \
                 approved a block."
            );
        }
        let table = |names: &[&str], of: &[Value]| {
            let rows = of.iter().map(|one| names.iter().map(|name| show::line(&one[*name])).collect());
            output::table(names, rows)
        };
        let states: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let records = table(&["place", "kind", "sealed_at", "key_id", "state"], &records);
        let ways: BTreeSet<String> = found
            .iter()
            .filter(|one| one.published && !one.ended)
            .map(|one| format!("\n{}: {}", names::of(one.kind), way_out(one.kind)))
            .collect();
        let ways = if ways.is_empty() {
            String::new()
        } else {
            let listed = ways.into_iter().collect::<String>();
            format!("\n\nIn force: entries of the registry, which act until others take their places.{listed}")
        };
        let sealed = format!(
            "{records}\n{}. Contested: confirm or revoke it. Confirmed: it counts. Ended: it was revoked or replaced, \
             or its agreement was ended.{ways}",
            states.join(", ")
        );
        if effects.is_empty() {
            return sealed;
        }
        let done = table(&["place", "action", "effect", "sealed_at", "key_id", "state"], &effects);
        format!(
            "{sealed}\n\nWhat was done to records. Holds: it is in force, and contested; `reinstate` undoes it. Undone: it is \
             not in force any more.\n{done}"
        )
    })
}

pub(crate) async fn confirm(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, place, all_of_key, before, case_reference, common } = arguments;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, &case_reference, Needs::NoSeeds).await?;
    let at = |place: Place| Correction { line: 0, target: Target::At(place), change: Change::Confirm };
    let corrections = match (&file, place, all_of_key) {
        (Some(path), ..) => effects(File::open(path).map_err(Failure::file(path))?, Asked::Confirm)?,
        (None, Some(place), _) => one(at(place)),
        (None, None, Some(id)) => all(still_contested(&client, id, before).await?, at),
        _ => return Err(Failure::Usage("pass a file, --place or --all-of-key".to_owned())),
    };
    let work = Work { file: file.as_deref(), corrections, case_reference: &case_reference, verb: "confirmed" };
    common.run(global, &client, &unit, work).await
}
