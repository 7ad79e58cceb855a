//! `verify`: five questions, never mixed. Is it authentic, by whom, about whom, current as of when and by whose word,
//! and is the issuer one whom the verifier trusts. Only the exit code puts the answers together.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use creditbank_client::authoring::document_in_words;
use creditbank_client::now_ms;
use creditbank_protocol::counted;
use creditbank_protocol::dates::{date_of, day_of_ms, show as date};
use creditbank_protocol::key::FormerOrigin;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::{AwardBasis, Date, Kind, Late};
use creditbank_protocol::record::RestsOn;
use creditbank_protocol::transcript::{Current, Reliance, Report, TRANSCRIPT_LEN_MAX, TranscriptRecord, verify};
use creditbank_protocol::trust::duration_ms;
use creditbank_protocol::{InstitutionId, Trust, names};
use creditbank_rules::decimal::show_e4;
use serde_json::{Value, json};

use super::{who, why};
use crate::connect::Global;
use crate::failure::Failure;
use crate::summary::{Summary, agreement, equivalence};
use crate::values::minute;
use crate::{output, show};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The transcript
    file: PathBuf,
    /// Check it as of another time than now, as 2026-09-01 or 2026-09-01T08:30Z
    #[arg(long, value_parser = minute, value_name = "TIME")]
    at: Option<u64>,
    /// Ask the node for the status of the records as of now, and judge by that; the file stays as it is
    ///
    /// Without it nobody is asked: a record that was revoked after the file's status shows as it was then.
    #[arg(long, conflicts_with = "at")]
    status: bool,
    /// Do not rely on a status that is older, as 90m, 24h or 7d: exit code 4
    #[arg(long, value_parser = age_ms, value_name = "AGE")]
    max_age: Option<u64>,
}

fn age_ms(text: &str) -> Result<u64, String> {
    duration_ms(text).ok_or_else(|| "expected a number and its unit, as 90m, 24h or 7d".to_owned())
}

/// The bytes of a transcript file: not more than one may have, and one.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    let most = TRANSCRIPT_LEN_MAX as u64 + 1;
    File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut file)).map_err(Failure::file(path))?;
    Ok(file)
}

pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.file;
    let now = arguments.at.map_or_else(now_ms, |minute| minute.saturating_mul(60_000));
    let trust = global.trust()?;
    let mut file = read_file(path)?;
    if arguments.status {
        let before = verify(&file, &trust, now).ok();
        file = global.connect().await?.refresh(&file, before.as_ref()).await?.file;
    }
    let report = match verify(&file, &trust, now) {
        Ok(report) => report,
        Err(error) => {
            if global.json {
                let value = json!({ "valid": false, "authentic": false, "broken": error.to_string() });
                output::print(global, &value, String::new)?;
            }
            return Err(Failure::Told(why::not_valid(path, &file, &trust, &error)));
        }
    };
    if let Some(fork) = fork(&report, &global.seen(&trust), path) {
        if global.json {
            output::print(global, &json!({ "valid": false, "authentic": false, "broken": fork }), String::new)?;
        }
        return Err(Failure::Told(fork));
    }
    let records = report.records.iter().map(|one| value(&report, one)).collect::<Result<Vec<_>, _>>()?;
    let lines = report.records.iter().map(|one| line(&report, one)).collect::<Result<Vec<_>, _>>()?;
    let value = json!({
        "valid": report.is_valid(),
        "authentic": true,
        "axes": axes(&report),
        "log": report.origin,
        "log_size": report.size,
        "former": former(&report),
        "sealed_at": time(report.sealed_at_ms),
        "witnesses": report.witnesses,
        "complete_for": report.statement.complete_for.map(|institution| institution.0),
        "complete_as_of": report.statement.complete_for.map(|_| time(report.statement.as_of_ms)),
        "visible_on": date(&report.statement.visible_on),
        "whole": report.statement.is_whole,
        "holder_key": report.statement.holder_key.map(hex::encode),
        "identity": report.statement.identity.map(|place| place.to_string()),
        "person": who::value(&report)?,
        "records": records,
    });
    output::print(global, &value, || text(&report, &lines, &trust, now))?;
    relied_on(&report, path, now, arguments.at.is_some())?;
    young_enough(&report, path, arguments.max_age)
}

