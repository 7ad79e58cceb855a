//! Records: typed messages of which every top-level field can be disclosed alone.
//!
//! | value       | preimage (PROTOCOL.md, "Records and claims")                                       |
//! |-------------|------------------------------------------------------------------------------------|
//! | pair p      | tag, seed, kind, version, p: the salts of claims 2p + 1 and 2p + 2, 16 bytes each  |
//! | claim i     | tag, salt i, kind, version, i, then `0x00` absent, or `0x01` and the wire bytes    |
//! | record hash | tag, suite, kind, version, n, claim 1 .. claim n                                   |

mod amends;
mod disclosed;
mod expires;
mod kind;
mod late;
mod rests_on;
mod visible;

pub use amends::amends_of;
pub use disclosed::{Disclosed, DisclosureError, RequiredClaims, disclose};
pub use expires::{exemption_expires, expires_of, has_expired};
pub use kind::{KindInfo, info_of, kind_info};
pub use late::{Dated, dated_of};
pub use rests_on::RestsOn;
pub use visible::{is_embargoed, visible_from_of};

use crate::Digest;
use crate::canonical::{Canonical, CanonicalError, top_level_fields};
use crate::hash::{sha256_of, tag};
use crate::pb::Kind;

/// The suite of this crate: SHA-256 and Ed25519.
pub const SUITE: u16 = 1;
/// Seed of a public record, which hides nothing.
pub const PUBLIC_SEED: [u8; 32] = [0; 32];
/// Most bytes of a record's body.
pub const BODY_LEN_MAX: usize = 65_535;

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The kind is not one of this version of the protocol.
    #[error("kind {0} is unknown")]
    UnknownKind(u32),
    /// The kind has no such version.
    #[error("version {found} of {kind} is unknown, expected {expected}")]
    UnknownVersion {
        /// The kind's name.
        kind: &'static str,
        /// The newest version that is known.
        expected: u16,
        /// The version that came.
        found: u32,
    },
    /// More bytes than a record may have.
    #[error("the body has {found} bytes, at most {BODY_LEN_MAX} are allowed")]
    TooLong {
        /// The bytes that came.
        found: usize,
    },
    /// The seed is not 32 bytes.
    #[error("the seed has {found} bytes, expected 32")]
    Seed {
        /// The bytes that came.
        found: usize,
    },
    /// The seed of a hidden record is the one that everybody knows.
    #[error("the seed is zero: anybody could open the record's hidden fields; expected a secret one")]
    ZeroSeed,
    /// Another record of the block has the same seed.
    #[error("the seed is that of record {earlier} too; expected one of its own")]
    RepeatedSeed {
        /// Position of the other one.
        earlier: u32,
    },
    /// The body is not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// A record whose body is canonical and whose hash is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    kind: Kind,
    version: u16,
    seed: [u8; 32],
    body: Vec<u8>,
    hash: Digest,
}

impl Record {
    /// Checks kind, version, seed and body, and hashes. Needs no state, so any thread may do it.
    pub fn new(kind: u32, version: u32, seed: &[u8], body: Vec<u8>) -> Result<Self, RecordError> {
        let info = kind_info(kind).ok_or(RecordError::UnknownKind(kind))?;
        let version = info.version(version)?;
        if body.len() > BODY_LEN_MAX {
            return Err(RecordError::TooLong { found: body.len() });
        }
        let seed = seed.try_into().map_err(|_| RecordError::Seed { found: seed.len() })?;
        if seed == PUBLIC_SEED && !info.public {
            return Err(RecordError::ZeroSeed);
        }
        let hash = record_hash(info, version, &claims(info, version, &seed, &body)?);
        Ok(Self { kind: info.kind, version, seed, body, hash })
    }

    /// A record of version 1 of a kind.
    pub fn of(kind: Kind, seed: &[u8; 32], body: Vec<u8>) -> Result<Self, RecordError> {
        Self::new(u32::from(kind_number(kind)), 1, seed, body)
    }

    /// What the record is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The kind's number.
    pub fn kind_number(&self) -> u16 {
        kind_number(self.kind)
    }

    /// Version of the kind.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The secret from which the salts come; whoever has it and the body can disclose the record.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The canonical bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The message, which is that of the record's kind. The body was found canonical when the record was made.
    pub fn read<M: Canonical>(&self) -> Result<M, CanonicalError> {
        let schema = info_of(self.kind).map(|info| info.schema);
        if schema.is_some_and(|schema| std::ptr::eq(schema, M::SCHEMA))
            && let Ok(message) = M::decode(&self.body[..])
        {
            return Ok(message);
        }
        // Another kind's message: the check says what does not fit.
        crate::canonical::decode(&self.body)
    }

