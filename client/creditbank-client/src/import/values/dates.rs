//! Days and months as a file writes them.

use creditbank_protocol::dates;
use creditbank_protocol::pb::Date;

use super::calendar;

/// One piece of a form such as `DD.MM.YYYY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Day,
    Month,
    Year,
    /// Two digits of a year, in a century that the form states.
    ShortYear(u32),
    Literal(char),
}

const DASH: Piece = Piece::Literal('-');

/// How a file writes days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::import) struct DateForm {
    text: String,
    pieces: Vec<Piece>,
}

impl DateForm {
    /// A form: `DD`, `MM`, `YYYY` in any order with anything between them; `20YY` is a year of two digits in that century.
    pub(in crate::import) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let count = |pieces: &[Piece], of: fn(&Piece) -> bool| pieces.iter().filter(|piece| of(piece)).count();
        while let Some(first) = rest.chars().next() {
            let century =
                rest.get(..2).and_then(|two| two.parse::<u32>().ok()).filter(|_| rest.get(2..4) == Some("YY"));
            let (piece, len) = if rest.starts_with("YYYY") {
                (Piece::Year, 4)
            } else if let Some(century) = century {
                (Piece::ShortYear(century), 4)
            } else if rest.starts_with("MM") {
                (Piece::Month, 2)
            } else if rest.starts_with("DD") {
                (Piece::Day, 2)
            } else if first.is_alphanumeric() && first.is_ascii() {
                return None;
            } else {
                (Piece::Literal(first), first.len_utf8())
            };
            pieces.push(piece);
            rest = &rest[len..];
        }
        let is_whole = count(&pieces, |piece| matches!(piece, Piece::Year | Piece::ShortYear(_))) == 1
            && count(&pieces, |piece| *piece == Piece::Month) == 1
            && count(&pieces, |piece| *piece == Piece::Day) <= 1;
        // Nobody could tell 2025-03-04 from a day of ISO 8601, which cells of a workbook are read as.
        let is_ambiguous = pieces == [Piece::Year, DASH, Piece::Day, DASH, Piece::Month];
        (is_whole && !is_ambiguous).then(|| Self { text: text.to_owned(), pieces })
    }

    /// The date that a text stands for. A day of ISO 8601 is read beside the form, as it is no other day in any; midnight
    /// behind a day says nothing and is left out.
    pub(in crate::import) fn read(&self, text: &str) -> Result<Date, String> {
        let day = without_midnight(text);
        if let Some(date) = dates::parse(day).or_else(|| self.by_form(day)) {
            return match calendar::of_date(&date) {
                Some(hint) => Err(format!("{text:?} is no day of our calendar: {hint}")),
                None => Ok(date),
            };
        }
        if let Some(hint) = calendar::of_text(text) {
            return Err(format!("{text:?} is no day of our calendar: {hint}"));
        }
        Err(if self.pieces.is_empty() {
            let hint = if text.bytes().filter(u8::is_ascii_digit).count() >= 5 {
                ": set [file] date, as date = \"DD.MM.YYYY\""
            } else {
                ""
            };
            format!("{text:?} is no date such as 2014-06 or 2014-06-30{hint}")
        } else {
            format!("{text:?} is no date such as {} or 2014-06-30", self.text)
        })
    }

    fn by_form(&self, text: &str) -> Option<Date> {
        let mut rest = text;
        let (mut year, mut month, mut day) = (0, 0, 0);
        for (at, piece) in self.pieces.iter().enumerate() {
            // Digits that stand by themselves may lack their leading zero.
            let is_alone = !matches!(self.pieces.get(at + 1), Some(piece) if !matches!(piece, Piece::Literal(_)))
                && !matches!(at.checked_sub(1).map(|at| self.pieces[at]), Some(piece) if !matches!(piece, Piece::Literal(_)));
            // 01. 09. 2024 is written like 01.09.2024.
            let is_mark = matches!(piece, Piece::Literal(c) if !c.is_alphanumeric() && !c.is_whitespace());
            if is_mark || at > 0 && matches!(self.pieces[at - 1], Piece::Literal(c) if !c.is_whitespace()) {
                rest = rest.trim_start_matches([' ', '\u{a0}']);
            }
            let mut digits = |len: usize, least: usize| {
                let found = rest.bytes().take(len).take_while(u8::is_ascii_digit).count();
                let number = rest[..found].parse::<u32>().ok().filter(|_| found >= least)?;
                rest = &rest[found..];
                Some(number)
            };
            match piece {
                Piece::Year => year = digits(4, 4)?,
                Piece::ShortYear(century) => year = century * 100 + digits(2, 2)?,
                Piece::Month => month = digits(2, if is_alone { 1 } else { 2 })?,
                Piece::Day => day = digits(2, if is_alone { 1 } else { 2 })?,
                Piece::Literal(c) if c.is_whitespace() => rest = rest.trim_start(),
                Piece::Literal(c) => rest = rest.strip_prefix(*c)?,
            }
        }
        let has_day = self.pieces.contains(&Piece::Day);
        let date = Date { year, month, day };
        (rest.is_empty() && dates::is_real(&date) && (day > 0) == has_day).then_some(date)
    }
}

