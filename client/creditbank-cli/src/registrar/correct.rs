//! What `amend`, `revoke` and `confirm` share: whose chain, where the notes are, and what is said at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_client::IssuingUnit;
use creditbank_client::correct::{Correction, Corrector, Done, Lines, Options, Outcome, Row};
use creditbank_protocol::Place;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::files::{Refused, beside};
use crate::signing::{Needs, SigningKey, asked};
use crate::{output, show, values, words};

/// Rows that are shown one by one.
const SHOWN_MAX: usize = 1_000;
const TABLE_MAX: usize = 40;

/// Options of every correction.
#[derive(clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    key: SigningKey,
    /// Directory for the notes [default: FILE.corrections, or KEY.corrections for one record]
    #[arg(long)]
    work: Option<PathBuf>,
    #[command(flatten)]
    refused: Refused,
    /// Say what would be done, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop before anything is signed and write requests for a second person: see `creditbank approve`
    ///
    /// Run the same command again when the approvals are there.
    #[arg(long)]
    require_approval: bool,
}

/// The corrections of a command, and where they come from.
pub(crate) struct Work<'a> {
    /// The file, where there is one.
    pub(crate) file: Option<&'a Path>,
    pub(crate) corrections: Lines<'a>,
    pub(crate) case_reference: &'a str,
    /// What was done, as `revoked`.
    pub(crate) verb: &'static str,
}

/// The same correction of each of these records.
pub(crate) fn all<'a>(places: Vec<Place>, correction: impl Fn(Place) -> Correction + 'a) -> Lines<'a> {
    Box::new(places.into_iter().map(move |place| Ok(Ok(correction(place)))))
}

/// One correction, of no line.
pub(crate) fn one<'a>(correction: Correction) -> Lines<'a> {
    Box::new(std::iter::once(Ok(Ok(correction))))
}

impl Common {
    /// The unit that signs: the key says which. The operator signs for a case.
    pub(crate) async fn unit(
        &self,
        global: &Global,
        client: &Client,
        case_reference: &str,
        needs: Needs,
    ) -> Result<IssuingUnit, Failure> {
        self.key.unit(global, client, !case_reference.is_empty(), needs).await
    }

    /// Makes the corrections and says what became of them.
    pub(crate) async fn run(
        &self,
        global: &Global,
        client: &Client,
        unit: &IssuingUnit,
        work: Work<'_>,
    ) -> Result<(), Failure> {
        let own = self.work.clone().or_else(|| match work.file {
            Some(file) => Some(beside(file, ".corrections")),
            None => self.key.beside(".corrections"),
        });
        let own = own.unwrap_or_else(|| PathBuf::from("creditbank.corrections"));
        if self.refused.refused.is_some() && work.file.is_none() {
            return Err(Failure::Usage("--refused is for the lines of a file".to_owned()));
        }
        let refused = work.file.map(|file| self.refused.report(file, &[("the file", Some(file))])).transpose()?;
        let options = Options {
            work: &own,
            refused: refused.as_deref(),
            dry_run: self.dry_run,
            require_approval: self.require_approval,
            case_reference: work.case_reference,
        };
        let mut rows = Vec::new();
        let mut corrector = Corrector::new(client, unit, options);
        let told = |row: &Row| {
            if rows.len() < SHOWN_MAX {
                rows.push(row.clone());
            }
        };
        let done = corrector.run(work.corrections, told).await?;
        let requests = corrector.requests().to_vec();
        let verb = if self.dry_run { format!("would be {}", work.verb) } else { work.verb.to_owned() };
        report(global, &done, &rows, &requests, (work.verb, &verb), refused.as_deref())
    }
}

/// What is different, as `grade.value: B -> A`.
fn changes(row: &Row) -> Vec<String> {
    differences(row.kind, &row.before, &row.after)
}

/// What two bodies of a kind do not have in common, as `field: old -> new`; nothing where there is only one.
pub(super) fn differences(kind: &str, before: &[u8], after: &[u8]) -> Vec<String> {
    if after.is_empty() || before.is_empty() {
        return Vec::new();
    }
    let shown = |bytes: &[u8]| words::facts(kind, bytes).unwrap_or_default().into_iter().collect::<BTreeMap<_, _>>();
    let (before, after) = (shown(before), shown(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|name| *name != "amends").collect();
    let text = |said: Option<&String>| said.map_or("nothing", String::as_str).to_owned();
    let changed = all.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed.map(|name| format!("{name}: {} -> {}", text(before.get(name)), text(after.get(name)))).collect()
}

fn outcome(row: &Row, verb: &str) -> String {
    match &row.outcome {
        Outcome::Done(entry) => format!("{verb} in entry {entry}"),
        Outcome::Already => "done before".to_owned(),
        Outcome::Same => "says so already".to_owned(),
        Outcome::WouldBeDone => format!("would be {verb}"),
        Outcome::Waiting => "waits for approval".to_owned(),
        Outcome::Refused(field, why) => format!("refused: {field}: {}", show::safe(why)),
    }
}

fn report(
    global: &Global,
    done: &Done,
    rows: &[Row],
    requests: &[PathBuf],
    (verb, counted): (&str, &str),
    refused: Option<&Path>,
) -> Result<(), Failure> {
    let place = |row: &Row| row.place.as_ref().map(values::show_place).unwrap_or_default();
    let records: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "line": row.line, "place": place(row), "kind": row.kind.to_ascii_lowercase(),
                "changes": changes(row), "outcome": outcome(row, verb),
            })
        })
        .collect();
    let value = json!({
        "lines": done.lines, "changed": done.changed, "blocks": done.blocks, "already": done.already,
        "reviewed": done.reviewed, "released": done.released,
        "waiting": done.waiting, "refused": done.refused, "requests": requests, "records": records,
        "refused_file": refused,
    });
    output::print(global, &value, || {
        let facts = output::facts([
            (counted, done.changed.to_string()),
            ("blocks", done.blocks.to_string()),
            ("put under review", done.reviewed.to_string()),
            ("released", done.released.to_string()),
            ("nothing to do", done.already.to_string()),
            ("waiting for approval", done.waiting.to_string()),
            ("refused", done.refused.to_string()),
        ]);
        let found = |row: &Row| match (place(row), row.line) {
            (shown, 0) if shown.is_empty() => "not found".to_owned(),
            (shown, line) if shown.is_empty() => format!("line {line}"),
            (shown, 0) => shown,
            (shown, line) => format!("{shown} (line {line})"),
        };
        let cells =
            |row: &Row| vec![found(row), row.kind.to_ascii_lowercase(), changes(row).join("; "), outcome(row, verb)];
        let table =
            output::table(&["place", "kind", "what changed", "outcome"], rows.iter().take(TABLE_MAX).map(cells));
        let more = rows.len().saturating_sub(TABLE_MAX);
        let more = if more > 0 { format!("\n... and more; --json shows up to {SHOWN_MAX}") } else { String::new() };
        format!("{table}{more}\n{facts}{}", asked(requests))
    })?;
    if done.refused > 0 {
        let listed = refused.map(|path| format!("; their lines and reasons are in {}", path.display()));
        let (refused, were) = (done.refused, if done.refused == 1 { "was" } else { "were" });
        return Err(Failure::Told(format!("{refused} {were} refused{}", listed.unwrap_or_default())));
    }
    if done.changed + done.waiting == 0 {
        let why = rows.first().map(|row| format!(": {} {}", place(row), outcome(row, verb))).unwrap_or_default();
        let why = if rows.len() == 1 { why } else { String::new() };
        return Err(Failure::Told(format!("nothing was {verb}{why}")));
    }
    Ok(())
}
