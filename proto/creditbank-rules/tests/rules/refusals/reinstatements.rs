//! What a stolen key has struck is reinstated: by whom, while it is contested, and with what belongs to it.

use creditbank_protocol::block::public_part;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place, Purpose, RevocationReason};
use creditbank_rules::CourseKey;
use serde_json::json;

use super::case::{Case, body, id_of, signing};
use super::consequences::effects;
use super::derived::{
    APPLICATIONS, Held, application, at, course, effect, group, kinds, marked, paper, redeeming, reference,
};
use crate::fixtures::{ALIAS, credit, key_for, record};
use crate::world::NOW_MS;

/// Seed of the stolen key.
const THIEF: u8 = 9;
/// When it sealed, and the minute since which it is compromised.
const SEALED_MS: u64 = NOW_MS - 1_800_000;
pub(crate) const SINCE: u64 = SEALED_MS / 60_000;

/// The key of institution 1 that was stolen at a minute.
pub(crate) fn stolen(case: &mut Case, since: u64) {
    let reason = RevocationReason::Compromised.into();
    let revoked = Some(pb::KeyRevocation { reason, compromised_since_minute: since });
    case.set(Kind::Key, &pb::Key { revoked, ..key_for(Purpose::Unit, 1, 1, &signing(THIEF), &kinds()) });
}

/// The block at an entry, by the stolen key, and what it says.
pub(crate) fn struck(case: &mut Case, entry: u64, records: u32, groups: &[pb::EffectGroup]) {
    case.sealed(entry, THIEF, SEALED_MS);
    case.said.push(json!({ "entry": entry, "records": records, "groups": shown(groups) }));
}

/// Seed of an approver's key that was stolen.
const ACCOMPLICE: u8 = 23;

/// The credit in entry 1 was revoked in entry 9 by a good key, and approved by a key that was stolen at a minute.
fn revoked_with_approval(case: &mut Case, since: u64) {
    let reason = RevocationReason::Compromised.into();
    let revoked = Some(pb::KeyRevocation { reason, compromised_since_minute: since });
    case.set(Kind::Key, &pb::Key { revoked, ..key_for(Purpose::Approver, 1, 1, &signing(ACCOMPLICE), &[]) });
    case.holds_credit(marked(&[(Action::Revoke, 9)]));
    case.sealed(9, super::case::UNIT_KEY, SEALED_MS);
    case.approved_by(9, ACCOMPLICE);
    let groups = shown(&[by_issuer(&[effect(at(1), Action::Revoke)])]);
    case.said.push(json!({ "entry": 9, "records": 0, "groups": groups }));
}

/// Groups as the log shows them.
fn shown(groups: &[pb::EffectGroup]) -> Vec<String> {
    public_part(&[], groups.to_vec()).groups.iter().map(|group| hex::encode(body(group))).collect()
}

pub(crate) fn by_issuer(effects: &[pb::Effect]) -> pb::EffectGroup {
    let mut effects = effects.to_vec();
    effects.sort_by_key(prost::Message::encode_to_vec);
    group(Basis::Issuer, &effects)
}

pub(crate) fn reinstate(place: Place, contested: u64) -> pb::Effect {
    pb::Effect { contested_plus_1: contested + 1, ..effect(place, Action::Reinstate) }
}

/// What was released is held again.
fn held_again(place: Place, contested: u64, redemption: u64) -> pb::Effect {
    pb::Effect { redemption_plus_1: redemption + 1, ..reinstate(place, contested) }
}

/// The credit in entry 1 was revoked in entry 9 by the stolen key.
fn revoked(case: &mut Case) {
    stolen(case, SINCE);
    case.holds_credit(marked(&[(Action::Revoke, 9)]));
    struck(case, 9, 0, &[by_issuer(&[effect(at(1), Action::Revoke)])]);
}

/// The credit in entry 1 was amended in entry 9 by the stolen key; these marks stand on the amendment.
fn amended(case: &mut Case, marks: &[(Action, u64)]) {
    stolen(case, SINCE);
    case.holds_credit(marked(&[(Action::Supersede, 9)]));
    let amends = Some(pb::Amends { place: Some(at(1)), reason: pb::AmendReason::Error.into() });
    case.holds(
        Held { marks: marked(marks), ..Held::new(9, course("AAA")) },
        Kind::Credit,
        &pb::Credit { amends, ..credit() },
    );
    struck(case, 9, 1, &[by_issuer(&[effect(at(1), Action::Supersede)])]);
}

/// An application that depends on the credit in entry 1 was put under review by the block in entry 9, and closed in
/// entry 10 by the stolen key, or not.
fn reviewed(case: &mut Case, marks: &[(Action, u64)]) {
    let entry = pb::Application { records: vec![reference(at(1))], ..application() };
    let held = Held { depends_on: vec![at(1)], marks: marked(marks), ..Held::new(2, APPLICATIONS) };
    case.holds(held, Kind::Application, &entry);
}

