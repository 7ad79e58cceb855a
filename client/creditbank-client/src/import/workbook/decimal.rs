//! Decimals of any length, exactly: what a cell holds, and what a display makes of it.

/// Digits that a number of a workbook keeps.
const DIGITS_MAX: usize = 15;

/// A decimal: its digits, of which the last `places` stand behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) is_negative: bool,
    /// Values from 0 to 9, the most significant first; at least `places` + 1 of them.
    digits: Vec<u8>,
    places: usize,
}

impl Decimal {
    /// Reads a number as XML spells it, as `12.5`, `-3` or `1.5E2`.
    ///
    /// A workbook holds binary floating point. The shortest decimal that stands for the same stored number is what somebody
    /// typed, so `1.1000000000000001` is 1.1.
    pub(super) fn stored(text: &str) -> Option<Self> {
        let number: f64 = text.trim().parse().ok()?;
        number.is_finite().then(|| number.to_string()).and_then(|shortest| Self::parse(&shortest))
    }

    /// Reads digits with at most one point and a sign.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: Option<Vec<u8>> =
            whole.bytes().chain(fraction.bytes()).map(|byte| byte.is_ascii_digit().then(|| byte - b'0')).collect();
        let this = Self { is_negative, digits: digits.filter(|digits| !digits.is_empty())?, places: fraction.len() };
        Some(this.shortest())
    }

    /// Without zeros at its ends that say nothing.
    fn shortest(mut self) -> Self {
        while self.places > 0 && self.digits.last() == Some(&0) {
            self.digits.pop();
            self.places -= 1;
        }
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        let spare = leading.min(self.digits.len().saturating_sub(self.places + 1));
        self.digits.drain(..spare);
        if self.digits.len() <= self.places {
            let missing = self.places + 1 - self.digits.len();
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
        }
        self.is_negative &= self.digits.iter().any(|digit| *digit > 0);
        self
    }

    /// Why it is not what somebody typed.
    pub(super) fn untyped(&self) -> Option<String> {
        if self.digits.len() - self.places > DIGITS_MAX {
            let what = "a number of more than 15 digits, of which a workbook keeps 15: format the cell as text";
            return Some(what.to_owned());
        }
        let significant = self.digits.iter().skip_while(|digit| **digit == 0).count();
        (significant > DIGITS_MAX).then(|| {
            format!(
                "{self} has more digits than anybody types: it was computed, and nothing is rounded here; round it in the \
                 workbook"
            )
        })
    }

    /// A hundred times it, as often.
    pub(super) fn percent(mut self, times: usize) -> Self {
        for _ in 0..2 * times {
            if self.places > 0 {
                self.places -= 1;
            } else {
                self.digits.push(0);
            }
        }
        self.shortest()
    }

    /// Rounded to so many places, halves away from zero.
    pub(super) fn rounded(&self, places: usize) -> Self {
        if places >= self.places {
            return self.clone();
        }
        let cut = self.digits.len() - (self.places - places);
        let mut digits = self.digits[..cut].to_vec();
        if self.digits[cut] >= 5 {
            let mut at = digits.len();
            loop {
                if at == 0 {
                    digits.insert(0, 1);
                    break;
                }
                at -= 1;
                digits[at] = (digits[at] + 1) % 10;
                if digits[at] > 0 {
                    break;
                }
            }
        }
        Self { is_negative: self.is_negative, digits, places }.shortest()
    }

    /// Without its sign.
    pub(super) fn size(&self) -> Self {
        Self { is_negative: false, ..self.clone() }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.iter().all(|digit| *digit == 0)
    }

    /// The digits before the point, without leading zeros: empty where there are none.
    pub(super) fn whole(&self) -> String {
        let whole = &self.digits[..self.digits.len() - self.places];
        whole.iter().skip_while(|digit| **digit == 0).map(|digit| char::from(b'0' + digit)).collect()
    }

    /// The digits behind the point.
    pub(super) fn fraction(&self) -> String {
        self.digits[self.digits.len() - self.places..].iter().map(|digit| char::from(b'0' + digit)).collect()
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        let places = self.places.max(other.places);
        let key = |number: &Self| {
            let digits = number.whole() + &format!("{:0<places$}", number.fraction());
            digits.trim_start_matches('0').to_owned()
        };
        let (one, two) = (key(self), key(other));
        let size = (one.len(), &one).cmp(&(two.len(), &two));
        Some(match (self.is_negative, other.is_negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
        })
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        let (whole, fraction) = (self.whole(), self.fraction());
        let whole = if whole.is_empty() { "0" } else { &whole };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(text: &str) -> Decimal {
        Decimal::stored(text).expect("a number")
    }

    /// Goal: numbers come as they were typed; what a computation left and what a workbook does not keep are refused.
    #[test]
    fn numbers_are_taken_exactly_or_not_at_all() {
        for (text, typed) in [
            ("7.5", "7.5"),
            ("1.1000000000000001", "1.1"),
            ("60", "60"),
            ("1E2", "100"),
            ("-1", "-1"),
            ("-0", "0"),
            ("1e-3", "0.001"),
        ] {
            assert_eq!((stored(text).to_string().as_str(), stored(text).untyped()), (typed, None));
        }
        for text in ["0.30000000000000004", "0.333333333333333333", "1e15", "12345678901234567", "1e300"] {
            assert!(stored(text).untyped().is_some(), "{text}");
        }
        assert!(Decimal::stored("NaN").is_none() && Decimal::stored("inf").is_none() && Decimal::stored("x").is_none());
    }

    #[test]
    fn percents_and_rounding() {
        for (text, shown) in [("0.85", "85"), ("1", "100"), ("0.855", "85.5"), ("0.0001", "0.01"), ("0", "0")] {
            assert_eq!(stored(text).percent(1).to_string(), shown);
        }
        for (text, places, shown) in [
            ("12.5", 0, "13"),
            ("12.4", 0, "12"),
            ("9.99", 1, "10"),
            ("0.05", 1, "0.1"),
            ("0.04", 1, "0"),
            ("-2.5", 0, "-3"),
            ("7", 2, "7"),
        ] {
            assert_eq!(stored(text).rounded(places).to_string(), shown, "{text}");
        }
    }

    proptest! {
        /// Goal: a decimal prints as it was read, and compares as its number does.
        #[test]
        fn order_and_text(one in -100_000i64..100_000, two in -100_000i64..100_000, places in 0usize..4) {
            let make = |number: i64| {
                let digits = format!("{:0>8}", number.abs());
                let (whole, fraction) = digits.split_at(8 - places);
                Decimal::parse(&format!("{}{whole}.{fraction}", if number < 0 { "-" } else { "" })).expect("a decimal")
            };
            prop_assert_eq!(make(one).partial_cmp(&make(two)), Some(one.cmp(&two)));
            let text = make(one).to_string();
            prop_assert_eq!(Decimal::parse(&text), Some(make(one)));
        }
    }
}
