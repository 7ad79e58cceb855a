//! Goal: the operator's chain is signed as the registry says: by the key in force, with the approvals that are asked
//! for.

use creditbank_ledger::state::Refusal;
use creditbank_protocol::UnitId;
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{
    KeyId, commitment, log_handover_message, log_succession_message, possession_message, sign, succession_message,
};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::seal::Seal;
use creditbank_rules::Rule;
use ed25519_dalek::SigningKey;

use crate::log::{self, Draft, Log, ORIGIN, apply, registry_record, replay, signing_key, unit};

fn signing(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// An approver of the operator's blocks, as the registry knows it.
pub(crate) fn approver(number: u8) -> pb::Key {
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

/// The operator's next block, approved by these for an hour.
pub(crate) fn approved(log: &Log, records: Vec<Record>, approvers: &[u8]) -> Draft {
    approved_for(60, log, records, approvers)
}

/// The same, for so many minutes.
pub(crate) fn approved_for(minutes: u64, log: &Log, records: Vec<Record>, approvers: &[u8]) -> Draft {
    let mut draft = log.draft(UnitId::OPERATOR, records, Vec::new());
    let read = draft.read();
    let header = read.block().header();
    draft.approvals = approvers
        .iter()
        .map(|number| {
            let key = signing(*number);
            let bare = pb::Approval {
                key_id: KeyId::of(&key.verifying_key().to_bytes()).0.to_vec(),
                until_minute: header.created_at_minute + minutes,
                salt: vec![*number; 16],
                ..Default::default()
            };
            let signature = sign(&key, approval_message(header, &bare).as_bytes()).to_vec();
            pb::Approval { signature, ..bare }
        })
        .collect();
    draft
}

pub(crate) fn refused(log: &Log, draft: &Draft) -> Rule {
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
/// registry, nor ask for fewer approvals, nor admit approvers of their own. With enough approvals it goes on, and the
/// replay of the log agrees.
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

/// The registry key of a log, by its place in the line: the first one, the one that the genesis value commits to, ...
fn registry_key(number: u8) -> SigningKey {
    if number == 0 { log::key_of(0) } else { signing_key(199 + u64::from(number)) }
}

fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

/// A registry key as the registry has it.
fn registry_entry(key: &SigningKey, revoked: Option<pb::RevocationReason>) -> Record {
    let message = possession_message(ORIGIN, UnitId::OPERATOR, Purpose::Registry, &public(key));
    let minute = |reason| u64::from(reason == pb::RevocationReason::Compromised);
    let revoked =
        revoked.map(|reason| pb::KeyRevocation { reason: reason.into(), compromised_since_minute: minute(reason) });
    let entry = pb::Key {
        public_key: public(key).to_vec(),
        suite: 1,
        purpose: Purpose::Registry.into(),
        possession: sign(key, message.as_bytes()).to_vec(),
        revoked,
        ..Default::default()
    };
    registry_record(Kind::Key, &entry)
}

/// A succession of the key `before` by `key`, which commits to `next`.
fn succession(before: &SigningKey, key: &SigningKey, next: &SigningKey) -> Record {
    let bare = pb::RegistrySuccession {
        public_key: public(key).to_vec(),
        next_registry_key: commitment(&public(next)).0.to_vec(),
        case_reference: "2026/1".to_owned(),
        ..Default::default()
    };
    let message = succession_message(ORIGIN, &public(before), &bare);
    let signature = sign(key, message.as_bytes()).to_vec();
    registry_record(Kind::RegistrySuccession, &pb::RegistrySuccession { signature, ..bare })
}

/// The records of a succession of the key with a number by the next one in line.
fn records(number: u8, reason: pb::RevocationReason) -> Vec<Record> {
    let [before, key, next] = [0, 1, 2].map(|after| registry_key(number + after));
    vec![succession(&before, &key, &next), registry_entry(&key, None), registry_entry(&before, Some(reason))]
}

/// The operator's next block, signed by a registry key.
fn signed(log: &Log, records: Vec<Record>, key: &SigningKey) -> Draft {
    let mut draft = log.draft(UnitId::OPERATOR, records, Vec::new());
    draft.header.key_id = KeyId::of(&public(key));
    draft.key = key.clone();
    draft
}

fn a_unit(number: u32) -> Vec<Record> {
    vec![registry_record(Kind::Unit, &unit(1, number))]
}

/// Goal: the registry key is followed by the one that was committed to: as planned, under a block of the old key; after
/// a theft, under one of the new key alone. From then on the old key is refused, within the same round too, and the
/// replay of the log agrees.
#[test]
fn a_registry_key_is_followed_by_the_next() {
    let mut log = Log::new();
    let [first, second, third] = [0, 1, 2].map(registry_key);
    let planned = signed(&log, records(0, pb::RevocationReason::Rotated), &first);
    let mut round = log.state.open(log.time_ms);
    apply(&mut round, &planned.read()).expect("as planned");
    let mut old = signed(&log, a_unit(2), &first);
    (old.header.height, old.header.previous) = (1 + planned.header.height, planned.read().id());
    let late = apply(&mut round, &old.read()).expect_err("a succession acts at once");
    assert!(matches!(late, Refusal::OperatorKey(rejection) if rejection.rule == Rule::KeyRevoked));
    log.round(&[planned]);
    assert_eq!(refused(&log, &signed(&log, a_unit(2), &first)), Rule::KeyRevoked);
    let draft = signed(&log, a_unit(2), &second);
    log.round(&[draft]);

    let stolen = signed(&log, records(1, pb::RevocationReason::Compromised), &third);
    log.round(&[stolen]);
    assert_eq!(refused(&log, &signed(&log, a_unit(3), &second)), Rule::KeyRevoked);
    let draft = signed(&log, a_unit(3), &third);
    log.round(&[draft]);
    replay(&log.entries).expect("the log agrees with itself");
}

/// Goal: a thief of the registry key cannot make himself permanent: he can name no successor, admit no second registry
/// key, and not commit to a key of his own.
#[test]
fn a_thief_of_the_registry_key_cannot_stay() {
    let log = Log::new();
    let [first, second, own] = [registry_key(0), registry_key(1), signing(66)];
    let by_thief = |records| refused(&log, &signed(&log, records, &first));
    let rotated = pb::RevocationReason::Rotated;
    let named = vec![succession(&first, &own, &own), registry_entry(&own, None), registry_entry(&first, Some(rotated))];
    assert_eq!(by_thief(named), Rule::NotTheSuccessor);
    assert_eq!(by_thief(vec![registry_entry(&own, None)]), Rule::NotTheSuccessor, "a second registry key");
    assert_eq!(
        by_thief(vec![registry_entry(&second, None)]),
        Rule::NotTheSuccessor,
        "the next key without a succession"
    );
    assert_eq!(by_thief(vec![registry_entry(&first, Some(rotated))]), Rule::Contradiction, "no registry key at all");
    // Who has seen an honest succession under way cannot put another commitment into it.
    let honest = succession(&first, &second, &registry_key(2));
    let honest: pb::RegistrySuccession = decode(honest.body()).expect("a succession");
    let bent = pb::RegistrySuccession { next_registry_key: commitment(&public(&own)).0.to_vec(), ..honest };
    let bent = vec![
        registry_record(Kind::RegistrySuccession, &bent),
        registry_entry(&second, None),
        registry_entry(&first, Some(rotated)),
    ];
    assert_eq!(by_thief(bent), Rule::NoPossession);
    // A succession that leaves the old key in force, or the new one out.
    let whole = records(0, rotated);
    assert_eq!(by_thief(whole[..2].to_vec()), Rule::Contradiction);
    assert_eq!(by_thief(vec![whole[0].clone(), whole[2].clone()]), Rule::Contradiction);
    assert_eq!(by_thief([&whole[1..], &whole[..1]].concat()), Rule::Contradiction, "not the first record");
}

/// A log key that the first one hands over to.
fn log_key_entry(key: &SigningKey, from_index: u64) -> pb::Key {
    log_key_entry_by(&log::log_key(), key, from_index)
}

fn log_key_entry_by(by: &SigningKey, key: &SigningKey, from_index: u64) -> pb::Key {
    let handover = sign(by, log_handover_message(ORIGIN, &public(key), from_index).as_bytes()).to_vec();
    let message = possession_message(ORIGIN, UnitId::OPERATOR, Purpose::Log, &public(key));
    pb::Key {
        public_key: public(key).to_vec(),
        suite: 1,
        purpose: Purpose::Log.into(),
        possession: sign(key, message.as_bytes()).to_vec(),
        from_index,
        handover,
        ..Default::default()
    }
}

/// Goal: a log key follows behind the block that admits it, and has no end of its own; one that was a log key does not
/// begin anew.
#[test]
fn a_log_key_has_one_beginning_and_no_end() {
    let log = Log::new();
    let next = log.state.size();
    let admitted = |entry: pb::Key| approved(&log, vec![registry_record(Kind::Key, &entry)], &[]);
    let reason = pb::RevocationReason::Rotated.into();
    let revoked = Some(pb::KeyRevocation { reason, ..Default::default() });
    let (first, second) = (log::log_key(), log::next_log_key());
    for wrong in [
        log_key_entry(&second, 0),
        log_key_entry(&second, next),
        pb::Key { revoked, ..log_key_entry(&first, 0) },
        pb::Key { until_minute: 4_000_000_000, ..log_key_entry(&first, 0) },
        pb::Key { from_minute: 4_000_000_000, ..log_key_entry(&second, next + 9) },
    ] {
        assert_eq!(refused(&log, &admitted(wrong)), Rule::Contradiction);
    }
    assert_eq!(refused(&log, &admitted(log_key_entry(&first, next + 9))), Rule::Permanent);
    // Whoever has the registry key alone cannot let another key hand over.
    for by in [&second, &log::key_of(0)] {
        assert_eq!(refused(&log, &admitted(log_key_entry_by(by, &second, next + 9))), Rule::NoPossession);
    }
    let nobody = pb::Key { handover: Vec::new(), ..log_key_entry(&second, next + 9) };
    assert_eq!(refused(&log, &admitted(nobody)), Rule::NoPossession);
    let earlier = pb::Key { from_index: next + 8, ..log_key_entry(&second, next + 9) };
    assert_eq!(refused(&log, &admitted(earlier)), Rule::NoPossession);
    apply(
        &mut log.state.open(log.time_ms),
        &admitted(pb::Key { handover: Vec::new(), ..log_key_entry(&first, 0) }).read(),
    )
    .expect("as it is");
    apply(&mut log.state.open(log.time_ms), &admitted(log_key_entry(&second, next + 1)).read()).expect("it follows");
}

/// Goal: a replay holds each seal against the log key in force at its index: the retired key seals nothing more, and
/// the next one nothing before.
#[test]
fn a_seal_is_by_the_log_key_in_force() {
    for from in 1..6 {
        let mut log = Log::new();
        let entry = log_key_entry(&log::next_log_key(), log.state.size() + from);
        let draft = approved(&log, vec![registry_record(Kind::Key, &entry)], &[]);
        log.round(&[draft]);
        for _ in 0..3 {
            log.round(&[]);
        }
        replay(&log.entries).expect("the log agrees with itself");
        for at in 0..log.entries.len() {
            let Ok(Entry::Seal(signed)) = Entry::parse(&log.entries[at]) else { continue };
            let by = |key: &SigningKey| log::seal_by(signed.seal(), key);
            let other = [log::log_key(), log::next_log_key()].map(|key| by(&key));
            let other = other.into_iter().find(|seal| *seal != log.entries[at]).expect("the other key");
            let entries = [&log.entries[..at], &[other][..]].concat();
            replay(&entries).err().expect("a seal by the wrong log key");
        }
    }
}

/// Goal: the registry key alone does not bring a log key back that was replaced before it began, by the handover that
/// it once had, and does not change the one that stands.
#[test]
fn a_replaced_log_key_does_not_come_back() {
    let mut log = Log::new();
    let admit = |log: &Log, entry: &pb::Key| approved(log, vec![registry_record(Kind::Key, entry)], &[]);
    let replaced = log_key_entry(&log::next_log_key(), log.state.size() + 200);
    let draft = admit(&log, &replaced);
    log.round(&[draft]);
    let next = log_key_entry(&SigningKey::from_bytes(&[93; 32]), log.state.size() + 100);
    let draft = admit(&log, &next);
    log.round(&[draft]);
    assert_eq!(refused(&log, &admit(&log, &replaced)), Rule::Contradiction);
    for handover in [Vec::new(), vec![1; 64], replaced.handover] {
        let bent = pb::Key { handover, ..next.clone() };
        assert_eq!(refused(&log, &admit(&log, &bent)), Rule::Permanent);
    }
    apply(&mut log.state.open(log.time_ms), &admit(&log, &next).read()).expect("the same once more");
}

const SECOND: &str = "test.example/second";

/// A block with which the log goes on under another origin; what it says is bent before the new log key signs it.
fn goes_on(log: &Log, bend: impl FnOnce(&mut pb::LogSuccession)) -> Draft {
    let mut said = pb::LogSuccession {
        origin: log.state.origin().to_owned(),
        size: log.state.size(),
        root: log.state.root().0.to_vec(),
        new_origin: SECOND.to_owned(),
        log_key: log::next_log_key().verifying_key().to_bytes().to_vec(),
        case_reference: "2026/3".to_owned(),
        ..Default::default()
    };
    bend(&mut said);
    let message = log_succession_message(&said);
    if said.signature.is_empty() {
        said.signature = sign(&log::next_log_key(), message.as_bytes()).to_vec();
    }
    if said.former_signature.is_empty() {
        said.former_signature = sign(&log::log_key(), message.as_bytes()).to_vec();
    }
    let mut draft = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::LogSuccession, &said)], Vec::new());
    draft.header.origin = said.new_origin;
    draft
}

