//! `apply`: an application for recognition, as the institution that receives it records it.

use std::path::PathBuf;

use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind, RecognitionPurpose, Silence};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Alias, Place};
use creditbank_rules::{dates, deadline};
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::decide::unknown_holidays;
use super::mandated::{Mandated, wish};
use super::received::Received;
use super::shown::{Shown, reference};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{entries, output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Your alias of the applicant, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// study, work or regulated-profession
    #[arg(long, value_parser = values::named::<RecognitionPurpose>)]
    purpose: RecognitionPurpose,
    /// What is asked, in the applicant's words
    #[arg(long)]
    asked: String,
    /// Code of the legal deadline: see `creditbank registry list legal-deadline`
    #[arg(long)]
    deadline: String,
    /// A record that it is about: entry and index, as 34/718
    #[arg(long = "record", value_name = "PLACE")]
    records: Vec<Place>,
    /// The transcript that shows records of other institutions
    #[arg(long, value_name = "FILE.cbt")]
    transcript: Option<PathBuf>,
    #[command(flatten)]
    received: Received,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

fn silence(law: &pb::LegalDeadline) -> String {
    match law.silence() {
        Silence::CountsAsRefused => "it counts as refused".to_owned(),
        Silence::CountsAsGranted => "it counts as granted".to_owned(),
        Silence::OpensAppeal => "the applicant may appeal or go to court".to_owned(),
        Silence::Unspecified => "the entry does not say".to_owned(),
    }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { alias, purpose, asked, deadline, records, transcript, received, mandated, signing } = arguments;
    let consent = mandated.consent()?;
    let evidence = received.evidence()?;
    let shown = transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let unknown = || format!("the registry has no legal deadline {}", show::safe(&deadline));
    let law = RegistryKey::LegalDeadline(deadline.clone());
    let law: pb::LegalDeadline = entries::read(&client, &law, unknown).await?;
    let mut references = Vec::with_capacity(records.len());
    for place in records {
        references.push(reference(&client, shown.as_ref(), place).await?);
    }
    references.sort_by_cached_key(pb::RecordReference::encode_to_vec);
    references.dedup();
    let received = received.day();
    let draft = pb::Application {
        learner: alias.0.to_vec(),
        purpose: purpose.into(),
        asked,
        records: references,
        evidence,
        received: Some(received),
        deadline,
        mandate: None,
        amends: None,
    };
    let wish = wish(&signing.reference, &draft)?;
    let given =
        mandate(client.origin(), &unit, Kind::Application, &draft, mandated.given(&consent, &signing.reference))?;
    let application = pb::Application { mandate: Some(given), ..draft };
    let contents = Contents::of([record(&unit, Kind::Application, &application, &signing.reference)?]);
    let end = |term| dates::date_of(deadline::end_of(term, dates::first_day(&received), &law));
    let due = law.decision.as_ref().map(|term| (dates::show(&end(term)), term));
    let basis = show::safe(&law.legal_basis);
    let when = due.as_ref().map_or(format!("the law gives no number ({basis})"), |(day, term)| {
        let unknown = unknown_holidays(&law, end(term).year);
        format!("{day}{unknown} ({}, {basis})", deadline::show(term))
    });
    let value = json!({
        "received": dates::show(&received), "due": due.as_ref().map(|(day, _)| day), "records": application.records.len(),
        "evidence": application.evidence.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let text = output::facts([
        ("application", show::safe(&application.asked)),
        ("received", dates::show(&received)),
        ("decision due", when),
        ("where nothing is decided", silence(&law)),
        ("records", application.records.len().to_string()),
        ("documents", application.evidence.len().to_string()),
    ]);
    if signing.resumed(global, &client, &unit, &wish, value.clone()).await? {
        return Ok(());
    }
    signing.seal(global, &client, &unit, &contents.requested(&wish), (value, text)).await
}
