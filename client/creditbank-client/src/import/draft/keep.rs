//! Blank cells take nothing away, nor does a mapping that lacks a field: what the record says of it stays.

use std::sync::Arc;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb;

use super::{Body, DraftRecord};
use crate::import::mapping::{ASSURANCE, BIRTH_DATE, DOCUMENT, Unsaid};

impl DraftRecord {
    /// Fills from the record that this one follows what the line does not say: fields whose cells are blank, and fields that
    /// the mapping has not. Returns the blank ones that it had. A record of another kind, or one that cannot be read, gives
    /// nothing.
    pub(crate) fn keep(&mut self, old: &[u8]) -> Vec<String> {
        let (kept, unsaid) = (self.kept.clone(), Arc::clone(&self.unsaid));
        let mut had = Vec::new();
        let mut each = |mut gave: Box<dyn FnMut(&str) -> bool + '_>| {
            had.extend(kept.iter().filter(|name| gave(name)).cloned());
            unsaid.fields.iter().for_each(|name| {
                gave(name);
            });
        };
        match &mut self.body {
            Body::Credit(new) => {
                let Ok(old) = decode::<pb::Credit>(old) else { return had };
                each(Box::new(|name| of_credit(name, new, old.clone())));
                other_grades(&mut new.further, old.further, &unsaid);
                fill(&mut new.outcomes, old.outcomes);
                fill(&mut new.earlier, old.earlier);
                titles(new.course.as_mut(), old.course);
            }
            Body::Result(new) => {
                let Ok(old) = decode::<pb::Result>(old) else { return had };
                each(Box::new(|name| of_result(name, new, old.clone())));
                other_grades(&mut new.further, old.further, &unsaid);
                fill(&mut new.earlier, old.earlier);
                titles(new.course.as_mut(), old.course);
            }
            Body::Outcome(new) => {
                let Ok(old) = decode::<pb::Outcome>(old) else { return had };
                each(Box::new(|name| of_outcome(name, new, old.clone())));
                fill(&mut new.outcomes, old.outcomes);
                fill(&mut new.prior_learning, old.prior_learning);
                if let (Some(new), Some(old)) = (&mut new.score, old.score) {
                    fill(&mut new.sections, old.sections);
                }
                titles(new.course.as_mut(), old.course);
            }
            Body::Enrolment(new) => {
                let Ok(old) = decode::<pb::Enrolment>(old) else { return had };
                each(Box::new(|name| of_enrolment(name, new, old.clone())));
                titles(new.programme.as_mut(), old.programme);
            }
            Body::Identity(new) => {
                let Ok(old) = decode::<pb::Identity>(old) else { return had };
                each(Box::new(|name| of_identity(name, new, old.clone())));
                let others = old.names.into_iter().filter(|name| !unsaid.said_languages.contains(&name.language));
                new.names.extend(others);
                new.names.sort_by_cached_key(prost::Message::encode_to_vec);
                new.names.dedup();
            }
        }
        had
    }
}

/// Further grades in scales that the mapping does not name stay where they stood.
fn other_grades(new: &mut Vec<pb::Grade>, old: Vec<pb::Grade>, unsaid: &Unsaid) {
    let others = old.into_iter().enumerate().filter(|(_, grade)| !unsaid.said_scales.contains(&grade.scale));
    for (at, grade) in others {
        new.insert(at.min(new.len()), grade);
    }
}

/// A line has one title. Those in other languages stay where the record has one in the line's language too: else it is the
/// language that has changed.
fn titles(new: Option<&mut pb::Course>, old: Option<pb::Course>) {
    let (Some(new), Some(old)) = (new, old) else { return };
    let has = |titles: &[pb::Text], language: &str| titles.iter().any(|title| title.language == language);
    if new.titles.iter().any(|title| has(&old.titles, &title.language)) {
        let others: Vec<_> = old.titles.into_iter().filter(|title| !has(&new.titles, &title.language)).collect();
        new.titles.extend(others);
        new.titles.sort_by_cached_key(prost::Message::encode_to_vec);
    }
}

