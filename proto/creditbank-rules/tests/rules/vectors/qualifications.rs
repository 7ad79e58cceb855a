//! Qualifications: definitions that can and cannot be met, and allocations that make the award or do not.

use std::convert::Infallible;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{
    self, Allocation, EnrolmentState as State, Kind, PassBasis, Requirement, RequirementType as Type,
};
use creditbank_rules::admission::{Used, candidates};
use creditbank_rules::dates::first_day;
use creditbank_rules::qualification::{
    Audit, Candidate, Case as Judged, HeldAward, HeldEnrolment, check, mark_enrolled, mark_repeats, takes,
};
use creditbank_rules::{Registry, RegistryRecord, Rejection, Rule};
use serde_json::{Value, json};

use super::chance::Chance;
use super::file::{
    Entry, admit, agreed, bytes, held, institution, kind, list, number, open, record_of, reference, registry,
    seed_entries,
};
use super::file::{shown, unhex};
use super::learners::{self, converted, credit, exempted, outcome, used};
use super::trees::generated;
use crate::fixtures::{ORIGIN, course, credits, day, definition, fheq, grade, node};

/// An award that is judged.
struct Case {
    about: String,
    registry: Vec<Entry>,
    definition: pb::QualificationDefinition,
    records: Vec<(Used, Vec<u8>)>,
    held: Vec<(pb::QualificationName, pb::Date)>,
    award: pb::Award,
}

fn base() -> Vec<Entry> {
    let mut entries = vec![institution(0, "", &[])];
    entries.extend(seed_entries(&["CATS", "ECTS", "FHEQ", "GB-100-UG", "DE-5", "US-4"]));
    entries.extend([institution(1, "GB", &[]), institution(2, "GB", &[]), institution(3, "DE", &[])]);
    let any = definition("BASE", vec![credits(0, 10, None)]);
    entries.push(defined(&pb::QualificationDefinition { institution: 2, ..any }));
    entries
}

fn defined(entry: &pb::QualificationDefinition) -> Entry {
    (Kind::QualificationDefinition, bytes(entry), entry.institution)
}

fn put(requirement: u32, entry: u64, result_plus_1: u32) -> Allocation {
    Allocation { requirement, record: Some(reference(entry)), result_plus_1 }
}

fn award(definition: &pb::QualificationDefinition, allocations: Vec<Allocation>) -> pb::Award {
    let pb::QualificationDefinition { institution, code, version, .. } = definition.clone();
    pb::Award {
        learner: vec![2; 16],
        definition: Some(pb::QualificationName { institution, code, version }),
        basis: pb::AwardBasis::Audited.into(),
        allocations,
        conferred: day(2024, 7, 15),
        ..Default::default()
    }
}

/// What the rules say.
fn judge(
    registry: &Registry,
    definition: &pb::QualificationDefinition,
    records: &[Used],
    held: &[HeldAward],
    award: &pb::Award,
) -> Result<Audit, Rejection> {
    let mut all: Vec<_> = records.iter().flat_map(|used| candidates(registry, definition, used)).collect();
    let enrolment = |reference: &pb::RecordReference| {
        let used = records.iter().find(|used| used.reference() == *reference).expect("an enrolment of the case");
        HeldEnrolment::of(&used.record.read().expect("an enrolment"))
    };
    let enrolments: Vec<_> = award.enrolments.iter().map(enrolment).collect();
    mark_enrolled(&mut all, &enrolments);
    mark(registry, records, &mut all);
    let day = first_day(award.conferred.as_ref().expect("a day"));
    check(registry, definition, &all, &award.allocations, &award.attestations, held, &enrolments, 1.into(), day)
}

/// What the Credits of the case say of repeats.
fn mark(registry: &Registry, records: &[Used], all: &mut [Candidate]) {
    let said = |place| {
        let used = records.iter().find(|used| used.place == place && used.record.kind() == Kind::Credit)?;
        let read: pb::Credit = used.record.read().expect("a credit");
        Some((registry.course(used.facts.institution, &read.course?.code), read.repeats_max))
    };
    mark_repeats(all, |place| Ok::<_, Infallible>(said(place))).expect("it cannot fail");
}

fn used_of(records: &[(Used, Vec<u8>)]) -> Vec<Used> {
    records.iter().map(|(used, _)| used.clone()).collect()
}

fn held_of(held: &[(pb::QualificationName, pb::Date)]) -> Vec<HeldAward> {
    let one = |(definition, conferred): &(pb::QualificationName, pb::Date)| HeldAward {
        definition: definition.clone(),
        conferred: first_day(conferred),
    };
    held.iter().map(one).collect()
}

impl Case {
    fn new(
        about: &str,
        definition: pb::QualificationDefinition,
        records: &[(u64, u64, Kind, Vec<u8>)],
        allocations: Vec<Allocation>,
    ) -> Self {
        let records = records
            .iter()
            .map(|(entry, institution, kind, body)| (used(*entry, *institution, *kind, body), body.clone()));
        let (records, held) = (records.collect(), Vec::new());
        let award = award(&definition, allocations);
        Self { about: about.to_owned(), registry: vec![defined(&definition)], definition, records, held, award }
    }

