//! What is in a file, before anything of it is signed.

use creditbank_client::import::doubts::Doubt;
use creditbank_client::import::{About, Survey, Warning};
use creditbank_protocol::counted;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{output, show};

/// Warnings that do not stop a command.
#[derive(clap::Args)]
pub(super) struct Accept {
    /// A warning that was looked at and does not stop the run: mojibake, check-digit, also-utf-8,
    /// damaged, private-use, vanished, entities
    ///
    /// The mapping can say it for every run, as `accept = ["check-digit"]`.
    #[arg(long = "accept", value_name = "NAME", value_parser = warning)]
    pub(super) accept: Vec<Warning>,
}

/// The same where one value is typed.
#[derive(clap::Args)]
pub(crate) struct AcceptTyped {
    /// A doubt that was looked at and is unfounded: mojibake, check-digit, damaged or private-use
    #[arg(long = "accept", value_name = "NAME", value_parser = warning)]
    accept: Vec<Warning>,
}

impl AcceptTyped {
    /// Refuses what is doubtful and was not accepted.
    pub(super) fn check(&self, doubts: &[Doubt]) -> Result<(), Failure> {
        let open: Vec<&Doubt> = doubts.iter().filter(|doubt| !self.accept.contains(&doubt.warning)).collect();
        let Some(first) = open.first() else { return Ok(()) };
        let what: Vec<String> = open.iter().map(|doubt| show::safe(&doubt.what)).collect();
        let name = first.warning.name();
        Err(Failure::NotValid(format!("{}. If it is right all the same: --accept {name}", what.join("; "))))
    }
}

fn warning(name: &str) -> Result<Warning, String> {
    let found = Warning::by_name(name).filter(|found| found.stops());
    found.ok_or_else(|| format!("expected {}", Warning::NAMES))
}

/// For programs.
pub(super) fn value(survey: &Survey) -> Value {
    let warnings: serde_json::Map<String, Value> = survey
        .warnings
        .iter()
        .map(|(warning, found)| {
            let sample =
                |(line, field, what): &(u64, String, String)| json!({ "line": line, "field": field, "what": what });
            let samples: Vec<Value> = found.samples.iter().map(sample).collect();
            (warning.name().to_owned(), json!({ "count": found.count, "stops": warning.stops(), "samples": samples }))
        })
        .collect();
    json!({
        "lines": survey.lines, "skipped": survey.skipped, "kinds": survey.kinds, "refused": survey.refused,
        "format": survey.about.format, "sheet": survey.about.sheet, "encoding": survey.about.encoding,
        "header_line": survey.about.header_line, "notes": survey.about.notes,
        "words": survey.about.samples.iter().map(|sample| sample.word.as_str()).collect::<Vec<_>>(), "first": survey.first, "warnings": warnings,
    })
}

/// `CSV text in UTF-8, header on line 1`.
fn read_as(about: &About) -> String {
    let encoding = about.encoding.map_or(String::new(), |encoding| format!(" in {encoding}"));
    let sheet = about.sheet.as_ref().map_or(String::new(), |sheet| format!(", sheet {:?}", show::safe(sheet)));
    format!("read as {}{encoding}{sheet}, header on line {}", about.format, about.header_line)
}

/// For people: the first records in words, words to read, warnings.
pub(super) fn text(survey: &Survey) -> String {
    let mut text = String::new();
    if !survey.first.is_empty() {
        text += "the first records, as they would be signed:\n";
        for first in &survey.first {
            let shown: Vec<String> = first.lines().map(|line| format!("  {}", show::safe(line))).collect();
            text = format!("{text}{}\n", shown.join("\n"));
        }
    }
    text = format!("{text}{}\n", read_as(&survey.about));
    if !survey.about.samples.is_empty() {
        let words: Vec<String> = survey.about.samples.iter().map(|sample| show::safe(&sample.word)).collect();
        text = format!("{text}words to look at, as they were read: {}\n", words.join(", "));
    }
    for note in &survey.about.notes {
        text = format!("{text}note: {}\n", show::safe(note));
    }
    if survey.skipped > 0 {
        text = format!("{text}{} skipped, as the mapping says\n", counted(survey.skipped, "row is", "rows are"));
    }
    let rows: Vec<Vec<String>> = survey
        .warnings
        .iter()
        .flat_map(|(warning, found)| {
            let name =
                |first: bool| if first { format!("{} ({})", warning.name(), found.count) } else { String::new() };
            found.samples.iter().enumerate().map(move |(at, (line, field, what))| {
                vec![name(at == 0), line.to_string(), show::safe(field), show::safe(what)]
            })
        })
        .collect();
    if !rows.is_empty() {
        text = format!("{text}{}\n", output::table(&["warning", "line", "field", "what"], rows));
    }
    text
}
