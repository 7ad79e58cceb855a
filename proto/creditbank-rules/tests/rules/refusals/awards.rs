//! Awards: recomputed, cosigned, paid for once.

use creditbank_protocol::key::sign;
use creditbank_protocol::mandate::{core, joint_message, mandate_digest};
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place, Purpose, RequirementType as Type};
use creditbank_rules::CourseKey;

use super::case::{Case, body, id_of, signing};
use super::derived::{
    Held, NARROW_KEY, OTHER_KEY, TODAY, UNTIL, at, course, effect, group, id, marked, of, paper, redeeming, reference,
};
use crate::fixtures::{self, ALIAS, ORIGIN, credit, day, fheq, key_for, node, record, text};
use crate::world::NOW_MS;

pub(crate) fn name(code: &str, version: u32) -> pb::QualificationName {
    pb::QualificationName { institution: 1, code: code.to_owned(), version }
}

/// Whole credits of a level; of an empty one, of any.
pub(crate) fn credits(parent: u32, amount: u64, level: &str) -> pb::Requirement {
    let asked = (!level.is_empty()).then(|| pb::Match { levels: vec![fheq(level)], ..Default::default() });
    fixtures::credits(parent, amount, asked)
}

/// All of: 60 CATS at level 6.
pub(crate) fn definition(code: &str) -> pb::QualificationDefinition {
    fixtures::definition(code, vec![node(0, Type::All), credits(1, 60, "6")])
}

pub(crate) fn put(requirement: u32, entry: u64) -> pb::Allocation {
    pb::Allocation { requirement, record: Some(reference(at(entry))), result_plus_1: 0 }
}

/// An audited award under CERT that counts the credit in entry 1.
pub(crate) fn audited() -> pb::Award {
    pb::Award {
        learner: ALIAS.0.to_vec(),
        definition: Some(name("CERT", 1)),
        basis: pb::AwardBasis::Audited.into(),
        allocations: vec![put(2, 1)],
        redeems: vec![reference(at(1))],
        documents: vec![document("2026/17")],
        kind: pb::AwardKind::Certificate.into(),
        conferred: day(2026, 11, 20),
        decider: "B. Example".to_owned(),
        mandate: paper(),
        ..Default::default()
    }
}

/// A regulation in the place of the learner's mandate.
fn ex_officio() -> Option<pb::Mandate> {
    let legal_basis = "Assessment regulations 2026, section 12 (awards after death); case 2026/4".to_owned();
    Some(pb::Mandate { legal_basis, salt: vec![3; 16], until_minute: UNTIL, ..Default::default() })
}

pub(crate) fn declared() -> pb::Award {
    pb::Award {
        basis: pb::AwardBasis::Declared.into(),
        allocations: Vec::new(),
        redeems: Vec::new(),
        consumes_none: "What was learned is older than the ledger".to_owned(),
        mandate: None,
        ..audited()
    }
}

pub(crate) fn honorary() -> pb::Award {
    pb::Award {
        basis: pb::AwardBasis::Honorary.into(),
        definition: None,
        titles: vec![text("Doctor honoris causa")],
        consumes_none: String::new(),
        ..declared()
    }
}

/// The definition and the credit in entry 1, with marks.
fn studied(case: &mut Case, marks: &[(Action, u64)]) {
    case.set(Kind::QualificationDefinition, &definition("CERT"));
    case.holds_credit(marked(marks));
}

pub(crate) fn earned(case: &mut Case) {
    studied(case, &[]);
}

/// A block with one award and the redemptions that it names.
pub(crate) fn awarding(
    name: Option<&'static str>,
    about: &'static str,
    scene: impl FnOnce(&mut Case),
    award: &pb::Award,
) -> Case {
    of(name, about, Kind::Award, award).with(scene).with(|case| {
        let places: Vec<Place> = award.redeems.iter().filter_map(|one| one.place).collect();
        if places.is_empty() {
            return;
        }
        let mut group = redeeming(Kind::Award, award.mandate.as_ref(), &places);
        if let (Some(mandate), Some(authority)) = (&award.mandate, &mut group.authority) {
            let core = core(Kind::Award, &body(award)).expect("canonical");
            authority.mandate_digest = mandate_digest(ORIGIN, 1.into(), Kind::Award, &core, mandate).0.to_vec();
        }
        case.groups = vec![group];
    })
}

