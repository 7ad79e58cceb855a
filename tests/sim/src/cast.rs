//! Who takes part in every run, and where.

use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use ed25519_dalek::SigningKey;

/// The log of every simulated node.
pub(crate) const ORIGIN: &str = "sim.example/log";
/// The node's directory.
pub(crate) const DIR: &str = "/node";
/// Institutions 1 and 2 have registrars; the one who lies works at 3.
pub(crate) const INSTITUTIONS: u64 = 3;

/// The key of who approves for an institution's unit.
pub(crate) fn approver_key(institution: u64) -> KeyFile {
    let seed = [u8::try_from(100 + institution).unwrap_or(u8::MAX); 32];
    KeyFile { purpose: Purpose::Approver, key: SigningKey::from_bytes(&seed) }
}

/// The key of an institution's unit.
pub(crate) fn unit_key(institution: u64) -> KeyFile {
    let seed = [u8::try_from(institution).unwrap_or(u8::MAX); 32];
    KeyFile { purpose: Purpose::Unit, key: SigningKey::from_bytes(&seed) }
}
