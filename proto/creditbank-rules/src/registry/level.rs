//! Level maps.

use creditbank_protocol::pb;

use super::Registry;
use crate::Rejection;

pub(super) fn map(_: &Registry, _: &pb::LevelMap) -> Result<(), Rejection> {
    Ok(())
}
