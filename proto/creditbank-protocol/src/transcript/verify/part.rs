//! The two parts of a transcript, and the steps that are the same for both: seals, registry, blocks, publications.

use std::cell::Cell;

use super::published::{self, Published};
use super::registrars::Registrars;
use super::{
    BTreeMap, BTreeSet, Digest, Fault, InstitutionId, Link, LogIndex, Place, RegistryProofs, TranscriptError, Tree,
    Trust, broken, differs, pb, said, tree,
};
use crate::authority;
use crate::block::{CREATED_WITHIN_MINUTES, SignedHead};
use crate::dates::day_of_ms;
use crate::key;
use crate::merkle::verify_consistency;
use crate::pb::Purpose;
use crate::seal::Seal;

/// Which of the two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// How the records came into the log.
    Base,
    /// What has become of them.
    Status,
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Status => "status part",
        })
    }
}

/// What is proved in one tree.
pub(super) struct Part {
    pub(super) tree: Tree,
    pub(super) registry: RegistryProofs,
    pub(super) blocks: BTreeMap<LogIndex, ProvedBlock>,
    pub(super) registrars: Registrars,
    published: Published,
}

/// A block that is in the log.
pub(super) struct ProvedBlock {
    pub(super) head: SignedHead,
    pub(super) leaf: Digest,
    /// Its log index.
    pub(super) index: LogIndex,
    /// The seal that closes its round, if it is given: always of a block with records or effects.
    pub(super) seal_index: Option<LogIndex>,
    /// The groups of its effects that are given.
    pub(super) groups: Vec<ProvedGroup>,
    /// Whether a record or a mark needs it.
    is_used: Cell<bool>,
}

/// A group of effects that its block has.
pub(super) struct ProvedGroup {
    pub(super) group: pb::EffectGroup,
    is_used: Cell<bool>,
}

impl ProvedBlock {
    pub(super) fn new(head: SignedHead, leaf: Digest, index: LogIndex, seal_index: Option<LogIndex>) -> Self {
        Self { head, leaf, index, seal_index, groups: Vec::new(), is_used: Cell::new(false) }
    }

    /// Says that a record or a mark needs the block.
    pub(super) fn using(&self) -> &Self {
        self.is_used.set(true);
        self
    }

    /// The effect that is wanted, and its group, which is needed from now on.
    pub(super) fn effect(&self, is_wanted: impl Fn(&pb::Effect) -> bool) -> Option<(&pb::EffectGroup, &pb::Effect)> {
        self.groups.iter().find_map(|proved| {
            let effect = proved.group.effects.iter().find(|effect| is_wanted(effect))?;
            proved.is_used.set(true);
            Some((&proved.group, effect))
        })
    }
}

impl ProvedGroup {
    pub(super) fn new(group: pb::EffectGroup) -> Self {
        Self { group, is_used: Cell::new(false) }
    }
}

/// Both parts.
pub(super) struct Parts {
    pub(super) base: Part,
    pub(super) status: Part,
    /// What the statement says; who has signed it is still to be checked.
    pub(super) said: pb::SubjectStatement,
    pub(super) witnesses: Vec<String>,
}

impl Parts {
    /// Checks everything in the two trees that needs no records.
    pub(super) fn open(transcript: &pb::Transcript, trust: &Trust) -> Result<Self, TranscriptError> {
        let (none, no_status) = (pb::TreeProofs::default(), pb::StatusPart::default());
        let status = transcript.status.as_ref().unwrap_or(&no_status);
        let proofs = (transcript.base.as_ref().unwrap_or(&none), status.proofs.as_ref().unwrap_or(&none));
        let accepted = trust.policy.verify(&status.checkpoint).map_err(broken(Link::Checkpoint, "note"))?;
        let (newest, log_key) = (accepted.checkpoint, accepted.log_key);
        if newest.origin != transcript.origin {
            let fault = Fault::Origin { expected: transcript.origin.clone(), found: newest.origin };
            return Err(broken(Link::Checkpoint, "note")(fault));
        }
        let (said, named) = said::read(transcript).map_err(broken(Link::Statement, &transcript.origin))?;
        let path = super::digests(&status.consistency).map_err(broken(Link::Checkpoint, "consistency"))?;
        verify_consistency(named.size, &named.root, newest.size, &newest.root, &path)
            .map_err(broken(Link::Checkpoint, "consistency"))?;

        let genesis = trust.beginning(&newest.origin).genesis();
        let base = Tree::open(Which::Base, named, &proofs.0.seals, &log_key)?;
        let status = Tree::open(Which::Status, newest, &proofs.1.seals, &log_key)?;
        tree::check_order(&base, &status, &genesis)?;
        let registry =
            (RegistryProofs::open(&proofs.0.registry, &base)?, RegistryProofs::open(&proofs.1.registry, &status)?);
        let records = transcript.records.iter().map(|record| Place::read(record.place).entry);
        let blocks = (base.blocks(proofs.0, records)?, status.blocks(proofs.1, std::iter::empty())?);
        tree::check_heights(&blocks.0, &blocks.1)?;
        let registrars = (
            Registrars::follow(&base, &blocks.0, &proofs.0.successions, trust)?,
            Registrars::follow(&status, &blocks.1, &proofs.1.successions, trust)?,
        );
        let base = Part::new(base, registry.0, blocks.0, registrars.0);
        let status = Part::new(status, registry.1, blocks.1, registrars.1);
        let base = Part { published: published::check(&base, &proofs.0.publications)?, ..base };
        let status = Part { published: published::check(&status, &proofs.1.publications)?, ..status };
        Ok(Self { base, status, said, witnesses: accepted.witnesses })
    }
}

