//! What is private: account numbers, aliases, identity digests, encrypted record bodies.
//!
//! - An **alias** is the account number under a block cipher keyed per institution: 16 bytes that only this node can
//!   read, that differ for each institution, and that need no table. Another institution's alias deciphers to a number
//!   that is no account.
//! - An **identity** is stored as HMAC-SHA256 under the node's pepper. Its row holds the account number masked by a pad
//!   that only this node can make, and sealed under the learner's key: once the key is destroyed, it reveals nothing.
//! - A **body** is sealed under its learner's key with origin, place and account as associated data. The nonce is
//!   random and never made from the place, because a round that was cut reuses places.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use chacha20::{R20, hchacha};
use creditbank_protocol::dates::Day;
use creditbank_protocol::record::Record;
use creditbank_rpc::identity::is_student_number;
use creditbank_rpc::v1::{IdentityType, TypedIdentity};
use creditbank_rules::{CourseKey, DocumentKey, PaperKey};
use hmac::{Hmac, Mac as _};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use sha2::Sha256;

/// Random, and used once, for each sealed value.
pub(crate) type Nonce = [u8; NONCE_LEN];

use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, Place};

const NONCE_LEN: usize = 24;
const ACCOUNT_LEN: usize = 16;
const TAG_LEN: usize = 16;

/// The node's own secrets beside its signing keys. They are states of keyed hashes, from which the keys cannot be
/// recovered.
pub struct PrivateKeys {
    /// Keys identity digests and course digests.
    pepper: Mac,
    /// Keys aliases.
    alias: Mac,
    /// Masks account numbers beside ciphertexts.
    link: Mac,
}

/// An HMAC whose key is set up already, which is half of the work for short messages.
type Mac = Hmac<Sha256>;

/// How one institution identifies learners and courses: keys that are set up once for a block.
pub struct InstitutionKeys {
    cipher: Aes128,
    courses: Mac,
}

/// A private value does not open: it is damaged, or its key was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short, or not made by this node.
    #[error("the value does not open under the learner's key")]
    Sealed,
    /// The learner's key was destroyed.
    #[error("the learner's key was destroyed")]
    Erased,
}

fn keyed(key: &[u8; 32]) -> Mac {
    <Mac as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// Adds a part after its length.
fn part(mac: &mut Mac, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("parts are bounded far below 4 GiB");
    mac.update(&length.to_be_bytes());
    mac.update(part);
}

fn mac(keyed: &Mac, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed.clone();
    parts.iter().for_each(|one| part(&mut mac, one));
    mac.finalize().into_bytes().into()
}

fn half(full: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&full[..16]);
    half
}

impl InstitutionKeys {
    /// The alias of an account.
    pub fn alias(&self, account: &AccountId) -> Alias {
        let mut block = account.0.into();
        self.cipher.encrypt_block(&mut block);
        Alias(block.into())
    }

    /// The account number of an alias. If the alias is not this institution's, it is no account's number.
    pub fn account(&self, alias: &Alias) -> AccountId {
        let mut block = alias.0.into();
        self.cipher.decrypt_block(&mut block);
        AccountId(block.into())
    }

    /// The digest of a key in the learner index. 8 bytes are enough, because a learner has few rows.
    pub fn key_digest(&self, key: &CourseKey) -> [u8; 8] {
        let full = mac(&self.courses, &[&key.to_bytes()]);
        std::array::from_fn(|i| full[i])
    }
}

/// The secret for the salts of one statement: the same for the same statement, and unknown to others.
pub(crate) struct StatementSecret(Mac);

impl StatementSecret {
    /// The salt of a record.
    pub(crate) fn salt(&self, status_id: &Digest) -> [u8; 16] {
        half(mac(&self.0, &[b"salt", status_id.as_bytes()]))
    }

    /// The seed for commitments to nothing.
    pub(crate) fn padding_seed(&self) -> [u8; 32] {
        mac(&self.0, &[b"padding"])
    }
}

impl PrivateKeys {
    /// The secret for the salts of a statement on an account's records, as of a size of the log and a day: of one
    /// institution, or of all. The day is included so that two statements do not reveal that a record has become
    /// visible.
    pub(crate) fn statement(
        &self,
        account: &AccountId,
        of: Option<InstitutionId>,
        size: u64,
        day: Day,
    ) -> StatementSecret {
        let of = of.map_or(Vec::new(), |institution| institution.0.to_be_bytes().to_vec());
        StatementSecret(keyed(&mac(
            &self.link,
            &[b"statement", account.as_bytes(), &of, &size.to_be_bytes(), &day.to_be_bytes()],
        )))
    }

