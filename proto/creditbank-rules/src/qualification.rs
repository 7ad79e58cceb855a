//! Qualifications: what an award asks for, and whether a learner's records fill it.
//!
//! A definition is a tree of requirements. An *allocation* says which [`Candidate`] (a spendable credit, one result of a
//! conversion, an outcome) fills which requirement. [`check`] recomputes with integers whether an allocation makes the
//! award; the ledger asks no more than that. Finding an allocation is the work of `creditbank-allocation`, whose answers are
//! checked here like anybody's.
//!
//! # What holds
//! - A candidate fills at most one requirement, and a root counts at most once in the whole award, by its fractions.
//! - A course counts once and its repeats, over all ways to it.
//! - A candidate counts only in the definition's unit, not after its expiry (judged on the day of conferral), and if the
//!   retake policy picks it among the passes of its course.
//! - Only what holds takes: a requirement that takes candidates holds, and so do all of the nodes above it.
//! - `AT_LEAST`, `AT_MOST`, AVERAGE, AGE and ENROLMENT look at everything that is taken below their parent; AMONG at
//!   everything below the nearest ALL above it.
//! - Every comparison is one of integers; shares are compared by cross-multiplication, means are exact fractions.

mod answer;
mod candidate;
mod check;
mod counts;
mod enrolment;
mod explain;
mod fraction;
mod grades;
mod matching;
mod measure;
mod months;
mod progress;
mod repeats;
mod retake;
mod roots;
mod satisfiable;
mod terms;
mod tree;

pub use answer::{Answer, Found, Undecided};
pub use candidate::{Barred, Candidate, CandidateRoot, Derivation};
pub use check::{Audit, check, confers, in_force};
pub use counts::Obstacle;
pub use enrolment::{ENROLMENTS_MAX, HeldEnrolment, enrolled_since, enrolled_time, mark_enrolled};
pub use explain::{Line, describe_match, explain};
pub use fraction::Fraction;
pub use grades::{GradeOrder, Point, is_at_least, order_of, point_of};
pub use matching::{matches, mismatch};
pub use measure::{Case, Finding, HeldAward, Measure, among_needed, names};
pub use months::add_months;
pub use progress::{Progress, RequirementProgress, Unused, UnusedReason, progress};
pub use repeats::mark_repeats;
pub use roots::{RootUse, root_uses};
pub use satisfiable::{Conflict, Satisfiability, satisfiability};
pub use terms::{Beside, Budget, Charge, Terms, overlap_of};
pub(crate) use tree::elements;
pub use tree::{DEPTH_MAX, NODES_MAX, Tree, takes};
