//! The block with which the log continues: a succession, signed by the registry key, its approvers, and both log keys.

use creditbank_protocol::UnitId;
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::{KeyId, log_succession_message, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{PUBLIC_SEED, Record};
use ed25519_dalek::SigningKey;

use super::{SucceedError, SuccessionOptions};
use crate::clock::random;
use crate::environment::Environment;
use crate::ledger::{Ledger, OperatorsChain};

/// The block with which the log continues.
pub(super) fn block(
    environment: &Environment,
    ledger: &Ledger,
    options: &SuccessionOptions,
    (registry_key, approvers): (&KeyFile, &[KeyFile]),
    (former_key, log_key): (&SigningKey, &SigningKey),
) -> Result<Vec<u8>, SucceedError> {
    let OperatorsChain { head, chain, approvals, registry_key: in_force } = ledger.operators_chain();
    if registry_key.public_key() != in_force {
        return Err(SucceedError::OtherRegistryKey {
            path: options.registry_key.display().to_string(),
            found: KeyId::of(&registry_key.public_key()),
            expected: KeyId::of(&in_force),
        });
    }
    if approvals != approvers.len() {
        return Err(SucceedError::Approvals { expected: approvals, found: approvers.len() });
    }
    let bare = pb::LogSuccession {
        origin: ledger.origin(),
        size: head.size,
        root: head.root.0.to_vec(),
        new_origin: options.origin.clone(),
        log_key: log_key.verifying_key().to_bytes().to_vec(),
        case_reference: options.case_reference.clone(),
        ..Default::default()
    };
    let message = log_succession_message(&bare);
    let [signature, former_signature] = [log_key, former_key].map(|key| sign(key, message.as_bytes()).to_vec());
    let body = encode(&pb::LogSuccession { signature, former_signature, ..bare })?;
    let record = Record::of(Kind::LogSuccession, &PUBLIC_SEED, body)?;
    let minute = (ledger.now_ms() / 60_000).max(chain.created_at_minute);
    let draft = BlockDraft {
        origin: options.origin.clone(),
        unit: UnitId::OPERATOR,
        height: chain.next_height,
        previous: chain.previous,
        operation_id: random(&*environment.entropy),
        created_at_minute: minute,
        key_id: KeyId::of(&registry_key.public_key()),
    };
    let records = [record];
    let signed = |approvals: Vec<pb::Approval>| {
        draft.sign(&records, Vec::new(), approvals, |message| sign(&registry_key.key, message))
    };
    let unapproved = signed(Vec::new())?;
    let parsed = SignedBlock::parse(&unapproved).expect("the block was just made");
    let approval = |key: &KeyFile| {
        let bare = pb::Approval {
            key_id: KeyId::of(&key.public_key()).0.to_vec(),
            salt: random::<16>(&*environment.entropy).to_vec(),
            until_minute: minute + 60,
            ..Default::default()
        };
        let message = approval_message(parsed.header(), &bare);
        pb::Approval { signature: sign(&key.key, message.as_bytes()).to_vec(), ..bare }
    };
    Ok(signed(approvers.iter().map(approval).collect())?)
}
