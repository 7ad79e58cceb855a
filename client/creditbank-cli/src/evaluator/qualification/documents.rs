//! Documents of an award, as a command line writes them: `diploma:A:12345:2026-06-30`.

use creditbank_client::authoring::document_in_words;
use creditbank_protocol::pb::{self, Award, AwardDocument, AwardDocumentState, AwardDocumentType, DocumentNumber};
use creditbank_rules::dates;

use crate::{show, values};

/// `TYPE[@INSTITUTION][:SERIES:NUMBER[:DAY]]`. Without a day it has none yet: see [`of`].
pub(super) fn parse(text: &str) -> Result<AwardDocument, String> {
    let (head, rest) = text.split_once(':').unwrap_or((text, ""));
    let (kind, institution) = match head.split_once('@') {
        Some((kind, number)) => {
            let number = number.parse::<u64>().ok().filter(|number| *number > 0);
            (kind, number.ok_or("expected the number of an institution behind @, as diploma@3:A:12345")?)
        }
        None => (head, 0),
    };
    let kind: AwardDocumentType = values::named(kind)?;
    // The day is the last part, if it is one: numbers may have colons.
    let (rest, issued) = match rest.rsplit_once(':') {
        Some((before, "")) => (before, None),
        Some((before, day)) => match dates::parse(day) {
            Some(date) if before.contains(':') || before.is_empty() => (before, Some(date)),
            _ => (rest, None),
        },
        None => (rest, None),
    };
    let number = if rest.trim_matches(':').is_empty() { None } else { Some(number(rest)?) };
    let state = AwardDocumentState::Issued.into();
    Ok(AwardDocument { r#type: kind.into(), institution, number, issued, state, replaces: None })
}

/// `SERIES:NUMBER`; `:NUMBER` where there is no series.
pub(super) fn number(text: &str) -> Result<DocumentNumber, String> {
    let expected = || "expected series and number, as A:12345, or :12345 without a series".to_owned();
    let (series, number) = text.split_once(':').filter(|(_, number)| !number.is_empty()).ok_or_else(expected)?;
    Ok(DocumentNumber { series: series.to_owned(), number: number.to_owned() })
}

/// As the command line has it: `A:12345`.
pub(super) fn spelled(number: &DocumentNumber) -> String {
    show::safe(&format!("{}:{}", number.series, number.number))
}

/// The numbers of an award's documents, as the command line has them.
pub(super) fn numbers(award: &Award) -> String {
    let each: Vec<String> = award.documents.iter().filter_map(|one| one.number.as_ref()).map(spelled).collect();
    if each.is_empty() { "none of which has a number".to_owned() } else { each.join(", ") }
}

/// The documents, each without a day with that of conferral.
pub(super) fn of(documents: &[AwardDocument], conferred: pb::Date) -> Vec<AwardDocument> {
    let dated = |one: &AwardDocument| AwardDocument { issued: one.issued.or(Some(conferred)), ..one.clone() };
    documents.iter().map(dated).collect()
}

/// The documents of an award in words.
pub(super) fn words(award: &Award) -> String {
    let each: Vec<String> = award.documents.iter().map(|one| show::safe(&document_in_words(one))).collect();
    if each.is_empty() { "none".to_owned() } else { each.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every part but the type may be left out, and a number may hold colons.
    #[test]
    fn parts_may_be_left_out() {
        let day = Some(pb::Date { year: 2026, month: 6, day: 30 });
        let given =
            |series: &str, number: &str| Some(DocumentNumber { series: series.to_owned(), number: number.to_owned() });
        let cases = [
            ("diploma:A:12345:2026-06-30", 0, given("A", "12345"), day),
            ("diploma::12345:2026-06-30", 0, given("", "12345"), day),
            ("diploma::12345", 0, given("", "12345"), None),
            ("diploma:A:12345:", 0, given("A", "12345"), None),
            ("diploma", 0, None, None),
            ("diploma:::2026-06-30", 0, None, day),
            ("diploma@3:БВС:01:23:2026-06-30", 3, given("БВС", "01:23"), day),
        ];
        for (text, institution, number, issued) in cases {
            let read = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((read.institution, read.number, read.issued), (institution, number, issued), "{text}");
        }
        for odd in ["", "paper:A:1", "diploma@x:A:1", "diploma@0", "diploma:12345"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }
}
