//! The body of an amendment: what a record says now, with its learner and what it replaces.

use creditbank_protocol::canonical::{CanonicalError, decode, encode};
use creditbank_protocol::pb::{self, Amends, Kind};

/// Sets the parts that make a record an amendment. A learner that stands in `body` already must be the target's.
pub fn amended(kind: Kind, body: &[u8], learner: &[u8], amends: Option<Amends>) -> Result<Vec<u8>, String> {
    let spelled = |error: CanonicalError| error.to_string();
    macro_rules! with {
        ($message:ty) => {{
            let mut message: $message = decode(body).map_err(spelled)?;
            if !message.learner.is_empty() && message.learner != learner {
                return Err("the learner is another one's than the record's".to_owned());
            }
            message.learner = learner.to_vec();
            message.amends = amends;
            encode(&message).map_err(spelled)
        }};
    }
    match kind {
        Kind::Identity => with!(pb::Identity),
        Kind::Outcome => with!(pb::Outcome),
        Kind::Credit => with!(pb::Credit),
        Kind::Result => with!(pb::Result),
        other => Err(format!("{} is no record of a learner", other.as_str_name())),
    }
}

/// A body without what it amends: to compare what two records say.
pub fn without_amends(kind: Kind, body: &[u8]) -> Result<Vec<u8>, String> {
    amended(kind, body, &learner(kind, body)?, None)
}

/// The alias in a body.
pub(crate) fn learner(kind: Kind, body: &[u8]) -> Result<Vec<u8>, String> {
    let spelled = |error: CanonicalError| error.to_string();
    match kind {
        Kind::Identity => decode::<pb::Identity>(body).map(|body| body.learner).map_err(spelled),
        Kind::Outcome => decode::<pb::Outcome>(body).map(|body| body.learner).map_err(spelled),
        Kind::Credit => decode::<pb::Credit>(body).map(|body| body.learner).map_err(spelled),
        Kind::Result => decode::<pb::Result>(body).map(|body| body.learner).map_err(spelled),
        other => Err(format!("{} is no record of a learner", other.as_str_name())),
    }
}
