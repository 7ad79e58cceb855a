//! In which orders the solver tries variables.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use creditbank_protocol::pb::{Origin, RequirementType};
use creditbank_rules::qualification::{GradeOrder, takes};

use crate::classes::Class;
use crate::filling::Need;
use crate::linear::{Try, Var};
use crate::problem::{Problem, Taken};

/// Most places of classes beside their other places that are kept for the order of trying.
const ELSEWHERE_MAX: usize = 200_000;

impl Problem<'_> {
    /// Where the solver begins, in several ways: no order suits every question. A matter of speed only.
    ///
    /// `whole` takes the records that serve the whole best, `ways` opens as few as it must, `places` gives each record, the
    /// best ones first, to where records are scarce; `scarce` fills one requirement after the other.
    pub(crate) fn tries(&mut self) {
        let tree = &self.case.tree;
        let sign = if self.case.order() == GradeOrder::HigherIsBetter { 1 } else { -1 };
        let worth = |class: usize| {
            let first = self.classes[class].first();
            let point = self.case.point(first).map_or(0, |point| i128::from(point.sum_e4 / u64::from(point.of.max(1))));
            (sign * point, self.case.candidates[first].origin == Origin::Own, self.amount(class))
        };
        let mut whole = self.taken[0].clone();
        whole.sort_by_key(|taken| (Reverse(worth(taken.class)), taken.class));
        let supply = |requirement: &usize| -> (i128, usize) {
            let of = |taken: &Taken| self.amount(taken.class) * i128::from(self.classes[taken.class].size());
            let need = i128::from(tree.node(*requirement).amount_e4).max(1);
            (self.taken[*requirement].iter().map(of).sum::<i128>() * 1_000 / need, *requirement)
        };
        let mut ways: Vec<usize> = (1..tree.size()).collect();
        ways.sort_by_key(supply);
        let mut takers: Vec<usize> = (0..tree.size()).filter(|position| takes(tree.kind(*position))).collect();
        takers.sort_by_key(supply);
        let rank: BTreeMap<usize, usize> = whole.iter().enumerate().map(|(rank, taken)| (taken.class, rank)).collect();
        let scarce: Vec<Taken> =
            takers.iter().flat_map(|requirement| self.taken[*requirement].iter().copied()).collect();
        let mut places = scarce.clone();
        places.sort_by_key(|taken| rank.get(&taken.class).copied());
        let vars = |taken: &[Taken]| -> Vec<Var> { taken.iter().map(|taken| taken.var).collect() };
        let (whole, places, scarce) = (vars(&whole), vars(&places), vars(&scarce));
        let ways: Vec<Var> = ways.iter().map(|requirement| self.active[*requirement]).collect();
        let largest = |vars: &Vec<Var>| Try::Largest(vars.clone());
        let ways = Try::Least(ways);
        self.model.needs = self.needs(&takers);
        self.model.orders = vec![
            vec![ways.clone(), Try::Fill, largest(&whole), largest(&places)],
            vec![largest(&whole), ways.clone(), Try::Fill, largest(&places)],
            vec![largest(&whole), ways.clone(), largest(&places)],
            vec![largest(&whole), ways, largest(&scarce)],
        ];
    }

    fn needs(&self, takers: &[usize]) -> Vec<Need<Var>> {
        // How often a class is counted below: a matter of speed, so it is left out where it would take much room.
        let places = |class: &Class| class.fits.len() * class.fits.len();
        let few = self.classes.iter().map(places).fold(0, usize::saturating_add) <= ELSEWHERE_MAX;
        let credits: Vec<usize> =
            takers.iter().copied().filter(|one| self.case.tree.kind(*one) == RequirementType::Credits).collect();
        let small = |amount: i128| i64::try_from(amount).unwrap_or(i64::MAX >> 32);
        let each = credits.iter().map(|requirement| {
            let taken = &self.taken[*requirement];
            let fits = |class: usize, other: usize| self.classes[class].fits.contains(&other);
            let elsewhere = |class: usize| -> Vec<usize> {
                if !few {
                    return Vec::new();
                }
                let others =
                    credits.iter().enumerate().filter(|(_, other)| *other != requirement && fits(class, **other));
                others.map(|(index, _)| index).collect()
            };
            Need {
                active: self.active[*requirement],
                amount: small(i128::from(self.case.tree.node(*requirement).amount_e4)),
                from: taken.iter().map(|taken| (small(self.amount(taken.class)), taken.var)).collect(),
                elsewhere: taken.iter().map(|taken| elsewhere(taken.class)).collect(),
            }
        });
        each.collect()
    }
}
