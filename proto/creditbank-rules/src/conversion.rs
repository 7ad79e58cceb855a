//! Conversions: credit of others as credit of the receiver, by an agreement, an equivalence or an assessment; or as the
//! receiver declares that it decided before it was in the registry.
//!
//! [`convert`] computes, and shows every step; [`check`] computes again what a record says and compares to the last digit. Both
//! are pure: who may sign, whether the learner wants it and whether the sources stand is for the caller to check.
//!
//! # What never happens
//! - A learner gets more by splitting a conversion or by another order: the exact results under all versions of an agreement are
//!   added up and rounded as one, and a conversion grants what that gives beyond what was given before.
//! - A root has more in a unit than it had there, whatever the way: see [`roots`].
//! - A number wraps or is cut: what does not fit the schema is refused.

mod account;
mod age;
mod agreed;
mod amount;
mod assessed;
mod check;
mod declared;
mod equivalent;
mod exact;
mod exempted;
mod explain;
mod grade;
mod level;
pub mod roots;
mod share;
mod source;

pub use account::Account;
pub use check::{Asked, check};
pub use exempted::{award_roots, counted_by, drawn, exempted};
pub use explain::explain;
pub use grade::ects::{Overlap, overlaps};
pub use share::apportion;
pub use source::Source;

use creditbank_protocol::pb;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{InstitutionId, Place};

use crate::dates::{Day, date_of};
use crate::registry::admit::require;
use crate::{Agreement, Registry, Rejection, Rule};

/// By what right.
#[derive(Debug, Clone, Copy)]
pub enum Basis<'a> {
    /// An agreement.
    Agreement(&'a Agreement),
    /// An equivalence that the receiver has published.
    Equivalence(&'a pb::Equivalence),
    /// An assessment by which Outcomes become credit.
    Assessment(&'a pb::Assessment),
    /// The receiver's word on what it decided before it was in the registry.
    Declared(&'a pb::DeclaredConversion),
}

impl<'a> Basis<'a> {
    /// The basis that a conversion of `receiver` names.
    pub fn of(registry: &'a Registry, conversion: &'a pb::Conversion) -> Result<Self, Rejection> {
        let unknown = |expected, code: &str, version| {
            let shown = crate::agreement::show(code, version);
            Rejection::new(Rule::UnknownReference, expected, shown).field("agreement")
        };
        let pb::Conversion { agreement, equivalence, assessment, declared, .. } = conversion;
        match (agreement, equivalence, assessment, declared) {
            (Some(name), None, None, None) => {
                let found = registry.agreement(&name.code, name.version);
                let unknown = || unknown("an agreement of the registry", &name.code, name.version);
                found.map(Self::Agreement).ok_or_else(unknown)
            }
            (None, Some(name), None, None) => {
                let found = registry.equivalence(name.institution.into(), &name.code, name.version);
                let unknown = || unknown("an equivalence of the registry", &name.code, name.version);
                found.map(Self::Equivalence).ok_or_else(unknown)
            }
            (None, None, Some(assessment), None) => Ok(Self::Assessment(assessment)),
            (None, None, None, Some(declared)) => Ok(Self::Declared(declared)),
            _ => {
                let expected = "one of agreement, equivalence, assessment and declared";
                Err(Rejection::new(Rule::MissingField, expected, "several, or none").field("agreement"))
            }
        }
    }
}

/// What the receiver states of one result beyond what the rules give.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stated {
    /// Position of the source, from 0. A lump is stated under 0, and so is what is declared without sources.
    pub source: u32,
    /// Where several levels are comparable: which one. With an assessment, or declared: the level.
    pub level: Option<pb::Level>,
    /// Another grade than the suggested one. With an assessment, or declared: the grade.
    pub grade: Option<pb::Grade>,
    /// Why it is another.
    pub override_reason: String,
    /// With an assessment, or declared: what the outcome, or the source, becomes.
    pub course: Option<pb::Course>,
    /// Its amount.
    pub amount: Option<pb::Amount>,
    /// Its field.
    pub field: String,
    /// Declared without sources: how it was learned.
    pub mode: pb::Mode,
    /// When.
    pub period: Option<pb::Period>,
    /// On what the pass stands; unspecified: earned.
    pub basis: pb::PassBasis,
}

/// What is to be converted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The registry in force.
    pub registry: &'a Registry,
    /// By what right.
    pub basis: Basis<'a>,
    /// The institution that converts.
    pub receiver: InstitutionId,
    /// Strictly ascending by place and result.
    pub sources: &'a [Source],
    /// What the learner has been given under the same code so far.
    pub account: &'a Account,
    /// The day by which everything is judged.
    pub decided: Day,
    /// The day of the advance decision that is carried out, if one is: the agreement or the equivalence may be the one
    /// that was in force then.
    pub promised: Option<Day>,
    /// At most one for each source.
    pub stated: &'a [Stated],
}

impl Request<'_> {
    /// Refuses a day on which the agreement or the equivalence was not recorded yet.
    fn recorded(&self, key: &RegistryKey, shown: &str, day: Day) -> Result<(), Rejection> {
        let recorded = self.registry.recorded_on(key).filter(|recorded| day < *recorded);
        let show = |day: Day| crate::dates::show(&date_of(day));
        let expected = format_args!(
            "a day from {} on, when {shown} was recorded (what was decided before may be declared)",
            recorded.map_or(String::new(), show)
        );
        require(recorded.is_none(), Rule::NotInForce, "decided", expected, show(day))
    }
}

