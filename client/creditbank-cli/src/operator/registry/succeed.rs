//! `registry succeed`: another registry key takes over.

use creditbank_client::succession::{Succession, succeed};
use creditbank_client::{Client, KeyPlace};
use creditbank_protocol::Digest;
use creditbank_protocol::key::{KeyId, commitment};
use creditbank_protocol::pb::Purpose;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The key that takes over: the one that the registry has committed to
    #[arg(long)]
    key: KeyPlace,
    /// The key that may follow it in its turn; only its commitment is told
    #[arg(long, required_unless_present = "then_commitment")]
    then: Option<KeyPlace>,
    /// Its commitment, where the key is elsewhere (`creditbank keygen --purpose registry` says it)
    #[arg(long, value_name = "HEX", conflicts_with = "then", value_parser = digest)]
    then_commitment: Option<Digest>,
    /// Why: the number of a case or of minutes
    #[arg(long)]
    case: String,
    /// How many persons approve the operator's blocks from then on, 0 to 8; left out: as many as before. For when
    /// approvers are gone: the succession itself needs no approvals
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=8))]
    approvals: Option<u32>,
    /// After a theft: from when on what the old key signed is contested, as 2026-09-01T08:30Z
    #[arg(long, value_parser = values::past_minute)]
    compromised_since: Option<u64>,
}

fn digest(text: &str) -> Result<Digest, String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| Digest::from_slice(&bytes));
    bytes.ok_or_else(|| format!("expected 64 hexadecimal digits, found {text}"))
}

pub(crate) async fn run(global: &Global, client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { key, then, then_commitment, case, approvals, compromised_since } = arguments;
    // The notes stand beside the key that signs.
    let own = key.file().filter(|_| !global.has_registry_key());
    let work = own.map_or_else(|| global.registry_work(), |file| global.work_beside(file));
    let key = key.open(Purpose::Registry)?;
    let then = then.map(|then| then.open(Purpose::Registry)).transpose()?;
    let next = then.map(|then| commitment(&then.public_key())).or(then_commitment);
    let next = next.ok_or_else(|| Failure::Usage("expected --then or --then-commitment".to_owned()))?;
    let current = if global.has_registry_key() { Some(global.registry_key()?) } else { None };
    let planned = current.is_some();
    let own = KeyId::of(&key.public_key());
    let case_reference = case;
    let compromised_since_minute = compromised_since;
    let succession = Succession { key, next, case_reference, current, approvals, compromised_since_minute };
    let receipt = succeed(client, succession, Some(&work)).await?;
    let value = json!({ "registry_key": own.to_string(), "entry": receipt.index, "planned": planned });
    output::print(global, &value, || {
        format!(
            "{own} is the registry key from entry {} on. Use it with --registry-key from now on, destroy the old one, and\n\
             keep the key that follows apart and offline: it is what is left after a theft.",
            receipt.index
        )
    })
}
