//! Requirements: each has the fields of its type and no others, and what it names exists.

use creditbank_protocol::pb::{
    Match, OutcomeType, QualificationDefinition, Ratio, Requirement, RequirementType as Type,
};

use super::{Checked, exists};
use crate::codes::is_field;
use crate::qualification::{Tree, point_of};
use crate::{Registry, Rejection, Rule};

/// Refuses what does not hold for a requirement, by its number.
struct Node {
    number: u32,
}

impl Node {
    fn require(&self, holds: bool, rule: Rule, expected: &str, found: impl ToString) -> Checked {
        let refuse = || {
            let expected = format!("requirement {}: {expected}", self.number);
            Rejection::new(rule, expected, found.to_string()).field("requirements")
        };
        if holds { Ok(()) } else { Err(refuse()) }
    }

    fn present(&self, holds: bool, expected: &str) -> Checked {
        self.require(holds, Rule::MissingField, expected, "nothing")
    }
}

pub(super) fn check(registry: &Registry, entry: &QualificationDefinition, tree: &Tree<'_>) -> Checked {
    for position in 0..tree.size() {
        let node = Node { number: Tree::number(position) };
        let found = tree.node(position);
        node.present(tree.kind(position) != Type::Unspecified, "a type")?;
        children(&node, tree, position)?;
        foreign(&node, found, tree.kind(position))?;
        own(&node, registry, entry, found, tree.kind(position))?;
        if let Some(asked) = &found.r#match {
            matched(&node, registry, asked)?;
        }
    }
    Ok(())
}

fn children(node: &Node, tree: &Tree<'_>, position: usize) -> Checked {
    let count = tree.children(position).len();
    match tree.kind(position) {
        Type::All => node.present(count > 0, "children"),
        Type::Any => {
            let choose = usize::try_from(tree.node(position).choose).unwrap_or(usize::MAX);
            node.present(count > 0, "children")?;
            node.require((1..=count).contains(&choose), Rule::Contradiction, &format!("to choose 1 to {count}"), choose)
        }
        _ => node.require(count == 0, Rule::Contradiction, "no children", count),
    }
}

