//! A record as it would be signed, in words for a person.

use std::fmt::Write as _;

use creditbank_protocol::dates;
use creditbank_protocol::names;
use creditbank_protocol::pb;
use creditbank_rpc::v1::IdentityType;
use creditbank_rules::decimal::show_e4;

use crate::import::draft::Body;
use crate::import::{DraftRecord, Mapping};

/// What records of courses have in common.
macro_rules! common {
    ($one:expr) => {
        [
            ("level", level($one.level.as_ref())),
            ("field", $one.field.clone()),
            ("language", $one.language.clone()),
            ("place", site($one.place.as_ref())),
            ("mode", code($one.mode())),
            ("identity check", code($one.identity_check())),
            ("assessment", code($one.assessment())),
            ("period", period($one.period.as_ref())),
            ("visible from", date($one.visible_from)),
        ]
    };
}

/// One fact a line, without what the record does not say.
pub(super) fn of(mapping: &Mapping, draft: &DraftRecord) -> String {
    let mut facts: Vec<(&str, String)> = Vec::new();
    for identity in &draft.person {
        let kind = names::of(IdentityType::try_from(identity.r#type).unwrap_or_default()).replace('-', " ");
        facts.push(("who", format!("{kind} {} {}", identity.scope, identity.value)));
    }
    let grade = |grade: Option<&pb::Grade>| {
        grade.map_or("none".to_owned(), |grade| {
            let passes = match mapping.passes(&grade.scale, &grade.value) {
                Some(true) => ", which passes",
                Some(false) => ", which does not pass",
                None => "",
            };
            format!("{} in {}{passes}", grade.value, grade.scale)
        })
    };
    match &draft.body {
        Body::Credit(one) => {
            facts.push(("course", course(one.course.as_ref())));
            facts.push(("credits", amount(one.amount.as_ref())));
            facts.push(("grade", grade(one.grade.as_ref())));
            facts.extend(one.further.iter().map(|further| ("and", grade(Some(further)))));
            facts.push(("basis", code(one.basis())));
            facts.push(("attempt", number(one.attempt)));
            facts.push(("repeats", number(one.repeats_max)));
            facts.push(("hours", hours(one.hours.as_ref())));
            facts.push(("term", one.term.clone()));
            facts.push(("session", one.session.clone()));
            facts.push(("completed", date(one.completed)));
            facts.push(("expires", date(one.expires)));
            facts.extend(common!(one));
        }
        Body::Result(one) => {
            facts.push(("status", names::of(one.status())));
            facts.push(("course", course(one.course.as_ref())));
            facts.push(("attempted", amount(one.attempted.as_ref())));
            facts.push(("grade", grade(one.grade.as_ref())));
            facts.extend(one.further.iter().map(|further| ("and", grade(Some(further)))));
            facts.push(("attempt", number(one.attempt)));
            facts.push(("hours", hours(one.hours.as_ref())));
            facts.push(("term", one.term.clone()));
            facts.push(("session", one.session.clone()));
            facts.push(("completed", date(one.completed)));
            facts.extend(common!(one));
        }
        Body::Outcome(one) => {
            facts.push(("type", names::of(one.r#type())));
            facts.push(("course", course(one.course.as_ref())));
            let score = one.score.as_ref().map(|score| format!("{} in {}", score.value, score.scale));
            facts.push(("score", score.unwrap_or_default()));
            facts.push(("hours", hours(one.workload.as_ref())));
            facts.push(("expires", date(one.expires)));
            facts.extend(common!(one));
        }
        Body::Enrolment(one) => {
            facts.push(("programme", course(one.programme.as_ref())));
            let definition = one.definition.as_ref();
            let shown = definition.map(|name| format!("{}/{}.{}", name.institution, name.code, name.version));
            facts.push(("definition", shown.unwrap_or_default()));
            facts.push(("state", names::of(one.state())));
            facts.push(("from", date(one.from)));
            facts.push(("until", date(one.until)));
            facts.push(("mode", code(one.mode())));
            facts.push(("load", code(one.load())));
        }
        Body::Identity(one) => {
            let parts = |name: &pb::PersonName| [&name.full, &name.family, &name.given].map(String::as_str).join(" ");
            facts.extend(one.names.iter().map(|name| ("name", format!("{} ({})", parts(name), name.language))));
            facts.push(("born", date(one.birth_date)));
            facts.push(("document", names::of(one.document())));
            facts.push(("assurance", names::of(one.assurance())));
        }
    }
    let mut text = format!("line {}: {}\n", draft.line, draft.kind_name());
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.trim().is_empty()) {
        let fact = fact.split_whitespace().collect::<Vec<_>>().join(" ");
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<14} {fact}");
    }
    text
}

fn course(course: Option<&pb::Course>) -> String {
    let Some(course) = course else { return String::new() };
    let titles = course.titles.iter().map(|title| format!("{} ({})", title.value, title.language));
    std::iter::once(course.code.clone()).chain(titles).collect::<Vec<_>>().join(" ")
}

fn amount(amount: Option<&pb::Amount>) -> String {
    amount.map_or(String::new(), |amount| format!("{} {}", show_e4(amount.e4), amount.unit))
}

fn hours(hours: Option<&pb::Hours>) -> String {
    hours.map_or(String::new(), |hours| format!("{} of {}", show_e4(hours.e4), names::of(hours.kind())))
}

fn site(site: Option<&pb::Site>) -> String {
    site.map_or(String::new(), |site| format!("{} {}", site.name, site.country))
}

fn level(level: Option<&pb::Level>) -> String {
    level.map_or(String::new(), |level| format!("{} {}", level.framework, level.level))
}

fn number(number: u32) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// Nothing where it is not stated.
fn code<E: names::Named + Default + PartialEq>(value: E) -> String {
    if value == E::default() { String::new() } else { names::of(value) }
}

fn date(date: Option<pb::Date>) -> String {
    date.map_or(String::new(), |date| dates::show(&date))
}

fn period(period: Option<&pb::Period>) -> String {
    period.map_or(String::new(), |period| format!("{} to {}", date(period.from), date(period.until)))
}
