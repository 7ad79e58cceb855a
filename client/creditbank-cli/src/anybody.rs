//! What anybody may do: keys, the public log, and its audit.

pub(crate) mod audit;
pub(crate) mod keygen;
pub(crate) mod log;
pub(crate) mod pending;