/// Fields of other types are absent.
fn foreign(node: &Node, found: &Requirement, kind: Type) -> Checked {
    let Requirement {
        parent: _,
        r#type: _,
        titles: _,
        choose,
        amount_e4,
        share,
        r#match,
        outcome,
        minimum,
        awards,
        months,
        code,
    } = found;
    let share_kind = matches!(kind, Type::AtLeast | Type::AtMost);
    let taking = matches!(kind, Type::Credits | Type::Courses | Type::Outcome);
    let fields = [
        (*choose != 0, matches!(kind, Type::Any | Type::Among), "choose"),
        (*amount_e4 != 0, share_kind || matches!(kind, Type::Credits | Type::Among), "amount"),
        (share.is_some(), share_kind, "share"),
        (r#match.is_some(), share_kind || taking || kind == Type::Among, "match"),
        (*outcome != 0, kind == Type::Outcome, "outcome"),
        (minimum.is_some(), matches!(kind, Type::Average | Type::Outcome), "minimum"),
        (!awards.is_empty(), kind == Type::Award, "awards"),
        (*months != 0, matches!(kind, Type::Enrolment | Type::Age), "months"),
        (!code.is_empty(), kind == Type::Attestation, "code"),
    ];
    let odd = fields.into_iter().find(|(stated, allowed, _)| *stated && !*allowed);
    let found = odd.map_or("", |(_, _, name)| name);
    node.require(odd.is_none(), Rule::Contradiction, "the fields of its type only", found)
}

/// Fields of its own type are there and fit.
fn own(node: &Node, registry: &Registry, entry: &QualificationDefinition, found: &Requirement, kind: Type) -> Checked {
    match kind {
        Type::Unspecified | Type::All | Type::Any => Ok(()),
        Type::Credits => node.present(found.amount_e4 > 0, "an amount above 0"),
        Type::Courses => {
            let listed = found.r#match.as_ref().is_some_and(|asked| !asked.courses.is_empty());
            node.present(listed, "course codes")
        }
        Type::Outcome => outcome(node, registry, found),
        Type::Among => among(node, found),
        Type::Award => {
            node.present(!found.awards.is_empty(), "the awards that fill it")?;
            let unknown = found.awards.iter().find(|name| !exists(registry, name));
            let shown = unknown.map(|name| format!("{} {}", name.institution, name.code)).unwrap_or_default();
            node.require(unknown.is_none(), Rule::UnknownReference, "definitions of the registry", shown)
        }
        Type::Attestation => node.present(!found.code.is_empty(), "a code"),
        Type::Enrolment | Type::Age => node.present(found.months > 0, "months"),
        Type::AtLeast | Type::AtMost => {
            let one = found.share.is_none() || found.amount_e4 == 0;
            node.require(one, Rule::Contradiction, "a share or an amount", "both")?;
            let stated = found.share.is_some() || found.amount_e4 > 0 || kind == Type::AtMost;
            node.present(stated, "a share or an amount")?;
            let Some(Ratio { numerator, denominator }) = found.share else {
                return Ok(());
            };
            let fits = numerator > 0 && numerator <= denominator;
            node.require(
                fits,
                Rule::Contradiction,
                "a share above 0 and at most 1",
                format!("{numerator}/{denominator}"),
            )
        }
        Type::Average => {
            node.present(!entry.average_scale.is_empty(), "the definition's scale of means")?;
            let minimum = found.minimum.clone().unwrap_or_default();
            let known = point_of(registry, entry, &minimum).is_some();
            let shown = format!("{} in {}", minimum.value, minimum.scale);
            node.require(known, Rule::UnknownGrade, "a minimum that is a number of the scale of means", shown)
        }
    }
}

/// It asks something of records, and for an amount, or for no more courses than it names.
fn among(node: &Node, found: &Requirement) -> Checked {
    let asked = found.r#match.clone().unwrap_or_default();
    node.present(asked != Match::default(), "what it looks for, as a match")?;
    let one = found.choose == 0 || found.amount_e4 == 0;
    node.require(one, Rule::Contradiction, "an amount or a number of records", "both")?;
    let courses = asked.courses.len();
    let few = courses == 0 || usize::try_from(found.choose).is_ok_and(|choose| choose <= courses);
    node.require(few, Rule::Contradiction, &format!("to choose 1 to {courses} of its courses"), found.choose)
}

fn outcome(node: &Node, registry: &Registry, found: &Requirement) -> Checked {
    let kind = OutcomeType::try_from(found.outcome).unwrap_or_default();
    node.present(kind != OutcomeType::Unspecified, "a type of outcome")?;
    let Some(minimum) = &found.minimum else {
        return Ok(());
    };
    let test = kind == OutcomeType::TestScore;
    node.require(test, Rule::Contradiction, "a minimum for test scores only", &minimum.value)?;
    node.present(!minimum.scale.is_empty() && !minimum.value.is_empty(), "a scale and a score")?;
    let registered = registry.scale(&minimum.scale).is_some();
    let number = crate::decimal::parse_e4(&minimum.value).is_ok();
    let known = if registered { registry.passes(minimum).is_some() } else { number };
    let shown = format!("{} in {}", minimum.value, minimum.scale);
    node.require(
        known,
        Rule::UnknownGrade,
        "a grade of the scale, or a number of one that is not in the registry",
        shown,
    )
}

fn matched(node: &Node, registry: &Registry, asked: &Match) -> Checked {
    let Match {
        levels,
        fields,
        institutions,
        modes,
        courses,
        course_prefixes,
        origins,
        assessments,
        esco_uris,
        bases,
        after_enrolment: _,
    } = asked;
    let level = levels.iter().find(|level| !registry.has_level(level));
    let shown = level.map(|level| format!("{} {}", level.framework, level.level)).unwrap_or_default();
    node.require(level.is_none(), Rule::UnknownLevel, "levels of a framework of the registry", shown)?;
    let field = fields.iter().find(|code| !is_field(code)).cloned().unwrap_or_default();
    node.require(field.is_empty(), Rule::InvalidCode, "two to four digits (ISCED-F 2013)", field)?;
    // A registry without the list of fields takes every code of their form.
    let listed = !registry.fields.is_empty();
    let field = fields.iter().find(|code| listed && registry.field(code).is_none()).cloned().unwrap_or_default();
    node.require(field.is_empty(), Rule::UnknownReference, "fields of education of the registry", field)?;
    let unknown = institutions.iter().find(|number| registry.institution((**number).into()).is_none());
    let shown = unknown.copied().unwrap_or_default();
    node.require(unknown.is_none(), Rule::UnknownReference, "institutions of the registry", shown)?;
    let texts = [courses, course_prefixes, esco_uris];
    node.present(texts.into_iter().flatten().all(|text| !text.is_empty()), "codes that are not empty")?;
    let numbers = [modes, origins, assessments, bases];
    node.present(numbers.into_iter().flatten().all(|number| *number != 0), "values that are stated")
}