pub(crate) fn changed(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Award)) -> Case {
    let mut award = audited();
    change(&mut award);
    awarding(Some(name), about, earned, &award)
}

/// The credit is another one.
fn of_credit(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Credit)) -> Case {
    let mut entry = credit();
    change(&mut entry);
    awarding(
        Some(name),
        about,
        |case| {
            case.set(Kind::QualificationDefinition, &definition("CERT"));
            case.holds(Held::new(1, course("AAA")), Kind::Credit, &entry);
        },
        &audited(),
    )
}

/// The award is under a changed definition.
pub(crate) fn under(
    name: Option<&'static str>,
    about: &'static str,
    change: impl FnOnce(&mut pb::QualificationDefinition),
    award: &pb::Award,
) -> Case {
    let mut entry = definition("CERT");
    change(&mut entry);
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &entry);
        case.holds_credit(marked(&[]));
    };
    awarding(name, about, scene, award)
}

/// Signed by institution 2 with a key.
fn cosigned_as(award: &pb::Award, key: u8, bend: impl FnOnce(&mut pb::CoSignature)) -> pb::Award {
    let core = core(Kind::Award, &body(award)).expect("canonical");
    let mut cosignature = pb::CoSignature {
        institution: 2,
        key_id: id_of(key).0.to_vec(),
        salt: vec![6; 16],
        until_minute: UNTIL,
        ..Default::default()
    };
    bend(&mut cosignature);
    let message = joint_message(ORIGIN, 1.into(), &core, &cosignature);
    cosignature.signature = sign(&signing(key), message.as_bytes()).to_vec();
    pb::Award { cosignatures: vec![cosignature], ..award.clone() }
}

pub(crate) fn cosigned(award: &pb::Award, key: u8) -> pb::Award {
    cosigned_as(award, key, |_| ())
}

pub(crate) fn joint(entry: &mut pb::QualificationDefinition) {
    entry.awarding = vec![1, 2];
}

/// Award under DIPLOMA, which absorbs CERT: 60 CATS more.
fn diploma() -> pb::QualificationDefinition {
    pb::QualificationDefinition {
        requirements: vec![node(0, Type::All), credits(1, 120, "")],
        absorbs: vec![name("CERT", 0)],
        ..definition("DIPLOMA")
    }
}

fn absorbing() -> pb::Award {
    pb::Award {
        definition: Some(name("DIPLOMA", 1)),
        allocations: vec![put(2, 1), put(2, 2)],
        redeems: vec![reference(at(2)), reference(at(6))],
        absorbs: vec![reference(at(6))],
        ..audited()
    }
}

/// CERT was awarded in entry 6 for the credit in entry 1; there is another credit in entry 2.
pub(crate) fn certified(case: &mut Case, of_award: &[(Action, u64)]) {
    studied(case, &[(Action::Redeem, 6)]);
    case.set(Kind::QualificationDefinition, &diploma());
    let other = pb::Credit { course: Some(pb::Course { code: "BBB".to_owned(), titles: vec![text("B")] }), ..credit() };
    case.holds(Held::new(2, course("BBB")), Kind::Credit, &other);
    let held = Held { depends_on: vec![at(1)], marks: marked(of_award), ..Held::new(6, CourseKey::Award) };
    case.holds(held, Kind::Award, &pb::Award { documents: vec![document("2026/1")], ..audited() });
}

/// A diploma with a number.
pub(crate) fn document(number: &str) -> pb::AwardDocument {
    pb::AwardDocument {
        r#type: pb::AwardDocumentType::Diploma.into(),
        number: Some(pb::DocumentNumber { series: "A".to_owned(), number: number.to_owned() }),
        issued: day(2026, 11, 20),
        state: pb::AwardDocumentState::Issued.into(),
        ..Default::default()
    }
}

