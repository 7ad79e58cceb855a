//! Learners: records of every kind that counts, and generated ones.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::RecordFacts;
use creditbank_rules::admission::Used;

use creditbank_protocol::Digest;
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Marks;

use super::chance::Chance;
use super::file::{bytes, reference};
use super::trees::COURSES;
use crate::fixtures::{course, day, fheq, grade};

/// A record of the learner at an institution.
pub(crate) fn used(entry: u64, institution: u64, kind: Kind, body: &[u8]) -> Used {
    let reference = reference(entry);
    let status_id = Digest::from_slice(&reference.status_id).expect("32 bytes");
    let (account, marks) = (AccountId([9; 16]), Marks::default());
    let record = Record::of(kind, &[1; 32], body.to_vec()).expect("a record");
    let facts = RecordFacts { kind, institution: institution.into(), account, status_id, marks };
    Used { place: reference.place.expect("a place").into(), facts, record }
}

/// 20 CATS at level 6, of 2024.
pub(crate) fn credit(code: &str) -> pb::Credit {
    let period = Some(pb::Period { from: day(2024, 1, 0), until: day(2024, 6, 30) });
    pb::Credit { period, ..super::conversions::credit(code, 200_000) }
}

pub(crate) fn outcome(kind: i32) -> pb::Outcome {
    let score =
        (kind == 3).then(|| pb::Score { scale: "POINTS".to_owned(), value: "85".to_owned(), ..Default::default() });
    pb::Outcome {
        learner: vec![2; 16],
        r#type: kind,
        course: course("M1", "A course"),
        score,
        field: "0541".to_owned(),
        ..Default::default()
    }
}

/// A conversion of one result, by a root's fraction.
pub(crate) fn converted(code: &str, root: u64, fraction: (u64, u64)) -> pb::Conversion {
    let named = reference(root);
    let root = pb::Root {
        place: named.place,
        status_id: named.status_id.clone(),
        fraction: Some(pb::Ratio { numerator: fraction.0, denominator: fraction.1 }),
        ..Default::default()
    };
    let result = pb::ConvertedCredit {
        course: course(code, "A course"),
        amount: Some(pb::Amount { e4: 100_000, unit: "CATS".to_owned() }),
        level: Some(fheq("5")),
        period: Some(pb::Period { from: day(2023, 1, 0), until: day(2023, 6, 0) }),
        roots: vec![root],
        ..Default::default()
    };
    let source = pb::ConversionSource { record: Some(named), institution: 2, ..Default::default() };
    pb::Conversion { learner: vec![2; 16], sources: vec![source], results: vec![result], ..Default::default() }
}

pub(crate) fn exempted(expires: Option<pb::Date>) -> pb::QualificationRecognition {
    let exemption = pb::ConvertedCredit {
        course: course("M3", "A course"),
        amount: Some(pb::Amount { e4: 300_000, unit: "CATS".to_owned() }),
        level: Some(fheq("5")),
        ..Default::default()
    };
    pb::QualificationRecognition { learner: vec![2; 16], exemptions: vec![exemption], expires, ..Default::default() }
}

fn any_credit(chance: &mut Chance) -> pb::Credit {
    let month = u32::try_from(1 + chance.below(12)).expect("small");
    let year = u32::try_from(2016 + chance.below(9)).expect("small");
    let mut one = credit(chance.of(&COURSES));
    one.amount = Some(pb::Amount {
        e4: chance.of(&[0, 50_000, 100_000, 100_000, 200_000, 300_000]),
        unit: chance.of(&["CATS", "CATS", "CATS", "CATS", "CATS", "ECTS"]).to_owned(),
    });
    one.level = chance.of(&[Some(fheq("5")), Some(fheq("6")), Some(fheq("6")), None]);
    one.field = chance.of(&["0541", "0541", "0613", "05", ""]).to_owned();
    one.mode = chance.of(&[1, 1, 1, 2, 5, 0]);
    one.assessment = chance.of(&[0, 1, 2]);
    one.grade = chance.of(&[
        None,
        Some(grade("GB-100-UG", "45")),
        Some(grade("GB-100-UG", "55.5")),
        Some(grade("GB-100-UG", "60")),
        Some(grade("GB-100-UG", "72.25")),
    ]);
    one.attempt = chance.of(&[0, 1, 2]);
    one.basis = chance.of(&[0, 0, 0, 0, 2, 3, 4, 5]);
    one.period = Some(pb::Period { from: day(year, 1, 1), until: day(year, month, 0) });
    one.expires = chance.of(&[None, None, None, day(2023, 3, 0), day(2026, 1, 1)]);
    one
}

/// Up to so many records.
pub(crate) fn generated(chance: &mut Chance, most: u64) -> Vec<(Used, Vec<u8>)> {
    let count = 1 + chance.below(most);
    (1..=count)
        .map(|entry| {
            let institution = chance.of(&[1, 1, 2, 3]);
            let (kind, body) = match chance.below(10) {
                0 => (Kind::Outcome, bytes(&outcome(i32::try_from(1 + chance.below(5)).expect("small")))),
                1 | 2 => (
                    Kind::Conversion,
                    bytes(&converted(
                        chance.of(&COURSES),
                        50 + chance.below(3),
                        chance.of(&[(1, 1), (1, 2), (1, 3), (2, 3)]),
                    )),
                ),
                3 => (Kind::QualificationRecognition, bytes(&exempted(chance.of(&[None, day(2025, 1, 0)])))),
                _ => (Kind::Credit, bytes(&any_credit(chance))),
            };
            (used(entry, institution, kind, &body), body)
        })
        .collect()
}
