//! Qualification definitions: which are well-formed.
//!
//! What can never be met is refused too, last of all.

mod nodes;
mod references;
mod size;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{
    GradePoint, GradeScale, QualificationDefinition, QualificationName, RequirementType, RetakePolicy, Text,
};

use super::Registry;
use super::admit::{dates, names, present, require};
use crate::dates::first_day;
use crate::qualification::{GradeOrder, Tree, order_of, satisfiability};
use crate::{Rejection, Rule};

/// Most institutions that confer a qualification in any version: each is asked whether the learner holds it already.
const CONFERRING_MAX: usize = 64;

/// Most conflicts that a refusal tells.
const REASONS_MAX: usize = 16;

type Checked = Result<(), Rejection>;

pub(super) fn check(registry: &Registry, entry: &QualificationDefinition) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    versions(registry, entry)?;
    present(!entry.titles.is_empty(), "titles", "at least one title")?;
    present(!entry.source.is_empty(), "source", "where the rules were published")?;
    size::check_names(entry)?;
    texts(entry)?;
    dates(entry.from.as_ref(), entry.until.as_ref(), "from")?;
    let unit = registry.credit_unit(&entry.unit).is_some();
    require(unit, Rule::UnknownCreditUnit, "unit", "a credit unit of the registry", &entry.unit)?;
    if let Some(level) = &entry.level {
        let shown = format!("{} {}", level.framework, level.level);
        let known = registry.has_level(level);
        require(known, Rule::UnknownLevel, "level", "a level of a framework of the registry", shown)?;
    }
    awarding(registry, entry)?;
    grades(registry, entry)?;
    let tree = Tree::of(entry)?;
    size::check_steps(entry, &tree)?;
    nodes::check(registry, entry, &tree)?;
    references::check(registry, entry)?;
    let found = satisfiability(registry, entry)?;
    if found.satisfiable {
        return Ok(());
    }
    let mut reasons: Vec<String> = found.conflicts.iter().take(REASONS_MAX).map(ToString::to_string).collect();
    let more = found.conflicts.len() - reasons.len();
    reasons.extend((more > 0).then(|| format!("and {more} more")));
    require(false, Rule::Unsatisfiable, "requirements", "requirements that can be met", reasons.join("; "))
}

/// How large a definition is, by its bounds: what can be said of it without a registry.
pub(crate) fn check_size(entry: &QualificationDefinition) -> Checked {
    size::check_names(entry)?;
    size::check_steps(entry, &Tree::of(entry)?)
}

/// Versions count from 1 without gaps, never change, and begin in order.
fn versions(registry: &Registry, entry: &QualificationDefinition) -> Checked {
    present(entry.version > 0, "version", "a version, from 1")?;
    if let Some(same) = registry.definition(entry.institution.into(), &entry.code, entry.version) {
        return require(same == entry, Rule::Permanent, "version", "a new version for a new text", entry.version);
    }
    if entry.version == 1 {
        return Ok(());
    }
    let before = registry.definition(entry.institution.into(), &entry.code, entry.version - 1);
    let expected = "the version after the newest one";
    require(before.is_some(), Rule::UnknownReference, "version", expected, entry.version)?;
    let begins = |one: &QualificationDefinition| one.from.as_ref().map(first_day);
    let later = before.is_none_or(|before| begins(before) <= begins(entry));
    require(later, Rule::InvalidDate, "from", "a first day not before that of the version before", "an earlier one")
}

fn texts(entry: &QualificationDefinition) -> Checked {
    let lists: [&[Text]; 4] =
        [&entry.titles, &entry.entry_requirements, &entry.access_rights, &entry.professional_status];
    names(lists.into_iter().flatten())?;
    names(entry.requirements.iter().flat_map(|node| &node.titles))
}

fn awarding(registry: &Registry, entry: &QualificationDefinition) -> Checked {
    let among = entry.awarding.is_empty() || entry.awarding.contains(&entry.institution);
    require(among, Rule::Contradiction, "awarding", "the publisher among those who confer it", "others")?;
    let unknown = entry.awarding.iter().find(|number| registry.institution((**number).into()).is_none());
    let found = unknown.copied().unwrap_or_default();
    require(unknown.is_none(), Rule::UnknownReference, "awarding", "institutions of the registry", found)?;
    let mut all = registry.conferring(entry.institution.into(), &entry.code);
    all.extend(entry.awarding.iter().copied().map(InstitutionId));
    let expected = format!("at most {CONFERRING_MAX} institutions that confer it, over all versions");
    require(all.len() <= CONFERRING_MAX, Rule::DefinitionTooLarge, "awarding", expected, all.len())
}

