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
            None if before.contains(':') && is_date_like(day) => {
                return Err(format!("{day} behind the number: expected a day or a month, as 2026-11-25 or 2026-11"));
            }
            _ => (rest, None),
        },
        None => (rest, None),
    };
    let number = if rest.trim_matches(':').is_empty() { None } else { Some(number(rest)?) };
    let state = AwardDocumentState::Issued.into();
    Ok(AwardDocument { r#type: kind.into(), institution, number, issued, state, replaces: None })
}

/// Whether a text is a day in another form than ours, as `25.11.2026`: as a part of a number it would be signed.
fn is_date_like(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-', ' ']).collect();
    let is_number = |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(is_number) && parts.iter().any(|part| part.len() == 4)
}

/// Which document of an award: `SERIES:NUMBER`, `SERIES:NUMBER@INSTITUTION` where partners have given out the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    number: DocumentNumber,
    institution: Option<u64>,
}

/// `A:12345`, `A:12345@3`.
pub(super) fn named(text: &str) -> Result<Named, String> {
    let digits = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (text, institution) = match text.rsplit_once('@') {
        Some((before, institution)) => {
            let expected = || "expected the number of an institution behind @, as A:12345@3".to_owned();
            (before, Some(digits(institution).ok_or_else(expected)?))
        }
        None => (text, None),
    };
    Ok(Named { number: number(text)?, institution })
}

/// The position of a document of an award of an institution, or why there is not exactly one.
pub(super) fn find(award: &Award, own: u64, named: &Named) -> Result<usize, String> {
    let of = |one: &AwardDocument| if one.institution == 0 { own } else { one.institution };
    let is_it = |one: &AwardDocument| {
        one.number.as_ref() == Some(&named.number) && named.institution.is_none_or(|wanted| wanted == of(one))
    };
    let found: Vec<usize> = (0..).zip(&award.documents).filter(|(_, one)| is_it(one)).map(|(at, _)| at).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let whose = named.institution.map(|number| format!("@{number}")).unwrap_or_default();
            let (known, found) = (numbers(award), spelled(&named.number));
            Err(format!("--number: expected one of the award's documents, {known}, found {found}{whose}"))
        }
        several => {
            let whose: Vec<String> = several.iter().map(|at| of(&award.documents[*at]).to_string()).collect();
            let (all, first) = (whose.join(" and "), &whose[0]);
            Err(format!("institutions {all} have each given one out with this number: say whose, as NUMBER@{first}"))
        }
    }
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
        for odd in [
            "",
            "paper:A:1",
            "diploma@x:A:1",
            "diploma@0",
            "diploma:12345",
            "certificate:A:2:25.11.2026",
            "certificate:A:2:11/2026",
            "certificate:A:2:2026-13-40",
        ] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }

    /// Goal: where two partners have given out the same number, it must be said whose is meant.
    #[test]
    fn a_document_is_found_with_its_institution() {
        let document = |text: &str| parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let documents = vec![document("diploma:A:1"), document("diploma@3:A:1"), document("diploma@3:A:2")];
        let award = Award { documents, ..Award::default() };
        let at = |text: &str| find(&award, 7, &named(text).unwrap_or_else(|error| panic!("{text}: {error}")));
        assert_eq!((at("A:1@7"), at("A:1@3"), at("A:2")), (Ok(0), Ok(1), Ok(2)));
        for (text, why) in [("A:1", "institutions 7 and 3"), ("A:2@7", "found A:2@7"), ("B:1", "found B:1")] {
            assert!(at(text).is_err_and(|error| error.contains(why)), "{text}");
        }
        for odd in ["A:1@x", "A:1@", "1@3"] {
            assert!(named(odd).is_err(), "{odd}");
        }
    }
}