/// The award in entry 6 is amended.
pub(crate) fn amending(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Award)) -> Case {
    let amends = Some(pb::Amends { place: Some(at(6)), reason: pb::AmendReason::Error.into() });
    let mut award = pb::Award { amends, classification: "first class".to_owned(), ..audited() };
    change(&mut award);
    of(name, about, Kind::Award, &award).with(|case| {
        certified(case, &[]);
        case.groups = vec![group(Basis::Issuer, &[effect(at(6), Action::Supersede)])];
    })
}

/// CERT and OTHER share up to so many credits, if both say so; the credit in entry 1 is redeemed for OTHER in entry 6.
fn overlapping(name: Option<&'static str>, about: &'static str, ours: u64, theirs: u64) -> Case {
    let award = pb::Award { redeems: Vec::new(), ..audited() };
    let overlap = |code: &str, most: u64| {
        let other = Some(self::name(code, 0));
        (most > 0).then_some(pb::Overlap { other, max_e4: most * 10_000 }).into_iter().collect::<Vec<_>>()
    };
    // Each names the other, so the first of them comes in a second version.
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &definition("CERT"));
        let other = pb::QualificationDefinition { overlaps: overlap("CERT", theirs), ..definition("OTHER") };
        case.set(Kind::QualificationDefinition, &other);
        let own = pb::QualificationDefinition { version: 2, overlaps: overlap("OTHER", ours), ..definition("CERT") };
        case.set(Kind::QualificationDefinition, &own);
        case.holds_credit(marked(&[(Action::Redeem, 6)]));
        let documents = vec![document("2026/1")];
        let earlier = pb::Award { definition: Some(self::name("OTHER", 1)), documents, ..audited() };
        case.holds(Held { depends_on: vec![at(1)], ..Held::new(6, CourseKey::Award) }, Kind::Award, &earlier);
    };
    awarding(name, about, scene, &pb::Award { definition: Some(self::name("CERT", 2)), ..award })
}

