//! Mean grades and times of enrolment, as inequalities.

use creditbank_protocol::pb::Origin;
use creditbank_rules::qualification::{GradeOrder, Point, add_months};

use crate::problem::{Problem, lcm};

impl Problem<'_> {
    /// The sum of credit times the distance to the least mean is not negative, and something enters the mean.
    pub(crate) fn average(&mut self, requirement: usize, parent: usize) -> Option<()> {
        let when = Some(self.active[requirement]);
        let least = i128::from(self.case.minimum(requirement));
        let sign = if self.case.order() == GradeOrder::HigherIsBetter { 1 } else { -1 };
        let points = self.classes.iter().map(|class| self.case.point(class.first()));
        let points: Vec<Option<Point>> = points.collect();
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
        let terms = self.terms(parent, |class| distances[class]);
        let enters = |class: usize| i128::from(points[class].is_some() && self.amount(class) > 0);
        let some = self.terms(parent, enters);
        self.model.at_least(when, terms, 0);
        self.model.at_least(when, some, 1);
        Some(())
    }

    /// Some own class that is taken is the first, and one that ends late enough after it is taken too.
    pub(crate) fn enrolment(&mut self, requirement: usize, parent: usize) {
        let when = Some(self.active[requirement]);
        let months = self.case.tree.node(requirement).months;
        if let Some(holds) = self.case.is_enrolled(months) {
            // Nothing that is taken changes it.
            if !holds {
                self.model.at_least(when, Vec::new(), 1);
            }
            return;
        }
        let own = |class: &usize| {
            let found = &self.case.candidates[self.classes[*class].first()];
            found.period.filter(|_| found.origin == Origin::Own).map(|(from, until)| (*class, from, until))
        };
        let periods: Vec<_> = self.taken[parent].iter().filter_map(|taken| own(&taken.class)).collect();
        let mut earlies = Vec::new();
        for (class, from, _) in &periods {
            let late: Vec<usize> = periods
                .iter()
                .filter(|(_, _, until)| add_months(*from, months) <= *until + 1)
                .map(|(late, _, _)| *late)
                .collect();
            let early = self.model.var(1);
            let of_class = self.terms(parent, |one| i128::from(one == *class));
            let of_late = self.terms(parent, |one| i128::from(late.contains(&one)));
            self.model.at_least(Some(early), of_class, 1);
            self.model.at_least(Some(early), of_late, 1);
            earlies.push((1, early));
        }
        self.model.at_least(when, earlies, 1);
    }
}
