//! What is to be counted, and what is not.

use std::collections::BTreeSet;

use creditbank_protocol::Portion;
use creditbank_rules::qualification::{Case, takes};
use creditbank_rules::{Rejection, Rule};

/// Positions of what is to be used, and of what is to be kept. Refuses what is not there, what is named twice, and what
/// could not be used whatever else is.
pub(super) fn wishes(
    case: &Case<'_>,
    used: &[Portion],
    kept: &[Portion],
) -> Result<(BTreeSet<usize>, BTreeSet<usize>), Rejection> {
    let refuse = |rule, field, expected: &str, found: String| Rejection::new(rule, expected, found).field(field);
    let position = |field, portion: &Portion| {
        let is_it = |one: &creditbank_rules::qualification::Candidate| one.portion() == *portion && !one.hypothetical;
        let found = case.candidates.iter().position(is_it);
        found.ok_or_else(|| {
            let expected = "a record of this learner that could be counted, or one of its results";
            refuse(Rule::SourceNotUsable, field, expected, portion.to_string())
        })
    };
    let all = |field, portions: &[Portion]| {
        portions.iter().map(|one| position(field, one)).collect::<Result<BTreeSet<usize>, Rejection>>()
    };
    let (wanted, left) = (all("use", used)?, all("keep", kept)?);
    let shown = |one: &usize| case.candidates[*one].portion();
    if let Some(both) = wanted.intersection(&left).next() {
        let found = format!("{}, which is to be kept", shown(both));
        return Err(refuse(Rule::Contradiction, "use", "a record that is not to be kept", found));
    }
    for one in &wanted {
        if let Some(obstacle) = case.obstacle(*one) {
            let found = format!("{}, {obstacle}", shown(one));
            return Err(refuse(Rule::SourceNotUsable, "use", "a record that counts", found));
        }
        let fits = (0..case.tree.size()).any(|node| takes(case.tree.kind(node)) && case.misfit(node, *one).is_none());
        if !fits {
            let found = format!("{}, which matches none", shown(one));
            return Err(refuse(Rule::RequirementsNotMet, "use", "a record that matches a requirement", found));
        }
    }
    Ok((wanted, left))
}
