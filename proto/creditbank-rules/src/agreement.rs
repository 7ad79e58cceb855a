//! Agreements at work: when one is in force, for whom it speaks, what it covers, which one wins, where credit would grow.

mod force;
mod loops;
mod parties;
mod scope;
mod specific;

pub use force::{days_in_force, in_force};
pub use loops::{LOOP_EDGES_MAX, LOOPS_MAX, Loop, loops};
pub use parties::speaks_for;
pub(crate) use scope::show_level;
pub use scope::{Facts, covers, intersect};
pub(crate) use specific::Rivals;
pub use specific::most_specific;

use creditbank_protocol::pb::{AgreementName, AgreementTerms};

/// The name of a version of an agreement.
pub fn name_of(terms: &AgreementTerms) -> AgreementName {
    AgreementName { code: terms.code.clone(), version: terms.version }
}

/// `CODE version 2`, as messages have it.
pub fn show(code: &str, version: u32) -> String {
    format!("{code} version {version}")
}
