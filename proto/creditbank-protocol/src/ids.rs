//! The numbers and names by which the ledger knows things, each a type of its own, so that no two can be swapped.
//!
//! On the wire they are integers and byte strings ([`crate::pb`]); they become these types where a message is read, and
//! go back where one is written.

use std::fmt;

use crate::pb;

/// A permanent number that the registry gives to an institution. 0 is the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InstitutionId(pub u64);

impl InstitutionId {
    /// The operator of the log, who writes the registry.
    pub const OPERATOR: Self = Self(0);

    /// Whether it is the operator.
    pub fn is_operator(self) -> bool {
        self == Self::OPERATOR
    }
}

impl fmt::Display for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for InstitutionId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<u64> for InstitutionId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// A unit of an institution that signs a chain of blocks of its own: a registrar's office, a faculty, a campus.
/// Ordered by institution, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnitId {
    /// Whose unit it is.
    pub institution: InstitutionId,
    /// Its number within the institution, from 1. 0 is the operator's only unit.
    pub number: u32,
}

impl UnitId {
    /// The unit that signs the operator's own chain.
    pub const OPERATOR: Self = Self { institution: InstitutionId::OPERATOR, number: 0 };

    /// The unit `number` of `institution`.
    pub fn new(institution: impl Into<InstitutionId>, number: u32) -> Self {
        Self { institution: institution.into(), number }
    }
}

/// `institution/unit`.
impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.institution, self.number)
    }
}

/// Position of an entry in the log, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogIndex(pub u64);

impl LogIndex {
    /// The index of the entry that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for LogIndex {
    fn from(index: u64) -> Self {
        Self(index)
    }
}

/// Where a record stands: the entry of its block, and its position in the block. In the order of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Log index of the block's entry.
    pub entry: LogIndex,
    /// Position among the records of the block, from 0.
    pub index: u32,
}

impl Place {
    /// Record `index` of the block at log index `entry`.
    pub fn new(entry: impl Into<LogIndex>, index: u32) -> Self {
        Self { entry: entry.into(), index }
    }

    /// The place that a message holds. A message of which every field is zero is never written (PROTOCOL.md, "Canonical
    /// messages"), so an absent place is 0/0.
    pub fn read(written: Option<pb::Place>) -> Self {
        written.unwrap_or_default().into()
    }

    /// The place of the record that a reference names; 0/0 where there is no reference, as with [`Place::read`].
    pub fn of_reference(reference: Option<&pb::RecordReference>) -> Self {
        Self::read(reference.and_then(|reference| reference.place))
    }

    /// The place as a canonical message holds it: 0/0 is left out. The opposite of [`Place::read`].
    pub fn written(self) -> Option<pb::Place> {
        (self != Self::default()).then(|| self.into())
    }
}

/// `entry/index`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entry, self.index)
    }
}

/// A text that is not `entry/index`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a place such as 34/0 (log entry, record in its block), found {0}")]
pub struct PlaceError(pub String);

/// Reads `entry/index`, both in decimal digits without signs, spaces or leading zeros.
impl std::str::FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let parsed = text
            .split_once('/')
            .and_then(|(entry, index)| Some(Self { entry: LogIndex(entry.parse().ok()?), index: index.parse().ok()? }));
        parsed.filter(|place| place.to_string() == text).ok_or_else(|| PlaceError(text.to_owned()))
    }
}

impl From<pb::Place> for Place {
    fn from(pb::Place { entry, index }: pb::Place) -> Self {
        Self { entry: LogIndex(entry), index }
    }
}

impl From<Place> for pb::Place {
    fn from(Place { entry, index }: Place) -> Self {
        Self { entry: entry.0, index }
    }
}

/// What of a record is meant. The record itself comes before its results, as lists of messages have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Part {
    /// The record itself.
    #[default]
    Whole,
    /// One result of a Conversion, or one exemption of a recognition: its position, from 0.
    Result(u32),
}

impl Part {
    /// The part that a message names by `result_plus_1`.
    pub fn read(result_plus_1: u32) -> Self {
        result_plus_1.checked_sub(1).map_or(Self::Whole, Self::Result)
    }

