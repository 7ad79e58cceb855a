//! Which record fills which requirement, found exactly.
//!
//! Taking records greedily gives wrong refusals: the record that the first requirement takes may be the only one that the
//! second can have. So the whole question is put to a constraint solver, as linear inequalities over integers, and its answer
//! is checked by [`creditbank_rules::qualification`] like anybody's: the solver is never trusted with a *yes*, and a *no* is
//! one that it has proved.
//!
//! # What holds
//! - Deterministic: the same input gives the same allocation; only the caller's clock decides whether there is an answer.
//!   (Where it runs out while the allocation is sought that leaves other definitions most, there is none either.)
//! - What the learner's other awards leave of overlaps, and what is to be used or kept, are constraints of the question.
//! - [`Answer::Met`] has passed the check that the ledger makes. [`Answer::Missing`] is said only after a proof.
//! - When the caller's patience ends, or numbers exceed the solver's, the answer is [`Answer::Undecided`], which says why.
//! - No binary floating point.
#![forbid(unsafe_code)]

mod allocate;
mod among;
mod assignment;
mod beside;
mod classes;
mod example;
mod filling;
mod linear;
mod means;
mod orders;
mod partial;
mod problem;
mod solver;

pub use allocate::{allocate, allocate_beside};
pub use creditbank_rules::qualification::{Answer, Beside, Found, Undecided};
pub use example::{Piece, example};
