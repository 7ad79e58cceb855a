//! `qualification cosign`: another institution of a joint award reads it and signs.

use std::path::PathBuf;

use creditbank_client::recognition::joint::JointAward;
use creditbank_client::{Client, KeyPlace, validity};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::names;
use creditbank_protocol::pb::{Award, QualificationDefinition};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::dates;
use serde_json::json;

use super::award::{basis_name, title};
use super::documents;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::{ask, signer};
use crate::{entries, output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What the sealing institution has sent: see `creditbank qualification award --cosign-request`
    file: PathBuf,
    /// The signing key of one of your units, with awards in its scope
    #[arg(long)]
    key: KeyPlace,
    /// New file for the award with your signature, to send back or to the next institution
    #[arg(long)]
    out: PathBuf,
    /// Days for which the signature holds, today counted; an award that is not sealed by then needs another one
    #[arg(long, value_name = "DAYS", default_value_t = validity::DAYS_STANDARD, value_parser = values::days())]
    valid_days: u32,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, key, out, valid_days, yes } = arguments;
    let mut joint = JointAward::read(&file)?;
    // Signatures that are there hold, or nobody adds one.
    let award = joint.signed()?;
    let client = global.connect().await?;
    if joint.origin != client.origin() {
        let origin = show::safe(&joint.origin);
        return Err(Failure::NotValid(format!("the award is for the log {origin}, which is not the trust file's")));
    }
    let (unit, key) = signer(&client, &key).await?;
    let definition = definition(&client, &award).await?;
    let confer = |number: u64| definition.awarding.contains(&number);
    if !confer(unit.institution.0) || !confer(joint.institution) {
        return Err(Failure::NotValid(format!(
            "institutions {:?} confer {}; expected {} and {} among them",
            definition.awarding,
            title(&award),
            joint.institution,
            unit.institution.0
        )));
    }
    let until_minute = validity::last_minute(valid_days);
    let until = validity::shown(until_minute);
    let text = words(&award, &definition, &joint) + &output::facts([("holds until", until.clone())]);
    if !yes {
        eprintln!("{text}");
    }
    ask("Sign this award?", yes)?;
    joint.sign(unit.institution, &*key, until_minute)?;
    output::new_file(&out, (text_of(&joint)? + "\n").as_bytes(), true)?;
    let bytes = encode(&award).map_err(|error| Failure::NotValid(error.to_string()))?;
    let signed: Vec<u64> = joint.signatures.iter().map(|one| one.institution).collect();
    let value = json!({ "signed": out, "signed_by": signed, "until": until, "award": show::body("Award", &bytes)? });
    output::print(global, &value, || {
        let shown = if yes { text } else { String::new() };
        format!("{shown}{} has your signature: send it to institution {}.", out.display(), joint.institution)
    })
}

/// As the file has it.
pub(super) fn text_of(joint: &JointAward) -> Result<String, Failure> {
    serde_json::to_string_pretty(joint).map_err(|error| Failure::Usage(error.to_string()))
}

async fn definition(client: &Client, award: &Award) -> Result<QualificationDefinition, Failure> {
    let name = award.definition.clone().ok_or_else(|| Failure::NotValid("the award names no definition".to_owned()))?;
    let key = RegistryKey::QualificationDefinition(name.institution.into(), name.code, name.version);
    entries::read(client, &key, || format!("the registry has no definition {}", title(award))).await
}

/// The award in words, from the bytes that are signed.
fn words(award: &Award, definition: &QualificationDefinition, joint: &JointAward) -> String {
    let titles = definition.titles.iter().map(|title| show::safe(&title.value)).collect::<Vec<_>>().join("; ");
    let kind = names::of(award.kind());
    let attested = award.attestations.iter().map(|one| format!("{}: {}", one.requirement, show::safe(&one.text)));
    let facts = [
        ("award", format!("{}, {titles}", title(award))),
        ("kind", kind),
        ("basis", basis_name(award.basis()).to_owned()),
        ("learner", format!("{} (alias of institution {})", hex::encode(&award.learner), joint.institution)),
        ("documents", documents::words(award)),
        ("classification", show::safe(&award.classification)),
        ("conferred", award.conferred.as_ref().map(dates::show).unwrap_or_default()),
        ("by", show::safe(&award.decider)),
        ("records", format!("{} fill requirements, {} are redeemed", award.allocations.len(), award.redeems.len())),
        ("consumes none", show::safe(&award.consumes_none)),
        ("attested", attested.collect::<Vec<_>>().join("; ")),
        ("signed by", joint.signatures.iter().map(|one| one.institution.to_string()).collect::<Vec<_>>().join(", ")),
    ];
    output::facts(facts.into_iter().filter(|(_, text)| !text.is_empty()))
}
