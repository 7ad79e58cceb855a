//! Blocks that break one rule each, and some that stay just within.

use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place, Purpose, RevocationReason};
use creditbank_protocol::record::{PUBLIC_SEED, Record};
use creditbank_protocol::status::{Marks, Named};
use creditbank_rules::CourseKey;

use super::case::{Case, PLACE, REGISTRY_KEY, UNIT_KEY, body, effect, id_of, signing};
use super::derived::Held;
use crate::fixtures::{
    CLOSED_ALIAS, OTHER_ALIAS, accreditation, amount, credit, date, grade, identity, institution, key, key_for,
    outcome, record, result, text, unit,
};
use crate::world::NOW_MS;

const NOW_MINUTE: u64 = NOW_MS / 60_000;
const APPROVER: u8 = 9;
const OTHER: u8 = 8;

/// An ordinary block in another world.
fn world(name: &'static str, about: &'static str, change: impl FnOnce(&mut Case)) -> Case {
    Case::new(Some(name), about).with(change)
}

fn of<M: creditbank_protocol::canonical::Canonical>(
    name: Option<&'static str>,
    about: &'static str,
    kind: Kind,
    entry: &M,
) -> Case {
    Case::new(name, about).with(|case| case.records = vec![record(kind, entry, 1)])
}

fn changed_credit(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Credit)) -> Case {
    let mut entry = credit();
    change(&mut entry);
    of(Some(name), about, Kind::Credit, &entry)
}

fn changed_result(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Result)) -> Case {
    let mut entry = result();
    change(&mut entry);
    of(Some(name), about, Kind::Result, &entry)
}

fn changed_identity(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Identity)) -> Case {
    let mut entry = identity();
    change(&mut entry);
    of(Some(name), about, Kind::Identity, &entry)
}

/// With another course code.
fn coded(code: &str) -> impl FnOnce(&mut pb::Credit) {
    let code = code.to_owned();
    move |credit| credit.course.as_mut().expect("a course").code = code
}

/// With one of several codes that are not plain.
fn coded_as<const N: usize>(credit: &mut pb::Credit) {
    let codes = ["MATH 101 A", "ΠΛΗ10", "МАТ-101", "E\u{301}C-1", "ท.๑๐๑", "हिन्दी-१"];
    coded(codes[N])(credit);
}

/// With another title of its course.
fn titled(title: &str) -> impl FnOnce(&mut pb::Credit) {
    let titles = vec![text(title)];
    move |credit| credit.course.as_mut().expect("a course").titles = titles
}

fn period(from: pb::Date, until: pb::Date) -> Option<pb::Period> {
    Some(pb::Period { from: Some(from), until: Some(until) })
}

fn ended(year: u32, month: u32, day: u32) -> Option<pb::Period> {
    // What has not ended lasts for at most 20 years.
    let first = if year < 2026 { 1960 } else { 2020 };
    period(date(first, 1, 0), date(year, month, day))
}

fn workload(e4: u64) -> Option<pb::Hours> {
    Some(pb::Hours { kind: pb::HoursKind::Workload.into(), e4 })
}

fn amends(place: Place) -> Option<pb::Amends> {
    Some(pb::Amends { place: Some(place), reason: pb::AmendReason::Error.into() })
}

fn revoked(reason: RevocationReason, since: u64) -> Option<pb::KeyRevocation> {
    Some(pb::KeyRevocation { reason: reason.into(), compromised_since_minute: since })
}

/// The unit's key as the registry has it.
fn unit_key() -> pb::Key {
    key(1, 1, &signing(UNIT_KEY), &[Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result])
}

fn signers() -> Vec<Case> {
    let state = |state: pb::RegistryState| pb::Institution { state: state.into(), ..institution(1) };
    let approver = |change: fn(&mut pb::Key)| {
        move |case: &mut Case| {
            let mut entry = key_for(Purpose::Approver, 1, 1, &signing(APPROVER), &[]);
            change(&mut entry);
            case.set(Kind::Key, &entry);
            case.approver = Some(APPROVER);
        }
    };
    vec![
        world("UNKNOWN_INSTITUTION", "institution 77", |case| case.draft.unit.institution = 77.into()),
        world("INSTITUTION_NOT_ACTIVE", "suspended", |case| {
            case.set(Kind::Institution, &state(pb::RegistryState::Suspended))
        }),
        world("INSTITUTION_NOT_ACTIVE", "closed", |case| {
            case.set(Kind::Institution, &state(pb::RegistryState::Closed))
        }),
        world("UNKNOWN_UNIT", "unit 2", |case| case.draft.unit.number = 2),
        world("UNIT_NOT_ACTIVE", "suspended", |case| {
            case.set(Kind::Unit, &pb::Unit { state: pb::RegistryState::Suspended.into(), ..unit(1) });
        }),
        world("UNIT_NOT_ACTIVE", "closed", |case| {
            case.set(Kind::Unit, &pb::Unit { state: pb::RegistryState::Closed.into(), ..unit(1) });
        }),
        world("UNKNOWN_KEY", "a key that nobody has admitted", |case| case.draft.key_id = KeyId([1; 16])),
        world("KEY_OF_ANOTHER", "the key of another unit", |case| {
            case.set(Kind::Unit, &pb::Unit { unit: 2, ..unit(1) });
            case.set(Kind::Key, &key(1, 2, &signing(OTHER), &[Kind::Credit]));
            (case.signer, case.draft.key_id) = (OTHER, id_of(OTHER));
        }),
        world("KEY_OF_ANOTHER", "an approver's key", |case| {
            case.set(Kind::Key, &key_for(Purpose::Approver, 1, 1, &signing(OTHER), &[]));
            (case.signer, case.draft.key_id) = (OTHER, id_of(OTHER));
        }),
        world("KEY_REVOKED", "rotated", |case| {
            case.set(Kind::Key, &pb::Key { revoked: revoked(RevocationReason::Rotated, 0), ..unit_key() });
        }),
        world("KEY_REVOKED", "compromised", |case| {
            case.set(
                Kind::Key,
                &pb::Key { revoked: revoked(RevocationReason::Compromised, NOW_MINUTE + 9), ..unit_key() },
            );
        }),
        world("KEY_NOT_IN_FORCE", "its end is this minute", |case| {
            case.set(Kind::Key, &pb::Key { until_minute: NOW_MINUTE, ..unit_key() });
        }),
        world("KEY_NOT_IN_FORCE", "it begins with the next minute", |case| {
            case.set(Kind::Key, &pb::Key { from_minute: NOW_MINUTE + 1, ..unit_key() });
        }),
        world("NOT_AN_APPROVER", "an unknown key", |case| case.approver = Some(APPROVER)),
        world("NOT_AN_APPROVER", "the signing key", |case| case.approver = Some(UNIT_KEY)),
        world("NOT_AN_APPROVER", "revoked", approver(|key| key.revoked = revoked(RevocationReason::Ceased, 0))),
        world("NOT_AN_APPROVER", "not in force yet", approver(|key| key.from_minute = NOW_MINUTE + 1)),
        world("NOT_AN_APPROVER", "no longer in force", approver(|key| key.until_minute = NOW_MINUTE)),
        world("NOT_AN_APPROVER", "of another institution's unit", |case| {
            case.set(Kind::Unit, &unit(2));
            case.set(Kind::Key, &key_for(Purpose::Approver, 2, 1, &signing(APPROVER), &[]));
            case.approver = Some(APPROVER);
        }),
        world("APPROVAL_MISSING", "a unit that requires approval", |case| {
            case.set(Kind::Unit, &pb::Unit { requires_approval: true, ..unit(1) });
        }),
        world("APPROVAL_EXPIRED", "its last minute is the one before the seal's", |case| {
            approver(|_| ())(case);
            case.approved_until = NOW_MINUTE - 1;
        }),
        world("APPROVAL_EXPIRED", "its last minute is more than 30 days after the block was made", |case| {
            approver(|_| ())(case);
            case.approved_until = NOW_MINUTE + 43_201;
        }),
        world("APPROVAL_USED", "an earlier block has used it, and the time was corrected since", |case| {
            approver(|_| ())(case);
            case.set(Kind::TimeCorrection, &corrected(10));
            case.use_up_approval();
        }),
        world("APPROVAL_USED", "an earlier block has used it", |case| {
            approver(|_| ())(case);
            case.use_up_approval();
        }),
        world("KIND_OUTSIDE_KEY", "a Credit by a key for Results", |case| {
            case.set(Kind::Key, &key(1, 1, &signing(UNIT_KEY), &[Kind::Result]));
        }),
        world("KIND_NOT_ISSUED", "a registry record by a unit", |case| {
            case.records = vec![Record::of(Kind::Institution, &PUBLIC_SEED, body(&institution(3))).expect("a record")];
        }),
        world("MISSING_FIELD", "neither records nor effects", |case| case.records.clear()),
    ]
}

