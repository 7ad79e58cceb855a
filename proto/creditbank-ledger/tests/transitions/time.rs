//! Goal: a log that was sealed under a clock that was ahead goes on from a bound, once, by two persons, and no further
//! back than where it was right.

use creditbank_ledger::state::{LogState, Parts, Refusal, SealRefusal};
use creditbank_protocol::UnitId;
use creditbank_protocol::once::VALID_MINUTES_MAX;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_rules::Rule;

use crate::fields;
use crate::log::{Draft, Log, ONE, TWO, apply, credit, keys, registry_record, replay, unit};
use crate::operator::{approved_for, approver, refused};

const DAY_MS: u64 = 86_400_000;

/// A log whose last two rounds were sealed 400 days ahead: what is right, and the correction.
fn ahead() -> (Log, u64, pb::TimeCorrection) {
    let mut log = Log::new();
    let admit = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Key, &approver(51))], Vec::new());
    log.round(&[admit]);
    log.issue(ONE, &[1]);
    let right_ms = log.time_ms;
    log.time_ms += 400 * DAY_MS;
    log.issue(ONE, &[2]);
    let first = log.state.last_seal().expect("a seal").index.0;
    log.issue(TWO, &[3]);
    let last = log.state.last_seal().expect("a seal");
    log.time_ms = last.time_ms;
    (log, right_ms, pb::TimeCorrection { first, last: last.index.0, bound_ms: right_ms + 60_000 })
}

/// The operator's next block, made at a time and approved then.
fn made_at(log: &Log, time_ms: u64, records: Vec<Record>) -> Draft {
    approved_for(VALID_MINUTES_MAX, &Log { time_ms, ..log.clone() }, records, &[51])
}

fn correcting(log: &Log, said: &pb::TimeCorrection) -> Draft {
    made_at(log, said.bound_ms, vec![registry_record(Kind::TimeCorrection, said)])
}

/// A log that is corrected.
fn corrected() -> (Log, pb::TimeCorrection) {
    let (mut log, _, said) = ahead();
    let block = correcting(&log, &said);
    log.round(&[block]);
    log.time_ms = said.bound_ms;
    (log, said)
}

/// Goal: before the correction no seal goes back; behind it the log goes on from the bound, and so do chains whose last
/// block was made under the wrong clock. A replay, and a state that was stored, come to the same.
#[test]
fn the_log_goes_on_from_the_bound() {
    let (log, right_ms, said) = ahead();
    let wrong_ms = log.time_ms;
    assert_eq!(log.state.earliest_ms(), wrong_ms);
    let block = log.draft(ONE, vec![credit(4)], Vec::new());
    let back = Log { time_ms: said.bound_ms, ..log.clone() }.state.open(said.bound_ms).draft_seal();
    assert!(matches!(log.state.open_for(&back, 0, None), Err(SealRefusal::Time { .. })));
    let mut early = block;
    early.header.created_at_minute = right_ms / 60_000;
    assert!(matches!(log.state.open(wrong_ms).check(&early.read()), Err(Refusal::Chain(_))));

    let (mut log, said) = corrected();
    assert_eq!(log.state.last_seal().expect("a seal").time_ms, wrong_ms);
    assert_eq!(log.state.earliest_ms(), said.bound_ms);
    let stored = Parts {
        frontier: log.state.frontier().clone(),
        chains: log.state.chains().clone(),
        in_force: log.state.in_force().clone(),
        marks: log.state.marks().clone(),
        once: log.state.once().clone(),
        last_seal: log.state.last_seal(),
    };
    assert_eq!(LogState::restore(keys(), stored).earliest_ms(), said.bound_ms);
    let early = log.state.open(said.bound_ms - 1).draft_seal();
    let refused = log.state.open_for(&early, 0, None).map(|_| ()).expect_err("below the bound");
    assert_eq!(refused, SealRefusal::Time { min: said.bound_ms, found: said.bound_ms - 1 });
    for unit in [ONE, TWO] {
        log.issue(unit, &[5]);
    }
    assert!(log.state.last_seal().expect("a seal").time_ms < wrong_ms);
    let replayed = replay(&log.entries).expect("the log agrees with itself");
    assert_eq!(fields(replayed.state()), fields(&log.state));
    // It is done once: what it has corrected is no longer the end of the log.
    let later = pb::TimeCorrection { bound_ms: said.bound_ms + 120_000, ..said };
    assert_eq!(refused_at(&log, later.bound_ms, &correcting(&log, &later)), Rule::Contradiction);
}

fn refused_at(log: &Log, time_ms: u64, draft: &Draft) -> Rule {
    refused(&Log { time_ms, ..log.clone() }, draft)
}