impl Part {
    fn new(
        tree: Tree,
        registry: RegistryProofs,
        blocks: BTreeMap<LogIndex, ProvedBlock>,
        registrars: Registrars,
    ) -> Self {
        Self { tree, registry, blocks, registrars, published: Published::default() }
    }

    /// Checks the signature of a block under its key as the registry had it during the round, and returns the key.
    pub(super) fn check_signer(&self, proved: &ProvedBlock, seal: &Seal) -> Result<pb::Key, Fault> {
        let header = proved.head.header();
        if header.created_at_minute.abs_diff(seal.time_ms / 60_000) > CREATED_WITHIN_MINUTES {
            return Err(differs("the block's creation, in minutes", seal.time_ms / 60_000, header.created_at_minute));
        }
        let key = self.registry.key(header.key_id, seal.index)?;
        let purpose = if header.unit.institution.is_operator() { Purpose::Registry } else { Purpose::Unit };
        if key.purpose != i32::from(purpose) {
            return Err(Fault::KeyScope("it has another purpose"));
        }
        if key.institution != header.unit.institution.0 || key.unit != header.unit.number {
            return Err(Fault::KeyScope("it belongs to another unit"));
        }
        if !in_force(&key, seal) {
            return Err(Fault::KeyScope("it was not in force when the round was sealed"));
        }
        if key.revoked.is_some() {
            return Err(Fault::KeyScope("it was revoked before the round"));
        }
        proved.head.verify(&key.public_key)?;
        if header.unit.institution.is_operator() {
            self.registrars.check(proved)?;
        }
        Ok(key)
    }

    /// Whether the registry of the round had `signer` as the custodian of `other`, which was closed.
    pub(super) fn is_custodian(&self, signer: InstitutionId, other: InstitutionId, seal: &Seal) -> Result<bool, Fault> {
        let closed = self.registry.institution(other, seal.index)?;
        let keeper = self.registry.institution(signer, seal.index)?;
        Ok(authority::is_custodian(&keeper, &closed, day_of_ms(seal.time_ms)))
    }

    /// Refuses blocks, and groups of their effects, that no record, mark or publication needs.
    pub(super) fn blocks_used(&self) -> Result<(), TranscriptError> {
        for (index, block) in &self.blocks {
            let wrong = |what| broken(Link::Block, self.tree.at(index))(Fault::Surplus(what));
            let follows = self.registrars.blocks().any(|succession| succession == *index);
            if !block.is_used.get() && !self.published.blocks.contains(index) && !follows {
                return Err(wrong("no record, mark or registry entry needs the block"));
            }
            if !block.groups.iter().all(|group| group.is_used.get()) {
                return Err(wrong("no record and no mark needs a group of effects"));
            }
        }
        Ok(())
    }

    /// Refuses registry entries and seals that nothing needs.
    pub(super) fn all_used(&self) -> Result<(), TranscriptError> {
        self.registry.all_used().map_err(broken(Link::Registry, self.tree.at("list")))?;
        let used = self.blocks.values().filter(|block| block.is_used.get());
        let mut needed: BTreeSet<LogIndex> = used.filter_map(|block| block.seal_index).collect();
        needed.extend(&self.published.seals);
        self.tree.all_used(&needed).map_err(broken(Link::Seal, self.tree.at("list")))
    }
}

/// Whether the time of the seal lies between the key's dates.
pub(super) fn in_force(key: &pb::Key, seal: &Seal) -> bool {
    key::within_dates(key, seal.time_ms / 60_000)
}