    /// Secrets of 32 bytes: for identity and course digests, for aliases, for masks.
    pub fn new(pepper: &[u8; 32], alias: &[u8; 32], link: &[u8; 32]) -> Self {
        Self { pepper: keyed(pepper), alias: keyed(alias), link: keyed(link) }
    }

    /// The keys of one institution.
    pub fn of(&self, institution: impl Into<InstitutionId>) -> InstitutionKeys {
        let number = institution.into().0.to_be_bytes();
        let mut courses = self.pepper.clone();
        part(&mut courses, b"course");
        part(&mut courses, &number);
        InstitutionKeys { cipher: Aes128::new(&half(mac(&self.alias, &[b"alias", &number])).into()), courses }
    }

    /// The digest of an identity in its normal form. A student number counts only within its institution. One that is
    /// compared exactly equals one that is not, if both are spelled the same.
    pub fn identity_digest(&self, institution: impl Into<InstitutionId>, identity: &TypedIdentity) -> [u8; 32] {
        let institution = institution.into();
        let (kind, scope) = if is_student_number(identity) {
            (IdentityType::StudentNumber.into(), institution.to_string())
        } else {
            (identity.r#type, identity.scope.clone())
        };
        mac(&self.pepper, &[b"identity", &kind.to_be_bytes(), scope.as_bytes(), identity.value.as_bytes()])
    }

    /// The digest of the number of an award's document. Somebody who has only the index cannot try numbers.
    pub fn document_digest(&self, number: &DocumentKey) -> [u8; 32] {
        mac(&self.pepper, &[b"document", &number.to_bytes()])
    }

    /// The digest of the paper of a mandate, for one kind of record. It equals none of a document.
    pub fn paper_digest(&self, paper: &PaperKey) -> [u8; 32] {
        mac(&self.pepper, &[b"paper", &paper.to_bytes()])
    }

    fn mask(&self, nonce: &[u8], account: &[u8]) -> [u8; 16] {
        let pad = mac(&self.link, &[b"mask", nonce]);
        std::array::from_fn(|i| pad[i] ^ account[i])
    }

    /// `nonce || masked account || ciphertext`.
    fn seal(&self, account: &AccountId, key: &[u8; 32], context: &[u8], plain: &[&[u8]], nonce: Nonce) -> Vec<u8> {
        let len: usize = plain.iter().map(|part| part.len()).sum();
        let mut sealed = Vec::with_capacity(NONCE_LEN + ACCOUNT_LEN + len + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&self.mask(&nonce, account.as_bytes()));
        plain.iter().for_each(|part| sealed.extend_from_slice(part));
        let (cipher, short) = xchacha(key, &nonce);
        let aad = Aad::from(associated(context, account));
        let tag = cipher
            .seal_in_place_separate_tag(short, aad, &mut sealed[NONCE_LEN + ACCOUNT_LEN..])
            .expect("a body is far smaller than the cipher's limit");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The account to which a sealed value belongs.
    pub fn account_of(&self, sealed: &[u8]) -> Result<AccountId, OpenError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError::Sealed)?;
        let masked = rest.get(..ACCOUNT_LEN).ok_or(OpenError::Sealed)?;
        Ok(AccountId(self.mask(nonce, masked)))
    }

    fn open(&self, key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let account = self.account_of(sealed)?;
        let (head, ciphertext) = sealed.split_at(NONCE_LEN + ACCOUNT_LEN);
        let nonce: [u8; NONCE_LEN] = head[..NONCE_LEN].try_into().map_err(|_| OpenError::Sealed)?;
        let (cipher, short) = xchacha(key, &nonce);
        let mut plain = ciphertext.to_vec();
        let aad = Aad::from(associated(context, &account));
        let opened = cipher.open_in_place(short, aad, &mut plain).map_err(|_| OpenError::Sealed)?.len();
        plain.truncate(opened);
        Ok(plain)
    }

    /// Seals a record for its place: kind, version, seed and body.
    pub fn seal_body(
        &self,
        origin: &str,
        place: Place,
        account: &AccountId,
        key: &[u8; 32],
        record: &Record,
        nonce: Nonce,
    ) -> Vec<u8> {
        let (kind, version) = (record.kind_number().to_be_bytes(), record.version().to_be_bytes());
        let plain = [&kind[..], &version, record.seed(), record.body()];
        self.seal(account, key, &place_context(origin, place), &plain, nonce)
    }

