//! A definition and what a learner has, as inequalities.
//!
//! | variable    | means                                                                  |
//! |-------------|------------------------------------------------------------------------|
//! | active of n | requirement n has to hold, and so has everything above it (0 or 1)     |
//! | taken of n  | how many candidates of a class requirement n takes                     |
//! | early       | a class whose period is the first of an enrolment (0 or 1)             |
//!
//! An allocation makes the award exactly if these inequalities have a solution: `active` are the requirements that hold
//! together with all above them, and only those take.

use creditbank_protocol::pb::{Origin, Ratio, RequirementType};
use creditbank_rules::qualification::{Case, GradeOrder, Tree, add_months};

use crate::classes::{Class, SharedRoot, classes};
use crate::linear::{Model, Var};

/// The inequalities, and what their variables mean.
pub(crate) struct Problem<'a> {
    pub(crate) case: &'a Case<'a>,
    pub(crate) classes: Vec<Class>,
    pub(crate) model: Model,
    /// One for each requirement.
    pub(crate) active: Vec<Var>,
    /// Requirement, class, variable.
    pub(crate) taken: Vec<Taken>,
    /// For each requirement, what is taken by it and below it: positions in `taken`.
    pub(crate) below: Vec<Vec<usize>>,
}

/// What a requirement takes of a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) requirement: usize,
    pub(crate) class: usize,
    pub(crate) var: Var,
}

/// Most variables; a question beyond is left undecided.
const VARS_MAX: usize = 200_000;

impl<'a> Problem<'a> {
    /// Variables, how they hang together, and what no requirement changes: a candidate goes to one place, a root counts once,
    /// agreements have their caps. `None` if it is too large.
    pub(crate) fn new(case: &'a Case<'a>) -> Option<Self> {
        let (classes, shared) = classes(case);
        let mut model = Model::default();
        let active = (0..case.tree.size()).map(|_| model.var(1)).collect();
        let mut problem = Self { case, classes, model, active, taken: Vec::new(), below: Vec::new() };
        for class in 0..problem.classes.len() {
            let size = problem.classes[class].size();
            for requirement in problem.classes[class].fits.clone() {
                let var = problem.model.var(size);
                problem.taken.push(Taken { requirement, class, var });
            }
            if problem.taken.len() > VARS_MAX {
                return None;
            }
        }
        problem.below = problem.gather();
        problem.only_active_takes();
        problem.each_once(&shared)?;
        problem.agreements();
        Some(problem)
    }

    /// Adds what the award asks: the root is active, and what is active holds.
    pub(crate) fn ask(&mut self) -> Option<()> {
        self.model.at_least(None, vec![(1, self.active[0])], 1);
        for requirement in 0..self.case.tree.size() {
            self.holds(requirement)?;
        }
        self.supplies();
        Some(())
    }

    fn gather(&self) -> Vec<Vec<usize>> {
        let tree = &self.case.tree;
        let mut below = vec![Vec::new(); tree.size()];
        for (index, taken) in self.taken.iter().enumerate() {
            let mut at = Some(taken.requirement);
            while let Some(requirement) = at {
                below[requirement].push(index);
                at = tree.parent(requirement);
            }
        }
        below
    }

    pub(crate) fn amount(&self, class: usize) -> i128 {
        i128::from(self.case.candidates[self.classes[class].first()].amount_e4)
    }

    /// What each of some takings is worth, where it is worth anything.
    pub(crate) fn terms(&self, of: &[usize], worth: impl Fn(usize) -> i128) -> Vec<(i128, Var)> {
        let each = of.iter().map(|index| (worth(self.taken[*index].class), self.taken[*index].var));
        each.filter(|(factor, _)| *factor != 0).collect()
    }

    pub(crate) fn own(&self, requirement: usize) -> Vec<usize> {
        let own = |index: &usize| self.taken[*index].requirement == requirement;
        self.below[requirement].iter().copied().filter(own).collect()
    }

    fn only_active_takes(&mut self) {
        for taken in self.taken.clone() {
            let size = i128::from(self.classes[taken.class].size());
            let terms = vec![(size, self.active[taken.requirement]), (-1, taken.var)];
            self.model.at_least(None, terms, 0);
        }
        for requirement in 1..self.case.tree.size() {
            let parent = self.case.tree.parent(requirement).unwrap_or(0);
            let terms = vec![(1, self.active[parent]), (-1, self.active[requirement])];
            self.model.at_least(None, terms, 0);
        }
    }

