//! Transcripts of a log that goes on under another origin: what a verifier takes, with an old trust file and a new one,
//! and what it refuses.

#![allow(clippy::assigning_clones, clippy::too_many_lines)] // Lists of cases.

use creditbank_protocol::key::{commitment, log_succession_message, sign};
use creditbank_protocol::note::{KeyType, VerifierKey};
use creditbank_protocol::pb;
use creditbank_protocol::transcript::{Current, Link, verify, write_file};
use creditbank_protocol::trust::{Trust, TrustError};
use prost::Message as _;
use serde_json::{Value, json};

use super::blocks::ORIGIN;
use super::log::{Bend, HONEST, LOG, Log, NEXT_LOG, NEXT_REGISTRY, NOW_MS, REGISTRY, policy, public};
use super::transcripts::{credit, sealed_anew};
use super::{agree, hex, key};

const SECOND: &str = "test.example/second";
const THIRD: &str = "test.example/third";
const SECOND_LOG: u8 = 44;
const THIRD_LOG: u8 = 45;
const THIEF: u8 = 66;

/// The size at which the first origin ends in most of these logs.
const CUT: u64 = 5;

/// A trust file, as far as it matters here: the policy and the former origins.
#[derive(Clone)]
struct Held {
    policy: String,
    former: Vec<(&'static str, u64)>,
}

impl Held {
    /// Of the beginning.
    fn old() -> Self {
        Self { policy: policy(), former: Vec::new() }
    }

    /// Of after the first succession.
    fn new() -> Self {
        Self::of(SECOND, SECOND_LOG, &[(ORIGIN, CUT)])
    }

