//! The solver: Pumpkin, lazy clause generation over integers. Nothing else in this crate names it.

use std::ops::ControlFlow;

use pumpkin_conflict_resolvers::resolvers::ResolutionResolver;
use pumpkin_constraints::greater_than_or_equals;
use pumpkin_core::Solver;
use pumpkin_core::branching::Brancher;
use pumpkin_core::branching::branchers::autonomous_search::AutonomousSearch;
use pumpkin_core::branching::branchers::dynamic_brancher::DynamicBrancher;
use pumpkin_core::branching::branchers::independent_variable_value_brancher::IndependentVariableValueBrancher;
use pumpkin_core::branching::value_selection::{InDomainMax, InDomainMin};
use pumpkin_core::branching::variable_selection::InputOrder;
use pumpkin_core::optimisation::OptimisationDirection;
use pumpkin_core::optimisation::linear_sat_unsat::LinearSatUnsat;
use pumpkin_core::results::{OptimisationResult, ProblemSolution, SatisfactionResult, SolutionReference};
use pumpkin_core::termination::TerminationCondition;
use pumpkin_core::variables::{DomainId, Literal, TransformableVariable};

use crate::filling::{Filling, Need};
use crate::linear::{Model, Small, Try, Var};

/// What the solver found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Solved {
    /// The value of each variable.
    Values(Vec<i32>),
    /// Proved that there are none.
    Never,
    /// The caller's patience has ended, or numbers are beyond the solver.
    Unknown,
}

type Search = AutonomousSearch<DynamicBrancher>;

/// The caller's patience.
struct Patience<'a>(&'a mut dyn FnMut() -> bool);

impl TerminationCondition for Patience<'_> {
    fn should_stop(&mut self) -> bool {
        (self.0)()
    }
}

/// A model in the solver.
struct Posted {
    solver: Solver,
    literals: Vec<Option<Literal>>,
    domains: Vec<DomainId>,
    needs: Vec<Need<DomainId>>,
    /// A row contradicts those before it.
    never: bool,
}

impl Posted {
    /// `None` where numbers are beyond the solver, or patience ends.
    fn new(model: &Model, stop: &mut dyn FnMut() -> bool) -> Option<Self> {
        let mut solver = Solver::default();
        let (mut literals, mut domains) = (Vec::new(), Vec::new());
        for most in &model.most {
            let domain = solver.new_bounded_integer(0, *most);
            let literal = (*most == 1).then(|| Literal::new(domain));
            domains.push(domain);
            literals.push(literal);
        }
        let needs = model.needs.iter().map(|need| need.map(|var| domains[var])).collect();
        let mut posted = Self { solver, literals, domains, needs, never: false };
        for (index, row) in model.rows.iter().enumerate() {
            if index % 256 == 0 && stop() {
                return None;
            }
            if posted.never {
                break;
            }
            let small = model.small(row);
            let literal = row.condition.map(|condition| posted.literals[condition]);
            match (small, literal) {
                (Small::Always, _) => {}
                (Small::TooLarge, _) | (_, Some(None)) => return None,
                (Small::Never, None) => posted.clause(&[]),
                (Small::Never, Some(Some(literal))) => posted.clause(&[!literal]),
                (Small::Row(terms, least), condition) => posted.row(&terms, least, condition.flatten()),
            }
        }
        Some(posted)
    }

    /// By what has lately been in conflict; else in this order.
    fn brancher(&self, order: &[Try]) -> Search {
        let all = Try::Largest((0..self.domains.len()).collect());
        let select = |vars: &[Var]| {
            let vars: Vec<DomainId> = vars.iter().map(|var| self.domains[*var]).collect();
            InputOrder::new(&vars)
        };
        let each = order.iter().chain([&all]).map(|one| -> Box<dyn Brancher> {
            match one {
                Try::Largest(vars) => Box::new(IndependentVariableValueBrancher::new(select(vars), InDomainMax)),
                Try::Least(vars) => Box::new(IndependentVariableValueBrancher::new(select(vars), InDomainMin)),
                Try::Fill => Box::new(Filling::new(self.needs.clone())),
            }
        });
        AutonomousSearch::new(DynamicBrancher::new(each.collect()))
    }

    fn clause(&mut self, literals: &[Literal]) {
        let tag = self.solver.new_constraint_tag();
        self.never |= self.solver.add_clause(literals.iter().map(Literal::get_true_predicate), tag).is_err();
    }