fn credits() -> Vec<Case> {
    vec![
        changed_credit("MISSING_FIELD", "no course", |credit| credit.course = None),
        changed_credit("MISSING_FIELD", "no course code", |credit| {
            credit.course.as_mut().expect("a course").code.clear()
        }),
        changed_credit("MISSING_FIELD", "no title", |credit| credit.course.as_mut().expect("a course").titles.clear()),
        changed_credit("MISSING_FIELD", "a title without its language", |credit| {
            credit.course.as_mut().expect("a course").titles =
                vec![pb::Text { language: String::new(), value: "x".to_owned() }];
        }),
        changed_credit("MISSING_FIELD", "no amount", |credit| credit.amount = None),
        changed_credit("MISSING_FIELD", "no period", |credit| credit.period = None),
        changed_credit("MISSING_FIELD", "hours of no kind", |credit| {
            credit.hours = Some(pb::Hours { e4: 1, ..Default::default() })
        }),
        changed_credit("INVALID_DATE", "a period without its end", |credit| {
            credit.period = Some(pb::Period { from: Some(date(2026, 2, 0)), until: None })
        }),
        changed_credit("INVALID_DATE", "an end before the beginning", |credit| {
            credit.period = period(date(2026, 9, 0), date(2026, 2, 0))
        }),
        changed_credit("IMPLAUSIBLE_DATE", "a period that has not begun", |credit| {
            credit.period = period(date(2026, 12, 0), date(2027, 2, 0))
        }),
        world("IMPLAUSIBLE_DATE", "tomorrow in Auckland, made at 09:59 UTC", |case| {
            case.draft.created_at_minute -= 1_440 - 599;
            let credit = pb::Credit { period: period(date(2026, 11, 23), date(2026, 11, 23)), ..credit() };
            case.records = vec![record(Kind::Credit, &credit, 1)];
        }),
        changed_credit("IMPLAUSIBLE_DATE", "a period of the year 2567", |credit| {
            credit.period = period(date(2567, 6, 0), date(2567, 10, 0))
        }),
        changed_credit("IMPLAUSIBLE_DATE", "a period of the year 1403", |credit| {
            credit.period = period(date(1403, 7, 0), date(1403, 11, 0))
        }),
        changed_credit("IMPLAUSIBLE_DATE", "a period that ends in 2205", |credit| {
            credit.period = period(date(2025, 9, 0), date(2205, 1, 0))
        }),
        changed_credit("IMPLAUSIBLE_DATE", "a period of more than 20 years that has not ended", |credit| {
            credit.period = period(date(2016, 11, 1), date(2036, 11, 2))
        }),
        changed_credit("IMPLAUSIBLE_DATE", "expired in more than 100 years", |credit| {
            credit.expires = Some(date(2126, 11, 24))
        }),
        changed_credit("INVALID_COURSE_CODE", "a space at the end of a course code", coded("WS-101 ")),
        changed_credit("INVALID_COURSE_CODE", "two spaces in a course code", coded("WS  101")),
        changed_credit("INVALID_COURSE_CODE", "a no-break space", coded("WS\u{a0}101")),
        changed_credit("INVALID_COURSE_CODE", "a zero-width space", coded("WS\u{200b}101")),
        changed_credit("INVALID_COURSE_CODE", "a zero-width joiner", coded("WS\u{200d}101")),
        changed_credit("INVALID_COURSE_CODE", "an override of direction", coded("WS\u{202e}101")),
        changed_credit("INVALID_COURSE_CODE", "a variation selector", coded("WS\u{fe0f}101")),
        changed_credit("INVALID_COURSE_CODE", "a private-use character", coded("WS\u{e000}")),
        changed_credit("INVALID_COURSE_CODE", "an unassigned character", coded("WS\u{378}")),
        changed_credit("INVALID_COURSE_CODE", "65 characters", |credit| coded(&"é".repeat(65))(credit)),
        changed_credit("INVALID_TEXT", "a line break in a title", titled("One\nTwo")),
        changed_credit("INVALID_TEXT", "an override of direction in a title", titled("One \u{202e}owt")),
        changed_credit("INVALID_TEXT", "a replacement character in a title", titled("R\u{fffd}sum\u{fffd}")),
        changed_credit("INVALID_TEXT", "an unassigned character in a title", titled("One \u{378}")),
        changed_credit("INVALID_TEXT", "a control character in the name of a site", |credit| {
            credit.place = Some(pb::Site { name: "Main\u{7}".to_owned(), ..Default::default() })
        }),
        changed_credit("IMPLAUSIBLE_DATE", "visible from 1403 on, at once", |credit| {
            credit.visible_from = Some(date(1403, 11, 1))
        }),
        changed_result("IMPLAUSIBLE_DATE", "visible from the last day of 1899 on", |result| {
            result.visible_from = Some(date(1899, 12, 31))
        }),
        {
            let mut entry = outcome(pb::OutcomeType::MoocCertificate);
            (entry.period, entry.expires) = (None, Some(date(1403, 7, 0)));
            of(Some("IMPLAUSIBLE_DATE"), "an Outcome without a period that expired in 1403", Kind::Outcome, &entry)
        },
        changed_credit("INVALID_DATE", "expired with the period", |credit| credit.expires = Some(date(2026, 9, 30))),
        changed_credit("INVALID_CODE", "a field of one digit", |credit| credit.field = "6".to_owned()),
        changed_credit("INVALID_CODE", "a field of letters", |credit| credit.field = "06x".to_owned()),
        changed_credit("INVALID_CODE", "a language of one letter", |credit| credit.language = "e".to_owned()),
        changed_credit("INVALID_CODE", "a language by its name", |credit| credit.language = "Greek".to_owned()),
        changed_credit("INVALID_CODE", "a language for private use without a tag", |credit| {
            credit.language = "x".to_owned()
        }),
        changed_credit("INVALID_CODE", "a language of digits", |credit| credit.language = "12".to_owned()),
        changed_credit("INVALID_CODE", "a title in a language by its name", |credit| {
            credit.course.as_mut().expect("a course").titles[0].language = "Greek".to_owned();
        }),
        changed_credit("INVALID_CODE", "a language with an empty part", |credit| credit.language = "en-".to_owned()),
        changed_credit("INVALID_CODE", "a country in small letters", |credit| {
            credit.place = Some(pb::Site { country: "gb".to_owned(), ..Default::default() })
        }),
        changed_credit("UNKNOWN_ALIAS", "an alias of nobody", |credit| credit.learner = vec![8; 16]),
        changed_credit("UNKNOWN_ALIAS", "no alias", |credit| credit.learner.clear()),
        changed_credit("ACCOUNT_NOT_OPEN", "a closed account", |credit| credit.learner = CLOSED_ALIAS.0.to_vec()),
        changed_credit("UNKNOWN_CREDIT_UNIT", "EURO", |credit| credit.amount = Some(amount(1, "EURO"))),
        changed_credit("UNKNOWN_LEVEL", "level 9 of FHEQ", |credit| {
            credit.level = Some(pb::Level { framework: "FHEQ".to_owned(), level: "9".to_owned() })
        }),
        changed_credit("UNKNOWN_LEVEL", "an unknown framework", |credit| {
            credit.level = Some(pb::Level { framework: "NONE".to_owned(), level: "6".to_owned() })
        }),
        changed_credit("UNKNOWN_GRADE", "an unknown scale", |credit| credit.grade = Some(grade("NONE", "A"))),
        changed_credit("UNKNOWN_GRADE", "a grade that the scale does not have", |credit| {
            credit.grade = Some(grade("JP-SABC:TOKAI", "Z"))
        }),
        changed_credit("GRADE_NOT_A_PASS", "E", |credit| credit.grade = Some(grade("JP-SABC:TOKAI", "E"))),
        changed_credit("WORKLOAD_OUTSIDE_BAND", "149.9999 hours for 6 ECTS", |credit| {
            (credit.amount, credit.hours) = (Some(amount(6_0000, "ECTS")), workload(149_9999))
        }),
        changed_credit("WORKLOAD_OUTSIDE_BAND", "134.9999 hours for 3 US credits", |credit| {
            (credit.amount, credit.hours) = (Some(amount(3_0000, "US-SEMESTER")), workload(134_9999))
        }),
        changed_credit("WORKLOAD_OUTSIDE_BAND", "180.0001 hours for 6 ECTS", |credit| {
            (credit.amount, credit.hours) = (Some(amount(6_0000, "ECTS")), workload(180_0001))
        }),
        changed_credit("EMBARGO_TOO_LONG", "401 days after the period", |credit| {
            credit.visible_from = Some(date(2027, 11, 5))
        }),
        changed_credit("NOT_ACCREDITED", "the day before the accreditation", |credit| {
            credit.period = ended(1968, 12, 31)
        }),
        changed_credit("UNKNOWN_EARLIER", "an attempt that the ledger does not hold", |credit| {
            credit.earlier = vec![PLACE]
        }),
    ]
}