/// What a conversion gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The sources as the record has them.
    pub sources: Vec<pb::ConversionSource>,
    /// The credit.
    pub results: Vec<pb::ConvertedCredit>,
    /// How the amounts came about, under an agreement.
    pub amount_steps: Option<pb::AmountSteps>,
    /// Whether the sources are redeemed by it.
    pub exclusive: bool,
}

/// Most sources of a conversion.
const SOURCES_MAX: usize = 256;

/// Computes a conversion.
pub fn convert(request: &Request<'_>) -> Result<Converted, Rejection> {
    sources(request)?;
    match request.basis {
        Basis::Agreement(agreement) => agreed::convert(request, agreement),
        Basis::Equivalence(equivalence) => equivalent::convert(request, equivalence),
        Basis::Assessment(assessment) => assessed::convert(request, assessment),
        Basis::Declared(declared) => declared::convert(request, declared),
    }
}

/// What holds of the sources by whatever right they are converted.
fn sources(request: &Request<'_>) -> Result<(), Rejection> {
    let sources = request.sources;
    let least = usize::from(!matches!(request.basis, Basis::Declared(_)));
    let count = (least..=SOURCES_MAX).contains(&sources.len());
    require(count, Rule::MissingField, "sources", format_args!("{least} to 256 sources"), sources.len())?;
    let odd = sources.windows(2).find(|pair| pair[0].portion() >= pair[1].portion());
    let found = odd.map_or(String::new(), |pair| pair[1].show());
    let expected = "sources strictly ascending by place and result";
    require(odd.is_none(), Rule::Contradiction, "sources", expected, found)?;
    for source in sources {
        source.usable(request.decided)?;
        let fresh = !request.account.has(source);
        let expected = "sources that were not converted under the same before";
        require(fresh, Rule::AlreadySpent, "sources", expected, source.show())?;
    }
    let mut places: Vec<Place> = sources.iter().flat_map(|source| source.roots.iter().map(roots::key)).collect();
    places.sort_unstable();
    let twice = places.windows(2).find(|pair| pair[0] == pair[1]);
    let found = twice.map_or(String::new(), |pair| format!("{} twice", pair[0]));
    require(twice.is_none(), Rule::AlreadySpent, "sources", "each root once in a conversion", found)?;
    let bare = sources.is_empty();
    let stated = |one: &Stated| bare || usize::try_from(one.source).is_ok_and(|at| at < sources.len());
    let known = request.stated.iter().all(stated);
    require(known, Rule::Contradiction, "results", "statements about the sources", "one about another")
}

/// What is stated of a source.
fn stated<'a>(request: &Request<'a>, source: usize) -> Option<&'a Stated> {
    request.stated.iter().find(|one| usize::try_from(one.source) == Ok(source))
}

/// Position of a source as results name it.
fn plus_1(index: usize) -> u32 {
    u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1))
}
