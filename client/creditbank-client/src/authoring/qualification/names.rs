//! Names of definitions: `2/BSC-INF.1`; without an institution, the publisher's own; without a version, any.

use creditbank_protocol::pb::QualificationName;

use crate::authoring::text_file::{TextError, wrong};

/// Reads a name in a definition of `publisher`.
pub(super) fn read(key: &str, text: &str, publisher: u64) -> Result<QualificationName, TextError> {
    let odd = || wrong(key, "institution, code and version, as \"2/BSC-INF.1\"; without a version, any of them", text);
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let (institution, rest) = match text.split_once('/') {
        Some((institution, rest)) => (number(institution).ok_or_else(odd)?, rest),
        None => (publisher, text),
    };
    let versioned = rest.rsplit_once('.').and_then(|(code, version)| Some((code, number(version)?)));
    let (code, version) = versioned.unwrap_or((rest, 0));
    if code.is_empty() {
        return Err(odd());
    }
    Ok(QualificationName { institution, code: code.to_owned(), version: u32::try_from(version).map_err(|_| odd())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: institution and version may be left out, and what is no name is refused with its key.
    #[test]
    fn names_are_read() {
        let read = |text| read("absorbs", text, 2).map(|name| (name.institution, name.code, name.version));
        assert_eq!(read("7/A.B.3"), Ok((7, "A.B".to_owned(), 3)));
        assert_eq!(read("7/A.B"), Ok((7, "A.B".to_owned(), 0)));
        assert_eq!(read("A"), Ok((2, "A".to_owned(), 0)));
        for odd in ["", "/A", "x/A", "7/", "7/.1", ".1", "A.99999999999"] {
            let error = read(odd).expect_err(odd).to_string();
            assert!(error.contains("absorbs") && error.contains("2/BSC-INF.1"), "{error}");
        }
    }
}
