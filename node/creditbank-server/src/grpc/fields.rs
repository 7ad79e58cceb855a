//! What fields of requests must be.

use std::collections::BTreeSet;

use tonic::Status;

use super::status;

/// Refuses a list that is too long.
pub(super) fn bounded(field: &'static str, found: usize, most: usize) -> Result<(), Status> {
    if found <= most { Ok(()) } else { Err(status::invalid(field, &format!("at most {most}"), found)) }
}

/// As many as a caller asks for: of 0, and of more than there may be, as many as there may be.
pub(super) fn limited<T: Ord + Default>(asked: T, most: T) -> T {
    if asked == T::default() { most } else { asked.min(most) }
}

/// A value of so many bytes.
pub(super) fn id<T>(
    field: &'static str,
    expected: &str,
    bytes: &[u8],
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, Status> {
    read(bytes).ok_or_else(|| status::invalid(field, expected, bytes.len()))
}

/// Several of them; how often each stands there does not matter.
pub(super) fn ids<T: Ord>(
    field: &'static str,
    expected: &str,
    ids: &[Vec<u8>],
    read: fn(&[u8]) -> Option<T>,
) -> Result<BTreeSet<T>, Status> {
    let one = |id: &Vec<u8>| read(id).ok_or_else(|| status::invalid(field, expected, format!("{} bytes", id.len())));
    ids.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a caller gets no more than there may be at once, and who names no number gets that.
    #[test]
    fn limits() {
        assert_eq!([0, 1, 200, 201, u32::MAX].map(|asked| limited(asked, 200)), [200, 1, 200, 200, 200]);
    }
}
