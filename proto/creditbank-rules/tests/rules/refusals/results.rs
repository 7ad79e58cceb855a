//! Further grades, the basis of a pass, the day of the assessment, term and session.

use creditbank_protocol::pb::{self, Kind, PassBasis};

use super::case::Case;
use super::derived::of;
use crate::fixtures::{credit, date, grade, result, sources, text};

fn numbers(code: &str, max: u64, pass: u64) -> pb::GradeScale {
    let numeric = pb::NumericGrades { max_e4: max * 10_000, pass_e4: pass * 10_000, ..Default::default() };
    let (code, sources) = (code.to_owned(), sources("here"));
    pb::GradeScale { code, names: vec![text("A scale")], numeric: Some(numeric), sources, ..Default::default() }
}

/// Marks from 0 to 100 and from 0 to 10, and words.
fn scales(case: &mut Case) {
    let word = |value: &str, pass| pb::ListedGrade { value: value.to_owned(), pass };
    let words = pb::GradeScale {
        numeric: None,
        listed: vec![word("ΑΡΙΣΤΑ", true), word("ΚΑΛΩΣ", true), word("ΑΠΟΡΡΙΠΤΕΤΑΙ", false)],
        ..numbers("UNI-WORD", 1, 1)
    };
    for scale in [numbers("UNI-100", 100, 40), numbers("UNI-10", 10, 5), words] {
        case.set(Kind::GradeScale, &scale);
    }
}

fn of_credit(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Credit)) -> Case {
    let mut entry = credit();
    entry.grade = Some(grade("UNI-100", "66"));
    change(&mut entry);
    of(name, about, Kind::Credit, &entry).with(scales)
}

fn of_result(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Result)) -> Case {
    let mut entry = result();
    entry.grade = Some(grade("UNI-100", "12"));
    change(&mut entry);
    of(name, about, Kind::Result, &entry).with(scales)
}

pub(crate) fn refused() -> Vec<Case> {
    let credits = |name, about, change: fn(&mut pb::Credit)| of_credit(Some(name), about, change);
    let results = |name, about, change: fn(&mut pb::Result)| of_result(Some(name), about, change);
    vec![
        credits("MISSING_FIELD", "a further grade without a first one", |credit| {
            (credit.grade, credit.further) = (None, vec![grade("UNI-WORD", "ΑΡΙΣΤΑ")])
        }),
        credits("CONTRADICTION", "two grades in the scale of the first", |credit| {
            credit.further = vec![grade("UNI-100", "70")]
        }),
        credits("CONTRADICTION", "two further grades in one scale", |credit| {
            credit.further = vec![grade("UNI-WORD", "ΑΡΙΣΤΑ"), grade("UNI-WORD", "ΚΑΛΩΣ")]
        }),
        credits("UNKNOWN_GRADE", "a further grade of an unknown scale", |credit| {
            credit.further = vec![grade("NO-SUCH", "A")]
        }),
        credits("UNKNOWN_GRADE", "a further grade that its scale has not", |credit| {
            credit.further = vec![grade("UNI-WORD", "αριστα")]
        }),
        credits("GRADE_NOT_A_PASS", "passed in one scale, failed in a further one", |credit| {
            credit.further = vec![grade("UNI-WORD", "ΑΠΟΡΡΙΠΤΕΤΑΙ")]
        }),
        results("GRADE_IS_A_PASS", "failed in one scale, passed in a further one", |result| {
            result.further = vec![grade("UNI-WORD", "ΚΑΛΩΣ")]
        }),
        credits("GRADE_NOT_A_PASS", "a failing grade of what was earned", |credit| {
            credit.grade = Some(grade("UNI-100", "35"))
        }),
        credits("GRADE_NOT_A_PASS", "a failing grade of what was recognised", |credit| {
            (credit.grade, credit.basis) = (Some(grade("UNI-100", "35")), PassBasis::Recognised.into())
        }),
        credits("UNKNOWN_GRADE", "compensated, with a grade that its scale has not", |credit| {
            (credit.grade, credit.basis) = (Some(grade("UNI-100", "135")), PassBasis::Compensated.into())
        }),
        credits("CONTRADICTION", "a basis that says what is said by none", |credit| {
            credit.basis = PassBasis::Earned.into()
        }),
        credits("INVALID_DATE", "assessed before the period", |credit| {
            credit.completed = Some(date(2026, 1, 31));
        }),
        credits("IMPLAUSIBLE_DATE", "assessed tomorrow", |credit| credit.completed = Some(date(2026, 11, 24))),
        results("IMPLAUSIBLE_DATE", "a result that was assessed tomorrow", |result| {
            result.completed = Some(date(2026, 11, 24))
        }),
        credits("INVALID_CODE", "a term of 65 characters", |credit| credit.term = "Ε".repeat(65)),
        results("INVALID_TEXT", "a session with a line feed", |result| result.session = "June\n".to_owned()),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        of_credit(None, "the same result in three scales", |credit| {
            credit.further = vec![grade("UNI-WORD", "ΑΡΙΣΤΑ"), grade("UNI-10", "7")];
        }),
        of_credit(None, "compensated: a mark that does not pass, in two scales", |credit| {
            (credit.grade, credit.basis) = (Some(grade("UNI-100", "35")), PassBasis::Compensated.into());
            credit.further = vec![grade("UNI-WORD", "ΑΠΟΡΡΙΠΤΕΤΑΙ")];
        }),
        of_credit(None, "condoned, without a grade", |credit| {
            (credit.grade, credit.basis) = (None, PassBasis::Condoned.into());
        }),
        of_credit(None, "exempted", |credit| (credit.grade, credit.basis) = (None, PassBasis::Exempted.into())),
        of_credit(None, "assessed today, in a term and a session of 64 characters", |credit| {
            credit.completed = Some(date(2026, 11, 23));
            (credit.term, credit.session) = ("Ε".repeat(64), "补考".to_owned());
        }),
        of_result(None, "failed in two scales", |result| {
            result.further = vec![grade("UNI-WORD", "ΑΠΟΡΡΙΠΤΕΤΑΙ")];
            result.session = "January".to_owned();
        }),
    ]
}
