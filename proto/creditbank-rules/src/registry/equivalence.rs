//! Equivalences: when one is well-formed, and when a version is in force.

use creditbank_protocol::pb::{Equivalence, EquivalenceType, Grade, OutcomeType};

use super::Registry;
use super::admit::{dates, names, present, require};
use crate::codes::is_field;
use crate::dates::{Day, first_day, within};
use crate::decimal::parse_e4;
use crate::{Rejection, Rule};

type Checked = Result<(), Rejection>;

pub(super) fn check(registry: &Registry, entry: &Equivalence) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(entry.version > 0, "version", "a version, from 1 on")?;
    let kind = EquivalenceType::try_from(entry.r#type).unwrap_or_default();
    present(kind != EquivalenceType::Unspecified, "type", "a course, a test or non-formal learning")?;
    let known = registry.institution(entry.source_institution.into()).is_some();
    let expected = "an institution of the registry";
    require(known, Rule::UnknownReference, "source_institution", expected, entry.source_institution)?;
    source(entry, kind)?;
    if let Some(minimum) = &entry.minimum {
        check_minimum(registry, kind, minimum)?;
    }
    target(registry, entry, kind)?;
    present(entry.from.is_some(), "from", "the first day of conversions under it")?;
    dates(entry.from.as_ref(), entry.until.as_ref(), "from")?;
    versions(registry, entry)
}

fn source(entry: &Equivalence, kind: EquivalenceType) -> Checked {
    let course = kind != EquivalenceType::Course || !entry.source_course.is_empty();
    present(course, "source_course", "the code of the course")?;
    let outcome = OutcomeType::try_from(entry.source_outcome).unwrap_or_default();
    let fits =
        outcome == OutcomeType::Unspecified || kind == EquivalenceType::NonFormal && outcome != OutcomeType::TestScore;
    let expected = "a kind of outcome other than a test score, with a standing rule only";
    require(fits, Rule::Contradiction, "source_outcome", expected, outcome.as_str_name())
}

/// Of a course a grade that passes; of anything else a grade of a registered scale, or a number in the scale of whoever
/// publishes the test.
fn check_minimum(registry: &Registry, kind: EquivalenceType, minimum: &Grade) -> Checked {
    present(!minimum.scale.is_empty(), "minimum", "the scale of the least grade or score")?;
    let found = format_args!("{} in {}", minimum.value, minimum.scale);
    if registry.scale(&minimum.scale).is_some() || kind == EquivalenceType::Course {
        let known = registry.passes(minimum);
        require(known.is_some(), Rule::UnknownGrade, "minimum", "a grade of a scale of the registry", found)?;
        let passing = kind != EquivalenceType::Course || known == Some(true);
        return require(passing, Rule::GradeNotAPass, "minimum", "a grade that passes", found);
    }
    let number = parse_e4(&minimum.value).is_ok();
    require(number, Rule::UnknownGrade, "minimum", "a number, as the scale is not in the registry", found)
}

fn target(registry: &Registry, entry: &Equivalence, kind: EquivalenceType) -> Checked {
    let course = entry.target.clone().unwrap_or_default();
    present(!course.code.is_empty() && !course.titles.is_empty(), "target", "code and title of the target course")?;
    names(course.titles.iter())?;
    let itself = kind == EquivalenceType::Course
        && entry.source_institution == entry.institution
        && registry.course(entry.institution.into(), &course.code).is(&entry.source_course);
    require(!itself, Rule::Contradiction, "target", "another course than the source", &course.code)?;
    let missing = || Rejection::new(Rule::MissingField, "an amount and its unit", "nothing").field("amount");
    let amount = entry.amount.as_ref().ok_or_else(missing)?;
    let known = registry.credit_unit(&amount.unit).is_some();
    require(known, Rule::UnknownCreditUnit, "amount", "a credit unit of the registry", &amount.unit)?;
    if let Some(level) = &entry.level {
        let found = format_args!("{} {}", level.framework, level.level);
        let known = registry.has_level(level);
        require(known, Rule::UnknownLevel, "level", "a level of a framework of the registry", found)?;
    }
    let known = entry.field.is_empty() || is_field(&entry.field);
    require(known, Rule::InvalidCode, "field", "two to four digits (ISCED-F)", &entry.field)?;
    let Some(grade) = &entry.grade else {
        return Ok(());
    };
    let found = format_args!("{} in {}", grade.value, grade.scale);
    let passing = registry.passes(grade);
    require(passing.is_some(), Rule::UnknownGrade, "grade", "a grade of a scale of the registry", found)?;
    require(passing == Some(true), Rule::GradeNotAPass, "grade", "a grade that passes", found)
}

/// Versions follow each other without gaps, and what was published stands.
fn versions(registry: &Registry, entry: &Equivalence) -> Checked {
    let version = |number| registry.equivalence(entry.institution.into(), &entry.code, number);
    let free = version(entry.version).is_none();
    require(free, Rule::Permanent, "version", "a version that was not published yet", entry.version)?;
    if entry.version == 1 {
        return Ok(());
    }
    let before = version(entry.version - 1);
    require(before.is_some(), Rule::UnknownReference, "version", "the one after the last published", entry.version)?;
    let first = |entry: &Equivalence| entry.from.as_ref().map(first_day);
    let ordered = before.is_none_or(|before| first(before) <= first(entry));
    require(ordered, Rule::InvalidDate, "from", "a beginning not before the version before's", "an earlier one")
}

/// Whether a version is in force on a day: between its dates, and before the first day of a later version.
pub(crate) fn in_force(registry: &Registry, entry: &Equivalence, day: Day) -> bool {
    let newer = |other: &&Equivalence| {
        other.code == entry.code
            && other.version > entry.version
            && other.from.as_ref().is_none_or(|from| first_day(from) <= day)
    };
    within(day, entry.from.as_ref(), entry.until.as_ref())
        && registry.equivalences(entry.institution.into()).find(newer).is_none()
}
