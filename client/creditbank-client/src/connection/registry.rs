//! The registry, entry by entry with its proof.

use std::fmt;

use creditbank_protocol::canonical::{Canonical, decode, encode};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::map::{MapProof, MapTags, verify};
use creditbank_protocol::merkle::{leaf_hash, verify_inclusion};
use creditbank_protocol::pb::{Kind, RegistryEntry, RegistryPolicy, Unit};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use creditbank_protocol::seal::Seal;
use creditbank_protocol::{Digest, InstitutionId, Place, UnitId, pb};
use creditbank_rpc::v1::{GetRegistryEntryRequest, ListRegistryRequest, ListedEntry, RegistryProofHead};

use super::Client;
use super::log::digests;
use crate::ClientError;

/// A registry entry that is proved to stand in the registry.
#[derive(Clone)]
pub struct RegistryItem {
    /// What it is about.
    pub key: RegistryKey,
    /// Canonical body of its kind.
    pub body: Vec<u8>,
    /// Place of the record.
    pub place: Place,
}

impl fmt::Debug for RegistryItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryItem").field("key", &self.key).field("place", &self.place).finish_non_exhaustive()
    }
}

impl RegistryItem {
    /// The body as the message of its kind.
    pub fn decode<M: Canonical>(&self) -> Result<M, ClientError> {
        Ok(decode(&self.body)?)
    }
}

impl Client {
    /// The entry of a registry key, or `None` with the node's proof that there is none.
    pub async fn registry_entry(&self, key: &RegistryKey) -> Result<Option<RegistryItem>, ClientError> {
        let request = GetRegistryEntryRequest { registry_key: key.digest().0.to_vec() };
        let answer = self.registry.clone().get_registry_entry(request).await?.into_inner();
        let seal = self.check_head(answer.head).await?;
        let listed = answer.listed.ok_or_else(|| ClientError::lie("the entry's proof is missing"))?;
        check_entry(&seal, &key.digest(), listed)
    }

    /// How many other persons must approve a block of a unit, or of the operator.
    pub async fn approvals_required(&self, unit: UnitId) -> Result<usize, ClientError> {
        if unit.institution.is_operator() {
            let entry = self.registry_entry(&RegistryKey::RegistryPolicy).await?;
            let policy = entry.map(|entry| entry.decode::<RegistryPolicy>()).transpose()?.unwrap_or_default();
            return Ok(usize::try_from(policy.approvals).unwrap_or(usize::MAX));
        }
        let entry = self.registry_entry(&RegistryKey::Unit(unit)).await?;
        let unit = entry.map(|entry| entry.decode::<Unit>()).transpose()?.unwrap_or_default();
        Ok(usize::from(unit.requires_approval))
    }

    /// All entries of a kind, of one institution or of all.
    pub async fn registry_list(
        &self,
        kind: Kind,
        institution: Option<InstitutionId>,
    ) -> Result<Vec<RegistryItem>, ClientError> {
        let mut items = Vec::new();
        let too_large = || ClientError::Local("expected the number of an institution".to_owned());
        let institution_plus_1 = institution.map_or(Ok(0), |one| one.0.checked_add(1).ok_or_else(too_large))?;
        loop {
            let request =
                ListRegistryRequest { kind: kind.into(), institution_plus_1, offset: items.len() as u64, limit: 0 };
            let answer = self.registry.clone().list_registry(request).await?.into_inner();
            let seal = self.check_head(answer.head).await?;
            let before = items.len();
            for listed in answer.entries {
                let entry = listed.entry.as_ref().ok_or_else(|| ClientError::lie("an entry is missing"))?;
                if entry.kind != i32::from(kind) {
                    return Err(ClientError::lie("an entry of another kind"));
                }
                let key = RegistryKey::of(kind, &entry.body).map_err(ClientError::lie)?.digest();
                items.extend(check_entry(&seal, &key, listed)?);
            }
            if items.len() as u64 >= answer.total || items.len() == before {
                return Ok(items);
            }
        }
    }

    /// Checks the checkpoint and the seal that is its last leaf.
    async fn check_head(&self, head: Option<RegistryProofHead>) -> Result<Seal, ClientError> {
        let RegistryProofHead { seal, checkpoint } = head.ok_or_else(|| ClientError::lie("the head is missing"))?;
        let accepted = self.accept(&checkpoint).await?;
        self.observe(&accepted.checkpoint).await?;
        let pb::ProvedEntry { index, entry, inclusion } =
            seal.ok_or_else(|| ClientError::lie("the seal is missing"))?;
        let (size, root) = (accepted.checkpoint.size, accepted.checkpoint.root);
        if index + 1 != size {
            return Err(ClientError::lie("the seal is not the checkpoint's last leaf"));
        }
        verify_inclusion(&leaf_hash(&entry), index, size, &digests(&inclusion)?, &root)?;
        match Entry::parse(&entry).map_err(ClientError::lie)? {
            Entry::Seal(signed) => {
                self.check_seal(&signed, index.into()).await?;
                if signed.seal().index.0 == index && signed.seal().origin == self.origin {
                    Ok(signed.seal().clone())
                } else {
                    Err(ClientError::lie("the seal is one of another place"))
                }
            }
            Entry::Head(_) | Entry::Public(_) => Err(ClientError::lie("the last leaf is no seal")),
        }
    }
}

/// Checks a proof of presence or absence under a seal's registry root.
fn check_entry(seal: &Seal, key: &Digest, listed: ListedEntry) -> Result<Option<RegistryItem>, ClientError> {
    let proof = listed.proof.unwrap_or_default();
    let value = match &listed.entry {
        Some(entry) => Some(registry_value(&encode(entry)?)),
        None => None,
    };
    let other = match proof.other_leaf.split_at_checked(32) {
        Some((other, value)) if value.len() == 32 => Digest::from_slice(other).zip(Digest::from_slice(value)),
        _ => None,
    };
    let terminal = value.map(|value| (*key, value)).or(other);
    let proof = MapProof { siblings: digests(&proof.siblings)?, terminal };
    let found = verify(MapTags::REGISTRY, &seal.registry_root, key, &proof).map_err(ClientError::lie)?;
    match (listed.entry, found) {
        (Some(entry), Some(_)) => {
            let RegistryEntry { kind, body, place, .. } = entry;
            let kind = Kind::try_from(kind).map_err(|_| ClientError::lie("a registry entry of an unknown kind"))?;
            let key_of = RegistryKey::of(kind, &body).map_err(ClientError::lie)?;
            if key_of.digest() != *key {
                return Err(ClientError::lie("the registry entry is one of another key"));
            }
            Ok(Some(RegistryItem { key: key_of, body, place: Place::read(place) }))
        }
        (None, None) => Ok(None),
        _ => Err(ClientError::lie("the registry entry and its proof do not fit")),
    }
}
