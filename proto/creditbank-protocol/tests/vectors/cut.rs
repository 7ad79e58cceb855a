//! Transcripts that their holder cuts down.

use std::collections::BTreeSet;

use creditbank_protocol::Place;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, Action};
use creditbank_protocol::transcript::{CutError, cut, open_file, verify, write_file};

use super::log::{HONEST, Log, NEXT_REGISTRY, NOW_MS, REGISTRY, trust};
use super::transcripts::{credit, result, rotated};

/// Three records of two institutions and two rounds, of which one was taken back.
fn log() -> Log {
    let mut log = Log::admitting(HONEST, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2)], Vec::new());
    log.issue(2, &[credit(3, "ALG-1", None)], Vec::new());
    log.seal();
    let revoked = log.effect(3, 1, Action::Revoke);
    log.issue(1, &[], vec![revoked]);
    log.seal();
    log
}

const ALL: super::log::Shown<'static> = &[(3, 0, None), (3, 1, None), (4, 0, None)];

/// Goal: whoever holds a transcript can leave out any of its records; what is left verifies, has nothing that only the
/// others needed, and is what the node would have made of the same records.
#[test]
fn any_records_can_be_cut_out() {
    let log = log();
    let whole = write_file(&log.transcript(ALL, &[])).expect("a file");
    let ids = [log.id(3, 0), log.id(3, 1), log.id(4, 0)];
    for kept in 0..8usize {
        let is_kept = |at: &usize| kept >> at & 1 == 1;
        let shown: Vec<_> = (0..3).filter(is_kept).map(|at| ALL[at]).collect();
        let withheld: Vec<_> = (0..3).filter(|at| !is_kept(at)).map(|at| ids[at]).collect();
        let keep: BTreeSet<Place> = shown.iter().map(|(entry, index, _)| Place::new(*entry, *index)).collect();
        let left = cut(&whole, &keep, &trust(), NOW_MS).expect("it can be cut");
        let report = verify(&left, &trust(), NOW_MS).expect("what is left verifies");
        assert_eq!((report.records.len(), report.statement.is_whole), (shown.len(), false));
        // The padding is not opened by a cut, whatever it leaves out. The statement has them in another order of
        // records.
        let mut expected = log.transcript(&shown, &withheld);
        expected.padding_seed.clear();
        let found = open_file(&left).expect("a file");
        assert_eq!((&found.base, &found.status, &found.records), (&expected.base, &expected.status, &expected.records));
        assert_eq!((found.salts, found.statement), (expected.salts, expected.statement), "{kept:b}");
    }
}

/// Goal: records of any round can be left out, also of the newest one, and also where another registry key has taken
/// over: what the others need stays.
#[test]
fn records_of_any_round_can_be_cut_out() {
    let mut log = rotated(REGISTRY, NEXT_REGISTRY, |_| ());
    for seed in [2, 3] {
        log.issue(1, &[credit(seed, "ALG-2", None)], Vec::new());
        log.seal();
    }
    let all: [(u64, u32, Option<&[u16]>); 3] = [(6, 0, None), (8, 0, None), (10, 0, None)];
    let whole = write_file(&log.transcript(&all, &[])).expect("a file");
    for kept in 1..8usize {
        let shown: Vec<_> = (0..3).filter(|at| kept >> at & 1 == 1).map(|at| all[at]).collect();
        let keep: BTreeSet<Place> = shown.iter().map(|(entry, index, _)| Place::new(*entry, *index)).collect();
        let left = cut(&whole, &keep, &trust(), NOW_MS).expect("it can be cut");
        let report = verify(&left, &trust(), NOW_MS).expect("what is left verifies");
        let places: BTreeSet<Place> = report.records.iter().map(|record| record.place).collect();
        assert_eq!((places, report.statement.is_whole), (keep, false), "{kept:b}");
        let withheld: Vec<_> =
            all.iter().filter(|one| !shown.contains(one)).map(|(entry, ..)| log.id(*entry, 0)).collect();
        let expected = log.transcript(&shown, &withheld);
        let found = open_file(&left).expect("a file");
        assert_eq!((found.base, found.status), (expected.base, expected.status), "{kept:b}");
    }
}

/// Goal: how many records a statement is about does not show: up to 16 of them look alike.
#[test]
fn the_number_of_withheld_records_does_not_show() {
    let mut log = Log::admitting(HONEST, &[1]);
    let records: Vec<_> = (0..17).map(|seed| credit(seed + 1, "ALG-1", None)).collect();
    log.issue(1, &records, Vec::new());
    log.seal();
    let ids: Vec<_> = (1..17).map(|index| log.id(3, index)).collect();
    let commitments = |withheld: usize| {
        let transcript = log.transcript(&[(3, 0, None)], &ids[..withheld]);
        let said: pb::SubjectStatement = decode(&transcript.statement).expect("a statement");
        assert!(said.commitments.is_sorted());
        said.commitments.len()
    };
    assert_eq!([0, 1, 15, 16].map(commitments), [16, 16, 16, 32]);
}

/// Goal: what is not there cannot be kept.
#[test]
fn a_record_that_is_not_there_cannot_be_kept() {
    let whole = write_file(&log().transcript(ALL, &[])).expect("a file");
    let missing = Place::new(9, 0);
    assert_eq!(cut(&whole, &BTreeSet::from([missing]), &trust(), NOW_MS), Err(CutError::Missing(missing)));
    assert!(cut(&whole[1..], &BTreeSet::new(), &trust(), NOW_MS).is_err());
}
