//! The quickstart's output, for people or for a program.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use creditbank_client::issue::Progress;
use creditbank_protocol::transcript::{Report, TranscriptError};
use creditbank_rpc::v1::EvaluateQualificationResponse;
use creditbank_rules::decimal::show_e4;
use indicatif::ProgressBar;
use serde::{Serialize, Serializer};

/// A time in seconds with three places, written as a JSON number without going through binary floating point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seconds(pub(super) Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", self.0.as_secs(), self.0.subsec_millis());
        serde_json::value::RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// What the credit was worth in another country.
#[derive(Debug, Serialize)]
pub(super) struct Abroad {
    /// Credit that the conversion gave, a decimal of ECTS.
    pub(super) converted: String,
    /// The place of the award.
    pub(super) award: String,
    /// Whether a second award for the same credit was refused.
    pub(super) double_spend_refused: bool,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) records: u64,
    pub(super) credit_records: u64,
    pub(super) credits: String,
    pub(super) unit: String,
    pub(super) learners: u64,
    pub(super) blocks: u64,
    pub(super) log_size: u64,
    pub(super) records_per_second: u64,
    pub(super) transcript_records: usize,
    pub(super) transcript_valid: bool,
    pub(super) tampered_valid: bool,
    #[serde(flatten)]
    pub(super) abroad: Abroad,
    pub(super) seconds: Seconds,
}

impl Figures {
    /// Whether the run shows what it should: all lines of the file were sealed, and tampering was found.
    pub(super) fn is_as_expected(&self) -> bool {
        self.records == 32_593
            && self.transcript_records >= 2
            && self.transcript_valid
            && !self.tampered_valid
            && self.abroad.double_spend_refused
    }
}

/// The destination of the story.
pub(super) struct Story {
    json: bool,
}

impl Story {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    fn say(&self, line: &str) {
        if !self.json {
            crate::say(line);
        }
    }

    pub(super) fn bar(&self, lines: usize) -> ProgressBar {
        super::bar(lines, self.json)
    }

    pub(super) fn begin(&self, origin: &str, address: SocketAddr) {
        self.say(&format!("A node for the log {origin} serves gRPC on {address}, its index in sled."));
    }

    pub(super) fn admitted(&self) {
        self.say("The operator has admitted The Open University (open.ac.uk): one unit, a key for Credit and Result,");
        self.say("accreditation from 1969, and the grade scale of its module results.");
    }

    pub(super) fn imported(&self, done: &Progress, took: Duration) {
        let count = |kind: &str| done.kinds.get(kind).copied().unwrap_or(0);
        let credits = done.credits.get("CATS").copied().unwrap_or(0);
        self.say(&format!(
            "Its registrar has issued {} results as signed records in {} blocks, in {}.{} s:",
            done.records,
            done.blocks,
            took.as_secs(),
            took.subsec_millis() / 100
        ));
        self.say(&format!(
            "  {} Credits worth {} CATS, and {} Results, of {} learners.",
            count("credit"),
            show_e4(credits),
            count("result"),
            done.learners
        ));
    }

    pub(super) fn transcript(
        &self,
        report: &Result<Report, TranscriptError>,
        credits: usize,
        flipped: usize,
        broken: Option<&TranscriptError>,
    ) {
        match report {
            Ok(report) => {
                self.say(&format!(
                    "One learner with {credits} credits exports a transcript. Verified offline, without the node:"
                ));
                for record in &report.records {
                    let name = record.disclosed.info.name();
                    self.say(&format!(
                        "  {name} at entry {} index {}: claims, record, block, signature, seal and log agree.",
                        record.place.entry, record.place.index
                    ));
                }
            }
            Err(error) => self.say(&format!("The transcript does not verify: {error}")),
        }
        match broken {
            Some(error) => self.say(&format!("With one bit of byte {flipped} flipped it is refused: {error}.")),
            None => {
                self.say(&format!("With one bit of byte {flipped} flipped it is still accepted. This is a bug."));
            }
        }
    }

    pub(super) fn agreed(&self, loops: usize) {
        self.say("The learner continues in France. The Open University and the Institut d'Essai sign an agreement, each the same");
        self.say(&format!(
            "  text: 2 CATS are 1 ECTS, levels by the published map; loops through which credit would grow: {loops}."
        ));
    }

    pub(super) fn progress(&self, answer: &EvaluateQualificationResponse) {
        self.say("How far the learner is with the institute's certificate, recomputed by the node:");
        for one in &answer.requirements {
            let state = if one.met { "met" } else { "open" };
            self.say(&format!(
                "  {state}: {}{}",
                one.text,
                if one.met { String::new() } else { format!(" ({})", one.missing) }
            ));
        }
        for one in &answer.unused {
            let place = one.place.unwrap_or_default();
            self.say(&format!("  {}/{}: {}", place.entry, place.index, one.reason));
        }
    }

    pub(super) fn converted(&self, steps: &[String]) {
        self.say("The institute verifies the transcript and converts its credits, by the learner's mandate:");
        steps.iter().for_each(|line| self.say(&format!("  {line}")));
    }

    pub(super) fn awarded(&self, place: &str, redeemed: usize) {
        self.say(&format!(
            "It awards the certificate (record {place}); the same block redeems the {redeemed} roots of the credit."
        ));
    }

    pub(super) fn again(&self, refused: Option<&(String, String)>) {
        match refused {
            Some((rule, why)) => self.say(&format!("A second award for the same credit is refused: {rule}, {why}.")),
            None => self.say("A second award for the same credit was sealed. This is a bug."),
        }
    }

    pub(super) fn end(&self, figures: &Figures, kept: Option<&Path>) {
        if self.json {
            match serde_json::to_string_pretty(figures) {
                Ok(text) => crate::say(&text),
                Err(error) => eprintln!("error: {error}"),
            }
            return;
        }
        let Figures { log_size, records_per_second, seconds, .. } = figures;
        self.say(&format!(
            "The log has {log_size} entries; the import sealed {records_per_second} records a second, durably."
        ));
        self.say(&format!("All of it took {}.{} s.", seconds.0.as_secs(), seconds.0.subsec_millis() / 100));
        if let Some(dir) = kept {
            let dir = dir.display();
            self.say(&format!("Kept in {dir}. Go on with:"));
            self.say(&format!("  creditbank verify {dir}/transcript.cbt --trust {dir}/trust.toml"));
            self.say(&format!("  creditbank-node serve --dir {dir}"));
        }
    }
}
