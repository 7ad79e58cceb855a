//! Records that make an award, made up from what its definition asks: proof that it can be met.
//!
//! Each requirement that takes gets records that state just what it asks, or also what a requirement asks that looks at
//! it, in sizes of which every amount can be made. Awards, attestations, enrolments and grades are as good as they have
//! to be. Where no allocation of these makes the award that proves nothing: others may.

use creditbank_protocol::pb::{
    Amount, Attestation, Kind, Match, Mode, Origin, OutcomeType, PassBasis, QualificationDefinition, QualificationName,
    RecordReference, Requirement, RequirementType as Type,
};
use creditbank_protocol::{InstitutionId, Part, Place};
use creditbank_rules::Registry;
use creditbank_rules::dates::{Day, date_of};
use creditbank_rules::qualification::{
    Answer, Candidate, CandidateRoot, Case, GradeOrder, HeldAward, HeldEnrolment, Tree, mark_enrolled, order_of, takes,
};

use crate::allocate;
use crate::linear::gcd;

/// The most that a Credit says of repeats.
const REPEATS_MAX: u32 = 100;

/// Most kinds of records that are made up, and most records of one kind.
const KINDS_MAX: usize = 256;
const SIZES_MAX: usize = 12;
/// How often the solver may ask whether to stop: a bound that is the same on every machine.
const POLLS_MAX: u32 = 20_000;
/// What a record carries where nothing asks for an amount: a course of ten credits.
const COURSE_E4: u64 = 100_000;

/// A record of an example, and the requirement that it fills.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Number of the requirement.
    pub requirement: u32,
    /// The record.
    pub candidate: Candidate,
}

/// Records that make the award on a day, by requirement; `None` where none were found.
pub fn example(registry: &Registry, definition: &QualificationDefinition, day: Day) -> Option<Vec<Piece>> {
    let tree = Tree::of(definition).ok()?;
    let nodes = || (0..tree.size()).map(|position| (position, tree.node(position), tree.kind(position)));
    let attested = nodes().filter(|(_, _, kind)| *kind == Type::Attestation).map(|(position, _, _)| Attestation {
        requirement: Tree::number(position),
        attested_by: "a person".to_owned(),
        text: "an example".to_owned(),
        on: Some(date_of(day)),
    });
    let attestations: Vec<Attestation> = attested.collect();
    let awards = nodes().filter_map(|(_, node, _)| node.awards.first());
    let held = awards.map(|name| HeldAward {
        definition: QualificationName { version: name.version.max(1), ..name.clone() },
        conferred: day,
    });
    let held: Vec<HeldAward> = held.collect();
    let after = nodes().any(|(_, node, _)| node.r#match.as_ref().is_some_and(|asked| asked.after_enrolment));
    let stay = nodes().filter(|(_, _, kind)| *kind == Type::Enrolment).map(|(_, node, _)| node.months).max();
    let from = day - Day::from(stay.unwrap_or(0).saturating_add(13)) * 31;
    let enrolled = HeldEnrolment { definition: None, from, until: None, counts: true, left: false };
    let enrolments = if after || stay.is_some() { vec![enrolled] } else { Vec::new() };
    let mut pool = Pool { registry, definition, tree: &tree, day, made: Vec::new() }.fill();
    mark_enrolled(&mut pool, &enrolments);
    let case = Case::new(registry, definition, &pool, &attestations, &held, &enrolments, day).ok()?;
    let mut polls = 0;
    let mut stop = || {
        polls += 1;
        polls > POLLS_MAX
    };
    let Answer::Met { found, .. } = allocate(&case, &mut stop) else {
        return None;
    };
    let piece = |one: &creditbank_protocol::pb::Allocation| {
        let index = usize::try_from(one.record.as_ref()?.place?.index).ok()?;
        Some(Piece { requirement: one.requirement, candidate: pool.get(index)?.clone() })
    };
    found.allocations.iter().map(piece).collect()
}

/// What is made up.
struct Pool<'a> {
    registry: &'a Registry,
    definition: &'a QualificationDefinition,
    tree: &'a Tree<'a>,
    day: Day,
    made: Vec<Candidate>,
}