/// Says so where earlier commands have seen another history of the log at the very size of the file. Of other sizes only the
/// node could tell.
fn fork(report: &Report, seen: &[Checkpoint], path: &Path) -> Option<String> {
    let is_other =
        |seen: &&Checkpoint| seen.origin == report.origin && seen.size == report.size && seen.root != report.root;
    let seen = seen.iter().find(is_other)?;
    Some(format!(
        "{} is NOT of the log that was seen before: {} has the root {} at size {} there, and {} by what earlier commands have \
         kept (--log-state). Both are signed with the log's key, which signs two histories: keep the file, and ask the \
         operator and other readers which one they have (creditbank log checkpoint)",
        path.display(),
        report.origin,
        report.root,
        report.size,
        seen.root
    ))
}

/// Refuses a status that is older than the command allows.
fn young_enough(report: &Report, path: &Path, max_age: Option<u64>) -> Result<(), Failure> {
    match max_age.filter(|max| report.currency.age_ms > *max) {
        None => Ok(()),
        Some(max) => {
            let (shown, found, most) = (path.display(), age(report.currency.age_ms), age(max));
            Err(Failure::Stale(format!(
                "the status of {shown} is {found} old, and --max-age asks for at most {most}: creditbank verify {shown} \
                 --status asks the node"
            )))
        }
    }
}

/// The names that the log had before, for programs.
fn former(report: &Report) -> Value {
    report.former.iter().map(|former| json!({ "origin": former.origin, "size": former.size.0 })).collect()
}

/// What is asked of a transcript, each answered by itself.
pub(super) fn axes(report: &Report) -> Value {
    let replaced = report.replaced();
    let stands = |one: &TranscriptRecord| one.standing_in_log().is_valid() || replaced.contains_key(&one.place);
    let standing = report.records.iter().all(stands);
    let currency = &report.currency;
    json!({
        "authentic": true, "standing": standing, "current": currency.state.name(), "trusted": report.is_trusted(),
        "as_of": time(currency.as_of_ms), "age_s": currency.age_ms / 1_000, "by_witnesses": currency.by_witnesses,
    })
}

/// What ends a command that has shown what a transcript proves: by the first that holds (PROTOCOL.md, section 13,
/// "Reliance"), exit code 1, 4 or 0.
pub(super) fn relied_on(report: &Report, path: &Path, now_ms: u64, at: bool) -> Result<(), Failure> {
    let shown = path.display();
    match report.reliance() {
        Reliance::Doubtful => {
            let doubtful = report.doubtful().count();
            let all = report.records.len();
            let what = if all == 0 {
                format!("{shown} shows no record")
            } else {
                let what = why::doubtful(report);
                format!(
                    "{doubtful} of {} authentic but not to be relied on ({what}), as said beneath each",
                    counted(all, "record is", "records are")
                )
            };
            Err(Failure::Told(what))
        }
        Reliance::Clock => Err(Failure::Told(why::clock(report, path, now_ms, at))),
        Reliance::Stale => {
            let age = age(report.currency.age_ms);
            Err(Failure::Stale(format!("{shown} is stale, {age} old; ask for status: creditbank status {shown}")))
        }
        Reliance::Good => Ok(()),
    }
}

/// An age in its largest unit.
pub(super) fn age(ms: u64) -> String {
    let (number, unit) = match ms / 60_000 {
        minutes @ 0..120 => (minutes, "minutes"),
        minutes @ 120..2_880 => (minutes / 60, "hours"),
        minutes => (minutes / 1_440, "days"),
    };
    format!("{number} {unit}")
}

