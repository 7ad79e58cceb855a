//! A day beside the text that a cell shows for it, in whatever language the text was made.

/// The day as far as the cell shows it: a month where its text has no number for the day. `None` for what is shown means that
/// the file does not say.
pub(super) fn shown_date(shown: Option<&str>, day: &str) -> Result<String, String> {
    let Some(shown) = shown.map(str::trim).filter(|shown| !shown.is_empty()) else { return Ok(day.to_owned()) };
    let mut parts = day.get(..10).unwrap_or_default().splitn(3, '-');
    let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(of_month)) = (part(), part(), part()) else { return Ok(day.to_owned()) };
    // The time, which is read with its day, is not looked for.
    let text = shown.split(['T', ':']).next().unwrap_or_default();
    let numbers: Vec<u32> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    let mut rest = numbers.clone();
    let mut take = |wanted: u32| {
        let at = rest.iter().position(|number| *number == wanted);
        at.map(|at| rest.remove(at)).is_some()
    };
    let has_day = take(of_month);
    let has_year = take(year) || take(year % 100);
    match (has_year, has_day, numbers.len()) {
        // Three numbers: the year is one of another calendar or era.
        (true, true, _) | (_, _, 3..) => Ok(day.to_owned()),
        _ if numbers.contains(&year)
            || numbers.contains(&(year % 100)) && (numbers.len() == 1 || numbers.contains(&month)) =>
        {
            Ok(day.get(..7).unwrap_or(day).to_owned())
        }
        _ => {
            Err(format!("the cell shows {shown} and holds the day {day}: format it as a day or a month with its year"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a day is read as a day where it is shown, as a month where only that is, and refused where its year is hidden.
    #[test]
    fn as_far_as_shown() {
        for (shown, day, read) in [
            ("1.9.24", "2024-09-01", "2024-09-01"),
            ("01/09/2024", "2024-09-01", "2024-09-01"),
            ("1 September 2024", "2024-09-01", "2024-09-01"),
            ("Sunday, 1. September 24", "2024-09-01", "2024-09-01"),
            ("\u{4ee4}\u{548c}6\u{5e74}9\u{6708}1\u{65e5}", "2024-09-01", "2024-09-01"),
            ("Jan 25", "2025-01-01", "2025-01"),
            ("Jan 25", "2025-01-25", "2025-01"),
            ("January 2025", "2025-01-17", "2025-01"),
            ("01/2025", "2025-01-17", "2025-01"),
            ("2024-09-01", "2024-09-01T10:00:00", "2024-09-01T10:00:00"),
            ("", "2024-09-01", "2024-09-01"),
        ] {
            assert_eq!(shown_date(Some(shown), day).as_deref(), Ok(read), "{shown}");
        }
        for (shown, day) in [("1.9.", "2024-09-01"), ("September", "2024-09-01"), ("Monday", "2024-09-02")] {
            assert!(shown_date(Some(shown), day).is_err(), "{shown}");
        }
        assert_eq!(shown_date(None, "2024-09-01").as_deref(), Ok("2024-09-01"));
    }
}
