//! The body of an amendment: what a record says now, with its learner and what it replaces.

use creditbank_protocol::canonical::{CanonicalError, decode, encode};
use creditbank_protocol::pb::{self, Amends, Kind};

/// Sets the parts that make a record an amendment. A learner that stands in `body` already must be the target's.
pub(crate) fn amended(kind: Kind, body: &[u8], learner: &[u8], amends: Option<Amends>) -> Result<Vec<u8>, String> {
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
        Kind::Application => with!(pb::Application),
        Kind::Appeal => with!(pb::Appeal),
        Kind::Decision => with!(pb::Decision),
        Kind::Conversion => with!(pb::Conversion),
        Kind::Award => with!(pb::Award),
        Kind::QualificationRecognition => with!(pb::QualificationRecognition),
        Kind::Enrolment => with!(pb::Enrolment),
        Kind::ForeignAward => with!(pb::ForeignAward),
        other => Err(format!("{} is no record of a learner", other.as_str_name())),
    }
}

/// A body without what it amends: to compare what two records say.
pub(crate) fn without_amends(kind: Kind, body: &[u8]) -> Result<Vec<u8>, String> {
    amended(kind, body, &learner(kind, body)?, None)
}

/// The alias in a body.
pub(crate) fn learner(kind: Kind, body: &[u8]) -> Result<Vec<u8>, String> {
    macro_rules! of {
        ($message:ty) => {
            decode::<$message>(body).map(|body| body.learner).map_err(|error| error.to_string())
        };
    }
    match kind {
        Kind::Identity => of!(pb::Identity),
        Kind::Outcome => of!(pb::Outcome),
        Kind::Credit => of!(pb::Credit),
        Kind::Result => of!(pb::Result),
        Kind::Application => of!(pb::Application),
        Kind::Appeal => of!(pb::Appeal),
        Kind::Decision => of!(pb::Decision),
        Kind::Conversion => of!(pb::Conversion),
        Kind::Award => of!(pb::Award),
        Kind::QualificationRecognition => of!(pb::QualificationRecognition),
        Kind::Enrolment => of!(pb::Enrolment),
        Kind::ForeignAward => of!(pb::ForeignAward),
        other => Err(format!("{} is no record of a learner", other.as_str_name())),
    }
}
