//! What errors become, compared with the protocol's tables.

use std::collections::BTreeSet;

use creditbank_protocol::pb::{self, Kind};
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};
use creditbank_rules::{Registry, RegistryRecord};
use serde_json::Value;

use super::*;

const RULES: &str = include_str!("../../../../../proto/RULES.md");
const REFUSALS: &str = include_str!("../../../../../proto/vectors/refusals.json");

/// The gRPC codes of a name in the tables of RULES.md; they are in the last column.
fn codes(name: &str) -> Vec<&'static str> {
    let head = format!("| `{name}` |");
    let rows = RULES.lines().filter(|line| line.starts_with(&head));
    rows.filter_map(|line| line.trim_end_matches(" |").rsplit("| ").next()).collect()
}

fn named(code: u32) -> String {
    format!("{:?}", Code::from_i32(i32::try_from(code).expect("small")))
}

/// Goal: the protocol's table gives each rule the gRPC code that the node gives it.
#[test]
fn codes_of_rules_are_the_protocols() {
    for rule in Rule::ALL {
        let code = format!("{:?}", rule_code(*rule));
        assert!(codes(rule.name()).contains(&code.as_str()), "{}: {code}, {:?}", rule.name(), codes(rule.name()));
    }
}

/// Goal: the protocol's tables, the rules and the reasons that travel are the same names.
#[test]
fn reasons_are_the_protocols_and_the_rules() {
    let section = RULES.split("\n## 15. Refusals").nth(1).expect("the section");
    let section = section.split("**What the rules ask").next().expect("its tables");
    let row = |line: &'static str| line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")).map(|row| row.0);
    let written: BTreeSet<&str> = section.lines().filter_map(row).collect();
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(Reason::name).collect();
    assert_eq!(written, reasons);
    for rule in Rule::ALL {
        assert!(reasons.contains(rule.name()), "{}", rule.name());
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hexadecimal")
}

fn small(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("small")
}

/// Goal: each malformed block of the vectors gets the name that they give it, with the protocol's code.
#[test]
fn forms_are_refused_by_name() {
    let file: Value = serde_json::from_str(REFUSALS).expect("JSON");
    let mut registry = Registry::new(file["origin"].as_str().expect("an origin"));
    for entry in file["registry"].as_array().expect("entries") {
        let kind = Kind::try_from(i32::try_from(small(&entry["kind"])).expect("small")).expect("a kind");
        registry.admit(RegistryRecord::of_operator(kind, &bytes(&entry["body"]))).expect("it is admitted");
    }
    let record = |record: &Value| RecordBody {
        kind: small(&record["kind"]),
        version: small(&record["version"]),
        body: bytes(&record["body"]).into(),
        seed: bytes(&record["seed"]).into(),
    };
    let place =
        |place: &Value| pb::Place { entry: place["entry"].as_u64().expect("an entry"), index: small(&place["index"]) };
    let registry = std::sync::Arc::new(registry);
    let mut count = 0;
    for case in file["form"].as_array().expect("cases").iter().filter(|case| case.get("chain").is_none()) {
        let mut block = bytes(&case["block"]);
        block.resize(block.len() + usize::try_from(case["zeros"].as_u64().unwrap_or(0)).expect("small"), 0);
        let records = case["records"].as_array().expect("records").iter().map(record).collect();
        let places = case["places"].as_array().into_iter().flatten().map(place).collect();
        let request = SubmitBlockRequest { block: block.into(), records, places };
        let error = crate::append::verify(&registry, request).expect_err("a refusal");
        let refusal = of_submit(&error);
        let name = case["name"].as_str().expect("a name");
        assert_eq!(refusal.reason, name, "{}: {error}", case["about"]);
        assert!(codes(name).contains(&named(refusal.code).as_str()), "{name}: {}", named(refusal.code));
        count += 1;
    }
    assert!(count > 40, "{count} cases");
}

/// Goal: what the store has lost or cannot read any more is called damaged by every call that meets it, and nobody
/// is told to come back; what may pass is not called damaged.
#[test]
fn a_damaged_entry_is_not_waited_for() {
    use crate::append::AccountError;
    use crate::read::TranscriptError;
    let lost = || StoreError::Missing { what: "entry", index: 7 };
    let rot = || StoreError::Damaged { path: "log".to_owned(), offset: 7, what: "rot".to_owned() };
    for error in [lost, rot as fn() -> StoreError] {
        let refusals = [
            of_submit(&SubmitError::Unreadable(unreadable::of_store(error()))),
            of_read(error().into()),
            of_read(ReceiptError::Store(error()).into()),
            of_receipt(error().into()),
            of_transcript(TranscriptError::Read(error().into())),
            of_transcript(ReceiptError::Store(error()).into()),
            of_account(AccountError::Unreadable(unreadable::of_store(error()))),
        ];
        for refusal in refusals {
            assert_eq!((refusal.reason.as_str(), refusal.retry_after_ms), ("DAMAGED", 0), "{refusal:?}");
        }
    }
    let busy = StoreError::File { path: "log".to_owned(), error: std::io::ErrorKind::Interrupted.into() };
    assert_eq!(of_read(busy.into()).reason, "UNREADABLE");
}

/// Goal: the other refusals of a block, and those of calls, have the protocol's codes.
#[test]
fn codes_of_calls_are_the_protocols() {
    use crate::append::AccountError;
    use crate::read::TranscriptError;
    use crate::work::Asked;
    let digest = creditbank_protocol::Digest::ZERO;
    let of_status = |status: Status| creditbank_rpc::refusal::from_status(&status);
    let refusals = [
        of_submit(&SubmitError::Stale { height: 1, accepted: Box::new(pb::Receipt::default()) }),
        of_submit(&SubmitError::Height { expected: 1, found: 2 }),
        of_submit(&SubmitError::Previous { expected: digest, found: digest }),
        of_submit(&SubmitError::CreatedAt { min: 1, max: 2, found: 3 }),
        of_submit(&SubmitError::Busy { retry_after_ms: 1 }),
        of_submit(&SubmitError::NoRoom { retry_after_ms: 1 }),
        of_submit(&SubmitError::Displaced),
        of_work(Refused::Busy),
        of_work(Refused::Stopping),
        of_work(Refused::Panicked),
        of_quota(OverQuota { institution: 1.into(), asked: Asked::Blocks, allowed: 1, retry_after_ms: 1 }),
        of_submit(&SubmitError::Clock(crate::append::ClockDoubt::Behind { by_ms: 1 })),
        of_submit(&SubmitError::LogKeyMissing(creditbank_protocol::key::KeyId([1; 16]))),
        of_submit(&SubmitError::Stopped(String::new())),
        of_status(invalid("field", "one", "another")),
        of_status(denied("no")),
        of_status(unauthenticated("no")),
        internal("no"),
        of_view(&ViewError::Damaged(String::new())),
        of_view(&ViewError::Unavailable(String::new())),
        of_read(ReadError::UnknownLearner),
        of_transcript(TranscriptError::Plan(PlanError::TooMany)),
        of_account(AccountError::Stopped),
        of_receipt(ReceiptError::Range(creditbank_protocol::merkle::RangeError { asked: 2, size: 1 })),
    ];
    for refusal in refusals {
        let code = named(refusal.code);
        assert!(codes(&refusal.reason).contains(&code.as_str()), "{}: {code}", refusal.reason);
    }
}

/// Goal: a time that does not fit is told as people write times.
#[test]
fn a_wrong_time_is_readable() {
    let refusal = of_submit(&SubmitError::CreatedAt { min: 29_731_680, max: 29_733_120, found: 29_731_679 });
    assert_eq!(refusal.why(), Reason::WrongTime);
    assert_eq!(refusal.found, "2026-07-12T23:59Z");
    assert_eq!(refusal.expected, "2026-07-13T00:00Z to 2026-07-14T00:00Z");
    for time in [&refusal.found, "2026-07-13T00:00Z", "2026-07-14T00:00Z"] {
        assert!(refusal.message.contains(time), "{}", refusal.message);
    }
}