impl Pool<'_> {
    fn fill(mut self) -> Vec<Candidate> {
        let sizes = sizes(self.tree);
        let mut kinds: Vec<(usize, Match)> = Vec::new();
        for taker in (0..self.tree.size()).filter(|position| takes(self.tree.kind(*position))) {
            for kind in self.kinds(taker) {
                if kinds.len() < KINDS_MAX && !kinds.contains(&(taker, kind.clone())) {
                    kinds.push((taker, kind));
                }
            }
        }
        for (taker, kind) in kinds {
            self.records(taker, &kind, &sizes);
        }
        self.made
    }

    /// What a record may state that fills a requirement: what it asks; also what one that looks at it asks; all together.
    fn kinds(&self, taker: usize) -> Vec<Match> {
        let asked = |position: usize| self.tree.node(position).r#match.clone().unwrap_or_default();
        let above: Vec<usize> =
            std::iter::successors(self.tree.parent(taker), |position| self.tree.parent(*position)).collect();
        let looks = |position: &usize| {
            let kind = matches!(self.tree.kind(*position), Type::AtLeast | Type::Among);
            kind && above.contains(&self.tree.scope(*position))
        };
        let (mut found, mut all) = (vec![asked(taker)], asked(taker));
        for looking in (0..self.tree.size()).filter(looks) {
            let wanted = asked(looking);
            let each = match self.tree.kind(looking) {
                Type::Among if self.tree.node(looking).amount_e4 == 0 && !wanted.courses.is_empty() => {
                    let one = |code: &String| Match { courses: vec![code.clone()], ..wanted.clone() };
                    wanted.courses.iter().map(one).collect()
                }
                _ => vec![wanted.clone()],
            };
            found.extend(each.iter().filter_map(|one| meet(&asked(taker), one)));
            if let Some(more) = meet(&all, &wanted) {
                all = more;
                found.push(all.clone());
            }
        }
        found
    }

    /// Records of a kind: one for each course that is named, or one for each size.
    fn records(&mut self, taker: usize, kind: &Match, sizes: &[u64]) {
        let node = self.tree.node(taker);
        if self.tree.kind(taker) == Type::Outcome {
            return self.record(node, kind, None, None);
        }
        let fit = |code: &&String| {
            kind.course_prefixes.is_empty() || kind.course_prefixes.iter().any(|one| code.starts_with(one.as_str()))
        };
        let courses: Vec<&String> = kind.courses.iter().filter(fit).collect();
        let count = u64::try_from(courses.len()).unwrap_or(u64::MAX).max(1);
        let amount = if node.amount_e4 > 0 { node.amount_e4.div_ceil(count) } else { COURSE_E4 };
        let most = sizes.last().copied().unwrap_or(amount);
        for code in &courses {
            self.record(node, kind, Some(code), Some(amount));
            // A policy for retakes would choose among two.
            if self.definition.retakes == 0 && most > amount {
                self.record(node, kind, Some(code), Some(most));
            }
        }
        if courses.is_empty() {
            for size in sizes {
                self.record(node, kind, None, Some(*size));
            }
        }
    }

    fn record(&mut self, node: &Requirement, kind: &Match, code: Option<&str>, amount: Option<u64>) {
        let Ok(index) = u32::try_from(self.made.len()) else { return };
        let place = Place::new(1, index);
        let awarding =
            |number: &u64| *number == self.definition.institution || self.definition.awarding.contains(number);
        let institution = kind.institutions.iter().find(|number| awarding(number)).or(kind.institutions.first());
        let institution = InstitutionId(institution.copied().unwrap_or(self.definition.institution));
        let first = |list: &[i32]| list.first().copied().unwrap_or_default();
        let mode = Mode::try_from(first(&kind.modes)).unwrap_or_default();
        let origin = Origin::try_from(first(&kind.origins)).unwrap_or_default();
        let (mode, origin) = match (mode, origin) {
            (Mode::Rpl, _) | (_, Origin::Rpl) => (Mode::Rpl, Origin::Rpl),
            (mode, Origin::Unspecified) if awarding(&institution.0) => (mode, Origin::Own),
            (mode, Origin::Unspecified) => (mode, Origin::Transfer),
            stated => stated,
        };
        let own = || format!("{}{}", kind.course_prefixes.first().map_or("X-", String::as_str), index + 1);
        let course = self.registry.course(institution, &code.map_or_else(own, str::to_owned));
        let outcome = amount.is_none();
        let found = Candidate {
            course: (code.is_some() || !outcome || !kind.course_prefixes.is_empty()).then_some(course),
            amount: amount.map(|e4| Amount { e4, unit: self.definition.unit.clone() }),
            level: kind.levels.first().cloned(),
            field: kind.fields.first().cloned(),
            mode,
            assessment: first(&kind.assessments).try_into().unwrap_or_default(),
            origin,
            grade: self.best_grade().filter(|_| !outcome),
            period: Some((self.day - 100, self.day - 10)),
            esco_uris: kind.esco_uris.first().cloned().into_iter().collect(),
            outcome: if outcome { node.outcome.try_into().unwrap_or_default() } else { OutcomeType::Unspecified },
            score: node.minimum.clone(),
            basis: PassBasis::try_from(first(&kind.bases))
                .ok()
                .filter(|one| *one != PassBasis::Unspecified)
                .unwrap_or(PassBasis::Earned),
            roots: vec![CandidateRoot {
                place,
                fraction: creditbank_protocol::pb::Ratio { numerator: 1, denominator: 1 },
            }],
            part: Part::Whole,
            // A course that is asked for more than once is one that may be repeated.
            repeats_max: Some(REPEATS_MAX),
            ..Candidate::bare(
                RecordReference { place: Some(place.into()), status_id: vec![0; 32], ..Default::default() },
                if outcome { Kind::Outcome } else { Kind::Credit },
                institution,
            )
        };
        self.made.push(found);
    }

    /// The best grade of the scale of means.
    fn best_grade(&self) -> Option<creditbank_protocol::pb::Grade> {
        let scale = self.registry.scale(&self.definition.average_scale)?;
        let order = order_of(scale, &self.definition.grade_points);
        let end = scale.numeric.as_ref().map(|numeric| match order {
            GradeOrder::HigherIsBetter => numeric.max_e4,
            GradeOrder::LowerIsBetter => numeric.min_e4,
        });
        let numbers = end.map(|e4| (e4, creditbank_rules::decimal::show_e4(e4))).into_iter();
        let points = self.definition.grade_points.iter().map(|point| (point.e4, point.value.clone()));
        let all = numbers.chain(points);
        let best = match order {
            GradeOrder::HigherIsBetter => all.max(),
            GradeOrder::LowerIsBetter => all.min(),
        };
        best.map(|(_, value)| creditbank_protocol::pb::Grade { scale: scale.code.clone(), value })
    }
}

