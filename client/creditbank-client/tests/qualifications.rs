//! The definitions that come with the client: what stands in each is what was published, to the last credit.

use std::fs;
use std::path::PathBuf;

use creditbank_allocation::{Answer, allocate};
use creditbank_client::authoring::qualification::{parse, review_alone};
use creditbank_protocol::Part;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{
    Amount, AssessmentType, Kind, Level, Mode, Origin, OutcomeType, Place, QualificationDefinition, Ratio,
    RecordReference,
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
fn is_awarded(definition: &QualificationDefinition, mut credits: Vec<Candidate>) -> bool {
    for (index, credit) in (0u32..).zip(&mut credits) {
        let place = Place { entry: 5, index };
        credit.record.place = Some(place);
        credit.roots = vec![CandidateRoot { place: place.into(), fraction: Ratio { numerator: 1, denominator: 1 } }];
        credit.course.get_or_insert_with(|| CourseName::alone(1.into(), &format!("C{index}")));
    }
    let registry = registry();
    let case = Case::new(&registry, definition, &credits, &[], &[], &[], conferred()).expect("a tree");
    match allocate(&case, &mut || false) {
        Answer::Met { .. } => true,
        Answer::Missing(_) => false,
        Answer::Undecided => panic!("{}: small questions are decided", definition.code),
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
        assert!(is_awarded(&asked, learner(least, total - least)), "{name}");
        assert!(!is_awarded(&asked, learner(least, total - least - 1)), "{name}: the total");
        assert!(!is_awarded(&asked, learner(least - 1, total - least + 1)), "{name}: the level");
    }
}

/// Goal: a Korean award asks for its total, its major, its general education, and accredited institutions.
#[test]
fn korean_awards_begin_at_their_parts() {
    for (name, total, major, general, accredited) in
        [("kr-acbs-bachelor", 140, 60, 30, 18), ("kr-acbs-associate", 80, 45, 15, 0)]
    {
        let asked = definition(name);
        let of = |amount, field: &str, course: &str, institution| {
            credit(&asked, amount, |credit| {
                credit.field = stated(field);
                credit.course = stated(course).map(|code| CourseName::alone(institution, &code));
                credit.institution = institution;
            })
        };
        let learner = |major: u64, general: u64, accredited: u64, other: u64| {
            vec![
                of(major - accredited, "0311", "", 1.into()),
                of(accredited.max(1), "0311", "", if accredited > 0 { 2.into() } else { 1.into() }),
                of(general, "0222", "GE-1", 1.into()),
                of(other - u64::from(accredited == 0), "0541", "", 1.into()),
            ]
        };
        let other = total - major - general;
        assert!(is_awarded(&asked, learner(major, general, accredited, other)), "{name}");
        assert!(!is_awarded(&asked, learner(major, general, accredited, other - 1)), "{name}: the total");
        assert!(!is_awarded(&asked, learner(major - 2, general, accredited, other + 2)), "{name}: the major");
        assert!(!is_awarded(&asked, learner(major, general - 1, accredited, other + 1)), "{name}: general");
        if accredited > 0 {
            assert!(!is_awarded(&asked, learner(major, general, accredited - 1, other)), "{name}: accredited");
        }
    }
}

/// Goal: an Indian exit asks for its total, half of it in the subject, and nothing older than seven years.
#[test]
fn indian_exits_begin_at_their_totals() {
    for (name, total, absorbed) in
        [("in-certificate", 40, 0), ("in-diploma", 80, 1), ("in-degree", 120, 2), ("in-honours", 160, 3)]
    {
        let asked = definition(name);
        assert_eq!(asked.absorbs.len(), absorbed, "{name}");
        assert!(asked.absorbs.iter().all(|name| name.institution == 1 && name.version == 0), "{name}");
        let learner = |subject, rest, ended: &str| {
            let ended = first_day(&date(ended).expect("a date"));
            let of = |amount, field: &str| {
                credit(&asked, amount, |credit| {
                    credit.field = stated(field);
                    credit.period = Some((ended - 100, ended));
                })
            };
            vec![of(subject, "0541"), of(rest, "0222")]
        };
        assert!(is_awarded(&asked, learner(total / 2, total / 2, "2019-07-15")), "{name}");
        assert!(!is_awarded(&asked, learner(total / 2, total / 2 - 1, "2019-07-15")), "{name}: the total");
        assert!(!is_awarded(&asked, learner(total / 2 - 1, total / 2 + 1, "2019-07-15")), "{name}: the subject");
        assert!(!is_awarded(&asked, learner(total / 2, total / 2, "2019-07-14")), "{name}: seven years");
    }
}

/// Goal: a Japanese degree takes 60 credits from elsewhere and not one more.
#[test]
fn a_japanese_degree_is_half_its_own() {
    let asked = definition("jp-bachelor");
    let learner = |own: u64, transfer: u64| {
        let elsewhere = |credit: &mut Candidate| (credit.origin, credit.institution) = (Origin::Transfer, 2.into());
        vec![credit(&asked, own, |_| ()), credit(&asked, transfer, elsewhere)]
    };
    assert!(is_awarded(&asked, learner(64, 60)));
    assert!(!is_awarded(&asked, learner(63, 60)), "the total");
    assert!(!is_awarded(&asked, learner(63, 61)), "the cap");
}