    /// `result_plus_1`, as messages have it. The opposite of [`Part::read`].
    pub fn written(self) -> u32 {
        match self {
            Self::Whole => 0,
            Self::Result(position) => position.saturating_add(1),
        }
    }
}

/// A record, or one result of it: what a conversion takes as a source and an award as credit. By place, then by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Portion {
    /// Where the record stands.
    pub place: Place,
    /// What of it.
    pub part: Part,
}

impl Portion {
    /// The portion that a message names by a reference to a record and `result_plus_1`.
    pub fn of_reference(reference: Option<&pb::RecordReference>, result_plus_1: u32) -> Self {
        Self { place: Place::of_reference(reference), part: Part::read(result_plus_1) }
    }
}

/// `5/3`, or `5/3 result 2`: results are counted from 1 in words.
impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Whole => self.place.fmt(f),
            part @ Part::Result(_) => write!(f, "{} result {}", self.place, part.written()),
        }
    }
}

/// A learner's account number: 16 random bytes that only the node knows. Not shown by `Debug`: it stands for a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 16]);

/// A learner as one institution knows them: 16 bytes that differ from institution to institution. Not shown by `Debug`;
/// `Display` gives 32 hexadecimal digits, for whoever may see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(pub [u8; 16]);

impl AccountId {
    /// The account number in `bytes`, or `None` when there are not exactly 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 16 bytes, as messages hold them.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId(..)")
    }
}

impl Alias {
    /// The alias in `bytes`, or `None` when there are not exactly 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 16 bytes, as messages hold them.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alias(..)")
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a place is read as it is shown, and in no other spelling.
    #[test]
    fn a_place_is_read_as_it_is_shown() {
        let place = Place::new(34, 1_023);
        assert_eq!(place.to_string(), "34/1023");
        assert_eq!("34/1023".parse(), Ok(place));
        for other in ["", "34", "34/", "/1", "+34/1", "034/1", "34/01", "34/1/2", " 34/1", "34/-1"] {
            assert_eq!(other.parse::<Place>(), Err(PlaceError(other.to_owned())), "{other:?}");
        }
    }

    /// Goal: 0/0 is all defaults and left out of a message; any other place is written.
    #[test]
    fn the_first_place_is_written_as_absent() {
        assert_eq!(Place::default().written(), None);
        assert_eq!(Place::read(None), Place::default());
        for place in [Place::new(0, 1), Place::new(1, 0)] {
            assert_eq!(place.written(), Some(place.into()));
            assert_eq!(Place::read(place.written()), place);
        }
    }

    /// Goal: a message's 0 is the record itself, which comes before its results; people count results from 1.
    #[test]
    fn a_result_is_written_plus_1() {
        for (written, part) in [(0, Part::Whole), (1, Part::Result(0)), (u32::MAX, Part::Result(u32::MAX - 1))] {
            assert_eq!((Part::read(written), part.written()), (part, written));
        }
        assert!(Part::Whole < Part::Result(0) && Part::Result(0) < Part::Result(1));
        let shown = |part| Portion { place: Place::new(5, 3), part }.to_string();
        assert_eq!([shown(Part::Whole), shown(Part::Result(1))], ["5/3", "5/3 result 2"]);
    }

    /// Goal: places come in the order of the log, units in the order of their institutions.
    #[test]
    fn order_is_that_of_the_log_and_of_the_registry() {
        assert!(Place::new(1, 9) < Place::new(2, 0) && Place::new(2, 0) < Place::new(2, 1));
        assert!(UnitId::new(1, 9) < UnitId::new(2, 0));
    }

    /// Goal: what stands for a person never gets into a log by accident.
    #[test]
    fn debug_shows_no_person() {
        assert_eq!(format!("{:?} {:?}", AccountId([7; 16]), Alias([7; 16])), "AccountId(..) Alias(..)");
        assert_eq!(Alias([0xab; 16]).to_string(), "ab".repeat(16));
    }
}
