//! Exemptions as they are typed: `MATH-101:12 ECTS:EQF:6=Analysis`.

use creditbank_protocol::pb::{Amount, ConvertedCredit, Course, Text};
use creditbank_rules::decimal::parse_e4;

use crate::values;

/// An exemption: course, amount and unit; level and title where they are stated. Without a title, the code is one.
pub(super) fn read(argument: &str) -> Result<ConvertedCredit, String> {
    let expected =
        || "expected course, amount and unit, as \"MATH-101:12 ECTS\" or \"MATH-101:12 ECTS:EQF:6=Analysis\"";
    let (what, title) = argument.split_once('=').map_or((argument, None), |(what, title)| (what, Some(title.trim())));
    let mut parts = what.splitn(3, ':');
    let (course, amount) = parts.next().zip(parts.next()).ok_or_else(expected)?;
    let (number, unit) = amount.trim().split_once(' ').ok_or_else(expected)?;
    let (course, unit) = (course.trim(), unit.trim());
    if course.is_empty() || unit.is_empty() || title == Some("") {
        return Err(expected().to_owned());
    }
    let e4 = parse_e4(number).map_err(|error| format!("{number}: {error}"))?;
    let title =
        title.map_or_else(|| Ok(Text { language: "und".to_owned(), value: course.to_owned() }), values::text)?;
    Ok(ConvertedCredit {
        course: Some(Course { code: course.to_owned(), titles: vec![title] }),
        amount: Some(Amount { e4, unit: unit.to_owned() }),
        level: parts.next().map(|level| values::level(level.trim())).transpose()?,
        ..Default::default()
    })
}

/// `180 ECTS`.
pub(super) fn amount(argument: &str) -> Result<Amount, String> {
    let parts = argument.trim().split_once(' ').map(|(number, unit)| (number, unit.trim()));
    let (number, unit) =
        parts.filter(|(_, unit)| !unit.is_empty()).ok_or("expected amount and unit, as \"180 ECTS\"")?;
    let e4 = parse_e4(number).map_err(|error| format!("{number}: {error}"))?;
    Ok(Amount { e4, unit: unit.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: an exemption is read with and without level and title, and what is none is refused with an example.
    #[test]
    fn exemptions_are_read() {
        let whole = read("MATH-101:12.5 ECTS:EQF:6=fr:Analyse").expect("an exemption");
        assert_eq!(whole.amount, Some(Amount { e4: 125_000, unit: "ECTS".to_owned() }));
        assert_eq!(whole.level.map(|level| level.framework + &level.level), Some("EQF6".to_owned()));
        assert_eq!(whole.course.map(|course| course.titles[0].value.clone()), Some("Analyse".to_owned()));
        let bare = read("MATH-101:12 US-SEMESTER").expect("an exemption");
        assert_eq!(
            (bare.level, bare.course.map(|course| course.titles[0].value.clone())),
            (None, Some("MATH-101".into()))
        );
        for odd in ["", "MATH", "MATH:12", "MATH:12 ", ":12 ECTS", "MATH:x ECTS", "MATH:12 ECTS:6", "MATH:12 ECTS="] {
            assert!(read(odd).is_err(), "{odd:?}");
        }
    }
}