/// `2026-11-23T15:54:02Z` of milliseconds since 1970.
pub(crate) fn time(ms: u64) -> String {
    let seconds = ms / 1_000 % 86_400;
    let date = date(&date_of(day_of_ms(ms)));
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The name of an institution as of the checkpoint.
pub(super) fn name(report: &Report, id: InstitutionId) -> String {
    let name = report.institution(id).and_then(|entry| entry.names.first()).and_then(|name| name.name.as_ref());
    name.map_or_else(|| format!("institution {id}"), |name| show::safe(&name.value))
}

/// By whom, in words: who issued, for whom, who keeps the records of a closed institution, who stands by a contested
/// one.
fn by_whom(report: &Report, record: &TranscriptRecord, legal_basis: Option<&str>) -> String {
    let mut text = name(report, record.unit.institution);
    if let Some(other) = record.on_behalf_of {
        text = format!("{}, amended by its custodian {text}", name(report, other));
    } else if let Some(keeper) = record.kept_by {
        text = format!("{text}, kept by custodian {}", name(report, keeper));
    }
    if let Some(rests_on) = &record.rests_on {
        text = format!("{text}; {}", foundation(rests_on));
    }
    if let Some((day, late)) = &record.late {
        text = format!("{text}; {}", late_words(day, late, record));
    }
    if let Some(basis) = legal_basis {
        text = format!("{text}; BY LAW, without the learner's consent: {}", show::safe(basis));
    }
    if !record.approved_by.is_empty() {
        text = format!("{text}, approved by a second person");
    }
    if let Some(shown) = &record.accreditation {
        text = format!("{text}, accreditation {}", if shown.is_empty() { "not shown" } else { "shown" });
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

/// That a record comes late: the day that it names, the day on which it was recorded, why, and what the rules would say now.
fn late_words(day: &Date, late: &Late, record: &TranscriptRecord) -> String {
    let what = match record.disclosed.info.kind {
        Kind::Award => "conferred",
        Kind::Appeal => "received",
        _ => "decided",
    };
    let recorded = date(&date_of(day_of_ms(record.sealed_at_ms)));
    let now = match late.on_recording.as_str() {
        "" => String::new(),
        rule => format!("; on the day of recording the rules refused it: {}", show::safe(rule)),
    };
    let case = show::safe(&late.case_reference);
    let case = if case.is_empty() { String::new() } else { format!(" (case {case})") };
    format!("LATE: {what} on {}, recorded on {recorded}, because: {}{case}{now}", date(day), show::safe(&late.reason))
}

/// On what an award or a conversion rests, which a reader must always see.
fn foundation(rests_on: &RestsOn) -> String {
    match rests_on {
        RestsOn::Award { basis, documents, conferred, consumes, consumes_none, declared_e4, replaces } => {
            let basis = match basis {
                AwardBasis::Audited if *declared_e4 > 0 => "AUDITED",
                AwardBasis::Audited => "AUDITED: the ledger has recomputed it",
                AwardBasis::Declared => "DECLARED: the institution's word, no records fill it",
                AwardBasis::Honorary => "HONORARY",
                AwardBasis::Unspecified => "on no known basis",
            };
            let documents: Vec<String> = documents.iter().map(|one| show::safe(&document_in_words(one))).collect();
            let documents = if documents.is_empty() { "no document shown".to_owned() } else { documents.join("; ") };
            let conferred = conferred.as_ref().map(date).unwrap_or_default();
            let consumes = match (consumes_none, consumes) {
                (Some(reason), _) => format!("; CONSUMES NONE of the ledger's credits: {}", show::safe(reason)),
                (None, 0) => String::new(),
                (None, number) => format!("; consumes {}", counted(*number, "credit", "credits")),
            };
            let declared = match declared_e4 {
                0 => String::new(),
                amount => format!(", {} credits DECLARED, which nobody has recomputed", show_e4(*amount)),
            };
            let replaces =
                replaces.map(|place| format!("; in the place of the revoked award {place}")).unwrap_or_default();
            format!("award {basis}{declared}{consumes}; conferred {conferred}{replaces}; {documents}")
        }
        RestsOn::Agreement(name) => format!("converted by agreement {}", agreement(name)),
        RestsOn::Equivalence(name) => format!("converted by equivalence {}", equivalence(name)),
        RestsOn::Assessment { assessor } => format!("converted by the assessment of {}", show::safe(assessor)),
        RestsOn::Declared { reference, legal_basis } => format!(
            "DECLARED: the institution's word, decided before it was in the registry ({} by {})",
            show::safe(reference),
            show::safe(legal_basis)
        ),
    }
}

/// A record as JSON.
fn value(report: &Report, one: &TranscriptRecord) -> Result<Value, Failure> {
    let info = one.disclosed.info;
    Ok(json!({
        "verdict": one.standing().name(),
        "standing": one.standing_in_log().name(),
        "because": why::of(report, one),
        "contested_by": why::contested_by(one),
        "missing_claim": one.missing_claim,
        "hidden": one.disclosed.hidden().collect::<Vec<_>>(),
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
        "late": one.late.as_ref().map(|(day, late)| late_words(day, late, one)),
        "key_id": one.key_id.to_string(),
        "approved_by": one.approved_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "accreditation": one.accreditation.as_ref().map(|shown| if shown.is_empty() { "not shown" } else { "shown" }),
        "accreditations": one.accreditation,
        "sealed_at": time(one.sealed_at_ms),
        "sealed_by": report.corrected_ms(one).map(time),
        "status_id": one.status_id.to_string(),
        "record": show::body(info.name(), &one.disclosed.body)?,
    }))
}

/// A record in one line.
fn line(report: &Report, one: &TranscriptRecord) -> Result<String, Failure> {
    let kind = one.disclosed.info.kind;
    let about = Summary::of(kind, &one.disclosed.body)?.columns().join("  ");
    let (standing, kind, place) = (one.standing(), names::of(kind), one.place);
    let body = show::body(one.disclosed.info.name(), &one.disclosed.body)?;
    let legal_basis = body["mandate"]["legal_basis"].as_str().filter(|basis| !basis.is_empty());
    let by = by_whom(report, one, legal_basis);
    let sealed = match report.corrected_ms(one) {
        Some(bound) => format!("{} under a clock that was ahead, in truth by {}", time(one.sealed_at_ms), time(bound)),
        None => time(one.sealed_at_ms),
    };
    let hidden: Vec<&str> = one.disclosed.hidden().collect();
    let hidden =
        if hidden.is_empty() { String::new() } else { format!("; HIDDEN by the holder: {}", hidden.join(", ")) };
    let why = why::of(report, one).map(|why| format!("\n  {standing} because {why}")).unwrap_or_default();
    Ok(format!("{standing}  {kind} {place}  {about}  {by}; sealed {sealed} under key {}{hidden}{why}", one.key_id))
}

/// As of when the status holds, by whose word, and what this verifier makes of that.
fn current(report: &Report, now_ms: u64) -> String {
    let currency = &report.currency;
    let word = if currency.by_witnesses { "witnesses" } else { "the operator's word" };
    let state = match currency.state {
        Current::Current => "yes",
        Current::NotCurrent => "no; for a newer status: creditbank status FILE",
        Current::Stale => "STALE; ask for status: creditbank status FILE",
        Current::Clock => {
            let (as_of, now) = (time(currency.as_of_ms), time(now_ms));
            return format!("UNKNOWN: as of {as_of} by {word}, but it is {now} by this check");
        }
    };
    format!("{state}; as of {} by {word}, {} ago", time(currency.as_of_ms), age(currency.age_ms))
}

/// Whether the verifier trusts whoever signed.
fn trusted(report: &Report) -> String {
    let unknown = report.institutions.iter().filter(|institution| !institution.trusted);
    let unknown: Vec<String> = unknown.map(|institution| name(report, institution.id)).collect();
    if unknown.is_empty() { "yes: all issuers".to_owned() } else { format!("not {}", unknown.join(", ")) }
}

/// The log, and what it was called before.
fn log(report: &Report, trust: &Trust) -> String {
    let known = trust.policy.logs().iter().any(|log| log.name() == report.origin);
    let former = |former: &FormerOrigin| format!("{} up to entry {}", former.origin, former.size);
    let before: Vec<String> = report.former.iter().map(former).collect();
    let before = match (before.as_slice(), known) {
        ([], _) => String::new(),
        (before, true) => format!("; before: {}", before.join(", ")),
        (before, false) => format!(
            "; before: {}. The log goes on under this name since its key was stolen or entries were lost: get its new trust \
             file from the operator",
            before.join(", ")
        ),
    };
    format!("{}, {}{before}", report.origin, counted(report.size, "entry", "entries"))
}

/// What the file contains of all that there is.
fn contains(report: &Report) -> String {
    match (report.statement.complete_for, report.statement.is_whole) {
        (Some(institution), is_whole) => {
            let (name, as_of) = (name(report, institution), time(report.statement.as_of_ms));
            let visible = date(&report.statement.visible_on);
            if is_whole {
                format!("all records of {name} about this person up to {as_of} that are visible on {visible}")
            } else {
                format!(
                    "some or all records of {name} about this person up to {as_of} that are visible on {visible}: the \
                     holder may have left some out"
                )
            }
        }
        (None, true) => "records about this person; nobody says that there are no others".to_owned(),
        (None, false) => "records about this person; the holder may have left some out".to_owned(),
    }
}

fn text(report: &Report, lines: &[String], trust: &Trust, now_ms: u64) -> String {
    let witnesses = match report.witnesses.as_slice() {
        [] => "none: the log's operator alone vouches for this history".to_owned(),
        names => names.join(", "),
    };
    let facts = output::facts([
        ("authentic", "yes: every hash, proof and signature holds".to_owned()),
        ("trusted", trusted(report)),
        ("log", log(report, trust)),
        ("current", current(report, now_ms)),
        ("witnesses", witnesses),
        ("about", "one person, by the operator's word".to_owned()),
        ("holder's key", report.statement.holder_key.map_or("none bound".to_owned(), hex::encode)),
        ("identity", who::in_words(report)),
        ("contains", contains(report)),
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
