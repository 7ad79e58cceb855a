//! Qualification definitions.

use creditbank_protocol::pb;

use super::Registry;
use crate::Rejection;

pub(super) fn check(_: &Registry, _: &pb::QualificationDefinition) -> Result<(), Rejection> {
    Ok(())
}
