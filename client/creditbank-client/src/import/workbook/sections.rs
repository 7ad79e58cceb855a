//! The parts of a number format: sections, conditions, digits, literal text.

use super::decimal::Decimal;

/// One part of a section, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// `0`, `#` or `?`.
    Digit(char),
    Point,
    Comma,
    Percent,
    /// Text that is shown as it stands.
    Literal(String),
    /// The cell's own text.
    Text,
    General,
    Slash,
    Exponent,
}

/// When a section applies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    operator: String,
    number: Decimal,
}

impl Condition {
    pub(super) fn holds(&self, number: &Decimal) -> bool {
        let order = number.partial_cmp(&self.number);
        match self.operator.as_str() {
            "<" => order.is_some_and(std::cmp::Ordering::is_lt),
            "<=" => order.is_some_and(std::cmp::Ordering::is_le),
            ">" => order.is_some_and(std::cmp::Ordering::is_gt),
            ">=" => order.is_some_and(std::cmp::Ordering::is_ge),
            "=" => order.is_some_and(std::cmp::Ordering::is_eq),
            _ => order.is_some_and(std::cmp::Ordering::is_ne),
        }
    }
}

/// What stands between two semicolons.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) condition: Option<Condition>,
    pub(super) parts: Vec<Part>,
    pub(super) is_date: bool,
    pub(super) is_duration: bool,
    /// Of a date: whether its year, month and day are shown.
    pub(super) shows: [bool; 3],
    /// Why what it shows is not worked out here.
    pub(super) odd: Option<&'static str>,
}

/// The sections of a format.
pub(super) fn sections(code: &str) -> Vec<Section> {
    let mut all = Vec::new();
    let mut section = Section::default();
    let mut letters = code.chars().peekable();
    let is_date = |letter: char| matches!(letter.to_ascii_lowercase(), 'y' | 'm' | 'd' | 'h' | 's' | 'b' | 'g' | 'e');
    while let Some(letter) = letters.next() {
        let part = match letter {
            ';' => {
                all.push(finish(std::mem::take(&mut section)));
                continue;
            }
            '"' => Part::Literal(letters.by_ref().take_while(|letter| *letter != '"').collect()),
            '\\' | '!' => letters.next().map_or(Part::Literal(String::new()), |letter| Part::Literal(letter.into())),
            // As wide as the next character: nothing that can be read.
            '_' => {
                letters.next();
                Part::Literal(" ".to_owned())
            }
            // Filled with the next character.
            '*' => {
                letters.next();
                continue;
            }
            '[' => {
                let inner: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                match bracket(&mut section, &inner) {
                    Some(part) => part,
                    None => continue,
                }
            }
            '0' | '#' | '?' => Part::Digit(letter),
            '.' => Part::Point,
            ',' => Part::Comma,
            '%' => Part::Percent,
            '@' => Part::Text,
            '/' => Part::Slash,
            'E' | 'e' if matches!(letters.peek(), Some('+' | '-')) => {
                letters.next();
                Part::Exponent
            }
            'G' | 'g' if follows(&letters, "eneral") => {
                letters.by_ref().take("eneral".len()).for_each(drop);
                Part::General
            }
            'A' | 'a' if follows(&letters, "m/pm") || follows(&letters, "/p") => {
                section.is_date = true;
                let rest = if follows(&letters, "m/pm") { "m/pm" } else { "/p" };
                letters.by_ref().take(rest.len()).for_each(drop);
                continue;
            }
            letter if is_date(letter) => {
                section.is_date = true;
                match letter.to_ascii_lowercase() {
                    'y' | 'e' | 'b' => section.shows[0] = true,
                    'm' => section.shows[1] = true,
                    'd' => section.shows[2] = true,
                    _ => {}
                }
                continue;
            }
            letter => Part::Literal(letter.into()),
        };
        section.parts.push(part);
    }
    all.push(finish(section));
    all
}

/// Whether a word follows, in any case.
fn follows(letters: &std::iter::Peekable<std::str::Chars<'_>>, word: &str) -> bool {
    let next: String = letters.clone().take(word.len()).collect();
    next.eq_ignore_ascii_case(word)
}

/// What stands in brackets: a colour, a condition, a currency and a language, a duration.
fn bracket(section: &mut Section, inner: &str) -> Option<Part> {
    if let Some(rest) = inner.strip_prefix('$') {
        let (currency, language) = rest.split_once('-').unwrap_or((rest, ""));
        // The upper bytes of the language choose digits and a calendar; F800 and F400 stand for the system's dates.
        let digits = u32::from_str_radix(language.split(',').next().unwrap_or_default(), 16).unwrap_or(0) >> 24;
        if digits > 1 || language.contains(',') && !language.ends_with(",0") {
            section.odd = Some("other digits");
        }
        return (!currency.is_empty()).then(|| Part::Literal(currency.to_owned()));
    }
    let is_time = |letter: char| inner.chars().all(|other| other.eq_ignore_ascii_case(&letter));
    if !inner.is_empty() && ['h', 'm', 's'].into_iter().any(is_time) {
        section.is_duration = true;
        return None;
    }
    if inner.starts_with("DBNum") || inner.starts_with("NatNum") {
        section.odd = Some("other digits");
        return None;
    }
    let number = inner.trim_start_matches(['<', '>', '=']);
    let operator = &inner[..inner.len() - number.len()];
    if !operator.is_empty() {
        match Decimal::stored(number) {
            Some(number) => section.condition = Some(Condition { operator: operator.to_owned(), number }),
            None => section.odd = Some("a condition that is not known"),
        }
    }
    // The rest are colours.
    None
}

