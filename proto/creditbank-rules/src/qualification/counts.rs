//! Which candidates count at all, whatever a requirement asks.

use std::fmt;

use creditbank_protocol::pb::{Kind, QualificationDefinition};

use super::retake::{Pass, passes};
use super::{Barred, Candidate};
use crate::Registry;
use crate::dates::{Day, date_of, show};

/// Why a candidate does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The ledger says that it cannot be used.
    Barred(Barred),
    /// A conversion that has not taken place.
    Hypothetical,
    /// Credit in another unit, which has to be converted first.
    Unit(String),
    /// It counted until this day.
    Expired(Day),
    /// It was not there before this day, which comes after the conferral.
    Later(Day),
    /// Another pass of the course counts: the candidate at this position.
    Retake(usize),
    /// A record that is never spent.
    Kind(Kind),
    /// It is not to be used.
    Kept,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Barred(Barred::Spent) => f.write_str("already spent"),
            Self::Barred(Barred::Superseded) => f.write_str("superseded by a newer record"),
            Self::Barred(Barred::Revoked) => f.write_str("revoked"),
            Self::Barred(Barred::Disputed) => f.write_str("disputed"),
            Self::Barred(Barred::UnderReview) => f.write_str("under review"),
            Self::Barred(Barred::NotVisible(from)) => write!(f, "not visible before {}", show(from)),
            Self::Barred(Barred::Surplus) => f.write_str("its course counts already by other credits"),
            Self::Barred(Barred::Contested) => f.write_str("contested: its key was compromised"),
            Self::Hypothetical => f.write_str("not converted yet"),
            Self::Unit(unit) => write!(f, "in {unit}, which has to be converted"),
            Self::Expired(day) => write!(f, "expired after {}", show(&date_of(*day))),
            Self::Later(day) => {
                write!(f, "begun, assessed or decided on {}, after the conferral", show(&date_of(*day)))
            }
            Self::Retake(_) => f.write_str("another pass of the course counts"),
            Self::Kind(_) => f.write_str("a record that is never spent"),
            Self::Kept => f.write_str("kept, as was asked"),
        }
    }
}

/// What is against each candidate, and its number for means.
pub(crate) struct Counting {
    pub(crate) obstacles: Vec<Option<Obstacle>>,
    pub(crate) passes: Vec<Pass>,
}

/// Judges the candidates on the day of conferral. What cannot be used, was converted only in thought, stands in another unit
/// or has expired is no pass for the retake policy either.
pub(crate) fn counting(
    registry: &Registry,
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    day: Day,
) -> Counting {
    let mut obstacles: Vec<Option<Obstacle>> =
        candidates.iter().map(|candidate| alone(definition, candidate, day)).collect();
    let usable: Vec<usize> = (0..candidates.len()).filter(|position| obstacles[*position].is_none()).collect();
    let passes = passes(registry, definition, candidates, &usable);
    for (obstacle, pass) in obstacles.iter_mut().zip(&passes) {
        if let Some(other) = pass.instead {
            *obstacle = Some(Obstacle::Retake(other));
        }
    }
    Counting { obstacles, passes }
}

fn alone(definition: &QualificationDefinition, candidate: &Candidate, day: Day) -> Option<Obstacle> {
    if let Some(barred) = candidate.barred {
        return Some(Obstacle::Barred(barred));
    }
    if candidate.hypothetical {
        return Some(Obstacle::Hypothetical);
    }
    match candidate.kind {
        Kind::Outcome => {}
        Kind::Credit | Kind::Conversion | Kind::QualificationRecognition => {
            if let Some(other) = candidate.amount.as_ref().filter(|amount| amount.unit != definition.unit) {
                return Some(Obstacle::Unit(other.unit.clone()));
            }
        }
        other => return Some(Obstacle::Kind(other)),
    }
    // The period may end after the conferral: a semester ends in September, the degree is conferred in July.
    let begun = candidate.period.map(|(first, _)| first).max(candidate.completed);
    if let Some(begun) = begun.filter(|begun| *begun > day) {
        return Some(Obstacle::Later(begun));
    }
    candidate.expires.filter(|last| *last < day).map(Obstacle::Expired)
}
