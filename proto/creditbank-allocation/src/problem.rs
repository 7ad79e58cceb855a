//! A definition and what a learner has, as inequalities.
//!
//! | variable    | means                                                                  |
//! |-------------|------------------------------------------------------------------------|
//! | active of n | requirement n has to hold, and so has everything above it (0 or 1)     |
//! | taken of n  | how many candidates of a class are taken at and below requirement n    |
//! | early       | a class whose period is the first of an enrolment (0 or 1)             |
//!
//! An allocation makes the award exactly if these inequalities have a solution: `active` are the requirements that hold
//! together with all above them, and only those take.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::{Ratio, RequirementType};
use creditbank_rules::qualification::{Case, Tree, takes};

use crate::classes::{Class, SharedRoot, classes};
use crate::linear::{Model, Var, gcd};

/// The inequalities, and what their variables mean.
pub(crate) struct Problem<'a> {
    pub(crate) case: &'a Case<'a>,
    pub(crate) classes: Vec<Class>,
    pub(crate) model: Model,
    /// One for each requirement.
    pub(crate) active: Vec<Var>,
    /// For each requirement, what is taken at and below it: class and variable, by class.
    pub(crate) taken: Vec<Vec<Taken>>,
}

/// What is taken of a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) class: usize,
    pub(crate) var: Var,
}

impl<'a> Problem<'a> {
    /// Variables, how they hang together, and what no requirement changes: a candidate goes to one place, a root counts once,
    /// agreements have their caps, a course counts as often as it may. `None` if it is
    /// too large, or patience ends.
    pub(crate) fn new(case: &'a Case<'a>, stop: &mut dyn FnMut() -> bool) -> Option<Self> {
        Self::tagged(case, &BTreeMap::new(), stop)
    }

