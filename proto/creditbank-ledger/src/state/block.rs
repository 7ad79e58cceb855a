//! A block with everything that needs neither order nor hidden records.

use creditbank_protocol::Digest;
use creditbank_protocol::UnitId;
use creditbank_protocol::approval::approval_digest;
use creditbank_protocol::block::{BlockError, SignedBlock, public_record};
use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::correction::Correction;
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb;
use creditbank_rules::admission::Approved;

/// A block whose shape is right, with what every transition asks of it. Its signatures may be anything.
#[derive(Debug)]
pub struct ReadBlock {
    block: SignedBlock,
    id: Digest,
    leaf: Digest,
    public_leaf: Option<Digest>,
    approvals: Vec<Approved>,
    successor: Option<[u8; 32]>,
    log_succession: Option<pb::LogSuccession>,
    correction: Option<Correction>,
    /// Whether the public records are the ones that were signed, as far as can be said without the hidden ones.
    public: Result<(), BlockError>,
}

impl ReadBlock {
    /// A block of the log whose hidden records are not at hand. `leaf` is the leaf hash of its head, `public_leaf` that
    /// of its public part, where it has one.
    pub fn public(block: SignedBlock, leaf: Digest, public_leaf: Option<Digest>) -> Self {
        let public = check_public(&block);
        Self::new(block, (leaf, public_leaf), public)
    }

    /// A block whose records, the public ones included, [`SignedBlock::records`] has found to be the ones that were
    /// signed; `entries` are its own.
    pub fn with_records(block: SignedBlock, entries: &BlockEntries) -> Self {
        let leaves = (leaf_hash(&entries.head), entries.public.as_deref().map(leaf_hash));
        Self::new(block, leaves, Ok(()))
    }

    fn new(block: SignedBlock, (leaf, public_leaf): (Digest, Option<Digest>), public: Result<(), BlockError>) -> Self {
        Self {
            id: block.header().id(),
            approvals: approvals(&block),
            successor: successor(&block),
            log_succession: log_succession(&block),
            correction: correction(&block),
            block,
            leaf,
            public_leaf,
            public,
        }
    }

    /// The block.
    pub fn block(&self) -> &SignedBlock {
        &self.block
    }

    /// Whose chain it continues.
    pub fn unit(&self) -> UnitId {
        let header = self.block.header();
        header.unit
    }

    /// Whether the operator signs it.
    pub fn is_operators(&self) -> bool {
        self.block.header().unit.institution.is_operator()
    }

    /// Identity of its header: what the next block of the chain names as its previous.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Leaf hash of its head.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// The leaf hashes of its entries, in their order.
    pub fn leaves(&self) -> impl Iterator<Item = Digest> {
        std::iter::once(self.leaf).chain(self.public_leaf)
    }

    /// Who approved it.
    pub fn approvals(&self) -> &[Approved] {
        &self.approvals
    }

    /// The registry key that takes over with the block, where it says so. Whether it may, the registry says.
    pub fn successor(&self) -> Option<[u8; 32]> {
        self.successor
    }

    /// That the log goes on under another origin with the block, where it says so.
    pub fn log_succession(&self) -> Option<&pb::LogSuccession> {
        self.log_succession.as_ref()
    }

    /// What it says of the time, where it corrects it: a block of the operator whose first record does.
    pub fn correction(&self) -> Option<Correction> {
        self.correction
    }

    /// The error of the public records, if there is one.
    pub(super) fn check_public(&self) -> Result<(), BlockError> {
        self.public.clone()
    }
}

/// The registry key that takes over with a block of the operator: the first record of the block says so.
pub fn successor(block: &SignedBlock) -> Option<[u8; 32]> {
    let said: pb::RegistrySuccession = said_first(block, pb::Kind::RegistrySuccession)?;
    said.public_key.try_into().ok()
}

/// The first record of a block of the operator, where it is of a kind.
fn said_first<M: Canonical>(block: &SignedBlock, kind: pb::Kind) -> Option<M> {
    let first = block.public().records.first().filter(|_| block.header().unit.institution.is_operator())?;
    if first.kind == i32::from(kind) { decode(&first.body).ok() } else { None }
}

/// That the log goes on under another origin: the first record of a block of the operator says so.
pub fn log_succession(block: &SignedBlock) -> Option<pb::LogSuccession> {
    said_first(block, pb::Kind::LogSuccession)
}

/// What a block of the operator says of the time, in its first record. One behind it is refused with the block.
fn correction(block: &SignedBlock) -> Option<Correction> {
    said_first::<pb::TimeCorrection>(block, pb::Kind::TimeCorrection).map(Correction::from)
}

/// Whoever has approved a block. Where an approval names no key, the key is one that nobody has.
fn approvals(block: &SignedBlock) -> Vec<Approved> {
    let approved = |approval: &pb::Approval| Approved {
        key: KeyId::from_slice(&approval.key_id).unwrap_or(KeyId([0; 16])),
        until_minute: approval.until_minute,
        digest: approval_digest(block.header(), approval),
    };
    block.approvals().iter().map(approved).collect()
}

/// Where all records are public, that they are the signed ones; else that each of them is a record of a public kind.
fn check_public(block: &SignedBlock) -> Result<(), BlockError> {
    let (header, public) = (block.header(), block.public());
    if usize::try_from(header.count) == Ok(public.records.len()) {
        return block.records(Vec::new()).map(|_| ());
    }
    public.records.iter().try_for_each(|shown| public_record(shown).map(|_| ()))
}
