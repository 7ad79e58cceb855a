//! Awards that count exemptions: what is given for an award of this ledger has its roots, and pays with them.

use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, certified, name, put};
use super::case::Case;
use super::derived::{Held, at, marked, reference};
use super::recognitions::{exempting_for, root};

/// CERT was awarded in entry 6 for the credit in entry 1; 60 credits are given for it in entry 7. There is another credit in
/// entry 2.
fn exempted(case: &mut Case, of_award: &[(Action, u64)]) {
    certified(case, of_award);
    let entry = exempting_for(&[(60_0000, root(1, 60_0000))]);
    let entry = pb::QualificationRecognition { qualification: Some(reference(at(6))), ..entry };
    let held = Held { depends_on: vec![at(1), at(6)], marks: marked(&[]), ..Held::new(7, CourseKey::Recognition) };
    case.holds(held, Kind::QualificationRecognition, &entry);
}

/// An award under DIPLOMA, which absorbs CERT, that counts the credit in entry 2 and the exemption.
fn counting(absorbs: bool) -> pb::Award {
    let absorbs = if absorbs { vec![reference(at(6))] } else { Vec::new() };
    let exemption = pb::Allocation { result_plus_1: 1, ..put(2, 7) };
    let redeems = [vec![reference(at(2))], absorbs.clone()].concat();
    pb::Award {
        definition: Some(name("DIPLOMA", 1)),
        allocations: vec![put(2, 2), exemption],
        redeems,
        absorbs,
        ..audited()
    }
}

pub(crate) fn refused() -> Vec<Case> {
    let spent = Some("ALREADY_SPENT");
    let mut twice = counting(true);
    twice.allocations.insert(0, put(2, 1));
    vec![
        awarding(
            spent,
            "an exemption for an award that holds its roots, without absorbing it",
            |case| exempted(case, &[]),
            &counting(false),
        ),
        awarding(
            spent,
            "an exemption for an absorbed award, and what that counted",
            |case| exempted(case, &[]),
            &twice,
        ),
        awarding(
            Some("SOURCE_NOT_USABLE"),
            "an exemption for an award under review",
            |case| exempted(case, &[(Action::Review, 9)]),
            &counting(false),
        ),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![awarding(
        None,
        "an exemption for an award that is absorbed: its roots are what that has redeemed",
        |case| exempted(case, &[]),
        &counting(true),
    )]
}