fn without_midnight(text: &str) -> &str {
    let Some((day, time)) = text.split_once(['T', ' ']).filter(|(_, time)| time.contains(':')) else { return text };
    let is_nothing = |c: char| matches!(c, '0' | ':' | '.' | 'Z');
    let time = time.trim();
    let morning = time.strip_suffix("AM").or_else(|| time.strip_suffix("am")).and_then(|time| time.strip_prefix("12"));
    if morning.unwrap_or(time).trim().chars().all(is_nothing) { day } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, text: &str) -> Option<String> {
        let form = if form.is_empty() { DateForm::default() } else { DateForm::parse(form).expect("a form") };
        form.read(text).ok().map(|date| dates::show(&date))
    }

    /// Goal: a day is read by the form that the mapping states, and is no other day by accident.
    #[test]
    fn by_the_stated_form() {
        for (form, text, said) in [
            ("DD.MM.YYYY", "12.02.2025", "2025-02-12"),
            ("DD.MM.YYYY", "1.2.2025", "2025-02-01"),
            ("DD.MM.YYYY", "12.02.2025 00:00:00", "2025-02-12"),
            ("DD.MM.YYYY", "2025-02-12", "2025-02-12"),
            ("DD.MM.YYYY", "12. 02. 2025", "2025-02-12"),
            ("DD. MM. YYYY", "12. 02. 2025", "2025-02-12"),
            ("YYYY. MM. DD.", "2025. 02. 12.", "2025-02-12"),
            ("DD MM YYYY", "12 02 2025", "2025-02-12"),
            ("DD.MM.YYYY", "1. 2. 2025", "2025-02-01"),
            ("MM/DD/YYYY", "2/12/2025 12:00:00 AM", "2025-02-12"),
            ("MM/DD/YYYY", "02/12/2025", "2025-02-12"),
            ("YYYY/MM/DD", "2025/02/12", "2025-02-12"),
            ("YYYYMMDD", "20250212", "2025-02-12"),
            ("DD-MM-20YY", "12-02-25", "2025-02-12"),
            ("MM/YYYY", "02/2025", "2025-02"),
            ("YYYY\u{5e74}MM\u{6708}DD\u{65e5}", "2025\u{5e74}2\u{6708}12\u{65e5}", "2025-02-12"),
            ("", "2025-02-12T00:00:00", "2025-02-12"),
            ("", "2025-02", "2025-02"),
        ] {
            assert_eq!(read(form, text).as_deref(), Some(said), "{form} {text}");
        }
        for (form, text) in [
            ("", "12.02.2025"),
            ("DD.MM.YYYY", "12.13.2025"),
            ("DD.MM.YYYY", "12.02.25"),
            ("DD.MM.YYYY", "31.02.2025"),
            ("DD.MM.YYYY", "12.02.2025x"),
            ("DD.MM.YYYY", "12.02.2025 10:30"),
            ("DD.MM.YYYY", "12.02.2025 12:00:00 PM"),
            ("YYYYMMDD", "2025212"),
            ("DD.MM.YYYY", "12.02.2567"),
            ("DD.MM.YYYY", ""),
        ] {
            assert_eq!(read(form, text), None, "{form} {text}");
        }
        for odd in ["DD.MM.YY", "DD.MM", "YYYY", "DD.DD.MM.YYYY", "YYYY-DD-MM", "d.m.Y", "DD.MM.YYYY hh"] {
            assert_eq!(DateForm::parse(odd), None, "{odd}");
        }
    }
}
