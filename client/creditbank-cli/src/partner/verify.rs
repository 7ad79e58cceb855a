//! `verify`: five questions, never mixed. Is it authentic, by whom, about whom, current as of when and by whose word, and
//! is the issuer one whom the verifier trusts.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use creditbank_protocol::authority::custodians;
use creditbank_protocol::pb;
use creditbank_protocol::transcript::{Report, TRANSCRIPT_LEN_MAX, TranscriptRecord, verify};
use creditbank_rules::dates::{date_of, day_of_ms, show};
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

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
    let records = report.records.iter().map(|one| record(&report, one)).collect::<Result<Vec<_>, _>>()?;
    let doubtful = records.iter().filter(|record| record["verdict"] != "authentic").count();
    let value = json!({
        "valid": doubtful == 0,
        "authentic": true,
        "log": report.origin,
        "log_size": report.size,
        "sealed_at": time(report.sealed_at_ms),
        "witnesses": report.witnesses,
        "complete_for": report.statement.complete_for,
        "withheld": report.statement.withheld,
        "holder_key": report.statement.holder_key.map(hex::encode),
        "identity": report.statement.identity.as_ref().map(values::show_place),
        "records": records,
    });
    output::print(global, &value, || text(&report, &records))?;
    if doubtful > 0 {
        let what = format!(
            "{doubtful} of {} records are authentic but not to be relied on, as said beside them",
            records.len()
        );
        return Err(Failure::Told(what));
    }
    Ok(())
}

/// `2026-11-23T15:54:02Z` of milliseconds since 1970.
pub(crate) fn time(ms: u64) -> String {
    let seconds = ms / 1_000 % 86_400;
    let date = show(&date_of(day_of_ms(ms)));
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The name of an institution as of the checkpoint, and whether the trust file names it.
fn issuer(report: &Report, number: u64) -> (String, bool) {
    let found = report.institutions.iter().find(|institution| institution.number == number);
    let name = found.and_then(|one| one.entry.names.first()).and_then(|name| name.name.as_ref());
    let shown = name.map_or_else(|| format!("institution {number}"), |name| show::safe(&name.value));
    (shown, found.is_some_and(|institution| institution.trusted))
}

/// The custodian of the record's institution as of the checkpoint, where that is closed.
fn kept_by(report: &Report, record: &TranscriptRecord) -> Option<u64> {
    let subject = record.on_behalf_of.unwrap_or(record.institution);
    let entry = &report.institutions.iter().find(|one| one.number == subject)?.entry;
    let keeper = custodians(entry, &report.custodians, day_of_ms(report.sealed_at_ms)).next()?;
    Some(keeper.number)
}

/// By whom, in words: who issued, for whom, who keeps the records of a closed institution, who stands by a contested one.
fn by_whom(report: &Report, record: &Value) -> String {
    let name = |number: &Value| number.as_u64().map(|number| named(report, number));
    let mut text = show::line(&record["issuer"]);
    if let Some(other) = name(&record["on_behalf_of"]) {
        text = format!("{other}, amended by its custodian {text}");
    } else if let Some(keeper) = name(&record["kept_by"]) {
        text = format!("{text}, kept by custodian {keeper}");
    }
    let rests_on = show::line(&record["rests_on"]);
    if !rests_on.is_empty() {
        text = format!("{text}; {rests_on}");
    }
    if let Some(entry) = record["redeemed_in"].as_u64() {
        text = format!("{text}, redeemed in entry {entry}: valid, and spent");
    }
    if let Some(entry) = record["under_review_in"].as_u64() {
        text = format!("{text}, UNDER REVIEW since entry {entry}: something that it stands on has changed");
    }
    if let Some(entry) = record["confirmed_in"].as_u64() {
        text = format!("{text}, confirmed in entry {entry} after its key was compromised");
    }
    text
}

/// The name of an institution that the transcript has.
fn named(report: &Report, number: u64) -> String {
    let custodian = report.custodians.iter().find(|one| one.number == number);
    let name = custodian.and_then(|one| one.names.first()).and_then(|name| name.name.as_ref());
    name.map_or_else(|| issuer(report, number).0, |name| show::safe(&name.value))
}

/// On what an award or a conversion rests, which a reader must always see; nothing for other records.
fn rests_on(body: &Value) -> Option<String> {
    let text = |name: &str| show::line(&body[name]);
    if let Some(basis) = body["basis"].as_str() {
        let basis = match basis {
            "audited" => "AUDITED: the ledger has recomputed it",
            "declared" => "DECLARED: the institution's word, no records fill it",
            "honorary" => "HONORARY",
            _ => "on no known basis",
        };
        let number = match text("certificate_number") {
            number if number.is_empty() => "not shown".to_owned(),
            number => number,
        };
        return Some(format!("award {basis}; certificate {number}, conferred {}", text("conferred")));
    }
    let by = |name: &str, word: &str| {
        crate::registrar::learner::named(&body[name]).map(|name| format!("converted by {word} {name}"))
    };
    by("agreement", "agreement").or_else(|| by("equivalence", "equivalence")).or_else(|| {
        let assessor = body["assessment"]["assessor"].as_str()?;
        Some(format!("converted by the assessment of {}", show::safe(assessor)))
    })
}

fn verdict(record: &TranscriptRecord, trusted: bool) -> &'static str {
    match (record.missing_claim, record.contested, trusted) {
        _ if record.ended == Some(pb::Action::Revoke) => "revoked",
        _ if record.ended.is_some() => "superseded",
        (Some(_), ..) => "incomplete",
        (None, true, _) => "contested",
        (None, false, false) => "issuer not trusted",
        (None, false, true) => "authentic",
    }
}

