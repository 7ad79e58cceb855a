//! Checks the fields of requests.

use std::collections::BTreeSet;

use creditbank_protocol::counted;
use tonic::Status;

use super::status;

/// Refuses a list that is too long.
pub(super) fn bounded(field: &'static str, found: usize, most: usize) -> Result<(), Status> {
    if found <= most { Ok(()) } else { Err(status::invalid(field, &format!("at most {most}"), found)) }
}

/// As many as a caller requests, but at most the limit; 0 means the limit.
pub(super) fn limited<T: Ord + Default>(asked: T, most: T) -> T {
    if asked == T::default() { most } else { asked.min(most) }
}

/// A value with this many bytes.
pub(super) fn id<T>(
    field: &'static str,
    expected: &str,
    bytes: &[u8],
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, Status> {
    read(bytes).ok_or_else(|| status::invalid(field, expected, bytes.len()))
}

/// Several of them. How often each is named does not matter.
pub(super) fn ids<T: Ord>(
    field: &'static str,
    expected: &str,
    ids: &[Vec<u8>],
    read: fn(&[u8]) -> Option<T>,
) -> Result<BTreeSet<T>, Status> {
    let one =
        |id: &Vec<u8>| read(id).ok_or_else(|| status::invalid(field, expected, counted(id.len(), "byte", "bytes")));
    ids.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a caller gets at most the limit, and a caller who names no number gets the limit.
    #[test]
    fn limits() {
        assert_eq!([0, 1, 200, 201, u32::MAX].map(|asked| limited(asked, 200)), [200, 1, 200, 200, 200]);
    }
}
