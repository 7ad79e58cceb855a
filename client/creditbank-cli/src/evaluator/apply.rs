//! `apply`: an application for recognition, as the institution that receives it records it.

use std::path::PathBuf;

use creditbank_client::evidence;
use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::dates;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::mandated::Mandated;
use super::shown::{Shown, reference};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Your alias of the applicant, in hexadecimal
    #[arg(long, value_parser = values::hex16)]
    alias: [u8; 16],
    /// study, work or regulated-profession
    #[arg(long, value_parser = purpose)]
    purpose: i32,
    /// What is asked, in the applicant's words
    #[arg(long)]
    asked: String,
    /// Code of the legal deadline: see `creditbank registry list legal-deadline`
    #[arg(long)]
    deadline: String,
    /// A record that it is about: entry and index, as 34/718
    #[arg(long = "record", value_parser = values::place, value_name = "PLACE")]
    records: Vec<pb::Place>,
    /// The transcript that shows records of other institutions
    #[arg(long, value_name = "FILE.cbt")]
    transcript: Option<PathBuf>,
    /// A document that stays with you: its SHA-256 stands in the record
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// The day on which it was received [default: today]
    #[arg(long, value_parser = values::date)]
    received: Option<pb::Date>,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

fn purpose(text: &str) -> Result<i32, String> {
    values::code("RECOGNITION_PURPOSE", text, pb::RecognitionPurpose::from_str_name)
}

/// The digests of documents, as the set that they are.
pub(super) fn digests(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut digests =
        files.iter().map(|path| Ok(evidence::digest(path)?.to_vec())).collect::<Result<Vec<_>, Failure>>()?;
    digests.sort_unstable();
    digests.dedup();
    Ok(digests)
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { alias, purpose, asked, deadline, records, transcript, evidence, received, mandated, signing } =
        arguments;
    let consent = mandated.consent()?;
    let evidence = digests(&evidence)?;
    let shown = transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let law = client.registry_entry(&RegistryKey::LegalDeadline(deadline.clone())).await?;
    let unknown = || Failure::NotValid(format!("the registry has no legal deadline {}", show::safe(&deadline)));
    let law: pb::LegalDeadline = law.ok_or_else(unknown)?.decode()?;
    let mut references = Vec::with_capacity(records.len());
    for place in records {
        references.push(reference(&client, shown.as_ref(), place).await?);
    }
    references.sort_by_cached_key(pb::RecordReference::encode_to_vec);
    references.dedup();
    let received = received.unwrap_or_else(creditbank_client::today);
    let draft = pb::Application {
        learner: alias.to_vec(),
        purpose,
        asked,
        records: references,
        evidence,
        received: Some(received),
        deadline,
        mandate: None,
        amends: None,
    };
    let given = mandate(client.origin(), &unit, Kind::Application, &draft, &consent)?;
    let application = pb::Application { mandate: Some(given), ..draft };
    let contents = Contents::of([record(&unit, Kind::Application, &application, &signing.reference)?]);
    let due = dates::show(&dates::date_of(dates::first_day(&received) + i64::from(law.decision_days)));
    let value = json!({
        "received": dates::show(&received), "due": due, "records": application.records.len(),
        "evidence": application.evidence.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let text = output::facts([
        ("application", show::safe(&application.asked)),
        ("received", dates::show(&received)),
        ("decision due", format!("{due} ({} days, {})", law.decision_days, show::safe(&law.legal_basis))),
        ("records", application.records.len().to_string()),
        ("documents", application.evidence.len().to_string()),
    ]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}
