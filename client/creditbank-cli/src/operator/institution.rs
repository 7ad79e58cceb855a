//! `institution`: who takes part.

use creditbank_client::Client;
use creditbank_protocol::pb::{self, InstitutionType, Kind, RegistryState};
use creditbank_protocol::registry::RegistryKey;

use super::{publish, registry};
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Admit an institution
    Add(Add),
    /// Suspend an institution, close it, or make it active again
    State {
        /// Its number
        number: u64,
        /// active, suspended or closed
        #[arg(value_parser = state)]
        state: i32,
    },
    /// Close an institution; with a custodian, who from then on may amend, revoke, confirm and read for it
    Close {
        /// Its number
        number: u64,
        /// Number of the institution that keeps its records
        #[arg(long)]
        custodian: Option<u64>,
    },
    /// Say who keeps the records of an institution, from and until when; they act once it is closed
    Custodian {
        /// Number of the institution that keeps the records
        number: u64,
        /// Number of the institution whose records these are
        #[arg(long)]
        of: u64,
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
        number: u64,
    },
    /// All institutions
    List,
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its permanent number; left out: the next free one
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9_007_199_254_740_991))]
    number: Option<u64>,
    /// Its name with the language, as "en:The Open University"; several may be given
    #[arg(long = "name", required = true, value_parser = values::text)]
    names: Vec<pb::Text>,
    /// ISO 3166-1 alpha-2
    #[arg(long)]
    country: String,
    /// university, open-university, vocational-school, mooc-platform, employer, examination-board, recognition-authority
    #[arg(long = "type", default_value = "university", value_parser = kind)]
    kind: i32,
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
    custodian_of: Vec<u64>,
    /// Publish an entry anew that is there already
    #[arg(long)]
    replace: bool,
}

fn state(text: &str) -> Result<i32, String> {
    values::code("REGISTRY_STATE", text, RegistryState::from_str_name)
}

fn kind(text: &str) -> Result<i32, String> {
    values::code("INSTITUTION_TYPE", text, InstitutionType::from_str_name)
}

fn identifier(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once(':').ok_or_else(|| "expected a scheme and a value, as ror:05mzfcs16".to_owned())?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add(add) => admit(global, &client, add).await,
        Command::State { number, state } => {
            let mut entry = current(&client, number).await?;
            entry.state = state;
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
        Command::Show { number } => registry::one(global, &client, &RegistryKey::Institution(number.into())).await,
        Command::List => registry::list(global, &client, Kind::Institution, None).await,
    }
}

async fn current(client: &Client, number: u64) -> Result<pb::Institution, Failure> {
    let found = client.registry_entry(&RegistryKey::Institution(number.into())).await?;
    let missing = || Failure::NotValid(format!("institution {number} is not in the registry"));
    Ok(found.ok_or_else(missing)?.decode()?)
}

/// The entry with its custody of another institution, in the place of what it said of that before.
fn keeping(mut keeper: pb::Institution, of: u64, from: Option<pb::Date>, until: Option<pb::Date>) -> pb::Institution {
    let kind = i32::from(pb::RelationType::CustodianOf);
    keeper.relations.retain(|relation| relation.r#type != kind || relation.institution != of);
    keeper.relations.push(pb::Relation { r#type: kind, institution: of, from, until });
    keeper
}

async fn admit(global: &Global, client: &Client, add: Add) -> Result<(), Failure> {
    let Add { number, names, country, kind, domains, identifiers, since, custodian_of, replace } = add;
    let number = match number {
        Some(number) => number,
        None => next_number(client).await?,
    };
    let domains = domains.into_iter().map(|domain| ("domain".to_owned(), domain));
    let entry = pb::Institution {
        number,
        state: RegistryState::Active.into(),
        r#type: kind,
        country,
        names: names.into_iter().map(|name| pb::DatedName { name: Some(name), from: since, until: None }).collect(),
        identifiers: domains
            .chain(identifiers)
            .map(|(scheme, value)| pb::DatedCode { scheme, value, ..Default::default() })
            .collect(),
        addresses: Vec::new(),
        relations: custodian_of
            .into_iter()
            .map(|institution| pb::Relation {
                r#type: pb::RelationType::CustodianOf.into(),
                institution,
                ..Default::default()
            })
            .collect(),
    };
    let what = format!("institution {number}");
    publish::refuse_known(client, &RegistryKey::Institution(number.into()), &what, replace).await?;
    publish::run(global, client, &[publish::entry(Kind::Institution, &entry)?], &what).await
}

async fn next_number(client: &Client) -> Result<u64, Failure> {
    let mut largest = 0;
    for item in client.registry_list(Kind::Institution, None).await? {
        largest = largest.max(item.decode::<pb::Institution>()?.number);
    }
    largest.checked_add(1).ok_or_else(|| Failure::Usage("the numbers are used up: pass --number".to_owned()))
}