    fn row(&mut self, terms: &[(i32, Var)], least: i32, condition: Option<Literal>) {
        // One of several: a clause.
        let some = |(factor, var): &(i32, Var)| self.literals[*var].filter(|_| *factor == 1 && least == 1);
        if let Some(mut clause) = terms.iter().map(some).collect::<Option<Vec<Literal>>>() {
            clause.extend(condition.map(|literal| !literal));
            self.clause(&clause);
            return;
        }
        let tag = self.solver.new_constraint_tag();
        let terms: Vec<_> = terms.iter().map(|(factor, var)| self.domains[*var].scaled(*factor)).collect();
        let poster = self.solver.add_constraint(greater_than_or_equals(terms, least, tag));
        let posted = match condition {
            Some(literal) => poster.implied_by(literal),
            None => poster.post(),
        };
        self.never |= posted.is_err();
    }
}

fn values(domains: &[DomainId], solution: &impl ProblemSolution) -> Vec<i32> {
    domains.iter().map(|domain| solution.get_integer_value(*domain)).collect()
}

/// How often the solver asks whether to stop before another order is tried for the first time; twice as often each round.
const POLLS_FIRST: u64 = 1_000;

/// Values that satisfy every row, or a proof that there are none. The orders take turns, each time with twice the patience:
/// what one does not get through another one often does at once. Turns are counted, not timed, so that the answer depends on
/// the caller's clock only where there is none.
pub(crate) fn solve(model: &Model, stop: &mut dyn FnMut() -> bool) -> Solved {
    // Rows are posted before the turn begins.
    let posting = model.rows.len() as u64 / 256 + 1;
    let mut polls_max = POLLS_FIRST;
    loop {
        for order in &model.orders {
            let (mut polls, mut stopped) = (0, false);
            let mut turn = || {
                polls += 1;
                stopped = stopped || stop();
                stopped || polls > polls_max.saturating_add(posting)
            };
            let found = attempt(model, order, &mut turn);
            match found {
                Some(Solved::Unknown) if !stopped => {}
                Some(found) => return found,
                None => return Solved::Unknown,
            }
        }
        polls_max = polls_max.saturating_mul(2);
    }
}

/// One turn; `None` where numbers are beyond the solver, so that no other turn can help.
fn attempt(model: &Model, order: &[Try], stop: &mut dyn FnMut() -> bool) -> Option<Solved> {
    let mut posted = Posted::new(model, stop)?;
    if posted.never {
        return Some(Solved::Never);
    }
    let mut brancher = posted.brancher(order);
    let mut resolver = ResolutionResolver::default();
    let domains = posted.domains.clone();
    Some(match posted.solver.satisfy(&mut brancher, &mut Patience(stop), &mut resolver) {
        SatisfactionResult::Satisfiable(found) => Solved::Values(values(&domains, &found.solution())),
        SatisfactionResult::Unsatisfiable(..) => Solved::Never,
        SatisfactionResult::Unknown(..) => Solved::Unknown,
    })
}

/// Values that satisfy every row, with a large value of one variable: the largest, unless patience ends before.
pub(crate) fn maximise(model: &Model, objective: Var, stop: &mut dyn FnMut() -> bool) -> Solved {
    let Some(mut posted) = Posted::new(model, stop) else {
        return Solved::Unknown;
    };
    if posted.never {
        return Solved::Never;
    }
    let mut brancher = posted.brancher(model.orders.first().map_or(&[], Vec::as_slice));
    let mut resolver = ResolutionResolver::default();
    let domains = posted.domains.clone();
    let go_on =
        |_: &Solver, _: SolutionReference<'_>, _: &Search, _: &ResolutionResolver| ControlFlow::<()>::Continue(());
    let procedure = LinearSatUnsat::new(OptimisationDirection::Maximise, domains[objective], go_on);
    match posted.solver.optimise(&mut brancher, &mut Patience(stop), &mut resolver, procedure) {
        OptimisationResult::Optimal(found) | OptimisationResult::Satisfiable(found) => {
            Solved::Values(values(&domains, &found))
        }
        OptimisationResult::Stopped(found, ()) => Solved::Values(values(&domains, &found)),
        OptimisationResult::Unsatisfiable => Solved::Never,
        OptimisationResult::Unknown => Solved::Unknown,
    }
}
