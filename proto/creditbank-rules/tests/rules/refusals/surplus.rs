//! Credits beyond what their course may count, since an alias has made one course of two.

use creditbank_protocol::pb::{self, Action, Kind};

use super::awards::{audited, awarding, definition, put};
use super::case::Case;
use super::conversions::agreed;
use super::derived::{Held, at, course as key, marked, reference};
use crate::fixtures::{course, credit, day};

fn aliased(case: &mut Case, institution: u64) {
    let (code, same_as) = ("A-A-A".to_owned(), "AAA".to_owned());
    case.set(Kind::CourseAlias, &pb::CourseAlias { institution, code, same_as, withdrawn: false });
}

/// Credit for A-A-A of an institution in entry 3, with marks.
fn other(case: &mut Case, institution: u64, marks: &[(Action, u64)]) {
    let entry = pb::Credit { course: course("A-A-A", "A course"), ..credit() };
    case.holds(Held { institution, marks: marked(marks), ..Held::new(3, key("A-A-A")) }, Kind::Credit, &entry);
}

fn repeatable(case: &mut Case, times: u32) {
    case.held.iter_mut().for_each(|held| held["repeats_max"] = times.into());
}

/// An award that counts the credits in these entries, under a definition that says nothing of retakes. `scene` holds what is
/// there beside the credit for AAA in entry 1.
fn counting(name: Option<&'static str>, about: &'static str, entries: &[u64], scene: impl FnOnce(&mut Case)) -> Case {
    let award = pb::Award {
        allocations: entries.iter().map(|entry| put(2, *entry)).collect(),
        redeems: entries.iter().map(|entry| reference(at(*entry))).collect(),
        ..audited()
    };
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &definition("CERT"));
        case.holds_credit(marked(&[]));
        scene(case);
    };
    awarding(name, about, scene, &award)
}

/// A conversion of the credit for AAA of institution 2 in entry 1.
fn converting(name: Option<&'static str>, about: &'static str, marks: &'static [(Action, u64)]) -> Case {
    agreed(name, about, |_| (), |_| ()).with(|case| {
        aliased(case, 2);
        other(case, 2, marks);
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let refused = Some("TOO_MANY_REPEATS");
    vec![
        counting(refused, "an award that counts a course twice, since it has an alias", &[1, 3], |case| {
            aliased(case, 1);
            other(case, 1, &[]);
        }),
        counting(refused, "an award that counts the second of two credits for a course", &[3], |case| {
            aliased(case, 1);
            other(case, 1, &[]);
        }),
        counting(refused, "an award of a credit whose course another award has counted", &[1], |case| {
            aliased(case, 1);
            other(case, 1, &[(Action::Redeem, 6)]);
        }),
        counting(refused, "an award of one course twice, one of them not repeatable", &[1, 3], |case| {
            aliased(case, 1);
            other(case, 1, &[]);
            case.held[0]["repeats_max"] = 5.into();
        }),
        converting(refused, "a conversion of a credit whose course was converted already", &[(Action::Redeem, 6)]),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        counting(None, "an award of the first of two credits for a course", &[1], |case| {
            aliased(case, 1);
            other(case, 1, &[]);
        }),
        counting(None, "an award of two courses without an alias", &[1, 3], |case| other(case, 1, &[])),
        counting(None, "an award of two courses, one with an alias at another institution", &[1, 3], |case| {
            aliased(case, 2);
            other(case, 1, &[]);
        }),
        counting(None, "an award that counts a course twice, which may be repeated", &[1, 3], |case| {
            aliased(case, 1);
            case.held.clear();
            for (entry, code) in [(1, "AAA"), (3, "A-A-A")] {
                let repeated = pb::Credit { course: course(code, "A course"), repeats_max: 1, ..credit() };
                case.holds(Held::new(entry, key(code)), Kind::Credit, &repeated);
            }
            repeatable(case, 1);
        }),
        counting(None, "an award of the second credit for a course, where the first one was revoked", &[3], |case| {
            aliased(case, 1);
            case.held.clear();
            case.holds_credit(marked(&[(Action::Revoke, 9)]));
            other(case, 1, &[]);
        }),
        counting(
            None,
            "an award of the second credit for a course, where the first one is under review",
            &[3],
            |case| {
                aliased(case, 1);
                case.held.clear();
                case.holds_credit(marked(&[(Action::Review, 9)]));
                other(case, 1, &[]);
            },
        ),
        counting(
            None,
            "an award of the second credit for a course, where the first one may not be shown",
            &[3],
            |case| {
                aliased(case, 1);
                case.held.clear();
                let hidden = pb::Credit { visible_from: day(2026, 11, 24), ..credit() };
                case.holds(Held::new(1, key("AAA")), Kind::Credit, &hidden);
                other(case, 1, &[]);
            },
        ),
        converting(None, "a conversion of the first of two credits for a course", &[]),
    ]
}
