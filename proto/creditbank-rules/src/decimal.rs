//! Decimals with at most four places, as integers of ten-thousandths.

/// Why text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// A sign, an exponent, a blank, or no digits.
    #[error("expected digits with at most one point, as 60 or 7.5")]
    Shape,
    /// More than four places.
    #[error("at most 4 decimal places are kept, and nothing is rounded")]
    Places,
    /// Beyond the bound.
    #[error("at most 1000000 is allowed")]
    TooLarge,
}

/// Largest amount, in ten-thousandths.
pub const MAX_E4: u64 = 10_000_000_000;

/// Reads a decimal exactly.
pub fn parse_e4(text: &str) -> Result<u64, DecimalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(DecimalError::Shape);
    }
    if fraction.len() > 4 {
        return Err(DecimalError::Places);
    }
    let places = u32::try_from(4 - fraction.len()).map_err(|_| DecimalError::Places)?;
    let whole: u64 = whole.parse().map_err(|_| DecimalError::TooLarge)?;
    let fraction: u64 = fraction.parse().map_err(|_| DecimalError::Shape)?;
    let e4 = whole.checked_mul(10_000).and_then(|e4| e4.checked_add(fraction * 10u64.pow(places)));
    e4.filter(|e4| *e4 <= MAX_E4).ok_or(DecimalError::TooLarge)
}

/// Writes a decimal in its shortest form.
pub fn show_e4(e4: u64) -> String {
    let (whole, fraction) = (e4 / 10_000, e4 % 10_000);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{fraction:04}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn odd_spellings_are_refused() {
        let shape = ["", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1,5", "1.2.3", "\u{661}", "NaN"];
        shape.iter().for_each(|text| assert_eq!(parse_e4(text), Err(DecimalError::Shape), "{text:?}"));
        assert_eq!(parse_e4("1.00000"), Err(DecimalError::Places));
        assert_eq!(parse_e4("1000000.0001"), Err(DecimalError::TooLarge));
        assert_eq!(parse_e4("99999999999999999999"), Err(DecimalError::TooLarge));
        assert_eq!(parse_e4("1000000"), Ok(MAX_E4));
    }

    proptest! {
        #[test]
        fn round_trip(e4 in 0..=MAX_E4) {
            prop_assert_eq!(parse_e4(&show_e4(e4)), Ok(e4));
        }

        #[test]
        fn foreign_text(text in ".{0,40}") {
            if let Ok(e4) = parse_e4(&text) {
                prop_assert!(e4 <= MAX_E4);
            }
        }
    }
}
