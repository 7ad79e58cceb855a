//! The learner goes on in another country: an agreement, a conversion, a degree audit, an award, and the same credit once more.

use std::path::Path;

use anyhow::Context as _;
use creditbank_client::IssuingUnit;
use creditbank_client::recognition::consent::Consent;
use creditbank_client::recognition::derived::{self, Completion};
use creditbank_client::sealing::{Contents, Options, Sealed, record, seal_block};
use creditbank_client::{Client, ClientError};
use creditbank_protocol::mandate::terms_digest;
use creditbank_protocol::pb::{self, AgreementName, AgreementTerms, Award, Conversion, DisclosedRecord, Kind};
use creditbank_protocol::transcript::open_file;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    EvaluateQualificationRequest, EvaluateQualificationResponse, EvaluationOutcome, InstitutionAlias, LearnerReference,
    PreviewConversionRequest, PreviewSource,
};
use creditbank_rules::agreement::loops;
use creditbank_rules::dates::first_day;

use super::admit::{ABROAD, NUMBER};

const AGREEMENT: &str = "OU-ESSAI";
const CERTIFICATE: &str = "CERTIFICAT";

/// An institution that takes part.
pub(super) struct Party<'a> {
    pub(super) client: &'a Client,
    pub(super) unit: &'a IssuingUnit,
    /// Where its notes are.
    pub(super) work: &'a Path,
}

impl Party<'_> {
    /// Seals one block; its log index.
    async fn seal(&self, contents: &Contents) -> Result<u64, ClientError> {
        let options = Options { work: self.work, require_approval: false };
        match seal_block(self.client, self.unit, contents, options, |_| ()).await? {
            Sealed::Done(entry) => Ok(entry),
            Sealed::Already | Sealed::Waiting(_) => Err(ClientError::Local("the block was sealed before".to_owned())),
        }
    }
}

fn text(language: &str, value: &str) -> pb::Text {
    pb::Text { language: language.to_owned(), value: value.to_owned() }
}

fn year(year: u32) -> pb::Date {
    pb::Date { year, month: 1, day: 1 }
}

/// 2 CATS are 1 ECTS, rounded once to half credits; levels by the published map; grades are not converted.
fn terms() -> AgreementTerms {
    AgreementTerms {
        code: AGREEMENT.to_owned(),
        version: 1,
        tier: pb::Tier::Institution.into(),
        sender: NUMBER,
        receiver: ABROAD,
        titles: vec![text("en", "Transfer of credit")],
        source_unit: "CATS".to_owned(),
        target_unit: "ECTS".to_owned(),
        ratio: Some(pb::Ratio { numerator: 1, denominator: 2 }),
        step_e4: 5_000,
        rounding: pb::Rounding::HalfEven.into(),
        apportionment: pb::Apportionment::LargestRemainder.into(),
        level_map: "FHEQ-EQF".to_owned(),
        grades: Some(pb::GradeRule { method: pb::GradeMethod::None.into(), ..Default::default() }),
        from: Some(year(2020)),
        notice_days: 180,
        ..Default::default()
    }
}

/// Both sign the same text. Loops through which credit would grow are reported; there is none here.
pub(super) async fn agree(home: &Party<'_>, abroad: &Party<'_>) -> anyhow::Result<usize> {
    let terms = terms();
    let proposal = pb::AgreementProposal { institution: NUMBER, terms: Some(terms.clone()) };
    home.seal(&Contents::of([record(home.unit, Kind::AgreementProposal, &proposal, "")?])).await?;
    let digest = terms_digest(&terms)?.0.to_vec();
    let acceptance = pb::AgreementAcceptance { institution: ABROAD, agreement: Some(name()), terms_digest: digest };
    abroad.seal(&Contents::of([record(abroad.unit, Kind::AgreementAcceptance, &acceptance, "")?])).await?;
    Ok(loops(&abroad.client.rules_registry().await?, &terms, first_day(&year(2026))).len())
}

