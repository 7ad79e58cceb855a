//! What a record says that it amends.

use crate::canonical::{Canonical, CanonicalError, decode};
use crate::pb::{self, Amends, Kind};

/// The record that a canonical body of a kind replaces, if it says so. Public kinds replace nothing in this way.
pub fn amends_of(kind: Kind, body: &[u8]) -> Result<Option<Amends>, CanonicalError> {
    fn read<M: Canonical>(body: &[u8], amends: impl Fn(M) -> Option<Amends>) -> Result<Option<Amends>, CanonicalError> {
        Ok(amends(decode(body)?))
    }
    match kind {
        Kind::Identity => read(body, |read: pb::Identity| read.amends),
        Kind::Outcome => read(body, |read: pb::Outcome| read.amends),
        Kind::Credit => read(body, |read: pb::Credit| read.amends),
        Kind::Result => read(body, |read: pb::Result| read.amends),
        Kind::Application => read(body, |read: pb::Application| read.amends),
        Kind::Appeal => read(body, |read: pb::Appeal| read.amends),
        Kind::Decision => read(body, |read: pb::Decision| read.amends),
        Kind::Conversion => read(body, |read: pb::Conversion| read.amends),
        Kind::Award => read(body, |read: pb::Award| read.amends),
        Kind::QualificationRecognition => read(body, |read: pb::QualificationRecognition| read.amends),
        Kind::Enrolment => read(body, |read: pb::Enrolment| read.amends),
        Kind::ForeignAward => read(body, |read: pb::ForeignAward| read.amends),
        _ => Ok(None),
    }
}
