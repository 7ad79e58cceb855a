//! Number formats of workbooks (ISO/IEC 29500-1, 18.8.31): what a cell shows.
//!
//! A cell is read as it is shown only where that loses nothing. Otherwise the refusal has both: what it shows and what it holds.

use super::date;
use super::decimal::Decimal;
use super::sections::{Part, Section, sections};
use crate::import::table::Kind;

/// One format.
#[derive(Debug)]
pub(super) struct Format {
    code: String,
    sections: Vec<Section>,
}

impl Format {
    pub(super) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), sections: sections(code) }
    }

    /// A format that is known by its number.
    pub(super) fn built_in(id: u32) -> Self {
        built_in(id).map_or_else(
            || {
                let odd = Some("a meaning that depends on the language of the program");
                Self { code: format!("number {id}"), sections: vec![Section { odd, ..Section::default() }] }
            },
            Self::new,
        )
    }

    /// What a cell with this number shows.
    pub(super) fn show(&self, number: &Decimal, is_1904: bool) -> Result<(String, Kind), String> {
        let section = self.section(number);
        if section.is_some_and(|section| section.is_duration) {
            return Err("a time without a date, expected text, a number or a date".to_owned());
        }
        if section.is_some_and(|section| section.is_date) {
            let day = date::iso(number, is_1904)?;
            let shown = section.map_or([true; 3], |section| section.shows);
            return date::as_shown(day, shown).map(|date| (date, Kind::Date));
        }
        if let Some(problem) = number.untyped() {
            return Err(problem);
        }
        let section = section.ok_or_else(|| self.refuse("", number))?;
        if let Some(odd) = section.odd {
            let code = self.code.as_str();
            return Err(format!(
                "the cell has the format {code:?} with {odd}, and holds {number}: format it as text or as a number"
            ));
        }
        let own_sign = self.sections.len() > 1 && section.condition.is_none() && number.is_negative;
        let (shown, is_exact) = section.show(number, own_sign);
        let hides_sign = number.is_negative && !shown.contains('-');
        let is_percent = section.parts.contains(&Part::Percent);
        let kind = if is_percent { Kind::Percent } else { Kind::Number };
        if is_exact && !hides_sign { Ok((shown, kind)) } else { Err(self.refuse(&shown, number)) }
    }

    /// What a cell with this text shows.
    pub(super) fn show_text(&self, text: String) -> Result<String, String> {
        let of_text = |section: &&Section| section.parts.contains(&Part::Text);
        let section = match self.sections.as_slice() {
            [.., last] if self.sections.len() == 4 => Some(last),
            sections => sections.iter().rfind(of_text),
        };
        let Some(section) = section.filter(|_| !text.is_empty()) else { return Ok(text) };
        let mut shown = String::new();
        for part in &section.parts {
            match part {
                Part::Text | Part::General => shown.push_str(&text),
                Part::Literal(literal) => shown.push_str(literal),
                _ => {}
            }
        }
        if shown.trim() == text.trim() {
            return Ok(text);
        }
        if section.parts.contains(&Part::Text) { Ok(shown.trim().to_owned()) } else { Err(self.refuse(&shown, &text)) }
    }

    fn refuse(&self, shown: &str, held: &dyn std::fmt::Display) -> String {
        let shown = if shown.is_empty() { "nothing" } else { shown };
        format!(
            "the cell shows {shown} and holds {held} (format {:?}): format it so that it shows what it holds",
            self.code
        )
    }

    /// The section for a number.
    fn section(&self, number: &Decimal) -> Option<&Section> {
        if self.sections.iter().any(|section| section.condition.is_some()) {
            let holds = |section: &&Section| section.condition.as_ref().is_none_or(|condition| condition.holds(number));
            return self.sections.iter().take(3).find(holds);
        }
        let numbers = self.sections.len().min(3);
        match numbers {
            0 => None,
            3 if number.is_zero() => self.sections.get(2),
            2 | 3 if number.is_negative => self.sections.get(1),
            _ => self.sections.first(),
        }
    }
}

