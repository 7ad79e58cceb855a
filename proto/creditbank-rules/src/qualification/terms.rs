//! What an evaluation asks of an allocation beside the definition: what the learner's other awards leave, and what people
//! wish. None of it is a rule of the definition; the ledger judges overlaps by the records (`admission/spend.rs`).

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{self, QualificationDefinition, QualificationName};

use super::{Case, names};

/// Credit that counts in standing awards of another definition as well, and how much of it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The other definition, in whatever version.
    pub other: (InstitutionId, String),
    /// What counts against it.
    pub charges: Vec<Charge>,
}

/// What one candidate counts against a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Position of the candidate.
    pub candidate: usize,
    /// The amount, once for each award that counts its roots too.
    pub amount_e4: u64,
    /// Most that may count together with it.
    pub most_e4: u64,
}

impl Budget {
    /// Whether what is taken stays within it.
    pub fn holds(&self, taken: &BTreeSet<usize>) -> bool {
        let charged = self.charges.iter().filter(|charge| taken.contains(&charge.candidate));
        let (mut sum, mut least) = (0u64, u64::MAX);
        for charge in charged {
            sum = sum.saturating_add(charge.amount_e4);
            least = least.min(charge.most_e4);
        }
        sum <= least
    }
}

/// How much credit may count in awards of two definitions: the smaller of what they say, if both say something.
pub fn overlap_of(one: &QualificationDefinition, other: &QualificationDefinition) -> Option<u64> {
    let allows = |of: &QualificationDefinition, with: &QualificationDefinition| {
        let QualificationDefinition { institution, code, version, .. } = with;
        let name = QualificationName { institution: *institution, code: code.clone(), version: *version };
        let fits = |one: &&pb::Overlap| one.other.as_ref().is_some_and(|other| names(other, &name));
        of.overlaps.iter().find(fits).map(|one| one.max_e4)
    };
    allows(one, other).zip(allows(other, one)).map(|(ours, theirs)| ours.min(theirs))
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Overlaps with other awards.
    pub budgets: Vec<Budget>,
    /// Positions of candidates that have to be taken.
    pub used: BTreeSet<usize>,
    /// Positions of candidates that are not taken.
    pub kept: BTreeSet<usize>,
}

/// Another definition that the learner is on the way to: an allocation leaves it what it can.
pub struct Beside<'a> {
    /// The learner, judged by it.
    pub case: Case<'a>,
    /// How much credit may count in both: 0 where one of the two does not allow it.
    pub overlap_e4: u64,
}

impl Beside<'_> {
    /// For each candidate of a case the credit that this definition could count of the same roots: it is lost to it where
    /// the candidate is taken.
    pub fn harm(&self, case: &Case<'_>) -> Vec<u64> {
        let mut worth = BTreeMap::new();
        for (position, found) in self.case.candidates.iter().enumerate() {
            let fits = (0..self.case.tree.size())
                .any(|node| super::takes(self.case.tree.kind(node)) && self.case.misfit(node, position).is_none());
            if fits && self.case.obstacle(position).is_none() {
                for root in &found.roots {
                    let most: &mut u64 = worth.entry(root.place).or_default();
                    *most = found.amount_e4().max(*most);
                }
            }
        }
        let harm = |found: &super::Candidate| {
            found
                .roots
                .iter()
                .filter_map(|root| worth.get(&root.place))
                .fold(0, |sum: u64, one| sum.saturating_add(*one))
        };
        case.candidates.iter().map(harm).collect()
    }
}