/// Goal: only the registry key lets the log go on under another origin, directly behind a seal and from the tree that
/// is there; the new log key has signed it, nothing stands beside it, and the old origin and log key end with it.
#[test]
fn a_succession_of_the_log_is_by_its_rules() {
    let mut log = Log::new();
    log.issue(log::ONE, &[1]);
    let bent = |bend: fn(&mut pb::LogSuccession)| refused(&log, &goes_on(&log, bend));
    assert_eq!(bent(|said| said.root = vec![7; 32]), Rule::Contradiction, "another root");
    assert_eq!(bent(|said| said.size -= 1), Rule::Contradiction, "a smaller size");
    assert_eq!(bent(|said| said.size += 1), Rule::Contradiction, "a larger size");
    assert_eq!(bent(|said| said.origin = "test.example/other".to_owned()), Rule::Contradiction, "another log's");
    assert_eq!(bent(|said| said.new_origin = ORIGIN.to_owned()), Rule::Contradiction, "the same origin");
    let stolen = |said: &mut pb::LogSuccession| said.log_key = log::log_key().verifying_key().to_bytes().to_vec();
    assert_eq!(refused(&log, &goes_on(&log, stolen)), Rule::Contradiction, "the stolen key");
    assert_eq!(bent(|said| said.case_reference.clear()), Rule::MissingField, "no reason");
    assert_eq!(bent(|said| said.signature = vec![1; 64]), Rule::NoPossession, "not signed by the new key");
    let forged = |said: &mut pb::LogSuccession| {
        said.former_signature = sign(&log::next_log_key(), log_succession_message(said).as_bytes()).to_vec();
    };
    assert_eq!(refused(&log, &goes_on(&log, forged)), Rule::NoPossession, "not signed by the old log key");
    let mut by_log_key = goes_on(&log, |_| ());
    by_log_key.key = log::log_key();
    by_log_key.header.key_id = KeyId::of(&log::log_key().verifying_key().to_bytes());
    assert_eq!(refused(&log, &by_log_key), Rule::UnknownKey, "by the log key");
    let mut more = goes_on(&log, |_| ());
    more.records.push(policy(0));
    assert_eq!(refused(&log, &more), Rule::Contradiction, "something beside it");
    let mut second = goes_on(&log, |_| ());
    second.records.insert(0, policy(0));
    second.header.origin = ORIGIN.to_owned();
    assert_eq!(refused(&log, &second), Rule::Contradiction, "behind another record");
    let is_of_another = |draft: &Draft| {
        let refusal = apply(&mut log.state.open(log.time_ms), &draft.read()).expect_err("it is refused");
        matches!(refusal, Refusal::Origin { .. })
    };
    let mut old = goes_on(&log, |_| ());
    old.header.origin = ORIGIN.to_owned();
    assert!(is_of_another(&old), "its own block bears the new origin");
    let mut early = log.draft(log::ONE, vec![log::credit(2)], Vec::new());
    early.header.origin = SECOND.to_owned();
    assert!(is_of_another(&early), "the new origin before its beginning");
    // Not the first block of the round, and not the last one.
    let mut round = log.state.open(log.time_ms);
    apply(&mut round, &log.draft(log::ONE, vec![log::credit(2)], Vec::new()).read()).expect("a block");
    let late = goes_on(&log, |said| said.size = log.state.size() + 1);
    assert!(matches!(apply(&mut round, &late.read()), Err(Refusal::Rule(_))), "not behind a seal");
    let mut round = log.state.open(log.time_ms);
    apply(&mut round, &goes_on(&log, |_| ()).read()).expect("the log goes on");
    for origin in [ORIGIN, SECOND] {
        let mut draft = log.draft(log::ONE, vec![log::credit(2)], Vec::new());
        draft.header.origin = origin.to_owned();
        assert!(matches!(apply(&mut round, &draft.read()), Err(Refusal::Rule(_))), "another block of the round");
    }

    let size = log.state.size();
    let draft = goes_on(&log, |_| ());
    log.round(&[draft]);
    assert_eq!((log.state.origin(), log.state.origin_of_size(size)), (SECOND, ORIGIN));
    assert_eq!(log.state.keys().origin, ORIGIN, "what the genesis value binds");
    let mut old = log.draft(log::ONE, vec![log::credit(3)], Vec::new());
    old.header.origin = ORIGIN.to_owned();
    let refusal = apply(&mut log.state.open(log.time_ms), &old.read()).expect_err("the old origin");
    assert!(matches!(refusal, Refusal::Origin { .. }), "{refusal}");
    log.issue(log::ONE, &[3]);
    // A key that proved its possession under the old origin is published again as it was.
    let again = approved(&log, vec![registry_record(Kind::Key, &approver(51))], &[]);
    log.round(&[again]);
    replay(&log.entries).expect("the log agrees with itself");
    let at = usize::try_from(size).expect("small");
    for (index, entry) in log.entries.iter().enumerate().skip(at) {
        let Ok(Entry::Seal(signed)) = Entry::parse(entry) else { continue };
        let by_stolen_key = log::seal_by(signed.seal(), &log::log_key());
        replay(&[&log.entries[..index], &[by_stolen_key][..]].concat()).err().expect("the stolen log key");
        let of_old = Seal { origin: ORIGIN.to_owned(), ..signed.seal().clone() };
        let of_old = log::seal_by(&of_old, &log::next_log_key());
        replay(&[&log.entries[..index], &[of_old][..]].concat()).err().expect("a seal of the old origin");
    }
}

/// Goal: a succession is what is left when the approvers are gone: it needs no approvals, may change their policy, and
/// brings in nothing else.
#[test]
fn a_succession_needs_no_approvals() {
    let mut log = with_policy();
    let second = registry_key(1);
    let mut more = records(0, pb::RevocationReason::Compromised);
    more.extend(a_unit(2));
    assert_eq!(refused(&log, &signed(&log, more, &second)), Rule::Contradiction);
    let mut approved = signed(&log, records(0, pb::RevocationReason::Compromised), &second);
    approved.approvals = vec![pb::Approval { key_id: vec![1; 16], salt: vec![1; 16], ..Default::default() }];
    assert_eq!(refused(&log, &approved), Rule::Contradiction);
    let mut policed = records(0, pb::RevocationReason::Compromised);
    policed.push(policy(0));
    let draft = signed(&log, policed, &second);
    log.round(&[draft]);
    let draft = signed(&log, a_unit(2), &second);
    log.round(&[draft]);
    replay(&log.entries).expect("the log agrees with itself");
}
