//! `learner`: who is meant, and what is recorded.

use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use serde_json::json;

use super::{balance, identity};
use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::{OwnInstitution, Who};
use crate::{output, records, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The alias of a person at an institution. Opens an account for a person who has none: mind typing errors
    ///
    /// At a closed institution its custodian finds the former students by their student numbers; nothing is opened.
    ///
    ///   creditbank learner alias 20231234
    ///   creditbank learner alias 20231234 --also national:FR:1850578006084
    ///   creditbank learner alias 20231234 --institution 12     (you keep the records of 12)
    #[command(verbatim_doc_comment)]
    Alias {
        #[command(flatten)]
        institution: OwnInstitution,
        /// student-number, national, passport or network
        #[arg(long = "type", default_value = "student-number", value_parser = values::named::<IdentityType>)]
        kind: IdentityType,
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
    /// Who a learner is, as a document says
    #[command(subcommand)]
    Identity(identity::Command),
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

/// Refuses to end well where an identity was not linked. Values are not repeated: they name a person.
fn not_linked(elsewhere: &[usize], asked: usize) -> Result<(), Failure> {
    if elsewhere.is_empty() {
        return Ok(());
    }
    let which: Vec<String> = elsewhere.iter().map(|at| format!("--also number {at}")).collect();
    let nothing = if elsewhere.len() == asked { "nothing was linked: " } else { "" };
    Err(Failure::NotValid(format!(
        "{nothing}{} of {asked} has an account of its own and stays with it. If both are one person, the two accounts are \
         merged by the operator; records are issued to each until then",
        which.join(", ")
    )))
}

/// An identity in one argument.
fn further(text: &str) -> Result<TypedIdentity, String> {
    let mut parts = text.splitn(3, ':');
    let (Some(kind), Some(scope), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("expected TYPE:SCOPE:VALUE, as passport:FR:12AB34567".to_owned());
    };
    let kind: IdentityType = values::named(kind)?;
    Ok(TypedIdentity { r#type: kind.into(), scope: scope.to_owned(), value: value.to_owned() })
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let command = match command {
        Command::Identity(command) => return identity::run(global, command).await,
        other => other,
    };
    let client = global.connect().await?;
    match command {
        Command::Identity(_) => Ok(()),
        Command::Alias { institution, kind, scope, also, value } => {
            let institution = institution.id(&client).await?.0;
            let first = TypedIdentity { r#type: kind.into(), scope, value };
            let asked = also.len();
            let person = Person { identities: std::iter::once(first).chain(also).collect() };
            let (alias, elsewhere) = client.open_account(institution, person).await?;
            let alias = alias.to_string();
            // Numbered as the command line has them: --also 1 is the second identity.
            let shown = json!({ "institution": institution, "alias": alias, "not_linked": elsewhere });
            output::print(global, &shown, || alias.clone())?;
            not_linked(&elsewhere, asked)
        }
        Command::Balance { who } => balance::run(global, &client, &who).await,
        Command::Records { who } => {
            let (found, account) = client.records(who.learner(&client).await?).await?;
            let values = found.iter().map(records::value).collect::<Result<Vec<_>, _>>()?;
            let rows = found.iter().map(records::row).collect::<Result<Vec<_>, _>>()?;
            let shown = json!({ "account": account.map(|account| hex::encode(account.0)), "records": values });
            output::print(global, &shown, || {
                let table = output::table(records::HEADS, rows);
                match account {
                    Some(account) => format!("account {}\n{table}", hex::encode(account.0)),
                    None => table,
                }
            })
        }
    }
}