fn scopes() -> Vec<Case> {
    type Scope = fn(&mut pb::Accreditation);
    let scopes: [(&'static str, Scope); 6] = [
        ("of another level", |entry| {
            entry.levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: "4".to_owned() }]
        }),
        ("of a field, which is not stated", |entry| entry.fields = vec!["06".to_owned()]),
        ("of a mode, which is not stated", |entry| entry.modes = vec![pb::Mode::Online.into()]),
        ("of other programmes", |entry| entry.programmes = vec!["B".to_owned()]),
        ("of a site, which is not stated", |entry| entry.sites = vec!["Campus".to_owned()]),
        ("ended before the period", |entry| entry.until = Some(date(2026, 9, 29))),
    ];
    scopes
        .into_iter()
        .map(|(about, scope)| {
            world("NOT_ACCREDITED", about, |case| {
                let mut entry = accreditation();
                scope(&mut entry);
                case.set(Kind::Accreditation, &entry);
            })
        })
        .collect()
}

fn others() -> Vec<Case> {
    let outcome_of = |about, kind| of(Some("MISSING_FIELD"), about, Kind::Outcome, &outcome(kind));
    vec![
        changed_result("MISSING_FIELD", "a Result without status", |result| result.status = 0),
        changed_result("MISSING_FIELD", "a Result without course", |result| result.course = None),
        changed_result("UNKNOWN_CREDIT_UNIT", "attempted in an unknown unit", |result| {
            result.attempted = Some(amount(1, "EURO"))
        }),
        changed_result("GRADE_IS_A_PASS", "a failure with an A", |result| {
            result.grade = Some(grade("JP-SABC:TOKAI", "A"))
        }),
        changed_result("EMBARGO_TOO_LONG", "without a period: from the seal", |result| {
            result.visible_from = Some(date(9999, 12, 31))
        }),
        changed_identity("MISSING_FIELD", "no names", |identity| identity.names.clear()),
        changed_identity("MISSING_FIELD", "no birth date", |identity| identity.birth_date = None),
        changed_identity("MISSING_FIELD", "no document", |identity| identity.document = 0),
        changed_identity("MISSING_FIELD", "no assurance", |identity| identity.assurance = 0),
        changed_identity("IMPLAUSIBLE_DATE", "born in 1899", |identity| identity.birth_date = Some(date(1899, 12, 31))),
        changed_identity("INVALID_TEXT", "a name with a tab", |identity| identity.names[0].full = "A\tB".to_owned()),
        changed_result("IMPLAUSIBLE_DATE", "a failed course that has not begun", |result| {
            result.period = period(date(2026, 12, 0), date(2027, 2, 0))
        }),
        changed_result("IMPLAUSIBLE_DATE", "a course in progress of the year 2567", |result| {
            (result.status, result.period) =
                (pb::ResultStatus::InProgress.into(), period(date(2567, 6, 0), date(2567, 10, 0)))
        }),
        changed_identity("IMPLAUSIBLE_DATE", "born tomorrow", |identity| {
            identity.birth_date = Some(date(2026, 11, 24))
        }),
        outcome_of("a test score without score", pb::OutcomeType::TestScore),
        outcome_of("prior learning without assessment", pb::OutcomeType::PriorLearning),
        outcome_of("an outcome of no type", pb::OutcomeType::Unspecified),
        changed_identity("KIND_OUTSIDE_KEY", "an Identity by a key for credits", |_| ())
            .with(|case| case.by_narrow(&[Kind::Credit])),
        world("IDENTITY_NOT_AMENDED", "a second one beside the first", |case| {
            case.holds(Held::new(1, CourseKey::Identity), Kind::Identity, &identity());
            case.records = vec![record(Kind::Identity, &pb::Identity { document: 1, ..identity() }, 2)];
        }),
        world("IDENTITY_NOT_AMENDED", "two in one block", |case| {
            case.records = vec![record(Kind::Identity, &identity(), 1), record(Kind::Identity, &identity(), 2)];
        }),
    ]
}

