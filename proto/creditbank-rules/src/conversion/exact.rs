//! Exact fractions, never negative. Whatever exceeds 128 bits is refused.

use creditbank_protocol::pb::{Ratio as Parts, Rounding};
use num_rational::Ratio;

use crate::decimal::MAX_E4;
use crate::{Rejection, Rule};

/// A fraction in lowest terms.
pub(crate) type Exact = Ratio<u128>;

/// Nothing that does not fit is cut.
pub(crate) fn too_large(field: &'static str) -> Rejection {
    Rejection::new(Rule::OutsideScope, "numbers that the record can hold", "larger ones").field(field)
}

/// An exact number of ten-thousandths as a multiple of `step`; `None` when it is too large.
pub(crate) fn round(exact: &Exact, step: u64, rounding: Rounding) -> Option<u64> {
    let whole = exact.denom().checked_mul(u128::from(step)).filter(|whole| *whole > 0)?;
    let (steps, rest) = (exact.numer() / whole, exact.numer() % whole);
    let missing = whole - rest;
    let up = match rounding {
        Rounding::HalfUp => rest >= missing,
        Rounding::HalfEven => rest > missing || rest == missing && steps % 2 == 1,
        Rounding::Down | Rounding::Unspecified => false,
    };
    let steps = u64::try_from(steps).ok()?.checked_add(u64::from(up))?;
    steps.checked_mul(step).filter(|e4| *e4 <= MAX_E4)
}

/// The fraction as the schema writes it.
pub(crate) fn parts(exact: &Exact) -> Option<Parts> {
    let part = |value: &u128| u64::try_from(*value).ok().filter(|value| *value <= MAX_E4);
    Some(Parts { numerator: part(exact.numer())?, denominator: part(exact.denom())? })
}

/// Reads a fraction of the schema; `None` unless its denominator is above 0.
pub(crate) fn of_parts(parts: &Parts) -> Option<Exact> {
    (parts.denominator > 0).then(|| Ratio::new(parts.numerator.into(), parts.denominator.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each rounding does at the half what its name says, also on steps other than 1.
    #[test]
    fn halves_are_rounded_as_the_agreement_says() {
        let at = |e4: u128, rounding| round(&Ratio::new(e4, 1), 5_000, rounding);
        for (e4, down, even, up) in
            [(2_500, 0, 0, 5_000), (7_500, 5_000, 10_000, 10_000), (2_501, 0, 5_000, 5_000), (2_499, 0, 0, 0)]
        {
            let found = [Rounding::Down, Rounding::HalfEven, Rounding::HalfUp].map(|rounding| at(e4, rounding));
            assert_eq!(found, [Some(down), Some(even), Some(up)], "{e4}");
        }
        assert_eq!(round(&Ratio::new(u128::MAX, 1), 1, Rounding::Down), None, "what does not fit is not cut");
        assert_eq!(round(&Ratio::new(1, u128::MAX), 2, Rounding::Down), None);
    }
}
