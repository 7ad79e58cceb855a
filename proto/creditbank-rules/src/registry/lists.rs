//! Lists that others published and the registry repeats: legal deadlines, countries, fields of education.

use creditbank_protocol::pb::{self, RecognitionPurpose, TermStart, TermUnit};

use super::Registry;
use super::admit::{Checked, dates, names, present, require, sources};
use crate::Rule;
use crate::codes::{is_country, is_field};
use crate::dates::first_day;

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
    terms(entry)?;
    calendar(entry)?;
    present(!entry.legal_basis.is_empty(), "legal_basis", "the law, or on what else it stands")?;
    sources(&entry.sources, "where it was published")
}

/// Each term has a number and a unit. What is said of a term needs the term; a term of appeals needs somebody who decides
/// on them.
fn terms(entry: &pb::LegalDeadline) -> Checked {
    let each = [
        (&entry.decision, "decision"),
        (&entry.extension, "extension"),
        (&entry.appeal, "appeal"),
        (&entry.appeal_untold, "appeal_untold"),
        (&entry.appeal_decision, "appeal_decision"),
        (&entry.review, "review"),
    ];
    for (term, field) in each {
        let whole = term.as_ref().is_none_or(|term| term.amount > 0 && term.unit() != TermUnit::Unspecified);
        present(whole, field, "a number above 0 and a unit: days, working days, weeks or months")?;
    }
    let decides = entry.decision.is_some();
    let from = entry.decision_from();
    let known = matches!(from, TermStart::Receipt | TermStart::CompleteDocuments);
    present(!decides || known, "decision_from", "receipt or complete documents")?;
    let without = "nothing without a term for the decision";
    require(decides || entry.decision_from == 0, Rule::Contradiction, "decision_from", without, "a start")?;
    let extended = entry.extension.is_some() || entry.extension_reasonable;
    require(decides || !extended, Rule::Contradiction, "extension", without, "an extension")?;
    let either = entry.extension.is_none() || !entry.extension_reasonable;
    require(either, Rule::Contradiction, "extension", "a number, or a reasonable time", "both")?;
    let (appeals, none) = (!entry.appeal_instance.is_empty(), "nothing where nobody decides on appeals");
    for (term, field) in [(&entry.appeal, "appeal"), (&entry.appeal_decision, "appeal_decision")] {
        require(appeals || term.is_none(), Rule::Contradiction, field, none, "a term")?;
    }
    let told = entry.appeal_untold.is_none() || entry.appeal.is_some();
    require(told, Rule::Contradiction, "appeal_untold", "nothing without a term for appeals", "a term")?;
    let decides = entry.appeal_decision.is_some();
    let from = entry.appeal_decision_from();
    let known = matches!(from, TermStart::Receipt | TermStart::AppealPeriod);
    present(!decides || known, "appeal_decision_from", "receipt or appeal period")?;
    let without = "nothing without a term for the decision on an appeal";
    require(decides || entry.appeal_decision_from == 0, Rule::Contradiction, "appeal_decision_from", without, "a start")
}

/// Holidays are days, ascending; a notice has a channel and a term.
fn calendar(entry: &pb::LegalDeadline) -> Checked {
    let days = entry.holidays.iter().all(|holiday| holiday.day != 0);
    require(days, Rule::InvalidDate, "holidays", "days", "a month")?;
    let ascending = entry.holidays.windows(2).all(|pair| first_day(&pair[0]) < first_day(&pair[1]));
    require(ascending, Rule::InvalidDate, "holidays", "ascending days", "another order")?;
    for notice in &entry.notices {
        present(notice.channel != 0, "notices", "how the decision is made known")?;
        let counted = notice.after.as_ref().is_some_and(|term| term.amount > 0 && term.unit != 0);
        present(counted, "notices", "a term after which it counts as received")?;
        dates(notice.from.as_ref(), notice.until.as_ref(), "notices")?;
    }
    Ok(())
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