    fn to_json(&self, base: &[Entry]) -> Value {
        let registry = admit(&[base, &self.registry].concat());
        let found = judge(&registry, &self.definition, &used_of(&self.records), &held_of(&self.held), &self.award);
        let average_e4 = found.as_ref().ok().and_then(|audit| audit.average_e4);
        let award = pb::Award { average_e4, ..self.award.clone() };
        let record = |(used, body): &(Used, Vec<u8>)| {
            held(&reference(used.place.entry.0), used.facts.institution.0, used.record.kind(), body)
        };
        let standing = |(name, conferred): &(pb::QualificationName, pb::Date)| {
            json!({
                "institution": name.institution, "code": name.code, "version": name.version,
                "conferred": [conferred.year, conferred.month, conferred.day],
            })
        };
        json!({
            "about": self.about, "registry": shown(&self.registry), "records": self.records.iter().map(record).collect::<Vec<_>>(),
            "held": self.held.iter().map(standing).collect::<Vec<_>>(), "award": hex::encode(bytes(&award)),
            "refused": found.as_ref().err().map(|rejection| rejection.rule.name()),
            "holds": found.as_ref().ok().map(|audit| audit.findings.iter().map(|one| one.holds).collect::<Vec<_>>()),
        })
    }
}

fn own(entry: u64, body: &pb::Credit) -> (u64, u64, Kind, Vec<u8>) {
    (entry, 1, Kind::Credit, bytes(body))
}

fn of(entry: u64, institution: u64, body: &pb::Credit) -> (u64, u64, Kind, Vec<u8>) {
    (entry, institution, Kind::Credit, bytes(body))
}

/// All of some requirements.
fn all(requirements: Vec<Requirement>) -> pb::QualificationDefinition {
    let mut nodes = vec![node(0, Type::All)];
    nodes.extend(requirements);
    definition("DEGREE", nodes)
}

