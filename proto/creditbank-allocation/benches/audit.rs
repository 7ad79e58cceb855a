//! How long an audit takes: learners with 60 records against a definition of 30 requirements. What a learner waits for is the
//! slowest percent, so percentiles are printed, apart for those who qualify and those who do not.

use std::time::{Duration, Instant};

use creditbank_allocation::{Answer, allocate};
use creditbank_protocol::pb::{
    Amount, AssessmentType, Grade, Kind, Level, Match, Mode, Origin, OutcomeType, QualificationDefinition, Ratio,
    RecordReference, Requirement, RequirementType,
};
use creditbank_protocol::{Part, Place};
use creditbank_rules::qualification::{Candidate, CandidateRoot, Case};
use creditbank_rules::{CourseName, Registry, RegistryRecord, seed};

const LEARNERS: u64 = 400;
const RECORDS: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(2);

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).expect("small")]
    }
}

fn node(parent: u32, kind: RequirementType) -> Requirement {
    Requirement { parent, r#type: kind.into(), ..Default::default() }
}

fn credits(parent: u32, amount: u64, asked: Match) -> Requirement {
    Requirement { amount_e4: amount * 10_000, r#match: Some(asked), ..node(parent, RequirementType::Credits) }
}

fn fields(codes: &[&str]) -> Match {
    Match { fields: codes.iter().map(|code| (*code).to_owned()).collect(), ..Default::default() }
}

fn level(code: &str) -> Level {
    Level { framework: "EQF".to_owned(), level: code.to_owned() }
}

const FIELDS: [&str; 8] = ["0611", "0612", "0613", "0541", "0542", "0311", "0222", "0231"];

/// A bachelor's degree of 180 credits: core courses, a major with tracks, a minor of several, general studies, caps,
/// residency, level, mean, age.
fn definition() -> QualificationDefinition {
    let any = |parent, choose| Requirement { choose, ..node(parent, RequirementType::Any) };
    let share = |numerator, denominator| Some(Ratio { numerator, denominator });
    let of = |origin: Origin| Some(Match { origins: vec![origin.into()], ..Default::default() });
    let courses = |codes: &[&str]| {
        let courses = codes.iter().map(|code| (*code).to_owned()).collect();
        Some(Match { courses, ..Default::default() })
    };
    let six = Some(Match { levels: vec![level("6")], ..Default::default() });
    let minimum = Some(Grade { scale: "GB-100-UG".to_owned(), value: "55".to_owned() });
    let at_most = |parent| node(parent, RequirementType::AtMost);
    let requirements = vec![
        node(0, RequirementType::All),
        // The major: 2 to 12.
        node(1, RequirementType::All),
        Requirement { r#match: courses(&["C0", "C1", "C2"]), ..node(2, RequirementType::Courses) },
        any(2, 2),
        credits(4, 20, fields(&["0611"])),
        credits(4, 20, fields(&["0612"])),
        credits(4, 20, fields(&["0613"])),
        credits(2, 30, fields(&["06"])),
        Requirement { amount_e4: 200_000, r#match: six.clone(), ..node(2, RequirementType::AtLeast) },
        Requirement { minimum: minimum.clone(), ..node(2, RequirementType::Average) },
        Requirement { share: share(1, 2), r#match: of(Origin::Transfer), ..at_most(2) },
        Requirement { amount_e4: 100_000, r#match: of(Origin::Rpl), ..at_most(2) },
        // A minor of three: 13 to 19.
        any(1, 1),
        node(13, RequirementType::All),
        credits(14, 20, fields(&["054"])),
        credits(14, 5, fields(&["0311"])),
        node(13, RequirementType::All),
        credits(17, 15, fields(&["02"])),
        credits(17, 10, fields(&["03", "0541"])),
        // General studies: 20 to 24.
        node(1, RequirementType::All),
        credits(20, 10, fields(&["02"])),
        credits(20, 10, fields(&["03", "05"])),
        credits(20, 15, fields(&["02", "03", "05", "06"])),
        Requirement { amount_e4: 300_000, r#match: of(Origin::Transfer), ..at_most(20) },
        // The whole: 25 to 30.
        credits(1, 25, fields(&["02", "03", "05", "06"])),
        Requirement { amount_e4: 1_800_000, ..node(1, RequirementType::AtLeast) },
        Requirement { share: share(1, 2), r#match: of(Origin::Own), ..node(1, RequirementType::AtLeast) },
        Requirement { share: share(2, 5), r#match: of(Origin::Transfer), ..at_most(1) },
        Requirement { minimum, ..node(1, RequirementType::Average) },
        Requirement { months: 84, ..node(1, RequirementType::Age) },
    ];
    assert_eq!(requirements.len(), 30);
    QualificationDefinition {
        institution: 1,
        code: "BSC".to_owned(),
        version: 1,
        unit: "ECTS".to_owned(),
        average_scale: "GB-100-UG".to_owned(),
        requirements,
        ..Default::default()
    }
}

fn learner(dice: &mut Dice) -> Vec<Candidate> {
    let lift = dice.below(15);
    (0..RECORDS)
        .map(|index| {
            let place = Place::new(5, index);
            let end = 20_000 + i64::try_from(dice.below(2_900)).expect("small");
            Candidate {
                record: RecordReference { place: Some(place.into()), status_id: vec![9; 32], ..Default::default() },
                part: Part::Whole,
                kind: Kind::Credit,
                institution: 1.into(),
                course: Some(CourseName::alone(1.into(), &format!("C{index}"))),
                amount: Some(Amount {
                    e4: [25_000, 30_000, 40_000, 50_000, 60_000, 75_000][usize::try_from(dice.below(6)).expect("six")],
                    unit: "ECTS".to_owned(),
                }),
                level: Some(level(dice.of(&["4", "5", "6", "6"]))),
                field: Some(dice.of(&FIELDS).to_owned()),
                mode: Mode::OnSite,
                assessment: AssessmentType::Exam,
                origin: [Origin::Own, Origin::Own, Origin::Transfer, Origin::Rpl]
                    [usize::try_from(dice.below(4)).expect("four")],
                grade: Some(Grade { scale: "GB-100-UG".to_owned(), value: (40 + lift + dice.below(30)).to_string() }),
                attempt: Some(1),
                period: Some((end - 120, end)),
                completed: None,
                expires: None,
                esco_uris: Vec::new(),
                outcome: OutcomeType::Unspecified,
                score: None,
                agreement: None,
                basis: creditbank_protocol::pb::PassBasis::Earned,
                declared: false,
                repeats_max: Some(0),
                after_enrolment: false,
                roots: vec![CandidateRoot { place, fraction: Ratio { numerator: 1, denominator: 1 } }],
                barred: None,
                hypothetical: false,
            }
        })
        .collect()
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    if times.is_empty() {
        return;
    }
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let (p50, p99, most) = (at(50), at(99), times[times.len() - 1]);
    println!("{name}: {} learners, p50 {p50:.2?}, p99 {p99:.2?}, most {most:.2?}", times.len());
}

fn main() {
    let mut registry = Registry::new("test.example/log");
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
    }
    let definition = definition();
    let (mut met, mut missing, mut undecided, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 1..=LEARNERS {
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut candidates = learner(&mut dice);
        for (core, candidate) in ["0611", "0612", "0613"].into_iter().zip(&mut candidates) {
            candidate.field = Some(core.to_owned());
        }
        let begun = Instant::now();
        let case = Case::new(&registry, &definition, &candidates, &[], &[], &[], 22_500).expect("a tree");
        let answer = allocate(&case, &mut || begun.elapsed() > PATIENCE);
        let took = begun.elapsed();
        all.push(took);
        match answer {
            Answer::Met { .. } => met.push(took),
            Answer::Missing(_) => missing.push(took),
            Answer::Undecided(_) => undecided.push(took),
        }
    }
    percentiles("met", met);
    percentiles("missing", missing);
    percentiles("undecided", undecided);
    percentiles("all", all);
}