    /// The record hash: the leaf of the block's tree.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

impl std::fmt::Debug for Record {
    /// Shows no personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("kind", &self.kind).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// The salt of claim `number`, from 1.
pub fn salt(seed: &[u8; 32], kind: Kind, version: u16, number: u16) -> [u8; 16] {
    let index = number.saturating_sub(1);
    let pair = salts(seed, kind, version, index / 2);
    if index.is_multiple_of(2) { pair.0 } else { pair.1 }
}

/// The salts of claims `2 * pair + 1` and `2 * pair + 2`. One block: the seed is secret and random, and the length
/// fixed, so each half
/// is what a pseudo-random function gives (PROTOCOL.md says why that suffices).
fn salts(seed: &[u8; 32], kind: Kind, version: u16, pair: u16) -> ([u8; 16], [u8; 16]) {
    let mut preimage = [0; 43];
    preimage[0] = 4;
    preimage[1..5].copy_from_slice(tag::SALTS.as_bytes());
    preimage[5..37].copy_from_slice(seed);
    preimage[37..].copy_from_slice(&numbers(kind, version, pair));
    let Digest(both) = sha256_of(&[&preimage]);
    (std::array::from_fn(|i| both[i]), std::array::from_fn(|i| both[16 + i]))
}

/// Kind, version and a number, as they stand in the preimages of claims.
fn numbers(kind: Kind, version: u16, number: u16) -> [u8; 6] {
    let mut bytes = [0; 6];
    for (out, part) in bytes.as_chunks_mut::<2>().0.iter_mut().zip([kind_number(kind), version, number]) {
        *out = part.to_be_bytes();
    }
    bytes
}

/// The hash of claim `number`; `value` is all wire occurrences of the field, empty where it is absent. One block up
/// to 27 bytes of
/// value: one claim for each field of every record makes this the hottest hash of the system.
pub fn claim_hash(salt: &[u8; 16], kind: Kind, version: u16, number: u16, value: &[u8]) -> Digest {
    let mut head = [0; 28];
    head[0] = 4;
    head[1..5].copy_from_slice(tag::CLAIM.as_bytes());
    head[5..21].copy_from_slice(salt);
    head[21..27].copy_from_slice(&numbers(kind, version, number));
    head[27] = u8::from(!value.is_empty());
    sha256_of(&[&head, value])
}

/// The claims of a whole record, in field order.
fn claims(info: &KindInfo, version: u16, seed: &[u8; 32], body: &[u8]) -> Result<Vec<Digest>, CanonicalError> {
    let fields = top_level_fields(info.schema, body)?;
    let mut last = None;
    let claim = |(number, range): (u16, std::ops::Range<usize>)| {
        let index = number - 1;
        let (_, pair) = last
            .filter(|(pair, _)| *pair == index / 2)
            .unwrap_or_else(|| (index / 2, salts(seed, info.kind, version, index / 2)));
        last = Some((index / 2, pair));
        let salt = if index.is_multiple_of(2) { &pair.0 } else { &pair.1 };
        claim_hash(salt, info.kind, version, number, &body[range])
    };
    Ok(info.numbers().zip(fields).map(claim).collect())
}

/// The record hash over its claims.
pub fn record_hash(info: &KindInfo, version: u16, claims: &[Digest]) -> Digest {
    let count = u16::try_from(claims.len()).expect("a kind has at most 64 fields");
    let mut preimage = Vec::with_capacity(13 + 32 * claims.len());
    preimage.push(4);
    preimage.extend_from_slice(tag::RECORD.as_bytes());
    preimage.extend_from_slice(&SUITE.to_be_bytes());
    preimage.extend_from_slice(&numbers(info.kind, version, count));
    claims.iter().for_each(|claim| preimage.extend_from_slice(claim.as_bytes()));
    sha256_of(&[&preimage])
}

/// Whether all hidden records, in their order, have seeds of their own: two with one seed would have the same salts,
/// and what opens a field of one would help to guess that of the other. The error names the later of two.
pub fn own_seeds(hidden: &[Record]) -> Result<(), (u32, RecordError)> {
    let mut seeds: Vec<(&[u8; 32], u32)> = hidden.iter().map(Record::seed).zip(0..).collect();
    seeds.sort_unstable();
    let pairs = seeds.iter().zip(seeds.iter().skip(1));
    let repeated = pairs.filter(|(one, other)| one.0 == other.0);
    // Of several, the first in the order of the block.
    match repeated.map(|(one, other)| (other.1, one.1)).min() {
        Some((record, earlier)) => Err((record, RecordError::RepeatedSeed { earlier })),
        None => Ok(()),
    }
}

/// The kind as it stands in preimages.
pub fn kind_number(kind: Kind) -> u16 {
    u16::try_from(i32::from(kind)).expect("kinds are numbered below 128")
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::hash::compressions;
    use crate::pb;

    /// A Credit as an importer makes it: course, amount, grade, level, period.
    fn typical_credit() -> Vec<u8> {
        let title = pb::Text { language: "en".to_owned(), value: "Linear algebra".to_owned() };
        let credit = pb::Credit {
            learner: vec![7; 16],
            course: Some(pb::Course { code: "MATH101".to_owned(), titles: vec![title] }),
            amount: Some(pb::Amount { e4: 60_000, unit: "ECTS".to_owned() }),
            grade: Some(pb::Grade { scale: "uni.example/1-5".to_owned(), value: "1.7".to_owned() }),
            ..Default::default()
        };
        credit.encode_to_vec()
    }

    /// Goal: what a record costs is counted, so that nobody makes hashing dearer without seeing it: each pair of
    /// salts and each claim
    /// of at most 27 bytes is one block.
    #[test]
    fn a_typical_credit_takes_few_compressions() {
        compressions::take();
        let record = Record::of(Kind::Credit, &[5; 32], typical_credit()).expect("a record");
        // 13 pairs of salts, 25 claims of which the course has more than 27 bytes, 822 bytes under the record's hash.
        assert_eq!(compressions::take(), 13 + 25 + 1 + 13, "{record:?}");
    }

    /// Goal: the salt of a claim is the same alone and among all of the record, also for the last one of an odd number.
    #[test]
    fn salts_do_not_depend_on_how_they_are_asked_for() {
        let info = info_of(Kind::Credit).expect("the kind");
        let body = typical_credit();
        let ranges = top_level_fields(info.schema, &body).expect("canonical");
        let all = claims(info, 1, &[5; 32], &body).expect("canonical");
        for (number, (range, claim)) in info.numbers().zip(ranges.into_iter().zip(all)) {
            let salt = salt(&[5; 32], Kind::Credit, 1, number);
            assert_eq!(claim_hash(&salt, Kind::Credit, 1, number, &body[range]), claim, "claim {number}");
        }
    }
}