/// What the parts of a section are together.
fn finish(mut section: Section) -> Section {
    let digit = |part: &Part| matches!(part, Part::Digit(_));
    let (first, last) = (section.parts.iter().position(digit), section.parts.iter().rposition(digit));
    let between = |found: usize| first.is_some_and(|first| first < found) && last.is_some_and(|last| found < last);
    let is_fraction = section.parts.iter().enumerate().any(|(at, part)| {
        // `# ?/8`: the denominator may be a number.
        let next = section.parts.get(at + 1);
        let is_fixed =
            matches!(next, Some(Part::Literal(text)) if text.starts_with(|letter: char| letter.is_ascii_digit()));
        *part == Part::Slash && (between(at) || is_fixed && first.is_some_and(|first| first < at))
    });
    if section.is_date {
        return section;
    }
    if section.parts.contains(&Part::Exponent) {
        section.odd = Some("an exponent");
    } else if is_fraction {
        section.odd = Some("a fraction");
    }
    // Commas behind the last digit leave out thousands.
    if last.is_some_and(|last| section.parts.get(last + 1) == Some(&Part::Comma)) {
        section.odd = section.odd.or(Some("thousands left out"));
    }
    section
}

impl Section {
    /// What the section makes of a number, and whether the number can be read from it.
    pub(super) fn show(&self, number: &Decimal, has_own_sign: bool) -> (String, bool) {
        let percents = self.parts.iter().filter(|part| **part == Part::Percent).count();
        let scaled = number.clone().percent(percents);
        let point = self.parts.iter().position(|part| *part == Part::Point).unwrap_or(self.parts.len());
        let (before, behind) = self.parts.split_at(point);
        let places = behind.iter().filter(|part| matches!(part, Part::Digit(_))).count();
        let has_general = self.parts.iter().any(|part| matches!(part, Part::General | Part::Text));
        let rounded = if has_general { scaled.clone() } else { scaled.rounded(places) };
        let digits = before.iter().filter(|part| matches!(part, Part::Digit(_))).count();
        let is_exact = rounded == scaled && (has_general || digits + places > 0);
        let mut text = String::new();
        self.whole(before, &rounded, digits, &mut text);
        Self::fraction(behind, &rounded, &mut text);
        let is_plain = self.parts.iter().all(|part| match part {
            Part::Literal(literal) => literal.trim().is_empty(),
            _ => true,
        });
        // A percentage is read as the number before the sign.
        let shown = if is_exact && is_plain && percents == 1 { text.trim_end_matches('%').trim() } else { text.trim() };
        let shown = if shown.starts_with('.') { format!("0{shown}") } else { shown.to_owned() };
        let is_shown = shown.contains(|letter: char| letter.is_ascii_digit());
        let sign = if number.is_negative && !has_own_sign && !rounded.is_zero() { "-" } else { "" };
        (format!("{sign}{shown}"), is_exact && is_shown)
    }

    /// What stands before the point: digits from the right, the spare ones before the first.
    fn whole(&self, parts: &[Part], number: &Decimal, digits: usize, text: &mut String) {
        let whole = number.whole();
        let spare = whole.len().saturating_sub(digits);
        let (spare, own) = whole.split_at(spare);
        let own: Vec<char> = own.chars().collect();
        let mut seen = 0;
        for part in parts {
            match part {
                Part::Digit(kind) => {
                    if seen == 0 {
                        text.push_str(spare);
                    }
                    seen += 1;
                    let from_right = digits - seen;
                    match own.len().checked_sub(from_right + 1).and_then(|at| own.get(at)) {
                        Some(digit) => text.push(*digit),
                        None if *kind == '0' => text.push('0'),
                        None => {}
                    }
                }
                other => Self::common(other, number, text),
            }
        }
        if digits == 0 && !self.parts.iter().any(|part| matches!(part, Part::General | Part::Text)) {
            text.push_str(if parts.len() < self.parts.len() { whole.as_str() } else { "" });
        }
    }

    /// The point and what stands behind it.
    fn fraction(parts: &[Part], number: &Decimal, text: &mut String) {
        let fraction: Vec<char> = number.fraction().chars().collect();
        let mut at = 0;
        let has_digits = |rest: &[Part]| {
            rest.iter()
                .filter(|part| matches!(part, Part::Digit(_)))
                .enumerate()
                .any(|(at, part)| *part == Part::Digit('0') || fraction.get(at).is_some())
        };
        for part in parts {
            match part {
                // A point without digits behind it says nothing.
                Part::Point if at == 0 && has_digits(parts) => text.push('.'),
                Part::Digit(kind) => {
                    match fraction.get(at) {
                        Some(digit) => text.push(*digit),
                        None if *kind == '0' => text.push('0'),
                        None => {}
                    }
                    at += 1;
                }
                other => Self::common(other, number, text),
            }
        }
    }

    fn common(part: &Part, number: &Decimal, text: &mut String) {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Percent => text.push('%'),
            Part::Slash => text.push('/'),
            Part::General | Part::Text => {
                let number = number.to_string();
                text.push_str(number.trim_start_matches('-'));
            }
            Part::Digit(_) | Part::Point | Part::Comma | Part::Exponent => {}
        }
    }
}
