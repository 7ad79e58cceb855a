//! Linear inequalities over bounded integers, kept exact until they are as small as they can be.

use crate::filling::Need;

/// A variable, by its number.
pub(crate) type Var = usize;

/// `sum >= least`, whenever the condition is 1.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) condition: Option<Var>,
    pub(crate) terms: Vec<(i128, Var)>,
    pub(crate) least: i128,
}

/// A row whose numbers fit the solver.
#[derive(Debug, Clone)]
pub(crate) enum Small {
    /// Holds whatever is chosen.
    Always,
    /// Never holds.
    Never,
    /// To be posted.
    Row(Vec<(i32, Var)>, i32),
    /// Beyond the solver.
    TooLarge,
}

/// Largest sum that a row may reach, so that the solver's 32 bits suffice on the way.
const SUM_MAX: i128 = 1 << 30;

/// What is tried next.
#[derive(Debug, Clone)]
pub(crate) enum Try {
    /// These variables in order, each at its largest first.
    Largest(Vec<Var>),
    /// These variables in order, each at its least first.
    Least(Vec<Var>),
    /// Needs are filled, those with the least to spare first.
    Fill,
}

impl Try {
    fn moved(self, offset: usize) -> Self {
        let all = |vars: Vec<Var>| vars.into_iter().map(|var| var + offset).collect();
        match self {
            Self::Largest(vars) => Self::Largest(all(vars)),
            Self::Least(vars) => Self::Least(all(vars)),
            Self::Fill => Self::Fill,
        }
    }
}

/// Most variables of a question, and most terms of all its rows: what it takes in memory follows from them. The solver
/// holds some hundred bytes for a variable and for a term. A question beyond is left undecided.
pub(crate) const VARS_MAX: usize = 30_000;
pub(crate) const TERMS_MAX: usize = 200_000;

/// Variables with their bounds, and rows over them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// Largest value of each variable; the least is 0.
    pub(crate) most: Vec<i32>,
    pub(crate) rows: Vec<Row>,
    /// Terms of all rows.
    terms: usize,
    /// A row was left out, as there were too many terms.
    overfull: bool,
    /// In which orders variables are tried, where nothing else tells.
    pub(crate) orders: Vec<Vec<Try>>,
    /// Credit that is asked for.
    pub(crate) needs: Vec<Need<Var>>,
}

