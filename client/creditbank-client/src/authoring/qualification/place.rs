//! Where in the file a value stands: errors name the line, so that a requirement among many is found.

use crate::authoring::text_file::TextError;

/// The line of a byte, from 1.
pub(super) fn line(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

/// Whether a line sets a key, alone or in a table on one line.
fn sets(line: &str, key: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let line = line.split_once('#').map_or(line, |(before, _)| before);
    line.match_indices(key).any(|(at, _)| {
        let before = line[..at].bytes().next_back();
        !before.is_some_and(part) && line[at + key.len()..].trim_start().starts_with('=')
    })
}

/// The error with the line of its key, which stands at or behind `from`, and with what it is a part of.
pub(super) fn placed(text: &str, from: usize, part: &str, error: TextError) -> TextError {
    let TextError::Value { key, expected, found } = error else {
        return error;
    };
    let first = line(text, from);
    let last = key.rsplit('.').next().unwrap_or(&key);
    let mut lines = (1usize..).zip(text.lines()).skip(first - 1);
    let at = lines.find(|(_, line)| sets(line, last)).map_or(first, |(number, _)| number);
    TextError::Value { key: format!("line {at}: {part}{key}"), expected, found }
}
