//! Codes whose form the registry and the records share.

/// Two capital letters, as ISO 3166-1 alpha-2 has them.
pub(crate) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// ISCED-F 2013: a broad, narrow or detailed field.
pub(crate) fn is_field(code: &str) -> bool {
    (2..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}
