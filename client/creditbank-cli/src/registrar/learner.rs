//! `learner`: who is meant, and what is recorded.

use creditbank_client::import::doubts::{Doubt, of_identity};
use creditbank_client::{Client, ClientError};
use creditbank_protocol::Alias;
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use serde_json::json;

use super::survey::AcceptTyped;
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
        /// student-number, student-number-exact (case matters), national, passport or network
        #[arg(long = "type", default_value = "student-number", value_parser = values::named::<IdentityType>)]
        kind: IdentityType,
        /// Country or network of the identity; empty for a student number
        #[arg(long, default_value = "")]
        scope: String,
        /// Another identity of the same person, which leads to the same account from now on: as
        /// network:esi:urn:schac:personalUniqueCode:int:esi:essai.example:7
        #[arg(long = "also", value_name = "TYPE:SCOPE:VALUE", value_parser = further)]
        also: Vec<TypedIdentity>,
        #[command(flatten)]
        accept: AcceptTyped,
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
    let which: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    let what = match which.as_slice() {
        [] => return Ok(()),
        [_] if asked == 1 => "the identity of --also has an account of its own and stays with it".to_owned(),
        [one] => format!("--also {one} of {asked} has an account of its own and stays with it"),
        several => {
            let (last, before) = several.split_last().unwrap_or((&which[0], &[]));
            format!("--also {} and {last} of {asked} have accounts of their own and stay with them", before.join(", "))
        }
    };
    let nothing = if elsewhere.len() == asked { "nothing was linked: " } else { "" };
    Err(Failure::NotValid(format!(
        "{nothing}{what}. If all are one person, the accounts are merged by the operator; records are issued to each until \
         then"
    )))
}

/// Which further identities lead to another account, counted from 1. The node says it of the institution's own student
/// numbers; of the others it answers who they lead to, as it would any time. By now each has an account, so that asking
/// opens none.
async fn elsewhere(
    client: &Client,
    institution: u64,
    alias: Alias,
    also: &[TypedIdentity],
    said: &[usize],
) -> Result<Vec<usize>, Failure> {
    let mut found = Vec::new();
    for (at, identity) in also.iter().enumerate() {
        let number = at + 1;
        let is_elsewhere = said.contains(&number)
            || match client.open_account(institution, Person { identities: vec![identity.clone()] }).await {
                Ok((other, _)) => other != alias,
                // At a closed institution nothing is linked.
                Err(ClientError::Refused(_)) => true,
                Err(error) => return Err(error.into()),
            };
        found.extend(is_elsewhere.then_some(number));
    }
    Ok(found)
}

/// Refuses identities that nobody can have meant, and doubtful ones that were not accepted.
fn look_at(first: &TypedIdentity, also: &[TypedIdentity], accept: &AcceptTyped) -> Result<(), Failure> {
    let named = also.iter().enumerate().map(|(at, one)| (format!("the identity of --also {}", at + 1), one));
    let mut doubts = Vec::new();
    for (what, one) in std::iter::once(("the identity".to_owned(), first)).chain(named) {
        let found =
            of_identity(one).map_err(|why| Failure::NotValid(format!("{what} {why}; no account was opened")))?;
        doubts.extend(found.map(|doubt| Doubt { what: format!("{what}: {}", doubt.what), ..doubt }));
    }
    accept.check(&doubts)
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
        Command::Alias { institution, kind, scope, also, accept, value } => {
            let first = TypedIdentity { r#type: kind.into(), scope, value };
            look_at(&first, &also, &accept)?;
            let institution = institution.id(&client).await?.0;
            let person = Person { identities: std::iter::once(first).chain(also.iter().cloned()).collect() };
            let (alias, said) = client.open_account(institution, person).await?;
            let elsewhere = elsewhere(&client, institution, alias, &also, &said).await?;
            let alias = alias.to_string();
            // Numbered as the command line has them: --also 1 is the second identity.
            let shown = json!({ "institution": institution, "alias": alias, "not_linked": elsewhere });
            output::print(global, &shown, || alias.clone())?;
            not_linked(&elsewhere, also.len())?;
            if !also.is_empty() {
                let what =
                    if also.len() == 1 { "the identity of --also leads" } else { "the identities of --also lead" };
                eprintln!("{what} to this learner now; whether before too, the node does not say");
            }
            Ok(())
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
