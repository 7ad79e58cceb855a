//! Records that stand on others: conversions by agreement, by assessment or declared, awards, and the learner's mandate for them.

pub mod assessment;
pub mod consent;
pub mod declared;
pub mod derived;
pub mod joint;
mod stated;