/// Amounts of which every amount can be made that is asked for: the common part of all of them, twice, and its doubles.
fn sizes(tree: &Tree<'_>) -> Vec<u64> {
    let amounts = || (0..tree.size()).map(|position| tree.node(position).amount_e4).filter(|amount| *amount > 0);
    let most = amounts().fold(COURSE_E4, u64::saturating_add);
    let common = amounts().fold(0, |common, amount| gcd(common, u128::from(amount)));
    let common = u64::try_from(common).unwrap_or(COURSE_E4).clamp(1, 10_000).max(most >> SIZES_MAX);
    let doubles = std::iter::successors(Some(common), |size| size.checked_mul(2)).take_while(|size| *size <= most);
    std::iter::once(common).chain(doubles.take(SIZES_MAX)).collect()
}

/// What states all that both ask; `None` where nothing can.
fn meet(a: &Match, b: &Match) -> Option<Match> {
    fn both<T: Clone + PartialEq>(a: &[T], b: &[T]) -> Option<Vec<T>> {
        match (a, b) {
            ([], other) | (other, []) => Some(other.to_vec()),
            _ => {
                let common: Vec<T> = a.iter().filter(|one| b.contains(one)).cloned().collect();
                (!common.is_empty()).then_some(common)
            }
        }
    }
    fn begun(a: &[String], b: &[String]) -> Option<Vec<String>> {
        if a.is_empty() || b.is_empty() {
            return both(a, b);
        }
        let longer = |list: &[String], other: &[String]| -> Vec<String> {
            list.iter().filter(|one| other.iter().any(|start| one.starts_with(start.as_str()))).cloned().collect()
        };
        let mut common = longer(a, b);
        common.extend(longer(b, a));
        (!common.is_empty()).then_some(common)
    }
    Some(Match {
        levels: both(&a.levels, &b.levels)?,
        fields: begun(&a.fields, &b.fields)?,
        institutions: both(&a.institutions, &b.institutions)?,
        modes: both(&a.modes, &b.modes)?,
        courses: both(&a.courses, &b.courses)?,
        course_prefixes: begun(&a.course_prefixes, &b.course_prefixes)?,
        origins: both(&a.origins, &b.origins)?,
        assessments: both(&a.assessments, &b.assessments)?,
        esco_uris: both(&a.esco_uris, &b.esco_uris)?,
        bases: both(&a.bases, &b.bases)?,
        after_enrolment: a.after_enrolment || b.after_enrolment,
    })
}