/// The code of a format that is known by its number alone. Some differ from language to language: with currencies, with other
/// digits.
fn built_in(id: u32) -> Option<&'static str> {
    Some(match id {
        0 => "General",
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        16 => "d-mmm",
        17 => "mmm-yy",
        14 | 15 | 22 | 27..=36 | 50..=58 => "yyyy-mm-dd",
        18..=21 | 45..=47 => "hh:mm:ss",
        37 | 38 => "#,##0;(#,##0)",
        39 | 40 => "#,##0.00;(#,##0.00)",
        41 => "_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)",
        43 => "_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)",
        48 => "##0.0E+0",
        49 => "@",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(code: &str, number: &str) -> Result<(String, Kind), String> {
        Format::new(code).show(&Decimal::stored(number).expect("a number"), false)
    }

    /// Goal: a number is read as it is shown where the display loses nothing.
    #[test]
    fn as_shown() {
        for (code, number, shown) in [
            ("General", "12.5", "12.5"),
            ("General", "210520251234", "210520251234"),
            ("@", "101234", "101234"),
            ("0", "12", "12"),
            ("00000000", "101234", "00101234"),
            ("00000000", "0", "00000000"),
            ("0.00", "12.5", "12.50"),
            ("0.##", "12.5", "12.5"),
            ("0.##", "12", "12"),
            ("#,##0", "1234567", "1234567"),
            ("#,##0.00", "1234.5", "1234.50"),
            ("#.00", "0.5", "0.50"),
            ("0%", "0.85", "85"),
            ("0 %", "1", "100"),
            ("0.0%", "0.855", "85.5"),
            ("000-000", "123456", "123-456"),
            ("000-000", "56", "000-056"),
            ("000\\-00\\-0000", "123456789", "123-45-6789"),
            ("\"S\"00000", "123", "S00123"),
            ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "5551234", "555-1234"),
            ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "2125551234", "(212) 555-1234"),
            ("[>=100]000;00", "7", "07"),
            ("[Red]0;[Blue]-0", "-5", "-5"),
            ("[Color 3]0", "5", "5"),
            ("[$-409]0.0", "5.5", "5.5"),
            ("_(* #,##0.0_);_(* \\(#,##0.0\\);_(* \"-\"??_);_(@_)", "12.5", "12.5"),
            ("_-* #,##0_-;-* #,##0_-;_-* \"-\"_-;_-@_-", "1234", "1234"),
            ("0.0\" ECTS\"", "7.5", "7.5 ECTS"),
            ("[$\u{20ac}-407]\\ 0.00", "7.5", "\u{20ac} 7.50"),
            ("General\" pts\"", "85", "85 pts"),
            ("0000\"/\"00", "202401", "2024/01"),
            ("?0.0?", "2.5", "2.5"),
            ("-0", "5", "-5"),
        ] {
            let kind = if code.contains('%') { Kind::Percent } else { Kind::Number };
            assert_eq!(show(code, number), Ok((shown.to_owned(), kind)), "{code} {number}");
        }
    }

    /// Goal: a display that rounds, hides or replaces is refused with what it shows and what it holds.
    #[test]
    fn lossy_displays_are_refused() {
        for (code, number, words) in [
            ("0", "12.5", "shows 13 and holds 12.5"),
            ("0.0", "12.55", "shows 12.6 and holds 12.55"),
            ("#,##0", "1234.5", "shows 1235 and holds 1234.5"),
            ("0%", "0.855", "shows 86% and holds 0.855"),
            ("0.0%", "0.85555", "shows 85.6% and holds 0.85555"),
            (";;;", "5", "shows nothing and holds 5"),
            ("#", "0", "shows nothing and holds 0"),
            ("[>=50]\"pass\";\"fail\"", "85", "shows pass and holds 85"),
            ("_(* #,##0_);_(* \\(#,##0\\);_(* \"-\"_);_(@_)", "0", "shows - and holds 0"),
            ("0;(0)", "-5", "shows (5) and holds -5"),
            ("0;0", "-5", "shows 5 and holds -5"),
            ("0.0,", "1234567", "with thousands left out"),
            ("0,,", "12000000", "with thousands left out"),
            ("0.00E+00", "202312345678", "an exponent"),
            ("# ?/?", "7.5", "a fraction"),
            ("[DBNum1]0", "5", "other digits"),
            ("[$-D00041E]0", "5", "other digits"),
            ("[h]:mm", "1.5", "a time without a date"),
            ("hh:mm", "0.5", "a time without a date"),
        ] {
            let refused = show(code, number).expect_err(code);
            assert!(refused.contains(words), "{code} {number}: {refused}");
        }
    }

    /// Goal: dates are recognised in every language's formats, and letters in quotes are no dates.
    #[test]
    fn dates() {
        for code in [
            "yyyy-mm-dd",
            "dd\\.mm\\.yyyy",
            "[$-409]d\\-mmm\\-yy;@",
            "m/d/yy",
            "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
            "yyyy\"\u{5e74}\"m\"\u{6708}\"d\"\u{65e5}\"",
            "[$-411]ge\\.m\\.d",
        ] {
            assert_eq!(show(code, "45536"), Ok(("2024-09-01".to_owned(), Kind::Date)), "{code}");
        }
        assert_eq!(show("mmm\\-yy", "45536"), Ok(("2024-09".to_owned(), Kind::Date)), "a month is shown as one");
        for code in ["d.m", "yyyy", "General\\ yyyy", "mmmm"] {
            assert!(show(code, "45536").expect_err(code).contains("hides"), "{code}");
        }
        assert_eq!(show("\"day\" 0", "5"), Ok(("day 5".to_owned(), Kind::Number)));
        assert_eq!(show("\\d0", "5"), Ok(("d5".to_owned(), Kind::Number)));
    }

    /// Goal: text is read with what its format puts around it; a format that hides it is refused.
    #[test]
    fn texts() {
        let show = |code: &str| Format::new(code).show_text("ab".to_owned());
        for (code, shown) in [
            ("General", "ab"),
            ("@", "ab"),
            ("0.0", "ab"),
            ("\"S-\"@", "S-ab"),
            ("0;0;0;_(@_)", "ab"),
            ("0;-0;0;@\" x\"", "ab x"),
        ] {
            assert_eq!(show(code).as_deref(), Ok(shown), "{code}");
        }
        assert!(show(";;;").expect_err("hidden").contains("shows nothing and holds ab"));
        assert!(show("0;0;0;\"text\"").expect_err("replaced").contains("shows text and holds ab"));
    }

    proptest! {
        /// Goal: whatever the format of digits, what is read is the number that the cell holds, or nothing is read.
        #[test]
        fn nothing_is_rounded(
            whole in "(#,##)?[0#?]{1,6}", fraction in "(\\.[0#?]{0,4})?", percent in "( ?%)?",
            number in -2_000_000_i64..2_000_000, places in 0usize..5,
        ) {
            let digits = format!("{:0>9}", number.abs());
            let (before, behind) = digits.split_at(9 - places);
            let held = Decimal::parse(&format!("{}{before}.{behind}", if number < 0 { "-" } else { "" })).expect("a number");
            let meant = held.clone().percent(usize::from(!percent.is_empty()));
            match Format::new(&format!("{whole}{fraction}{percent}")).show(&held, false) {
                Ok((shown, kind)) => {
                    prop_assert_eq!(kind, if percent.is_empty() { Kind::Number } else { Kind::Percent });
                    prop_assert_eq!(Decimal::parse(&shown), Some(meant), "{}", shown);
                }
                Err(refused) => prop_assert!(refused.contains("holds"), "{}", refused),
            }
        }

        /// Goal: no format makes the reader panic, and a text is never lost without a word.
        #[test]
        fn any_format(code in "\\PC{0,20}", number in -1_000i64..1_000) {
            let format = Format::new(&code);
            let _ = format.show(&Decimal::parse(&number.to_string()).expect("a number"), false);
            if let Ok(shown) = format.show_text("ab".to_owned()) {
                prop_assert!(shown.contains("ab"), "{} shows {}", code, shown);
            }
        }
    }
}
