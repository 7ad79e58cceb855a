//! Goal: the operator's chain is signed as the registry says: by the key in force, with the approvals that are asked for.

use creditbank_ledger::state::Refusal;
use creditbank_protocol::UnitId;
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::key::{KeyId, possession_message, sign};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::Record;
use creditbank_rules::Rule;
use ed25519_dalek::SigningKey;

use crate::log::{Draft, Log, ORIGIN, apply, registry_record, replay, unit};

fn signing(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// An approver of the operator's blocks, as the registry knows it.
fn approver(number: u8) -> pb::Key {
    let key = signing(number);
    let public_key = key.verifying_key().to_bytes();
    let message = possession_message(ORIGIN, UnitId::OPERATOR, Purpose::Approver, &public_key);
    pb::Key {
        public_key: public_key.to_vec(),
        suite: 1,
        purpose: Purpose::Approver.into(),
        possession: sign(&key, message.as_bytes()).to_vec(),
        ..Default::default()
    }
}

fn policy(approvals: u32) -> Record {
    registry_record(Kind::RegistryPolicy, &pb::RegistryPolicy { approvals })
}

/// The operator's next block, approved by these.
fn approved(log: &Log, records: Vec<Record>, approvers: &[u8]) -> Draft {
    let mut draft = log.draft(UnitId::OPERATOR, records, Vec::new());
    let read = draft.read();
    let header = read.block().header();
    draft.approvals = approvers
        .iter()
        .map(|number| {
            let key = signing(*number);
            let bare = pb::Approval {
                key_id: KeyId::of(&key.verifying_key().to_bytes()).0.to_vec(),
                until_minute: header.created_at_minute + 60,
                salt: vec![*number; 16],
                ..Default::default()
            };
            let signature = sign(&key, approval_message(header, &bare).as_bytes()).to_vec();
            pb::Approval { signature, ..bare }
        })
        .collect();
    draft
}

fn refused(log: &Log, draft: &Draft) -> Rule {
    let refusal = apply(&mut log.state.open(log.time_ms), &draft.read()).expect_err("it is refused");
    let (Refusal::Rule(rejection) | Refusal::OperatorKey(rejection)) = refusal else {
        panic!("a rule, found {refusal}");
    };
    rejection.rule
}

/// A log whose operator needs two approvals of three approvers: 51, 52 and 53.
fn with_policy() -> Log {
    let mut log = Log::new();
    let records = [51, 52, 53].map(|number| registry_record(Kind::Key, &approver(number)));
    let draft = log.draft(UnitId::OPERATOR, [records.to_vec(), vec![policy(2)]].concat(), Vec::new());
    log.round(&[draft]);
    log
}

/// Goal: once the registry asks for approvals, whoever has the registry key alone can do nothing: neither change the
/// registry, nor ask for fewer approvals, nor admit approvers of their own. With enough approvals it goes on, and the replay
/// of the log agrees.
#[test]
fn a_thief_of_the_registry_key_cannot_loosen_the_policy() {
    let mut log = with_policy();
    for records in [
        vec![registry_record(Kind::Unit, &unit(1, 2))],
        vec![policy(0)],
        vec![policy(1)],
        vec![registry_record(Kind::Key, &approver(60))],
    ] {
        assert_eq!(refused(&log, &approved(&log, records.clone(), &[])), Rule::ApprovalMissing);
        assert_eq!(refused(&log, &approved(&log, records.clone(), &[51])), Rule::ApprovalMissing);
        assert_eq!(refused(&log, &approved(&log, records, &[51, 60])), Rule::NotAnApprover, "an approver of their own");
    }
    let block = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 2))], &[51, 53]);
    log.round(&[block]);
    let loosened = approved(&log, vec![policy(1)], &[52, 53]);
    log.round(&[loosened]);
    let block = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 3))], &[52]);
    log.round(&[block]);
    replay(&log.entries).expect("the log agrees with itself");
}

/// Goal: an approval of the operator's block is used once, ends, and is signed; one person approves once.
#[test]
fn the_operators_approvals_are_used_once() {
    let mut log = with_policy();
    let mut draft = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 2))], &[51, 52]);
    draft.approvals[0].until_minute = 1;
    assert_eq!(refused(&log, &draft), Rule::ApprovalExpired);
    let draft = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 2))], &[51, 52]);
    let approvals = draft.approvals.clone();
    log.round(&[draft]);
    let mut again = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(1, 2))], Vec::new());
    again.approvals = approvals;
    assert_eq!(refused(&log, &again), Rule::ApprovalUsed);

    let mut bent = log.clone();
    let mut draft = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 3))], &[51, 52]);
    draft.approvals[1].signature[0] ^= 1;
    bent.round(&[draft]);
    let found = replay(&bent.entries).err().expect("the signature of an approval does not hold");
    assert!(found.subject.contains("approval of block"), "{found}");

    let mut twice = approved(&log, vec![registry_record(Kind::Unit, &unit(1, 3))], &[51]);
    twice.approvals.push(pb::Approval { salt: vec![9; 16], ..twice.approvals[0].clone() });
    let (groups, approvals) = (Vec::new(), twice.approvals.clone());
    let block =
        twice.header.sign(&twice.records, groups, approvals, |message| sign(&twice.key, message)).expect("bytes");
    let parsed = creditbank_protocol::block::SignedBlock::parse(&block);
    assert_eq!(parsed, Err(creditbank_protocol::block::BlockError::RepeatedApproval));
}

/// Goal: a policy never asks for more than the approvers that there are, and they are never fewer than it asks for: the
/// operator cannot lock himself out.
#[test]
fn a_policy_can_be_met() {
    let mut log = Log::new();
    assert_eq!(refused(&log, &approved(&log, vec![policy(1)], &[])), Rule::Contradiction);
    let ending = pb::Key { until_minute: 4_000_000_000, ..approver(50) };
    let records = vec![registry_record(Kind::Key, &ending), policy(1)];
    assert_eq!(refused(&log, &approved(&log, records, &[])), Rule::Contradiction, "it will end");
    log = with_policy();
    let revoked = |number| {
        let reason = pb::RevocationReason::Ceased.into();
        let revoked = Some(pb::KeyRevocation { reason, ..Default::default() });
        registry_record(Kind::Key, &pb::Key { revoked, ..approver(number) })
    };
    let draft = approved(&log, vec![revoked(51)], &[52, 53]);
    log.round(&[draft]);
    assert_eq!(refused(&log, &approved(&log, vec![revoked(52)], &[52, 53])), Rule::Contradiction);
    let many = (100..115).map(|number| registry_record(Kind::Key, &approver(number))).collect();
    assert_eq!(refused(&log, &approved(&log, many, &[52, 53])), Rule::Contradiction, "at most 16");
}
