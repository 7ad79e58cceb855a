//! What a verifier learns from a transcript. Five questions, never mixed: is it authentic, by whom, about whom, current as
//! of when and by whose word, and is the issuer one whom the verifier trusts.

use crate::Digest;
use crate::key::KeyId;
use crate::pb;
use crate::record::Disclosed;

/// A transcript whose every proof holds.
#[derive(Debug, Clone)]
pub struct Report {
    /// The log.
    pub origin: String,
    /// Size of the checkpoint.
    pub size: u64,
    /// Root of the checkpoint.
    pub root: Digest,
    /// Time of the checkpoint's seal, milliseconds since 1970-01-01T00:00Z: the operator's word.
    pub sealed_at_ms: u64,
    /// Names of the trusted witnesses that cosigned the checkpoint. Each proves one history, nothing more.
    pub witnesses: Vec<String>,
    /// The records, in order of their places.
    pub records: Vec<TranscriptRecord>,
    /// What the node says about the person.
    pub statement: Statement,
    /// The institutions that issued.
    pub institutions: Vec<Institution>,
    /// Those that say in the registry, as of the checkpoint, that they are a custodian of one of them. Whether that one is
    /// closed, and the relation in force, stands in the entries.
    pub custodians: Vec<pb::Institution>,
}

/// An institution as of the checkpoint.
#[derive(Debug, Clone)]
pub struct Institution {
    /// Its permanent number.
    pub number: u64,
    /// Its registry entry.
    pub entry: pb::Institution,
    /// Whether the verifier's trust file names it.
    pub trusted: bool,
}

/// A record that is authentic.
#[derive(Debug, Clone)]
pub struct TranscriptRecord {
    /// Where it stands.
    pub place: pb::Place,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// Who issued it.
    pub institution: u64,
    /// Which unit.
    pub unit: u32,
    /// The key that signed.
    pub key_id: KeyId,
    /// Time of the seal of its round, milliseconds since 1970-01-01T00:00Z.
    pub sealed_at_ms: u64,
    /// The closed institution whose record this one replaces, where the signer keeps its records.
    pub on_behalf_of: Option<u64>,
    /// Sealed at or after the time from which its key counts as compromised, and not confirmed by a block of this transcript.
    pub contested: bool,
    /// Log index of the block of this transcript that confirms it.
    pub confirmed: Option<u64>,
    /// How another block of this transcript ends the record: superseded or revoked. Blocks elsewhere in the log may too.
    pub ended: Option<pb::Action>,
    /// Log index of the block of this transcript that redeems it, unless another one releases it again.
    pub redeemed: Option<u64>,
    /// Log index of the block of this transcript that puts it under review, unless another one closes the review.
    pub under_review: Option<u64>,
    /// A claim that must be opened and is not: the record is `incomplete`, never `valid`.
    pub missing_claim: Option<&'static str>,
    /// The opened fields.
    pub disclosed: Disclosed,
}

/// The node's word about the person, as of the checkpoint.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Whether the statement says that these are all records of one institution, and of which.
    pub complete_for: Option<u64>,
    /// Status ids of the statement whose records are not in the transcript.
    pub withheld: usize,
    /// The holder's key, if one is bound.
    pub holder_key: Option<[u8; 32]>,
    /// Place of the Identity record, if there is one.
    pub identity: Option<pb::Place>,
}