/// Country and name of the place.
fn of_site(name: &str, new: &mut Option<pb::Site>, old: Option<pb::Site>) -> bool {
    let old = old.unwrap_or_default();
    let mut site = new.take().unwrap_or_default();
    let gave = if name == "country" { fill(&mut site.country, old.country) } else { fill(&mut site.name, old.name) };
    *new = (site != pb::Site::default()).then_some(site);
    gave
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
            "country" | "site" => of_site($name, &mut $new.place, $old.place),
            "mode" => fill(&mut $new.mode, $old.mode),
            "identity_check" => fill(&mut $new.identity_check, $old.identity_check),
            "assessment" => fill(&mut $new.assessment, $old.assessment),
            "visible_from" => fill(&mut $new.visible_from, $old.visible_from),
            _ => false,
        }
    };
}

/// A grade in a further scale, named as `further.ECTS-GRADE`.
fn of_further(name: &str, new: &mut Vec<pb::Grade>, old: Vec<pb::Grade>) -> bool {
    let Some(scale) = name.strip_prefix("further.") else { return false };
    let had = old.into_iter().enumerate().find(|(_, grade)| grade.scale == scale);
    let Some((at, grade)) = had.filter(|(_, grade)| new.iter().all(|own| own.scale != grade.scale)) else {
        return false;
    };
    // Where it stood: the same grades in another order would be another record.
    new.insert(at.min(new.len()), grade);
    true
}

fn of_enrolment(name: &str, new: &mut pb::Enrolment, old: pb::Enrolment) -> bool {
    match name {
        "programme" => of_course("course_code", &mut new.programme, old.programme),
        "title" => of_course(name, &mut new.programme, old.programme),
        "definition" => fill(&mut new.definition, old.definition),
        "period_from" => fill(&mut new.from, old.from),
        "period_until" => fill(&mut new.until, old.until),
        "mode" => fill(&mut new.mode, old.mode),
        "load" => fill(&mut new.load, old.load),
        _ => false,
    }
}

/// Parts of names are named as `identity.names.el.family`.
fn of_identity(name: &str, new: &mut pb::Identity, old: pb::Identity) -> bool {
    if name == BIRTH_DATE {
        return fill(&mut new.birth_date, old.birth_date);
    }
    if name == DOCUMENT {
        return fill(&mut new.document, old.document);
    }
    if name == ASSURANCE {
        return fill(&mut new.assurance, old.assurance);
    }
    let part = name.strip_prefix("identity.names.").and_then(|rest| rest.rsplit_once('.'));
    let Some((language, part)) = part else { return false };
    let Some(had) = old.names.into_iter().find(|name| name.language == language) else { return false };
    let at = new.names.iter().position(|name| name.language == language).unwrap_or(new.names.len());
    if at == new.names.len() {
        new.names.push(pb::PersonName { language: language.to_owned(), ..Default::default() });
    }
    let own = &mut new.names[at];
    let gave = match part {
        "full" => fill(&mut own.full, had.full),
        "family" => fill(&mut own.family, had.family),
        _ => fill(&mut own.given, had.given),
    };
    let empty = pb::PersonName { language: language.to_owned(), ..Default::default() };
    new.names.retain(|name| *name != empty);
    new.names.sort_by_cached_key(prost::Message::encode_to_vec);
    gave
}

fn of_credit(name: &str, new: &mut pb::Credit, old: pb::Credit) -> bool {
    match name {
        "grade" => fill(&mut new.grade, old.grade),
        "credits" => fill(&mut new.amount, old.amount),
        "attempt" => fill(&mut new.attempt, old.attempt),
        "hours" => fill(&mut new.hours, old.hours),
        "repeats_max" => fill(&mut new.repeats_max, old.repeats_max),
        "expires" => fill(&mut new.expires, old.expires),
        "basis" => fill(&mut new.basis, old.basis),
        "completed" => fill(&mut new.completed, old.completed),
        "term" => fill(&mut new.term, old.term),
        "session" => fill(&mut new.session, old.session),
        _ if name.starts_with("further.") => of_further(name, &mut new.further, old.further),
        _ => common!(name, new, old),
    }
}

fn of_result(name: &str, new: &mut pb::Result, old: pb::Result) -> bool {
    match name {
        "grade" => fill(&mut new.grade, old.grade),
        "credits" => fill(&mut new.attempted, old.attempted),
        "attempt" => fill(&mut new.attempt, old.attempt),
        "hours" => fill(&mut new.hours, old.hours),
        "completed" => fill(&mut new.completed, old.completed),
        "term" => fill(&mut new.term, old.term),
        "session" => fill(&mut new.session, old.session),
        _ if name.starts_with("further.") => of_further(name, &mut new.further, old.further),
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
