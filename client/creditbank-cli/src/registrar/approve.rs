//! `approve`: the second person.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use creditbank_client::KeyPlace;
use creditbank_client::sealing::approval::{ApprovalRequest, Summary, approval_path, approval_path_by};
use creditbank_client::validity;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::names;
use creditbank_protocol::pb::{Kind, Purpose};
use creditbank_protocol::record::{KindInfo, info_of};
use creditbank_rules::decimal::show_e4;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The request, of a command with --require-approval
    request: PathBuf,
    /// The approver's key file, or pkcs11:... for a key in a token
    #[arg(long)]
    key: KeyPlace,
    /// New file for the approval [default: REQUEST.approval, or REQUEST.KEY.approval where that is there]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Days for which the approval holds, today counted; whatever is not sealed by then needs another one
    #[arg(long, value_name = "DAYS", default_value_t = validity::DAYS_STANDARD, value_parser = values::days())]
    valid_days: u32,
    /// Approve without asking
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { request: path, key, out, valid_days, yes } = arguments;
    let request = ApprovalRequest::read(path)?;
    let key = key.open(Purpose::Approver)?;
    // The summary is made of the records, after they were checked against what would be signed.
    let summary = request.summary()?;
    let published = published(&request)?;
    let trust = global.trust()?;
    if !trust.policy.logs().iter().any(|log| log.name() == request.origin) {
        let origin = show::safe(&request.origin);
        return Err(Failure::NotValid(format!(
            "the request is for the log {origin}, which the trust file does not name"
        )));
    }
    let until_minute = validity::last_minute(*valid_days);
    let until = validity::shown(until_minute);
    let own = KeyId::of(&key.public_key()).to_string();
    let text = text_of(&request, &summary, &until, &own) + &lines(&published);
    if !yes {
        ask(&text)?;
    }
    let approval = request.approve(&*key, until_minute)?;
    let standard = || match approval_path(path) {
        // The first of several: the others are named after their keys.
        taken if taken.exists() => approval_path_by(path, &approval.key_id),
        free => free,
    };
    let out = out.clone().unwrap_or_else(standard);
    let written = serde_json::to_string_pretty(&approval).map_err(|error| Failure::Usage(error.to_string()))?;
    output::new_file(&out, (written + "\n").as_bytes(), false)?;
    let value = json!({
        "approval": out, "operation_id": request.operation_id, "key_id": approval.key_id, "until": until,
        "summary": summary, "published": published,
    });
    output::print(global, &value, || {
        let shown = if *yes { text + "\n" } else { String::new() };
        format!(
            "{shown}{} is the approval: send it back to whoever asked. It serves one block, until {until}.",
            out.display()
        )
    })
}

/// The records that would be published, whole: an approver must see what they say.
fn published(request: &ApprovalRequest) -> Result<Vec<Value>, Failure> {
    let shown = |(kind, body): &(Kind, Vec<u8>)| {
        let name = info_of(*kind).map_or("", KindInfo::name);
        Ok(json!({ "kind": names::of(*kind), "record": show::body(name, body)? }))
    };
    request.published()?.iter().map(shown).collect()
}

/// One line for each of at most 200 records.
fn lines(published: &[Value]) -> String {
    let line = |one: &Value| {
        let (kind, record) = (one["kind"].as_str().unwrap_or_default(), show::named(&one["record"]));
        format!("publishes {kind}: {record}\n")
    };
    let more = published.len().saturating_sub(200);
    let more = if more > 0 { format!("and {more} more: see --json\n") } else { String::new() };
    published.iter().take(200).map(line).collect::<String>() + &more
}

fn ask(text: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody can be asked here: pass --yes to approve without asking".to_owned()));
    }
    let mut out = std::io::stderr().lock();
    let asked = write!(out, "{text}\nApprove this? Type yes: ").and_then(|()| out.flush());
    asked.map_err(|error| Failure::Usage(error.to_string()))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::Usage(error.to_string()))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Told("not approved".to_owned())) }
}

fn text_of(request: &ApprovalRequest, summary: &Summary, until: &str, own: &str) -> String {
    let counts = |map: &BTreeMap<String, u64>| {
        let shown = map.iter().take(40).map(|(name, count)| format!("{count} {}", show::safe(name)));
        let more = if map.len() > 40 { ", ..." } else { "" };
        shown.collect::<Vec<_>>().join(", ") + more
    };
    let credits = summary.credits_e4.iter().map(|(unit, e4)| format!("{} {}", show_e4(*e4), show::safe(unit)));
    let places = summary.places.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    let places = if summary.places.len() > 20 { places + ", ..." } else { places };
    let said: Vec<String> = summary.said.iter().take(200).map(|line| show::safe(line) + "\n").collect();
    let whose = match (request.institution, request.unit) {
        (0, _) => "the operator".to_owned(),
        (institution, unit) => format!("unit {unit} of institution {institution}"),
    };
    let facts = output::facts([
        ("log", show::safe(&request.origin)),
        ("for", whose),
        ("records", format!("{} ({})", request.count, counts(&summary.kinds))),
        ("learners", summary.learners.to_string()),
        ("credits", credits.collect::<Vec<_>>().join(", ")),
        ("courses", counts(&summary.courses)),
        ("grades", counts(&summary.grades)),
        ("amendments", summary.amendments.to_string()),
        ("effects", counts(&summary.effects)),
        ("on records", places),
        ("records root", request.records_root.clone()),
        ("operation", show::safe(&request.operation_id)),
        ("your key", own.to_owned()),
        ("holds until", until.to_owned()),
    ]);
    facts + &said.concat()
}
