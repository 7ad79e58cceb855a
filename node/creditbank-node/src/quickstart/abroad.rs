//! The learner continues in another country: an agreement, a conversion, a degree audit, an award, and a second award
//! for the same credit.

use std::path::Path;

use anyhow::Context as _;
use creditbank_client::authoring::{agreement, qualification};
use creditbank_client::recognition::consent::{Consent, Given};
use creditbank_client::recognition::derived::{self, Completion};
use creditbank_client::sealing::{Contents, Options, Sealed, record, seal_block};
use creditbank_client::{Client, ClientError, IssuingUnit, validity};
use creditbank_protocol::mandate::terms_digest;
use creditbank_protocol::pb::{self, AgreementName, Award, Conversion, Date, DisclosedRecord, Kind};
use creditbank_protocol::transcript::open_file;
use creditbank_protocol::{LogIndex, Place};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    EvaluateQualificationRequest, EvaluateQualificationResponse, EvaluationOutcome, InstitutionAlias, LearnerReference,
    PreviewConversionRequest, PreviewSource,
};
use creditbank_rules::agreement::loops;
use creditbank_rules::dates::first_day;

use super::admit::ABROAD;

/// The agreement and the certificate, as their authors write them.
const AGREEMENT: &str = include_str!("agreement.toml");
const CERTIFICATE: &str = include_str!("certificate.toml");
/// The day as of which the agreement is judged.
const DAY: Date = Date { year: 2026, month: 1, day: 1 };

/// An institution that takes part.
pub(super) struct Party<'a> {
    pub(super) client: &'a Client,
    pub(super) unit: &'a IssuingUnit,
    /// Where its notes are.
    pub(super) work: &'a Path,
}

impl Party<'_> {
    /// Seals one block; returns its log index.
    async fn seal(&self, contents: &Contents) -> Result<LogIndex, ClientError> {
        let options = Options { work: self.work, require_approval: false };
        match seal_block(self.client, self.unit, contents, options, |_| ()).await? {
            Sealed::Done(entry) => Ok(entry),
            Sealed::Already | Sealed::Waiting(_) => Err(ClientError::Local("the block was sealed before".to_owned())),
        }
    }
}

/// Both sign the same text. Loops through which credit would grow are counted; here there are none.
pub(super) async fn agree(home: &Party<'_>, abroad: &Party<'_>) -> anyhow::Result<usize> {
    let terms = agreement::parse(AGREEMENT)?;
    let proposal = pb::AgreementProposal { institution: terms.sender, terms: Some(terms.clone()) };
    home.seal(&Contents::of([record(home.unit, Kind::AgreementProposal, &proposal, "")?])).await?;
    let acceptance = pb::AgreementAcceptance {
        institution: terms.receiver,
        agreement: Some(agreement_name()),
        terms_digest: terms_digest(&terms)?.0.to_vec(),
    };
    abroad.seal(&Contents::of([record(abroad.unit, Kind::AgreementAcceptance, &acceptance, "")?])).await?;
    Ok(loops(&abroad.client.rules_registry().await?, &terms, first_day(&DAY)).len())
}

fn agreement_name() -> AgreementName {
    AgreementName { code: "OU-ESSAI".to_owned(), version: 1 }
}

/// A certificate of 40 ECTS at level 5, and nothing else.
pub(super) async fn publish_certificate(abroad: &Party<'_>) -> anyhow::Result<()> {
    let definition = qualification::parse(CERTIFICATE, Some(ABROAD))?;
    abroad.seal(&Contents::of([record(abroad.unit, Kind::QualificationDefinition, &definition, "")?])).await?;
    Ok(())
}

/// The Credits of a verified transcript, with all their fields.
pub(super) fn credits(transcript: &[u8]) -> anyhow::Result<Vec<DisclosedRecord>> {
    let records = open_file(transcript)?.records;
    Ok(records.into_iter().filter(|record| record.kind == i32::from(Kind::Credit)).collect())
}

/// Converts the credits of a transcript, step by step. Returns the record, and the steps in words.
pub(super) async fn convert(
    abroad: &Party<'_>,
    alias: &[u8],
    credits: &[DisclosedRecord],
) -> anyhow::Result<(Conversion, Vec<String>)> {
    let sources = credits.iter().map(|record| PreviewSource { place: record.place, result_plus_1: 0 }).collect();
    let request = PreviewConversionRequest {
        institution: ABROAD,
        alias: alias.to_vec(),
        agreement: Some(agreement_name()),
        sources,
        shown: credits.to_vec(),
        ..Default::default()
    };
    let preview = abroad.client.preview_conversion(request).await?;
    let steps = preview.explanation.clone();
    let consent = Consent::Paper { reference: "transfer form 1".to_owned(), acts: Vec::new() };
    let completion = Completion { decider: "C. Martin", given: given(&consent, "1") };
    let (conversion, contents) = derived::conversion(abroad.client, abroad.unit, preview, completion)?;
    abroad.seal(&contents).await?;
    Ok((conversion, steps))
}

/// How far the learner is with the certificate, and the draft of the award.
pub(super) async fn progress(
    abroad: &Party<'_>,
    alias: &[u8],
) -> anyhow::Result<(EvaluateQualificationResponse, Option<Award>)> {
    let known = InstitutionAlias { institution: ABROAD, alias: alias.to_vec() };
    let request = EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(pb::QualificationName { institution: ABROAD, code: "CERTIFICAT".to_owned(), version: 1 }),
        ..Default::default()
    };
    Ok(abroad.client.evaluate(request).await?)
}

/// Whether all requirements are met.
pub(super) fn is_met(answer: &EvaluateQualificationResponse) -> bool {
    answer.outcome() == EvaluationOutcome::Met
}

/// Seals the award; returns its place.
pub(super) async fn award(abroad: &Party<'_>, draft: &Award, certificate: &str) -> Result<String, ClientError> {
    let document = pb::AwardDocument {
        r#type: pb::AwardDocumentType::Certificate.into(),
        number: Some(pb::DocumentNumber { series: String::new(), number: certificate.to_owned() }),
        issued: draft.conferred,
        state: pb::AwardDocumentState::Issued.into(),
        ..Default::default()
    };
    let draft = Award { documents: vec![document], kind: pb::AwardKind::Certificate.into(), ..draft.clone() };
    let consent = Consent::Paper { reference: format!("application for {certificate}"), acts: Vec::new() };
    let completion = Completion { decider: "C. Martin", given: given(&consent, certificate) };
    let (_, contents) = derived::award(abroad.client, abroad.unit, draft, completion)?;
    Ok(Place::new(abroad.seal(&contents).await?, 0).to_string())
}

/// Tries to award the same credit again, under another number. Returns the rule by which this is refused.
pub(super) async fn again(abroad: &Party<'_>, draft: &Award) -> anyhow::Result<Option<(String, String)>> {
    match award(abroad, draft, "E-2").await {
        Err(ClientError::Refused(refusal)) => Ok(Some((refusal.reason, refusal.message))),
        Err(other) => Err(other).context("the second award"),
        Ok(_) => Ok(None),
    }
}

/// A consent for the usual period.
fn given<'a>(consent: &'a Consent, reference: &'a str) -> Given<'a> {
    Given { consent, until_minute: validity::last_minute(validity::DAYS_STANDARD), reference }
}
