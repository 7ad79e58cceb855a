//! `verify`: five questions, never mixed. Is it authentic, by whom, about whom, current as of when and by whose word, and
//! is the issuer one whom the verifier trusts.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use creditbank_protocol::dates::{date_of, day_of_ms, show as date};
use creditbank_protocol::pb::AwardBasis;
use creditbank_protocol::record::RestsOn;
use creditbank_protocol::transcript::{Report, TRANSCRIPT_LEN_MAX, TranscriptRecord, verify};
use creditbank_protocol::{InstitutionId, names};
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::summary::{Summary, agreement, equivalence};
use crate::{output, show};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The transcript
    file: PathBuf,
}

/// The bytes of a transcript file: not more than one may have, and one.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    let most = TRANSCRIPT_LEN_MAX as u64 + 1;
    File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut file)).map_err(Failure::file(path))?;
    Ok(file)
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.file;
    let trust = global.trust()?;
    let file = read_file(path)?;
    let report = match verify(&file, &trust) {
        Ok(report) => report,
        Err(error) => {
            if global.json {
                let value = json!({ "valid": false, "authentic": false, "broken": error.to_string() });
                output::print(global, &value, String::new)?;
            }
            return Err(Failure::Told(format!("{} is NOT VALID: {error}", path.display())));
        }
    };
    let records = report.records.iter().map(|one| value(&report, one)).collect::<Result<Vec<_>, _>>()?;
    let lines = report.records.iter().map(|one| line(&report, one)).collect::<Result<Vec<_>, _>>()?;
    let value = json!({
        "valid": report.is_valid(),
        "authentic": true,
        "log": report.origin,
        "log_size": report.size,
        "sealed_at": time(report.sealed_at_ms),
        "witnesses": report.witnesses,
        "complete_for": report.statement.complete_for.map(|institution| institution.0),
        "withheld": report.statement.withheld,
        "holder_key": report.statement.holder_key.map(hex::encode),
        "identity": report.statement.identity.map(|place| place.to_string()),
        "records": records,
    });
    output::print(global, &value, || text(&report, &lines))?;
    doubtful(&report)
}

/// What ends a command that has shown what a transcript proves: exit code 1 where a record is not to be relied on.
pub(super) fn doubtful(report: &Report) -> Result<(), Failure> {
    let doubtful = report.records.iter().filter(|record| !record.standing().is_valid()).count();
    if doubtful > 0 {
        let all = report.records.len();
        let what = format!("{doubtful} of {all} records are authentic but not to be relied on, as said beside them");
        return Err(Failure::Told(what));
    }
    Ok(())
}

