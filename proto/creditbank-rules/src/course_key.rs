//! Which of a learner's records at one institution belong together.

use creditbank_protocol::course_code::key;
use creditbank_protocol::pb::RecognitionPurpose;
use creditbank_protocol::{InstitutionId, Place};

/// By what a learner's records at one institution are found and counted: the course, or what takes its place for kinds
/// that are about no course. Repeats, duplicates and the limit of [`crate::HELD_MAX`] count the records under one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CourseKey {
    /// Credits, Results and Outcomes of a course, by the [key](creditbank_protocol::course_code::key) of its code, which is
    /// not empty.
    Course(String),
    /// Identities.
    Identity,
    /// Outcomes that name no course code.
    UncodedOutcome,
    /// Applications for recognition for one purpose.
    Application(RecognitionPurpose),
    /// Decisions and appeals that follow the application at a place.
    Case(Place),
    /// Conversions.
    Conversion,
    /// Awards.
    Award,
    /// Recognitions of qualifications.
    Recognition,
    /// Enrolments, on whatever programme.
    Enrolment,
    /// Diplomas of elsewhere, whoever recorded them.
    ForeignAward,
}

impl CourseKey {
    /// The key of a course's code.
    pub fn course(code: &str) -> Self {
        Self::Course(key(code))
    }

    /// Under which institution's number the learner's records with this key are kept, of records of `institution`: 0 of what
    /// counts once for all institutions.
    pub fn kept_at(&self, institution: InstitutionId) -> InstitutionId {
        if *self == Self::ForeignAward { InstitutionId(0) } else { institution }
    }

    /// The key as bytes, for a digest: a byte for the variant, then what it holds. No two keys have the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Course(code) => [&[0], code.as_bytes()].concat(),
            Self::Identity => vec![1],
            Self::UncodedOutcome => vec![2],
            Self::Application(purpose) => [&[3], &i32::from(*purpose).to_be_bytes()[..]].concat(),
            Self::Case(place) => [&[4], &place.entry.0.to_be_bytes()[..], &place.index.to_be_bytes()].concat(),
            Self::Conversion => vec![5],
            Self::Award => vec![6],
            Self::Recognition => vec![7],
            Self::Enrolment => vec![8],
            Self::ForeignAward => vec![9],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no code of a course is mistaken for another kind of key, whatever it looks like.
    #[test]
    fn no_two_keys_have_the_same_bytes() {
        let codes = ["", "\u{1}", "\u{5}", " award", " conversion", "case 2/0"].map(str::to_owned);
        let mut keys: Vec<CourseKey> = codes.into_iter().map(CourseKey::Course).collect();
        keys.extend([CourseKey::Identity, CourseKey::UncodedOutcome, CourseKey::Conversion]);
        keys.extend([CourseKey::Award, CourseKey::Recognition, CourseKey::Enrolment, CourseKey::ForeignAward]);
        keys.extend([RecognitionPurpose::Study, RecognitionPurpose::Work].map(CourseKey::Application));
        keys.extend([Place::new(2, 0), Place::new(0, 2), Place::new(2, 1)].map(CourseKey::Case));
        let mut bytes: Vec<Vec<u8>> = keys.iter().map(CourseKey::to_bytes).collect();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), keys.len());
    }
}
