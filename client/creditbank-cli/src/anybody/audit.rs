//! `audit`: the whole log, with nothing but the trust file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use creditbank_client::Audit;
use creditbank_protocol::counted;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::output;
use crate::partner::verify::time;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// New file for what was found, as JSON with the checkpoint's signed note
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let client = global.connect().await?;
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} entries, {per_sec}, {eta} left");
    let bar = if global.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let begun = Instant::now();
    let audited = client.audit(|done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    let audited = audited.await;
    bar.finish_and_clear();
    let (audit, took) = (audited?, begun.elapsed());
    let value = value(client.origin(), &audit, took);
    if let Some(path) = &arguments.out {
        let text = serde_json::to_string_pretty(&value).map_err(|error| Failure::Usage(error.to_string()))?;
        output::new_file(path, (text + "\n").as_bytes(), false)?;
    }
    output::print(global, &value, || tell(&audit, took))?;
    match &audit.contradiction {
        Some(found) => Err(Failure::Told(format!("the log contradicts itself: {found}"))),
        None => Ok(()),
    }
}

fn value(origin: &str, audit: &Audit, took: Duration) -> Value {
    let counts = audit.replay.counts();
    let state = audit.replay.state();
    let (status_root, registry_root) = (state.status().root(), state.in_force().map.root());
    let rate = u128::from(counts.entries) * 1_000 / took.as_millis().max(1);
    let contradiction = audit.contradiction.as_ref().map(|found| {
        json!({
            "index": found.index.0, "subject": found.subject, "what": found.what,
            "expected": found.expected, "found": found.found,
        })
    });
    json!({
        "origin": origin, "good": audit.contradiction.is_none(), "contradiction": contradiction,
        "sealed_at": sealed_at(audit), "corrections_of_time": corrections(audit),
        "size": audit.checkpoint.size, "root": audit.checkpoint.root.to_string(),
        "checkpoint": String::from_utf8_lossy(&audit.note),
        "entries": counts.entries, "blocks": counts.blocks, "seals": counts.seals, "records": counts.records,
        "effects": counts.effects, "registry_records": counts.registry_records, "signatures": counts.signatures,
        "issuers": audit.replay.issuers(), "keys": audit.replay.state().in_force().registry.keys().count(),
        "status_root": status_root.to_string(), "registry_root": registry_root.to_string(),
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "entries_per_second": u64::try_from(rate).unwrap_or(u64::MAX),
    })
}

/// Time of the newest seal; none in an empty log.
fn sealed_at(audit: &Audit) -> Option<String> {
    audit.replay.state().last_seal().map(|seal| time(seal.time_ms))
}

/// How often the operator has corrected the time.
fn corrections(audit: &Audit) -> usize {
    audit.replay.state().in_force().registry.corrections().count()
}

fn tell(audit: &Audit, took: Duration) -> String {
    let counts = audit.replay.counts();
    let rows = [
        ("entries", counts.entries),
        ("blocks", counts.blocks),
        ("seals: registry and status recomputed", counts.seals),
        ("signatures", counts.signatures),
        ("records behind the blocks", counts.records),
        ("status effects", counts.effects),
        ("registry records", counts.registry_records),
        ("institutions that have issued", audit.replay.issuers()),
        ("keys", audit.replay.state().in_force().registry.keys().count() as u64),
    ];
    let table =
        output::table(&["replayed", "number"], rows.map(|(what, number)| vec![what.to_owned(), number.to_string()]));
    let (seconds, tenths) = (took.as_secs(), took.subsec_millis() / 100);
    let end = match &audit.contradiction {
        None => {
            let sealed = sealed_at(audit).map(|time| format!(", last sealed {time}")).unwrap_or_default();
            let corrected = match corrections(audit) {
                0 => String::new(),
                times => format!(
                    "\nThe operator has corrected the time {} (creditbank registry list time-correction).",
                    counted(times, "time", "times")
                ),
            };
            format!(
                "Everything that can be known without the records holds, in {seconds}.{tenths} s.\nSize {}{sealed}, root \
                 {}.{corrected}\nThe rules about the records themselves are the operator's word.",
                audit.checkpoint.size, audit.checkpoint.root
            )
        }
        Some(found) => format!(
            "CONTRADICTION at log entry {}: {}\n  {}\n  expected {}\n  found    {}\nThe entries up to it and the checkpoint's \
             signed note prove it to anybody; --out keeps the note.",
            found.index, found.subject, found.what, found.expected, found.found
        ),
    };
    format!("{table}\n{end}")
}
