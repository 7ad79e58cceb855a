//! What was measured, as a table for people and as JSON for programs.

use std::time::Duration;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::machine::Machine;
use crate::run::Measured;

/// All runs of one call.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    machine: Machine,
    ceiling_records_per_second: u64,
    verify_per_second: u64,
    runs: Vec<Run>,
}

/// One run, in the units that the names end with.
#[derive(Serialize)]
struct Run {
    engine: &'static str,
    records: u64,
    block_size: usize,
    records_per_second: u64,
    /// Of the ceiling that was measured in this very run.
    of_ceiling: f64,
    of_verify: f64,
    first_tenth: u64,
    last_tenth: u64,
    receipt_p50_ms: f64,
    receipt_p99_ms: f64,
    paced_records_per_second: u64,
    rss_mb: u64,
    disk_bytes: Option<u64>,
    sent_bytes: u64,
    ceiling_records_per_second: u64,
    cpu_us_per_record: f64,
    cpu_us_per_record_early: f64,
    cpu_us_per_record_late: f64,
    opened_after_kill_ms: Option<f64>,
    opened_after_stop_ms: Option<f64>,
    transcript_made_ms: f64,
    transcript_verified_ms: f64,
    transcript_bytes: usize,
    proofs_per_second: u64,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rates and ratios to be shown.
fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn digits(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

fn ms(time: Duration) -> f64 {
    digits(time.as_secs_f64() * 1_000.0)
}

fn us(time: Duration) -> f64 {
    digits(time.as_secs_f64() * 1_000_000.0)
}

impl Report {
    pub(crate) fn new(machine: &Machine) -> Self {
        Self { machine: machine.clone(), ceiling_records_per_second: 0, verify_per_second: 0, runs: Vec::new() }
    }

    /// Adds a run. The ceiling that stands first is that of whole blocks; each run has its own beside.
    pub(crate) fn add(&mut self, measured: Measured) {
        if self.runs.is_empty() {
            self.ceiling_records_per_second = whole(measured.ceiling);
            self.verify_per_second = whole(measured.verify);
        }
        self.runs.push(Run {
            engine: measured.engine.name(),
            records: measured.records,
            block_size: measured.block_size,
            records_per_second: whole(measured.rate),
            of_ceiling: digits(measured.rate / measured.ceiling),
            of_verify: digits(measured.rate / measured.verify),
            first_tenth: whole(measured.first_tenth),
            last_tenth: whole(measured.last_tenth),
            receipt_p50_ms: ms(measured.latency_p50),
            receipt_p99_ms: ms(measured.latency_p99),
            paced_records_per_second: whole(measured.paced),
            rss_mb: measured.usage.rss_max / 1_000_000,
            disk_bytes: measured.disk.as_ref().map(|disk| disk.bytes),
            sent_bytes: measured.sent_bytes,
            ceiling_records_per_second: whole(measured.ceiling),
            cpu_us_per_record: us(measured.cpu),
            cpu_us_per_record_early: us(measured.cpu_early),
            cpu_us_per_record_late: us(measured.cpu_late),
            opened_after_kill_ms: measured.disk.as_ref().map(|disk| ms(disk.opened_after_kill)),
            opened_after_stop_ms: measured.disk.as_ref().map(|disk| ms(disk.opened_after_stop)),
            transcript_made_ms: ms(measured.reads.transcript_made),
            transcript_verified_ms: ms(measured.reads.transcript_verified),
            transcript_bytes: measured.reads.transcript_bytes,
            proofs_per_second: whole(measured.reads.proofs_per_second),
        });
    }

    /// Prints everything.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        if json {
            println!("{text}");
            return Ok(());
        }
        println!("{}\ncommit {}\n{}", self.machine.name, self.machine.commit, self.machine.command);
        println!(
            "ceiling {} records/s, single signatures {} /s, on all cores",
            self.ceiling_records_per_second, self.verify_per_second
        );
        println!("{}", self.table()?);
        Ok(())
    }

    /// A column for each run, a row for each figure.
    fn table(&self) -> anyhow::Result<Table> {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        let runs: Vec<serde_json::Value> = self.runs.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        let names: Vec<String> =
            runs.first().and_then(|run| run.as_object()).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in names {
            let shown = |run: &serde_json::Value| match &run[&name] {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => String::new(),
                value => value.to_string(),
            };
            let mut row = vec![name.replace('_', " ")];
            row.extend(runs.iter().map(shown));
            table.add_row(row);
        }
        Ok(table)
    }
}
