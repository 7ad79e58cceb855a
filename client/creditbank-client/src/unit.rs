//! Who issues: a unit of an institution, its key, and where the seeds of its records come from.

use std::sync::Arc;

use creditbank_protocol::UnitId;

use crate::{ClientError, Seeds, Signer};

/// Whose chain, and the key that signs.
#[derive(Clone)]
pub struct IssuingUnit {
    /// Whose chain it is.
    pub id: UnitId,
    /// A unit key with the kinds that are issued.
    pub key: Arc<dyn Signer>,
    /// What record seeds are derived from. The same file with the same secrets gives the same records, whatever the
    /// key.
    pub seeds: Seeds,
}

impl IssuingUnit {
    /// A unit with its key and its secrets.
    pub fn new(id: UnitId, key: Arc<dyn Signer>, seeds: Seeds) -> Self {
        Self { id, key, seeds }
    }

    /// The operator, whose records are public and have no seeds; its notes are under a secret that comes from its key.
    pub fn operator(key: Arc<dyn Signer>) -> Result<Self, ClientError> {
        let seeds = Seeds::derived(key.secret()?);
        Ok(Self { id: UnitId::OPERATOR, key, seeds })
    }
}