fn repeats() -> Vec<Case> {
    let repeatable = || pb::Credit { repeats_max: 1, earlier: vec![PLACE], ..credit() };
    let amended = |place| pb::Credit { amends: amends(place), ..credit() };
    vec![
        world("DUPLICATE_RECORD", "a record that the ledger holds", |case| case.hold(1, Marks::default(), 0)),
        world("TOO_MANY_REPEATS", "a course that counts once", |case| {
            case.hold(1, Marks::default(), 0);
            case.records = vec![record(Kind::Credit, &credit(), 2)];
        }),
        world("TOO_MANY_REPEATS", "a later record cannot make the course repeatable", |case| {
            case.hold(1, Marks::default(), 0);
            case.records = vec![record(Kind::Credit, &repeatable(), 2)];
        }),
        world("TOO_MANY_REPEATS", "one repeat more than allowed", |case| {
            case.hold(1, Marks::default(), 1);
            case.records = vec![record(Kind::Credit, &repeatable(), 2), record(Kind::Credit, &repeatable(), 3)];
        }),
        world("UNKNOWN_TARGET", "an amendment of nothing", |case| {
            case.records = vec![record(Kind::Credit, &amended(Place { entry: 6, index: 0 }), 2)];
        }),
        world("MISSING_FIELD", "an amendment without its reason", |case| {
            case.hold(1, Marks::default(), 0);
            let amends = Some(pb::Amends { place: Some(PLACE), reason: 0 });
            case.records = vec![record(Kind::Credit, &pb::Credit { amends, ..credit() }, 2)];
        }),
        world("AMENDS_ANOTHER", "a Result that amends a Credit", |case| {
            case.hold(1, Marks::default(), 0);
            case.records = vec![record(Kind::Result, &pb::Result { amends: amends(PLACE), ..result() }, 2)];
        }),
        world("NOT_AUTHORISED", "an amendment of another institution's record", |case| {
            case.hold(2, Marks::default(), 0);
            case.records = vec![record(Kind::Credit, &amended(PLACE), 2)];
        }),
        world("EFFECT_MISMATCH", "an amendment without its effect", |case| {
            case.hold(1, Marks::default(), 0);
            case.records = vec![record(Kind::Credit, &amended(PLACE), 2)];
        }),
        world("EFFECT_MISMATCH", "a superseding effect without its amendment", |case| {
            case.hold(1, Marks::default(), 0);
            (case.records, case.groups) = (Vec::new(), vec![effect(Action::Supersede, Basis::Issuer)]);
        }),
    ]
}

/// A block of one effect on the learner's credit.
fn of_effect(name: Option<&'static str>, about: &'static str, issuer: u64, group: pb::EffectGroup) -> Case {
    Case::new(name, about).with(|case| {
        case.hold(issuer, Marks::default(), 0);
        (case.records, case.groups) = (Vec::new(), vec![group]);
    })
}

