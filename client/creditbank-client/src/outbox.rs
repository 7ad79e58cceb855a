//! Signed blocks on their way into a unit's chain.

pub(crate) mod patience;
pub(crate) mod work;
