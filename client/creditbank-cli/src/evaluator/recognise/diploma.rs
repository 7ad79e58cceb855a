//! The diploma of elsewhere that is recognised: recorded where it is new, and referred to where the ledger has it.

use std::path::PathBuf;

use creditbank_client::recognition::consent::{Consent, mandate};
use creditbank_client::sealing::{Contents, record};
use creditbank_client::{Client, IssuingUnit};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, ForeignAward, Kind, RecordReference};
use creditbank_protocol::{Alias, Digest, Place};
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rules::dates;
use creditbank_rules::foreign_key::DiplomaKey;
use serde_json::json;

use super::set;
use crate::connect::Global;
use crate::evaluator::mandated::{Mandated, wish};
use crate::evaluator::received::digests;
use crate::failure::Failure;
use crate::signing::{First, Signing};
use crate::{output, show, values};

/// What stands on the diploma.
#[derive(clap::Args)]
#[command(next_help_heading = "The diploma, where it is not recorded yet")]
pub(super) struct Diploma {
    /// Title of the qualification with its language, as "de:Diplom-Ingenieur"; may be repeated
    #[arg(long = "title", value_name = "TEXT", value_parser = values::text, required_unless_present_any = ["award", "diploma"])]
    titles: Vec<pb::Text>,
    /// Who conferred it
    #[arg(long, value_name = "NAME", default_value = "", required_unless_present_any = ["award", "diploma"])]
    conferred_by: String,
    /// The country of whoever conferred it, two capital letters
    #[arg(long, value_name = "CODE", default_value = "", required_unless_present_any = ["award", "diploma"])]
    country: String,
    /// Its number, as it stands on the document
    #[arg(long, value_name = "NUMBER", default_value = "")]
    number: String,
    /// The day or the month of its conferral
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    conferred: Option<pb::Date>,
    /// A document that stays with you: its SHA-256 stands in the record; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present_any = ["award", "diploma"])]
    evidence: Vec<PathBuf>,
    /// Another diploma of the holder that is like this one, and why it is another, as "34/0:STATUS-ID=The master's degree"; may
    /// be repeated. A refusal (`CLOSE_MATCH`) says place and status id
    #[arg(long, value_name = "PLACE:ID=REASON", value_parser = distinct)]
    distinct_from: Vec<pb::DistinctAward>,
}

/// `34/0:STATUS-ID`: a record of another institution, which says both.
pub(super) fn named(argument: &str) -> Result<RecordReference, String> {
    let expected = || format!("expected place and status id, as 34/0:{}, found {argument}", "7f".repeat(32));
    let (place, id) = argument.split_once([':', ' ']).ok_or_else(expected)?;
    let place: Place = place.trim().parse().map_err(|_| expected())?;
    let id = hex::decode(id.trim()).ok().and_then(|id| Digest::from_slice(&id)).ok_or_else(expected)?;
    Ok(RecordReference { place: place.written(), status_id: id.0.to_vec(), ..Default::default() })
}

fn distinct(argument: &str) -> Result<pb::DistinctAward, String> {
    let parts = argument.split_once('=').filter(|(_, reason)| !reason.trim().is_empty());
    let (award, reason) = parts.ok_or_else(|| format!("expected PLACE:ID=REASON, found {argument}"))?;
    Ok(pb::DistinctAward { award: Some(named(award)?), reason: reason.trim().to_owned() })
}

/// The diploma in the ledger: as it is recorded already, by this institution or another one, or else recorded now. `None` where
/// a second person has to approve that first, and of a dry run.
pub(super) async fn find(
    global: &Global,
    client: &Client,
    unit: &IssuingUnit,
    diploma: Diploma,
    (alias, mandated, consent): (&Alias, &Mandated, &Consent),
    signing: &Signing,
) -> Result<Option<RecordReference>, Failure> {
    let Diploma { titles, conferred_by, country, number, conferred, evidence, distinct_from } = diploma;
    let draft = ForeignAward {
        learner: alias.0.to_vec(),
        titles: set(titles),
        institution: conferred_by,
        country,
        number,
        conferred,
        evidence: digests(&evidence)?,
        distinct_from,
        mandate: None,
        amends: None,
    };
    let key = DiplomaKey::of(&draft);
    let own = InstitutionAlias { institution: unit.id.institution.0, alias: alias.0.to_vec() };
    for read in client.records(Learner::Alias(own)).await?.0 {
        let ended = read.marks.iter().any(|mark| mark == "superseded" || mark == "revoked");
        let is_diploma = read.disclosed.info.kind == Kind::ForeignAward && !ended;
        if is_diploma
            && decode(&read.disclosed.body).is_ok_and(|known: ForeignAward| key.is_same(&DiplomaKey::of(&known)))
        {
            let status_id = read.status_id.0.to_vec();
            return Ok(Some(RecordReference { place: read.place.written(), status_id, ..Default::default() }));
        }
    }
    let wish = wish(&signing.reference, &draft)?;
    let given =
        mandate(client.origin(), unit, Kind::ForeignAward, &draft, mandated.given(consent, &signing.reference))?;
    let made = ForeignAward { mandate: Some(given), ..draft };
    let contents = Contents::of([record(unit, Kind::ForeignAward, &made, &signing.reference)?]).requested(&wish);
    match signing.seal_first(global, client, unit, &contents, &wish, told(&made)).await? {
        First::Sealed(entry) => {
            let read = client.record(Place::new(entry, 0)).await?;
            let status_id = read.status_id.0.to_vec();
            Ok(Some(RecordReference { place: read.place.written(), status_id, ..Default::default() }))
        }
        // Whoever holds the diploma may know where another institution has recorded it.
        First::Known(found) => named(&found).map(Some).map_err(Failure::NotValid),
        First::Later => Ok(None),
    }
}

/// What is recorded, for programs and for people.
fn told(made: &ForeignAward) -> (serde_json::Value, String) {
    let title = |text: &pb::Text| show::safe(&format!("{} ({})", text.value, text.language));
    let titles: Vec<String> = made.titles.iter().map(title).collect();
    let conferred = made.conferred.as_ref().map(dates::show).unwrap_or_default();
    let by = show::safe(&format!("{}, {}", made.institution, made.country));
    let value = json!({
        "diploma": titles, "conferred_by": by, "number": show::safe(&made.number), "conferred": conferred,
        "evidence": made.evidence.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let facts = [
        ("diploma", titles.join("; ")),
        ("conferred by", by),
        ("number", show::safe(&made.number)),
        ("conferred", conferred),
        ("documents", made.evidence.len().to_string()),
    ];
    (value, output::facts(facts))
}
