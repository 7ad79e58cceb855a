//! How many realistic audits are decided, and how fast: `cargo bench --bench allocation -- realistic [CASES]`.
//!
//! A case is a programme and a learner, both of a seed. The *programme* has a major with core courses (COURSES, or AMONG what
//! counts), groups of fields and a choice of tracks; two or three minors of which one is chosen; general studies of
//! groups of three fields; and over the whole a total, a minimum at the final level, residency, caps of transfer, of prior learning and of
//! what is online, a mean and an age. Groups are added until there are as many requirements as asked for; their amounts
//! are shares of a total of 3 credits a record. The *learner* has studied semester by semester over eight years: courses of 2.5
//! to 10 credits, two thirds of them in the fields of the programme, levels rising with the years, a tenth by transfer, a
//! twentieth by prior learning, a sixth online; some courses were repeated, and every twentieth record shares its root with
//! the one before (two results of one conversion). So some learners have everything, most lack something, and many are
//! close to a bound: where a solver has to work.
//!
//! Printed: how many of the cases with 200 records and 60 requirements were decided within 2 s, and percentiles of the time,
//! also for 60 records and 30 requirements.

use std::time::{Duration, Instant};

use creditbank_allocation::{Answer, allocate};
use creditbank_protocol::Place;
use creditbank_protocol::pb::{
    Amount, Grade, Kind, Level, Match, Mode, Origin, QualificationDefinition, Ratio, RecordReference, Requirement,
    RequirementType as Type,
};
use creditbank_rules::qualification::{Candidate, CandidateRoot, Case};
use creditbank_rules::{CourseName, Registry, RegistryRecord, seed};