/// The award in entry 6 held the credit in entry 1 until the stolen key revoked it in entry 9.
fn award_revoked(case: &mut Case, of_credit: &[(Action, u64)]) {
    stolen(case, SINCE);
    case.holds_credit(marked(of_credit));
    let award = pb::Award {
        learner: ALIAS.0.to_vec(),
        basis: pb::AwardBasis::Declared.into(),
        redeems: vec![reference(at(1))],
        ..Default::default()
    };
    let marks = marked(&[(Action::Revoke, 9)]);
    case.holds(Held { marks, depends_on: vec![at(1)], ..Held::new(6, CourseKey::Award) }, Kind::Award, &award);
    let groups = shown(&[redeeming(Kind::Award, paper().as_ref(), &[at(1)])]);
    case.said.push(json!({ "entry": 6, "records": 1, "groups": groups }));
    let release = pb::Effect { redemption_plus_1: 7, ..effect(at(1), Action::Release) };
    struck(case, 9, 0, &[by_issuer(&[release, effect(at(6), Action::Revoke)])]);
}

pub(crate) fn refused() -> Vec<Case> {
    let refused = |name, about, scene: fn(&mut Case), effects_: &[pb::Effect]| {
        effects(Some(name), about, scene, vec![by_issuer(effects_)])
    };
    let restored = || vec![by_issuer(&[reinstate(at(1), 9)])];
    let both = [reinstate(at(1), 9), effect(at(9), Action::Revoke)];
    vec![
        refused(
            "NOT_CONTESTED",
            "revoked by a good key",
            |case| {
                case.holds_credit(marked(&[(Action::Revoke, 9)]));
                case.sealed(9, super::case::UNIT_KEY, SEALED_MS);
            },
            &[reinstate(at(1), 9)],
        ),
        refused(
            "NOT_CONTESTED",
            "revoked a minute before the key was stolen",
            |case| {
                revoked(case);
                stolen_later(case);
            },
            &[reinstate(at(1), 9)],
        ),
        refused(
            "NOT_CONTESTED",
            "revoked by a good key, with an approval of a minute before the approver's key was stolen",
            |case| revoked_with_approval(case, SINCE + 1),
            &[reinstate(at(1), 9)],
        ),
        refused(
            "STATUS_FORBIDS",
            "another effect is named",
            |case| {
                revoked(case);
                struck(case, 8, 0, &[]);
            },
            &[reinstate(at(1), 8)],
        ),
        refused("EFFECT_MISMATCH", "no effect is named", revoked, &[effect(at(1), Action::Reinstate)]),
        refused(
            "EFFECT_MISMATCH",
            "a revocation that names a contested effect",
            |case| {
                stolen(case, SINCE);
                case.holds_credit(marked(&[]));
            },
            &[pb::Effect { contested_plus_1: 10, ..effect(at(1), Action::Revoke) }],
        ),
        refused(
            "EFFECT_MISMATCH",
            "a confirmation with a reason",
            |case| case.holds_credit(marked(&[])),
            &[pb::Effect { reason: pb::EffectReason::Error.into(), ..effect(at(1), Action::Confirm) }],
        ),
        effects(Some("KEY_REVOKED"), "by the stolen key", revoked, restored())
            .with(|case| (case.draft.key_id, case.signer) = (id_of(THIEF), THIEF)),
        effects(Some("NOT_AUTHORISED"), "by another institution", revoked, restored()).with(Case::by_other),
        effects(Some("NOT_AUTHORISED"), "by the operator without a case", revoked, restored()).with(Case::by_operator),
        effects(Some("KIND_OUTSIDE_KEY"), "by a key for awards", revoked, restored())
            .with(|case| case.by_narrow(&[Kind::Award])),
        effects(Some("EFFECT_MISMATCH"), "with a record beside it", revoked, restored())
            .with(|case| case.records = vec![record(Kind::Credit, &credit(), 2)]),
        refused("EFFECT_MISMATCH", "the amendment stays", |case| amended(case, &[]), &[reinstate(at(1), 9)]),
        refused(
            "STATUS_FORBIDS",
            "the amendment was amended in its turn",
            |case| amended(case, &[(Action::Supersede, 10)]),
            &[reinstate(at(1), 9)],
        ),
        refused("ALREADY_SPENT", "the amendment is redeemed", |case| amended(case, &[(Action::Redeem, 10)]), &both),
        refused(
            "NOT_CONTESTED",
            "the amendment was confirmed",
            |case| {
                amended(case, &[(Action::Confirm, 10)]);
                case.sealed(10, super::case::UNIT_KEY, SEALED_MS);
            },
            &both,
        ),
        refused(
            "EFFECT_MISMATCH",
            "the review that followed stays open",
            |case| {
                revoked(case);
                reviewed(case, &[(Action::Review, 9)]);
            },
            &[reinstate(at(1), 9)],
        ),
        effects(
            Some("EFFECT_MISMATCH"),
            "a review closed by dependency that did not follow",
            |case| {
                revoked(case);
                reviewed(case, &[(Action::Review, 8)]);
            },
            vec![by_issuer(&[reinstate(at(1), 9)]), group(Basis::Dependency, &[effect(at(2), Action::CloseReview)])],
        ),
        refused(
            "EFFECT_MISMATCH",
            "an award that holds nothing again",
            |case| award_revoked(case, &[]),
            &[reinstate(at(6), 9)],
        ),
        refused(
            "EFFECT_MISMATCH",
            "held again without the award",
            |case| award_revoked(case, &[]),
            &[held_again(at(1), 9, 6)],
        ),
        refused(
            "EFFECT_MISMATCH",
            "held again by another redemption",
            |case| award_revoked(case, &[]),
            &[reinstate(at(6), 9), held_again(at(1), 9, 5)],
        )
        .with(|case| case.sealed(5, super::case::UNIT_KEY, SEALED_MS)),
        refused(
            "ALREADY_SPENT",
            "redeemed by another one meanwhile",
            |case| award_revoked(case, &[(Action::Redeem, 10)]),
            &[reinstate(at(6), 9), held_again(at(1), 9, 6)],
        ),
        refused(
            "SOURCE_NOT_USABLE",
            "what it stands on was revoked since",
            |case| {
                award_revoked(case, &[(Action::Revoke, 10)]);
            },
            &[reinstate(at(6), 9), held_again(at(1), 9, 6)],
        ),
        refused(
            "TOO_MANY_REPEATS",
            "issued anew meanwhile",
            |case| {
                revoked(case);
                case.holds(Held::new(11, course("AAA")), Kind::Credit, &credit());
            },
            &[reinstate(at(1), 9)],
        ),
        refused(
            "EFFECT_MISMATCH",
            "a review that another block has closed",
            |case| {
                stolen(case, SINCE);
                reviewed(case, &[]);
                struck(case, 10, 0, &[]);
            },
            &[reinstate(at(2), 10)],
        ),
    ]
}