fn record(report: &Report, one: &TranscriptRecord) -> Result<Value, Failure> {
    let name = one.disclosed.info.name();
    let (institution, trusted) = issuer(report, one.institution);
    let body = show::body(name, &one.disclosed.body)?;
    Ok(json!({
        "verdict": verdict(one, trusted),
        "missing_claim": one.missing_claim,
        "kind": show::kind_names(one.disclosed.info.kind).1,
        "place": values::show_place(&one.place),
        "institution": one.institution,
        "unit": one.unit,
        "issuer": institution,
        "issuer_trusted": trusted,
        "on_behalf_of": one.on_behalf_of,
        "kept_by": kept_by(report, one),
        "confirmed_in": one.confirmed,
        "redeemed_in": one.redeemed,
        "under_review_in": one.under_review,
        "rests_on": rests_on(&body),
        "key_id": one.key_id.to_string(),
        "sealed_at": time(one.sealed_at_ms),
        "status_id": one.status_id.to_string(),
        "record": body,
    }))
}

fn text(report: &Report, records: &[Value]) -> String {
    let witnesses = match report.witnesses.as_slice() {
        [] => "none: the log's operator alone vouches for this history".to_owned(),
        names => names.join(", "),
    };
    let complete = match report.statement.complete_for {
        Some(number) => format!("all records of {} about this person", issuer(report, number).0),
        None => "some records about this person; nobody says that these are all".to_owned(),
    };
    let complete = match report.statement.withheld {
        0 => complete,
        withheld => format!("{complete}; {withheld} of them are not shown"),
    };
    let facts = output::facts([
        ("authentic", "yes: every hash, proof and signature holds".to_owned()),
        ("log", format!("{}, {} entries", report.origin, report.size)),
        ("as of", format!("{} (the operator's clock)", time(report.sealed_at_ms))),
        ("witnesses", witnesses),
        ("about", "one person, by the operator's word".to_owned()),
        ("holder's key", report.statement.holder_key.map_or("none bound".to_owned(), hex::encode)),
        ("identity", report.statement.identity.as_ref().map_or("no Identity record".to_owned(), values::show_place)),
        ("contains", complete),
        (
            "status",
            "only what the blocks in this file say: later amendments and revocations are not excluded".to_owned(),
        ),
    ]);
    let lines = records.iter().map(|record| {
        let course = crate::registrar::learner::row(record);
        format!(
            "{}  {} {}  {}  {}  {}  {}  {}  {}; sealed {} under key {}",
            show::line(&record["verdict"]),
            course[1],
            course[0],
            course[2],
            course[3],
            course[4],
            course[5],
            course[6],
            by_whom(report, record),
            show::line(&record["sealed_at"]),
            show::line(&record["key_id"]),
        )
    });
    format!("{facts}\n{}", lines.collect::<Vec<_>>().join("\n"))
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