fn forms() -> Vec<Case> {
    let honoured = |about, change: fn(&mut pb::Award)| {
        let mut award = honorary();
        change(&mut award);
        awarding(Some("CONTRADICTION"), about, earned, &award)
    };
    vec![
        changed("MISSING_FIELD", "of no kind", |award| award.kind = 0),
        changed("MISSING_FIELD", "decided by nobody", |award| award.decider.clear()),
        changed("MISSING_FIELD", "on no basis", |award| award.basis = 0),
        changed("MISSING_FIELD", "under no definition", |award| award.definition = None),
        awarding(
            Some("MISSING_FIELD"),
            "honorary, without a title",
            earned,
            &pb::Award { titles: Vec::new(), ..honorary() },
        ),
        changed("IMPLAUSIBLE_DATE", "conferred tomorrow", |award| award.conferred = day(TODAY.0, TODAY.1, TODAY.2 + 1)),
        changed("UNKNOWN_REFERENCE", "under an unknown definition", |award| award.definition = Some(name("NONE", 1))),
        changed("CONTRADICTION", "a title of its own", |award| award.titles = vec![text("A title")]),
        honoured("honorary, under a definition", |award| award.definition = Some(name("CERT", 1))),
        honoured("honorary, counting a credit", |award| award.allocations = vec![put(2, 1)]),
        honoured("honorary, with the signature of somebody else", |award| *award = cosigned(award, OTHER_KEY)),
        changed("NO_MANDATE", "without a mandate", |award| award.mandate = None),
        under(
            Some("NOT_THE_PUBLISHER"),
            "under the definition of another institution",
            |_| (),
            &pb::Award { definition: Some(pb::QualificationName { institution: 2, ..name("CERT", 1) }), ..declared() },
        )
        .with(|case| {
            case.set(
                Kind::QualificationDefinition,
                &pb::QualificationDefinition { institution: 2, ..definition("CERT") },
            );
        }),
        under(
            Some("NOT_IN_FORCE"),
            "before the first day of its definition",
            |_| (),
            &pb::Award { conferred: day(2019, 12, 31), ..audited() },
        ),
        under(
            Some("NOT_IN_FORCE"),
            "after the last day of its definition",
            |entry| entry.until = day(2026, 11, 19),
            &audited(),
        ),
        under(Some("NOT_IN_FORCE"), "under a version that was replaced", |_| (), &audited()).with(|case| {
            let second = pb::QualificationDefinition { version: 2, from: day(2026, 11, 20), ..definition("CERT") };
            case.set(Kind::QualificationDefinition, &second);
        }),
        under(Some("NOT_COSIGNED"), "a joint award by one of two", joint, &audited()),
        under(
            Some("NOT_COSIGNED"),
            "signed by nobody whom the definition names",
            |_| (),
            &cosigned(&audited(), OTHER_KEY),
        ),
        under(
            Some("NOT_COSIGNED"),
            "a signature for another award",
            joint,
            &pb::Award { documents: vec![document("2026/18")], ..cosigned(&audited(), OTHER_KEY) },
        ),
        under(
            Some("NOT_COSIGNED"),
            "a signature that ended a minute before the seal",
            joint,
            &cosigned_as(&audited(), OTHER_KEY, |one| one.until_minute = NOW_MS / 60_000 - 1),
        ),
        under(
            Some("NOT_COSIGNED"),
            "a signature for more than 30 days",
            joint,
            &cosigned_as(&audited(), OTHER_KEY, |one| one.until_minute = NOW_MS / 60_000 + 43_201),
        ),
        under(
            Some("MISSING_FIELD"),
            "a signature without a salt",
            joint,
            &cosigned_as(&audited(), OTHER_KEY, |one| one.salt.clear()),
        ),
        changed("NO_MANDATE", "a legal basis beside a paper", |award| {
            let legal_basis = ex_officio().expect("a mandate").legal_basis;
            award.mandate = paper().map(|paper| pb::Mandate { legal_basis, ..paper });
        }),
        changed("NO_MANDATE", "a legal basis with a list of acts", |award| {
            award.mandate = ex_officio().map(|basis| pb::Mandate { acts: vec![i32::from(Kind::Award)], ..basis });
        }),
        changed("MANDATE_USED", "a legal basis that an earlier award has used", |award| award.mandate = ex_officio())
            .with(|case| case.use_up(0)),
        under(Some("MANDATE_USED"), "a joint signature that an earlier award has used", joint, &{
            cosigned(&audited(), OTHER_KEY)
        })
        .with(|case| case.use_up(1)),
        under(Some("NOT_COSIGNED"), "signed with a key for credits", joint, &cosigned(&audited(), NARROW_KEY))
            .with(|case| case.set(Kind::Key, &key_for(Purpose::Unit, 2, 1, &signing(NARROW_KEY), &[Kind::Credit]))),
        under(Some("NOT_COSIGNED"), "signed with an approver's key", joint, &cosigned(&audited(), NARROW_KEY))
            .with(|case| case.set(Kind::Key, &key_for(Purpose::Approver, 2, 1, &signing(NARROW_KEY), &[]))),
    ]
}

