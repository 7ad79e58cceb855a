//! No root pays twice within one award.

use std::collections::BTreeMap;

use creditbank_protocol::Place;

use super::Candidate;
use super::fraction::Fraction;

/// How much of one root a set of candidates stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootUse {
    /// Place of the root.
    pub place: Place,
    /// The sum of the fractions, added in the order of the candidates; `None` where it exceeds 128 bits, which counts as more
    /// than 1.
    pub sum: Option<Fraction>,
    /// Positions of the candidates.
    pub by: Vec<usize>,
}

impl RootUse {
    /// Whether the root counts more than once.
    pub fn is_twice(&self) -> bool {
        self.sum.is_none_or(|sum| sum.cmp_whole(1).is_gt())
    }
}

/// The roots of some of the candidates, by place.
pub fn root_uses(candidates: &[Candidate], chosen: &[usize]) -> Vec<RootUse> {
    let mut uses: BTreeMap<Place, RootUse> = BTreeMap::new();
    for position in chosen {
        for root in &candidates[*position].roots {
            let place = root.place;
            let found = uses.entry(place).or_insert(RootUse { place, sum: Some(Fraction::ZERO), by: Vec::new() });
            let part = Fraction::new(u128::from(root.fraction.numerator), u128::from(root.fraction.denominator));
            found.sum = found.sum.zip(part).and_then(|(sum, part)| sum.checked_add(part));
            found.by.push(*position);
        }
    }
    uses.into_values().collect()
}
