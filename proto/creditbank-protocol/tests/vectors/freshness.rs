//! How old a transcript is for a verifier, and whether it can be relied on.

use creditbank_protocol::key::commitment;
use creditbank_protocol::note::{KeyType, Policy, VerifierKey, cosign};
use creditbank_protocol::pb::{self, Action};
use creditbank_protocol::transcript::{Reliance, verify, write_file};
use creditbank_protocol::trust::Freshness;
use creditbank_protocol::{InstitutionId, Trust};
use serde_json::{Value, json};

use super::log::{HONEST, LOG, Log, MINUTE, NEXT_REGISTRY, REGISTRY, policy, public, trust};
use super::transcripts::credit;
use super::{agree, hex, key};

const HOUR_MS: u64 = 3_600_000;
/// The last seal.
const SEALED_MS: u64 = (MINUTE + 60) * 60_000;
/// Names and seeds of the witnesses.
const WITNESSES: [(&str, u8); 3] = [("one.example", 40), ("two.example", 41), ("three.example", 42)];

/// The log's policy with the witnesses, and this quorum of them.
fn with_quorum(quorum: &str) -> String {
    let log = policy();
    let log = log.lines().next().expect("the log's line");
    let witness = |(name, seed): (&str, u8)| {
        let key = VerifierKey::new(name, KeyType::Cosigner, public(seed)).expect("a key");
        format!("witness {name} {key}\n")
    };
    let witnesses: String = WITNESSES.map(witness).concat();
    let names = WITNESSES.map(|(name, _)| name).join(" ");
    format!("{log}\n{witnesses}group some {quorum} {names}\nquorum some\n")
}

/// A transcript of one record, revoked or not, whose checkpoint the witnesses have cosigned so many seconds after the
/// seal.
fn cosigned(revoked: bool, after_s: [Option<i64>; 3]) -> pb::Transcript {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    let effect = log.effect(3, 0, Action::Revoke);
    let groups = if revoked { vec![effect] } else { Vec::new() };
    log.issue(1, &[credit(2, "ALG-2", None)], groups);
    log.seal();
    let mut transcript = log.transcript(&[(3, 0, None)], &[]);
    let note = &mut transcript.status.as_mut().expect("a status part").checkpoint;
    let text = String::from_utf8(note.clone()).expect("text");
    let text = text.split_inclusive("\n\n").next().expect("a text").trim_end_matches('\n').to_owned() + "\n";
    for ((name, seed), after) in WITNESSES.into_iter().zip(after_s) {
        let time = after.map(|after| (SEALED_MS / 1_000).checked_add_signed(after).expect("a time"));
        note.extend(
            time.map(|time| cosign(name, &text, time, &key(seed)).expect("a line").to_line())
                .into_iter()
                .flat_map(String::into_bytes),
        );
    }
    transcript
}

struct Case {
    name: &'static str,
    quorum: Option<&'static str>,
    cosigned: [Option<i64>; 3],
    /// The verifier's time, milliseconds after the seal.
    later_ms: i64,
    revoked: bool,
    trusted: Option<u64>,
    freshness: Freshness,
}

const PLAIN: Case = Case {
    name: "",
    quorum: None,
    cosigned: [None; 3],
    later_ms: 0,
    revoked: false,
    trusted: None,
    freshness: Freshness { current_within_ms: 24 * HOUR_MS, stale_after_ms: 720 * HOUR_MS },
};

