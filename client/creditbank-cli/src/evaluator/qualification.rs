//! `qualification`: what an award asks for, how far a learner is, and the award itself.

mod award;
mod check;
mod cosign;
mod document;
mod documents;
mod example;
mod file;
mod progress;

use std::path::PathBuf;

use creditbank_client::Client;
use creditbank_client::authoring::qualification::TEMPLATE;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::counted;
use creditbank_protocol::pb::{self, Kind, QualificationName};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Alias, InstitutionId, Place};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{EvaluateQualificationRequest, InstitutionAlias, LearnerReference, RecordPortion};
use serde_json::json;

use super::shown::Shown;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::{OneOrAll, own_or};
use crate::{entries, output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a commented definition to start from: `creditbank qualification template > my.toml`
    Template,
    /// Explain a definition in words, find what can never be met, and make up records that meet it
    ///
    /// Where no such records are found, nothing is promised: it is then only said that nothing speaks against it.
    ///
    /// With a trust file, by the registry of the node; without one, by the registry that a new node begins with, and nobody is
    /// asked: other institutions and definitions are taken as the file names them.
    Check {
        /// The definition: see `creditbank qualification template`
        file: PathBuf,
        /// Number of the institution that is to publish it, where the file leaves it out [default: 1]
        #[arg(long)]
        institution: Option<InstitutionId>,
    },
    /// Publish a definition of your institution; a later version replaces the ones before it
    Publish {
        /// The definition, in TOML (`creditbank qualification template`) or in JSON (`creditbank qualification show --json`)
        file: PathBuf,
        #[command(flatten)]
        signing: Box<Signing>,
    },
    /// The definitions of an institution, or of all
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
    /// One definition
    Show {
        /// Institution, code and version, as 2/BSC-INF.1; without a version the newest, without an institution your own
        name: String,
    },
    /// How far a learner is: what fills each requirement, what is missing, and what at hand does not count, and why
    Progress(Box<progress::Arguments>),
    /// Award a qualification: audited, with the records that fill it redeemed; or declared, or honorary
    Award(Box<award::Arguments>),
    /// The documents of an award: diploma, certificate, replacement
    #[command(subcommand)]
    Document(document::Command),
    /// Sign an award that another institution confers with yours: shows it, and then asks
    Cosign(cosign::Arguments),
}

/// Whose award, of which definition, judged by what.
#[derive(clap::Args)]
pub(crate) struct About {
    /// Code of the definition, and perhaps its version, as BSC-INF or BSC-INF.2; without one, the version on which the
    /// learner has enrolled last, or else the newest that is in force
    code: Option<String>,
    /// Your alias of the learner, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// The transcript that the learner has shown: records of other institutions
    #[arg(long, value_name = "FILE.cbt")]
    transcript: Option<PathBuf>,
    /// What a person attests of a requirement that records cannot show: its number and the words, as 7=Thesis passed
    #[arg(long = "attest", value_name = "N=TEXT", value_parser = attested)]
    attested: Vec<(u32, String)>,
    /// Who attests it
    #[arg(long, value_name = "NAME")]
    attested_by: Option<String>,
    /// An enrolment by which it is judged: entry and index, as 34/718; may be repeated [default: the learner's on this
    /// qualification that stand]
    #[arg(long = "enrolment", value_name = "PLACE")]
    enrolments: Vec<Place>,
    /// A record that is to be counted, or a result of one: entry and index, as 34/718 or 34/718#2; may be repeated
    #[arg(long = "use", value_name = "PLACE[#RESULT]", value_parser = values::source)]
    used: Vec<(Place, u32)>,
    /// A record that is not to be counted, or a result of one; may be repeated
    #[arg(long = "keep", value_name = "PLACE[#RESULT]", value_parser = values::source)]
    kept: Vec<(Place, u32)>,
    /// Another qualification that is to stay possible, as far as it can, as 2/MSC-INF or MSC-INF.1; may be repeated
    ///
    /// Those on which the learner is enrolled, registered or on leave, are left possible anyhow. Of several ways to fill
    /// the requirements the node offers one that takes least of the credit which these could count.
    #[arg(long, value_name = "CODE")]
    beside: Vec<String>,
    /// The day of conferral, by which everything is judged [default: today]
    #[arg(long, value_parser = values::date)]
    conferred: Option<pb::Date>,
}

fn attested(text: &str) -> Result<(u32, String), String> {
    let parts = text.split_once('=').filter(|(_, words)| !words.trim().is_empty());
    let read = parts.and_then(|(number, words)| Some((number.trim().parse().ok()?, words.trim().to_owned())));
    read.filter(|(number, _)| *number > 0)
        .ok_or_else(|| "expected the number of a requirement and words, as 7=Thesis passed".to_owned())
}

impl About {
    /// The definition, in its newest version where none is named.
    async fn name(&self, client: &Client, institution: InstitutionId) -> Result<QualificationName, Failure> {
        let missing = || Failure::Usage("name the definition by its code".to_owned());
        named(client, institution, self.code.as_deref().ok_or_else(missing)?).await
    }

    fn conferred(&self) -> pb::Date {
        self.conferred.unwrap_or_else(creditbank_client::today)
    }