/// The scale of means is known where something needs it, and its points are those of its grades, best first.
fn grades(registry: &Registry, entry: &QualificationDefinition) -> Checked {
    let policy = RetakePolicy::try_from(entry.retakes).unwrap_or_default();
    let compares = matches!(policy, RetakePolicy::Best | RetakePolicy::Average) || !entry.grade_points.is_empty();
    present(!compares || !entry.average_scale.is_empty(), "average_scale", "the scale in which grades are compared")?;
    if entry.average_scale.is_empty() {
        return Ok(());
    }
    let Some(scale) = registry.scale(&entry.average_scale) else {
        let expected = "a grade scale of the registry";
        return require(false, Rule::UnknownGrade, "average_scale", expected, &entry.average_scale);
    };
    let known = |point: &GradePoint| {
        let grade = creditbank_protocol::pb::Grade { scale: scale.code.clone(), value: point.value.clone() };
        registry.passes(&grade).is_some()
    };
    let odd = entry.grade_points.iter().find(|point| !known(point)).map_or("", |point| point.value.as_str());
    let expected = "grades of the scale of means";
    require(odd.is_empty(), Rule::UnknownGrade, "grade_points", expected, odd)?;
    let mut values: Vec<&str> = entry.grade_points.iter().map(|point| point.value.as_str()).collect();
    values.sort_unstable();
    let twice = values.windows(2).find(|pair| pair[0] == pair[1]).map_or("", |pair| pair[0]);
    require(twice.is_empty(), Rule::Contradiction, "grade_points", "each grade once", twice)?;
    let order = order_of(scale, &entry.grade_points);
    let of = |value: &str| entry.grade_points.iter().find(|point| point.value == value).map(|point| point.e4);
    let listed: Vec<u64> = scale.listed.iter().filter_map(|grade| of(&grade.value)).collect();
    let falls = listed.windows(2).all(|pair| match order {
        GradeOrder::HigherIsBetter => pair[0] >= pair[1],
        GradeOrder::LowerIsBetter => pair[0] <= pair[1],
    });
    require(falls, Rule::Contradiction, "grade_points", "points in the order of the grades", "others")?;
    let has_mean = entry.requirements.iter().any(|node| node.r#type == i32::from(RequirementType::Average));
    without_points(scale, entry, has_mean || matches!(policy, RetakePolicy::Best | RetakePolicy::Average))
}

/// A grade that nobody has given a number would be left out of a mean without a word: 30 with honours would make it worse,
/// and a failed course that a board lets count would make it better. So each listed grade, also one that does not pass, has
/// a point, or the definition says that it enters no mean.
fn without_points(scale: &GradeScale, entry: &QualificationDefinition, compares: bool) -> Checked {
    let listed = |value: &str| scale.listed.iter().any(|grade| grade.value == value);
    let has_point = |value: &str| entry.grade_points.iter().any(|point| point.value == value);
    let odd = entry.no_points.iter().find(|value| !listed(value) || has_point(value)).map_or("", String::as_str);
    let expected = "listed grades of the scale of means that have no point";
    require(odd.is_empty(), Rule::Contradiction, "no_points", expected, odd)?;
    let mut all = scale.listed.iter().map(|grade| grade.value.as_str());
    let open = all.find(|value| !has_point(value) && !entry.no_points.iter().any(|own| own == value));
    let Some(open) = open.filter(|_| compares) else { return Ok(()) };
    let expected = "a point for each listed grade, as credit may be condoned, or the grade among no_points";
    require(false, Rule::MissingField, "grade_points", expected, format!("no point for {open}"))
}

/// Whether a definition of the registry is named; version 0 names any.
fn exists(registry: &Registry, name: &QualificationName) -> bool {
    match name.version {
        0 => registry.definition(name.institution.into(), &name.code, 1).is_some(),
        version => registry.definition(name.institution.into(), &name.code, version).is_some(),
    }
}