    /// A candidate goes to one requirement, and the parts of a root are at most the whole.
    fn each_once(&mut self, shared: &[SharedRoot]) -> Option<()> {
        let mut of_class: Vec<Vec<Var>> = vec![Vec::new(); self.classes.len()];
        self.taken.iter().for_each(|taken| of_class[taken.class].push(taken.var));
        for (class, vars) in of_class.iter().enumerate() {
            let size = i128::from(self.classes[class].size());
            self.model.at_most(None, vars.iter().map(|var| (1, *var)).collect(), size);
        }
        for root in shared {
            let of = |position: usize| self.classes.iter().position(|class| class.first() == position);
            let whole = root.parts.iter().try_fold(1u128, |whole, (_, part)| lcm(whole, part.denominator()))?;
            let mut terms = Vec::new();
            for (position, part) in &root.parts {
                let factor = part.numerator().checked_mul(whole / part.denominator())?;
                let factor = i128::try_from(factor).ok()?;
                let vars = of(*position).map(|class| of_class[class].as_slice()).unwrap_or_default();
                terms.extend(vars.iter().map(|var| (factor, *var)));
            }
            self.model.at_most(None, terms, i128::try_from(whole).ok()?);
        }
        Some(())
    }

    /// The caps of agreements on a share of everything.
    fn agreements(&mut self) {
        let firsts: Vec<usize> = self.classes.iter().map(Class::first).collect();
        for (cap, by) in self.case.caps(&firsts) {
            let inside: Vec<bool> = firsts.iter().map(|first| by.contains(first)).collect();
            let terms = self.excess(0, &cap, &inside);
            self.model.at_most(None, terms, 0);
        }
    }

    /// What matches less a share of everything, below a requirement.
    fn excess(&self, parent: usize, share: &Ratio, inside: &[bool]) -> Vec<(i128, Var)> {
        let (numerator, denominator) = (i128::from(share.numerator), i128::from(share.denominator));
        self.terms(&self.below[parent], |class| {
            let factor = if inside[class] { denominator - numerator } else { -numerator };
            self.amount(class) * factor
        })
    }

    fn matching(&self, requirement: usize) -> Vec<bool> {
        self.classes.iter().map(|class| self.case.matches(requirement, class.first())).collect()
    }