/// The greatest common divisor.
pub(crate) fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Model {
    /// A variable from 0 to `most`.
    pub(crate) fn var(&mut self, most: i32) -> Var {
        self.most.push(most);
        self.most.len() - 1
    }

    /// `sum >= least`, whenever the condition is 1.
    pub(crate) fn at_least(&mut self, condition: Option<Var>, terms: Vec<(i128, Var)>, least: i128) {
        let terms = Vec::from(terms.into_boxed_slice());
        self.terms += terms.len() + 1;
        if self.terms > TERMS_MAX {
            self.overfull = true;
        } else {
            self.rows.push(Row { condition, terms, least });
        }
    }

    /// Takes in another model; its variables are numbered on from the number that is returned.
    pub(crate) fn append(&mut self, other: Model) -> usize {
        let offset = self.most.len();
        self.most.extend(other.most);
        self.terms += other.terms;
        self.overfull |= other.overfull;
        let moved = |row: Row| Row {
            condition: row.condition.map(|var| var + offset),
            terms: row.terms.into_iter().map(|(factor, var)| (factor, var + offset)).collect(),
            least: row.least,
        };
        self.rows.extend(other.rows.into_iter().map(moved));
        let known = self.needs.len();
        self.needs.extend(other.needs.into_iter().map(|need| {
            let mut need = need.map(|var| var + offset);
            need.elsewhere.iter_mut().flatten().for_each(|at| *at += known);
            need
        }));
        for (own, others) in self.orders.iter_mut().zip(other.orders) {
            own.extend(others.into_iter().map(|one| one.moved(offset)));
        }
        offset
    }

    /// Whether there are no more variables and terms than a question may have.
    pub(crate) fn is_small(&self) -> bool {
        !self.overfull && self.most.len() <= VARS_MAX
    }

    /// How many terms may still be added.
    pub(crate) fn room(&self) -> usize {
        TERMS_MAX.saturating_sub(self.terms)
    }

    /// How much there is so far, to come back to.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.most.len(), self.rows.len())
    }

    /// What there was at a mark.
    pub(crate) fn cut(&mut self, (vars, rows): (usize, usize)) {
        self.most.truncate(vars);
        self.rows.truncate(rows);
        self.terms = self.rows.iter().map(|row| row.terms.len() + 1).sum();
        self.overfull = false;
    }

    /// `sum <= most`, whenever the condition is 1.
    pub(crate) fn at_most(&mut self, condition: Option<Var>, terms: Vec<(i128, Var)>, most: i128) {
        let terms = terms.into_iter().map(|(factor, var)| (-factor, var)).collect();
        self.at_least(condition, terms, -most);
    }

    /// A row with the same solutions and the smallest numbers.
    pub(crate) fn small(&self, row: &Row) -> Small {
        let mut terms: Vec<(i128, Var)> = row.terms.iter().copied().filter(|(factor, _)| *factor != 0).collect();
        let bound = |(factor, var): &(i128, Var)| factor.checked_mul(i128::from(self.most[*var]));
        let Some(bounds) = terms.iter().map(bound).collect::<Option<Vec<i128>>>() else {
            return Small::TooLarge;
        };
        let reach = |sign: i128| bounds.iter().filter(|bound| bound.signum() == sign).sum::<i128>();
        let (low, high) = (reach(-1), reach(1));
        if low >= row.least {
            return Small::Always;
        }
        if high < row.least {
            return Small::Never;
        }
        let divisor = terms.iter().fold(0, |divisor, (factor, _)| gcd(divisor, factor.unsigned_abs()));
        let divisor = i128::try_from(divisor).unwrap_or(1).max(1);
        terms.iter_mut().for_each(|(factor, _)| *factor /= divisor);
        let least = row.least.div_euclid(divisor) + i128::from(row.least.rem_euclid(divisor) != 0);
        // With nothing below zero, more than the whole is as good as the whole.
        if terms.iter().all(|(factor, _)| *factor > 0) {
            terms.iter_mut().for_each(|(factor, _)| *factor = (*factor).min(least));
        }
        let sum: i128 = terms.iter().map(|(factor, var)| factor.abs() * i128::from(self.most[*var])).sum();
        if sum > SUM_MAX || least.abs() > SUM_MAX {
            return Small::TooLarge;
        }
        let small = terms.into_iter().map(|(factor, var)| Some((i32::try_from(factor).ok()?, var)));
        match (small.collect::<Option<Vec<_>>>(), i32::try_from(least)) {
            (Some(terms), Ok(least)) => Small::Row(terms, least),
            _ => Small::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: numbers shrink without a solution lost or won.
    #[test]
    fn rows_keep_their_solutions() {
        let mut state = 7u64;
        let mut next = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for _ in 0..2_000 {
            let mut model = Model::default();
            let vars: Vec<Var> = (0..3).map(|_| model.var(i32::try_from(next(3)).unwrap_or(0))).collect();
            let terms: Vec<(i128, Var)> = vars.iter().map(|var| (50 * (i128::from(next(11)) - 4), *var)).collect();
            let row = Row { condition: None, terms: terms.clone(), least: i128::from(next(1_200)) - 400 };
            let small = model.small(&row);
            for a in 0..=model.most[0] {
                for b in 0..=model.most[1] {
                    for c in 0..=model.most[2] {
                        let values = [a, b, c];
                        let sum: i128 = terms.iter().map(|(factor, var)| factor * i128::from(values[*var])).sum();
                        let found = match &small {
                            Small::Always => true,
                            Small::Never => false,
                            Small::Row(terms, least) => {
                                terms.iter().map(|(factor, var)| factor * values[*var]).sum::<i32>() >= *least
                            }
                            Small::TooLarge => panic!("these are small"),
                        };
                        assert_eq!(found, sum >= row.least, "{row:?} {small:?} {values:?}");
                    }
                }
            }
        }
    }
}
