//! Whether a candidate is what a requirement asks for.

use creditbank_protocol::pb::Match;

use super::Candidate;
use crate::CourseName;

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
    let begins = |field: &String| fields.iter().any(|prefix| field.starts_with(prefix.as_str()));
    let course = |listed: &[String], fits: fn(&CourseName, &str) -> bool| {
        let one = |course: &CourseName| listed.iter().any(|code| fits(course, code));
        listed.is_empty() || candidate.course.as_ref().is_some_and(one)
    };
    let number = |list: &[i32], value: i32| list.is_empty() || value != 0 && list.contains(&value);
    let level = levels.is_empty() || candidate.level.as_ref().is_some_and(|level| levels.contains(level));
    let checks = [
        (level, "level"),
        (fields.is_empty() || candidate.field.as_ref().is_some_and(begins), "field"),
        (institutions.is_empty() || institutions.contains(&candidate.institution.0), "institution"),
        (number(modes, candidate.mode.into()), "mode"),
        (course(courses, CourseName::is), "course"),
        (course(course_prefixes, CourseName::begins_with), "course"),
        (number(origins, candidate.origin.into()), "origin"),
        (number(assessments, candidate.assessment.into()), "assessment"),
        (esco_uris.is_empty() || esco_uris.iter().any(|uri| candidate.esco_uris.contains(uri)), "outcome"),
        // An Outcome is no pass: nothing is said of it.
        (number(bases, if candidate.amount.is_some() { candidate.basis.into() } else { 0 }), "basis"),
        (!after_enrolment || candidate.after_enrolment, "time (it ended before the enrolment)"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}
