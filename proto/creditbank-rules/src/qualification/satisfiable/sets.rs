//! Matches as sets of records: which is part of which, which have nothing in common. Each answer is on the safe side:
//! `false` where it is not certain.

use creditbank_protocol::pb::{Match, Mode, Origin, QualificationDefinition, RequirementType};

use creditbank_protocol::course_code::{exact, key};

use super::super::measure::asked;
use super::super::tree::Tree;

/// What course codes are compared by where case does not matter.
fn keys(codes: &[String]) -> Vec<String> {
    codes.iter().map(|code| key(code)).collect()
}

/// And where it matters. Whose courses a definition meets nobody knows: what is certain holds in both ways.
fn exacts(codes: &[String]) -> Vec<String> {
    codes.iter().map(|code| exact(code).into_owned()).collect()
}

/// Whether every record that matches `a` matches `b`.
pub(super) fn within(a: &Match, b: &Match) -> bool {
    fn part<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        b.is_empty() || !a.is_empty() && a.iter().all(|one| b.contains(one))
    }
    fn prefixed(codes: &[String], prefixes: &[String]) -> bool {
        codes.iter().all(|code| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str())))
    }
    let by = |compared: fn(&[String]) -> Vec<String>| {
        let (courses, prefixes) = (compared(&a.courses), compared(&a.course_prefixes));
        let asked = compared(&b.course_prefixes);
        let by_courses = !courses.is_empty() && prefixed(&courses, &asked);
        let by_prefixes = !prefixes.is_empty() && prefixed(&prefixes, &asked);
        part(&courses, &compared(&b.courses)) && (asked.is_empty() || by_courses || by_prefixes)
    };
    let fields = b.fields.is_empty() || !a.fields.is_empty() && prefixed(&a.fields, &b.fields);
    part(&a.levels, &b.levels)
        && fields
        && part(&a.institutions, &b.institutions)
        && part(&a.modes, &b.modes)
        && by(keys)
        && by(exacts)
        && part(&a.origins, &b.origins)
        && part(&a.assessments, &b.assessments)
        && part(&a.esco_uris, &b.esco_uris)
        && part(&a.bases, &b.bases)
        && (a.after_enrolment || !b.after_enrolment)
}

/// Whether no record matches both. With `aliases` in the registry codes set nothing apart: a course may have one of the
/// names that are asked for here, and one of those that are asked for there.
pub(super) fn apart(a: &Match, b: &Match, aliases: bool) -> bool {
    fn disjoint<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        !a.is_empty() && !b.is_empty() && !a.iter().any(|one| b.contains(one))
    }
    fn unlike(a: &[String], b: &[String]) -> bool {
        let meet = |one: &String, other: &String| one.starts_with(other.as_str()) || other.starts_with(one.as_str());
        !a.is_empty() && !b.is_empty() && !a.iter().any(|one| b.iter().any(|other| meet(one, other)))
    }
    fn outside(codes: &[String], prefixes: &[String]) -> bool {
        let begins = |code: &String| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str()));
        !codes.is_empty() && !prefixes.is_empty() && !codes.iter().any(begins)
    }
    let [a_courses, b_courses] = [&a.courses, &b.courses].map(|codes| keys(codes));
    let [a_prefixes, b_prefixes] = [&a.course_prefixes, &b.course_prefixes].map(|codes| keys(codes));
    let by_codes = disjoint(&a_courses, &b_courses)
        || unlike(&a_prefixes, &b_prefixes)
        || outside(&a_courses, &b_prefixes)
        || outside(&b_courses, &a_prefixes);
    disjoint(&a.levels, &b.levels)
        || unlike(&a.fields, &b.fields)
        || disjoint(&a.institutions, &b.institutions)
        || disjoint(&a.modes, &b.modes)
        || !aliases && by_codes
        || disjoint(&a.origins, &b.origins)
        || disjoint(&a.assessments, &b.assessments)
        || disjoint(&a.bases, &b.bases)
}

/// Why nothing can match what a requirement asks.
pub(super) fn against_itself(
    definition: &QualificationDefinition,
    tree: &Tree<'_>,
    position: usize,
    aliases: bool,
) -> Vec<String> {
    let asked = asked(tree.node(position));
    let prefixes = keys(&asked.course_prefixes);
    let begins = |code: &String| prefixes.iter().any(|prefix| key(code).starts_with(prefix.as_str()));
    let mut reasons = Vec::new();
    let prefixed = aliases || asked.course_prefixes.is_empty() || asked.courses.is_empty();
    let every = tree.kind(position) == RequirementType::Courses;
    let odd = asked.courses.iter().find(|code| !begins(code));
    if !prefixed && (every && odd.is_some() || !asked.courses.iter().any(begins)) {
        let code = odd.map_or("", String::as_str);
        reasons.push(format!("course {code} begins with none of the prefixes that are asked for"));
    }
    if tree.kind(position) != RequirementType::Outcome {
        reasons.extend(odd_origin(definition, asked));
    }
    reasons
}

/// Own credit is of an awarding institution; prior learning by its mode is prior learning by its origin.
fn odd_origin(definition: &QualificationDefinition, asked: &Match) -> Option<String> {
    let only = |origins: &[Origin]| {
        let listed = |number: &i32| origins.iter().any(|origin| i32::from(*origin) == *number);
        !asked.origins.is_empty() && asked.origins.iter().all(listed)
    };
    let awarding = |number: &u64| *number == definition.institution || definition.awarding.contains(number);
    if only(&[Origin::Own]) && !asked.institutions.is_empty() && !asked.institutions.iter().any(awarding) {
        return Some("own credit of institutions that do not award".to_owned());
    }
    let prior = !asked.modes.is_empty() && asked.modes.iter().all(|mode| *mode == i32::from(Mode::Rpl));
    if prior && only(&[Origin::Own, Origin::Transfer, Origin::NonFormal]) {
        return Some("prior learning by its mode, and by its origin something else".to_owned());
    }
    None
}
