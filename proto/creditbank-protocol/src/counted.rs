//! Counts in sentences for people: "1 record", "2 records".

use std::fmt::Display;

/// A count with its noun, in the singular or the plural.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, one: &str, more: &str) -> String {
    format!("{count} {}", if count == N::from(1) { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: only a count of 1 takes the singular.
    #[test]
    fn one_is_singular() {
        let said = [0_u64, 1, 2].map(|count| counted(count, "entry", "entries"));
        assert_eq!(said, ["0 entries", "1 entry", "2 entries"]);
    }
}
