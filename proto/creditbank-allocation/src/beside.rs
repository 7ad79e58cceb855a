//! One award beside others that the learner is on the way to: which allocation leaves them what it can.
//!
//! All definitions are put into one model, each with its own choice of candidates. What two of them take of one root is
//! taken twice: the second one counts it against the overlap that both allow. So first it is asked, definition by
//! definition, whether all so far can be met together; what cannot be is left out. Then the credit is made small that the
//! others could count.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::Place;
use creditbank_rules::qualification::{Beside, Case};

use crate::assignment::Assignment;
use crate::classes::classes;
use crate::linear::{Model, Var};
use crate::problem::Problem;
use crate::solver::{Solved, maximise, solve};

/// How often the solver may ask whether to stop, for each other definition and for the harm: bounds that are the same on
/// every machine.
const POLLS_BESIDE: u32 = 4_000;
const POLLS_HARM: u32 = 500;
/// Largest sum of the harm of all candidates in the solver; larger numbers are divided, rounded up.
const HARM_MAX: u64 = 1_000_000;

/// For each candidate the credit that other definitions could count and lose.
pub(crate) fn harm(case: &Case<'_>, others: &[Beside<'_>]) -> Vec<u64> {
    let mut all = vec![0u64; case.candidates.len()];
    for other in others {
        for (sum, one) in all.iter_mut().zip(other.harm(case)) {
            *sum = sum.saturating_add(one);
        }
    }
    all
}

