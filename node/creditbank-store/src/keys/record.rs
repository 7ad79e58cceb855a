//! The bytes of the key store's file: its header and its records.

use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use creditbank_protocol::AccountId;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Fill, KeyStoreError, LearnerKey, damaged};

const MAGIC: [u8; 8] = *b"CBKEYS02";
const NONCE_LEN: usize = 24;
const SEALED_LEN: usize = 48;
pub(super) const HEAD_LEN: usize = 8 + NONCE_LEN + SEALED_LEN + 4;
pub(super) const RECORD_LEN: usize = 1 + 16 + NONCE_LEN + SEALED_LEN + 4;
const KEY: u8 = 1;
const TOMBSTONE: u8 = 2;

/// What a record says about its account: the key, or `None` for an erased one.
pub(super) type Content = Option<LearnerKey>;

fn seal(key: &[u8; 32], secret: &[u8; 32], aad: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
    let payload = Payload { msg: secret, aad };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload);
    [&nonce[..], &sealed.expect("32 bytes are within the cipher's limit")].concat()
}

fn unseal(key: &[u8; 32], sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let payload = Payload { msg: ciphertext, aad };
    let mut plain = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
    let secret = plain.as_slice().try_into().ok().map(Zeroizing::new);
    plain.zeroize();
    secret
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// The contents before a checksum that is right.
pub(super) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(content).to_be_bytes() == *crc).then_some(content)
}

/// The header of a new file.
pub(super) fn head(master: &[u8; 32], epoch: &[u8; 32], fill: Fill<'_>) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce);
    with_crc([&MAGIC[..], &seal(master, epoch, &MAGIC, nonce)].concat())
}

/// The epoch key of a file.
pub(super) fn open_head(master: &[u8; 32], bytes: &[u8], path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyStoreError> {
    let content = bytes.get(..HEAD_LEN).and_then(checked).filter(|content| content.starts_with(&MAGIC));
    let content = content.ok_or_else(|| damaged(path, 0, "the header is not that of a key store of this version"))?;
    unseal(master, &content[MAGIC.len()..], &MAGIC).ok_or_else(|| KeyStoreError::MasterKey(path.display().to_string()))
}

/// A record's account and what it says about it; `None` if it cannot be read.
pub(super) fn open(epoch: &[u8; 32], record: &[u8]) -> Option<(AccountId, Content)> {
    let content = checked(record).filter(|content| content.len() == RECORD_LEN - 4)?;
    let (associated, sealed) = content.split_at_checked(1 + 16)?;
    let secret = unseal(epoch, sealed, associated)?;
    let (mark, account) = associated.split_first()?;
    let account = AccountId(account.try_into().ok()?);
    match *mark {
        KEY => Some((account, Some(LearnerKey(*secret)))),
        TOMBSTONE => Some((account, None)),
        _ => None,
    }
}

/// Whether a record says that its account was erased. It is not checked.
pub(super) fn is_tombstone(record: &[u8]) -> bool {
    record.first() == Some(&TOMBSTONE)
}

/// The records of accounts, one after the other.
pub(super) fn records(epoch: &[u8; 32], accounts: &[(AccountId, Content)], fill: Fill<'_>) -> Vec<u8> {
    // One call for all of them: the system's generator costs more than the encryption of a key.
    let mut nonces = vec![0; accounts.len() * NONCE_LEN];
    fill(&mut nonces);
    let record = |((account, key), nonce): (&(AccountId, Content), &[u8; NONCE_LEN])| {
        let mark = if key.is_some() { KEY } else { TOMBSTONE };
        let associated = [&[mark], &account.as_bytes()[..]].concat();
        let secret = key.as_ref().map_or(&[0; 32], |key| &key.0);
        let sealed = seal(epoch, secret, &associated, *nonce);
        with_crc([associated, sealed].concat())
    };
    accounts.iter().zip(nonces.as_chunks().0).flat_map(record).collect()
}
