//! What is looked for among everything that is taken, as inequalities.

use creditbank_rules::qualification::among_needed;

use crate::linear::Var;
use crate::problem::Problem;

impl Problem<'_> {
    /// Credit, courses or records that match are among what is taken where an AMONG looks.
    pub(crate) fn among(&mut self, requirement: usize, stop: &mut dyn FnMut() -> bool) -> Option<()> {
        let (node, when) = (self.case.tree.node(requirement), Some(self.active[requirement]));
        let scope = self.case.tree.scope(requirement);
        let inside = self.matching(requirement);
        if node.amount_e4 > 0 {
            let terms = self.terms(scope, |class| if inside[class] { self.amount(class) } else { 0 });
            self.model.at_least(when, terms, i128::from(node.amount_e4));
            return Some(());
        }
        let courses = &node.r#match.as_ref()?.courses;
        let needed = i128::try_from(among_needed(node)).ok()?;
        if courses.is_empty() {
            let terms = self.terms(scope, |class| i128::from(inside[class]));
            self.model.at_least(when, terms, needed);
            return Some(());
        }
        let mut there: Vec<(i128, Var)> = Vec::new();
        for code in courses {
            if stop() || !self.model.is_small() {
                return None;
            }
            let mut terms = self.terms(scope, |class| i128::from(inside[class] && self.is_of(class, code)));
            let course = self.model.var(1);
            terms.push((-1, course));
            self.model.at_least(None, terms, 0);
            there.push((1, course));
        }
        self.model.at_least(when, there, needed);
        Some(())
    }
}
