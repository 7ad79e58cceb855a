//! Exact fractions whose parts fit 128 bits.

use std::cmp::Ordering;

/// A fraction in lowest terms, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    numerator: u128,
    denominator: u128,
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// In lowest terms; `None` for a denominator of 0.
    pub fn new(numerator: u128, denominator: u128) -> Option<Self> {
        let common = gcd(numerator, denominator);
        (denominator != 0).then(|| Self { numerator: numerator / common, denominator: denominator / common })
    }

    /// The part above the line.
    pub fn numerator(self) -> u128 {
        self.numerator
    }

    /// The part below the line, above 0.
    pub fn denominator(self) -> u128 {
        self.denominator
    }

    /// The sum; `None` where a part exceeds 128 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let common = gcd(self.denominator, other.denominator);
        let (left, right) = (other.denominator / common, self.denominator / common);
        let numerator = self.numerator.checked_mul(left)?.checked_add(other.numerator.checked_mul(right)?)?;
        Self::new(numerator, self.denominator.checked_mul(left)?)
    }

    /// Divided by a whole number; `None` for 0, or where a part exceeds 128 bits.
    pub fn checked_div(self, by: u128) -> Option<Self> {
        let common = gcd(self.numerator, by);
        let denominator = self.denominator.checked_mul(by.checked_div(common)?)?;
        Self::new(self.numerator / common, denominator)
    }

    /// Compared with a whole number. Exact for every value.
    pub fn cmp_whole(self, whole: u128) -> Ordering {
        let (floor, rest) = (self.numerator / self.denominator, self.numerator % self.denominator);
        floor.cmp(&whole).then(if rest == 0 { Ordering::Equal } else { Ordering::Greater })
    }

    /// Compared exactly, digit by digit of the continued fraction, so that nothing exceeds its width.
    pub fn cmp_exact(self, other: Self) -> Ordering {
        let (mut a, mut b, mut turned) = (self, other, false);
        loop {
            let whole = (a.numerator / a.denominator).cmp(&(b.numerator / b.denominator));
            let rest = (a.numerator % a.denominator, b.numerator % b.denominator);
            let found = match (whole, rest) {
                (Ordering::Equal, (0, 0)) => return Ordering::Equal,
                (Ordering::Equal, (0, _)) => Ordering::Less,
                (Ordering::Equal, (_, 0)) => Ordering::Greater,
                (Ordering::Equal, (left, right)) => {
                    // 1 / rest turns the order around.
                    a = Self { numerator: a.denominator, denominator: left };
                    b = Self { numerator: b.denominator, denominator: right };
                    turned = !turned;
                    continue;
                }
                (other, _) => other,
            };
            return if turned { found.reverse() } else { found };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Goal: order and sums are those of rational numbers.
        #[test]
        fn fractions_are_exact(a in 0..1_000_000u128, b in 1..1_000_000u128, c in 0..1_000_000u128, d in 1..1_000_000u128) {
            let (left, right) = (Fraction::new(a, b).expect("b > 0"), Fraction::new(c, d).expect("d > 0"));
            prop_assert_eq!(left.cmp_exact(right), (a * d).cmp(&(c * b)));
            prop_assert_eq!(left.cmp_whole(c), a.cmp(&(c * b)));
            let sum = left.checked_add(right).expect("small");
            prop_assert_eq!(sum.numerator() * b * d, (a * d + c * b) * sum.denominator());
            prop_assert_eq!(left.checked_div(d).map(|it| it.numerator() * b * d), left.checked_div(d).map(|it| a * it.denominator()));
        }
    }
}
