//! `institution`: who takes part.

use creditbank_client::Client;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{self, InstitutionType, Kind, RegistryState};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rpc::identity::ror;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Admit an institution
    Add(Add),
    /// Suspend an institution, close it, or make it active again
    State {
        /// Its number
        number: InstitutionId,
        /// active, suspended or closed
        #[arg(value_parser = values::named::<RegistryState>)]
        state: RegistryState,
    },
    /// Close an institution; with a custodian, who from then on may amend, revoke, confirm and read for it
    Close {
        /// Its number
        number: InstitutionId,
        /// Number of the institution that keeps its records
        #[arg(long)]
        custodian: Option<InstitutionId>,
    },
    /// Say who keeps the records of an institution, from and until when; they act once it is closed
    Custodian {
        /// Number of the institution that keeps the records
        number: InstitutionId,
        /// Number of the institution whose records these are
        #[arg(long)]
        of: InstitutionId,
        /// First day or month; left out: open
        #[arg(long, value_parser = values::date)]
        from: Option<pb::Date>,
        /// Last day or month; left out: open. A custody that was stated before is stated anew
        #[arg(long, value_parser = values::date)]
        until: Option<pb::Date>,
    },
    /// One institution
    Show {
        /// Its number
        number: InstitutionId,
    },
    /// All institutions
    List,
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its permanent number; left out: the next free one, if no other institution of its country has its name
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9_007_199_254_740_991))]
    number: Option<u64>,
    /// Its name with the language, as "en:The Open University"; several may be given
    #[arg(long = "name", required = true, value_parser = values::text)]
    names: Vec<pb::Text>,
    /// ISO 3166-1 alpha-2
    #[arg(long)]
    country: String,
    /// university, open-university, vocational-school, mooc-platform, employer, examination-board, recognition-authority
    #[arg(long = "type", default_value = "university", value_parser = values::named::<InstitutionType>)]
    kind: InstitutionType,
    /// Its host name, as open.ac.uk; several may be given
    #[arg(long = "domain")]
    domains: Vec<String>,
    /// An identifier of another scheme, as ror:05mzfcs16
    #[arg(long = "identifier", value_parser = identifier)]
    identifiers: Vec<(String, String)>,
    /// Since when it has this name
    #[arg(long, value_parser = values::date)]
    since: Option<pb::Date>,
    /// Number of a closed institution whose records it keeps
    #[arg(long)]
    custodian_of: Vec<InstitutionId>,
    /// Publish an entry anew that is there already
    #[arg(long)]
    replace: bool,
}

fn identifier(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once(':').ok_or_else(|| "expected a scheme and a value, as ror:05mzfcs16".to_owned())?;
    let (scheme, value) = parts;
    if scheme != "ror" {
        return Ok((scheme.to_owned(), value.to_owned()));
    }
    let id = ror::normal(value).filter(|id| ror::checks(id));
    let id = id.ok_or_else(|| format!("{value:?} is no ROR id such as 05mzfcs16: its check digits fail"))?;
    Ok((scheme.to_owned(), id))
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add(add) => admit(global, &client, add).await,
        Command::State { number, state } => {
            let mut entry = current(&client, number).await?;
            entry.state = state.into();
            let record = publish::entry(Kind::Institution, &entry)?;
            publish::run(global, &client, &[record], &format!("state of institution {number}")).await
        }
        Command::Close { number, custodian } => {
            let mut entry = current(&client, number).await?;
            entry.state = RegistryState::Closed.into();
            let mut records = vec![publish::entry(Kind::Institution, &entry)?];
            if let Some(custodian) = custodian {
                let keeper = keeping(current(&client, custodian).await?, number, None, None);
                records.push(publish::entry(Kind::Institution, &keeper)?);
            }
            let kept = custodian.map(|keeper| format!(", kept by institution {keeper}")).unwrap_or_default();
            publish::run(global, &client, &records, &format!("closing of institution {number}{kept}")).await
        }
        Command::Custodian { number, of, from, until } => {
            let keeper = keeping(current(&client, number).await?, of, from, until);
            let what = format!("institution {number} as custodian of institution {of}");
            publish::run(global, &client, &[publish::entry(Kind::Institution, &keeper)?], &what).await
        }
        Command::Show { number } => entries::one(global, &client, &RegistryKey::Institution(number)).await,
        Command::List => entries::list(global, &client, Kind::Institution, None).await,
    }
}

async fn current(client: &Client, number: InstitutionId) -> Result<pb::Institution, Failure> {
    let missing = || format!("institution {number} is not in the registry");
    entries::read(client, &RegistryKey::Institution(number), missing).await
}

/// The entry with its custody of another institution, in the place of what it said of that before.
fn keeping(
    mut keeper: pb::Institution,
    InstitutionId(of): InstitutionId,
    from: Option<pb::Date>,
    until: Option<pb::Date>,
) -> pb::Institution {
    let kind = i32::from(pb::RelationType::CustodianOf);
    keeper.relations.retain(|relation| relation.r#type != kind || relation.institution != of);
    keeper.relations.push(pb::Relation { r#type: kind, institution: of, from, until });
    keeper
}

async fn admit(global: &Global, client: &Client, add: Add) -> Result<(), Failure> {
    let Add { number, names, country, kind, domains, identifiers, since, custodian_of, replace } = add;
    let domains = domains.into_iter().map(|domain| ("domain".to_owned(), domain));
    let entry = |number| pb::Institution {
        number,
        state: RegistryState::Active.into(),
        r#type: kind.into(),
        country: country.clone(),
        names: names.iter().cloned().map(|name| pb::DatedName { name: Some(name), from: since, until: None }).collect(),
        identifiers: domains
            .clone()
            .chain(identifiers.iter().cloned())
            .map(|(scheme, value)| pb::DatedCode { scheme, value, ..Default::default() })
            .collect(),
        addresses: Vec::new(),
        relations: custodian_of
            .iter()
            .map(|&InstitutionId(institution)| pb::Relation {
                r#type: pb::RelationType::CustodianOf.into(),
                institution,
                ..Default::default()
            })
            .collect(),
    };
    if names.iter().any(|name| name.language == "und") {
        return Err(Failure::Usage("expected each name with its language, as en:The Open University".to_owned()));
    }
    let missing = || format!("--country: expected a country of the registry (registry list country), found {country}");
    let _: pb::Country = entries::read(client, &RegistryKey::Country(country.clone()), missing).await?;
    let number = if let Some(number) = number {
        number
    } else {
        refuse_same(client, &country, &names).await?;
        entries::operator_number((global, client), Kind::Institution, None, &entry).await?
    };
    let (entry, what) = (entry(number), format!("institution {number}"));
    publish::refuse_known(client, &RegistryKey::Institution(number.into()), &what, replace).await?;
    publish::run(global, client, &[publish::entry(Kind::Institution, &entry)?], &what).await
}

/// Refuses a second institution of the same name in one country: the command was run before, most likely.
async fn refuse_same(client: &Client, country: &str, names: &[pb::Text]) -> Result<(), Failure> {
    for item in client.registry_list(Kind::Institution, None).await? {
        let known: pb::Institution = item.decode()?;
        let mut own = known.names.iter().filter_map(|name| name.name.as_ref());
        if known.country == country && own.any(|name| names.iter().any(|new| new.value == name.value)) {
            return Err(Failure::NotValid(format!(
                "institution {} of {country} has this name already: pass --number to admit another one",
                known.number
            )));
        }
    }
    Ok(())
}
