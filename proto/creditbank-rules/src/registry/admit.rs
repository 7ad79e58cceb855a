//! When a registry record is well-formed and fits what is in force.

use creditbank_protocol::pb::{self, Date, InstitutionType, RegistryState, RelationType, SourceGrade};

use super::Registry;
use crate::codes::{is_country, is_field};
use crate::dates::{first_day, last_day};
pub(crate) use crate::rejection::{present, require};
use crate::{Rejection, Rule};

pub(super) type Checked = Result<(), Rejection>;

/// The two dates in order.
pub(crate) fn dates(from: Option<&Date>, until: Option<&Date>, field: &'static str) -> Checked {
    let ordered = from.zip(until).is_none_or(|(from, until)| first_day(from) <= last_day(until));
    require(ordered, Rule::InvalidDate, field, "a beginning before the end", "the reverse")
}

fn countries(codes: &[String]) -> Checked {
    let odd = codes.iter().find(|code| !is_country(code));
    require(odd.is_none(), Rule::InvalidCode, "countries", "two capital letters", odd.map_or("", String::as_str))
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.contains('.') && name.split('.').all(label)
}

fn state(number: i32) -> Checked {
    let known = RegistryState::try_from(number).is_ok_and(|state| state != RegistryState::Unspecified);
    present(known, "state", "active, suspended or closed")
}

/// Names are read by people: each has a language and a text.
pub(crate) fn names<'a>(names: impl Iterator<Item = &'a pb::Text>) -> Checked {
    for name in names {
        present(!name.language.is_empty() && !name.value.is_empty(), "names", "a language and a text for each name")?;
    }
    Ok(())
}

/// Where an entry was published: at least one source, each with a text, a grade, and when it was looked up.
pub(super) fn sources(sources: &[pb::Source], expected: &str) -> Checked {
    present(!sources.is_empty(), "sources", expected)?;
    for source in sources {
        present(!source.text.is_empty(), "sources", "an address or a title for each source")?;
        let grade = SourceGrade::try_from(source.grade).unwrap_or_default();
        present(grade != SourceGrade::Unspecified, "sources", "a grade, A to D, for each source")?;
        present(source.as_of.is_some(), "sources", "the day on which each source was looked up, or of its version")?;
    }
    Ok(())
}

pub(super) fn institution(registry: &Registry, entry: &pb::Institution) -> Checked {
    state(entry.state)?;
    names(entry.names.iter().filter_map(|name| name.name.as_ref()))?;
    let active = entry.number != 0 || entry.state == i32::from(RegistryState::Active);
    require(active, Rule::Contradiction, "state", "an active operator", "another state")?;
    let kind = InstitutionType::try_from(entry.r#type).unwrap_or_default();
    present(kind != InstitutionType::Unspecified, "type", "a type of institution")?;
    let operator = kind == InstitutionType::Operator;
    require(operator == (entry.number == 0), Rule::Contradiction, "number", "0 for the operator only", entry.number)?;
    require(
        operator || is_country(&entry.country),
        Rule::InvalidCode,
        "country",
        "two capital letters",
        &entry.country,
    )?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    for name in &entry.names {
        let text = name.name.as_ref().is_some_and(|text| !text.value.is_empty() && !text.language.is_empty());
        present(text, "names", "a text and its language")?;
        dates(name.from.as_ref(), name.until.as_ref(), "names")?;
    }
    for one in &entry.identifiers {
        present(!one.scheme.is_empty() && !one.value.is_empty(), "identifiers", "a scheme and a value")?;
        let holds = one.scheme != "domain" || is_domain(&one.value);
        require(holds, Rule::InvalidCode, "identifiers", "a host name in lower case", &one.value)?;
        dates(one.from.as_ref(), one.until.as_ref(), "identifiers")?;
    }
    for address in &entry.addresses {
        require(is_country(&address.country), Rule::InvalidCode, "addresses", "two capital letters", &address.country)?;
        dates(address.from.as_ref(), address.until.as_ref(), "addresses")?;
    }
    for relation in &entry.relations {
        let known = RelationType::try_from(relation.r#type).is_ok_and(|kind| kind != RelationType::Unspecified);
        present(known, "relations", "a type of relation")?;
        let exists =
            registry.institution(relation.institution.into()).is_some() && relation.institution != entry.number;
        require(
            exists,
            Rule::UnknownReference,
            "relations",
            "another institution of the registry",
            relation.institution,
        )?;
        dates(relation.from.as_ref(), relation.until.as_ref(), "relations")?;
    }
    Ok(())
}

fn known_institution(registry: &Registry, number: u64) -> Checked {
    let exists = registry.institution(number.into()).is_some();
    require(exists, Rule::UnknownReference, "institution", "an institution of the registry", number)
}

pub(super) fn unit(registry: &Registry, entry: &pb::Unit) -> Checked {
    state(entry.state)?;
    known_institution(registry, entry.institution)?;
    let free = entry.institution != 0;
    require(free, Rule::Contradiction, "institution", "an institution other than the operator", entry.institution)?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())
}

pub(super) fn accreditation(registry: &Registry, entry: &pb::Accreditation) -> Checked {
    known_institution(registry, entry.institution)?;
    present(!entry.body.is_empty(), "body", "who accredits")?;
    present(entry.from.is_some(), "from", "the day from which it holds")?;
    dates(entry.from.as_ref(), entry.until.as_ref(), "from")?;
    for level in &entry.levels {
        let shown = format!("{} {}", level.framework, level.level);
        require(
            registry.has_level(level),
            Rule::UnknownReference,
            "levels",
            "levels of a framework of the registry",
            shown,
        )?;
    }
    let odd = entry.fields.iter().find(|code| !is_field(code));
    require(odd.is_none(), Rule::InvalidCode, "fields", "two to four digits (ISCED-F)", odd.map_or("", String::as_str))
}

pub(super) fn credit_unit(_: &Registry, entry: &pb::CreditUnit) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    countries(&entry.countries)?;
    sources(&entry.sources, "where the figures were published")?;
    let band = (entry.workload_hours_min_e4, entry.workload_hours_max_e4);
    require(
        band.1 == 0 || band.0 <= band.1,
        Rule::Contradiction,
        "workload_hours_min_e4",
        "at most the maximum",
        band.0,
    )
}

pub(super) fn framework(_: &Registry, entry: &pb::Framework) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    countries(&entry.countries)?;
    sources(&entry.sources, "where the framework was published")?;
    present(!entry.levels.is_empty(), "levels", "at least one level")?;
    let mut codes: Vec<&str> = entry.levels.iter().map(|level| level.code.as_str()).collect();
    present(codes.iter().all(|code| !code.is_empty()), "levels", "a code for each level")?;
    codes.sort_unstable();
    let twice = codes.windows(2).find(|pair| pair[0] == pair[1]);
    require(twice.is_none(), Rule::Contradiction, "levels", "distinct codes", twice.map_or("", |pair| pair[0]))
}