fn with_share(kind: Type, numerator: u64, denominator: u64, asked: pb::Match) -> Requirement {
    let asked = Some(asked).filter(|asked| *asked != pb::Match::default());
    Requirement { share: Some(pb::Ratio { numerator, denominator }), r#match: asked, ..node(1, kind) }
}

fn of_origin(origin: pb::Origin) -> pb::Match {
    pb::Match { origins: vec![origin.into()], ..Default::default() }
}

fn amounts() -> Vec<Case> {
    let at_level = |code: &str| pb::Match { levels: vec![fheq(code)], ..Default::default() };
    let three = [own(1, &credit("M1")), own(2, &credit("M2")), of(3, 2, &credit("M3"))];
    let put_all = || vec![put(2, 1, 0), put(2, 2, 0), put(2, 3, 0)];
    let capped = |numerator, denominator| {
        all(vec![
            credits(1, 60, None),
            with_share(Type::AtMost, numerator, denominator, of_origin(pb::Origin::Transfer)),
        ])
    };
    let resident = |numerator, denominator| {
        all(vec![credits(1, 60, None), with_share(Type::AtLeast, numerator, denominator, of_origin(pb::Origin::Own))])
    };
    let halves = |second: (u64, u64)| {
        let records = [
            (1, 1, Kind::Conversion, bytes(&converted("M1", 50, (1, 2)))),
            (2, 1, Kind::Conversion, bytes(&converted("M2", 50, second))),
        ];
        Case::new("parts of one root", all(vec![credits(1, 20, None)]), &records, vec![put(2, 1, 1), put(2, 2, 1)])
    };
    let any = Requirement { choose: 1, ..node(0, Type::Any) };
    let either = || definition("DEGREE", vec![any.clone(), credits(1, 20, None), credits(1, 40, None)]);
    vec![
        Case::new("the amount to the last ten-thousandth", all(vec![credits(1, 60, None)]), &three, put_all()),
        Case::new(
            "a ten-thousandth missing",
            all(vec![Requirement { amount_e4: 600_001, ..credits(1, 60, None) }]),
            &three,
            put_all(),
        ),
        Case::new("at a level", all(vec![credits(1, 60, Some(at_level("6")))]), &three, put_all()),
        Case::new("at another level", all(vec![credits(1, 60, Some(at_level("5")))]), &three, put_all()),
        Case::new("a third by transfer", capped(1, 3), &three, put_all()),
        Case::new("a little less than a third by transfer", capped(333_333, 1_000_000), &three, put_all()),
        Case::new("two thirds of own credit", resident(2, 3), &three, put_all()),
        Case::new("a little more than two thirds of own credit", resident(666_667, 1_000_000), &three, put_all()),
        halves((1, 2)),
        halves((2, 3)),
        Case::new("one of two", either(), &three, vec![put(2, 1, 0)]),
        Case::new("a record for what does not hold", either(), &three, vec![put(2, 1, 0), put(3, 2, 0)]),
        Case::new("out of order", all(vec![credits(1, 40, None)]), &three, vec![put(2, 2, 0), put(2, 1, 0)]),
        Case::new("to what takes nothing", all(vec![credits(1, 20, None)]), &three, vec![put(1, 1, 0)]),
        Case::new("what is not there", all(vec![credits(1, 20, None)]), &three, vec![put(2, 4, 0)]),
        Case::new(
            "one record twice",
            all(vec![credits(1, 20, None), credits(1, 20, None)]),
            &three,
            vec![put(2, 1, 0), put(3, 1, 0)],
        ),
        Case::new(
            "a record of the joint degree's other institution is own",
            pb::QualificationDefinition { awarding: vec![1, 2], ..resident(1, 1) },
            &three,
            put_all(),
        ),
        Case::new(
            "an exemption",
            all(vec![credits(1, 30, Some(of_origin(pb::Origin::Exemption)))]),
            &[(1, 1, Kind::QualificationRecognition, bytes(&exempted(None)))],
            vec![put(2, 1, 1)],
        ),
        Case::new(
            "an exemption of a recognition that has expired",
            all(vec![credits(1, 30, None)]),
            &[(1, 1, Kind::QualificationRecognition, bytes(&exempted(day(2024, 6, 0))))],
            vec![put(2, 1, 1)],
        ),
    ]
}

fn others() -> Vec<Case> {
    let courses = |codes: &[&str]| {
        let courses = codes.iter().map(|code| (*code).to_owned()).collect();
        Requirement { r#match: Some(pb::Match { courses, ..Default::default() }), ..node(1, Type::Courses) }
    };
    let two = [own(1, &credit("M1")), own(2, &credit("M2"))];
    let both = || vec![put(2, 1, 0), put(2, 2, 0)];
    let test = |least: &str| Requirement {
        outcome: 3,
        minimum: Some(pb::Grade { scale: "POINTS".to_owned(), value: least.to_owned() }),
        ..node(1, Type::Outcome)
    };
    let tested = [(1, 2, Kind::Outcome, bytes(&outcome(3)))];
    let name = |version| pb::QualificationName { institution: 2, code: "BASE".to_owned(), version };
    let wants =
        |version| all(vec![credits(1, 20, None), Requirement { awards: vec![name(version)], ..node(1, Type::Award) }]);
    let holding = |about: &str, version, conferred: Option<pb::Date>| {
        let held = conferred.map(|conferred| (name(1), conferred));
        Case { held: held.into_iter().collect(), ..Case::new(about, wants(version), &two, vec![put(2, 1, 0)]) }
    };
    let thesis =
        || all(vec![credits(1, 20, None), Requirement { code: "THESIS".to_owned(), ..node(1, Type::Attestation) }]);
    let attested = |about: &str, requirement, by: &str, on: Option<pb::Date>| {
        let mut case = Case::new(about, thesis(), &two, vec![put(2, 1, 0)]);
        case.award.attestations =
            vec![pb::Attestation { requirement, attested_by: by.to_owned(), text: String::new(), on }];
        case
    };
    let dated = |code: &str, from: Option<pb::Date>, until: Option<pb::Date>| pb::Credit {
        period: Some(pb::Period { from, until }),
        ..credit(code)
    };
    let stay = |about: &str, from: Option<pb::Date>| {
        let records = [own(1, &dated("M1", from, day(2023, 12, 31))), own(2, &credit("M2"))];
        Case::new(
            about,
            all(vec![credits(1, 40, None), Requirement { months: 12, ..node(1, Type::Enrolment) }]),
            &records,
            both(),
        )
    };
    let aged = |about: &str, until: Option<pb::Date>| {
        let records = [own(1, &dated("M1", day(2010, 1, 1), until))];
        Case::new(
            about,
            all(vec![credits(1, 20, None), Requirement { months: 84, ..node(1, Type::Age) }]),
            &records,
            vec![put(2, 1, 0)],
        )
    };
    let expiring = |about: &str, expires| {
        Case::new(
            about,
            all(vec![credits(1, 20, None)]),
            &[own(1, &pb::Credit { expires, ..credit("M1") })],
            vec![put(2, 1, 0)],
        )
    };
    vec![
        Case::new("both courses", all(vec![courses(&["M1", "M2"])]), &two, both()),
        Case::new("one of two courses", all(vec![courses(&["M1", "M2"])]), &two, vec![put(2, 1, 0)]),
        Case::new("a test score", all(vec![test("85")]), &tested, vec![put(2, 1, 0)]),
        Case::new("a test score that is too low", all(vec![test("85.1")]), &tested, vec![put(2, 1, 0)]),
        Case::new("an outcome as credit", all(vec![credits(1, 1, None)]), &tested, vec![put(2, 1, 0)]),
        holding("an award", 1, day(2020, 1, 1)),
        holding("an award in any version", 0, day(2020, 1, 1)),
        holding("an award conferred later", 0, day(2024, 7, 16)),
        holding("no award", 0, None),
        attested("an attestation", 3, "The board", day(2024, 7, 15)),
        attested("an attestation of a month that is not over", 3, "The board", day(2024, 7, 0)),
        attested("an attestation by nobody", 3, "", day(2024, 7, 15)),
        attested("an attestation of something else", 2, "The board", day(2024, 7, 15)),
        stay("a stay of twelve months", day(2023, 7, 1)),
        stay("a stay of a day less", day(2023, 7, 2)),
        aged("seven years to the day", day(2017, 7, 15)),
        aged("seven years and a day", day(2017, 7, 14)),
        aged("seven years, by the month", day(2017, 7, 0)),
        expiring("that counts until the day", day(2024, 7, 15)),
        expiring("that counts until the day before", day(2024, 7, 14)),
        Case::new(
            "in another unit",
            all(vec![credits(1, 20, None)]),
            &[own(
                1,
                &pb::Credit { amount: Some(pb::Amount { e4: 200_000, unit: "ECTS".to_owned() }), ..credit("M1") },
            )],
            vec![put(2, 1, 0)],
        ),
        Case::new(
            "before the definition",
            pb::QualificationDefinition { from: day(2024, 7, 16), ..all(vec![credits(1, 20, None)]) },
            &two,
            vec![put(2, 1, 0)],
        ),
    ]
}

fn means() -> Vec<Case> {
    let without: Vec<String> = ["A+", "A-", "B+", "B-", "C+", "C-", "D", "D+", "D-", "F"].map(str::to_owned).to_vec();
    let mean =
        |scale: &str, least: &str, points: &[(&str, u64)], retakes: pb::RetakePolicy| pb::QualificationDefinition {
            average_scale: scale.to_owned(),
            grade_points: points
                .iter()
                .map(|(value, e4)| pb::GradePoint { value: (*value).to_owned(), e4: *e4 })
                .collect(),
            retakes: retakes.into(),
            no_points: if scale == "US-4" { without.clone() } else { Vec::new() },
            ..all(vec![
                credits(1, 20, None),
                Requirement {
                    minimum: Some(pb::Grade { scale: scale.to_owned(), value: least.to_owned() }),
                    ..node(1, Type::Average)
                },
            ])
        };
    let graded = |code: &str, scale: &str, value: &str, e4: u64| pb::Credit {
        grade: Some(pb::Grade { scale: scale.to_owned(), value: value.to_owned() }),
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        ..credit(code)
    };
    let none = pb::RetakePolicy::Unspecified;
    let three = [
        own(1, &graded("M1", "GB-100-UG", "60", 100_000)),
        own(2, &graded("M2", "GB-100-UG", "70", 200_000)),
        own(3, &credit("M3")),
    ];
    let put_all = || vec![put(2, 1, 0), put(2, 2, 0), put(2, 3, 0)];
    let german = [own(1, &graded("M1", "DE-5", "1.3", 100_000)), own(2, &graded("M2", "DE-5", "2.0", 200_000))];
    let letters = [own(1, &graded("M1", "US-4", "A", 150_000)), own(2, &graded("M2", "US-4", "C", 150_000))];
    let points = [("A", 40_000), ("B", 30_000), ("C", 20_000)];
    let pass = |entry: u64, value: &str, attempt: u32, until: Option<pb::Date>| {
        own(
            entry,
            &pb::Credit {
                attempt,
                period: Some(pb::Period { from: day(2023, 1, 1), until }),
                grade: Some(grade("GB-100-UG", value)),
                ..credit("M1")
            },
        )
    };
    let passes = [
        pass(1, "50", 1, day(2023, 6, 30)),
        pass(2, "70", 2, day(2023, 12, 31)),
        pass(3, "60", 3, day(2024, 6, 30)),
        pass(4, "60", 2, day(2024, 6, 30)),
    ];
    let retaken = |policy: pb::RetakePolicy, least: &str, entry: u64| {
        let about = format!("{} of four passes: the one in entry {entry}", policy.as_str_name());
        Case::new(&about, mean("GB-100-UG", least, &[], policy), &passes, vec![put(2, entry, 0)])
    };
    let mut found = vec![
        Case::new("a mean of 200/3", mean("GB-100-UG", "66.6666", &[], none), &three, put_all()),
        Case::new("a mean just below", mean("GB-100-UG", "66.6667", &[], none), &three, put_all()),
        Case::new(
            "a scale that runs downwards",
            mean("DE-5", "1.8", &[], none),
            &german,
            vec![put(2, 1, 0), put(2, 2, 0)],
        ),
        Case::new(
            "a scale that runs downwards, too bad",
            mean("DE-5", "1.7", &[], none),
            &german,
            vec![put(2, 1, 0), put(2, 2, 0)],
        ),
        Case::new("letters with points", mean("US-4", "B", &points, none), &letters, vec![put(2, 1, 0), put(2, 2, 0)]),
        Case::new("nothing that has a grade", mean("GB-100-UG", "40", &[], none), &three[2..], vec![put(2, 3, 0)]),
    ];
    for policy in [pb::RetakePolicy::First, pb::RetakePolicy::Best, pb::RetakePolicy::Last, pb::RetakePolicy::Average] {
        found.extend((1..=4).map(|entry| retaken(policy, "40", entry)));
    }
    let lower = [own(1, &graded("M1", "DE-5", "1.3", 200_000)), own(2, &graded("M1", "DE-5", "2.0", 200_000))];
    for entry in [1, 2] {
        let best = mean("DE-5", "4.0", &[], pb::RetakePolicy::Best);
        let about = format!("the best of two where lower is better: the one in entry {entry}");
        found.push(Case::new(&about, best, &lower, vec![put(2, entry, 0)]));
    }
    found.push(retaken(pb::RetakePolicy::Average, "60", 3));
    found.push(retaken(pb::RetakePolicy::Average, "60.0001", 3));
    found
}

/// More by one agreement than it allows.
fn shares() -> Vec<Case> {
    let terms = |version, share: Option<pb::Ratio>| pb::AgreementTerms {
        award_share_max: share,
        version,
        ..super::conversions::terms()
    };
    let by = |entry: u64, version| {
        let name = Some(pb::AgreementName { code: "CATS-ECTS".to_owned(), version });
        (entry, 1, Kind::Conversion, bytes(&pb::Conversion { agreement: name, ..converted("M1", 50 + entry, (1, 1)) }))
    };
    let case = |about: &str, share, own_too: &[u64]| {
        let mut records = vec![by(1, 1), by(2, 2)];
        records.extend(own_too.iter().map(|entry| own(*entry, &credit("M2"))));
        let allocations =
            [put(2, 1, 1), put(2, 2, 1)].into_iter().chain(own_too.iter().map(|entry| put(2, *entry, 0))).collect();
        let mut case = Case::new(about, all(vec![credits(1, 20, None)]), &records, allocations);
        case.registry.splice(0..0, [terms(1, None), terms(2, share)].iter().flat_map(agreed));
        case
    };
    let half = Some(pb::Ratio { numerator: 1, denominator: 2 });
    vec![
        case("half of the award by an agreement, over two versions", half, &[3]),
        case("more than half by an agreement", half, &[]),
        case("all by an agreement without a cap", None, &[]),
    ]
}

/// On what passes stand, and enrolments.
fn studies() -> Vec<Case> {
    let passed = |code: &str, basis: PassBasis, value: &str| pb::Credit {
        basis: basis.into(),
        grade: Some(grade("GB-100-UG", value)),
        ..credit(code)
    };
    let of_bases = |bases: &[PassBasis]| pb::Match {
        bases: bases.iter().map(|basis| i32::from(*basis)).collect(),
        ..Default::default()
    };
    let cap = |most: u64| Requirement {
        amount_e4: most * 10_000,
        r#match: Some(of_bases(&[PassBasis::Compensated, PassBasis::Condoned])),
        ..node(1, Type::AtMost)
    };
    let three = [
        own(1, &passed("M1", PassBasis::Unspecified, "70")),
        own(2, &passed("M2", PassBasis::Compensated, "36")),
        own(3, &passed("M3", PassBasis::Condoned, "38")),
    ];
    let put_all = || vec![put(2, 1, 0), put(2, 2, 0), put(2, 3, 0)];
    let mean = |least: &str| Requirement { minimum: Some(grade("GB-100-UG", least)), ..node(1, Type::Average) };
    let with_mean = |about: &str, least: &str| {
        let asked = pb::QualificationDefinition {
            average_scale: "GB-100-UG".to_owned(),
            ..all(vec![credits(1, 60, None), mean(least)])
        };
        Case::new(about, asked, &three, put_all())
    };
    let taken = |about: &str, basis: PassBasis, origin: pb::Origin| {
        let records = [own(1, &passed("M1", basis, "70"))];
        Case::new(about, all(vec![credits(1, 20, Some(of_origin(origin)))]), &records, vec![put(2, 1, 0)])
    };
    // What was learned elsewhere does not become own credit because one awarding institution converts it for another one.
    let converted_from = |about: &str, basis: PassBasis, origin: pb::Origin| {
        let mut conversion = converted("M1", 51, (1, 1));
        conversion.sources.iter_mut().for_each(|source| source.institution = 1);
        conversion.results.iter_mut().for_each(|result| result.basis = basis.into());
        let records = [(1, 1, Kind::Conversion, bytes(&conversion))];
        Case::new(about, all(vec![credits(1, 10, Some(of_origin(origin)))]), &records, vec![put(2, 1, 1)])
    };
    let spell = |version: u32, from: Option<pb::Date>, until: Option<pb::Date>, state: State| pb::Enrolment {
        learner: vec![2; 16],
        programme: course("DEGREE", "A degree"),
        definition: (version > 0).then(|| pb::QualificationName { institution: 1, code: "DEGREE".to_owned(), version }),
        from,
        until,
        state: state.into(),
        ..Default::default()
    };
    let enrolled = |about: &str, definition: pb::QualificationDefinition, spells: &[pb::Enrolment]| {
        let mut records = vec![own(1, &credit("M1"))];
        records.extend((5..).zip(spells).map(|(entry, one)| (entry, 1, Kind::Enrolment, bytes(one))));
        let mut case = Case::new(about, definition, &records, vec![put(2, 1, 0)]);
        case.award.enrolments = (5..).zip(spells).map(|(entry, _)| reference(entry)).collect();
        case
    };
    let stay = |months: u32| all(vec![credits(1, 20, None), Requirement { months, ..node(1, Type::Enrolment) }]);
    let after = || {
        let asked = pb::Match { after_enrolment: true, ..Default::default() };
        all(vec![credits(1, 20, Some(asked))])
    };
    let (registered, leave, completed) = (State::Registered, State::Leave, State::Completed);
    let four = spell(1, day(2020, 7, 15), None, registered);
    let year_off = spell(1, day(2022, 1, 1), day(2022, 12, 31), leave);
    let catalogue = |about: &str, from: Option<pb::Date>, version: u32, state: State| {
        let first = pb::QualificationDefinition { until: day(2022, 12, 31), ..all(vec![credits(1, 20, None)]) };
        enrolled(about, first, &[spell(version, from, day(2024, 6, 30), state)])
    };
    let returned = |about: &str, state: State| {
        let first = pb::QualificationDefinition { until: day(2022, 12, 31), ..all(vec![credits(1, 20, None)]) };
        let began = spell(1, day(2020, 1, 1), day(2021, 6, 30), State::Withdrawn);
        enrolled(about, first, &[began, spell(1, day(2023, 9, 1), None, state)])
    };
    vec![
        Case::new(
            "as much compensated and condoned as is allowed",
            all(vec![credits(1, 60, None), cap(40)]),
            &three,
            put_all(),
        ),
        Case::new("more compensated and condoned", all(vec![credits(1, 60, None), cap(39)]), &three, put_all()),
        Case::new(
            "what was earned alone",
            all(vec![credits(1, 20, Some(of_bases(&[PassBasis::Earned])))]),
            &three,
            vec![put(2, 1, 0)],
        ),
        Case::new(
            "something compensated, where what was earned is asked for",
            all(vec![credits(1, 20, Some(of_bases(&[PassBasis::Earned])))]),
            &three,
            vec![put(2, 2, 0)],
        ),
        with_mean("a mean over marks that do not pass", "48"),
        with_mean("a mean just above that", "48.0001"),
        taken("recognised credit is transfer", PassBasis::Recognised, pb::Origin::Transfer),
        taken("recognised credit is not own", PassBasis::Recognised, pb::Origin::Own),
        taken("exempted credit is exemption", PassBasis::Exempted, pb::Origin::Exemption),
        taken("compensated credit is own", PassBasis::Compensated, pb::Origin::Own),
        converted_from(
            "credit of an awarding institution, converted by one, is own",
            PassBasis::Unspecified,
            pb::Origin::Own,
        ),
        converted_from("recognised credit, converted, is not own", PassBasis::Recognised, pb::Origin::Own),
        converted_from("recognised credit, converted, is transfer", PassBasis::Recognised, pb::Origin::Transfer),
        converted_from("exempted credit, converted, is not own", PassBasis::Exempted, pb::Origin::Own),
        converted_from("exempted credit, converted, is exemption", PassBasis::Exempted, pb::Origin::Exemption),
        converted_from("condoned credit, converted, is own", PassBasis::Condoned, pb::Origin::Own),
        enrolled("four years of enrolment, on the day", stay(48), std::slice::from_ref(&four)),
        enrolled("a month more", stay(49), std::slice::from_ref(&four)),
        enrolled("four years, one of them on leave", stay(37), &[four.clone(), year_off.clone()]),
        enrolled("three years, without that of the leave", stay(36), &[four.clone(), year_off]),
        enrolled(
            "two spells with a gap of half a year",
            stay(30),
            &[spell(1, day(2020, 1, 1), day(2022, 12, 31), completed), spell(0, day(2023, 7, 1), None, registered)],
        ),
        enrolled(
            "overlapping spells count once",
            stay(37),
            &[
                spell(1, day(2020, 1, 1), day(2022, 12, 31), completed),
                spell(0, day(2021, 1, 1), day(2022, 12, 31), registered),
            ],
        ),
        enrolled(
            "credit that ended a day after the enrolment",
            after(),
            &[spell(1, day(2024, 6, 29), None, registered)],
        ),
        enrolled("credit that ended on its first day", after(), &[spell(1, day(2024, 6, 30), None, registered)]),
        enrolled("credit after an enrolment that is named by none", after(), &[]),
        catalogue("enrolled while the version was in force", day(2022, 12, 31), 1, registered),
        catalogue("enrolled a day later", day(2023, 1, 1), 1, registered),
        catalogue("enrolled on no version", day(2022, 12, 31), 0, registered),
        catalogue("enrolled while the version was in force, and completed", day(2022, 12, 31), 1, completed),
        catalogue("enrolled while the version was in force, and withdrawn", day(2022, 12, 31), 1, State::Withdrawn),
        catalogue("enrolled while the version was in force, and excluded", day(2022, 12, 31), 1, State::Excluded),
        returned("withdrawn, and come back to the version", registered),
        returned("withdrawn, and withdrawn once more", State::Withdrawn),
        returned("withdrawn, and on leave from the version", leave),
        catalogue("on leave while the version was in force", day(2022, 12, 31), 1, leave),
    ]
}

/// Random definitions and records; records go where they fit.
fn chances(base: &[Entry]) -> Vec<Case> {
    let mut found = Vec::new();
    let mut seed = 0;
    while found.len() < 240 {
        seed += 1;
        let chance = &mut Chance::new(seed);
        let size = 2 + chance.below(6);
        let definition = generated(chance, "RANDOM", size);
        let registry_of = vec![defined(&definition)];
        let Some(registry) = try_admit(base, &registry_of) else { continue };
        let records = learners::generated(chance, 9);
        let mut all: Vec<_> = records.iter().flat_map(|(used, _)| candidates(&registry, &definition, used)).collect();
        mark(&registry, &used_of(&records), &mut all);
        let day = first_day(&day(2024, 7, 15).expect("a day"));
        let case = Judged::new(&registry, &definition, &all, &[], &[], &[], day).expect("a tree");
        let mut allocations = Vec::new();
        for (position, candidate) in all.iter().enumerate() {
            let honest = chance.below(20) > 0;
            let nodes = 0..case.tree.size();
            let fits = |at: &usize| {
                takes(case.tree.kind(*at)) && case.misfit(*at, position).is_none() && case.obstacle(position).is_none()
            };
            let places: Vec<usize> = nodes.filter(|at| if honest { fits(at) } else { true }).collect();
            if !places.is_empty() && chance.below(8) > 0 {
                let requirement = u32::try_from(chance.of(&places) + 1).expect("small");
                allocations.push(put(requirement, candidate.place().entry.0, candidate.part.written()));
            }
        }
        allocations.sort_by_key(|one| {
            (
                one.requirement,
                one.record.as_ref().and_then(|record| record.place).map(|place| place.entry),
                one.result_plus_1,
            )
        });
        let mut one = award(&definition, allocations);
        let attested = |(number, requirement): (u32, &Requirement)| {
            let on = crate::fixtures::day(2024, 5, 0);
            let by = "The board".to_owned();
            (requirement.r#type == i32::from(Type::Attestation)).then(|| pb::Attestation {
                requirement: number,
                attested_by: by,
                text: String::new(),
                on,
            })
        };
        one.attestations = (1..).zip(&definition.requirements).filter_map(attested).collect();
        let name = pb::QualificationName { institution: 2, code: "BASE".to_owned(), version: 1 };
        let held =
            if chance.one_in(2) { vec![(name, crate::fixtures::day(2020, 1, 1).expect("a day"))] } else { Vec::new() };
        // Most random awards fail by what is missing: enough of these are there.
        let common = judge(&registry, &definition, &used_of(&records), &held_of(&held), &one);
        let common =
            common.is_err_and(|rejection| [Rule::RequirementsNotMet, Rule::UnknownReference].contains(&rejection.rule));
        if common && seed % 4 > 0 {
            continue;
        }
        found.push(Case {
            about: format!("generated: {seed}"),
            registry: registry_of,
            definition,
            records,
            held,
            award: one,
        });
    }
    found
}

fn try_admit(base: &[Entry], more: &[Entry]) -> Option<Registry> {
    let mut registry = admit(base);
    for (kind, body, institution) in more {
        let record = RegistryRecord {
            kind: *kind,
            body,
            institution: (*institution).into(),
            created_at_minute: 0,
            sealed_at_ms: 0,
            entry: 0.into(),
        };
        registry.admit(record).ok()?;
    }
    Some(registry)
}

/// Definitions that just can be met, each followed by one that just cannot.
fn bounds() -> Vec<pb::QualificationDefinition> {
    let origins =
        [pb::Origin::Own, pb::Origin::Transfer, pb::Origin::Rpl, pb::Origin::NonFormal, pb::Origin::Exemption];
    let sixty = || credits(1, 60, None);
    let floor = |numerator, denominator, origin| with_share(Type::AtLeast, numerator, denominator, of_origin(origin));
    let cap = |numerator, denominator, origin| with_share(Type::AtMost, numerator, denominator, of_origin(origin));
    let amount = |kind, e4, asked: Option<pb::Match>| Requirement { amount_e4: e4, r#match: asked, ..node(1, kind) };
    let level_six = || Some(pb::Match { levels: vec![fheq("6")], ..Default::default() });
    let (own, transfer) = (origins[0], origins[1]);
    let each = |denominator| {
        let caps = origins.iter().map(|origin| cap(1, denominator, *origin));
        all(std::iter::once(sixty()).chain(caps).collect())
    };
    let core = |institutions: Vec<u64>, retakes| {
        let course = || Requirement {
            r#match: Some(pb::Match {
                courses: vec!["M1".to_owned()],
                institutions: institutions.clone(),
                ..Default::default()
            }),
            ..node(1, Type::Courses)
        };
        pb::QualificationDefinition { retakes, average_scale: "GB-100-UG".to_owned(), ..all(vec![course(), course()]) }
    };
    let mean = |least: &str| pb::QualificationDefinition {
        average_scale: "GB-100-UG".to_owned(),
        ..all(vec![
            sixty(),
            Requirement {
                minimum: Some(pb::Grade { scale: "GB-100-UG".to_owned(), value: least.to_owned() }),
                ..node(1, Type::Average)
            },
        ])
    };
    // Nothing has to be taken, so the shares are shares of nothing.
    let any = Requirement { choose: 1, ..node(1, Type::Any) };
    let nothing_due = all(vec![
        floor(3, 5, own),
        floor(1, 2, transfer),
        any,
        Requirement { parent: 4, ..sixty() },
        Requirement { parent: 4, code: "THESIS".to_owned(), ..node(4, Type::Attestation) },
    ]);
    vec![
        all(vec![sixty(), floor(1, 2, own), floor(1, 2, transfer)]),
        all(vec![sixty(), floor(3, 5, own), floor(1, 2, transfer)]),
        each(5),
        each(6),
        all(vec![sixty(), floor(1, 3, own), cap(1, 3, own)]),
        all(vec![sixty(), floor(1, 2, own), cap(1, 3, own)]),
        all(vec![sixty(), amount(Type::AtLeast, 300_000, level_six()), amount(Type::AtMost, 300_000, level_six())]),
        all(vec![sixty(), amount(Type::AtLeast, 300_000, level_six()), amount(Type::AtMost, 299_999, level_six())]),
        all(vec![sixty(), floor(1, 2, own), amount(Type::AtMost, 300_000, Some(of_origin(own)))]),
        all(vec![sixty(), floor(1, 2, own), amount(Type::AtMost, 299_999, Some(of_origin(own)))]),
        all(vec![sixty(), amount(Type::AtMost, 600_000, None)]),
        all(vec![sixty(), amount(Type::AtMost, 599_999, None)]),
        all(vec![sixty(), with_share(Type::AtMost, 1, 1, pb::Match::default())]),
        all(vec![
            sixty(),
            Requirement { share: Some(pb::Ratio { numerator: 9, denominator: 10 }), ..node(1, Type::AtMost) },
        ]),
        core(vec![1, 2], 1),
        core(vec![1], 1),
        core(vec![1], 0),
        mean("100"),
        nothing_due,
        all(vec![credits(1, 60, Some(of_origin(transfer))), Requirement { months: 1, ..node(1, Type::Enrolment) }]),
        all(vec![credits(1, 60, Some(of_origin(transfer))), floor(1, 3, own)]),
    ]
}