const CASES: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(2);
const DAY: i64 = 22_500;
const FIELDS: [&str; 12] =
    ["0611", "0612", "0613", "0541", "0542", "0311", "0222", "0231", "0533", "0713", "0413", "0921"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("small")
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

fn level(code: &str) -> Level {
    Level { framework: "EQF".to_owned(), level: code.to_owned() }
}

/// A tree that grows.
struct Programme {
    nodes: Vec<Requirement>,
}

impl Programme {
    fn node(&mut self, parent: u32, kind: Type) -> u32 {
        self.add(Requirement { parent, r#type: kind.into(), ..Default::default() })
    }

    fn add(&mut self, node: Requirement) -> u32 {
        self.nodes.push(node);
        u32::try_from(self.nodes.len()).expect("small")
    }

    fn credits(&mut self, parent: u32, amount: u64, fields: &[&str]) {
        let fields = fields.iter().map(|code| (*code).to_owned()).collect();
        let asked = Some(Match { fields, ..Match::default() });
        let amount_e4 = amount.max(1) * 10_000;
        self.add(Requirement { parent, r#type: Type::Credits.into(), amount_e4, r#match: asked, ..Default::default() });
    }

    fn courses(&mut self, parent: u32, kind: Type, courses: &[String]) {
        let asked = Some(Match { courses: courses.to_vec(), ..Match::default() });
        self.add(Requirement { parent, r#type: kind.into(), r#match: asked, ..Default::default() });
    }

    fn bound(&mut self, parent: u32, kind: Type, amount: u64, share: Option<(u64, u64)>, asked: Match) {
        let share = share.map(|(numerator, denominator)| Ratio { numerator, denominator });
        let amount_e4 = if share.is_some() { 0 } else { amount * 10_000 };
        let r#match = (asked != Match::default()).then_some(asked);
        self.add(Requirement { parent, r#type: kind.into(), amount_e4, share, r#match, ..Default::default() });
    }
}

fn of(origin: Origin) -> Match {
    Match { origins: vec![origin.into()], ..Match::default() }
}

/// A programme of so many requirements for learners with so many records.
fn programme(dice: &mut Dice, requirements: usize, records: u32) -> QualificationDefinition {
    let total = u64::from(records) * 3;
    let mut made = Programme { nodes: Vec::new() };
    let root = made.node(0, Type::All);
    let core: Vec<String> = (0..3 + dice.below(3)).map(|at| format!("C{at}")).collect();
    let major = made.node(root, Type::All);
    made.courses(major, if dice.one_in(2) { Type::Courses } else { Type::Among }, &core);
    made.credits(major, total / 8, &["06"]);
    let tracks = made.node(major, Type::Any);
    let ways = 2 + dice.below(2);
    for at in 0..=ways {
        made.credits(tracks, total / 24, &[FIELDS[usize::try_from(at).expect("small") % 4]]);
    }
    made.nodes[usize::try_from(tracks).expect("small") - 1].choose = 2;
    made.bound(major, Type::AtLeast, total / 12, None, Match { levels: vec![level("6")], ..Match::default() });
    let minors = made.node(root, Type::Any);
    made.nodes[usize::try_from(minors).expect("small") - 1].choose = 1;
    for pair in FIELDS[4..].chunks(2).take(2 + dice.index(2)) {
        let minor = made.node(minors, Type::All);
        made.credits(minor, total / 20, pair);
        made.credits(minor, total / 30, &pair[..1]);
    }
    let general = made.node(root, Type::All);
    let six = [
        (Type::AtLeast, total * 3 / 4, None, Match::default()),
        (Type::AtLeast, total / 6, None, Match { levels: vec![level("6"), level("7")], ..Match::default() }),
        (Type::AtLeast, 0, Some((1, 2)), of(Origin::Own)),
        (Type::AtMost, 0, Some((2, 5)), of(Origin::Transfer)),
        (Type::AtMost, total / 8, None, of(Origin::Rpl)),
        (Type::AtMost, 0, Some((1, 3)), Match { modes: vec![Mode::Online.into()], ..Match::default() }),
    ];
    let rest = requirements.saturating_sub(made.nodes.len() + six.len() + 3);
    for at in 0..rest {
        let share = total / (45 + dice.below(45)) / (u64::try_from(rest).expect("small") / 12 + 1);
        let two = [FIELDS[dice.index(12)], FIELDS[dice.index(12)], FIELDS[at % 12]];
        made.credits(general, share, &two);
    }
    made.credits(root, total / 20, &["0"]);
    for (kind, amount, share, asked) in six {
        made.bound(root, kind, amount, share, asked);
    }
    let minimum = Some(Grade { scale: "GB-100-UG".to_owned(), value: (48 + dice.below(12)).to_string() });
    made.add(Requirement { parent: root, r#type: Type::Average.into(), minimum, ..Default::default() });
    made.add(Requirement { parent: root, r#type: Type::Age.into(), months: 96, ..Default::default() });
    QualificationDefinition {
        institution: 1,
        code: "BSC".to_owned(),
        version: 1,
        unit: "ECTS".to_owned(),
        average_scale: "GB-100-UG".to_owned(),
        requirements: made.nodes,
        ..Default::default()
    }
}

fn learner(dice: &mut Dice, records: u32) -> Vec<Candidate> {
    let lift = dice.below(15);
    let mut made: Vec<Candidate> = Vec::new();
    for index in 0..records {
        let place = Place::new(5, index);
        let year = i64::from(index * 8 / records);
        let end = DAY - (8 - year) * 365 + i64::try_from(dice.below(365)).expect("small") - 10;
        let reference = RecordReference { place: Some(place.into()), status_id: vec![9; 32], ..Default::default() };
        let origin = match dice.below(20) {
            0 => Origin::Rpl,
            1 | 2 => Origin::Transfer,
            _ => Origin::Own,
        };
        let field = if dice.one_in(3) { FIELDS[dice.index(12)] } else { FIELDS[dice.index(4)] };
        let code = if dice.one_in(15) { dice.below(u64::from(index) + 1) } else { u64::from(index) };
        let shared = made.last().filter(|_| index % 20 == 19).map(|before| before.roots.clone());
        let whole = vec![CandidateRoot { place, fraction: Ratio { numerator: 1, denominator: 1 } }];
        let amount = [25_000, 30_000, 40_000, 50_000, 60_000, 75_000, 100_000][dice.index(7)];
        let high = 4 + (year + i64::try_from(dice.below(3)).expect("small")) / 4;
        made.push(Candidate {
            course: Some(CourseName::alone(1.into(), &format!("C{code}"))),
            amount: Some(Amount { e4: amount, unit: "ECTS".to_owned() }),
            level: Some(level(&high.min(6).to_string())),
            field: Some(field.to_owned()),
            mode: if dice.one_in(6) { Mode::Online } else { Mode::OnSite },
            origin,
            grade: Some(Grade { scale: "GB-100-UG".to_owned(), value: (40 + lift + dice.below(30)).to_string() }),
            period: Some((end - 120, end)),
            roots: shared.unwrap_or(whole),
            ..Candidate::bare(reference, Kind::Credit, 1.into())
        });
    }
    made
}

fn measure(registry: &Registry, cases: u64, records: u32, requirements: usize) {
    let mut times: Vec<Duration> = Vec::new();
    let (mut met, mut missing, mut open) = (0u64, 0u64, Vec::new());
    for number in 1..=cases {
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let definition = programme(&mut dice, requirements, records);
        assert_eq!(definition.requirements.len(), requirements, "as many as are asked for");
        let candidates = learner(&mut dice, records);
        let begun = Instant::now();
        let case = Case::new(registry, &definition, &candidates, &[], &[], &[], DAY).expect("a tree");
        let answer = allocate(&case, &mut || begun.elapsed() > PATIENCE);
        times.push(begun.elapsed());
        match answer {
            Answer::Met { .. } => met += 1,
            Answer::Missing(_) => missing += 1,
            Answer::Undecided(why) => open.push((number, why)),
        }
    }
    times.sort_unstable();
    let at = |permille: usize| times[(times.len() - 1) * permille / 1_000];
    println!(
        "{records} records, {requirements} requirements: {} of {cases} decided ({met} met, {missing} not), p50 {:.2?}, \
         p99 {:.2?}, p99.9 {:.2?}, most {:.2?}; open seeds: {open:?}",
        met + missing,
        at(500),
        at(990),
        at(999),
        at(1_000)
    );
}

fn main() {
    let cases = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(CASES);
    let mut registry = Registry::new("test.example/log");
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
    }
    measure(&registry, cases, 60, 30);
    measure(&registry, cases, 200, 60);
}
