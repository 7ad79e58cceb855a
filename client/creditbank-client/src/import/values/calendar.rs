//! Years of other calendars, for the words of a refusal. Nothing is converted.

use creditbank_protocol::pb::Date;

/// Years that a registrar's file can mean.
const PLAUSIBLE: std::ops::RangeInclusive<u32> = 1900..=2199;

/// Why a date cannot be one of the Gregorian calendar, where its year says so.
pub(in crate::import) fn of_date(date: &Date) -> Option<String> {
    (!PLAUSIBLE.contains(&date.year)).then(|| of_year(date.year))
}

/// The same of a text that is no date, as `民國113`.
pub(in crate::import) fn of_text(text: &str) -> Option<String> {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let number: u32 = digits.parse().ok()?;
    let begins = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if begins(&["\u{6c11}\u{570b}", "\u{6c11}\u{56fd}", "ROC"]) {
        return Some(roc(number));
    }
    let eras = [("\u{4ee4}\u{548c}", 2018), ("\u{5e73}\u{6210}", 1988), ("\u{662d}\u{548c}", 1925)];
    if let Some((era, before)) = eras.iter().find(|(era, _)| text.contains(era)) {
        let year = if text.contains("\u{5143}\u{5e74}") { 1 } else { number };
        return Some(format!("{era}{year} is {}", before + year));
    }
    let year_alone = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '/' | '.' | ' '));
    (year_alone && (3..=4).contains(&digits.len()) && !PLAUSIBLE.contains(&number)).then(|| of_year(number))
}

fn of_year(year: u32) -> String {
    match year {
        2400..=2700 => format!("{year} BE is {}", year - 543),
        // Both calendars from the Hijra fit; each begins elsewhere in our year.
        1420..=1500 => format!("{year} AH is {} or {}", hijri(year), hijri(year) + 1),
        1300..=1419 => format!("{year} AP is {} or {}", year + 621, year + 622),
        60..=150 => roc(year),
        _ => format!("expected a year from {} to {}", PLAUSIBLE.start(), PLAUSIBLE.end()),
    }
}

fn roc(year: u32) -> String {
    format!("\u{6c11}\u{570b}{year} is {}", year.saturating_add(1911))
}

/// The year in which a year of the lunar calendar begins, within one: 33 of its years are 32 of ours.
fn hijri(year: u32) -> u32 {
    year - year / 33 + 621
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the calendars that universities write are named with our year.
    #[test]
    fn hints() {
        let date = |year| of_date(&Date { year, month: 1, day: 0 }).unwrap_or_default();
        assert_eq!(date(2567), "2567 BE is 2024");
        assert_eq!(date(1403), "1403 AP is 2024 or 2025");
        assert_eq!(date(113), "\u{6c11}\u{570b}113 is 2024");
        assert!(date(1446).starts_with("1446 AH is 2024 or 2025"), "{}", date(1446));
        assert!(date(24).starts_with("expected a year"));
        assert_eq!(date(2024), "");
        assert_eq!(of_text("\u{6c11}\u{570b}113\u{5e74}").as_deref(), Some("\u{6c11}\u{570b}113 is 2024"));
        assert_eq!(of_text("\u{4ee4}\u{548c}6\u{5e74}").as_deref(), Some("\u{4ee4}\u{548c}6 is 2024"));
        assert_eq!(of_text("2567/1").as_deref(), Some("2567 BE is 2024"));
        assert_eq!(of_text("autumn"), None);
    }
}
