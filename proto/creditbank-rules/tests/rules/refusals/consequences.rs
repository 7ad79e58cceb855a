//! Effects on the records of others: what is used, let go, put under review; and what belongs together in a block.

use creditbank_protocol::pb::{self, Action, Basis, Kind, Place};
use creditbank_rules::CourseKey;

use super::case::{Case, UNIT_KEY};
use super::derived::{
    APPLICATIONS, Held, application, at, course, digest, effect, group, marked, paper, redeeming, reference,
};
use crate::fixtures::{ALIAS, credit, record};
use crate::world::NOW_MS;

/// The learner's credit, and what depends on it: an application in entry 2, one under review in 3, one that was revoked in 4.
fn depended(case: &mut Case) {
    case.holds_credit(marked(&[]));
    let entry = pb::Application { records: vec![reference(at(1))], ..application() };
    let all = [(2, vec![]), (3, vec![(Action::Review, 8)]), (4, vec![(Action::Revoke, 8)])];
    for (at_entry, marks) in all {
        let held = Held { depends_on: vec![at(1)], marks: marked(&marks), ..Held::new(at_entry, APPLICATIONS) };
        case.holds(held, Kind::Application, &entry);
    }
}

fn reviews(places: &[Place]) -> pb::EffectGroup {
    group(Basis::Dependency, &places.iter().map(|place| effect(*place, Action::Review)).collect::<Vec<_>>())
}

/// A release of the redemption in an entry.
fn release(place: Place, redemption: u64) -> pb::Effect {
    pb::Effect { redemption_plus_1: redemption + 1, ..effect(place, Action::Release) }
}

fn award(redeems: &[u64]) -> pb::Award {
    pb::Award {
        learner: ALIAS.0.to_vec(),
        basis: pb::AwardBasis::Declared.into(),
        redeems: redeems.iter().map(|entry| reference(at(*entry))).collect(),
        ..Default::default()
    }
}

/// The award in entry 6 has redeemed the credit in entry 1.
fn awarded(case: &mut Case, of_award: &[(Action, u64)], of_credit: &[(Action, u64)]) {
    case.holds_credit(marked(of_credit));
    let held = Held { marks: marked(of_award), depends_on: vec![at(1)], ..Held::new(6, CourseKey::Award) };
    case.holds(held, Kind::Award, &award(&[1]));
}

/// The award in entry 7 amends the one in entry 6.
fn amended(case: &mut Case) {
    awarded(case, &[(Action::Supersede, 7)], &[(Action::Redeem, 6)]);
    let amends = Some(pb::Amends { place: Some(at(6)), reason: pb::AmendReason::Error.into() });
    let held = Held { depends_on: vec![at(1)], ..Held::new(7, CourseKey::Award) };
    case.holds(held, Kind::Award, &pb::Award { amends, ..award(&[1]) });
}

/// A block of effects alone.
pub(super) fn effects(
    name: Option<&'static str>,
    about: &'static str,
    scene: impl FnOnce(&mut Case),
    groups: Vec<pb::EffectGroup>,
) -> Case {
    Case::new(name, about).with(scene).with(|case| case.only(groups))
}

fn on_credit(name: &'static str, about: &'static str, marks: &[(Action, u64)], group: pb::EffectGroup) -> Case {
    effects(Some(name), about, |case| case.holds_credit(marked(marks)), vec![group])
}

/// The learner's credit is amended, with what the block says besides.
fn corrected(name: Option<&'static str>, about: &'static str, besides: Vec<pb::EffectGroup>) -> Case {
    Case::new(name, about).with(depended).with(|case| {
        let amends = Some(pb::Amends { place: Some(at(1)), reason: pb::AmendReason::Error.into() });
        case.records = vec![record(Kind::Credit, &pb::Credit { amends, ..credit() }, 2)];
        case.groups = vec![group(Basis::Issuer, &[effect(at(1), Action::Supersede)])];
        case.groups.extend(besides);
    })
}

