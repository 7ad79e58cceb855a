//! Goal: one block after the other moves a log on, whole or not at all, and says what it has changed.

mod log;
#[path = "transitions/operator.rs"]
mod operator;
#[path = "transitions/time.rs"]
mod time;

use creditbank_ledger::state::{
    ChainError, LogState, Parts, ReadBlock, Refusal, RegistryVersions, SealRefusal, Shared,
};
use creditbank_protocol::approval::approval_digest;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::merkle::{StoredNode, leaf_hash};
use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::seal::Seal;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{Digest, LogIndex, Place, UnitId};
use creditbank_rules::Rule;
use creditbank_rules::once::Once;

use log::{Draft, Log, NOW_MS, ONE, TWO, apply, credit, keys, registry_record, seal, unit};

/// Everything that a state says, to compare one with another.
fn fields(state: &LogState) -> impl PartialEq + std::fmt::Debug + use<> {
    let chains: Vec<_> = state.chains().iter().map(|(unit, head)| (*unit, *head)).collect();
    let marks: Vec<_> = state.marks().iter().map(|(id, said)| (*id, *said)).collect();
    let used: Vec<_> = state.once().iter().collect();
    let roots = (state.root(), state.status().root(), state.in_force().map.root());
    let sizes = (state.size(), state.status().len(), state.in_force().map.len());
    let registry = format!("{:?}", state.in_force().registry);
    ((state.keys().clone(), state.genesis(), state.last_seal()), (chains, marks, used), (roots, sizes, registry))
}

/// A log in which something was said of everything: two units, a revocation, a review that was closed.
fn eventful() -> Log {
    let mut log = Log::new();
    let (first, second) = (log.issue(ONE, &[1, 2]), log.issue(TWO, &[3]));
    let revoke = log.draft(ONE, vec![credit(4)], vec![log.effect(first, 1, Action::Revoke)]);
    let review = log.draft(TWO, Vec::new(), vec![log.effect(second, 3, Action::Review)]);
    log.round(&[revoke, review]);
    let closed = log.draft(TWO, Vec::new(), vec![log.effect(second, 3, Action::CloseReview)]);
    log.round(&[closed]);
    log.round(&[]);
    let admit = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(2, 2))], Vec::new());
    log.round(&[admit]);
    log
}

#[test]
fn a_block_says_what_it_has_changed() {
    let mut log = Log::new();
    assert_eq!((log.state.size(), log.state.records_total()), (3, 8));
    let begun = log.state.chain(ONE).expect("the first block admits the unit");
    assert_eq!((begun.next_height, begun.previous, begun.entry), (0, leaf_hash(&log.entries[0]), LogIndex(0)));

    let place = log.issue(ONE, &[1, 2]);
    assert_eq!(place, Place::new(3, 0));
    let block = log.draft(ONE, vec![credit(5)], vec![log.effect(place, 1, Action::Revoke)]);
    let id = block.read().id();
    let (applied, closed) = log.round(&[block]);
    let [applied] = &applied[..] else { panic!("one block") };
    let (unit, head) = applied.chain;
    assert_eq!((unit, head.next_height, head.previous, head.entry), (ONE, 2, id, LogIndex(5)));
    assert_eq!((applied.entry, applied.records, applied.begun.len(), applied.written.len()), (LogIndex(5), 1, 0, 0));
    let [change] = &applied.marks[..] else { panic!("one effect") };
    assert_eq!((change.place, change.action), (Some(place), Action::Revoke));
    assert!(change.before.is_empty() && change.after.get(Mark::Revoked) == Some(LogIndex(5)));
    assert_eq!(log.state.marks_of(&change.status_id), change.after);
    // The head completes a pair, and its public part is a leaf alone; so the seal completes two pairs.
    let [head_leaf, part_leaf] = [5, 6].map(|at| leaf_hash(&log.entries[at]));
    assert_eq!(applied.nodes.len(), 3);
    assert_eq!(applied.nodes[0], StoredNode { level: 0, index: 5, hash: head_leaf });
    assert_eq!(applied.nodes[2], StoredNode { level: 0, index: 6, hash: part_leaf });
    assert_eq!(closed.nodes.len(), 4);
    assert_eq!(closed.chains, [(ONE, head)]);
    assert_eq!((closed.seal.index, closed.seal.records_total), (LogIndex(7), 11));
    assert_eq!(log.state.status().len(), 1);
}