    /// The same, where other definitions tell candidates apart: by position, from 1.
    pub(crate) fn tagged(
        case: &'a Case<'a>,
        tags: &BTreeMap<usize, usize>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Self> {
        let (classes, shared) = classes(case, tags, stop)?;
        let mut model = Model::default();
        let active = (0..case.tree.size()).map(|_| model.var(1)).collect();
        let taken = vec![Vec::new(); case.tree.size()];
        let mut problem = Self { case, classes, model, active, taken };
        problem.totals()?;
        problem.only_active_takes();
        problem.each_once(&shared, stop)?;
        problem.agreements(stop)?;
        problem.budgets();
        problem.courses(stop)?;
        problem.tries();
        problem.model.is_small().then_some(problem)
    }

    /// Adds what the award asks: the root is active, and what is active holds.
    pub(crate) fn ask(&mut self, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        self.model.at_least(None, vec![(1, self.active[0])], 1);
        for wanted in &self.case.terms().used {
            let terms = self.terms(0, |class| i128::from(self.classes[class].first() == *wanted));
            self.model.at_least(None, terms, 1);
        }
        for requirement in 0..self.case.tree.size() {
            self.holds(requirement, stop)?;
        }
        if !self.model.is_small() {
            return None;
        }
        self.supplies(stop)
    }

    /// What is taken by each requirement, and below each: a sum gets a variable of its own, so that what is asked of the
    /// whole speaks of records and not of where they go.
    fn totals(&mut self) -> Option<()> {
        for class in 0..self.classes.len() {
            let size = self.classes[class].size();
            for requirement in self.classes[class].fits.clone() {
                let var = self.model.var(size);
                self.taken[requirement].push(Taken { class, var });
            }
            if !self.model.is_small() {
                return None;
            }
        }
        for requirement in (0..self.case.tree.size()).rev() {
            let mut parts: BTreeMap<usize, Vec<Var>> = BTreeMap::new();
            for child in self.case.tree.children(requirement) {
                self.taken[*child].iter().for_each(|taken| parts.entry(taken.class).or_default().push(taken.var));
            }
            for (class, vars) in parts {
                let var = if let [var] = vars[..] { var } else { self.sum(vars, self.classes[class].size()) };
                self.taken[requirement].push(Taken { class, var });
            }
            if !self.model.is_small() {
                return None;
            }
        }
        Some(())
    }

    /// A variable that is the sum of others.
    fn sum(&mut self, vars: Vec<Var>, most: i32) -> Var {
        let sum = self.model.var(most);
        let mut terms: Vec<(i128, Var)> = vars.into_iter().map(|var| (1, var)).collect();
        terms.push((-1, sum));
        self.model.at_least(None, terms.clone(), 0);
        self.model.at_most(None, terms, 0);
        sum
    }

    pub(crate) fn amount(&self, class: usize) -> i128 {
        i128::from(self.case.candidates[self.classes[class].first()].amount_e4())
    }

    /// What is taken at and below a requirement, with its worth, where it is worth anything.
    pub(crate) fn terms(&self, requirement: usize, worth: impl Fn(usize) -> i128) -> Vec<(i128, Var)> {
        let each = self.taken[requirement].iter().map(|taken| (worth(taken.class), taken.var));
        each.filter(|(factor, _)| *factor != 0).collect()
    }

    fn only_active_takes(&mut self) {
        for requirement in 0..self.case.tree.size() {
            if takes(self.case.tree.kind(requirement)) {
                for taken in self.taken[requirement].clone() {
                    let size = i128::from(self.classes[taken.class].size());
                    let terms = vec![(size, self.active[requirement]), (-1, taken.var)];
                    self.model.at_least(None, terms, 0);
                }
            }
            if let Some(parent) = self.case.tree.parent(requirement) {
                let terms = vec![(1, self.active[parent]), (-1, self.active[requirement])];
                self.model.at_least(None, terms, 0);
            }
        }
    }

    /// The parts of a root are at most the whole. That a candidate goes to one requirement follows of the bounds of sums.
    fn each_once(&mut self, shared: &[SharedRoot], stop: &mut dyn FnMut() -> bool) -> Option<()> {
        let of_class: BTreeMap<usize, Var> = self.taken[0].iter().map(|taken| (taken.class, taken.var)).collect();
        let firsts: BTreeMap<usize, usize> = self.classes.iter().map(Class::first).zip(0..).collect();
        for root in shared {
            if stop() {
                return None;
            }
            let of = |position: usize| firsts.get(&position).copied();
            let whole = root.parts.iter().try_fold(1u128, |whole, (_, part)| lcm(whole, part.denominator()))?;
            let mut terms = Vec::new();
            for (position, part) in &root.parts {
                let factor = part.numerator().checked_mul(whole / part.denominator())?;
                let factor = i128::try_from(factor).ok()?;
                let var = of(*position).and_then(|class| of_class.get(&class));
                terms.extend(var.map(|var| (factor, *var)));
            }
            self.model.at_most(None, terms, i128::try_from(whole).ok()?);
        }
        Some(())
    }

    /// The caps of agreements on a share of everything.
    fn agreements(&mut self, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        let firsts: Vec<usize> = self.classes.iter().map(Class::first).collect();
        for (cap, by) in self.case.caps(&firsts) {
            if stop() || !self.model.is_small() {
                return None;
            }
            let by: BTreeSet<usize> = by.into_iter().collect();
            let inside: Vec<bool> = firsts.iter().map(|first| by.contains(first)).collect();
            let terms = self.excess(0, &cap, &inside);
            self.model.at_most(None, terms, 0);
        }
        Some(())
    }

    /// What may count in awards of other definitions too: all that is charged together at most the least of what is said.
    fn budgets(&mut self) {
        for budget in &self.case.terms().budgets {
            let charged: BTreeMap<usize, (u64, u64)> =
                budget.charges.iter().map(|one| (one.candidate, (one.amount_e4, one.most_e4))).collect();
            let of = |class: usize| charged.get(&self.classes[class].first()).copied();
            let terms = self.terms(0, |class| of(class).map_or(0, |(amount, _)| i128::from(amount)));
            let bounds: BTreeSet<u64> = charged.values().map(|(_, most)| *most).collect();
            for most in &bounds {
                let bounded = self.terms(0, |class| i128::from(of(class).is_some_and(|(_, own)| own == *most)));
                // Where all say the same, it holds whatever is taken.
                let condition = (bounds.len() > 1).then(|| self.model.var(1));
                if let Some(some) = condition {
                    let size: i128 = bounded.iter().map(|(_, var)| i128::from(self.model.most[*var])).sum();
                    let mut rest = bounded;
                    rest.push((-size, some));
                    self.model.at_most(None, rest, 0);
                }
                self.model.at_most(condition, terms.clone(), i128::from(*most));
            }
        }
    }

    /// A course counts once, and as often again as the least that says anything of it among what is taken.
    fn courses(&mut self, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        let mut courses: BTreeMap<usize, Vec<(Var, i128, Option<u32>)>> = BTreeMap::new();
        for taken in &self.taken[0] {
            let class = &self.classes[taken.class];
            if let Some(pass) = class.pass {
                let passes = courses.entry(pass.course).or_default();
                passes.push((taken.var, i128::from(class.size()), pass.repeats));
            }
        }
        for passes in courses.values() {
            if stop() || !self.model.is_small() {
                return None;
            }
            let all: Vec<(i128, Var)> = passes.iter().map(|(var, ..)| (1, *var)).collect();
            let most: i128 = passes.iter().map(|(_, size, _)| size).sum();
            // Where nothing that is taken says anything: once.
            let silent = passes.iter().map(|(var, _, said)| (if said.is_some() { 1 - most } else { 1 }, *var));
            self.model.at_most(None, silent.collect(), 1);
            let said: BTreeSet<u32> = passes.iter().filter_map(|(.., said)| *said).collect();
            for repeats in said {
                let says = self.model.var(1);
                for (var, size, _) in passes.iter().filter(|(.., said)| *said == Some(repeats)) {
                    self.model.at_least(None, vec![(*size, says), (-1, *var)], 0);
                }
                self.model.at_most(Some(says), all.clone(), i128::from(repeats) + 1);
            }
        }
        Some(())
    }

    /// What matches less a share of everything, below a requirement.
    fn excess(&self, parent: usize, share: &Ratio, inside: &[bool]) -> Vec<(i128, Var)> {
        let (numerator, denominator) = (i128::from(share.numerator), i128::from(share.denominator));
        self.terms(parent, |class| {
            let factor = if inside[class] { denominator - numerator } else { -numerator };
            self.amount(class) * factor
        })
    }

    pub(crate) fn matching(&self, requirement: usize) -> Vec<bool> {
        self.classes.iter().map(|class| self.case.matches(requirement, class.first())).collect()
    }

    /// What is asked of a requirement that is active.
    pub(crate) fn holds(&mut self, requirement: usize, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        if stop() || !self.model.is_small() {
            return None;
        }
        let case = self.case;
        let (node, parent) = (case.tree.node(requirement), case.tree.parent(requirement).unwrap_or(requirement));
        let when = Some(self.active[requirement]);
        match case.tree.kind(requirement) {
            RequirementType::All | RequirementType::Any => {
                let children = case.tree.children(requirement);
                let all = case.tree.kind(requirement) == RequirementType::All;
                let choose = if all { i128::try_from(children.len()).ok()? } else { i128::from(node.choose) };
                let terms = children.iter().map(|child| (1, self.active[*child])).collect();
                self.model.at_least(when, terms, choose);
            }
            RequirementType::Credits => {
                let terms = self.terms(requirement, |class| self.amount(class));
                self.model.at_least(when, terms, i128::from(node.amount_e4));
            }
            RequirementType::Courses => {
                for code in &node.r#match.clone().unwrap_or_default().courses {
                    if stop() {
                        return None;
                    }
                    let terms = self.terms(requirement, |class| i128::from(self.is_of(class, code)));
                    self.model.at_least(when, terms, 1);
                }
            }
            RequirementType::Outcome => {
                let terms = self.terms(requirement, |_| 1);
                self.model.at_least(when, terms, 1);
            }
            RequirementType::Award | RequirementType::Attestation => {
                if !case.is_present(requirement) {
                    self.model.at_least(when, Vec::new(), 1);
                }
            }
            RequirementType::Unspecified => self.model.at_least(when, Vec::new(), 1),
            RequirementType::AtLeast | RequirementType::AtMost => {
                let inside = self.matching(requirement);
                let worth = |class: usize| if inside[class] { self.amount(class) } else { 0 };
                let (terms, bound) = match &node.share {
                    Some(share) => (self.excess(parent, share, &inside), 0),
                    None => (self.terms(parent, worth), i128::from(node.amount_e4)),
                };
                match case.tree.kind(requirement) {
                    RequirementType::AtLeast => self.model.at_least(when, terms, bound),
                    _ => self.model.at_most(when, terms, bound),
                }
            }
            RequirementType::Age => {
                let old = |class: usize| i128::from(!case.is_young(node.months, self.classes[class].first()));
                let terms = self.terms(parent, old);
                self.model.at_most(when, terms, 0);
            }
            RequirementType::Among => self.among(requirement, stop)?,
            RequirementType::Average => self.average(requirement, parent)?,
            RequirementType::Enrolment => self.enrolment(requirement, parent),
        }
        Some(())
    }

