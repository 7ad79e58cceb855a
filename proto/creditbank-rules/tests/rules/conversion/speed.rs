//! How long a conversion takes.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use creditbank_protocol::pb;
use creditbank_rules::conversion::{Account, Source, convert};

use super::land::*;

/// Goal: a transcript of 40 records is converted in less than a millisecond (release build; the figure is printed).
#[test]
fn forty_records_take_less_than_a_millisecond() {
    let mut land = Land::new();
    let group =
        pb::AgreementTerms { tier: pb::Tier::Group.into(), ..between("G", GROUP, GROUP, ("CATS", "ECTS"), (1, 2)) };
    let terms = pb::AgreementTerms { receiver: GROUP_THERE, ..group };
    land.agree(&terms);
    for number in 0..200 {
        let other = pb::AgreementTerms {
            fields: vec![format!("{:03}", 100 + number)],
            ..between(&format!("A{number}"), HERE, THERE, ("CATS", "ECTS"), (1, 2))
        };
        land.agree(&other);
    }
    let sources: Vec<Source> = (1..=40).map(|at| credit(at, HERE, 150_000 + at, "CATS")).collect();
    let account = Account::default();
    let request =
        creditbank_rules::conversion::Request { receiver: THERE.into(), ..land.request(&terms, &sources, &account) };
    // The best of many runs: others may use the machine.
    let run = |_| {
        let began = Instant::now();
        std::hint::black_box(convert(&request).expect("converted"));
        began.elapsed()
    };
    let each = (0..200).map(run).min().expect("runs");
    println!("40 records, 201 agreements: {each:?}");
    let bound_us = if cfg!(debug_assertions) { 100_000 } else { 1_000 };
    assert!(each.as_micros() < bound_us, "{each:?}");
}
