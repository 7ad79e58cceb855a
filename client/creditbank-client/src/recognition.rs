//! Records that stand on others: conversions by agreement or assessment, awards, and the learner's mandate for them.

pub mod assessment;
pub mod consent;
pub mod derived;
pub mod joint;