    /// Whether a code names the course of a class.
    pub(crate) fn is_of(&self, class: usize, code: &str) -> bool {
        self.case.candidates[self.classes[class].first()].is_of(code)
    }

    /// What follows already, and saves the solver from counting it out: CREDITS that are active ask together for no more than
    /// there is of what can fill them. As many of these rows as there is room for; none is needed.
    fn supplies(&mut self, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        let tree: &Tree<'_> = &self.case.tree;
        let credits: Vec<usize> =
            (0..tree.size()).filter(|position| tree.kind(*position) == RequirementType::Credits).collect();
        let words = self.classes.len().div_ceil(64);
        let set = |position: &usize| {
            let mut set = vec![0u64; words];
            self.taken[*position].iter().for_each(|taken| set[taken.class / 64] |= 1 << (taken.class % 64));
            set
        };
        let fit: Vec<Vec<u64>> = credits.iter().map(set).collect();
        // Everything, and unions of what two may take: closed under what lies within.
        let all = fit.iter().fold(vec![0; words], |all, one| union(&all, one));
        let distinct: BTreeSet<&Vec<u64>> = fit.iter().collect();
        let distinct: Vec<&Vec<u64>> = distinct.into_iter().collect();
        let mut sets: BTreeSet<Vec<u64>> = BTreeSet::from([all]);
        for (index, one) in distinct.iter().enumerate().take(PAIRED_MAX) {
            if stop() {
                return None;
            }
            for other in &distinct[index..] {
                if sets.len() < SUPPLIES_MAX {
                    sets.insert(union(one, other));
                }
            }
        }
        for set in sets {
            if stop() {
                return None;
            }
            let inside = |list: &[u64]| list.iter().zip(&set).all(|(one, all)| one & !all == 0);
            let asks = credits.iter().zip(&fit).filter(|(_, list)| inside(list)).map(|(position, _)| *position);
            let terms: Vec<(i128, Var)> =
                asks.map(|position| (i128::from(tree.node(position).amount_e4), self.active[position])).collect();
            let is_in = |class: &usize| set[class / 64] & 1 << (class % 64) != 0;
            let supply = |class: usize| self.amount(class) * i128::from(self.classes[class].size());
            let most = (0..self.classes.len()).filter(is_in).map(supply).sum();
            if terms.len() > 1 && terms.len() < self.model.room() / 2 {
                self.model.at_most(None, terms, most);
            }
        }
        Some(())
    }
}

fn union(one: &[u64], other: &[u64]) -> Vec<u64> {
    one.iter().zip(other).map(|(one, other)| one | other).collect()
}

/// Most inequalities that only help, and most sets that are paired for them.
const SUPPLIES_MAX: usize = 2_000;
const PAIRED_MAX: usize = 512;

/// The least common multiple; `None` beyond 128 bits.
pub(crate) fn lcm(a: u128, b: u128) -> Option<u128> {
    a.checked_mul(b.checked_div(gcd(a, b))?)
}
