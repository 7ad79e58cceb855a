//! Arguments that say whose: whose chain, whose registry entries, whose records.

use creditbank_client::Client;
use creditbank_protocol::{AccountId, Alias, InstitutionId, UnitId};
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;

use crate::failure::Failure;
use crate::values;

/// A unit of an institution.
#[derive(clap::Args)]
pub(crate) struct Unit {
    /// Number of the institution
    #[arg(long)]
    institution: InstitutionId,
    /// Number of the unit
    #[arg(long, default_value_t = 1)]
    unit: u32,
}

impl Unit {
    pub(crate) fn id(&self) -> UnitId {
        UnitId::new(self.institution, self.unit)
    }
}

/// One institution, or all.
#[derive(clap::Args)]
pub(crate) struct OneOrAll {
    /// Number of the institution
    #[arg(long)]
    pub(crate) institution: Option<InstitutionId>,
}

/// The institution whose access key asks, unless another is named.
#[derive(clap::Args)]
pub(crate) struct OwnInstitution {
    /// Number of the institution; left out: the access key's own
    #[arg(long)]
    institution: Option<InstitutionId>,
}

impl OwnInstitution {
    pub(crate) async fn id(&self, client: &Client) -> Result<InstitutionId, Failure> {
        own_or(client, self.institution).await
    }
}

/// The institution that was named, or the access key's own.
pub(crate) async fn own_or(client: &Client, institution: Option<InstitutionId>) -> Result<InstitutionId, Failure> {
    if let Some(institution) = institution {
        return Ok(institution);
    }
    let own = InstitutionId(client.own_institution().await?);
    if own.is_operator() {
        return Err(Failure::Usage("the operator's key belongs to no institution: pass --institution".to_owned()));
    }
    Ok(own)
}

/// Whose records.
#[derive(clap::Args)]
#[group(id = "who", required = true, multiple = true)]
pub(crate) struct Who {
    /// The account, in hexadecimal: for the operator
    #[arg(long, value_parser = values::account, conflicts_with_all = ["alias", "institution"])]
    account: Option<AccountId>,
    /// The alias, in hexadecimal: for the institution that it belongs to
    #[arg(long, value_parser = values::alias)]
    alias: Option<Alias>,
    /// Number of the alias's institution; left out: the access key's own
    #[arg(long, requires = "alias")]
    institution: Option<InstitutionId>,
}

impl Who {
    /// As the node is asked.
    pub(crate) async fn learner(&self, client: &Client) -> Result<Learner, Failure> {
        match (self.account, self.alias) {
            (Some(account), _) => Ok(Learner::Account(account.0.to_vec())),
            (None, Some(alias)) => {
                let institution = own_or(client, self.institution).await?;
                Ok(Learner::Alias(InstitutionAlias { institution: institution.0, alias: alias.0.to_vec() }))
            }
            _ => Err(Failure::Usage("pass --account or --alias".to_owned())),
        }
    }
}