    fn of(origin: &str, seed: u8, former: &[(&'static str, u64)]) -> Self {
        let key = VerifierKey::new(origin, KeyType::Log, public(seed)).expect("a key");
        Self { policy: format!("log {key}\nquorum none\n"), former: former.to_vec() }
    }

    fn trust(&self) -> Trust {
        Trust::parse(&self.text()).expect("a trust file")
    }

    fn text(&self) -> String {
        let former: Vec<String> =
            self.former.iter().map(|(origin, size)| format!("{{ origin = {origin:?}, size = {size} }}")).collect();
        format!(
            "log_key = {:?}\nregistry_key = {:?}\nnext_registry_key = {:?}\nformer = [{}]\npolicy = {:?}\n",
            hex(public(LOG)),
            hex(public(REGISTRY)),
            commitment(&public(NEXT_REGISTRY)).to_string(),
            former.join(", "),
            self.policy
        )
    }

    fn json(&self) -> Value {
        let former: Vec<Value> =
            self.former.iter().map(|(origin, size)| json!({ "origin": origin, "size": size })).collect();
        json!({ "policy": self.policy, "former": former })
    }
}

/// A record in entry 3; the first origin ends at 5, where the block of the succession is.
fn cut(bend: Bend, registrar: u8, said: impl FnOnce(&mut pb::LogSuccession)) -> Log {
    let mut log = Log::admitting(bend, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.registrar = registrar;
    log.succeed(SECOND_LOG, SECOND, said);
    log.registrar = REGISTRY;
    log.seal();
    log
}

/// And a record in entry 8.
fn gone_on(registrar: u8, said: impl FnOnce(&mut pb::LogSuccession)) -> Log {
    let mut log = cut(HONEST, registrar, said);
    log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
    log.seal();
    log
}

fn honest() -> Log {
    gone_on(REGISTRY, |_| ())
}

fn of_another() -> Log {
    gone_on(REGISTRY, |said| said.origin = "test.example/other".to_owned())
}

/// Once more at 10, and a record in entry 13.
fn twice() -> Log {
    let mut log = honest();
    log.succeed(THIRD_LOG, THIRD, |_| ());
    log.seal();
    log.issue(1, &[credit(3, "ALG-3", None)], Vec::new());
    log.seal();
    log
}

/// A log key that was named and had not begun when the log key in force was stolen: it never does.
fn never_begun() -> Log {
    let mut log = sealed_anew(HONEST, &[LOG, NEXT_LOG], 100);
    log.succeed(SECOND_LOG, SECOND, |_| ());
    log.seal();
    log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
    log.seal();
    log
}

/// A log of whoever has the old log key and the registry key: it goes on at the same size as the true one.
fn rival(origin: &str) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.succeed(THIEF, origin, |_| ());
    log.seal();
    log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
    log.seal();
    log
}

const BOTH: super::log::Shown<'static> = &[(3, 0, None), (8, 0, None)];
const FIRST: super::log::Shown<'static> = &[(3, 0, None)];

/// Name, trust file, transcript, and the name of the log that it proves.
fn held() -> Vec<(&'static str, Held, pb::Transcript, &'static str)> {
    let thrice: super::log::Shown<'_> = &[(3, 0, None), (8, 0, None), (13, 0, None)];
    let last = Held::of(THIRD, THIRD_LOG, &[(ORIGIN, CUT), (SECOND, 10)]);
    let before = || {
        let mut log = Log::admitting(HONEST, &[1]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        log.transcript(FIRST, &[])
    };
    vec![
        ("an old trust file follows", Held::old(), honest().transcript(BOTH, &[]), SECOND),
        ("the new trust file", Held::new(), honest().transcript(BOTH, &[]), SECOND),
        ("a record of before alone", Held::old(), honest().transcript(FIRST, &[]), SECOND),
        (
            "a statement of before, with a status of now",
            Held::old(),
            honest().transcript_as_of(CUT, FIRST, &[]),
            SECOND,
        ),
        ("the same under the new trust file", Held::new(), honest().transcript_as_of(CUT, FIRST, &[]), SECOND),
        ("a file of before under the new trust file", Held::new(), before(), ORIGIN),
        ("twice, from the first trust file", Held::old(), twice().transcript(thrice, &[]), THIRD),
        ("twice, from the second", Held::new(), twice().transcript(thrice, &[]), THIRD),
        ("twice, from the third", last.clone(), twice().transcript(thrice, &[]), THIRD),
        ("a file of between under the third", last, honest().transcript(BOTH, &[]), SECOND),
        (
            "a log key that had not begun never does",
            Held::old(),
            never_begun().transcript(&[(6, 0, None), (11, 0, None)], &[]),
            SECOND,
        ),
    ]
}

/// Lists of former origins that no trust file may have.
fn no_former() -> Vec<(&'static str, Vec<(&'static str, u64)>)> {
    vec![
        ("an origin twice", vec![(ORIGIN, CUT), (SECOND, 10), (ORIGIN, 15)]),
        ("an origin twice, one directly behind the other", vec![(ORIGIN, CUT), (ORIGIN, 10)]),
        ("a smaller size behind a larger one", vec![(ORIGIN, 10), (SECOND, CUT)]),
        ("one size twice", vec![(ORIGIN, CUT), (SECOND, CUT)]),
    ]
}

/// What a thief, an operator who errs, or a holder can try.
fn refused() -> Vec<(&'static str, Link, Held, pb::Transcript)> {
    let said = |about, bend: fn(&mut pb::LogSuccession)| {
        (about, Link::Publication, Held::old(), gone_on(REGISTRY, bend).transcript(BOTH, &[]))
    };
    let bent = |about, link, change: fn(&mut pb::TreeProofs)| {
        let mut transcript = honest().transcript(BOTH, &[]);
        change(transcript.base.as_mut().expect("a base"));
        change(transcript.status.as_mut().and_then(|status| status.proofs.as_mut()).expect("proofs"));
        (about, link, Held::old(), transcript)
    };
    // Entries that bear the other name.
    let old_block = {
        let mut log = cut(HONEST, REGISTRY, |_| ());
        log.borne = Some(ORIGIN);
        log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
        log.borne = None;
        log.seal();
        log
    };
    let old_seal = {
        let mut log = cut(HONEST, REGISTRY, |_| ());
        log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
        log.borne = Some(ORIGIN);
        log.seal();
        log.borne = None;
        log
    };
    let early = {
        let mut log = Log::admitting(HONEST, &[1]);
        log.borne = Some(SECOND);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.borne = None;
        log.seal();
        log.succeed(SECOND_LOG, SECOND, |_| ());
        log.seal();
        log
    };
    // The thief's own history under the old origin: two more rounds.
    let beyond = {
        let mut log = Log::admitting(HONEST, &[1]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
        log.seal();
        log
    };
    let by_stolen_key = {
        let mut log = honest();
        log.note_signers = vec![LOG];
        log
    };
    let rotated_rival = {
        let mut log = rival(SECOND);
        log.rotate(THIRD_LOG, 12);
        log.note_signers = vec![THIRD_LOG];
        log.issue(1, &[credit(3, "ALG-3", None)], Vec::new());
        log.seal();
        log
    };
    let by_retired_key = {
        let mut log = sealed_anew(HONEST, &[LOG, NEXT_LOG], 6);
        log.succeed(SECOND_LOG, SECOND, |said| {
            said.signature = sign(&key(SECOND_LOG), log_succession_message(said).as_bytes()).to_vec();
            said.former_signature = sign(&key(LOG), log_succession_message(said).as_bytes()).to_vec();
        });
        log.seal();
        log
    };
    let sealed_by_stolen_key = cut(Bend { seal_signer: Some(LOG), ..HONEST }, REGISTRY, |_| ());
    let elsewhere = Held::of(SECOND, SECOND_LOG, &[(ORIGIN, CUT + 2)]);
    vec![
        ("not by the registry key", Link::Publication, Held::old(), gone_on(THIEF, |_| ()).transcript(BOTH, &[])),
        ("by the stolen log key", Link::Publication, Held::old(), gone_on(LOG, |_| ()).transcript(BOTH, &[])),
        said("another root than the tree had", |said| said.root = vec![7; 32]),
        said("a smaller size", |said| said.size -= 2),
        said("a larger size", |said| said.size += 1),
        ("of another origin", Link::Checkpoint, Held::old(), of_another().transcript(BOTH, &[])),
        ("of another origin than the former one", Link::Publication, Held::new(), of_another().transcript(BOTH, &[])),
        said("to the same origin", |said| said.new_origin = ORIGIN.to_owned()),
        said("to the same log key", |said| {
            said.log_key = public(LOG).to_vec();
            said.signature = vec![1; 64];
        }),
        said("without a reason", |said| said.case_reference.clear()),
        said("not signed by the new log key", |said| said.signature = sign(&key(THIEF), b"").to_vec()),
        said("not signed by the old log key: a thief of the registry key alone", |said| {
            said.former_signature = sign(&key(SECOND_LOG), log_succession_message(said).as_bytes()).to_vec();
        }),
        said("with a signature of the old log key for another size", |said| {
            let other = pb::LogSuccession { size: said.size - 2, ..said.clone() };
            said.former_signature = sign(&key(LOG), log_succession_message(&other).as_bytes()).to_vec();
        }),
        (
            "signed by a retired log key",
            Link::Publication,
            Held::old(),
            by_retired_key.transcript(&[(6, 0, None)], &[]),
        ),
        (
            "to another origin than the policy names, by whoever has the old log key and the registry key",
            Link::Checkpoint,
            Held::new(),
            rival(THIRD).transcript(BOTH, &[]),
        ),
        (
            "to the origin that the policy names, with another log key",
            Link::Checkpoint,
            Held::new(),
            rival(SECOND).transcript(BOTH, &[]),
        ),
        (
            "the same, and a further log key that follows it",
            Link::Checkpoint,
            Held::new(),
            rotated_rival.transcript(&[(3, 0, None), (12, 0, None)], &[]),
        ),
        bent("without the succession", Link::Checkpoint, |part| part.log_keys.clear()),
        bent("a succession that its block does not have", Link::Publication, |part| {
            part.log_keys[0].path = vec![vec![7; 32]];
        }),
        bent("without the block of the succession", Link::Publication, |part| {
            part.blocks.retain(|block| block.index != CUT);
        }),
        bent("without the consistency path", Link::Publication, |part| part.log_keys[0].consistency.clear()),
        bent("a changed consistency path", Link::Publication, |part| part.log_keys[0].consistency[0][0] ^= 1),
        ("a block of the old origin beyond its size", Link::Block, Held::old(), old_block.transcript(BOTH, &[])),
        ("a seal of the old origin beyond its size", Link::Seal, Held::old(), old_seal.transcript(BOTH, &[])),
        ("a block of the new origin below the size", Link::Block, Held::old(), early.transcript(FIRST, &[])),
        (
            "a checkpoint of the old origin beyond the pinned size",
            Link::Checkpoint,
            Held::new(),
            beyond.transcript(&[(3, 0, None), (5, 0, None)], &[]),
        ),
        (
            "a succession at another size than the pinned one",
            Link::Checkpoint,
            elsewhere,
            honest().transcript(BOTH, &[]),
        ),
        (
            "a checkpoint of the new origin by the stolen log key",
            Link::Checkpoint,
            Held::old(),
            by_stolen_key.transcript(BOTH, &[]),
        ),
        (
            "a seal of the new origin by the stolen log key",
            Link::Seal,
            Held::old(),
            sealed_by_stolen_key.transcript(FIRST, &[]),
        ),
    ]
}

#[test]
fn successions() {
    let hold: Vec<Value> = held()
        .into_iter()
        .map(|(about, held, transcript, origin)| {
            let file = write_file(&transcript).expect("a file");
            let report = verify(&file, &held.trust(), NOW_MS).unwrap_or_else(|error| panic!("{about}: {error}"));
            assert_eq!(report.origin, origin, "{about}");
            let state = report.currency.state;
            let is_former = held.former.iter().any(|(former, _)| *former == origin);
            assert_eq!(state == Current::Stale, is_former, "{about}: {state}");
            let records: Vec<u64> = report.records.iter().map(|record| record.place.entry.0).collect();
            json!({
                "about": about, "trust": held.json(), "origin": origin, "size": report.size, "entries": records,
                "current": state.name(), "file": hex(&file),
            })
        })
        .collect();
    let no_former: Vec<Value> = no_former()
        .into_iter()
        .map(|(about, former)| {
            let held = Held { former, ..Held::new() };
            assert_eq!(Trust::parse(&held.text()).map(|_| ()).expect_err(about), TrustError::Former, "{about}");
            json!({ "about": about, "former": held.json()["former"] })
        })
        .collect();
    let refused: Vec<Value> = refused()
        .into_iter()
        .map(|(about, link, held, transcript)| {
            let file = super::refused_transcripts::raw(&transcript.encode_to_vec());
            let error = verify(&file, &held.trust(), NOW_MS).map(|_| ()).expect_err(about);
            assert_eq!(error.link, link, "{about}: {error}");
            let link = format!("{link:?}").to_lowercase();
            json!({ "about": about, "trust": held.json(), "link": link, "file": hex(&file) })
        })
        .collect();
    agree(
        "successions.json",
        &json!({
            "about": "PROTOCOL.md, Succession of the log: transcripts under an old trust file and under new ones, and \
                      those that a verifier refuses, with the first broken link. Hexadecimal.",
            "log_key": hex(public(LOG)), "registry_key": hex(public(REGISTRY)),
            "next_registry_key": commitment(&public(NEXT_REGISTRY)).to_string(), "now_ms": NOW_MS, "hold": hold, "refused": refused,
            "former_refused": no_former,
        }),
    );
}
