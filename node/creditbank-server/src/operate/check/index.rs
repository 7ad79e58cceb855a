//! Compares the index with the journal: it must have every row that follows from the journal, and no other.

mod copy;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use creditbank_protocol::counted;
use creditbank_store::{Index, IndexError, Table, checked_row};

use super::Finding;
use super::rows::{Compared, Print};
use super::run::Run;
use crate::directory::{Config, DirectoryError, at};
use crate::environment::Environment;
use copy::Copy;

/// The store's own table, which says up to where the index is durable.
const MARKER: Table = Table(u8::MAX);

/// Compares the index of a log, part by part.
pub(super) fn compare(
    run: &mut Run<'_>,
    environment: &Environment,
    config: &Config,
    log_dir: &Path,
) -> Result<(), DirectoryError> {
    let path = log_dir.join("index");
    let shown = path.display().to_string();
    let missing = |what: &str| Finding::of(&shown, format!("{what}; reindex rebuilds it"));
    if !environment.disk.exists(&path).map_err(at(&path))? {
        if run.last > 0 {
            run.report.findings.add(missing("not there"));
        }
        return Ok(());
    }
    if run.inspection.position.is_none() && run.last > 0 {
        let what =
            "nothing says up to where the index is complete: the next start rebuilds it, and it was not compared";
        run.report.notes.push(what.to_owned());
        return Ok(());
    }
    let copy = match run.is_read_only.then(|| Copy::of(&*environment.disk, &path)).transpose() {
        Ok(copy) => copy,
        Err(error) => {
            let note = format!("the index was not compared: the directory is read-only, and a copy failed ({error})");
            run.report.notes.push(note);
            return Ok(());
        }
    };
    let opened_at = copy.as_ref().map_or(&*path, |copy| &copy.0);
    let opened = config.store.open_index(&environment.disk, opened_at);
    let opened = opened.and_then(|index| index.ok_or_else(|| IndexError("no engine".to_owned())));
    let index = match opened {
        Ok(index) => index,
        Err(error) => {
            run.report.findings.add(missing(&format!("it does not open ({error})")));
            return Ok(());
        }
    };
    let mut pending = 0;
    loop {
        if let Err(error) = part(run, &*index, &shown, &mut pending) {
            run.report.findings.add(missing(&format!("it does not read ({error})")));
            return Ok(());
        }
        if !run.rows.next_part() {
            break;
        }
        let (journal, strict, rows) = (run.journal, run.strict_until, &mut run.rows);
        let last = run.last;
        journal.rounds(1, |raw| {
            if let Ok(decoded) = raw.decode() {
                rows.extend(decoded.round.rows.iter().map(Print::of).collect(), raw.sequence <= strict);
            }
            if raw.sequence < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    if pending > 0 {
        let rows = counted(pending, "row", "rows");
        let what = format!("the next start writes {rows} of the index: the last stop was not a clean one");
        run.report.notes.push(what);
    }
    Ok(())
}

fn part(run: &mut Run<'_>, index: &dyn Index, shown: &str, pending: &mut u64) -> Result<(), IndexError> {
    for table in (0..u8::MAX).map(Table) {
        for row in index.rows(table, &[]) {
            let (key, value) = row?;
            let value = match checked_row(table, &key, value) {
                Ok(value) => value,
                Err(error) => {
                    run.rows.compare(&Print::new(table, &key, None));
                    run.report.findings.add(Finding::of(shown, format!("{error}; reindex rebuilds it")));
                    continue;
                }
            };
            let what = match run.rows.compare(&Print::new(table, &key, Some(&value))) {
                Compared::Elsewhere => continue,
                Compared::Same => None,
                Compared::Pending => {
                    *pending += 1;
                    None
                }
                Compared::Other => Some("has another value than the journal"),
                Compared::Unknown => Some("is not in the journal"),
            };
            run.report.index_rows += 1;
            if let Some(what) = what {
                // A key can hold an account or the digest of an identity, so only the table's number is shown.
                let what = format!("row {} of table {} {what}; reindex rebuilds it", run.report.index_rows, table.0);
                run.report.findings.add(Finding::of(shown, what));
            }
        }
    }
    let mut lacking: BTreeMap<Table, u64> = BTreeMap::new();
    run.rows.missing().for_each(|table| *lacking.entry(table).or_default() += 1);
    for (table, count) in lacking {
        let rows = counted(count, "row", "rows");
        let what = format!("table {} lacks {rows} of the journal; reindex rebuilds it", table.0);
        run.report.findings.add(Finding::of(shown, what));
    }
    if run.inspection.clean && index.get(MARKER, b"sequence")?.is_none() && run.last > 0 {
        run.report.findings.add(Finding::of(shown, "it does not say up to where it is durable".to_owned()));
    }
    Ok(())
}
