//! `qualification award`: the node's draft, completed by the person who answers for it.

use creditbank_client::Client;
use creditbank_client::derived::{Completion, award};
use creditbank_client::issue::IssuingUnit;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Award, AwardBasis, AwardKind};
use creditbank_rules::dates;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::{About, progress};
use crate::commands::mandated::Mandated;
use crate::commands::signing::Signing;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    about: About,
    /// Number of the certificate
    #[arg(long)]
    certificate: String,
    /// graduation, degree, diploma or certificate
    #[arg(long, value_parser = kind)]
    kind: i32,
    /// The person who answers for it
    #[arg(long)]
    decider: String,
    /// As "first class", where there is one
    #[arg(long, default_value = "")]
    classification: String,
    /// On the institution's word, without an audit: legacy or research degrees. Verifiers are always told
    #[arg(long, conflicts_with = "honorary")]
    declared: bool,
    /// Honorary. Verifiers are always told
    #[arg(long, requires = "titles", conflicts_with = "code")]
    honorary: bool,
    /// Title of an honorary award with the language, as "en:Doctor of Letters"
    #[arg(long = "title", value_parser = values::text, requires = "honorary")]
    titles: Vec<pb::Text>,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

fn kind(text: &str) -> Result<i32, String> {
    values::code("AWARD_KIND", text, AwardKind::from_str_name)
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let consent = arguments.mandated.consent()?;
    let client = global.connect().await?;
    let unit = arguments.signing.unit(global, &client).await?;
    let wish = wish(&arguments);
    if arguments.signing.resumed(global, &client, &unit, &wish, json!({})).await? {
        return Ok(());
    }
    let draft = draft(global, &client, &unit, &arguments).await?;
    let Arguments { certificate, kind, decider, classification, signing, .. } = arguments;
    let draft = Award { certificate_number: certificate, kind, classification, ..draft };
    let completion = Completion { decider: &decider, consent: &consent, reference: &signing.reference };
    let (made, contents) = award(&client, &unit, draft, completion)?;
    let bytes = encode(&made).map_err(|error| Failure::NotValid(error.to_string()))?;
    let basis = basis_name(made.basis());
    let value = json!({ "award": show::body("Award", &bytes)?, "basis": basis, "redeems": made.redeems.len() });
    let text = output::facts([
        ("award", title(&made)),
        ("basis", basis.to_owned()),
        ("certificate", show::safe(&made.certificate_number)),
        ("conferred", made.conferred.as_ref().map(dates::show).unwrap_or_default()),
        ("by", show::safe(&made.decider)),
        ("redeems", format!("{} records", made.redeems.len())),
    ]);
    signing.seal(global, &client, &unit, &contents.wished(&wish), (value, text)).await
}

/// What is wished, whatever the day: this certificate for this learner.
fn wish(arguments: &Arguments) -> Vec<u8> {
    let Arguments { about, certificate, signing, .. } = arguments;
    let code = about.code.as_deref().unwrap_or_default();
    let texts = [code, certificate, &signing.reference].map(str::as_bytes);
    [&b"award"[..], &about.alias, texts[0], &[0], texts[1], &[0], texts[2]].concat()
}

fn title(award: &Award) -> String {
    match &award.definition {
        Some(name) => show::safe(&format!("{}/{}.{}", name.institution, name.code, name.version)),
        None => award.titles.first().map(|title| show::safe(&title.value)).unwrap_or_default(),
    }
}

fn basis_name(basis: AwardBasis) -> &'static str {
    match basis {
        AwardBasis::Audited => "audited",
        AwardBasis::Declared => "declared",
        AwardBasis::Honorary => "honorary",
        AwardBasis::Unspecified => "not stated",
    }
}

/// The award without certificate, decider and mandate: the node's draft, or on the institution's word.
async fn draft(global: &Global, client: &Client, unit: &IssuingUnit, arguments: &Arguments) -> Result<Award, Failure> {
    let Arguments { about, declared, honorary, titles, decider, .. } = arguments;
    let word = Award { learner: about.alias.to_vec(), conferred: Some(about.conferred()), ..Default::default() };
    if *honorary {
        let mut titles = titles.clone();
        titles.sort_by_cached_key(pb::Text::encode_to_vec);
        return Ok(Award { basis: AwardBasis::Honorary.into(), titles, ..word });
    }
    if *declared {
        let definition = Some(about.name(client, unit.institution).await?);
        let attestations = about.attestations(decider);
        return Ok(Award { basis: AwardBasis::Declared.into(), definition, attestations, ..word });
    }
    let request = about.request(global, client, unit.institution, decider).await?;
    let (answer, found) = client.evaluate(request).await?;
    match found {
        Some(draft) if draft.learner == about.alias && draft.conferred == word.conferred => Ok(draft),
        Some(_) => {
            Err(creditbank_client::ClientError::Lie("the draft is about another learner or day".to_owned()).into())
        }
        None => {
            let told = progress::value(&answer);
            output::print(global, &told, || progress::text(&answer))?;
            Err(Failure::Told(format!("nothing was awarded: the requirements are {}", progress::outcome(&answer))))
        }
    }
}