    /// Opens what [`Self::seal_body`] made for this place.
    pub fn open_body(&self, origin: &str, place: Place, key: &[u8; 32], sealed: &[u8]) -> Result<Record, OpenError> {
        let plain = self.open(key, &place_context(origin, place), sealed)?;
        let (kind, rest) = plain.split_first_chunk::<2>().ok_or(OpenError::Sealed)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(OpenError::Sealed)?;
        let (seed, body) = rest.split_first_chunk::<32>().ok_or(OpenError::Sealed)?;
        let (kind, version) = (u16::from_be_bytes(*kind).into(), u16::from_be_bytes(*version).into());
        Record::new(kind, version, seed, body.to_vec()).map_err(|_| OpenError::Sealed)
    }

    /// The value of an identity's row.
    pub fn seal_identity(&self, digest: &[u8; 32], account: &AccountId, key: &[u8; 32], nonce: Nonce) -> Vec<u8> {
        self.seal(account, key, digest, &[b"open"], nonce)
    }

    /// Whether an identity's row is the account's own.
    pub fn check_identity(&self, digest: &[u8; 32], key: &[u8; 32], sealed: &[u8]) -> Result<(), OpenError> {
        self.open(key, digest, sealed).map(|_| ())
    }
}

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, section 2.3): ChaCha20-Poly1305 under a key made of the first 16
/// bytes of the nonce, with the other 8. For a body of some hundred bytes ring's is several times faster than the
/// implementation with the long nonce built in.
fn xchacha(key: &[u8; 32], nonce: &Nonce) -> (LessSafeKey, ring::aead::Nonce) {
    let (first, rest) = nonce.split_at(16);
    let first: [u8; 16] = std::array::from_fn(|i| first[i]);
    let subkey = hchacha::<R20>(&(*key).into(), &first.into());
    let key = UnboundKey::new(&CHACHA20_POLY1305, &subkey).expect("the subkey has 32 bytes");
    let mut short = [0; 12];
    short[4..].copy_from_slice(rest);
    (LessSafeKey::new(key), ring::aead::Nonce::assume_unique_for_key(short))
}

fn associated(context: &[u8], account: &AccountId) -> Vec<u8> {
    [context, account.as_bytes()].concat()
}

fn place_context(origin: &str, place: Place) -> Vec<u8> {
    [origin.as_bytes(), &place.entry.0.to_be_bytes(), &place.index.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> PrivateKeys {
        PrivateKeys::new(&[1; 32], &[2; 32], &[3; 32])
    }

    /// Goal: an alias leads back to its account at its own institution, and to nothing elsewhere.
    #[test]
    fn aliases_differ_per_institution() {
        let (keys, account) = (keys(), AccountId([9; 16]));
        let alias = keys.of(1).alias(&account);
        assert_eq!(keys.of(1).account(&alias), account);
        assert_ne!(keys.of(2).alias(&account), alias);
        assert_ne!(keys.of(2).account(&alias), account);
    }

    /// Goal: it is XChaCha20-Poly1305, as implemented by another library.
    #[test]
    fn another_library_opens_it() {
        use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
        let (keys, account, key) = (keys(), AccountId([9; 16]), [4; 32]);
        for len in [0, 1, 63, 64, 65, 700] {
            let plain = vec![7; len];
            let sealed = keys.seal(&account, &key, b"context", &[&plain], [6; 24]);
            let other = chacha20poly1305::XChaCha20Poly1305::new(&key.into());
            let payload = Payload { msg: &sealed[NONCE_LEN + ACCOUNT_LEN..], aad: &associated(b"context", &account) };
            assert_eq!(other.decrypt(&[6; 24].into(), payload).expect("opens"), plain);
        }
    }

    /// Goal: a body opens at its own place under its learner's key only, and no byte of it may change.
    #[test]
    fn bodies_are_bound_to_their_place() {
        let (keys, account, key) = (keys(), AccountId([9; 16]), [4; 32]);
        let body = [&[0x0a, 16][..], &[7; 16]].concat();
        let record = Record::new(3, 1, &[5; 32], body).expect("a record");
        let place = Place::new(5, 1);
        let sealed = keys.seal_body("log", place, &account, &key, &record, [6; 24]);
        assert_eq!(keys.account_of(&sealed), Ok(account));
        assert_eq!(keys.open_body("log", place, &key, &sealed), Ok(record));
        let elsewhere = keys.open_body("log", Place::new(5, 2), &key, &sealed);
        assert_eq!(elsewhere, Err(OpenError::Sealed));
        assert_eq!(keys.open_body("log", place, &[5; 32], &sealed), Err(OpenError::Sealed));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(keys.open_body("log", place, &key, &flipped), Err(OpenError::Sealed), "byte {at}");
        }
    }
}
