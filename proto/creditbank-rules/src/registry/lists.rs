//! Lists that others published and the registry repeats: legal deadlines, countries, fields of education.

use creditbank_protocol::pb::{self, RecognitionPurpose};

use super::Registry;
use super::admit::{Checked, names, present, require, sources};
use crate::Rule;
use crate::codes::{is_country, is_field};

/// The country of a deadline is one of the registry, once the registry has any.
pub(super) fn deadline(registry: &Registry, entry: &pb::LegalDeadline) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    let everywhere = entry.country.is_empty();
    require(
        everywhere || is_country(&entry.country),
        Rule::InvalidCode,
        "country",
        "two capital letters",
        &entry.country,
    )?;
    let known = everywhere || registry.countries.is_empty() || registry.country(&entry.country).is_some();
    require(known, Rule::UnknownReference, "country", "a country of the registry", &entry.country)?;
    let purpose = RecognitionPurpose::try_from(entry.purpose).is_ok();
    require(purpose, Rule::InvalidCode, "purpose", "a purpose of recognition", entry.purpose)?;
    present(entry.decision_days > 0, "decision_days", "days in which it is decided")?;
    let appeals = entry.appeal_days > 0;
    let told = !entry.appeal_instance.is_empty();
    present(told || !appeals, "appeal_instance", "who decides on appeals")?;
    let none = "none where there is no appeal";
    require(appeals || !told, Rule::Contradiction, "appeal_instance", none, &entry.appeal_instance)?;
    let days = entry.appeal_decision_days;
    require(appeals || days == 0, Rule::Contradiction, "appeal_decision_days", none, days)?;
    present(!entry.legal_basis.is_empty(), "legal_basis", "the law, or on what else it stands")?;
    sources(&entry.sources, "where it was published")
}

pub(super) fn country(_: &Registry, entry: &pb::Country) -> Checked {
    require(is_country(&entry.alpha2), Rule::InvalidCode, "alpha2", "two capital letters", &entry.alpha2)?;
    let three = |all: fn(&u8) -> bool, code: &str| code.len() == 3 && code.as_bytes().iter().all(all);
    let letters = three(u8::is_ascii_uppercase, &entry.alpha3);
    require(letters, Rule::InvalidCode, "alpha3", "three capital letters", &entry.alpha3)?;
    let digits = three(u8::is_ascii_digit, &entry.numeric);
    require(digits, Rule::InvalidCode, "numeric", "three digits", &entry.numeric)?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    sources(&entry.sources, "where the codes were published")
}

/// The parent of a field is in the registry before it.
pub(super) fn field(registry: &Registry, entry: &pb::FieldOfEducation) -> Checked {
    require(is_field(&entry.code), Rule::InvalidCode, "code", "two to four digits (ISCED-F)", &entry.code)?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    sources(&entry.sources, "where the field was published")?;
    let parent = entry.code.get(..entry.code.len() - 1).filter(|parent| is_field(parent));
    let exists = parent.is_none_or(|parent| registry.field(parent).is_some());
    require(exists, Rule::UnknownReference, "code", "a field whose parent is in the registry", &entry.code)
}