/// Goal: what is undone leaves no leaf in the status tree, and the status id is remembered.
#[test]
fn a_mark_that_is_cleared_leaves_the_tree() {
    let mut log = Log::new();
    let before = log.state.status().root();
    let place = log.issue(ONE, &[1]);
    let review = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Review)]);
    log.round(&[review]);
    assert_ne!(log.state.status().root(), before);
    let closed = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::CloseReview)]);
    log.round(&[closed]);
    assert_eq!((log.state.status().root(), log.state.marks().size()), (before, 1));
}

/// Goal: registry records act from the next round on, and each version stays known by the log indexes of its rounds.
#[test]
fn registry_records_act_from_the_next_round_on() {
    let mut log = Log::new();
    let mut versions = RegistryVersions::new(&keys());
    let (empty, founded) = (LogState::new(keys()), log.state.clone());
    let unit_3 = UnitId::new(1, 3);
    let admit = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(1, 3))], Vec::new());
    let (applied, closed) = log.round(&[admit]);
    assert_eq!(applied[0].begun.iter().map(|(unit, _)| *unit).collect::<Vec<_>>(), [unit_3]);
    assert_eq!(closed.written[0].place, Place::new(3, 0));
    assert_eq!(closed.written[0].entry.place, Place::new(3, 0).written());
    assert!(founded.in_force().registry.unit(unit_3).is_none() && log.state.in_force().registry.unit(unit_3).is_some());

    versions.push(LogIndex(2), founded.in_force(), Vec::new());
    versions.push(closed.seal.index, log.state.in_force(), closed.written);
    let root = |index: u64| versions.at(LogIndex(index)).map.root();
    assert_eq!([0, 1, 2].map(root), [empty.in_force().map.root(); 3]);
    assert_eq!([3, 4, 5].map(root), [founded.in_force().map.root(); 3]);
    assert_eq!([6, 900].map(root), [log.state.in_force().map.root(); 2]);
    assert_eq!((versions.len(), versions.newest().entries.size()), (3, 1));
}

/// Goal: a chain goes on where it is, at a time near its seal, and only of a unit that is admitted.
#[test]
fn a_block_that_is_not_the_next_of_its_chain_is_refused() {
    let log = Log::new();
    let round = log.state.open(log.time_ms);
    let refused = |change: &dyn Fn(&mut Draft)| {
        let mut block = log.draft(ONE, vec![credit(1)], Vec::new());
        change(&mut block);
        round.check(&block.read()).map(|_| ()).expect_err("it does not follow")
    };
    let head = log.state.chain(ONE).expect("a chain");
    let minute = log.time_ms / 60_000;
    let chain = |change: &dyn Fn(&mut Draft)| match refused(change) {
        Refusal::Chain(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(chain(&|block| block.header.height = 1), ChainError::Height { expected: 0, found: 1 });
    let other = Digest([9; 32]);
    let wrong = ChainError::Previous { expected: head.previous, found: other };
    assert_eq!(chain(&|block| block.header.previous = other), wrong);
    for found in [minute - 1_441, minute + 1_441] {
        let wrong = ChainError::CreatedAt { min: minute - 1_440, max: minute + 1_440, found };
        assert_eq!(chain(&|block| block.header.created_at_minute = found), wrong);
    }
    for (unit, institution_known) in [(UnitId::new(1, 9), true), (UnitId::new(9, 1), false)] {
        let wrong = ChainError::UnknownUnit { unit, institution_known };
        let change = |block: &mut Draft| {
            block.header.unit = unit;
        };
        assert_eq!(chain(&change), wrong);
    }
    let origin = refused(&|block| "other.example/log".clone_into(&mut block.header.origin));
    assert!(matches!(origin, Refusal::Origin { .. }), "{origin}");
}

/// Goal: the operator's first block is signed by the key that the log is bound to, each later one by a registry key in
/// force.
#[test]
fn the_operators_key_is_in_force() {
    let log = Log::new();
    let refused = |state: &LogState, block: &Draft| match state.open(NOW_MS).check(&block.read()) {
        Err(Refusal::OperatorKey(rejection)) => rejection.rule,
        other => panic!("{other:?}"),
    };
    let empty = Log { state: LogState::new(keys()), entries: Vec::new(), time_ms: NOW_MS };
    for (log, rule) in [(&empty, Rule::UnknownKey), (&log, Rule::NotTheOperator)] {
        let mut block = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(1, 2))], Vec::new());
        block.key = log::key_of(1);
        block.header.key_id = creditbank_protocol::key::KeyId::of(&block.key.verifying_key().to_bytes());
        assert_eq!(refused(&log.state, &block), rule);
    }
}

