//! What a line says, as the message of its kind; the learner's alias is not in it yet.

use creditbank_protocol::canonical::{CanonicalError, encode};
use creditbank_protocol::pb::{self, Amends, Kind};
use prost::Message as _;

use crate::seeds::{of_day, of_period};

/// The kinds of records about one course: a correction may make one of another.
const COURSE_KINDS: [Kind; 3] = [Kind::Outcome, Kind::Credit, Kind::Result];

/// The kinds that a line with a reference may make.
pub(super) const FILE_KINDS: [Kind; 5] = [Kind::Outcome, Kind::Credit, Kind::Result, Kind::Enrolment, Kind::Identity];

#[derive(Clone)]
pub(in crate::import) enum Body {
    Outcome(Box<pb::Outcome>),
    Credit(Box<pb::Credit>),
    Result(Box<pb::Result>),
    Enrolment(Box<pb::Enrolment>),
    Identity(Box<pb::Identity>),
}

/// The same expression for the message of each kind.
macro_rules! each {
    ($body:expr, $one:ident => $what:expr) => {
        match $body {
            Body::Outcome($one) => $what,
            Body::Credit($one) => $what,
            Body::Result($one) => $what,
            Body::Enrolment($one) => $what,
            Body::Identity($one) => $what,
        }
    };
}

impl Body {
    pub(in crate::import) fn kind(&self) -> Kind {
        match self {
            Self::Outcome(_) => Kind::Outcome,
            Self::Credit(_) => Kind::Credit,
            Self::Result(_) => Kind::Result,
            Self::Enrolment(_) => Kind::Enrolment,
            Self::Identity(_) => Kind::Identity,
        }
    }

    /// The kind's name for people and programs.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Outcome(_) => "outcome",
            Self::Credit(_) => "credit",
            Self::Result(_) => "result",
            Self::Enrolment(_) => "enrolment",
            Self::Identity(_) => "identity",
        }
    }

    /// The kinds that a record of the same result may have, its own first.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let others =
            COURSE_KINDS.into_iter().filter(|kind| *kind != self.kind() && COURSE_KINDS.contains(&self.kind()));
        std::iter::once(self.kind()).chain(others).collect()
    }

    /// Canonical bytes, with the learner and what it amends.
    pub(super) fn of_learner(&self, alias: Vec<u8>, amended: Option<Amends>) -> Result<Vec<u8>, CanonicalError> {
        each!(self, one => {
            let mut one = (**one).clone();
            (one.learner, one.amends) = (alias, amended);
            encode(&one)
        })
    }

    /// Bytes of what the line says.
    pub(super) fn bytes(&self) -> Vec<u8> {
        each!(self, one => one.encode_to_vec())
    }

    pub(super) fn len(&self) -> usize {
        each!(self, one => one.encoded_len())
    }

    /// The course, or the programme of an Enrolment.
    pub(super) fn course(&self) -> Option<&pb::Course> {
        match self {
            Self::Outcome(one) => one.course.as_ref(),
            Self::Credit(one) => one.course.as_ref(),
            Self::Result(one) => one.course.as_ref(),
            Self::Enrolment(one) => one.programme.as_ref(),
            Self::Identity(_) => None,
        }
    }

    /// First and last day of the course.
    pub(super) fn period(&self) -> Option<&pb::Period> {
        match self {
            Self::Outcome(one) => one.period.as_ref(),
            Self::Credit(one) => one.period.as_ref(),
            Self::Result(one) => one.period.as_ref(),
            Self::Enrolment(_) | Self::Identity(_) => None,
        }
    }

    /// The year whose seeds the record has; nothing where it states no day of its own.
    pub(super) fn year(&self) -> Option<u32> {
        match self {
            Self::Enrolment(one) => of_day(one.from.as_ref()),
            _ => of_period(self.period()),
        }
    }

    /// Scale and value of the grade; of an Outcome its score.
    pub(super) fn grade(&self) -> Option<(&str, &str)> {
        match self {
            Self::Outcome(one) => one.score.as_ref().map(|score| (score.scale.as_str(), score.value.as_str())),
            Self::Credit(one) => one.grade.as_ref().map(|grade| (grade.scale.as_str(), grade.value.as_str())),
            Self::Result(one) => one.grade.as_ref().map(|grade| (grade.scale.as_str(), grade.value.as_str())),
            Self::Enrolment(_) | Self::Identity(_) => None,
        }
    }

    /// Whether it is a result of a course, which a grade may stand in.
    pub(super) fn takes_grade(&self) -> bool {
        !matches!(self, Self::Enrolment(_) | Self::Identity(_))
    }
}