fn rights() -> Vec<Case> {
    let redeem = || effect(at(1), Action::Redeem);
    let mandated = |change: fn(&mut pb::Authority)| {
        let mut group = redeeming(Kind::Award, paper().as_ref(), &[at(1)]);
        change(group.authority.as_mut().expect("an authority"));
        group
    };
    let digested = || {
        let mut group = group(Basis::Issuer, &[effect(at(1), Action::Revoke)]);
        group.authority.as_mut().expect("an authority").mandate_digest = digest(Kind::Award, paper().as_ref());
        group
    };
    let refused = |about, group| on_credit("NOT_AUTHORISED", about, &[], group);
    let by_mandate = |action| {
        let mut group = mandated(|_| ());
        group.effects = vec![effect(at(1), action)];
        group
    };
    let held = |name, about, group| on_credit(name, about, &[(Action::Redeem, 6)], group);
    vec![
        on_credit("ACTION_NOT_ADMITTED", "dispute", &[], group(Basis::Issuer, &[effect(at(1), Action::Dispute)])),
        on_credit(
            "ACTION_NOT_ADMITTED",
            "settle",
            &[(Action::Dispute, 8)],
            group(Basis::Issuer, &[effect(at(1), Action::Settle)]),
        ),
        refused("redeemed by the issuer", group(Basis::Issuer, &[redeem()])),
        refused("redeemed without a digest", group(Basis::Mandate, &[redeem()])),
        refused("a mandate that names an institution", mandated(|authority| authority.institution = 2)),
        refused("redeemed by the operator", mandated(|_| ())).with(Case::by_operator),
        refused("redeemed by the operator with a case", group(Basis::Operator, &[redeem()])).with(Case::by_operator),
        refused("revoked by a mandate", by_mandate(Action::Revoke)),
        refused("put under review by a mandate", by_mandate(Action::Review)),
        refused("put under review by the issuer", group(Basis::Issuer, &[effect(at(1), Action::Review)])),
        refused("revoked by dependency", group(Basis::Dependency, &[effect(at(1), Action::Revoke)])),
        refused("a digest beside the issuer's right", digested()),
        on_credit(
            "NOT_AUTHORISED",
            "a review closed by another institution",
            &[(Action::Review, 8)],
            group(Basis::Issuer, &[effect(at(1), Action::CloseReview)]),
        )
        .with(Case::by_other),
        effects(
            Some("NOT_AUTHORISED"),
            "released by the issuer, which has not redeemed",
            |case| {
                awarded(case, &[(Action::Revoke, 9)], &[(Action::Redeem, 6)]);
                case.by_other();
            },
            vec![group(Basis::Issuer, &[release(at(1), 6)])],
        ),
        held(
            "NOT_AUTHORISED",
            "a release that names no redemption, of another's record",
            group(Basis::Issuer, &[effect(at(1), Action::Release)]),
        )
        .with(Case::by_other),
        held("EFFECT_MISMATCH", "a release of another redemption", group(Basis::Issuer, &[release(at(1), 7)]))
            .with(|case| case.sealed(7, UNIT_KEY, NOW_MS - 3_600_000)),
        on_credit(
            "EFFECT_MISMATCH",
            "a release of what nobody has redeemed",
            &[],
            group(Basis::Issuer, &[release(at(1), 1)]),
        ),
        held("EFFECT_MISMATCH", "redeemed twice, by no record", mandated(|_| ())),
        on_credit("EFFECT_MISMATCH", "redeemed under review, by no record", &[(Action::Review, 8)], mandated(|_| ())),
        on_credit(
            "STATUS_FORBIDS",
            "a review closed that nobody has opened",
            &[],
            group(Basis::Issuer, &[effect(at(1), Action::CloseReview)]),
        ),
        on_credit(
            "KIND_OUTSIDE_KEY",
            "a review closed by a key for awards",
            &[(Action::Review, 8)],
            group(Basis::Issuer, &[effect(at(1), Action::CloseReview)]),
        )
        .with(|case| case.by_narrow(&[Kind::Award])),
    ]
}