/// Goal: a refused block leaves the round as it was, whatever of it would have been good.
#[test]
fn a_refused_block_changes_nothing() {
    let mut log = Log::new();
    let place = log.issue(ONE, &[1, 2]);
    let revoke = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Revoke)]);
    log.round(&[revoke]);
    let unit_record = |number| registry_record(Kind::Unit, &unit(1, number));
    let bad_unit = registry_record(Kind::Unit, &unit(77, 1));
    let operator = UnitId::OPERATOR;
    let bad: Vec<(Draft, &str)> = vec![
        (log.draft(ONE, vec![credit(3)], vec![log.effect(place, 1, Action::Revoke)]), "Marks"),
        (log.draft(operator, vec![unit_record(2), bad_unit], none_groups()), "Rule"),
        (log.draft(operator, vec![], none_groups()), "Empty"),
        (log.draft(operator, vec![unit_record(2), credit(3)], none_groups()), "NotTheOperator"),
        (log.draft(ONE, vec![unit_record(2)], none_groups()), "Rule"),
    ];
    let mut round = log.state.open(log.time_ms);
    let before = (fields(round.state()), round.draft_seal());
    for (block, what) in &bad {
        let refusal = apply(&mut round, &block.read()).expect_err("it does not follow");
        assert!(format!("{refusal:?}").contains(what), "{refusal:?}: expected {what}");
        assert!((fields(round.state()), round.draft_seal()) == before, "{what}");
    }
    // And a good one follows all the same.
    apply(&mut round, &log.draft(ONE, vec![credit(9)], none_groups()).read()).expect("it follows");
}

fn none_groups() -> Vec<creditbank_protocol::pb::EffectGroup> {
    Vec::new()
}

/// Goal: a seal that says anything else than what the round comes to does not close it.
#[test]
fn a_seal_says_what_the_round_comes_to() {
    let log = eventful();
    let place = Place::new(3, 1);
    let block = log.draft(ONE, vec![credit(8)], vec![log.effect(place, 2, Action::Review)]).read();
    let open = || {
        let mut round = log.state.open(log.time_ms);
        apply(&mut round, &block).expect("it follows");
        round
    };
    let honest = open().draft_seal();
    let close = |lie: &Seal| {
        let bytes = seal(lie);
        let Ok(Entry::Seal(signed)) = Entry::parse(&bytes) else { panic!("a seal") };
        open().close(&signed, leaf_hash(&bytes)).map(|_| ())
    };
    close(&honest).expect("the honest seal");
    let other = Digest([9; 32]);
    let lies: [(Seal, &str); 10] = [
        (Seal { origin: "other.example/log".to_owned(), ..honest.clone() }, "Origin"),
        (Seal { index: honest.index.next(), ..honest.clone() }, "Index"),
        (Seal { first_index: honest.first_index.next(), ..honest.clone() }, "FirstIndex"),
        (Seal { rules_version: honest.rules_version + 1, ..honest.clone() }, "RulesVersion"),
        (Seal { previous: other, ..honest.clone() }, "Previous"),
        (Seal { time_ms: honest.time_ms - 1, ..honest.clone() }, "Time"),
        (Seal { time_ms: honest.time_ms + 1, ..honest.clone() }, "Time"),
        (Seal { registry_root: other, ..honest.clone() }, "RegistryRoot"),
        (Seal { status_root: other, ..honest.clone() }, "StatusRoot"),
        (Seal { records_total: honest.records_total + 1, ..honest.clone() }, "RecordsTotal"),
    ];
    for (lie, what) in lies {
        let refusal = close(&lie).expect_err(what);
        assert!(format!("{refusal:?}").starts_with(what), "{refusal:?}: expected {what}");
    }
    let back = Seal { time_ms: 1, ..honest.clone() };
    let refusal = log.state.open_for(&back, 2, None).map(|_| ()).expect_err("back in time");
    assert_eq!(refusal, SealRefusal::Time { min: log.time_ms - 1_000, found: 1 });
    log.state.open_for(&honest, 2, None).expect("the honest seal");
}

