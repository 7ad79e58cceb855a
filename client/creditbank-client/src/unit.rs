//! Who issues: a unit of an institution and its key.

use std::sync::Arc;

use creditbank_protocol::UnitId;
use creditbank_protocol::key_file::KeyFile;

use crate::{ClientError, Signer};

/// Whose chain, and the key that signs.
#[derive(Clone)]
pub struct IssuingUnit {
    /// Whose chain it is.
    pub id: UnitId,
    /// A unit key with the kinds that are issued.
    pub key: Arc<dyn Signer>,
    /// What record seeds are derived from. The same file with the same secret gives the same records.
    pub secret: [u8; 32],
}

impl IssuingUnit {
    /// A unit whose secret is derived from its key.
    pub fn new(id: UnitId, key: KeyFile) -> Self {
        let secret = crate::signer::unit_secret(&key);
        Self { id, key: Arc::new(key), secret }
    }

    /// A unit whose key may be anywhere.
    pub fn with_signer(id: UnitId, key: Arc<dyn Signer>) -> Result<Self, ClientError> {
        let secret = key.secret()?;
        Ok(Self { id, key, secret })
    }
}
