//! What the operator of the log does: the registry.

pub(crate) mod accreditation;
pub(crate) mod institution;
pub(crate) mod key;
mod publish;
pub(crate) mod registry;
pub(crate) mod scale;
pub(crate) mod unit;
