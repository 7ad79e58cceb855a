//! Legal deadlines, countries, fields of education.

use creditbank_protocol::pb;

use super::Registry;
use crate::Rejection;

pub(super) fn deadline(_: &Registry, _: &pb::LegalDeadline) -> Result<(), Rejection> {
    Ok(())
}

pub(super) fn country(_: &Registry, _: &pb::Country) -> Result<(), Rejection> {
    Ok(())
}

pub(super) fn field(_: &Registry, _: &pb::FieldOfEducation) -> Result<(), Rejection> {
    Ok(())
}
