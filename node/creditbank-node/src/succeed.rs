//! `succeed`: after a theft of the log key, or a loss of what others have seen, the log continues under another origin,
//! in a new directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use creditbank_protocol::counted;
use creditbank_protocol::key::KeyId;
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::BackupError;
use creditbank_server::operate::succeed::{LostBlocks, SucceedError, Succeeded, SuccessionOptions, succeed};
use serde_json::json;

use crate::backup::bar;
use crate::confirm_time::ConfirmTime;
use crate::failure::Usage;
use crate::node_dir::NodeDir;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  creditbank-node succeed --dir bank --to bank-2 --size 48213 --origin credits.example/log-2 \\\n    \
                        --registry-key /media/key/registry.key --case 2026-114"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// A new directory for the node that continues the log.
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
    /// The size from which the log continues; what it has beyond is lost. After a theft: the size of the last
    /// checkpoint under a quorum before it. For a restored log that is held: all that it has, as `restore` and `check`
    /// print it.
    #[arg(long, value_name = "N")]
    size: u64,
    /// The new name, one that the log never had: a host and a path, as credits.example/log-2.
    #[arg(long)]
    origin: String,
    /// The registry key in force.
    #[arg(long, value_name = "FILE")]
    registry_key: PathBuf,
    /// An approver's key, once for each approval that the registry's policy asks for.
    #[arg(long, value_name = "FILE")]
    approver_key: Vec<PathBuf>,
    /// The reason: the number of a case or of minutes. It is written to the log.
    #[arg(long, value_name = "REFERENCE")]
    case: String,
    #[command(flatten)]
    confirm_time: ConfirmTime,
    /// Print one JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { node, to, size, origin, registry_key, approver_key, case, confirm_time, json } = arguments;
    let environment = Environment::system();
    let config = node.config(&environment)?;
    let options = SuccessionOptions {
        size,
        origin: origin.clone(),
        registry_key,
        approver_keys: approver_key,
        case_reference: case,
        confirmed_time: confirm_time.is_given(&*environment.clock)?,
    };
    let bar = bar(json);
    let done = succeed(&environment, node.path(), &config, &to, &options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let done = done.map_err(usage)?;
    // Everybody may read it, like the one that `init` writes.
    let trust = to.join("trust.toml");
    fs::set_permissions(&trust, fs::Permissions::from_mode(0o644)).with_context(|| trust.display().to_string())?;
    if json {
        let lost = |one: &LostBlocks| {
            let entries: Vec<u64> = one.entries.iter().map(|entry| entry.0).collect();
            json!({
                "institution": one.unit.institution.0, "unit": one.unit.number, "from_height": one.from_height,
                "entries": entries, "records": one.records, "published": one.published, "effects": one.effects,
            })
        };
        let lost: Vec<_> = done.lost.iter().map(lost).collect();
        let Succeeded { former, size, new_size, log_key, old_size, seen, .. } = &done;
        crate::say(
            &json!({
                "dir": to, "origin": origin, "former": former, "former_size": size, "size": new_size,
                "log_key_id": KeyId::of(log_key).to_string(), "lost": lost, "old_size": old_size, "seen": seen,
            })
            .to_string(),
        );
        return Ok(());
    }
    tell(&done, &origin, &to.display().to_string());
    Ok(())
}

fn tell(done: &Succeeded, origin: &str, to: &str) {
    let Succeeded { former, size, lost, seen, .. } = done;
    crate::say(&format!(
        "{to} holds the log of {former} up to size {size}. From there on its name is {origin}, with a new log key."
    ));
    if let Some(seen) = seen {
        crate::say(&format!(
            "Others have seen {} of {former}, or its guard has, and the old directory has {}: the entries in between \
             are lost, and nobody can list them.",
            counted(*seen, "entry", "entries"),
            done.old_size
        ));
    }
    if lost.is_empty() && seen.is_none() {
        crate::say("Nothing is lost: the old log ends there.");
    } else if !lost.is_empty() {
        crate::say(&format!(
            "The blocks beyond size {size} are lost. Their signers must repeat what was in them: records with issue or \
             sync; revocations, amendments, confirmations and published entries by hand:"
        ));
    }
    for one in lost {
        let (blocks, records) = (one.entries.len(), one.records);
        let (first, last) = (one.entries.first(), one.entries.last());
        let range = first.zip(last).map(|(first, last)| format!("log index {first} to {last}")).unwrap_or_default();
        let whose =
            if one.unit.institution.is_operator() { "the registry".to_owned() } else { format!("unit {}", one.unit) };
        let also = [(one.published, "published"), (one.effects, "effects on records")].into_iter();
        let also: String = also
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!(", {count} {what}"))
            .collect::<Vec<_>>()
            .concat();
        crate::say(&format!(
            "  {whose}: {}, {}{also}, {range}; its chain continues at height {}",
            counted(blocks, "block", "blocks"),
            counted(records, "record", "records"),
            one.from_height
        ));
    }
    crate::say("Next:");
    crate::say(&format!(
        "  creditbank-node check --dir {to}, then creditbank-node serve --dir {to}; never serve the old one again"
    ));
    crate::say(&format!(
        "  {to}/trust.toml   give it to everybody: it names the new log line and pins {former} at size {size}. Readers \
         who keep the old file follow too, but it does not tell them that {former} ends there"
    ));
    crate::say(&format!("  tell the witnesses the new log line, and that {former} has ended at size {size}"));
    let whom = match (seen.is_some(), lost.is_empty()) {
        (true, _) => "tell all units that their last blocks may be lost. They",
        (false, false) => "tell the units above: they",
        (false, true) => return,
    };
    crate::say(&format!("  {whom} run issue or sync again with a new --work directory, and repeat lost revocations"));
}

/// Errors that the caller can avoid by asking for something else exit with 2.
fn usage(error: SucceedError) -> anyhow::Error {
    use SucceedError as E;
    match error {
        E::Copy(BackupError::Exists(_) | BackupError::Within { .. })
        | E::NoSeal { .. }
        | E::Beyond { .. }
        | E::Origin(_)
        | E::SameOrigin(_)
        | E::Gone { .. }
        | E::Memory
        | E::Key { .. }
        | E::OtherRegistryKey { .. }
        | E::Approvals { .. } => Usage(error.to_string()).into(),
        other => other.into(),
    }
}
