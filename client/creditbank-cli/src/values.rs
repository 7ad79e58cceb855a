//! How values are written on the command line.

use creditbank_client::validity::DAYS_MAX;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::purpose_of;
use creditbank_protocol::names::{self, Named};
use creditbank_protocol::pb::{self, Kind, Purpose, SourceGrade, SourceReading};
use creditbank_protocol::record::{KindInfo, info_of};
use creditbank_protocol::{AccountId, Alias, InstitutionId, Place};
use creditbank_rules::dates;

/// A month or a day.
pub(crate) fn date(text: &str) -> Result<pb::Date, String> {
    dates::parse(text).ok_or_else(|| "expected a month or a day, as 2026-09 or 2026-09-01".to_owned())
}

/// A day or a minute of UTC, as minutes since 1970.
pub(crate) fn minute(text: &str) -> Result<u64, String> {
    let of_day = || format!("{text}T00:00Z");
    let found = dates::parse_minute(text).or_else(|| dates::parse_minute(&of_day()));
    found.ok_or_else(|| "expected a day or a minute of UTC, as 2026-09-01 or 2026-09-01T08:30Z".to_owned())
}

/// The same of a time that is over: when something was stolen, say.
pub(crate) fn past_minute(text: &str) -> Result<u64, String> {
    let found = minute(text)?;
    let now = creditbank_client::now_ms() / 60_000;
    if found <= now { Ok(found) } else { Err("expected a time that is over by this clock".to_owned()) }
}

/// Days for which a consent holds.
pub(crate) fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX))
}

/// A text and its language: `en:The Open University`; without a language, `und`.
pub(crate) fn text(argument: &str) -> Result<pb::Text, String> {
    let language =
        |tag: &str| (2..=11).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match argument.split_once(':') {
        Some((tag, value)) if language(tag) && !value.is_empty() => {
            Ok(pb::Text { language: tag.to_owned(), value: value.to_owned() })
        }
        Some((tag, "")) if language(tag) => Err(format!("expected a text behind {tag}:, as en:The Open University")),
        _ if argument.is_empty() => Err("expected a name, as en:The Open University".to_owned()),
        _ => Ok(pb::Text { language: "und".to_owned(), value: argument.to_owned() }),
    }
}

/// A source with its grade, looked up today: `A: example.org/rules`, `B/copy: example.org/handbook`.
pub(crate) fn source_of(argument: &str) -> Result<pb::Source, String> {
    let expected =
        || "expected a grade (A to D) and a text, as \"A: example.org/rules\" or \"B/copy: a title\"".to_owned();
    let (mark, text) = argument.split_once(':').ok_or_else(expected)?;
    let (grade, reading) = mark.split_once('/').map_or((mark, None), |(grade, reading)| (grade, Some(reading)));
    let grade = names::parse::<SourceGrade>(grade.trim()).ok_or_else(expected)?;
    let reading = reading.map_or(Ok(SourceReading::Unspecified), |reading| named(reading.trim()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(expected());
    }
    let as_of = Some(creditbank_client::today());
    Ok(pb::Source { text: text.to_owned(), grade: grade.into(), reading: reading.into(), as_of })
}

/// A level and its framework: `FHEQ:6`.
pub(crate) fn level(argument: &str) -> Result<pb::Level, String> {
    match argument.split_once(':') {
        Some((framework, level)) if !framework.is_empty() && !level.is_empty() => {
            Ok(pb::Level { framework: framework.to_owned(), level: level.to_owned() })
        }
        _ => Err("expected a framework and one of its levels, as FHEQ:6".to_owned()),
    }
}

/// A kind of record: `credit`, `grade-scale`.
pub(crate) fn kind(argument: &str) -> Result<Kind, String> {
    names::parse(argument).ok_or_else(|| {
        let learners = kinds().filter(|info| !info.public).map(|info| names::of(info.kind)).collect::<Vec<_>>();
        format!("expected a kind of record: {}, or of the registry: {}", learners.join(", "), public_kinds())
    })
}

fn kinds() -> impl Iterator<Item = &'static KindInfo> {
    (0..256).filter_map(|number| Kind::try_from(number).ok()).filter_map(info_of)
}

/// The kinds of records that everybody may read.
pub(crate) fn public_kinds() -> String {
    kinds().filter(|info| info.public).map(|info| names::of(info.kind)).collect::<Vec<_>>().join(", ")
}

