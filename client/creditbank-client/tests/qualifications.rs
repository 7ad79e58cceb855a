//! The definitions that come with the client: what stands in each is what was published, to the last credit.

use std::fs;
use std::path::PathBuf;

use creditbank_allocation::{Answer, allocate};
use creditbank_client::authoring::qualification::{parse, review_alone};
use creditbank_protocol::Part;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{
    Amount, AssessmentType, Attestation, Grade, Kind, Level, Mode, Origin, OutcomeType, Place, QualificationDefinition,
    Ratio, RecordReference,
};
use creditbank_rules::dates::{Day, first_day, parse as date};
use creditbank_rules::qualification::{Candidate, CandidateRoot, Case};
use creditbank_rules::{CourseName, Registry, RegistryRecord, seed};

fn registry() -> Registry {
    let mut registry = Registry::new("test.example/log");
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
    }
    registry
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../qualifications")
}

fn definition(name: &str) -> QualificationDefinition {
    let text = fs::read_to_string(folder().join(name).with_extension("toml")).expect(name);
    parse(&text, None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn conferred() -> Day {
    first_day(&date("2026-07-15").expect("a date"))
}

/// A credit of institution 1, of its own, a year old: `change` says what else it states.
fn credit(definition: &QualificationDefinition, amount: u64, change: impl Fn(&mut Candidate)) -> Candidate {
    let mut credit = Candidate {
        record: RecordReference { place: None, status_id: vec![9; 32], ..Default::default() },
        part: Part::Whole,
        kind: Kind::Credit,
        institution: 1.into(),
        course: None,
        amount: Some(Amount { e4: amount * 10_000, unit: definition.unit.clone() }),
        level: None,
        field: None,
        mode: Mode::OnSite,
        assessment: AssessmentType::Exam,
        origin: Origin::Own,
        grade: None,
        attempt: None,
        period: Some((conferred() - 500, conferred() - 400)),
        expires: None,
        esco_uris: Vec::new(),
        outcome: OutcomeType::Unspecified,
        score: None,
        agreement: None,
        basis: creditbank_protocol::pb::PassBasis::Earned,
        completed: None,
        declared: false,
        repeats_max: Some(0),
        after_enrolment: false,
        roots: Vec::new(),
        barred: None,
        hypothetical: false,
    };
    change(&mut credit);
    credit
}

/// An empty text states nothing.
fn stated(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether these credits, each a record and a course of its own, make the award.
fn is_awarded(definition: &QualificationDefinition, credits: Vec<Candidate>) -> bool {
    is_awarded_with(definition, credits, &[])
}

/// The same, with what people attest.
fn is_awarded_with(
    definition: &QualificationDefinition,
    mut credits: Vec<Candidate>,
    attestations: &[Attestation],
) -> bool {
    for (index, credit) in (0u32..).zip(&mut credits) {
        let place = Place { entry: 5, index };
        credit.record.place = Some(place);
        credit.roots = vec![CandidateRoot { place: place.into(), fraction: Ratio { numerator: 1, denominator: 1 } }];
        credit.course.get_or_insert_with(|| CourseName::alone(1.into(), &format!("C{index}")));
    }
    let registry = registry();
    let case = Case::new(&registry, definition, &credits, attestations, &[], &[], conferred()).expect("a tree");
    match allocate(&case, &mut || false) {
        Answer::Met { .. } => true,
        Answer::Missing(_) => false,
        Answer::Undecided(_) => panic!("{}: small questions are decided", definition.code),
    }
}

/// Goal: every definition that comes along is canonical, admitted by a new node's registry, and can be met.
#[test]
fn every_definition_is_good() {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let read = definition(&name);
        encode(&read).expect("canonical");
        let review = review_alone(&read).expect("well-formed");
        assert!(review.is_good() && review.conflicts.is_empty(), "{name}: {review:?}");
        assert_eq!(review.lines.len(), read.requirements.len());
        names.push(name);
    }
    names.sort_unstable();
    let known = [
        "in-certificate",
        "in-degree",
        "in-diploma",
        "in-honours",
        "jp-bachelor",
        "kr-acbs-associate",
        "kr-acbs-bachelor",
        "qaa-foundation-degree",
        "qaa-honours-degree",
        "qaa-taught-master",
        "template",
    ];
    assert_eq!(names, known);
}

/// Goal: a British award is made by its total and its part at the level, and by neither with one credit less.
#[test]
fn british_awards_begin_at_their_totals() {
    for (name, total, level, least) in [
        ("qaa-honours-degree", 360, "6", 90),
        ("qaa-foundation-degree", 240, "5", 90),
        ("qaa-taught-master", 180, "7", 150),
    ] {
        let asked = definition(name);
        let at = |amount, level: &str| {
            let level = Some(Level { framework: "FHEQ".to_owned(), level: level.to_owned() });
            credit(&asked, amount, |credit| credit.level.clone_from(&level))
        };
        let learner = |high: u64, low: u64| vec![at(high - 20, level), at(20, level), at(low, "4")];
        let none = |credit: &mut Candidate| credit.level = None;
        assert!(is_awarded(&asked, learner(least, total - least)), "{name}");
        assert!(!is_awarded(&asked, learner(least, total - least - 1)), "{name}: the total");
        assert!(!is_awarded(&asked, learner(least - 1, total - least + 1)), "{name}: the level");
        let higher = (level.parse::<u32>().expect("a number") + 1).to_string();
        assert!(is_awarded(&asked, vec![at(least, &higher), at(total - least, "4")]), "{name}: above the level");
        assert!(is_awarded(&asked, vec![at(total, level)]), "{name}: all at the level");
        // A foundation year is not of the award, nor is what has no level.
        assert!(!is_awarded(&asked, vec![at(least, level), at(total - least, "3")]), "{name}: a foundation year");
        assert!(!is_awarded(&asked, vec![at(total - 1, level), at(1, "3")]), "{name}: one credit of it");
        assert!(!is_awarded(&asked, vec![at(total - 1, level), credit(&asked, 1, none)]), "{name}: no level");
    }
}

/// Goal: a Korean award asks for its total, its major, its general education, and accredited courses, and takes only so much
/// of one institution.
#[test]
fn korean_awards_begin_at_their_parts() {
    for (name, total, major, general, cap) in
        [("kr-acbs-bachelor", 140, 60, 30, 105), ("kr-acbs-associate", 80, 45, 15, 60)]
    {
        let asked = definition(name);
        let of = |amount: u64, code: &str, institution: u64| {
            credit(&asked, amount, |credit| {
                credit.course = Some(CourseName::alone(institution.into(), code));
                credit.institution = institution.into();
            })
        };
        // Of the major, 18 are accredited.
        let learner = |major: u64, general: u64, accredited: u64, other: u64| {
            let parts = [
                (major - accredited, "ECON-1", 1),
                (accredited, "ECON-2", 2),
                (general, "GE-1", 1),
                (other, "ART-1", 1),
            ];
            parts.map(|(amount, code, institution)| of(amount, code, institution)).to_vec()
        };
        let other = total - major - general;
        assert!(is_awarded(&asked, learner(major, general, 18, other)), "{name}");
        assert!(!is_awarded(&asked, learner(major, general, 18, other - 1)), "{name}: the total");
        assert!(!is_awarded(&asked, learner(major - 1, general, 18, other + 1)), "{name}: the major");
        assert!(!is_awarded(&asked, learner(major, general - 1, 18, other + 1)), "{name}: general");
        assert!(!is_awarded(&asked, learner(major, general, 17, other)), "{name}: accredited");
        let one = |amount: u64| {
            vec![of(amount - general, "ECON-1", 2), of(general, "GE-1", 2), of(total - amount, "ART-1", 3)]
        };
        assert!(is_awarded(&asked, one(cap)), "{name}: as much as one institution may give");
        assert!(!is_awarded(&asked, one(cap + 1)), "{name}: one institution");
        let unknown = [of(major, "ECON-1", 2), of(general, "GE-1", 1), of(other, "ART-1", 4)];
        assert!(!is_awarded(&asked, unknown.to_vec()), "{name}: an institution without a cap");
    }
}

/// Goal: an Indian exit asks for its total of higher education, for its last year, half of it in the subject, and for
/// nothing older than seven years.
#[test]
fn indian_exits_begin_at_their_totals() {
    for (name, total, level, absorbed) in [
        ("in-certificate", 40, "4.5", 0),
        ("in-diploma", 80, "5", 1),
        ("in-degree", 120, "5.5", 2),
        ("in-honours", 160, "6", 3),
    ] {
        let asked = definition(name);
        assert_eq!(asked.absorbs.len(), absorbed, "{name}");
        assert!(asked.absorbs.iter().all(|name| name.institution == 1 && name.version == 0), "{name}");
        let of = |amount: u64, field: &str, level: &str, ended: &str| {
            let ended = first_day(&date(ended).expect("a date"));
            credit(&asked, amount, |credit| {
                credit.field = stated(field);
                credit.level = Some(Level { framework: "NCRF".to_owned(), level: level.to_owned() });
                credit.period = Some((ended - 100, ended));
            })
        };
        // The last year at the award's level, what is before it at the lowest.
        let learner = |subject: u64, rest: u64, last: u64, ended: &str| {
            let early = subject.saturating_sub(last);
            let parts = [(subject - early, "0541", level), (early, "0541", "4.5"), (rest, "0222", "4.5")];
            let some = parts.into_iter().filter(|(amount, _, _)| *amount > 0);
            some.map(|(amount, field, level)| of(amount, field, level, ended)).collect::<Vec<_>>()
        };
        let half = total / 2;
        let high = |amount: u64, field: &str| of(amount, field, level, "2019-07-15");
        let whole = vec![high(half, "0541"), high(half, "0222")];
        assert!(is_awarded(&asked, whole.clone()), "{name}: seven years to the day");
        assert!(is_awarded(&asked, vec![high(total, "0541")]), "{name}: all in the subject");
        assert!(!is_awarded(&asked, vec![high(half, "0541"), high(half - 1, "0222")]), "{name}: the total");
        assert!(!is_awarded(&asked, vec![high(half - 1, "0541"), high(half + 1, "0222")]), "{name}: the subject");
        let old = vec![high(half, "0541"), of(half, "0222", level, "2019-07-14")];
        assert!(!is_awarded(&asked, old), "{name}: seven years");
        let school = vec![high(total - 1, "0541"), of(1, "0541", "4", "2025-07-15")];
        assert!(!is_awarded(&asked, school), "{name}: a credit of school");
        if total > 40 {
            assert!(
                is_awarded(&asked, learner(half.max(40), total - half.max(40), 40, "2025-07-15")),
                "{name}: a year"
            );
            assert!(
                !is_awarded(&asked, learner(half.max(40), total - half.max(40), 39, "2025-07-15")),
                "{name}: its level"
            );
        }
    }
}

/// Goal: a Japanese degree takes 60 credits for what was learned elsewhere, in whatever ways, and 60 of remote classes, and
/// not one more.
#[test]
fn a_japanese_degree_is_half_its_own() {
    let asked = definition("jp-bachelor");
    let of = |amount: u64, origin: Origin| credit(&asked, amount, |credit| credit.origin = origin);
    let remote = |amount: u64| credit(&asked, amount, |credit| credit.mode = Mode::Online);
    let own = |amount: u64| of(amount, Origin::Own);
    let elsewhere = [Origin::Transfer, Origin::Rpl, Origin::NonFormal, Origin::Exemption];
    for origin in elsewhere {
        assert!(is_awarded(&asked, vec![own(64), of(60, origin)]), "{origin:?}");
        assert!(!is_awarded(&asked, vec![own(63), of(61, origin)]), "{origin:?}: one too many");
        assert!(!is_awarded(&asked, vec![of(124, origin)]), "{origin:?} alone");
    }
    let each = |amount: u64| elsewhere.map(|origin| of(amount, origin)).to_vec();
    assert!(is_awarded(&asked, [each(15), vec![own(64)]].concat()), "60 of all together");
    assert!(!is_awarded(&asked, [each(16), vec![own(60)]].concat()), "64 of all together");
    assert!(!is_awarded(&asked, vec![own(63), of(60, Origin::Transfer)]), "the total");
    assert!(is_awarded(&asked, vec![own(64), remote(60)]), "remote");
    assert!(!is_awarded(&asked, vec![own(63), remote(61)]), "too much of it remote");
}

/// Goal: the template asks for 300 credits in all, and the core courses and mathematics are among them.
#[test]
fn the_template_asks_for_300_in_all() {
    let asked = definition("template");
    let attested = Attestation {
        requirement: 7,
        attested_by: "A professor".to_owned(),
        text: "Passed".to_owned(),
        on: date("2026-07-01"),
    };
    let of = |amount: u64, code: &str, level: &str, field: &str| {
        credit(&asked, amount, |credit| {
            credit.course = Some(CourseName::alone(1.into(), code));
            credit.level = Some(Level { framework: "FHEQ".to_owned(), level: level.to_owned() });
            credit.field = stated(field);
            credit.grade = Some(Grade { scale: "GB-100-UG".to_owned(), value: "60".to_owned() });
            credit.period = Some((conferred() - 700, conferred() - 400));
        })
    };
    let learner = |total: u64, core: &str, high: u64, mathematics: u64| {
        let rest = total - 40 - high - mathematics;
        vec![
            of(20, "INF-101", "4", "06"),
            of(20, core, "4", "06"),
            of(high, "INF-301", "6", "06"),
            of(mathematics, "MATH-1", "5", "0541"),
            of(rest, "INF-201", "5", "06"),
        ]
    };
    let is = |credits: Vec<Candidate>| is_awarded_with(&asked, credits, std::slice::from_ref(&attested));
    let honest = learner(300, "INF-102", 90, 20);
    assert!(is(honest.clone()), "300 with everything among them");
    assert!(is(learner(301, "INF-102", 91, 20)), "one more");
    assert!(!is_awarded(&asked, honest.clone()), "nobody attests the project");
    assert!(!is(learner(299, "INF-102", 90, 20)), "the total");
    assert!(!is(learner(300, "INF-103", 90, 20)), "a core course");
    assert!(!is(learner(300, "INF-102", 89, 20)), "the level");
    assert!(!is(learner(300, "INF-102", 90, 19)), "mathematics");
    let share = |own: u64| {
        let mut credits = learner(300, "INF-102", 90, 20);
        credits.truncate(1);
        credits[0].amount = Some(Amount { e4: own * 10_000, unit: asked.unit.clone() });
        let mut more = learner(320 - own, "INF-102", 90, 20).split_off(1);
        more.iter_mut().for_each(|credit| credit.origin = Origin::Transfer);
        [credits, more].concat()
    };
    assert!(is(share(100)), "a third is its own");
    assert!(!is(share(99)), "less than a third is");
    let remote = |online: u64| {
        let mut credits = learner(300, "INF-102", 90, 20);
        credits[4].amount = Some(Amount { e4: (150 - online) * 10_000, unit: asked.unit.clone() });
        let mut more = of(online, "INF-202", "5", "06");
        more.mode = Mode::Online;
        [credits, vec![more]].concat()
    };
    assert!(is(remote(150)), "half of it online");
    let all_online = |credits: Vec<Candidate>| {
        credits.into_iter().map(|credit| Candidate { mode: Mode::Online, ..credit }).collect::<Vec<_>>()
    };
    assert!(!is(all_online(honest)), "all of it online");
}