fn counting() -> Vec<Case> {
    let unusable = |about, marks: &'static [(Action, u64)]| {
        awarding(Some("SOURCE_NOT_USABLE"), about, |case| studied(case, marks), &audited())
    };
    let asks = |about, requirement: pb::Requirement| {
        under(Some("REQUIREMENTS_NOT_MET"), about, move |entry| entry.requirements.push(requirement), &audited())
    };
    vec![
        unusable("a credit that was revoked", &[(Action::Revoke, 8)]),
        unusable("a credit that was superseded", &[(Action::Supersede, 8)]),
        unusable("a credit under review", &[(Action::Review, 8)]),
        unusable("a credit that is disputed", &[(Action::Dispute, 8)]),
        changed("SOURCE_NOT_USABLE", "a credit that is not there", |award| award.allocations = vec![put(2, 3)]),
        changed("SOURCE_NOT_USABLE", "another status id", |award| {
            award.allocations[0].record =
                Some(pb::RecordReference { place: Some(at(1)), status_id: id(at(2)), ..Default::default() });
        }),
        changed("SOURCE_NOT_USABLE", "a result of a credit", |award| award.allocations[0].result_plus_1 = 1),
        of_credit("SOURCE_NOT_USABLE", "expired on the day before", |credit| credit.expires = day(2026, 11, 19)),
        of_credit("NOT_VISIBLE", "visible from the day after the block on", |credit| {
            credit.visible_from = day(2026, 11, 24);
        }),
        of_credit("NOT_VISIBLE", "visible from the month after the block on", |credit| {
            credit.visible_from = day(2026, 12, 0);
        }),
        of_credit("SOURCE_NOT_USABLE", "in another unit", |credit| {
            credit.amount = Some(pb::Amount { e4: 60_0000, unit: "ECTS".to_owned() });
        }),
        of_credit("REQUIREMENTS_NOT_MET", "a ten-thousandth too little", |credit| {
            credit.amount = Some(pb::Amount { e4: 59_9999, unit: "CATS".to_owned() });
        }),
        of_credit("REQUIREMENTS_NOT_MET", "at another level", |credit| {
            credit.level = Some(pb::Level { framework: "FHEQ".to_owned(), level: "5".to_owned() });
        }),
        changed("REQUIREMENTS_NOT_MET", "nothing is counted", |award| {
            (award.allocations, award.redeems) = (Vec::new(), Vec::new());
        }),
        changed("REQUIREMENTS_NOT_MET", "a mean that nobody asks for", |award| {
            award.average_e4 = Some(pb::Ratio { numerator: 1, denominator: 1 });
        }),
        changed("UNKNOWN_REFERENCE", "a credit for what takes none", |award| award.allocations = vec![put(1, 1)]),
        asks("too short a stay", pb::Requirement { months: 9, ..node(1, Type::Enrolment) }),
        asks("without the attestation", pb::Requirement { code: "THESIS".to_owned(), ..node(1, Type::Attestation) }),
        asks(
            "more than a share of own credit",
            pb::Requirement {
                share: Some(pb::Ratio { numerator: 1, denominator: 2 }),
                r#match: Some(pb::Match { origins: vec![pb::Origin::Own.into()], ..Default::default() }),
                ..node(1, Type::AtMost)
            },
        ),
        under(
            Some("ALREADY_SPENT"),
            "one credit for two requirements",
            |entry| entry.requirements.push(credits(1, 60, "6")),
            &pb::Award { allocations: vec![put(2, 1), put(3, 1)], ..audited() },
        ),
        under(
            Some("CONTRADICTION"),
            "allocations out of order",
            |entry| entry.requirements.push(credits(1, 60, "6")),
            &pb::Award { allocations: vec![put(3, 1), put(2, 1)], ..audited() },
        ),
        under(
            Some("REQUIREMENTS_NOT_MET"),
            "a credit for an alternative that does not hold",
            |entry| {
                let any = pb::Requirement { choose: 1, ..node(0, Type::Any) };
                entry.requirements = vec![any, credits(1, 60, "6"), credits(1, 120, "6")];
            },
            &pb::Award {
                allocations: vec![put(2, 1), put(3, 2)],
                redeems: vec![reference(at(1)), reference(at(2))],
                ..audited()
            },
        )
        .with(|case| {
            let other =
                pb::Credit { course: Some(pb::Course { code: "BBB".to_owned(), titles: vec![text("B")] }), ..credit() };
            case.holds(Held::new(2, course("BBB")), Kind::Credit, &other);
        }),
    ]
}

