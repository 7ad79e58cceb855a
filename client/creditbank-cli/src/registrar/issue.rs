//! `issue`: a registrar's file into the log.

use std::fs::File;
use std::path::{Path, PathBuf};

use creditbank_client::issue::{Places, Progress, check, issue_all, survey as look};
use creditbank_protocol::counted;
use creditbank_rules::decimal::show_e4;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::forecast;
use super::source::Source;
use super::survey;
use crate::connect::Global;
use crate::failure::Failure;
use crate::files::{self, Refused, beside};
use crate::output;
use crate::signing::asked;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV with a header line, an .xlsx workbook or an .ods sheet
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Directory for the notes that keep anything from being issued twice [default: MAPPING.issue]
    ///
    /// What a mapping's reference names is issued once, whichever file it stands in.
    #[arg(long)]
    work: Option<PathBuf>,
    #[command(flatten)]
    refused: Refused,
    /// Check every line and say what would be issued; write nothing
    ///
    /// The node opens no accounts and seals nothing, no notes are made, and refused lines are shown, or written to the
    /// file of --refused where it is given. Grades are counted by scale and value. Exit code 1 when lines are refused.
    #[arg(long, conflicts_with = "all_or_nothing")]
    dry_run: bool,
    /// Check every line first and issue nothing when one of them is refused
    ///
    /// Between the check and the last block somebody else may change the ledger or the registry. Then the run stops at
    /// the first block with a refused line and says how far it came; what was sealed stays sealed, and the same command
    /// goes on from there.
    #[arg(long)]
    all_or_nothing: bool,
    /// Stop before anything is signed and write requests for a second person: see `creditbank approve`
    ///
    /// Run the same command again when the approvals are there: what was approved is sealed then.
    #[arg(long, conflicts_with_all = ["dry_run", "all_or_nothing"])]
    require_approval: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, source, work, refused, dry_run, all_or_nothing, require_approval } = arguments;
    let mapping = source.read_mapping()?;
    let (input, len) = files::open(&file)?;
    let work = work.unwrap_or_else(|| beside(&source.mapping, ".issue"));
    let report = source.report(&refused, &file)?;
    let refused = refused.refused;
    let client = global.connect().await?;
    let unit = source.open_unit(&client).await?;
    let bar = bar(global, len);
    let places = Places { work: &work, refused: &report };
    let open = || {
        bar.set_position(0);
        Ok(bar.wrap_read(File::open(&file)?))
    };
    if dry_run {
        let told = |done: &Progress| bar.set_message(format!("{} checked", counted(done.lines, "line", "lines")));
        let forecast = check(&client, &unit, &mapping, open, &work, refused.as_deref(), told).await;
        bar.finish_and_clear();
        return forecast::report(global, &forecast?, refused.as_deref());
    }
    let told = |done: &Progress| {
        let (records, blocks) = (counted(done.records, "record", "records"), counted(done.blocks, "block", "blocks"));
        bar.set_message(format!("{records} in {blocks}"));
    };
    if all_or_nothing {
        let done = issue_all(&client, &unit, &mapping, open, places, told).await;
        bar.finish_and_clear();
        return match done? {
            Ok(done) => report_done(global, &done, &report, &[]),
            Err(forecast) => forecast::report(global, &forecast, Some(&report)),
        };
    }
    let surveyed = look(&client, &unit, &mapping, bar.wrap_read(input), &work).await;
    bar.set_position(0);
    let surveyed = surveyed?;
    if !global.json {
        bar.suspend(|| output::line(survey::text(&surveyed.survey).trim_end()))?;
    }
    let done = surveyed.issue(&client, &unit, places, require_approval, told).await;
    bar.finish_and_clear();
    let (done, requests) = done?;
    report_done(global, &done, &report, &requests)
}

/// How far a file of `len` bytes is read; nothing where a program reads the output.
pub(super) fn bar(global: &Global, len: u64) -> ProgressBar {
    if global.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}, {eta} left, {msg}");
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn report_done(global: &Global, done: &Progress, refused: &Path, requests: &[PathBuf]) -> Result<(), Failure> {
    let credits: serde_json::Map<_, _> =
        done.credits.iter().map(|(unit, e4)| (unit.clone(), show_e4(*e4).into())).collect();
    let value = json!({
        "lines": done.lines, "records": done.records, "blocks": done.blocks, "already_issued": done.already,
        "refused": done.refused, "kinds": done.kinds, "credits": credits, "learners": done.learners,
        "refused_file": refused, "waiting": done.waiting, "requests": requests,
    });
    output::print(global, &value, || {
        let kinds = done.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
        let kinds = if kinds.is_empty() { kinds } else { format!(" ({kinds})") };
        let credits = done.credits.iter().map(|(unit, e4)| format!("{} {unit}", show_e4(*e4)));
        let facts = output::facts([
            ("lines read", done.lines.to_string()),
            ("records issued", format!("{} in {}{kinds}", done.records, counted(done.blocks, "block", "blocks"))),
            ("credits", credits.collect::<Vec<_>>().join(", ")),
            ("learners", done.learners.to_string()),
            ("issued before", done.already.to_string()),
            ("lines refused", done.refused.to_string()),
            ("waiting for approval", done.waiting.to_string()),
        ]);
        facts + &asked(requests)
    })?;
    if done.refused > 0 {
        let were = counted(done.refused, "line was", "lines were");
        let what = format!("{were} refused; numbers and reasons are in {}", refused.display());
        return Err(Failure::Told(what));
    }
    if done.records + done.waiting + done.already == 0 {
        return Err(Failure::Told("nothing was issued".to_owned()));
    }
    Ok(())
}
