//! Tables for people, JSON for programs.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use creditbank_client::files::{PRIVATE, PUBLIC, write_new};
use serde_json::Value;

use crate::connect::Global;
use crate::failure::Failure;

/// Prints a value as JSON, or what `text` makes for people.
pub(crate) fn print(global: &Global, value: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
    let shown = if global.json {
        serde_json::to_string_pretty(value).map_err(|error| Failure::Usage(error.to_string()))?
    } else {
        text()
    };
    line(shown.trim_end())
}

/// Prints a line; a reader that has seen enough, such as `head`, is no error.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Usage(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// A command that did nothing says so, and fails.
pub(crate) fn nothing_done(global: &Global, value: &Value, said: &str) -> Result<(), Failure> {
    let said = format!("{said}; nothing was done");
    if global.json {
        print(global, value, String::new)?;
        return Err(Failure::Told(said));
    }
    Err(Failure::NotValid(said))
}

/// A table with one row for each item.
pub(crate) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// One line for each fact about one thing; what is not there has no line.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let facts: Vec<_> = facts.into_iter().filter(|(_, fact)| !fact.is_empty()).collect();
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    facts.iter().map(|(name, fact)| format!("{name:width$}  {fact}").trim_end().to_owned() + "\n").collect()
}

/// Writes a new file; one that exists is never replaced. `private` files are their owner's alone.
pub(crate) fn new_file(path: &Path, bytes: &[u8], private: bool) -> Result<(), Failure> {
    match write_new(path, bytes, if private { PRIVATE } else { PUBLIC }) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::Usage(format!("{} exists and is not replaced: choose another name", path.display())))
        }
        written => written.map_err(Failure::file(path)),
    }
}