/// Goal: a correction needs a second person, whatever the policy; it stands alone in its block and in its round, names
/// the log's last seal, and is sealed at that one's time.
#[test]
fn a_correction_stands_alone() {
    let (log, _, said) = ahead();
    let good = || correcting(&log, &said);
    apply(&mut log.state.open(log.time_ms), &good().read()).expect("it follows");
    let mut alone = good();
    alone.approvals.clear();
    assert_eq!(refused(&log, &alone), Rule::ApprovalMissing);
    let entry = |said: &pb::TimeCorrection| registry_record(Kind::TimeCorrection, said);
    let other = registry_record(Kind::Unit, &unit(1, 2));
    for (time_ms, records) in
        [(said.bound_ms, vec![entry(&said), other.clone()]), (log.time_ms, vec![other.clone(), entry(&said)])]
    {
        assert_eq!(refused(&log, &made_at(&log, time_ms, records)), Rule::Contradiction);
    }
    let wrong_ms = log.time_ms;
    for bad in [
        pb::TimeCorrection { last: said.first, ..said },
        pb::TimeCorrection { last: said.last + 1, ..said },
        pb::TimeCorrection { first: said.last + 1, ..said },
    ] {
        assert_eq!(refused(&log, &correcting(&log, &bad)), Rule::Contradiction, "{bad:?}");
    }
    let late = pb::TimeCorrection { bound_ms: wrong_ms, ..said };
    assert_eq!(refused(&log, &correcting(&log, &late)), Rule::Contradiction, "nothing is wrong by then");
    assert_eq!(refused_at(&log, wrong_ms + 1, &good()), Rule::Contradiction, "sealed at another time");
    // Neither behind another block of the round nor before one.
    let mut round = log.state.open(wrong_ms);
    apply(&mut round, &log.draft(ONE, vec![credit(9)], Vec::new()).read()).expect("it follows");
    assert!(apply(&mut round, &good().read()).is_err());
    let mut round = log.state.open(wrong_ms);
    apply(&mut round, &good().read()).expect("it follows");
    assert!(apply(&mut round, &log.draft(ONE, vec![credit(9)], Vec::new()).read()).is_err());
}

/// Goal: the bound is not before the seal before the first wrong one, and the first wrong one is a seal: a log whose
/// node did not look is found by every replay.
#[test]
fn no_correction_reaches_further_back() {
    let (log, right_ms, said) = ahead();
    let found = |said: &pb::TimeCorrection| {
        let mut log = log.clone();
        let block = correcting(&log, said);
        log.round(&[block]);
        replay(&log.entries).err().map(|found| found.what)
    };
    // The seal before the first wrong one is a second older than `right_ms`.
    assert_eq!(found(&pb::TimeCorrection { bound_ms: right_ms - 1_000, ..said }), None);
    assert_eq!(found(&pb::TimeCorrection { bound_ms: right_ms - 1_001, ..said }).as_deref(), Some("CONTRADICTION"));
    assert_eq!(found(&pb::TimeCorrection { first: said.first - 1, ..said }).as_deref(), Some("CONTRADICTION"));
    // A later correction begins behind an earlier one, and goes no lower than that one's bound.
    let (mut log, said) = corrected();
    log.time_ms += 500 * DAY_MS;
    log.round(&[]);
    let last = log.state.last_seal().expect("a seal");
    log.time_ms = last.time_ms;
    let second = |first, bound_ms| pb::TimeCorrection { first, last: last.index.0, bound_ms };
    let overlapping = second(said.last + 3, said.bound_ms + 120_000);
    assert_eq!(refused(&log, &correcting(&log, &overlapping)), Rule::Contradiction);
    let replayed = |said: &pb::TimeCorrection| {
        let mut log = log.clone();
        let block = correcting(&log, said);
        log.round(&[block]);
        replay(&log.entries).err().map(|found| found.what)
    };
    assert_eq!(replayed(&second(last.index.0, said.bound_ms)), None);
    assert_eq!(replayed(&second(last.index.0, said.bound_ms - 1)).as_deref(), Some("CONTRADICTION"));
}

/// Goal: what was used before a correction stays used behind it, also where the correction takes seals in that were
/// right, and whatever the clock said in between.
#[test]
fn nothing_is_used_twice_across_a_correction() {
    let mut log = Log::new();
    let admit = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Key, &approver(51))], Vec::new());
    log.round(&[admit]);
    let bound_ms = log.time_ms;
    // Used five minutes after the bound that the operator will say, with a right clock.
    log.time_ms += 5 * 60_000;
    let entry = |number| registry_record(Kind::Unit, &unit(1, number));
    let used = made_at(&log, log.time_ms, vec![entry(2)]);
    log.round(std::slice::from_ref(&used));
    let first = log.state.last_seal().expect("a seal").index.0;
    log.time_ms += 400 * DAY_MS;
    log.round(&[]);
    let last = log.state.last_seal().expect("a seal");
    log.time_ms = last.time_ms;
    let said = pb::TimeCorrection { first, last: last.index.0, bound_ms };
    let block = correcting(&log, &said);
    log.round(&[block]);
    log.time_ms = bound_ms + 10 * 60_000;
    let mut again = made_at(&log, log.time_ms, vec![entry(2)]);
    again.header.operation_id = used.header.operation_id;
    again.approvals = used.approvals.clone();
    assert_eq!(refused(&log, &again), Rule::ApprovalUsed);
    // Another one counts at once, for as long as ever.
    let good = made_at(&log, log.time_ms, vec![entry(3)]);
    apply(&mut log.state.open(log.time_ms), &good.read()).expect("it follows");
}