/// What a key is for, as `unit` or `institution-access`.
pub(crate) fn purpose(argument: &str) -> Result<Purpose, String> {
    purpose_of(argument).ok_or_else(|| format!("expected {} or learner", names::listed::<Purpose>()))
}

/// A value of an enum of the protocol by its name, as `open-university`.
pub(crate) fn named<E: Named>(argument: &str) -> Result<E, String> {
    names::parse(argument).ok_or_else(|| format!("expected {}", names::listed::<E>()))
}

/// Sixteen bytes in hexadecimal.
fn hex16(argument: &str) -> Result<[u8; 16], String> {
    let bytes = hex::decode(argument).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "expected 16 bytes in hexadecimal (32 digits)".to_owned())
}

/// An alias, in hexadecimal.
pub(crate) fn alias(argument: &str) -> Result<Alias, String> {
    hex16(argument).map(Alias)
}

/// An account, in hexadecimal.
pub(crate) fn account(argument: &str) -> Result<AccountId, String> {
    hex16(argument).map(AccountId)
}

/// The id of a key, in hexadecimal.
pub(crate) fn key_id(argument: &str) -> Result<KeyId, String> {
    hex16(argument).map(KeyId)
}

/// A record or one of its results: `34/718`, `34/718#2`; the number of the result, 0 for the record itself.
pub(crate) fn source(argument: &str) -> Result<(Place, u32), String> {
    let place = |text: &str| text.parse::<Place>().map_err(|error| error.to_string());
    let Some((at, result)) = argument.split_once('#') else {
        return Ok((place(argument)?, 0));
    };
    let digits = result.bytes().all(|byte| byte.is_ascii_digit());
    let number = result.parse().ok().filter(|number| digits && *number > 0);
    let number = number.ok_or_else(|| "expected the number of a result, as 34/718#2".to_owned())?;
    Ok((place(at)?, number))
}

/// A code and a version: `PARIS-LEEDS.1`.
pub(crate) fn versioned(argument: &str) -> Result<(String, u32), String> {
    let expected = || "expected a code and a version, as PARIS-LEEDS.1".to_owned();
    let (code, version) = argument.rsplit_once('.').filter(|(code, _)| !code.is_empty()).ok_or_else(expected)?;
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    Ok((code.to_owned(), version.parse().ok().filter(|_| digits).ok_or_else(expected)?))
}

/// Institution, code and version: `2/CALC-1.1`.
pub(crate) fn owned_name(argument: &str) -> Result<(InstitutionId, String, u32), String> {
    let expected = || "expected institution, code and version, as 2/CALC-1.1".to_owned();
    let (institution, name) = argument.split_once('/').ok_or_else(expected)?;
    let (code, version) = versioned(name).map_err(|_| expected())?;
    let institution = institution.parse::<InstitutionId>().map_err(|_| expected())?;
    Ok((institution, code, version))
}

/// A place as tables show it.
pub(crate) fn show_place<P: Copy + Into<Place>>(place: &P) -> String {
    let place: Place = (*place).into();
    place.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_of_utc() {
        assert_eq!(minute("1970-01-02"), Ok(1_440));
        assert_eq!(minute("1970-01-01T01:05Z"), Ok(65));
        for odd in ["", "1970", "1970-01", "1970-01-01T24:00Z", "1970-01-01T1:00Z", "1970-01-01T01:00", "1969-12-31"] {
            assert!(minute(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn names_and_places() {
        assert_eq!(text("en:A: B").map(|text| (text.language, text.value)), Ok(("en".to_owned(), "A: B".to_owned())));
        assert_eq!(text("A title: B").map(|text| text.language), Ok("und".to_owned()));
        assert_eq!(kind("grade-scale"), Ok(Kind::GradeScale));
        assert_eq!(source("34/718#2"), Ok((Place::new(34, 718), 2)));
        assert_eq!(source("34/718").map(|(_, result)| result), Ok(0));
        assert!(source("34/718#0").is_err() && source("34/718#").is_err() && source("#1").is_err());
        assert_eq!(owned_name("2/A.B.1"), Ok((InstitutionId(2), "A.B".to_owned(), 1)));
        assert!(owned_name("A.1").is_err() && versioned("A").is_err() && versioned("A.").is_err());
        assert!(kind("unspecified").is_err());
        assert_eq!(named::<pb::RegistryState>("on").err().as_deref(), Some("expected active, suspended, closed"));
    }
}
