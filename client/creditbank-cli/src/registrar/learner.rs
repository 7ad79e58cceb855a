//! `learner`: who is meant, and what is recorded.

use creditbank_client::{Client, ReadRecord};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{IdentityType, InstitutionAlias, Person, TypedIdentity};
use serde_json::json;

use super::record;
use crate::connect::Global;
use crate::failure::Failure;
use crate::summary::Summary;
use crate::{output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The alias of a person at an institution. Opens an account for a person who has none: mind typing errors
    Alias {
        /// Number of the institution; left out: the access key's own
        #[arg(long)]
        institution: Option<u64>,
        /// student-number, national, passport or network
        #[arg(long = "type", default_value = "student-number", value_parser = identity_type)]
        kind: i32,
        /// Country or network of the identity; empty for a student number
        #[arg(long, default_value = "")]
        scope: String,
        /// Another identity of the same person, which leads to the same account from now on: as
        /// network:esi:urn:schac:personalUniqueCode:int:esi:essai.example:7
        #[arg(long = "also", value_name = "TYPE:SCOPE:VALUE", value_parser = further)]
        also: Vec<TypedIdentity>,
        /// The identity's value; it is sent, never stored
        value: String,
    },
    /// Credit by unit, level, field and status; what can be spent, and what was
    Balance {
        #[command(flatten)]
        who: Who,
    },
    /// The records of a learner that the access key may read
    Records {
        #[command(flatten)]
        who: Who,
    },
}

/// Whose records.
#[derive(clap::Args)]
#[group(id = "who", required = true, multiple = true)]
pub(crate) struct Who {
    /// The account, in hexadecimal: for the operator
    #[arg(long, value_parser = values::hex16, conflicts_with_all = ["alias", "institution"])]
    account: Option<[u8; 16]>,
    /// The alias, in hexadecimal: for the institution that it belongs to
    #[arg(long, value_parser = values::hex16)]
    alias: Option<[u8; 16]>,
    /// Number of the alias's institution; left out: the access key's own
    #[arg(long, requires = "alias")]
    institution: Option<u64>,
}

impl Who {
    /// As the node is asked.
    pub(crate) async fn learner(&self, client: &Client) -> Result<Learner, Failure> {
        match (self.account, self.alias) {
            (Some(account), _) => Ok(Learner::Account(account.to_vec())),
            (None, Some(alias)) => {
                let institution = own_or(client, self.institution).await?;
                Ok(Learner::Alias(InstitutionAlias { institution, alias: alias.to_vec() }))
            }
            _ => Err(Failure::Usage("pass --account or --alias".to_owned())),
        }
    }
}

/// The institution that was named, or the access key's own.
pub(crate) async fn own_or(client: &Client, institution: Option<u64>) -> Result<u64, Failure> {
    match institution {
        Some(institution) => Ok(institution),
        None => match client.own_institution().await? {
            0 => Err(Failure::Usage("the operator's key belongs to no institution: pass --institution".to_owned())),
            own => Ok(own),
        },
    }
}

fn identity_type(text: &str) -> Result<i32, String> {
    values::code("IDENTITY_TYPE", text, IdentityType::from_str_name)
}

/// An identity in one argument.
fn further(text: &str) -> Result<TypedIdentity, String> {
    let mut parts = text.splitn(3, ':');
    let (Some(kind), Some(scope), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("expected TYPE:SCOPE:VALUE, as passport:FR:12AB34567".to_owned());
    };
    Ok(TypedIdentity { r#type: identity_type(kind)?, scope: scope.to_owned(), value: value.to_owned() })
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Alias { institution, kind, scope, also, value } => {
            let institution = own_or(&client, institution).await?;
            let first = TypedIdentity { r#type: kind, scope, value };
            let person = Person { identities: std::iter::once(first).chain(also).collect() };
            let aliases = client.open_accounts(institution, vec![person]).await?;
            let alias = aliases.first().map(ToString::to_string).unwrap_or_default();
            output::print(global, &json!({ "institution": institution, "alias": alias }), || alias.clone())
        }
        Command::Balance { who } => super::balance::run(global, &client, &who).await,
        Command::Records { who } => {
            let (records, account) = client.records(who.learner(&client).await?).await?;
            let values = records.iter().map(record::value).collect::<Result<Vec<_>, _>>()?;
            let rows = records.iter().map(row).collect::<Result<Vec<_>, _>>()?;
            let shown = json!({ "account": account.map(hex::encode), "records": values });
            output::print(global, &shown, || {
                let table = output::table(HEADS, rows);
                match account {
                    Some(account) => format!("account {}\n{table}", hex::encode(account)),
                    None => table,
                }
            })
        }
    }
}

/// Columns of a list of records.
const HEADS: &[&str] = &["place", "kind", "course", "amount", "level", "grade", "period", "issuer", "marks"];

/// A record as a row of a table.
fn row(read: &ReadRecord) -> Result<Vec<String>, Failure> {
    let kind = read.disclosed.info.kind;
    let mut row = vec![values::show_place(&read.place), show::kind_names(kind).1];
    row.extend(Summary::of(kind, &read.disclosed.body)?.columns());
    row.extend([format!("{}.{}", read.institution, read.unit), show::safe(&read.marks.join("; "))]);
    Ok(row)
}