/// Goal: what a block has used up is part of the state for ever, also long after it has ended, and is said with the
/// block, so that it can be stored.
#[test]
fn a_use_is_remembered_for_ever() {
    const DAY_MS: u64 = 86_400_000;
    let log = Log::new();
    let draft = log.draft(ONE, vec![credit(1)], Vec::new());
    let approval = pb::Approval { key_id: vec![1; 16], signature: vec![1; 64], until_minute: 1, salt: vec![2; 16] };
    let signed = draft.header.sign(&draft.records, Vec::new(), Some(approval.clone()), |_| [1; 64]).expect("a block");
    let signed = SignedBlock::parse(&signed).expect("a block");
    let leaf = leaf_hash(&BlockEntries::of(&signed).head);
    let block = ReadBlock::public(signed, leaf, None);
    let digest = approval_digest(block.block().header(), &approval);
    let mut round = log.state.open(log.time_ms);
    assert!(!round.facts(&block, &[]).once.is_used(&digest));
    let applied = apply(&mut round, &block).expect("it follows");
    assert_eq!(applied.used, [digest]);
    assert!(round.facts(&block, &[]).once.is_used(&digest), "within the round");
    assert!(!log.state.once().is_used(&digest), "the round before stays as it was");
    let close = |round: &mut creditbank_ledger::state::OpenRound| {
        let entry = seal(&round.draft_seal());
        let Ok(Entry::Seal(signed)) = Entry::parse(&entry) else { panic!("a seal") };
        (signed, leaf_hash(&entry))
    };
    let (signed, leaf) = close(&mut round);
    let mut state = round.close(&signed, leaf).expect("the seal closes the round").state;
    for after_ms in [0, 30 * DAY_MS, 4_000 * DAY_MS] {
        let mut round = state.open(log.time_ms + after_ms);
        let (signed, leaf) = close(&mut round);
        state = round.close(&signed, leaf).expect("an empty round").state;
        assert!(state.once().is_used(&digest), "{after_ms} ms after the block");
    }
}

/// Goal: a mandate that a block states is used once for whoever replays the log without its records: a second block
/// that
/// states it is a contradiction, and so is a group that states nothing.
#[test]
fn a_mandate_is_used_once_in_a_replay() {
    let stating = |mandate_digest: Vec<u8>| {
        let basis = pb::Basis::Mandate.into();
        let authority = Some(pb::Authority { basis, mandate_digest, ..Default::default() });
        pb::EffectGroup { authority, effects: Vec::new() }
    };
    let mut log = Log::new();
    let first = log.draft(ONE, vec![credit(1)], vec![stating(vec![7; 32]), stating(vec![8; 32])]);
    log.round(&[first]);
    log::replay(&log.entries).expect("each is stated once");
    for (digest, rule) in [(vec![8; 32], Rule::MandateUsed), (Vec::new(), Rule::NotAuthorised)] {
        for unit in [ONE, TWO] {
            let mut log = log.clone();
            let second = log.draft(unit, vec![credit(2)], vec![stating(digest.clone())]);
            log.round(&[second]);
            let found = log::replay(&log.entries).map(|_| ()).expect_err("a second use");
            assert_eq!(found.what, rule.name(), "{found}");
        }
    }
}

/// Goal: a state that is restored from what was stored is the one that the entries come to, field by field, and goes on
/// alike.
#[test]
fn a_restored_state_is_the_replayed_one() {
    let log = eventful();
    let replayed = log::replay(&log.entries).expect("an honest log");
    let parts = Parts {
        frontier: log.state.frontier().clone(),
        chains: log.state.chains().clone(),
        in_force: log.state.in_force().clone(),
        marks: log.state.marks().clone(),
        once: log.state.once().clone(),
        last_seal: log.state.last_seal(),
    };
    let restored = LogState::restore(keys(), parts);
    assert_eq!(fields(&restored), fields(replayed.state()));
    assert_eq!(fields(&restored), fields(&log.state));

    let (mut one, mut other) = (log.clone(), Log { state: restored, ..log.clone() });
    for log in [&mut one, &mut other] {
        log.issue(UnitId::new(1, 1), &[11]);
    }
    assert_eq!(one.entries, other.entries);
    assert_eq!(fields(&one.state), fields(&other.state));
    let nothing = Parts {
        frontier: LogState::new(keys()).frontier().clone(),
        chains: Shared::new_sync(),
        in_force: LogState::new(keys()).in_force().clone(),
        marks: Shared::new_sync(),
        once: Once::default(),
        last_seal: None,
    };
    assert_eq!(fields(&LogState::restore(keys(), nothing)), fields(&LogState::new(keys())));
}