    fn attestations(&self, by: &str) -> Vec<pb::Attestation> {
        let on = Some(self.conferred());
        let by = self.attested_by.as_deref().unwrap_or(by);
        let mut attestations: Vec<_> = self
            .attested
            .iter()
            .map(|(requirement, text)| pb::Attestation {
                requirement: *requirement,
                attested_by: by.to_owned(),
                text: text.clone(),
                on,
            })
            .collect();
        attestations.sort_by_key(|one| one.requirement);
        attestations
    }

    /// What the node is asked.
    async fn request(
        &self,
        global: &Global,
        client: &Client,
        institution: InstitutionId,
        by: &str,
    ) -> Result<EvaluateQualificationRequest, Failure> {
        let shown = self.transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
        let alias = InstitutionAlias { institution: institution.0, alias: self.alias.0.to_vec() };
        let mut beside = Vec::new();
        for text in &self.beside {
            beside.push(of_any(client, institution, text).await?);
        }
        Ok(EvaluateQualificationRequest {
            learner: Some(LearnerReference { learner: Some(Learner::Alias(alias)) }),
            definition: Some(self.name(client, institution).await?),
            conferred: Some(self.conferred()),
            shown: shown.map(|shown| shown.all_whole()).unwrap_or_default(),
            attestations: self.attestations(by),
            enrolments: self.enrolments.iter().map(|place| (*place).into()).collect(),
            r#use: portions(&self.used),
            keep: portions(&self.kept),
            beside,
        })
    }
}

fn portions(list: &[(Place, u32)]) -> Vec<RecordPortion> {
    list.iter()
        .map(|(place, result_plus_1)| RecordPortion { place: Some((*place).into()), result_plus_1: *result_plus_1 })
        .collect()
}

/// A definition of an institution that stands in front, as 2/BSC-INF.1, or of one's own.
async fn of_any(client: &Client, own: InstitutionId, text: &str) -> Result<QualificationName, Failure> {
    match text.split_once('/') {
        Some((institution, code)) => {
            let expected = |_| Failure::Usage("expected institution and code, as 2/BSC-INF.1".to_owned());
            named(client, institution.parse::<InstitutionId>().map_err(expected)?, code).await
        }
        None => named(client, own, text).await,
    }
}

/// A definition by its code and version, as BSC-INF.2; in its newest version where none is named.
async fn named(client: &Client, institution: InstitutionId, text: &str) -> Result<QualificationName, Failure> {
    if let Ok((code, version)) = values::versioned(text) {
        return Ok(QualificationName { institution: institution.0, code, version });
    }
    let mut newest = None;
    for item in client.registry_list(Kind::QualificationDefinition, Some(institution)).await? {
        if let RegistryKey::QualificationDefinition(_, code, version) = item.key
            && code == text
        {
            newest = newest.max(Some(version));
        }
    }
    let unknown = || Failure::NotValid(format!("institution {institution} has no definition {}", show::safe(text)));
    Ok(QualificationName { institution: institution.0, code: text.to_owned(), version: newest.ok_or_else(unknown)? })
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Template => output::line(TEMPLATE.trim_end()),
        Command::Check { file, institution } => check::run(global, &file, institution).await,
        Command::Publish { file, signing } => {
            let client = global.connect().await?;
            let unit = signing.unit(global, &client).await?;
            let definition = file::read(&file, Some(unit.id.institution))?;
            let name = format!("{}/{}.{}", definition.institution, definition.code, definition.version);
            let bytes = encode(&definition).map_err(|error| Failure::NotValid(error.to_string()))?;
            let value = json!({
                "qualification": name, "requirements": definition.requirements.len(),
                "definition": show::body("QualificationDefinition", &bytes)?,
            });
            let requirements = counted(definition.requirements.len(), "requirement", "requirements");
            let text = format!("qualification {}: {requirements}", show::safe(&name));
            let contents =
                Contents::of([record(&unit, Kind::QualificationDefinition, &definition, &signing.reference)?]);
            signing.seal(global, &client, &unit, &contents, (value, text)).await
        }
        Command::List { of } => {
            entries::list(global, &global.connect().await?, Kind::QualificationDefinition, of.institution).await
        }
        Command::Show { name } => {
            let client = global.connect().await?;
            let (institution, code) = match name.split_once('/') {
                Some((institution, code)) => {
                    let expected = |_| Failure::Usage("expected institution and code, as 2/BSC-INF.1".to_owned());
                    (institution.parse::<InstitutionId>().map_err(expected)?, code)
                }
                None => (own_or(&client, None).await?, name.as_str()),
            };
            let QualificationName { code, version, .. } = named(&client, institution, code).await?;
            entries::one(global, &client, &RegistryKey::QualificationDefinition(institution, code, version)).await
        }
        Command::Progress(arguments) => progress::run(global, *arguments).await,
        Command::Award(arguments) => award::run(global, *arguments).await,
        Command::Document(command) => document::run(global, command).await,
        Command::Cosign(arguments) => cosign::run(global, arguments).await,
    }
}

fn facts(name: &QualificationName) -> String {
    output::facts([("qualification", show::safe(&format!("{}/{}.{}", name.institution, name.code, name.version)))])
}
