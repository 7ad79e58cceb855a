//! Whether a candidate is what a requirement asks for.

use creditbank_protocol::pb::Match;

use super::Candidate;

/// Whether everything that is stated holds. An empty list asks nothing; what a candidate does not state matches nothing that
/// is asked of it.
pub fn matches(asked: &Match, candidate: &Candidate) -> bool {
    mismatch(asked, candidate).is_none()
}

/// The first thing that does not hold, in the order of the fields of `Match`.
pub fn mismatch(asked: &Match, candidate: &Candidate) -> Option<&'static str> {
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
        after_enrolment,
    } = asked;
    let starts = |prefixes: &[String], code: &Option<String>| {
        let begins = |code: &String| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str()));
        prefixes.is_empty() || code.as_ref().is_some_and(begins)
    };
    let number = |list: &[i32], value: i32| list.is_empty() || value != 0 && list.contains(&value);
    let level = levels.is_empty() || candidate.level.as_ref().is_some_and(|level| levels.contains(level));
    let checks = [
        (level, "level"),
        (starts(fields, &candidate.field), "field"),
        (institutions.is_empty() || institutions.contains(&candidate.institution.0), "institution"),
        (number(modes, candidate.mode.into()), "mode"),
        (courses.is_empty() || candidate.course.as_ref().is_some_and(|course| courses.contains(course)), "course"),
        (starts(course_prefixes, &candidate.course), "course"),
        (number(origins, candidate.origin.into()), "origin"),
        (number(assessments, candidate.assessment.into()), "assessment"),
        (esco_uris.is_empty() || esco_uris.iter().any(|uri| candidate.esco_uris.contains(uri)), "outcome"),
        // An Outcome is no pass: nothing is said of it.
        (number(bases, if candidate.amount.is_some() { candidate.basis.into() } else { 0 }), "basis"),
        (!after_enrolment || candidate.after_enrolment, "time (it ended before the enrolment)"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}