fn effects() -> Vec<Case> {
    let refused = |name, about, issuer, group| of_effect(Some(name), about, issuer, group);
    let bent = |change: fn(&mut pb::Effect)| {
        let mut group = effect(Action::Revoke, Basis::Issuer);
        change(&mut group.effects[0]);
        group
    };
    let marked = |about, action: Action| {
        world("STATUS_FORBIDS", about, |case| {
            case.hold(1, Marks::default().after(action, 8, Named::default()).expect("a first mark"), 0);
            (case.records, case.groups) = (Vec::new(), vec![effect(Action::Revoke, Basis::Issuer)]);
        })
    };
    vec![
        refused("NOT_AUTHORISED", "redeemed by the issuer's right", 1, effect(Action::Redeem, Basis::Issuer)),
        refused("ACTION_NOT_ADMITTED", "dispute", 1, effect(Action::Dispute, Basis::Issuer)),
        refused("ACTION_NOT_ADMITTED", "no action", 1, bent(|effect| effect.action = 0)),
        refused("MISSING_FIELD", "a revocation without its reason", 1, bent(|effect| effect.reason = 0)),
        refused(
            "UNKNOWN_TARGET",
            "a place without a record",
            1,
            bent(|effect| effect.place = Some(Place { entry: 6, index: 0 })),
        ),
        refused(
            "UNKNOWN_TARGET",
            "another status id than the place's",
            1,
            bent(|effect| effect.status_id = vec![6; 32]),
        ),
        refused(
            "NOT_AUTHORISED",
            "another institution's record, as its issuer",
            2,
            effect(Action::Revoke, Basis::Issuer),
        ),
        refused(
            "NOT_AUTHORISED",
            "the record's own issuer as a custodian",
            1,
            effect(Action::Revoke, Basis::Custodian),
        ),
        refused("NOT_AUTHORISED", "a custodian of nobody", 2, custodial(Action::Revoke)),
        refused("NOT_AUTHORISED", "an institution as the operator", 1, effect(Action::Revoke, Basis::Operator)),
        refused("NOT_AUTHORISED", "a mandate", 1, effect(Action::Revoke, Basis::Mandate)),
        refused("NOT_AUTHORISED", "no basis", 1, effect(Action::Revoke, Basis::Unspecified)),
        refused("NOT_AUTHORISED", "the operator without a case reference", 1, effect(Action::Revoke, Basis::Operator))
            .with(by_operator),
        refused("NOT_AUTHORISED", "the custodian of an institution that is not closed", 2, custodial(Action::Revoke))
            .with(|case| case.set(Kind::Institution, &custodian())),
        refused("KIND_OUTSIDE_KEY", "a revoked Credit by a key for Outcomes", 1, effect(Action::Revoke, Basis::Issuer))
            .with(|case| case.set(Kind::Key, &key(1, 1, &signing(UNIT_KEY), &[Kind::Outcome]))),
        refused("NOT_AUTHORISED", "a custodian that names nobody", 2, effect(Action::Revoke, Basis::Custodian))
            .with(kept),
        refused("NOT_AUTHORISED", "an issuer that names an institution", 1, {
            let mut group = effect(Action::Revoke, Basis::Issuer);
            group.authority.as_mut().expect("an authority").institution = 1;
            group
        }),
        refused("NOT_AUTHORISED", "the custodian from tomorrow on", 2, custodial(Action::Revoke)).with(|case| {
            kept(case);
            let mut entry = custodian();
            entry.relations[0].from = Some(date(2026, 11, 24));
            case.set(Kind::Institution, &entry);
        }),
        refused("NOT_AUTHORISED", "the operator supersedes", 1, with_case(Action::Supersede)).with(by_operator),
        refused("NOT_CONTESTED", "the key that sealed it is good", 1, effect(Action::Confirm, Basis::Issuer)),
        refused(
            "NOT_CONTESTED",
            "sealed a minute before the key was stolen",
            1,
            effect(Action::Confirm, Basis::Issuer),
        )
        .with(|case| stolen(case, HELD_MINUTE + 1)),
        refused(
            "NOT_CONTESTED",
            "approved a minute before the approver's key was stolen",
            1,
            effect(Action::Confirm, Basis::Issuer),
        )
        .with(|case| approved_by_thief(case, HELD_MINUTE + 1)),
        refused("NOT_CONTESTED", "confirmed by a good key", 1, effect(Action::Confirm, Basis::Issuer)).with(|case| {
            stolen(case, HELD_MINUTE);
            case.held.clear();
            case.hold(1, Marks::default().after(Action::Confirm, 9, Named::default()).expect("a first mark"), 0);
            case.sealed(9, OTHER, NOW_MS - 60_000);
        }),
        refused("STATUS_FORBIDS", "confirmed after it was revoked", 1, effect(Action::Confirm, Basis::Issuer)).with(
            |case| {
                stolen(case, HELD_MINUTE);
                case.held.clear();
                case.hold(1, Marks::default().after(Action::Revoke, 9, Named::default()).expect("a first mark"), 0);
            },
        ),
        refused("KEY_REVOKED", "confirmed by the stolen key", 1, effect(Action::Confirm, Basis::Issuer)).with(|case| {
            stolen(case, HELD_MINUTE);
            (case.signer, case.draft.key_id) = (UNIT_KEY, id_of(UNIT_KEY));
        }),
        marked("revoked twice", Action::Revoke),
        marked("revoked after it was superseded", Action::Supersede),
    ]
}

/// Seed of an approver's key that was stolen.
const ACCOMPLICE: u8 = 23;

/// A good key has sealed the record, with the approval of a key that was stolen at a minute.
fn approved_by_thief(case: &mut Case, since: u64) {
    let entry = key_for(Purpose::Approver, 1, 1, &signing(ACCOMPLICE), &[]);
    case.set(Kind::Key, &pb::Key { revoked: revoked(RevocationReason::Compromised, since), ..entry });
    case.approved_by(PLACE.entry, ACCOMPLICE);
}