fn name() -> AgreementName {
    AgreementName { code: AGREEMENT.to_owned(), version: 1 }
}

/// A certificate of 40 ECTS at level 5, and nothing else.
pub(super) async fn publish_certificate(abroad: &Party<'_>) -> anyhow::Result<()> {
    let level = pb::Level { framework: "EQF".to_owned(), level: "5".to_owned() };
    let requirement = pb::Requirement {
        r#type: pb::RequirementType::Credits.into(),
        amount_e4: 400_000,
        r#match: Some(pb::Match { levels: vec![level.clone()], ..Default::default() }),
        ..Default::default()
    };
    let definition = pb::QualificationDefinition {
        institution: ABROAD,
        code: CERTIFICATE.to_owned(),
        version: 1,
        titles: vec![text("fr", "Certificat d'essai")],
        level: Some(level),
        unit: "ECTS".to_owned(),
        requirements: vec![requirement],
        from: Some(year(2020)),
        source: "the quickstart".to_owned(),
        ..Default::default()
    };
    abroad.seal(&Contents::of([record(abroad.unit, Kind::QualificationDefinition, &definition, "")?])).await?;
    Ok(())
}

/// The Credits of a transcript that has been verified, whole.
pub(super) fn credits(transcript: &[u8]) -> anyhow::Result<Vec<DisclosedRecord>> {
    let records = open_file(transcript)?.records;
    Ok(records.into_iter().filter(|record| record.kind == i32::from(Kind::Credit)).collect())
}

/// Converts the credits of a transcript, step by step; the record, and the steps in words.
pub(super) async fn convert(
    abroad: &Party<'_>,
    alias: &[u8],
    credits: &[DisclosedRecord],
) -> anyhow::Result<(Conversion, Vec<String>)> {
    let sources = credits.iter().map(|record| PreviewSource { place: record.place, result_plus_1: 0 }).collect();
    let request = PreviewConversionRequest {
        institution: ABROAD,
        alias: alias.to_vec(),
        agreement: Some(name()),
        sources,
        shown: credits.to_vec(),
        ..Default::default()
    };
    let preview = abroad.client.preview_conversion(request).await?;
    let steps = preview.explanation.clone();
    let consent = Consent::Paper("transfer form 1".to_owned());
    let completion = Completion { decider: "C. Martin", consent: &consent, reference: "1" };
    let (conversion, contents) = derived::conversion(abroad.client, abroad.unit, preview, None, completion)?;
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
        definition: Some(pb::QualificationName { institution: ABROAD, code: CERTIFICATE.to_owned(), version: 1 }),
        ..Default::default()
    };
    Ok(abroad.client.evaluate(request).await?)
}

/// Whether the answer is that everything is met.
pub(super) fn is_met(answer: &EvaluateQualificationResponse) -> bool {
    answer.outcome() == EvaluationOutcome::Met
}

/// Seals the award; its place.
pub(super) async fn award(abroad: &Party<'_>, draft: &Award, certificate: &str) -> Result<String, ClientError> {
    let draft =
        Award { certificate_number: certificate.to_owned(), kind: pb::AwardKind::Certificate.into(), ..draft.clone() };
    let consent = Consent::Paper("application 1".to_owned());
    let completion = Completion { decider: "C. Martin", consent: &consent, reference: certificate };
    let (_, contents) = derived::award(abroad.client, abroad.unit, draft, completion)?;
    Ok(format!("{}/0", abroad.seal(&contents).await?))
}

/// Awards the same credit once more, under another number: the rule by which it is refused.
pub(super) async fn again(abroad: &Party<'_>, draft: &Award) -> anyhow::Result<Option<(String, String)>> {
    match award(abroad, draft, "E-2").await {
        Err(ClientError::Refused(refusal)) => Ok(Some((refusal.reason, refusal.message))),
        Err(other) => Err(other).context("the second award"),
        Ok(_) => Ok(None),
    }
}
