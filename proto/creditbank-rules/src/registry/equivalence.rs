//! Equivalences.

use creditbank_protocol::pb;

use super::Registry;
use crate::Rejection;

pub(super) fn check(_: &Registry, _: &pb::Equivalence) -> Result<(), Rejection> {
    Ok(())
}
