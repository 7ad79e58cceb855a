//! `status`: the newest status of the records of a transcript, in the place of the one that the file has. Who asks
//! needs no access key: the node answers anybody.

use std::path::PathBuf;

use creditbank_client::files::replace;
use creditbank_client::{Refreshed, now_ms};
use creditbank_protocol::counted;
use creditbank_protocol::names;
use creditbank_protocol::note::{Checkpoint, Note};
use creditbank_protocol::standing::Standing;
use creditbank_protocol::transcript::{Current, Report, open_file, verify};
use serde_json::json;

use super::verify::{axes, read_file, relied_on, time};
use super::why;
use crate::connect::Global;
use crate::failure::Failure;
use crate::output;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The transcript
    file: PathBuf,
    /// New file for the transcript with its newest status; without it FILE itself is replaced
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file: path, out } = arguments;
    let file = read_file(&path)?;
    let (trust, now) = (global.trust()?, now_ms());
    // The status that the file has may be one that this trust file does not accept, and the rest be good.
    let (before, not_valid) = match verify(&file, &trust, now) {
        Ok(before) => (Some(before), None),
        Err(error) => (None, Some(Failure::NotValid(why::not_valid(&path, &file, &trust, &error)))),
    };
    let client = global.connect().await?;
    let refreshed = client.refresh(&file, before.as_ref()).await;
    let Refreshed { file: newest, report: after } = match (refreshed, not_valid) {
        (Ok(refreshed), _) => refreshed,
        (Err(error), Some(not_valid)) => {
            return Err(Failure::NotValid(format!("{not_valid}\nA newer status could not be got: {error}")));
        }
        (Err(error), None) => return Err(error.into()),
    };
    if out.is_none()
        && let Some(why) = goes_back(&file, before.as_ref(), &after)
    {
        // What is good is not replaced by what is worse.
        let shown = path.display();
        return Err(Failure::NotValid(format!(
            "{why}: {shown} stays as it is (--out FILE writes what the node has said)"
        )));
    }
    match &out {
        Some(out) => output::new_file(out, &newest, true)?,
        None if newest == file => {}
        None => replace(&path, &newest)?,
    }
    let written = out.unwrap_or(path);
    let standings: Vec<Option<Standing>> = match &before {
        Some(before) => before.records.iter().map(|record| Some(record.standing())).collect(),
        None => vec![None; after.records.len()],
    };
    let pairs = || standings.iter().zip(&after.records);
    let records = pairs().map(|(was, is)| {
        json!({
            "place": is.place.to_string(), "kind": names::of(is.disclosed.info.kind),
            "before": was.map(Standing::name), "verdict": is.standing().name(), "because": why::of(&after, is),
        })
    });
    let value = json!({
        "file": written, "valid": after.is_valid(), "axes": axes(&after),
        "log_size_before": before.as_ref().map(|before| before.size), "log_size": after.size,
        "sealed_at_before": before.as_ref().map(|before| time(before.sealed_at_ms)), "sealed_at": time(after.sealed_at_ms),
        "records": records.collect::<Vec<_>>(),
    });
    output::print(global, &value, || {
        let because = after.records.iter().filter_map(|one| {
            let kind = names::of(one.disclosed.info.kind);
            why::of(&after, one).map(|why| format!("\n{kind} {}: {} because {why}", one.place, one.standing()))
        });
        let changed: Vec<String> = pairs()
            .filter(|(was, is)| **was != Some(is.standing()))
            .map(|(was, is)| {
                let kind = names::of(is.disclosed.info.kind);
                let was = was.map(|was| format!("was {was}, ")).unwrap_or_default();
                format!("{kind} {}: {was}is {}", is.place, is.standing())
            })
            .collect();
        let changed = if changed.is_empty() { "no record has another standing".to_owned() } else { changed.join("\n") };
        let was = before.as_ref().map_or_else(
            || "the status that it had was not valid under this trust file".to_owned(),
            |before| format!("before as of {}", time(before.sealed_at_ms)),
        );
        let (shown, is) = (written.display(), time(after.sealed_at_ms));
        format!("{shown}: as of {is}, {was}\n{changed}{}", because.collect::<String>())
    })?;
    relied_on(&after, &written, now, false)
}

/// Why a file is not replaced by one with the status that the node has given: where that is of a time to come, or older
/// than the one that the file has.
fn goes_back(file: &[u8], before: Option<&Report>, after: &Report) -> Option<String> {
    let is_ahead = |report: &Report| report.currency.state == Current::Clock;
    if is_ahead(after) && !before.is_some_and(is_ahead) {
        return Some(format!(
            "the newest status says {}, which is ahead of this clock. If this clock is right, the log was sealed under a \
             wrong one; ask for status again when its operator has corrected it",
            time(after.sealed_at_ms)
        ));
    }
    // What a file says that is not accepted is still a hint that the node may hide something.
    let said = Checkpoint::parse(Note::parse(&open_file(file).ok()?.status?.checkpoint).ok()?.text()).ok()?;
    // After a theft of the log key the log has given up what it had beyond a size.
    if said.origin != after.origin {
        return None;
    }
    let had = said.size;
    if after.size < had {
        return Some(format!(
            "the node's status is of {}, the file's is of {had}",
            counted(after.size, "entry", "entries")
        ));
    }
    let as_of = before.filter(|before| !is_ahead(before)).map_or(0, |before| before.currency.as_of_ms);
    (after.currency.as_of_ms < as_of).then(|| {
        format!("the node's status is as of {}, the file's as of {}", time(after.currency.as_of_ms), time(as_of))
    })
}
