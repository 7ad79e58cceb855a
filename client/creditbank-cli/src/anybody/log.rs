//! `log`: what everybody may see, each answer with its proof checked.

use std::path::PathBuf;

use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::write_proof;
use creditbank_protocol::{LogIndex, names, pb};
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The newest checkpoint: a C2SP signed note
    Checkpoint,
    /// One entry, decoded
    Entry {
        /// Its index, from 0
        index: u64,
    },
    /// Proof that an entry is in the log: a C2SP tlog-proof
    Prove {
        /// Its index, from 0
        index: u64,
        /// New file for the proof; left out: printed
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Checkpoint => {
            let (accepted, note) = client.checkpoint().await?;
            let note = String::from_utf8_lossy(&note).into_owned();
            let (size, root) = (accepted.checkpoint.size, accepted.checkpoint.root.to_string());
            let value = json!({
                "origin": accepted.checkpoint.origin, "size": size, "root": root, "witnesses": accepted.witnesses, "note": note,
            });
            output::print(global, &value, || note.clone())
        }
        Command::Entry { index } => {
            let (entry, _) = client.entry(index).await?;
            let value = entry_value(LogIndex(index), &entry)?;
            output::print(global, &value, || {
                let (lists, facts): (Vec<_>, Vec<_>) =
                    value.as_object().into_iter().flatten().partition(|(_, value)| value.is_array());
                let each = lists.iter().flat_map(|(name, list)| {
                    let (one, many) = (name.trim_end_matches('s'), list.as_array().into_iter().flatten());
                    many.map(move |value| (one, value))
                });
                let each = each.map(|(name, value)| match value["record"].as_object() {
                    Some(_) => (name, format!("{} {}", show::line(&value["kind"]), show::named(&value["record"]))),
                    None => (name, show::named(value)),
                });
                output::facts(facts.iter().map(|(name, value)| (name.as_str(), show::field(name, value))).chain(each))
            })
        }
        Command::Prove { index, out } => {
            let (_, proof) = client.entry(index).await?;
            let text = write_proof(&proof);
            if let Some(path) = out {
                output::new_file(&path, &text, false)?;
                let value = json!({ "file": path, "index": index, "hashes": proof.hashes.len() });
                return output::print(global, &value, || format!("{} proves entry {index}.", path.display()));
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            output::print(global, &json!({ "index": index, "proof": text }), || text.clone())
        }
    }
}

fn entry_value(index: LogIndex, bytes: &[u8]) -> Result<Value, Failure> {
    let leaf = leaf_hash(bytes).to_string();
    match Entry::parse(bytes).map_err(|error| Failure::NotValid(error.to_string()))? {
        Entry::Head(head) => {
            let header = head.header();
            let approvals = head
                .approvals()
                .iter()
                .map(|one| json!({ "key_id": hex::encode(&one.key_id), "until_minute": one.until_minute }));
            let approvals: Vec<Value> = approvals.collect();
            Ok(json!({
                "index": index.0, "type": "block", "leaf_hash": leaf,
                "institution": header.unit.institution.0, "unit": header.unit.number, "height": header.height,
                "records": header.count, "block_id": header.id().to_string(), "previous": header.previous.to_string(),
                "records_root": header.records_root.to_string(), "key_id": header.key_id.to_string(),
                "created_at_minute": header.created_at_minute, "public_count": header.pieces.count, "approvals": approvals,
            }))
        }
        Entry::Public(public) => {
            let records = public.part().records.iter().map(public_record).collect::<Result<Vec<_>, _>>()?;
            let effects: usize = public.part().groups.iter().map(|group| group.effects.len()).sum();
            Ok(json!({
                "index": index.0, "type": "public part", "leaf_hash": leaf,
                "effects": effects, "public_records": records,
            }))
        }
        Entry::Seal(signed) => {
            let seal = signed.seal();
            Ok(json!({
                "index": index.0, "type": "seal", "leaf_hash": leaf,
                "first_index": seal.first_index.0, "records_total": seal.records_total, "time_ms": seal.time_ms,
                "rules_version": seal.rules_version, "previous": seal.previous.to_string(),
                "status_root": seal.status_root.to_string(), "registry_root": seal.registry_root.to_string(),
            }))
        }
    }
}

fn public_record(shown: &pb::PublicRecord) -> Result<Value, Failure> {
    let kind = pb::Kind::try_from(shown.kind).unwrap_or_default();
    Ok(json!({ "kind": names::of(kind), "record": show::body(show::message_of(kind), &shown.body)? }))
}
