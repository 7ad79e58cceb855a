//! `check`: everything on the disk, from the first byte.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use creditbank_protocol::counted;
use creditbank_server::directory::DirectoryError;
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::BackupError;
use creditbank_server::operate::check::{Finding, Report, check, check_backup};
use creditbank_store::StoreError;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::backup::usage as backup_usage;
use crate::failure::Usage;
use crate::node_dir::NodeDir;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// Where the node's keys are, for a backup that was made without them
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { node, keys, json } = arguments;
    let environment = Environment::system();
    let dir = node.path();
    let bar = if *json { ProgressBar::hidden() } else { bar() };
    let begun = Instant::now();
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let checked = if dir.join("backup.json").exists() {
        check_backup(&environment, dir, keys.as_deref(), &mut progress).map_err(followed)
    } else if keys.is_some() {
        Err(Usage(format!("{} is not a backup, and --keys is only for backups", dir.display())).into())
    } else {
        check(&environment, dir, &node.config(&environment)?, &mut progress).map_err(served)
    };
    bar.finish_and_clear();
    let report = checked?;
    let took = begun.elapsed();
    if *json {
        crate::say(&serde_json::to_string_pretty(&value(&report, took))?);
    } else {
        tell(&report, took);
    }
    if report.findings.count() > 0 {
        let what = if report.is_backup {
            "the backup is damaged: restore another one"
        } else {
            "the node is damaged: docs/operate/damage.md says what to do for each file"
        };
        anyhow::bail!("{}: {what}", counted(report.findings.count(), "finding", "findings"));
    }
    Ok(())
}

/// A directory in which a node works cannot be checked from outside.
pub(crate) fn served(error: DirectoryError) -> anyhow::Error {
    match &error {
        DirectoryError::Store(StoreError::File { error: io, .. }) if io.kind() == std::io::ErrorKind::WouldBlock => {
            Usage(format!("{error}: stop the node first")).into()
        }
        _ => error.into(),
    }
}

/// A copy that is being written cannot be compared with its manifest.
fn followed(error: BackupError) -> anyhow::Error {
    match &error {
        BackupError::Store(StoreError::File { error: io, .. }) if io.kind() == std::io::ErrorKind::WouldBlock => {
            Usage(format!("{error}: stop `backup --follow` first")).into()
        }
        _ => backup_usage(error),
    }
}

/// A bar over the bytes of the journal.
pub(crate) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("  {bar:40} {bytes}/{total_bytes} of the journal, {elapsed}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Per second.
fn rate(count: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000 / took.as_millis().max(1)).unwrap_or(u64::MAX)
}

fn value(report: &Report, took: Duration) -> serde_json::Value {
    let finding = |found: &Finding| {
        json!({
            "what": found.what, "path": found.path, "offset": found.offset, "entry": found.entry.map(|entry| entry.0), "record": found.record,
        })
    };
    json!({
        "good": report.findings.count() == 0,
        "backup": report.is_backup,
        "held_below": report.held_below,
        "findings": report.findings.count(),
        "listed": report.findings.listed().iter().map(finding).collect::<Vec<_>>(),
        "notes": report.notes,
        "journal_bytes": report.journal_bytes, "rounds": report.rounds,
        "entries": report.log.entries, "blocks": report.log.blocks, "seals": report.log.seals,
        "signatures": report.log.signatures, "effects": report.log.effects,
        "records": report.bodies + report.erased, "erased": report.erased,
        "index_rows": report.index_rows, "learner_keys": report.learner_keys,
        "size": report.size, "root": report.root,
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "records_per_second": rate(report.bodies, took), "bytes_per_second": rate(report.journal_bytes, took),
    })
}

fn tell(report: &Report, took: Duration) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(["checked", "number"]);
    for (what, number) in [
        ("bytes of the journal", report.journal_bytes),
        ("rounds: checksums, order", report.rounds),
        ("log entries: hashes, tree", report.log.entries),
        ("blocks: chain, key in force", report.log.blocks),
        ("seals: registry, status, time", report.log.seals),
        ("signatures", report.log.signatures),
        ("status effects", report.log.effects),
        ("records opened and hashed", report.bodies),
        ("records whose key was destroyed", report.erased),
        ("rows of the index", report.index_rows),
        ("learners' keys", report.learner_keys),
    ] {
        table.add_row([what.to_owned(), number.to_string()]);
    }
    crate::say(&table.to_string());
    report.notes.iter().for_each(|note| crate::say(&format!("note: {note}")));
    report.findings.listed().iter().for_each(|finding| crate::say(&format!("DAMAGE: {finding}")));
    let (seconds, tenths) = (took.as_secs(), took.subsec_millis() / 100);
    let (size, root) = (report.size, &report.root);
    if report.findings.count() == 0 {
        let what = if report.is_backup { "a backup of a log" } else { "a log" };
        crate::say(&format!(
            "Good: {what} of {} with root {root}, checked in {seconds}.{tenths} s.",
            counted(size, "entry", "entries")
        ));
    }
    if let Some(below) = report.held_below {
        crate::say(&format!(
            "HELD: others have seen {} of this log, and it has {size}. It is not served: restore a newer backup or \
             copy, or continue the log under another name (creditbank-node succeed --size {size}).",
            counted(below, "entry", "entries")
        ));
    }
}
