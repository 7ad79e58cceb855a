//! Why something is not to be relied on, in words, and what a reader can do about it.

use std::collections::BTreeMap;
use std::path::Path;

use creditbank_client::validity::shown as minute;
use creditbank_protocol::Trust;
use creditbank_protocol::dates::show as date;
use creditbank_protocol::note::{NoteError, VerifierKey};
use creditbank_protocol::pb::Action;
use creditbank_protocol::standing::Standing;
use creditbank_protocol::transcript::{Fault, Report, TranscriptError, TranscriptRecord, open_file};
use creditbank_protocol::trust::FormerError;
use serde_json::{Value, json};

use super::verify::{age, name, time};
use crate::show;

/// Why a record must not be called valid; nothing of one that may.
pub(super) fn of(report: &Report, record: &TranscriptRecord) -> Option<String> {
    let ended = record.marks.ended().map(|(_, entry)| format!(" in entry {entry}")).unwrap_or_default();
    Some(match record.standing() {
        Standing::Revoked => format!("it was taken back{ended}"),
        Standing::Superseded if report.replaced().contains_key(&record.place) => {
            let instead = report.replaced().get(&record.place).map(ToString::to_string).unwrap_or_default();
            format!("{instead} stands in its place{ended}, and is in this file")
        }
        Standing::Superseded => {
            format!("another record was put in its place{ended}: ask whoever shows the file for a new export")
        }
        Standing::Incomplete => {
            let field = record.missing_claim.unwrap_or("a field");
            format!("{field} is hidden, and without it the record could mean something else: ask the holder to show it")
        }
        Standing::Contested => contested(report, record),
        Standing::Disputed => "the learner contests it".to_owned(),
        Standing::NotVisible => {
            let from = record.embargo.as_ref().map_or("a later day".to_owned(), date);
            format!("it may not be shown before {from}: its issuer has not published it yet")
        }
        Standing::IssuerNotTrusted => {
            let issuer = record.unit.institution;
            let whose = name(report, issuer);
            format!("`institutions` of your trust file does not name {issuer} ({whose}): add it if you trust it")
        }
        Standing::Redeemed | Standing::UnderReview | Standing::Expired | Standing::Authentic => return None,
    })
}

/// What a stolen key has to do with a record, and who can settle it.
fn contested(report: &Report, record: &TranscriptRecord) -> String {
    let Some(by) = record.suspicion else {
        return "a key that counts as stolen has to do with it".to_owned();
    };
    let did = if by.approved { "approved" } else { "signed" };
    let (what, settles) = match record.ended {
        Some(Action::Revoke) => ("its revocation", "the revocation holds"),
        Some(_) => ("the amendment that replaces it", "the amendment holds"),
        None if by.entry == record.place.entry => ("it", "it stands by the record"),
        None => ("its reinstatement", "it stands by the record"),
    };
    let (entry, key, since, whose) = (by.entry, by.key_id, minute(by.since_minute), name(report, record.owner()));
    format!(
        "{what} was {did} in entry {entry} with the key {key}, which counts as stolen since {since}: ask {whose} whether \
         {settles}; once that is in the log, `creditbank status FILE` shows it"
    )
}

/// The same, for programs.
pub(super) fn contested_by(record: &TranscriptRecord) -> Option<Value> {
    record.suspicion.map(|by| {
        let role = if by.approved { "approved" } else { "signed" };
        json!({
            "entry": by.entry.0, "key_id": by.key_id.to_string(), "role": role, "since": time(by.since_minute * 60_000),
        })
    })
}

/// How many records must not be called valid, by their standings.
pub(super) fn doubtful(report: &Report) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for record in report.doubtful() {
        *counts.entry(record.standing().name()).or_default() += 1;
    }
    counts.iter().map(|(standing, count)| format!("{count} {standing}")).collect::<Vec<_>>().join(", ")
}

/// Why the age of a file cannot be said.
pub(super) fn clock(report: &Report, path: &Path, now_ms: u64, at: bool) -> String {
    let (shown, now) = (path.display(), time(now_ms));
    let ahead = match report.sealed_at_ms.checked_sub(now_ms).filter(|ahead| *ahead > 0) {
        Some(ahead) => format!("was sealed at {}, {} after {now}", time(report.sealed_at_ms), age(ahead)),
        None => format!("was cosigned by its witnesses after {now}"),
    };
    if at {
        return format!("{shown} {ahead}, the time of --at: pass a later time");
    }
    format!(
        "{shown} {ahead}, the time of this clock: set this clock if it is wrong. If it is right, the log was ahead: ask \
         for a newer status (creditbank status {shown})"
    )
}

/// A file that does not verify, and what can be done where the file may not be to blame.
pub(super) fn not_valid(path: &Path, file: &[u8], trust: &Trust, error: &TranscriptError) -> String {
    let advice = advice(file, trust, error).map(|advice| format!("\n{advice}")).unwrap_or_default();
    format!("{} is NOT VALID: {error}{advice}", path.display())
}

fn advice(file: &[u8], trust: &Trust, error: &TranscriptError) -> Option<String> {
    match &error.fault {
        Fault::Former(FormerError::Beyond { .. }) => Some(
            "The log goes on under another name, and has given up what it had beyond that size (its key was stolen, or \
             entries were lost): ask whoever shows the file for a new export"
                .to_owned(),
        ),
        Fault::Former(FormerError::OtherOrigin { .. }) => Some(
            "Do not rely on this file. Get the newest trust file from the log's operator by another way, and compare"
                .to_owned(),
        ),
        Fault::Former(FormerError::EndsElsewhere { .. }) => {
            Some("Get the newest trust file from the log's operator, and compare".to_owned())
        }
        Fault::Note(NoteError::NoTrustedLog { .. }) => Some(format!(
            "{}. Where your trust file names a log key that has followed, ask for a newer status: creditbank status FILE",
            another_log(file, trust)
        )),
        Fault::Differs { what, .. } if what.starts_with("the genesis value") => Some(another_log(file, trust)),
        _ => None,
    }
}

/// The file is of another log than the trust file, or that one has other keys.
fn another_log(file: &[u8], trust: &Trust) -> String {
    let found = open_file(file).map(|transcript| transcript.origin).unwrap_or_default();
    let mut named: Vec<&str> = trust.policy.logs().iter().map(VerifierKey::name).collect();
    named.extend(trust.former.iter().map(|former| former.origin.as_str()));
    named.dedup();
    let (shown, names) = (show::safe(&found), named.join(", "));
    if named.contains(&found.as_str()) {
        return format!(
            "The file is of a log that calls itself {shown}, as your trust file does, but with other keys: compare \
             log_key, registry_key, next_registry_key and policy with what the operator has published"
        );
    }
    format!(
        "The file is of the log {shown}, your trust file is for {names}: pass the trust file of {shown}, which you get \
         from its operator"
    )
}