    /// What is asked of a requirement that is active.
    pub(crate) fn holds(&mut self, requirement: usize) -> Option<()> {
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
                let terms = self.terms(&self.own(requirement), |class| self.amount(class));
                self.model.at_least(when, terms, i128::from(node.amount_e4));
            }
            RequirementType::Courses => {
                let own = self.own(requirement);
                for code in &node.r#match.clone().unwrap_or_default().courses {
                    let terms = self.terms(&own, |class| i128::from(self.course(class) == code.as_str()));
                    self.model.at_least(when, terms, 1);
                }
            }
            RequirementType::Outcome => {
                let terms = self.terms(&self.own(requirement), |_| 1);
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
                    None => (self.terms(&self.below[parent], worth), i128::from(node.amount_e4)),
                };
                match case.tree.kind(requirement) {
                    RequirementType::AtLeast => self.model.at_least(when, terms, bound),
                    _ => self.model.at_most(when, terms, bound),
                }
            }
            RequirementType::Age => {
                let old = |class: usize| i128::from(!case.is_young(node.months, self.classes[class].first()));
                let terms = self.terms(&self.below[parent], old);
                self.model.at_most(when, terms, 0);
            }
            RequirementType::Average => self.average(requirement, parent)?,
            RequirementType::Enrolment => self.enrolment(requirement, parent),
        }
        Some(())
    }

    pub(crate) fn course(&self, class: usize) -> &'a str {
        &self.case.candidates[self.classes[class].first()].course
    }

    /// The sum of credit times the distance to the least mean is not negative, and something enters the mean.
    fn average(&mut self, requirement: usize, parent: usize) -> Option<()> {
        let when = Some(self.active[requirement]);
        let least = i128::from(self.case.minimum(requirement));
        let sign = if self.case.order() == GradeOrder::HigherIsBetter { 1 } else { -1 };
        let points = self.classes.iter().map(|class| self.case.point(class.first()));
        let points: Vec<Option<creditbank_rules::qualification::Point>> = points.collect();
        let whole = points.iter().flatten().try_fold(1u128, |whole, point| lcm(whole, u128::from(point.of)))?;
        let whole = i128::try_from(whole).ok()?;
        let distance = |class: usize| -> Option<i128> {
            let Some(point) = points[class] else { return Some(0) };
            let of = i128::from(point.of);
            let exact = i128::from(point.sum_e4).checked_sub(least.checked_mul(of)?)?;
            exact.checked_mul(whole / of)?.checked_mul(self.amount(class))?.checked_mul(sign)
        };
        let distances: Option<Vec<i128>> = (0..self.classes.len()).map(distance).collect();
        let distances = distances?;
        let terms = self.terms(&self.below[parent], |class| distances[class]);
        let enters = |class: usize| i128::from(points[class].is_some() && self.amount(class) > 0);
        let some = self.terms(&self.below[parent], enters);
        self.model.at_least(when, terms, 0);
        self.model.at_least(when, some, 1);
        Some(())
    }

    /// Some own class that is taken is the first, and one that ends late enough after it is taken too.
    fn enrolment(&mut self, requirement: usize, parent: usize) {
        let when = Some(self.active[requirement]);
        let months = self.case.tree.node(requirement).months;
        let own = |class: &usize| {
            let found = &self.case.candidates[self.classes[*class].first()];
            found.period.filter(|_| found.origin == Origin::Own).map(|(from, until)| (*class, from, until))
        };
        let mut classes: Vec<usize> = self.below[parent].iter().map(|index| self.taken[*index].class).collect();
        classes.sort_unstable();
        classes.dedup();
        let periods: Vec<_> = classes.iter().filter_map(own).collect();
        let mut earlies = Vec::new();
        for (class, from, _) in &periods {
            let late: Vec<usize> = periods
                .iter()
                .filter(|(_, _, until)| add_months(*from, months) <= *until + 1)
                .map(|(late, _, _)| *late)
                .collect();
            let early = self.model.var(1);
            let below = self.below[parent].clone();
            let of_class = self.terms(&below, |one| i128::from(one == *class));
            let of_late = self.terms(&below, |one| i128::from(late.contains(&one)));
            self.model.at_least(Some(early), of_class, 1);
            self.model.at_least(Some(early), of_late, 1);
            earlies.push((1, early));
        }
        self.model.at_least(when, earlies, 1);
    }

    /// What follows already, and saves the solver from counting it out: CREDITS that are active ask together for no more than
    /// there is of what can fill them.
    fn supplies(&mut self) {
        let tree: &Tree<'_> = &self.case.tree;
        let credits: Vec<usize> =
            (0..tree.size()).filter(|position| tree.kind(*position) == RequirementType::Credits).collect();
        let fit: Vec<Vec<usize>> = credits
            .iter()
            .map(|position| self.own(*position).iter().map(|index| self.taken[*index].class).collect())
            .collect();
        // Unions of what two may take, and of everything: closed under what lies within.
        let mut sets: Vec<Vec<usize>> = Vec::new();
        for (index, one) in fit.iter().enumerate() {
            for other in &fit[index..] {
                let mut union: Vec<usize> = one.iter().chain(other).copied().collect();
                union.sort_unstable();
                union.dedup();
                sets.push(union);
            }
        }
        sets.push((0..self.classes.len()).collect());
        sets.sort();
        sets.dedup();
        for set in sets.iter().take(SUPPLIES_MAX) {
            let inside = |list: &Vec<usize>| list.iter().all(|class| set.binary_search(class).is_ok());
            let asks = credits.iter().zip(&fit).filter(|(_, list)| inside(list)).map(|(position, _)| *position);
            let terms: Vec<(i128, Var)> =
                asks.map(|position| (i128::from(tree.node(position).amount_e4), self.active[position])).collect();
            let supply = |class: &usize| self.amount(*class) * i128::from(self.classes[*class].size());
            let most = set.iter().map(supply).sum();
            if terms.len() > 1 {
                self.model.at_most(None, terms, most);
            }
        }
    }
}

/// Most inequalities that only help.
const SUPPLIES_MAX: usize = 2_000;

/// The least common multiple; `None` beyond 128 bits.
fn lcm(a: u128, b: u128) -> Option<u128> {
    let (mut left, mut right) = (a, b);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    a.checked_mul(b.checked_div(left)?)
}