/// What codes do not tell where an alias stands, or case may matter: each with its own registry.
fn by_codes() -> Vec<(Vec<Entry>, pb::QualificationDefinition)> {
    let asked = |courses: &[&str], prefixes: &[&str]| pb::Match {
        courses: courses.iter().map(|code| (*code).to_owned()).collect(),
        course_prefixes: prefixes.iter().map(|code| (*code).to_owned()).collect(),
        ..Default::default()
    };
    let floor = |prefix| Requirement {
        share: Some(pb::Ratio { numerator: 7, denominator: 10 }),
        r#match: Some(asked(&[], &[prefix])),
        ..node(1, Type::AtLeast)
    };
    let cap = |code| Requirement { r#match: Some(asked(&[code], &[])), ..node(1, Type::AtMost) };
    let stat = all(vec![credits(1, 10, Some(asked(&["MATH1"], &["STAT"])))]);
    let both = all(vec![credits(1, 60, None), floor("MATH"), floor("STAT")]);
    let small = |code| all(vec![credits(1, 10, Some(asked(&["ab"], &[]))), cap(code)]);
    let said = |withdrawn| {
        let (code, same_as) = ("STAT1".to_owned(), "MATH1".to_owned());
        let alias = pb::CourseAlias { institution: 3, code, same_as, withdrawn };
        (Kind::CourseAlias, bytes(&alias), 3)
    };
    let (none, stands, gone) = (Vec::new(), vec![said(false)], vec![said(false), said(true)]);
    let mut found: Vec<_> = [&none, &stands, &gone]
        .into_iter()
        .flat_map(|registry| [(registry.clone(), stat.clone()), (registry.clone(), both.clone())])
        .collect();
    found.extend([(none.clone(), small("AB")), (none, small("ab"))]);
    found
}

/// Definitions, and the rule that each breaks.
fn definitions(base: &[Entry]) -> Vec<Value> {
    let random = |seed: u64| {
        let chance = &mut Chance::new(100_000 + seed);
        let size = 2 + chance.below(7);
        generated(chance, "RANDOM", size)
    };
    let all = bounds().into_iter().chain((1..=400).map(random));
    all.map(|definition| (Vec::new(), definition))
        .chain(by_codes())
        .map(|(own, definition)| {
            let mut registry = admit(&[base, &own].concat());
            let body = bytes(&definition);
            let record = RegistryRecord {
                kind: Kind::QualificationDefinition,
                body: &body,
                institution: 1.into(),
                created_at_minute: 0,
                sealed_at_ms: 0,
                entry: 0.into(),
            };
            let refused = registry.admit(record).err().map(|rejection| rejection.rule.name());
            let mut one = json!({ "body": hex::encode(&body), "refused": refused });
            if !own.is_empty() {
                one["registry"] = shown(&own).into();
            }
            one
        })
        .collect()
}

fn file() -> Value {
    let base = base();
    let lists = [amounts(), others(), means(), shares(), studies(), chances(&base)];
    let cases: Vec<Value> = lists.iter().flatten().map(|case| case.to_json(&base)).collect();
    json!({
        "about": "PROTOCOL.md, Qualifications. `registry` is admitted in its order, then a case's own. `definitions`: whether each is admitted \
                  after it and its own, if it has any. `cases`: `records` are all that the learner has, and stand; `held` are standing awards; `award` is conferred by \
                  institution 1. `holds`: of each requirement, where the award is made.",
        "origin": ORIGIN, "registry": shown(&base), "definitions": definitions(&base), "cases": cases,
    })
}

/// Goal: the rules say of each award and each definition what the file says.
#[test]
fn qualifications() {
    let file = open("qualifications.json", file);
    let (mut made, mut refused) = (0, 0);
    for case in list(&file["cases"]) {
        let registry = registry(&file, case);
        let award: pb::Award = decode(&unhex(&case["award"])).expect("an award");
        let name = award.definition.clone().expect("a definition");
        let definition =
            registry.definition(name.institution.into(), &name.code, name.version).expect("it is published");
        let records = list(&case["records"]).iter().map(|one| {
            let entry = record_of(one).place.expect("a place").entry;
            used(entry, number(&one["institution"]), kind(&one["kind"]), &unhex(&one["body"]))
        });
        let held = list(&case["held"]).iter().map(|one| {
            let part = |at: usize| u32::try_from(number(&one["conferred"][at])).expect("small");
            let (institution, code) = (number(&one["institution"]), one["code"].as_str().expect("a code").to_owned());
            let version = u32::try_from(number(&one["version"])).expect("small");
            let conferred = first_day(&pb::Date { year: part(0), month: part(1), day: part(2) });
            HeldAward { definition: pb::QualificationName { institution, code, version }, conferred }
        });
        let found = judge(&registry, definition, &records.collect::<Vec<_>>(), &held.collect::<Vec<_>>(), &award);
        let rule = found.as_ref().err().map(|rejection| rejection.rule.name());
        assert_eq!(json!(rule), case["refused"], "{}: {found:?}", case["about"]);
        match found {
            Ok(audit) => {
                made += 1;
                assert_eq!(audit.average_e4, award.average_e4, "{}", case["about"]);
                let holds: Vec<bool> = audit.findings.iter().map(|one| one.holds).collect();
                assert_eq!(json!(holds), case["holds"], "{}", case["about"]);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(made > 100 && refused > 80, "{made} made, {refused} refused");
    let mut unsatisfiable = 0;
    for one in list(&file["definitions"]) {
        let body = unhex(&one["body"]);
        let mut registry = super::file::registry(&file, one);
        let record = RegistryRecord {
            kind: Kind::QualificationDefinition,
            body: &body,
            institution: 1.into(),
            created_at_minute: 0,
            sealed_at_ms: 0,
            entry: 0.into(),
        };
        let rule = registry.admit(record).err().map(|rejection| rejection.rule.name());
        assert_eq!(json!(rule), one["refused"]);
        unsatisfiable += usize::from(rule == Some("UNSATISFIABLE"));
    }
    assert!(unsatisfiable > 80, "{unsatisfiable} that cannot be met");
}