/// The key was stolen a minute after its seal.
fn stolen_later(case: &mut Case) {
    case.registry.clear();
    stolen(case, SINCE + 1);
}

pub(crate) fn admitted() -> Vec<Case> {
    let admitted = |about, scene: fn(&mut Case), groups| effects(None, about, scene, groups);
    let restored = || vec![by_issuer(&[reinstate(at(1), 9)])];
    let mut for_case = group(Basis::Operator, &[reinstate(at(1), 9)]);
    for_case.authority.as_mut().expect("an authority").case_reference = "CASE-1".to_owned();
    vec![
        admitted("what a stolen key has revoked is reinstated", revoked, restored()),
        admitted(
            "what a good key has revoked with a stolen key's approval is reinstated",
            |case| revoked_with_approval(case, SINCE),
            restored(),
        ),
        admitted(
            "one of two of a course, which stood beside each other since an alias made one of two courses",
            |case| {
                revoked(case);
                case.holds(Held::new(5, course("AAA")), Kind::Credit, &credit());
            },
            restored(),
        ),
        admitted("the same by the operator for a case", revoked, vec![for_case]).with(Case::by_operator),
        admitted(
            "amended, and the amendment is revoked with it",
            |case| amended(case, &[]),
            vec![by_issuer(&[reinstate(at(1), 9), effect(at(9), Action::Revoke)])],
        ),
        admitted(
            "amended, and the amendment was revoked before",
            |case| amended(case, &[(Action::Revoke, 10)]),
            restored(),
        ),
        admitted(
            "the amendment was confirmed by another stolen key",
            |case| {
                amended(case, &[(Action::Confirm, 10)]);
                case.sealed(10, THIEF, SEALED_MS);
            },
            vec![by_issuer(&[reinstate(at(1), 9), effect(at(9), Action::Revoke)])],
        ),
        admitted(
            "with the end of the review that followed",
            |case| {
                revoked(case);
                reviewed(case, &[(Action::Review, 9)]);
            },
            vec![by_issuer(&[reinstate(at(1), 9)]), group(Basis::Dependency, &[effect(at(2), Action::CloseReview)])],
        ),
        admitted(
            "an award holds again what it held",
            |case| award_revoked(case, &[]),
            vec![by_issuer(&[reinstate(at(6), 9), held_again(at(1), 9, 6)])],
        ),
        admitted(
            "a review that the stolen key has closed is open again",
            |case| {
                stolen(case, SINCE);
                reviewed(case, &[]);
                struck(case, 10, 0, &[by_issuer(&[effect(at(2), Action::CloseReview)])]);
            },
            vec![by_issuer(&[reinstate(at(2), 10)])],
        ),
        admitted(
            "a record that a stolen key has reinstated is confirmed",
            |case| {
                stolen(case, SINCE);
                let marks = marked(&[(Action::Revoke, 8)]);
                let named = creditbank_protocol::status::Named::contested(8);
                case.holds_credit(marks.after(Action::Reinstate, 9, named).expect("reinstated"));
                case.sealed(9, THIEF, SEALED_MS);
            },
            vec![by_issuer(&[effect(at(1), Action::Confirm)])],
        ),
    ]
}
