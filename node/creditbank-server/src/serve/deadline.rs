//! How long a call may take: what its client says in `grpc-timeout`, but at most five minutes unless it streams.

use std::time::Duration;

use tonic::codegen::http::HeaderMap;

/// A call with one answer ends after this time, even if its own deadline is later.
const CALL_MAX: Duration = Duration::from_mins(5);

/// The time that a call has, from its headers. An invalid value counts as absent.
pub(super) fn of(headers: &HeaderMap, streams: bool) -> Option<Duration> {
    let stated = headers.get("grpc-timeout").and_then(|value| read(value.to_str().ok()?));
    if streams { stated } else { Some(stated.map_or(CALL_MAX, |stated| stated.min(CALL_MAX))) }
}

/// `TimeoutValue TimeoutUnit` of "gRPC over HTTP2": at most eight digits and a letter.
fn read(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3_600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read() {
        assert_eq!(read("3H"), Some(Duration::from_hours(3)));
        assert_eq!(read("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(read("20u"), Some(Duration::from_micros(20)));
        for wrong in ["", "S", "1", "1x", "123456789S", "+1S", "1\u{e9}"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers, false), Some(CALL_MAX));
        assert_eq!(of(&headers, true), None, "a stream may be as long as it likes");
        headers.insert("grpc-timeout", "99H".parse().expect("a value"));
        assert_eq!(of(&headers, false), Some(CALL_MAX), "no other call is longer");
        assert_eq!(of(&headers, true), Some(Duration::from_hours(99)));
        headers.insert("grpc-timeout", "1S".parse().expect("a value"));
        assert_eq!(of(&headers, true), Some(Duration::from_secs(1)));
    }
}