/// Institution 1 as the custodian of institution 2.
fn custodian() -> pb::Institution {
    let relation = pb::Relation { r#type: pb::RelationType::CustodianOf.into(), institution: 2, ..Default::default() };
    pb::Institution { relations: vec![relation], ..institution(1) }
}

/// An effect by the custodian of institution 2.
fn custodial(action: Action) -> pb::EffectGroup {
    let mut group = effect(action, Basis::Custodian);
    group.authority.as_mut().expect("an authority").institution = 2;
    group
}

/// Institution 2 is closed, and institution 1 keeps its records.
fn kept(case: &mut Case) {
    case.set(Kind::Institution, &custodian());
    case.set(Kind::Institution, &pb::Institution { state: pb::RegistryState::Closed.into(), ..institution(2) });
}

/// The key that sealed the held record was stolen at a minute; another key of the unit signs.
fn stolen(case: &mut Case, since: u64) {
    let kinds = [Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result];
    case.set(Kind::Key, &key(1, 1, &signing(OTHER), &kinds));
    (case.signer, case.draft.key_id) = (OTHER, id_of(OTHER));
    case.set(Kind::Key, &pb::Key { revoked: revoked(RevocationReason::Compromised, since), ..unit_key() });
}

fn with_case(action: Action) -> pb::EffectGroup {
    let mut group = effect(action, Basis::Operator);
    group.authority.as_mut().expect("an authority").case_reference = "CASE-1".to_owned();
    group
}

/// Minute of the held record's seal.
const HELD_MINUTE: u64 = NOW_MINUTE - 60;

fn by_operator(case: &mut Case) {
    case.draft.unit = creditbank_protocol::UnitId::OPERATOR;
    (case.draft.key_id, case.signer) = (id_of(REGISTRY_KEY), REGISTRY_KEY);
}

fn registry() -> Vec<Case> {
    let institution_with = |name, about, change: fn(&mut pb::Institution)| {
        let mut entry = institution(3);
        change(&mut entry);
        Case::operator(Some(name), about, Kind::Institution, &entry)
    };
    let accreditation_with = |name, about, change: fn(&mut pb::Accreditation)| {
        let mut entry = accreditation();
        change(&mut entry);
        Case::operator(Some(name), about, Kind::Accreditation, &entry)
    };
    let key_with = |name, about, change: fn(&mut pb::Key)| {
        let mut entry = key(1, 1, &signing(OTHER), &[Kind::Credit]);
        change(&mut entry);
        Case::operator(Some(name), about, Kind::Key, &entry)
    };
    let scale = |name, about, change: fn(&mut pb::GradeScale)| {
        let listed = ["A", "F"].map(|value| pb::ListedGrade { value: value.to_owned(), pass: value == "A" }).to_vec();
        let mut entry = pb::GradeScale {
            code: "X".to_owned(),
            names: vec![text("X")],
            listed,
            sources: crate::fixtures::sources("here"),
            ..Default::default()
        };
        change(&mut entry);
        Case::operator(Some(name), about, Kind::GradeScale, &entry)
    };
    let own = |name, about, change: fn(&mut pb::Key)| {
        let mut entry = unit_key();
        change(&mut entry);
        Case::operator(Some(name), about, Kind::Key, &entry).with(|case| {
            case.set(Kind::Key, &pb::Key { revoked: revoked(RevocationReason::Compromised, 100), ..unit_key() })
        })
    };
    vec![
        Case::operator(
            Some("NOT_THE_OPERATOR"),
            "a learner's record by the operator",
            Kind::Institution,
            &institution(3),
        )
        .with(|case| case.records = vec![record(Kind::Credit, &credit(), 1)]),
        Case::operator(Some("UNKNOWN_REFERENCE"), "a unit of nobody", Kind::Unit, &unit(77)),
        institution_with("UNKNOWN_REFERENCE", "a relation to nobody", |entry| {
            entry.relations = vec![pb::Relation { r#type: 1, institution: 77, ..Default::default() }];
        }),
        accreditation_with("UNKNOWN_REFERENCE", "an accreditation for an unknown level", |entry| {
            entry.levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: "99".to_owned() }];
        }),
        key_with("UNKNOWN_REFERENCE", "a key of a unit that does not exist", |entry| entry.unit = 7),
        institution_with("MISSING_FIELD", "an institution without a name", |entry| entry.names.clear()),
        institution_with("MISSING_FIELD", "an institution without a state", |entry| entry.state = 0),
        accreditation_with("MISSING_FIELD", "an accreditation by nobody", |entry| entry.body.clear()),
        key_with("MISSING_FIELD", "a unit's key without kinds", |entry| entry.kinds.clear()),
        scale("MISSING_FIELD", "a scale without grades", |entry| entry.listed.clear()),
        accreditation_with("INVALID_DATE", "an accreditation that ends before it begins", |entry| {
            entry.until = Some(date(1960, 1, 0))
        }),
        key_with("INVALID_DATE", "a key that ends when it begins", |entry| {
            (entry.from_minute, entry.until_minute) = (5, 5)
        }),
        institution_with("INVALID_CODE", "a country of one letter", |entry| entry.country = "X".to_owned()),
        institution_with("INVALID_CODE", "a domain in capitals", |entry| {
            entry.identifiers = vec![pb::DatedCode {
                scheme: "domain".to_owned(),
                value: "Example.org".to_owned(),
                ..Default::default()
            }];
        }),
        accreditation_with("INVALID_CODE", "a field of letters", |entry| entry.fields = vec!["IT".to_owned()]),
        key_with("INVALID_CODE", "a key of small order", |entry| entry.public_key = vec![0; 32]),
        key_with("INVALID_CODE", "a key without its bytes", |entry| entry.public_key.clear()),
        key_with("KIND_NOT_ISSUED", "a unit's key for registry records", |entry| {
            entry.kinds = vec![Kind::Institution.into()]
        }),
        institution_with("CONTRADICTION", "a second operator", |entry| {
            entry.r#type = pb::InstitutionType::Operator.into()
        }),
        key_with("CONTRADICTION", "a key of another suite", |entry| entry.suite = 65_535),
        key_with("CONTRADICTION", "a compromise without a time", |entry| {
            entry.revoked = revoked(RevocationReason::Compromised, 0)
        }),
        key_with("CONTRADICTION", "a rotation with a time of compromise", |entry| {
            entry.revoked = revoked(RevocationReason::Rotated, 5)
        }),
        scale("CONTRADICTION", "a scale that nobody passes", |entry| entry.listed[0].pass = false),
        scale("CONTRADICTION", "a grade twice", |entry| entry.listed[1].value = "A".to_owned()),
        scale("CONTRADICTION", "a step that does not divide the range", |entry| {
            entry.numeric = Some(pb::NumericGrades {
                min_e4: 0,
                max_e4: 20_0000,
                pass_e4: 10_0000,
                step_e4: 3_0000,
                lower_is_better: false,
            });
        }),
        Case::operator(
            Some("CONTRADICTION"),
            "the last registry key revoked",
            Kind::Key,
            &pb::Key {
                revoked: revoked(RevocationReason::Rotated, 0),
                ..key_for(Purpose::Registry, 0, 0, &signing(REGISTRY_KEY), &[])
            },
        ),
        Case::operator(
            Some("NOT_THE_SUCCESSOR"),
            "a second registry key",
            Kind::Key,
            &key_for(Purpose::Registry, 0, 0, &signing(OTHER), &[]),
        ),
        Case::operator(
            Some("NOT_THE_SUCCESSOR"),
            "a succession by a key that was not committed to",
            Kind::RegistrySuccession,
            &pb::RegistrySuccession {
                public_key: signing(OTHER).verifying_key().to_bytes().to_vec(),
                signature: vec![1; 64],
                next_registry_key: vec![1; 32],
                case_reference: "2026/1".to_owned(),
            },
        ),
        Case::operator(
            Some("CONTRADICTION"),
            "a correction of the time that ends before it begins",
            Kind::TimeCorrection,
            &pb::TimeCorrection { first: 30, last: 29, bound_ms: NOW_MS },
        ),
        Case::operator(
            Some("CONTRADICTION"),
            "a correction of what was corrected, with the seal that has ended it",
            Kind::TimeCorrection,
            &pb::TimeCorrection { first: 23, last: 30, bound_ms: NOW_MS },
        )
        .with(|case| case.set(Kind::TimeCorrection, &corrected(10))),
        Case::operator(
            Some("CONTRADICTION"),
            "another log key",
            Kind::Key,
            &key_for(Purpose::Log, 0, 0, &signing(OTHER), &[]),
        ),
        key_with("CONTRADICTION", "a handover to a key that is no log key", |entry| entry.handover = vec![1; 64]),
        own("PERMANENT", "a revocation taken back", |_| ()),
        own("PERMANENT", "a later time of compromise", |key| key.revoked = revoked(RevocationReason::Compromised, 101)),
        own("PERMANENT", "a compromise that becomes a rotation", |key| {
            key.revoked = revoked(RevocationReason::Rotated, 0)
        }),
        Case::operator(
            Some("PERMANENT"),
            "a key that changes its unit",
            Kind::Key,
            &key(2, 1, &signing(UNIT_KEY), &[Kind::Credit]),
        )
        .with(|case| case.set(Kind::Unit, &unit(2))),
        key_with("NO_POSSESSION", "a signature by nobody", |entry| entry.possession = vec![1; 64]),
        key_with("NO_POSSESSION", "no signature", |entry| entry.possession.clear()),
        Case::operator(
            Some("NO_POSSESSION"),
            "a proof for another purpose",
            Kind::Key,
            &pb::Key {
                possession: key_for(Purpose::Approver, 1, 1, &signing(OTHER), &[]).possession,
                ..key(1, 1, &signing(OTHER), &[Kind::Credit])
            },
        ),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [signers(), credits(), scopes(), others(), repeats(), effects(), registry()].into_iter().flatten().collect()
}

/// The seals from 16 to 20 were corrected, so many minutes ago.
pub(crate) fn corrected(minutes: u64) -> pb::TimeCorrection {
    pb::TimeCorrection { first: 16, last: 20, bound_ms: NOW_MS - minutes * 60_000 }
}

pub(crate) fn admitted() -> Vec<Case> {
    let good = |about, change: fn(&mut pb::Credit)| {
        let mut entry = credit();
        change(&mut entry);
        of(None, about, Kind::Credit, &entry)
    };
    vec![
        Case::new(None, "a Credit"),
        good("a language with a region", |credit| credit.language = "pt-BR".to_owned()),
        good("a language for private use", |credit| credit.language = "x-class-1".to_owned()),
        Case::operator(
            None,
            "a correction of the time behind another one",
            Kind::TimeCorrection,
            &pb::TimeCorrection { first: 24, last: 30, bound_ms: NOW_MS },
        )
        .with(|case| case.set(Kind::TimeCorrection, &corrected(10))),
        Case::new(None, "an approval that was given before the time was corrected, and not used").with(|case| {
            case.set(Kind::Key, &key_for(Purpose::Approver, 1, 1, &signing(APPROVER), &[]));
            case.approver = Some(APPROVER);
            case.set(Kind::TimeCorrection, &corrected(10));
            case.approved_until = NOW_MINUTE;
        }),
        Case::new(None, "one record of each kind").with(|case| {
            case.records = vec![
                record(Kind::Credit, &credit(), 1),
                record(Kind::Result, &result(), 2),
                record(Kind::Identity, &identity(), 3),
                record(Kind::Outcome, &outcome(pb::OutcomeType::MoocCertificate), 4),
            ];
        }),
        Case::new(None, "with an approval").with(|case| {
            case.set(Kind::Key, &key_for(Purpose::Approver, 1, 1, &signing(APPROVER), &[]));
            case.approver = Some(APPROVER);
        }),
        Case::new(None, "a key in its first and last minute").with(|case| {
            case.set(Kind::Key, &pb::Key { from_minute: NOW_MINUTE, until_minute: NOW_MINUTE + 1, ..unit_key() });
        }),
        good("an amount of 0", |credit| credit.amount = Some(amount(0, "CATS"))),
        good("25 hours for each of 6 ECTS", |credit| {
            (credit.amount, credit.hours) = (Some(amount(6_0000, "ECTS")), workload(150_0000))
        }),
        good("300 hours for 3 US credits, whose hours are a floor", |credit| {
            (credit.amount, credit.hours) = (Some(amount(3_0000, "US-SEMESTER")), workload(300_0000))
        }),
        good("135 hours for 3 US credits", |credit| {
            (credit.amount, credit.hours) = (Some(amount(3_0000, "US-SEMESTER")), workload(135_0000))
        }),
        good("30 hours for each of 6 ECTS", |credit| {
            (credit.amount, credit.hours) = (Some(amount(6_0000, "ECTS")), workload(180_0000))
        }),
        good("an embargo of 400 days", |credit| credit.visible_from = Some(date(2027, 11, 4))),
        good("a period that ended on the first day of the accreditation", |credit| credit.period = ended(1969, 1, 1)),
        good("a period that ends on the last day of the accreditation", |credit| credit.period = ended(2030, 12, 31)),
        good("a period from 1900-01-01 on", |credit| credit.period = period(date(1900, 1, 1), date(2024, 1, 0))),
        good("a period that has begun today at UTC+14, and lasts for 20 years", |credit| {
            credit.period = period(date(2026, 11, 23), date(2029, 11, 23))
        }),
        good("expired in 100 years", |credit| credit.expires = Some(date(2126, 11, 23))),
        good("a course code of three words", coded_as::<0>),
        good("a Greek course code", coded_as::<1>),
        good("a Cyrillic course code", coded_as::<2>),
        good("a course code with a decomposed letter", coded_as::<3>),
        good("a Thai course code", coded_as::<4>),
        good("a Hindi course code with combining marks", coded_as::<5>),
        good("a title with a joiner and direction marks", |credit| {
            credit.course.as_mut().expect("a course").titles =
                vec![pb::Text { language: "fa".to_owned(), value: "\u{200f}می\u{200c}خواهم\u{2067}".to_owned() }]
        }),
        good("a learning outcome in two lines", |credit| {
            credit.outcomes = vec![pb::LearningOutcome { texts: vec![text("Reads.\nWrites.")], ..Default::default() }]
        }),
        Case::new(None, "a course in progress that begins next month").with(|case| {
            let result = pb::Result {
                status: pb::ResultStatus::InProgress.into(),
                period: period(date(2026, 12, 0), date(2027, 2, 0)),
                ..result()
            };
            case.records = vec![record(Kind::Result, &result, 1)];
        }),
        Case::new(None, "a failed course whose period ends next month").with(|case| {
            let result = pb::Result { period: period(date(2026, 10, 0), date(2026, 12, 0)), ..result() };
            case.records = vec![record(Kind::Result, &result, 1)];
        }),
        Case::new(None, "today in Auckland, made at 11:04 UTC").with(|case| {
            case.draft.created_at_minute -= 1_440 - 664;
            let credit = pb::Credit { period: period(date(2026, 11, 23), date(2026, 11, 23)), ..credit() };
            case.records = vec![record(Kind::Credit, &credit, 1)];
        }),
        good("29 February 2024", |credit| credit.period = ended(2024, 2, 29)),
        Case::new(None, "a repeat, where the first record allows one").with(|case| {
            case.hold(1, Marks::default(), 1);
            let again = pb::Credit { repeats_max: 1, earlier: vec![PLACE], ..credit() };
            case.records = vec![record(Kind::Credit, &again, 2)];
        }),
        Case::new(None, "the course again, after its record was revoked").with(|case| {
            case.hold(1, Marks::default().after(Action::Revoke, 8, Named::default()).expect("a first mark"), 0);
            case.records = vec![record(Kind::Credit, &credit(), 2)];
        }),
        Case::new(None, "an amendment with its effect").with(|case| {
            case.hold(1, Marks::default(), 0);
            case.records = vec![record(Kind::Credit, &pb::Credit { amends: amends(PLACE), ..credit() }, 2)];
            case.groups = vec![effect(Action::Supersede, Basis::Issuer)];
        }),
        of(
            None,
            "a provisional Result with a pass",
            Kind::Result,
            &pb::Result {
                status: pb::ResultStatus::Provisional.into(),
                grade: Some(grade("JP-SABC:TOKAI", "A")),
                ..result()
            },
        ),
        of_effect(None, "a revocation by the issuer", 1, effect(Action::Revoke, Basis::Issuer)),
        of_effect(None, "a revocation of what is disputed", 1, effect(Action::Revoke, Basis::Issuer)).with(|case| {
            case.held.clear();
            case.hold(1, Marks::default().after(Action::Dispute, 8, Named::default()).expect("a first mark"), 0);
        }),
        of_effect(None, "a revocation by the custodian of a closed institution", 2, custodial(Action::Revoke))
            .with(kept),
        of_effect(None, "a contested record, confirmed", 1, effect(Action::Confirm, Basis::Issuer))
            .with(|case| stolen(case, HELD_MINUTE)),
        of_effect(
            None,
            "confirmed by a key that was stolen as well, and once more",
            1,
            effect(Action::Confirm, Basis::Issuer),
        )
        .with(|case| {
            stolen(case, HELD_MINUTE);
            let second = pb::Key {
                revoked: revoked(RevocationReason::Compromised, 1),
                ..key(1, 1, &signing(7), &[Kind::Credit])
            };
            case.set(Kind::Key, &key(1, 1, &signing(7), &[Kind::Credit]));
            case.set(Kind::Key, &second);
            case.held.clear();
            case.hold(1, Marks::default().after(Action::Confirm, 9, Named::default()).expect("a first mark"), 0);
            case.sealed(9, 7, NOW_MS - 60_000);
        }),
        of_effect(None, "a stolen key has approved it", 1, effect(Action::Confirm, Basis::Issuer))
            .with(|case| approved_by_thief(case, HELD_MINUTE)),
        of_effect(
            None,
            "confirmed with a stolen key's approval, and once more",
            1,
            effect(Action::Confirm, Basis::Issuer),
        )
        .with(|case| {
            case.held.clear();
            case.hold(1, Marks::default().after(Action::Confirm, 9, Named::default()).expect("a first mark"), 0);
            approved_by_thief(case, HELD_MINUTE);
            case.sealed(9, UNIT_KEY, NOW_MS - 60_000);
            case.approved_by(9, ACCOMPLICE);
        }),
        of_effect(None, "a contested record, confirmed by the operator", 1, with_case(Action::Confirm)).with(|case| {
            stolen(case, HELD_MINUTE);
            by_operator(case);
        }),
        Case::new(None, "a custodian's amendment: the closed institution's alias and accreditation").with(|case| {
            case.hold(2, Marks::default(), 0);
            kept(case);
            case.set(Kind::Accreditation, &pb::Accreditation { institution: 2, ..accreditation() });
            let amended = pb::Credit { learner: OTHER_ALIAS.0.to_vec(), amends: amends(PLACE), ..credit() };
            case.records = vec![record(Kind::Credit, &amended, 2)];
            case.groups = vec![custodial(Action::Supersede)];
        }),
        Case::new(None, "a block of a unit that requires approval, approved").with(|case| {
            case.set(Kind::Unit, &pb::Unit { requires_approval: true, ..unit(1) });
            case.set(Kind::Key, &key_for(Purpose::Approver, 1, 1, &signing(APPROVER), &[]));
            case.approver = Some(APPROVER);
        }),
        of_effect(None, "a revocation by the operator with a case reference", 1, with_case(Action::Revoke))
            .with(by_operator),
        Case::operator(None, "an institution by the operator", Kind::Institution, &institution(3)),
        Case::operator(
            None,
            "an earlier time of compromise",
            Kind::Key,
            &pb::Key { revoked: revoked(RevocationReason::Compromised, 99), ..unit_key() },
        )
        .with(|case| {
            case.set(Kind::Key, &pb::Key { revoked: revoked(RevocationReason::Compromised, 100), ..unit_key() })
        }),
    ]
}
