//! Another registry key takes over: the one that was committed to.

use std::path::Path;
use std::sync::Arc;

use creditbank_protocol::key::{commitment, possession_message, succession_message};
use creditbank_protocol::pb::{self, Kind, Purpose, Receipt, RevocationReason};
use creditbank_protocol::record::{Record, SUITE};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Digest, UnitId};

use crate::operator::{publish_as, registry_record};
use crate::{Client, ClientError, Signer};

/// A succession that is to be made.
pub struct Succession {
    /// The key that takes over.
    pub key: Arc<dyn Signer>,
    /// Commitment to the key that may follow it in its turn.
    pub next: Digest,
    /// Why, as a number of a case or of minutes.
    pub case_reference: String,
    /// The key that goes, where it signs as planned; `None` after a theft or a loss.
    pub current: Option<Arc<dyn Signer>>,
    /// How many persons approve the operator's blocks from then on; `None`: as many as before.
    pub approvals: Option<u32>,
    /// Since when the key that goes is not to be trusted any more, in minutes since 1970.
    pub compromised_since_minute: Option<u64>,
}

impl Client {
    /// The registry key in force, as the registry has it.
    pub async fn registry_key(&self) -> Result<pb::Key, ClientError> {
        let keys = self.registry_list(Kind::Key, Some(UnitId::OPERATOR.institution)).await?;
        for item in keys {
            let key: pb::Key = item.decode()?;
            if key.purpose == i32::from(Purpose::Registry) && key.revoked.is_none() {
                return Ok(key);
            }
        }
        Err(ClientError::Local("the registry has no registry key in force".to_owned()))
    }

    /// Commitment to the registry key that may follow now: of the newest succession, or of the log's beginning.
    pub async fn next_registry_key(&self) -> Result<Digest, ClientError> {
        let Some(newest) = self.registry_entry(&RegistryKey::RegistrySuccession).await? else {
            return Ok(self.trust().next_registry_key);
        };
        let newest: pb::RegistrySuccession = newest.decode()?;
        Digest::from_slice(&newest.next_registry_key)
            .ok_or_else(|| ClientError::Local("a succession without a commitment".to_owned()))
    }
}

/// Lets the key that was committed to take over from the registry key in force.
pub async fn succeed(client: &Client, succession: Succession, work: Option<&Path>) -> Result<Receipt, ClientError> {
    let Succession { key, next, case_reference, current, approvals, compromised_since_minute } = succession;
    let local = |what: String| ClientError::Local(what);
    if client.registry_key().await?.public_key == key.public_key() {
        let what = "this key is the registry key in force already; nothing was done";
        return Err(ClientError::Missing(what.to_owned()));
    }
    let [own, committed] = [commitment(&key.public_key()), client.next_registry_key().await?];
    if own != committed {
        return Err(local(format!(
            "this key cannot take over: expected the key under the commitment {committed}, found one under {own}"
        )));
    }
    if next == own {
        return Err(local("the key that follows must be another one than the key that takes over".to_owned()));
    }
    let gone = client.registry_key().await?;
    if let Some(current) = &current
        && current.public_key()[..] != gone.public_key[..]
    {
        return Err(local("the registry key that was given is not the one in force".to_owned()));
    }
    let signer = current.unwrap_or_else(|| Arc::clone(&key));
    let mut records = records(client, &*key, next, case_reference, gone, compromised_since_minute)?;
    let policy = approvals.map(|approvals| registry_record(Kind::RegistryPolicy, &pb::RegistryPolicy { approvals }));
    records.extend(policy.transpose()?);
    publish_as(client, signer, &records, work).await
}

fn records(
    client: &Client,
    key: &dyn Signer,
    next: Digest,
    case_reference: String,
    gone: pb::Key,
    compromised_since_minute: Option<u64>,
) -> Result<Vec<Record>, ClientError> {
    let public_key = key.public_key();
    let before =
        gone.public_key.as_slice().try_into().map_err(|_| ClientError::Local("a key without bytes".to_owned()))?;
    let mut said = pb::RegistrySuccession {
        public_key: public_key.to_vec(),
        next_registry_key: next.0.to_vec(),
        case_reference,
        ..Default::default()
    };
    said.signature = key.sign(succession_message(client.origin(), before, &said).as_bytes())?.to_vec();
    let possession = possession_message(client.origin(), UnitId::OPERATOR, Purpose::Registry, &public_key);
    let come = pb::Key {
        public_key: public_key.to_vec(),
        suite: u32::from(SUITE),
        purpose: Purpose::Registry.into(),
        possession: key.sign(possession.as_bytes())?.to_vec(),
        ..Default::default()
    };
    let reason = match compromised_since_minute {
        Some(_) => RevocationReason::Compromised,
        None => RevocationReason::Rotated,
    };
    let revoked =
        pb::KeyRevocation { reason: reason.into(), compromised_since_minute: compromised_since_minute.unwrap_or(0) };
    let gone = pb::Key { revoked: Some(revoked), ..gone };
    Ok(vec![
        registry_record(Kind::RegistrySuccession, &said)?,
        registry_record(Kind::Key, &come)?,
        registry_record(Kind::Key, &gone)?,
    ])
}
