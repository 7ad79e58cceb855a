//! Blank cells take nothing away: what the record says of their fields stays.

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb;

use super::{Body, DraftRecord};

impl DraftRecord {
    /// Fills the fields whose cells are blank from the record that this one follows, and says which of them it had. A
    /// record of another kind, or one that cannot be read, gives nothing.
    pub(crate) fn keep(&mut self, old: &[u8]) -> Vec<String> {
        let mut had = Vec::new();
        for name in &self.kept {
            let gave = match &mut self.body {
                Body::Credit(new) => decode(old).is_ok_and(|old: pb::Credit| of_credit(name, new, old)),
                Body::Result(new) => decode(old).is_ok_and(|old: pb::Result| of_result(name, new, old)),
                Body::Outcome(new) => decode(old).is_ok_and(|old: pb::Outcome| of_outcome(name, new, old)),
            };
            if gave {
                had.push(name.clone());
            }
        }
        had
    }
}

/// Takes the old value where the new one is not there.
fn fill<T: Default + PartialEq>(new: &mut T, old: T) -> bool {
    let gives = *new == T::default() && old != T::default();
    if gives {
        *new = old;
    }
    gives
}

fn of_course(name: &str, new: &mut Option<pb::Course>, old: Option<pb::Course>) -> bool {
    let old = old.unwrap_or_default();
    let mut course = new.take().unwrap_or_default();
    let gave = if name == "title" { fill(&mut course.titles, old.titles) } else { fill(&mut course.code, old.code) };
    *new = (course != pb::Course::default()).then_some(course);
    gave
}

fn of_period(name: &str, new: &mut Option<pb::Period>, old: Option<pb::Period>) -> bool {
    let old = old.unwrap_or_default();
    let mut period = new.take().unwrap_or_default();
    let gave =
        if name == "period_from" { fill(&mut period.from, old.from) } else { fill(&mut period.until, old.until) };
    *new = (period != pb::Period::default()).then_some(period);
    gave
}

/// What the three kinds have in common.
macro_rules! common {
    ($name:expr, $new:expr, $old:expr) => {
        match $name {
            "title" | "course_code" => of_course($name, &mut $new.course, $old.course),
            "period_from" | "period_until" => of_period($name, &mut $new.period, $old.period),
            "level" => fill(&mut $new.level, $old.level),
            "field" => fill(&mut $new.field, $old.field),
            "language" => fill(&mut $new.language, $old.language),
            "country" | "site" => fill(&mut $new.place, $old.place),
            "mode" => fill(&mut $new.mode, $old.mode),
            "identity_check" => fill(&mut $new.identity_check, $old.identity_check),
            "assessment" => fill(&mut $new.assessment, $old.assessment),
            "visible_from" => fill(&mut $new.visible_from, $old.visible_from),
            _ => false,
        }
    };
}

fn of_credit(name: &str, new: &mut pb::Credit, old: pb::Credit) -> bool {
    match name {
        "grade" => fill(&mut new.grade, old.grade),
        "credits" => fill(&mut new.amount, old.amount),
        "attempt" => fill(&mut new.attempt, old.attempt),
        "hours" => fill(&mut new.hours, old.hours),
        "repeats_max" => fill(&mut new.repeats_max, old.repeats_max),
        "expires" => fill(&mut new.expires, old.expires),
        _ => common!(name, new, old),
    }
}

fn of_result(name: &str, new: &mut pb::Result, old: pb::Result) -> bool {
    match name {
        "grade" => fill(&mut new.grade, old.grade),
        "credits" => fill(&mut new.attempted, old.attempted),
        "attempt" => fill(&mut new.attempt, old.attempt),
        "hours" => fill(&mut new.hours, old.hours),
        _ => common!(name, new, old),
    }
}

fn of_outcome(name: &str, new: &mut pb::Outcome, old: pb::Outcome) -> bool {
    match name {
        "grade" => fill(&mut new.score, old.score),
        "hours" => fill(&mut new.workload, old.workload),
        "expires" => fill(&mut new.expires, old.expires),
        _ => common!(name, new, old),
    }
}
