//! Candidates that no requirement tells apart are counted, not named: symmetric choices are what keeps a solver busy.

use std::collections::{BTreeMap, BTreeSet};

use crate::linear::VARS_MAX;
use creditbank_protocol::pb::{Origin, RequirementType};
use creditbank_protocol::{InstitutionId, Place};
use creditbank_rules::dates::Day;
use creditbank_rules::qualification::{Case, Fraction, Point, RootUse, root_uses, takes};

/// Candidates that are alike in everything that is asked.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    /// Positions of candidates, in order of place and result.
    pub(crate) members: Vec<usize>,
    /// Positions of the requirements that may take them, ascending.
    pub(crate) fits: Vec<usize>,
    /// Of credit for a course that might count too often.
    pub(crate) pass: Option<LimitedPass>,
}

/// Which course, by a number, and how often it may count again as this credit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LimitedPass {
    pub(crate) course: usize,
    pub(crate) repeats: Option<u32>,
}

impl Class {
    /// The candidate that stands for all.
    pub(crate) fn first(&self) -> usize {
        self.members[0]
    }

    pub(crate) fn size(&self) -> i32 {
        i32::try_from(self.members.len()).unwrap_or(i32::MAX)
    }
}

/// A root that counts for several candidates more than once together, and their parts of it.
#[derive(Debug, Clone)]
pub(crate) struct SharedRoot {
    pub(crate) parts: Vec<(usize, Fraction)>,
}

/// What tells candidates apart.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    fits: Vec<usize>,
    amount_e4: u64,
    aggregates: Vec<bool>,
    point: Option<(u64, u32)>,
    course: Option<(InstitutionId, &'a str)>,
    period: Option<(Day, Day)>,
    agreement: Option<&'a str>,
    pass: Option<LimitedPass>,
    alone: Option<usize>,
    /// What it counts against budgets: which, how much, and of how much.
    charges: Vec<(usize, u64, u64)>,
    /// What tells it apart beside other definitions.
    tag: usize,
}

/// The classes, and the roots that candidates of several classes share. Candidates that do not count, or fit nowhere, are in
/// none.
/// `None` where there is more than a question may have, or patience ends.
pub(crate) fn classes(
    case: &Case<'_>,
    tags: &BTreeMap<usize, usize>,
    stop: &mut dyn FnMut() -> bool,
) -> Option<(Vec<Class>, Vec<SharedRoot>)> {
    let nodes = 0..case.tree.size();
    let of = |kind: RequirementType| nodes.clone().filter(move |position| case.tree.kind(*position) == kind);
    let takers: Vec<usize> = nodes.clone().filter(|position| takes(case.tree.kind(*position))).collect();
    let among: Vec<usize> = of(RequirementType::Among).collect();
    let shares = of(RequirementType::AtLeast).chain(of(RequirementType::AtMost)).chain(among.iter().copied());
    let shares: Vec<usize> = shares.collect();
    let ages: Vec<u32> = of(RequirementType::Age).map(|position| case.tree.node(position).months).collect();
    let (mean, stay) = (of(RequirementType::Average).next().is_some(), of(RequirementType::Enrolment).next().is_some());
    let usable: Vec<usize> = (0..case.candidates.len()).filter(|one| case.obstacle(*one).is_none()).collect();
    let shared: Vec<SharedRoot> = shared_roots(case, &usable);
    let sharing: BTreeSet<usize> = shared.iter().flat_map(|root| root.parts.iter().map(|(one, _)| *one)).collect();
    let mut charges: BTreeMap<usize, Vec<(usize, u64, u64)>> = BTreeMap::new();
    for (index, budget) in case.terms().budgets.iter().enumerate() {
        for charge in &budget.charges {
            charges.entry(charge.candidate).or_default().push((index, charge.amount_e4, charge.most_e4));
        }
    }
    let limited = limited(case, &usable);
    let mut places = 0;
    let mut classes: BTreeMap<Likeness<'_>, Vec<usize>> = BTreeMap::new();
    for position in usable {
        if stop() {
            return None;
        }
        let fits: Vec<usize> = takers.iter().copied().filter(|taker| case.misfit(*taker, position).is_none()).collect();
        if fits.is_empty() {
            continue;
        }
        let found = &case.candidates[position];
        let named = |one: &usize| case.tree.node(*one).r#match.as_ref().is_some_and(|asked| !asked.courses.is_empty());
        let core = fits.iter().any(|taker| case.tree.kind(*taker) == RequirementType::Courses)
            || among.iter().any(|one| named(one) && case.matches(*one, position));
        let own = stay && found.origin == Origin::Own;
        let matching = shares.iter().map(|share| case.matches(*share, position));
        let young = ages.iter().map(|months| case.is_young(*months, position));
        let by = found.agreement.as_ref().map(|agreement| agreement.code.as_str());
        let likeness = Likeness {
            amount_e4: found.amount_e4(),
            aggregates: matching.chain(young).collect(),
            point: case.point(position).filter(|_| mean).map(|Point { sum_e4, of }| (sum_e4, of)),
            course: found.course.as_ref().map(|course| (course.institution(), course.id())).filter(|_| core),
            period: found.period.filter(|_| own),
            agreement: by,
            pass: limited.get(&position).copied(),
            alone: (sharing.contains(&position) || case.terms().used.contains(&position)).then_some(position),
            charges: charges.remove(&position).unwrap_or_default(),
            tag: tags.get(&position).copied().unwrap_or(0),
            fits,
        };
        let places_of = likeness.fits.len();
        let members = classes.entry(likeness).or_default();
        places += if members.is_empty() { places_of } else { 0 };
        members.push(position);
        // Each place of a class is a variable.
        if places > VARS_MAX {
            return None;
        }
    }
    let mut classes: Vec<Class> = classes
        .into_iter()
        .map(|(likeness, mut members)| {
            members.sort_by_key(|position| case.candidates[*position].portion());
            Class { members, fits: likeness.fits, pass: likeness.pass }
        })
        .collect();
    classes.sort_by_key(|class| case.candidates[class.first()].portion());
    Some((classes, shared))
}

/// What is a pass of a course that might count too often.
fn limited(case: &Case<'_>, usable: &[usize]) -> BTreeMap<usize, LimitedPass> {
    let courses = case.limited_courses(usable).into_iter().enumerate();
    let each = courses.flat_map(|(course, passes)| {
        passes.into_iter().map(move |one| (one, LimitedPass { course, repeats: case.candidates[one].repeats_max }))
    });
    each.collect()
}

fn shared_roots(case: &Case<'_>, usable: &[usize]) -> Vec<SharedRoot> {
    let twice = root_uses(case.candidates, usable).into_iter().filter(RootUse::is_twice);
    let parts = |place: Place, by: Vec<usize>| {
        let part = |position: usize| {
            let roots = case.candidates[position].roots.iter();
            let mut own = roots.filter(|root| root.place == place);
            own.try_fold(Fraction::ZERO, |sum, root| {
                let (numerator, denominator) = (root.fraction.numerator, root.fraction.denominator);
                sum.checked_add(Fraction::new(u128::from(numerator), u128::from(denominator))?)
            })
        };
        let mut by = by;
        by.dedup();
        by.sort_by_key(|position| case.candidates[*position].portion());
        // What cannot be added up counts as the whole: the check says so too.
        let whole = Fraction::new(2, 1).unwrap_or(Fraction::ZERO);
        by.into_iter().map(|position| (position, part(position).unwrap_or(whole))).collect()
    };
    twice.map(|found| SharedRoot { parts: parts(found.place, found.by) }).collect()
}
