//! What is in a file, before anything of it is signed.

use creditbank_client::import::{Survey, Warning};
use serde_json::{Value, json};

use crate::{output, show};

/// Warnings that do not stop a command.
#[derive(clap::Args)]
pub(super) struct Accept {
    /// A warning that was looked at and does not stop the run: mojibake, check-digit, private-use, vanished
    ///
    /// The mapping can say it for every run, as accept = ["check-digit"].
    #[arg(long = "accept", value_name = "NAME", value_parser = warning)]
    pub(super) accept: Vec<Warning>,
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
        "words": survey.words, "first": survey.first, "warnings": warnings,
    })
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
    if !survey.words.is_empty() {
        let words: Vec<String> = survey.words.iter().map(|word| show::safe(word)).collect();
        text = format!("{text}words of the titles, to see that they read well: {}\n", words.join(", "));
    }
    if survey.skipped > 0 {
        text = format!("{text}{} rows are skipped, as the mapping says\n", survey.skipped);
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
