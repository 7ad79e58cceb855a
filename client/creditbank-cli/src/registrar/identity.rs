//! `learner identity`: who a person is, as a document says. A newer one amends the former.

use creditbank_client::sealing::{Contents, record, supersede};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{
    AmendReason, Amends, Assurance, Date, DocumentType, Identity, Kind, PersonName, RecordReference,
};
use creditbank_protocol::status::Mark;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use prost_reflect::prost::Message as _;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Record who a learner is; where the learner has an Identity already, the new one stands in its place
    ///
    /// Names as the document has them, one for each script: --name zh-Hans:王小明 --name "zh-Latn:Wang Xiaoming".
    /// Family and given name apart: --name "en:DOE/Jane". A name without a language is of none ("und").
    #[command(verbatim_doc_comment)]
    Issue(Box<Issue>),
}

#[derive(clap::Args)]
pub(crate) struct Issue {
    /// Your alias of the learner, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// LANGUAGE:NAME, or LANGUAGE:FAMILY/GIVEN; may be repeated
    #[arg(long = "name", value_name = "NAME", value_parser = name, required = true)]
    names: Vec<PersonName>,
    /// As 1999-04-30; only the month where no more is known
    #[arg(long, value_parser = values::date)]
    birth_date: Date,
    /// What was looked at: passport, national-id, residence-permit, birth-certificate, electronic-id or other
    #[arg(long, value_parser = values::named::<DocumentType>)]
    document: DocumentType,
    /// How far it was verified, as in eIDAS: low, substantial or high
    #[arg(long, value_parser = values::named::<Assurance>)]
    assurance: Assurance,
    /// Why a former Identity is amended: error, name-change or other
    #[arg(long, value_parser = values::named::<AmendReason>, default_value = "name-change")]
    reason: AmendReason,
    #[command(flatten)]
    signing: Signing,
}

/// `zh-Hans:王小明`, `en:DOE/Jane`.
fn name(text: &str) -> Result<PersonName, String> {
    let text = values::text(text)?;
    if text.value.split('/').all(|part| part.trim().is_empty()) {
        return Err("expected LANGUAGE:NAME or LANGUAGE:FAMILY/GIVEN with a name, as en:DOE/Jane".to_owned());
    }
    Ok(match text.value.split_once('/') {
        Some((family, given)) => PersonName {
            language: text.language,
            family: family.trim().to_owned(),
            given: given.trim().to_owned(),
            ..Default::default()
        },
        None => PersonName { language: text.language, full: text.value, ..Default::default() },
    })
}

pub(super) async fn run(global: &Global, Command::Issue(issue): Command) -> Result<(), Failure> {
    let Issue { alias, mut names, birth_date, document, assurance, reason, signing } = *issue;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    names.sort_by_cached_key(PersonName::encode_to_vec);
    let made = Identity {
        learner: alias.0.to_vec(),
        names,
        birth_date: Some(birth_date),
        document: document.into(),
        assurance: assurance.into(),
        amends: None,
    };
    let learner = InstitutionAlias { institution: unit.id.institution.0, alias: alias.0.to_vec() };
    let (records, _) = client.records(Learner::Alias(learner)).await?;
    let former = records.iter().find(|one| {
        let ended = one.is(Mark::Superseded) || one.is(Mark::Revoked);
        one.disclosed.info.kind == Kind::Identity && one.subject() == unit.id.institution && !ended
    });
    let amends = former.map(|one| Amends { place: Some(one.place.into()), reason: reason.into() });
    if let Some(one) = former
        && let Ok(before) = creditbank_protocol::canonical::decode::<Identity>(&one.disclosed.body)
        && (Identity { amends: None, ..before }) == made
    {
        return Err(Failure::NotValid(format!("nothing was changed: the Identity at {} says so already", one.place)));
    }
    let made = Identity { amends, ..made };
    let mut contents = Contents::of([record(&unit, Kind::Identity, &made, &signing.reference)?]);
    if let Some(one) = former {
        let (place, status_id) = (Some(one.place.into()), one.status_id.0.to_vec());
        let former = RecordReference { place, status_id, ..Default::default() };
        supersede(&client, &unit, &mut contents, &former).await?;
    }
    let amended = former.map(|one| one.place.to_string());
    // What a person is called is not repeated on a terminal.
    let text = output::facts([
        ("identity", format!("{} names", made.names.len())),
        ("in the place of", amended.clone().unwrap_or_else(|| "none".to_owned())),
    ]);
    let value = json!({ "names": made.names.len(), "amends": amended });
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}