/// An allocation that leaves the others what it can; `None` where nothing tells, or none was found in the bounded search.
pub(crate) fn gentle(
    case: &Case<'_>,
    others: &[Beside<'_>],
    harm: &[u64],
    stop: &mut dyn FnMut() -> bool,
) -> Option<Assignment> {
    if harm.iter().all(|harm| *harm == 0) {
        return None;
    }
    let (mut kept, mut found): (Vec<&Beside<'_>>, _) = (Vec::new(), None);
    for other in others {
        let tried: Vec<&Beside<'_>> = kept.iter().copied().chain([other]).collect();
        let Some(joint) = Joint::new(case, &tried, harm, stop) else { continue };
        let mut patience = bounded(POLLS_BESIDE, stop);
        if let Solved::Values(values) = solve(&joint.model, &mut patience) {
            found = Some(joint.first.assign(&values));
            kept = tried;
        }
    }
    let mut joint = Joint::new(case, &kept, harm, stop)?;
    let objective = joint.objective(harm)?;
    let mut patience = bounded(POLLS_HARM, stop);
    match maximise(&joint.model, objective, &mut patience) {
        Solved::Values(values) => Some(joint.first.assign(&values)),
        Solved::Never | Solved::Unknown => found,
    }
}

fn bounded(polls_max: u32, stop: &mut dyn FnMut() -> bool) -> impl FnMut() -> bool {
    let mut polls = 0;
    move || {
        polls += 1;
        polls > polls_max || stop()
    }
}

/// Several definitions in one model. The variables of the first come first.
struct Joint<'a> {
    model: Model,
    first: Problem<'a>,
}

/// Candidates of each case by root.
type Roots = BTreeMap<Place, Vec<Vec<usize>>>;

impl<'a> Joint<'a> {
    fn new(
        case: &'a Case<'a>,
        others: &[&'a Beside<'a>],
        harm: &[u64],
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Self> {
        let cases: Vec<&Case<'_>> = std::iter::once(case).chain(others.iter().map(|other| &other.case)).collect();
        let (roots, tags) = tags(&cases, harm, stop)?;
        let mut problems = Vec::new();
        for (case, tags) in cases.iter().zip(&tags) {
            let mut problem = Problem::tagged(case, tags, stop)?;
            problem.ask(stop)?;
            problems.push(problem);
        }
        let mut model = problems[0].model.clone();
        let mut offsets = vec![0];
        for problem in &problems[1..] {
            offsets.push(model.append(problem.model.clone()));
        }
        let of: Vec<BTreeMap<usize, (Var, usize)>> =
            problems.iter().zip(&offsets).map(|(problem, offset)| members(problem, *offset)).collect();
        for one in 0..problems.len() {
            for other in one + 1..problems.len() {
                // Between two others as between the first and one of them; what they allow each other is not asked.
                let overlap = if one == 0 { others[other - 1].overlap_e4 } else { 0 };
                let amount = |candidate: usize| cases[other].candidates[candidate].amount_e4();
                together(&mut model, &roots, (one, other), &of, overlap, &amount)?;
            }
        }
        let first = problems.into_iter().next()?;
        model.is_small().then_some(Self { model, first })
    }

    /// A variable that is the larger the less harm is done.
    fn objective(&mut self, harm: &[u64]) -> Option<Var> {
        let sum = harm.iter().fold(0u64, |sum, one| sum.saturating_add(*one));
        let scale = sum / HARM_MAX + 1;
        let worth = |class: usize| i128::from(harm[self.first.classes[class].first()].div_ceil(scale));
        let terms = self.first.terms(0, worth);
        let most: i128 = terms.iter().map(|(factor, var)| factor * i128::from(self.model.most[*var])).sum();
        let objective = self.model.var(i32::try_from(most).ok()?);
        let mut row: Vec<(i128, Var)> = terms;
        row.push((1, objective));
        self.model.at_most(None, row, most);
        Some(objective)
    }
}

/// For each candidate of a problem the variable of what is taken of its class, and the size of that.
fn members(problem: &Problem<'_>, offset: usize) -> BTreeMap<usize, (Var, usize)> {
    let each = problem.taken[0].iter().flat_map(|taken| {
        let members = &problem.classes[taken.class].members;
        members.iter().map(move |one| (*one, (taken.var + offset, members.len())))
    });
    each.collect()
}

/// What two definitions take of one root the second one counts against the overlap.
fn together(
    model: &mut Model,
    roots: &Roots,
    (one, other): (usize, usize),
    of: &[BTreeMap<usize, (Var, usize)>],
    overlap_e4: u64,
    amount: &dyn Fn(usize) -> u64,
) -> Option<()> {
    // How much of a class of the second one is taken twice.
    let mut twice: BTreeMap<Var, (Var, u64)> = BTreeMap::new();
    let mut done = BTreeSet::new();
    for found in roots.values() {
        for a in &found[one] {
            for b in &found[other] {
                let (Some((ours, size)), Some((theirs, their_size))) = (of[one].get(a), of[other].get(b)) else {
                    continue;
                };
                if !done.insert((*ours, *theirs)) {
                    continue;
                }
                let both = if let Some((both, _)) = twice.get(theirs) {
                    *both
                } else {
                    let both = model.var(i32::try_from(*their_size).ok()?);
                    twice.insert(*theirs, (both, amount(*b)));
                    both
                };
                // Alike in both, they are the same candidates; else there is one of each.
                let size = i128::try_from(*size.max(their_size)).ok()?;
                model.at_most(None, vec![(1, *ours), (1, *theirs), (-1, both)], size);
                if !model.is_small() {
                    return None;
                }
            }
        }
    }
    let charged = twice.values().map(|(both, amount)| (i128::from(*amount), *both)).collect();
    // Also what carries no credit is only shared where there is an overlap at all.
    if overlap_e4 == 0 {
        let any = twice.values().map(|(both, _)| (1, *both)).collect();
        model.at_most(None, any, 0);
    }
    model.at_most(None, charged, i128::from(overlap_e4));
    Some(())
}

/// Candidates by their roots, and what tells them apart in each case: those that are alike in all cases have one tag, what
/// shares its roots in another way has its own.
fn tags(
    cases: &[&Case<'_>],
    harm: &[u64],
    stop: &mut dyn FnMut() -> bool,
) -> Option<(Roots, Vec<BTreeMap<usize, usize>>)> {
    let mut roots = Roots::new();
    let mut class_of: Vec<BTreeMap<usize, usize>> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let (classes, _) = classes(case, &BTreeMap::new(), stop)?;
        let each =
            classes.iter().enumerate().flat_map(|(class, found)| found.members.iter().map(move |one| (*one, class)));
        let known: BTreeMap<usize, usize> = each.collect();
        for position in known.keys() {
            for root in &case.candidates[*position].roots {
                let found = roots.entry(root.place).or_insert_with(|| vec![Vec::new(); cases.len()]);
                found[index].push(*position);
            }
        }
        class_of.push(known);
    }
    let mut tags: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); cases.len()];
    let mut names: BTreeMap<(Vec<Option<usize>>, u64), usize> = BTreeMap::new();
    let mut next = 0;
    for found in roots.values() {
        let lone = |(index, list): (usize, &Vec<usize>)| match list.as_slice() {
            [] => Some(None),
            [one] if cases[index].candidates[*one].roots.len() == 1 => Some(class_of[index].get(one).copied()),
            _ => None,
        };
        let alike: Option<Vec<Option<usize>>> = found.iter().enumerate().map(lone).collect();
        let hurt = found[0].first().map_or(0, |one| harm[*one]);
        match alike {
            Some(alike) => {
                let tag = *names.entry((alike, hurt)).or_insert_with(|| {
                    next += 1;
                    next
                });
                for (list, tags) in found.iter().zip(&mut tags) {
                    tags.extend(list.iter().map(|one| (*one, tag)));
                }
            }
            None => {
                for (list, tags) in found.iter().zip(&mut tags) {
                    for one in list {
                        next += 1;
                        tags.insert(*one, next);
                    }
                }
            }
        }
    }
    Some((roots, tags))
}