fn cases() -> Vec<Case> {
    let hours = |hours: i64| hours * 3_600_000;
    let at = |name, later_ms| Case { name, later_ms, ..PLAIN };
    let three = |name, quorum, cosigned, later_ms| Case { name, quorum: Some(quorum), cosigned, later_ms, ..PLAIN };
    let all = [Some(10), Some(20), Some(30)];
    vec![
        at("the operator's word", 0),
        at("a day", hours(24)),
        at("a day and a millisecond", hours(24) + 1),
        at("30 days", hours(720)),
        at("30 days and a millisecond", hours(720) + 1),
        at("five minutes ahead", -300_000),
        at("more than five minutes ahead", -300_001),
        Case {
            name: "bounds of the verifier's own",
            freshness: Freshness { current_within_ms: HOUR_MS, stale_after_ms: 2 * HOUR_MS },
            ..at("", hours(2) + 1)
        },
        Case { revoked: true, ..at("revoked, and stale", hours(900)) },
        Case { trusted: Some(2), ..at("not trusted, and ahead", -hours(1)) },
        three("cosigned after the seal: the seal's time counts", "all", all, hours(1)),
        three(
            "cosigned before the seal: all three by the first",
            "all",
            [Some(-90_000), Some(-20), Some(30)],
            hours(1),
        ),
        three("two of three", "2", [Some(-90_000), Some(-7_200), Some(30)], hours(1)),
        three("any of three: the newest counts", "any", [Some(-90_000), Some(-7_200), Some(30)], hours(1)),
        three("two of three, one of which has not cosigned", "2", [None, Some(-7_200), Some(30)], hours(1)),
        three("one witness of two from a year ahead", "2", [Some(-7_200), Some(31_536_000), None], hours(1)),
        three("a quorum from the future", "all", [Some(4_001), Some(4_001), Some(4_201)], 3_700_000),
    ]
}

/// The name of an answer in vectors.
pub(crate) fn name(reliance: Reliance) -> &'static str {
    match reliance {
        Reliance::Doubtful => "doubtful",
        Reliance::Clock => "clock",
        Reliance::Stale => "stale",
        Reliance::Good => "good",
    }
}

/// Goal: other implementations find the same age in the same transcripts, and rely on the same.
#[test]
fn freshness() {
    let case = |case: Case| {
        let policy = case.quorum.map_or_else(policy, with_quorum);
        let institutions = case.trusted.map(|number| [InstitutionId(number)].into());
        let parsed = Policy::parse(&policy).expect("a policy");
        let trust = Trust { policy: parsed, institutions, freshness: case.freshness, ..trust() };
        let file = write_file(&cosigned(case.revoked, case.cosigned)).expect("a file");
        let now_ms = SEALED_MS.checked_add_signed(case.later_ms).expect("a time");
        let report = verify(&file, &trust, now_ms).expect(case.name);
        let found = report.currency;
        let mut shown = json!({
            "name": case.name, "policy": policy, "transcript": hex(file), "now_ms": now_ms,
            "current_within_ms": case.freshness.current_within_ms, "stale_after_ms": case.freshness.stale_after_ms,
            "as_of_ms": found.as_of_ms, "age_ms": found.age_ms, "by_witnesses": found.by_witnesses,
            "current": found.state.name(), "reliance": name(report.reliance()),
        });
        if let Some(number) = case.trusted {
            shown["institutions"] = json!([number]);
        }
        shown
    };
    let cases: Vec<Value> = cases().into_iter().map(case).collect();
    let of = |what: &str, value: &str| cases.iter().filter(|case| case[what] == value).count();
    assert!(["current", "not current", "stale", "clock"].iter().all(|state| of("current", state) > 0));
    assert_eq!(["doubtful", "clock", "stale"].map(|one| of("reliance", one)), [2, 2, 2]);
    let short = write_file(&cosigned(false, [Some(1), None, None])).expect("a file");
    let two = Trust { policy: Policy::parse(&with_quorum("2")).expect("a policy"), ..trust() };
    verify(&short, &two, SEALED_MS).expect_err("one is no quorum of two");
    agree(
        "freshness.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files, Age and Reliance: what a verifier finds at a time, under a policy and bounds of age.",
            "log_key": hex(public(LOG)), "registry_key": hex(public(REGISTRY)),
            "next_registry_key": commitment(&public(NEXT_REGISTRY)).to_string(), "cases": cases,
        }),
    );
}