fn spending() -> Vec<Case> {
    vec![
        awarding(
            Some("ALREADY_SPENT"),
            "a credit that another award holds",
            |case| certified(case, &[]),
            &pb::Award { redeems: Vec::new(), ..audited() },
        ),
        changed("ALREADY_SPENT", "that redeems nothing for what it counts", |award| award.redeems.clear()),
        changed("ALREADY_SPENT", "that redeems more than it counts", |award| award.redeems.push(reference(at(2))))
            .with(|case| {
                case.holds(Held::new(2, course("BBB")), Kind::Credit, &credit());
            }),
        awarding(
            Some("ALREADY_SPENT"),
            "an award absorbed twice",
            |case| certified(case, &[(Action::Redeem, 8)]),
            &absorbing(),
        ),
        awarding(
            Some("SOURCE_NOT_USABLE"),
            "an award absorbed that the definition does not name",
            |case| certified(case, &[]),
            &pb::Award {
                absorbs: vec![reference(at(6))],
                redeems: vec![reference(at(1)), reference(at(6))],
                ..audited()
            },
        ),
        awarding(
            Some("SOURCE_NOT_USABLE"),
            "an award absorbed that was revoked",
            |case| certified(case, &[(Action::Revoke, 8)]),
            &absorbing(),
        ),
        overlapping(Some("ALREADY_SPENT"), "an overlap that the other definition does not allow", 60, 0),
        overlapping(Some("ALREADY_SPENT"), "an overlap that this definition does not allow", 0, 60),
        overlapping(Some("ALREADY_SPENT"), "more overlap than both allow", 60, 59),
        awarding(Some("EFFECT_MISMATCH"), "without the redemption", earned, &audited())
            .with(|case| case.groups.clear()),
        awarding(Some("EFFECT_MISMATCH"), "redeemed by another mandate", earned, &audited()).with(|case| {
            let other = pb::Mandate { salt: vec![4; 16], ..paper().expect("a mandate") };
            case.groups = vec![redeeming(Kind::Award, Some(&other), &[at(1)])];
        }),
        awarding(Some("DUPLICATE_RECORD"), "two awards of a learner in a block", earned, &audited())
            .with(|case| case.records.push(record(Kind::Award, &declared(), 2))),
        amending(Some("CONTRADICTION"), "an amendment that counts something else", |award| {
            award.allocations = vec![put(2, 2)];
        }),
        amending(Some("CONTRADICTION"), "an audited award that becomes a declared one", |award| {
            *award = pb::Award { amends: award.amends, ..declared() };
        }),
        amending(Some("CONTRADICTION"), "an audited award that was conferred on another day", |award| {
            award.conferred = day(2026, 11, 19);
        }),
        amending(Some("CONTRADICTION"), "an audited award that becomes an honorary one", |award| {
            *award = pb::Award { amends: award.amends, ..honorary() };
        }),
        amending(Some("EFFECT_MISMATCH"), "an amendment that redeems once more", |_| ()).with(|case| {
            case.held.clear();
            certified(case, &[]);
            case.groups.push(redeeming(Kind::Award, paper().as_ref(), &[at(2)]));
        }),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [forms(), counting(), spending()].into_iter().flatten().collect()
}

pub(crate) fn admitted() -> Vec<Case> {
    let thesis = pb::Requirement { code: "THESIS".to_owned(), ..node(1, Type::Attestation) };
    let attested = pb::Attestation {
        requirement: 3,
        attested_by: "The board".to_owned(),
        text: "Passed".to_owned(),
        on: day(2026, 11, 20),
    };
    vec![
        awarding(None, "audited", earned, &audited()),
        awarding(
            None,
            "of credit that is visible from the day of the block on",
            |case| {
                let entry = pb::Credit { visible_from: day(2026, 11, 23), ..credit() };
                case.set(Kind::QualificationDefinition, &definition("CERT"));
                case.holds(Held::new(1, course("AAA")), Kind::Credit, &entry);
            },
            &audited(),
        ),
        awarding(None, "declared", earned, &declared()),
        awarding(None, "ex officio", earned, &pb::Award { mandate: ex_officio(), ..audited() }),
        awarding(None, "honorary", earned, &honorary()),
        under(None, "a joint award", joint, &cosigned(&audited(), OTHER_KEY)),
        under(
            None,
            "with an attestation",
            |entry| entry.requirements.push(thesis),
            &pb::Award { attestations: vec![attested], ..audited() },
        ),
        under(
            None,
            "a stay of eight months",
            |entry| entry.requirements.push(pb::Requirement { months: 8, ..node(1, Type::Enrolment) }),
            &audited(),
        ),
        awarding(
            None,
            "an award absorbed: what it holds counts, and the award is redeemed",
            |case| certified(case, &[]),
            &absorbing(),
        ),
        overlapping(None, "an overlap that both definitions allow", 60, 60),
        amending(None, "an amendment that counts the same", |_| ()),
    ]
}
