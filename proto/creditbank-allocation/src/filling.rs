//! Where the solver looks first: the requirement that is short of credit and has the least to spare gets the record that
//! fits it best. A matter of speed only; what follows from it the solver takes back when it does not work.

use pumpkin_core::branching::{Brancher, BrancherEvent, SelectionContext};
use pumpkin_core::predicate;
use pumpkin_core::predicates::Predicate;
use pumpkin_core::variables::DomainId;

/// Credit that a requirement asks for when it is active, in the smallest common unit, and what can give it.
#[derive(Debug, Clone)]
pub(crate) struct Need<V> {
    pub(crate) active: V,
    pub(crate) amount: i64,
    /// Amount of one, and how many are taken.
    pub(crate) from: Vec<(i64, V)>,
    /// For each of these, the other needs that it could serve: positions.
    pub(crate) elsewhere: Vec<Vec<usize>>,
}

impl<V: Copy> Need<V> {
    /// The same with other names of variables.
    pub(crate) fn map<W>(&self, name: impl Fn(V) -> W) -> Need<W> {
        Need {
            active: name(self.active),
            amount: self.amount,
            from: self.from.iter().map(|(amount, var)| (*amount, name(*var))).collect(),
            elsewhere: self.elsewhere.clone(),
        }
    }
}

/// Fills needs.
#[derive(Debug)]
pub(crate) struct Filling {
    needs: Vec<Need<DomainId>>,
}

impl Filling {
    pub(crate) fn new(needs: Vec<Need<DomainId>>) -> Self {
        Self { needs }
    }
}

impl Brancher for Filling {
    fn next_decision(&mut self, context: &mut SelectionContext) -> Option<Predicate> {
        let (mut short, mut least) = (Vec::with_capacity(self.needs.len()), None);
        for (index, need) in self.needs.iter().enumerate() {
            let sum = |bound: &dyn Fn(DomainId) -> i32| -> i64 {
                need.from.iter().map(|(amount, var)| amount * i64::from(bound(*var))).sum()
            };
            let open = context.lower_bound(need.active) == 1;
            let missing = need.amount - sum(&|var| context.lower_bound(var));
            let wanted = open && missing > 0;
            short.push(wanted);
            let spare = sum(&|var| context.upper_bound(var)) - need.amount;
            if wanted && least.is_none_or(|(other, _, _)| spare < other) {
                least = Some((spare, index, missing));
            }
        }
        let (_, index, missing) = least?;
        let need = &self.needs[index];
        let free = need.from.iter().zip(&need.elsewhere).filter(|((_, var), _)| !context.is_integer_fixed(*var));
        let best = free.min_by_key(|((amount, _), elsewhere)| {
            let wanted = elsewhere.iter().filter(|other| short[**other]).count();
            (wanted, (amount - missing).max(0), -amount)
        });
        let ((_, var), _) = best?;
        let next = context.lower_bound(*var) + 1;
        Some(predicate![var >= next])
    }

    fn subscribe_to_events(&self) -> Vec<BrancherEvent> {
        Vec::new()
    }
}
