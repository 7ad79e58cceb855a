//! Loops through which credit would grow. They are reported, not refused: a root that returns to a unit is capped there.
//!
//! An edge is an agreement in force, from its source unit to its target unit; of several between the same units the one with
//! the largest ratio. Who may send to whom is not looked at: a loop over units is the least that a gain needs. The search
//! is exact: products are fractions of whole numbers without a bound.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{AgreementName, AgreementTerms};
use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;

use super::{in_force, name_of};
use crate::Registry;
use crate::dates::Day;

/// Longest loop that is looked for, in conversions.
pub const LOOP_EDGES_MAX: usize = 6;
/// Most loops that are reported.
pub const LOOPS_MAX: usize = 16;
/// Most edges that the search follows: beyond, what was found stands.
const STEPS_MAX: u32 = 100_000;

/// A way from a unit back to it, on which credit grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// The agreements, in order; the first is the one that was asked about.
    pub path: Vec<AgreementName>,
    /// The units, from the first one back to it.
    pub units: Vec<String>,
    /// What one credit has become: above 1, in lowest terms.
    pub gain: Ratio<BigUint>,
}

type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, (Ratio<BigUint>, AgreementName)>>;

/// The loops with gain of at most [`LOOP_EDGES_MAX`] conversions that begin with `terms` and go on through agreements in force
/// on a day, each unit once; at most [`LOOPS_MAX`], in the order of their units.
pub fn loops(registry: &Registry, terms: &AgreementTerms, day: Day) -> Vec<Loop> {
    let edges = edges(registry, terms, day);
    let Some(first) = ratio(terms) else { return Vec::new() };
    let mut search = Search { edges, home: &terms.source_unit, best: Vec::new(), found: Vec::new(), steps: 0 };
    search.bounds();
    let way = Loop {
        path: vec![name_of(terms)],
        units: vec![terms.source_unit.clone(), terms.target_unit.clone()],
        gain: first,
    };
    search.follow(way);
    search.found
}

fn ratio(terms: &AgreementTerms) -> Option<Ratio<BigUint>> {
    let ratio = terms.ratio.as_ref().filter(|ratio| ratio.numerator > 0 && ratio.denominator > 0)?;
    Some(Ratio::new(ratio.numerator.into(), ratio.denominator.into()))
}

fn edges<'a>(registry: &'a Registry, asked: &AgreementTerms, day: Day) -> Edges<'a> {
    let mut edges = Edges::new();
    for agreement in registry.agreements() {
        let terms = agreement.terms();
        let same = (&terms.code, terms.version) == (&asked.code, asked.version);
        if same || terms.source_unit == terms.target_unit || !in_force(registry, &terms.code, terms.version, day) {
            continue;
        }
        let Some(ratio) = ratio(terms) else { continue };
        let of = edges.entry(terms.source_unit.as_str()).or_default();
        let better = of.get(terms.target_unit.as_str()).is_none_or(|(before, _)| *before < ratio);
        if better {
            of.insert(&terms.target_unit, (ratio, name_of(terms)));
        }
    }
    edges
}

struct Search<'a> {
    edges: Edges<'a>,
    home: &'a str,
    /// For each number of further edges: what one credit of a unit can at most become at home.
    best: Vec<BTreeMap<&'a str, Ratio<BigUint>>>,
    found: Vec<Loop>,
    steps: u32,
}

impl Search<'_> {
    /// What a way can still gain, so that only ways that may close with a gain are followed.
    fn bounds(&mut self) {
        let mut at = BTreeMap::from([(self.home, Ratio::one())]);
        self.best.push(at.clone());
        for _ in 1..LOOP_EDGES_MAX {
            for (from, to) in &self.edges {
                let last = self.best.last();
                let reach = to.iter().filter_map(|(unit, (ratio, _))| Some(last?.get(unit)? * ratio));
                if let Some(most) = reach.max() {
                    let known = at.get(from).filter(|known| **known >= most);
                    if known.is_none() && *from != self.home {
                        at.insert(from, most);
                    }
                }
            }
            self.best.push(at.clone());
        }
    }

    fn follow(&mut self, way: Loop) {
        self.steps += 1;
        if self.steps > STEPS_MAX || self.found.len() >= LOOPS_MAX {
            return;
        }
        let unit = way.units.last().map_or("", String::as_str);
        if unit == self.home {
            if way.gain > Ratio::one() {
                self.found.push(way);
            }
            return;
        }
        let left = LOOP_EDGES_MAX - way.path.len();
        let hope = self.best.get(left).and_then(|best| best.get(unit));
        if hope.is_none_or(|hope| &way.gain * hope <= Ratio::one()) {
            return;
        }
        let next = self.edges.get(unit).cloned().unwrap_or_default();
        for (to, (ratio, name)) in next {
            if to != self.home && way.units.iter().any(|unit| unit == to) {
                continue;
            }
            let mut further = way.clone();
            further.path.push(name);
            further.units.push(to.to_owned());
            further.gain *= ratio;
            self.follow(further);
        }
    }
}