/// `2026-11-23T15:54:02Z` of milliseconds since 1970.
pub(crate) fn time(ms: u64) -> String {
    let seconds = ms / 1_000 % 86_400;
    let date = date(&date_of(day_of_ms(ms)));
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The name of an institution as of the checkpoint.
fn name(report: &Report, id: InstitutionId) -> String {
    let name = report.institution(id).and_then(|entry| entry.names.first()).and_then(|name| name.name.as_ref());
    name.map_or_else(|| format!("institution {id}"), |name| show::safe(&name.value))
}

/// By whom, in words: who issued, for whom, who keeps the records of a closed institution, who stands by a contested one.
fn by_whom(report: &Report, record: &TranscriptRecord) -> String {
    let mut text = name(report, record.unit.institution);
    if let Some(other) = record.on_behalf_of {
        text = format!("{}, amended by its custodian {text}", name(report, other));
    } else if let Some(keeper) = record.kept_by {
        text = format!("{text}, kept by custodian {}", name(report, keeper));
    }
    if let Some(rests_on) = &record.rests_on {
        text = format!("{text}; {}", foundation(rests_on));
    }
    if let Some(entry) = record.redeemed {
        text = format!("{text}, redeemed in entry {entry}: valid, and spent");
    }
    if let Some(entry) = record.under_review {
        text = format!("{text}, UNDER REVIEW since entry {entry}: something that it stands on has changed");
    }
    if let Some(entry) = record.confirmed {
        text = format!("{text}, confirmed in entry {entry} after its key was compromised");
    }
    text
}

/// On what an award or a conversion rests, which a reader must always see.
fn foundation(rests_on: &RestsOn) -> String {
    match rests_on {
        RestsOn::Award { basis, certificate_number, conferred } => {
            let basis = match basis {
                AwardBasis::Audited => "AUDITED: the ledger has recomputed it",
                AwardBasis::Declared => "DECLARED: the institution's word, no records fill it",
                AwardBasis::Honorary => "HONORARY",
                AwardBasis::Unspecified => "on no known basis",
            };
            let number = certificate_number.as_deref().map_or("not shown".to_owned(), show::safe);
            let conferred = conferred.as_ref().map(date).unwrap_or_default();
            format!("award {basis}; certificate {number}, conferred {conferred}")
        }
        RestsOn::Agreement(name) => format!("converted by agreement {}", agreement(name)),
        RestsOn::Equivalence(name) => format!("converted by equivalence {}", equivalence(name)),
        RestsOn::Assessment { assessor } => format!("converted by the assessment of {}", show::safe(assessor)),
    }
}

/// A record as JSON.
fn value(report: &Report, one: &TranscriptRecord) -> Result<Value, Failure> {
    let info = one.disclosed.info;
    Ok(json!({
        "verdict": one.standing().name(),
        "missing_claim": one.missing_claim,
        "kind": names::of(info.kind),
        "place": one.place.to_string(),
        "institution": one.unit.institution.0,
        "unit": one.unit.number,
        "issuer": name(report, one.unit.institution),
        "issuer_trusted": one.issuer_trusted,
        "on_behalf_of": one.on_behalf_of.map(|institution| institution.0),
        "kept_by": one.kept_by.map(|institution| institution.0),
        "confirmed_in": one.confirmed.map(|entry| entry.0),
        "redeemed_in": one.redeemed.map(|entry| entry.0),
        "under_review_in": one.under_review.map(|entry| entry.0),
        "rests_on": one.rests_on.as_ref().map(foundation),
        "key_id": one.key_id.to_string(),
        "sealed_at": time(one.sealed_at_ms),
        "status_id": one.status_id.to_string(),
        "record": show::body(info.name(), &one.disclosed.body)?,
    }))
}

/// A record in one line.
fn line(report: &Report, one: &TranscriptRecord) -> Result<String, Failure> {
    let kind = one.disclosed.info.kind;
    let about = Summary::of(kind, &one.disclosed.body)?.columns().join("  ");
    let (standing, kind, place) = (one.standing(), names::of(kind), one.place);
    let (by, sealed) = (by_whom(report, one), time(one.sealed_at_ms));
    Ok(format!("{standing}  {kind} {place}  {about}  {by}; sealed {sealed} under key {}", one.key_id))
}

fn text(report: &Report, lines: &[String]) -> String {
    let witnesses = match report.witnesses.as_slice() {
        [] => "none: the log's operator alone vouches for this history".to_owned(),
        names => names.join(", "),
    };
    let complete = match report.statement.complete_for {
        Some(institution) => format!("all records of {} about this person", name(report, institution)),
        None => "some records about this person; nobody says that these are all".to_owned(),
    };
    let complete = match report.statement.withheld {
        0 => complete,
        withheld => format!("{complete}; {withheld} of them are not shown"),
    };
    let identity = report.statement.identity.map_or("no Identity record".to_owned(), |place| place.to_string());
    let facts = output::facts([
        ("authentic", "yes: every hash, proof and signature holds".to_owned()),
        ("log", format!("{}, {} entries", report.origin, report.size)),
        ("as of", format!("{} (the operator's clock)", time(report.sealed_at_ms))),
        ("witnesses", witnesses),
        ("about", "one person, by the operator's word".to_owned()),
        ("holder's key", report.statement.holder_key.map_or("none bound".to_owned(), hex::encode)),
        ("identity", identity),
        ("contains", complete),
        ("status", "as of then; newer: creditbank status FILE".to_owned()),
    ]);
    format!("{facts}\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(1_795_449_242_000), "2026-11-23T15:54:02Z");
        assert_eq!(time(951_782_400_000), "2000-02-29T00:00:00Z");
    }
}