fn together() -> Vec<Case> {
    let revoke = |place| group(Basis::Issuer, &[effect(place, Action::Revoke)]);
    let both = |effects: &[pb::Effect]| vec![group(Basis::Issuer, effects)];
    vec![
        on_credit("EFFECT_MISMATCH", "redeemed for no record", &[], redeeming(Kind::Award, paper().as_ref(), &[at(1)])),
        effects(
            Some("DEPENDANTS_NOT_REVIEWED"),
            "a revocation that says nothing of what depends on it",
            depended,
            vec![revoke(at(1))],
        ),
        corrected(Some("DEPENDANTS_NOT_REVIEWED"), "an amendment that says nothing of what depends on it", Vec::new()),
        effects(
            Some("EFFECT_MISMATCH"),
            "a review of what depends on nothing here",
            |case| {
                depended(case);
                case.holds(
                    Held::new(5, CourseKey::Application(pb::RecognitionPurpose::Work)),
                    Kind::Application,
                    &pb::Application { purpose: 2, ..application() },
                );
            },
            vec![revoke(at(1)), reviews(&[at(2), at(5)])],
        ),
        effects(Some("EFFECT_MISMATCH"), "a review without a revocation", depended, vec![reviews(&[at(2)])]),
        effects(
            Some("EFFECT_MISMATCH"),
            "a review of what is under review",
            depended,
            vec![revoke(at(1)), reviews(&[at(2), at(3)])],
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "an award revoked that keeps what it holds",
            |case| awarded(case, &[], &[(Action::Redeem, 6)]),
            vec![revoke(at(6))],
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "an amended award revoked that keeps what the former one had redeemed",
            amended,
            vec![revoke(at(7))],
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "a release while the award stands",
            |case| awarded(case, &[], &[(Action::Redeem, 6)]),
            both(&[release(at(1), 6)]),
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "a release of what a revoked award has handed over",
            |case| awarded(case, &[(Action::Redeem, 8), (Action::Revoke, 9)], &[(Action::Redeem, 6)]),
            both(&[release(at(1), 6)]),
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "a release of what the award has not named",
            |case| {
                awarded(case, &[], &[(Action::Redeem, 6)]);
                let held = Held { marks: marked(&[(Action::Redeem, 6)]), ..Held::new(2, course("BBB")) };
                case.holds(held, Kind::Credit, &credit());
            },
            both(&[release(at(1), 6), release(at(2), 6), effect(at(6), Action::Revoke)]),
        ),
        effects(
            Some("KIND_OUTSIDE_KEY"),
            "a later release by a key for neither awards nor conversions",
            |case| {
                awarded(case, &[(Action::Revoke, 9)], &[(Action::Redeem, 6)]);
                case.by_narrow(&[Kind::Credit]);
            },
            both(&[release(at(1), 6)]),
        ),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [rights(), together()].into_iter().flatten().collect()
}

pub(crate) fn admitted() -> Vec<Case> {
    let both = |effects: &[pb::Effect]| vec![group(Basis::Issuer, effects)];
    let revoke = |place| group(Basis::Issuer, &[effect(place, Action::Revoke)]);
    vec![
        effects(
            None,
            "a revocation with a review of the one that stands",
            depended,
            vec![revoke(at(1)), reviews(&[at(2)])],
        ),
        corrected(None, "an amendment with a review", vec![reviews(&[at(2)])]),
        effects(
            None,
            "a revocation of a record and of what depends on it",
            depended,
            both(&[effect(at(1), Action::Revoke), effect(at(2), Action::Revoke)]),
        ),
        effects(
            None,
            "a revocation by the operator, with a review",
            depended,
            vec![group(Basis::Operator, &[effect(at(1), Action::Revoke)]), reviews(&[at(2)])],
        )
        .with(Case::by_operator),
        effects(
            None,
            "a review closed",
            |case| case.holds_credit(marked(&[(Action::Review, 8)])),
            both(&[effect(at(1), Action::CloseReview)]),
        ),
        effects(
            None,
            "an award revoked, with the release of what it held",
            |case| awarded(case, &[], &[(Action::Redeem, 6)]),
            both(&[release(at(1), 6), effect(at(6), Action::Revoke)]),
        ),
        effects(
            None,
            "an award revoked whose credit another one holds",
            |case| {
                awarded(case, &[], &[(Action::Redeem, 5)]);
                case.sealed(5, UNIT_KEY, NOW_MS - 3_600_000);
            },
            vec![revoke(at(6))],
        ),
        effects(
            None,
            "an amended award revoked, with what the former one had redeemed",
            amended,
            both(&[release(at(1), 6), effect(at(7), Action::Revoke)]),
        ),
        effects(
            None,
            "an absorbed award revoked: what it held was handed over",
            |case| awarded(case, &[(Action::Redeem, 8)], &[(Action::Redeem, 6)]),
            vec![revoke(at(6))],
        ),
        effects(
            None,
            "a release after the revocation",
            |case| awarded(case, &[(Action::Revoke, 9)], &[(Action::Redeem, 6)]),
            both(&[release(at(1), 6)]),
        ),
        effects(
            None,
            "a release by the operator after the revocation",
            |case| awarded(case, &[(Action::Revoke, 9)], &[(Action::Redeem, 6)]),
            vec![group(Basis::Operator, &[release(at(1), 6)])],
        )
        .with(Case::by_operator),
    ]
}
