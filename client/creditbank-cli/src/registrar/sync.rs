//! `sync`: the ledger follows a student system.

use std::path::{Path, PathBuf};

use creditbank_client::issue::Places;
use creditbank_client::sync::{Planned, Step, SyncReport, plan, sync};
use creditbank_protocol::counted;
use serde_json::{Value, json};

use super::correct::differences;
use super::issue::bar;
use super::source::Source;
use super::survey;
use crate::connect::Global;
use crate::failure::Failure;
use crate::files::{self, Refused, beside};
use crate::{output, show, values};

/// Rows of a list on screen.
const ROWS_MAX: usize = 50;

#[derive(clap::Args)]
#[command(mut_arg("mapping", |arg| {
    arg.help("What the columns mean, with `record_id`: see `creditbank mapping show template`")
}))]
pub(crate) struct Arguments {
    /// The whole export of the student system: a CSV with a header line, an .xlsx workbook or an .ods sheet
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Directory for the notes [default: MAPPING.sync]
    #[arg(long)]
    work: Option<PathBuf>,
    #[command(flatten)]
    refused: Refused,
    /// Show what would be done; write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, source, work, refused, dry_run } = arguments;
    let mapping = source.read_mapping()?;
    let (input, len) = files::open(&file)?;
    let work = work.unwrap_or_else(|| beside(&source.mapping, ".sync"));
    let report = source.report(&refused, &file)?;
    let refused = refused.refused;
    let client = global.connect().await?;
    let unit = source.open_unit(&client).await?;
    let bar = bar(global, len);
    let input = bar.wrap_read(input);
    let told = |done: &SyncReport| bar.set_message(format!("{} issued, {} amended", done.issued, done.amended));
    let done = if dry_run {
        plan(&client, &unit, &mapping, input, &work, refused.as_deref(), told).await
    } else {
        let places = Places { work: &work, refused: &report };
        sync(&client, &unit, &mapping, input, places, told).await
    };
    bar.finish_and_clear();
    let report = if dry_run { refused.as_deref() } else { Some(&*report) };
    tell(global, &done?, dry_run, report)
}

fn tell(global: &Global, done: &SyncReport, dry_run: bool, report: Option<&Path>) -> Result<(), Failure> {
    output::print(global, &value(done, dry_run, report), || text(done, dry_run))?;
    if !done.stops.is_empty() {
        let told = creditbank_client::issue::told(&done.survey, &done.stops);
        return Err(Failure::Told(format!("the run would stop before anything is signed: {told}")));
    }
    if done.refused == 0 {
        return Ok(());
    }
    let place = report.map(|path| format!("; their numbers and reasons are in {}", path.display()));
    Err(Failure::Told(format!(
        "{} refused{}",
        counted(done.refused, "line was", "lines were"),
        place.unwrap_or_default()
    )))
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Issue => "issue",
        Step::IssueAnew => "issue anew",
        Step::Amend => "amend",
    }
}

fn value(done: &SyncReport, dry_run: bool, report: Option<&Path>) -> Value {
    let step = |planned: &Planned| {
        let place = planned.place.as_ref().map(values::show_place);
        let changes = differences(planned.kind, &planned.before, &planned.after);
        json!({ "line": planned.line, "step": step_name(planned.step), "place": place, "changes": changes })
    };
    let refused =
        done.refused_lines.iter().map(|line| json!({ "line": line.line, "field": line.field, "reason": line.reason }));
    json!({
        "written": !dry_run, "lines": done.lines, "unchanged": done.unchanged, "issued": done.issued,
        "amended": done.amended, "refused": done.refused, "blocks": done.blocks, "vanished": done.vanished,
        "vanished_places": done.vanished_places.iter().map(values::show_place).collect::<Vec<_>>(),
        "steps": done.steps.iter().map(step).collect::<Vec<_>>(),
        "first_refused": refused.collect::<Vec<_>>(), "refused_file": report, "survey": survey::value(&done.survey),
        "stops": done.stops.iter().map(|stop| stop.name()).collect::<Vec<_>>(),
    })
}

fn text(done: &SyncReport, dry_run: bool) -> String {
    let (issued, amended) =
        if dry_run { ("would be issued", "would be amended") } else { ("records issued", "records amended") };
    let mut text = survey::text(&done.survey)
        + &output::facts([
            ("lines read", done.lines.to_string()),
            ("unchanged", done.unchanged.to_string()),
            (issued, done.issued.to_string()),
            (amended, done.amended.to_string()),
            ("vanished", format!("{}, which stand as they did", done.vanished)),
            ("lines refused", done.refused.to_string()),
        ]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    rows.extend(done.steps.iter().filter(|planned| dry_run || planned.step == Step::Amend).map(|planned| {
        let place = planned.place.as_ref().map(values::show_place).unwrap_or_default();
        let changes = differences(planned.kind, &planned.before, &planned.after).join("; ");
        vec![planned.line.to_string(), step_name(planned.step).to_owned(), place, changes]
    }));
    rows.extend(
        done.refused_lines
            .iter()
            .map(|line| vec![line.line.to_string(), "refused".to_owned(), String::new(), show::safe(&line.reason)]),
    );
    rows.extend(
        done.vanished_places
            .iter()
            .map(|place| vec![String::new(), "vanished".to_owned(), values::show_place(place), String::new()]),
    );
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    if !rows.is_empty() {
        text = format!("{text}{}\n", output::table(&["line", "step", "record", "what"], rows));
    }
    if more > 0 {
        text = format!("{text}and {more} more: --json shows up to a thousand of each\n");
    }
    text
}
