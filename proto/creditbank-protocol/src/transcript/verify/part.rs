//! The two parts of a transcript, and the steps that are the same for both: seals, registry, blocks, publications.

use std::cell::{Cell, OnceCell};

use super::log_keys::{LogKeys, first_origin};
use super::published::{self, Published};
use super::registrars::Registrars;
use super::{
    BTreeMap, BTreeSet, Digest, Fault, InstitutionId, Link, LogIndex, Place, RegistryProofs, TranscriptError, Tree,
    Trust, broken, differs, pb, said, tree,
};
use crate::UnitId;
use crate::approval::approval_message;
use crate::authority;
use crate::block::{CREATED_WITHIN_MINUTES, Header, SignedHead};
use crate::contested::is_suspect;
use crate::correction::Correction;
use crate::dates::day_of_ms;
use crate::key::{self, FormerOrigin, KeyId};
use crate::merkle::verify_consistency;
use crate::once::is_in_time;
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
    log_keys: LogKeys,
    published: Published,
}

/// What no step needs of a part.
pub(in crate::transcript) struct Unneeded {
    /// Of each registry entry, in the order of their list.
    pub(in crate::transcript) registry: Vec<bool>,
    /// By block and number of the piece.
    pub(in crate::transcript) groups: BTreeSet<(LogIndex, u32)>,
    pub(in crate::transcript) blocks: BTreeSet<LogIndex>,
    pub(in crate::transcript) seals: BTreeSet<LogIndex>,
}

impl Unneeded {
    pub(in crate::transcript) fn is_empty(&self) -> bool {
        !self.registry.contains(&true) && self.groups.is_empty() && self.blocks.is_empty() && self.seals.is_empty()
    }
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
    /// The key that has signed it, once that was checked.
    key: OnceCell<pb::Key>,
}

/// A group of effects that its block has.
pub(super) struct ProvedGroup {
    pub(super) group: pb::EffectGroup,
    /// Its number among the pieces.
    piece: u32,
    is_used: Cell<bool>,
}

impl ProvedBlock {
    pub(super) fn new(head: SignedHead, leaf: Digest, index: LogIndex, seal_index: Option<LogIndex>) -> Self {
        let (groups, is_used, key) = (Vec::new(), Cell::new(false), OnceCell::new());
        Self { head, leaf, index, seal_index, groups, is_used, key }
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
    pub(super) fn new(group: pb::EffectGroup, piece: u32) -> Self {
        Self { group, piece, is_used: Cell::new(false) }
    }
}

/// Both parts.
pub(super) struct Parts {
    pub(super) base: Part,
    pub(super) status: Part,
    /// What the statement says; who has signed it is still to be checked.
    pub(super) said: pb::SubjectStatement,
    /// The corrections of the time that are given.
    pub(super) corrections: Vec<Correction>,
    pub(super) witnesses: Vec<String>,
    /// From when the policy's quorum of cosignatures is, seconds since 1970.
    pub(super) cosigned_s: Option<u64>,
}

impl Parts {
    /// Checks everything in the two trees that needs no records.
    pub(super) fn open(transcript: &pb::Transcript, trust: &Trust) -> Result<Self, TranscriptError> {
        let (none, no_status) = (pb::TreeProofs::default(), pb::StatusPart::default());
        let status = transcript.status.as_ref().unwrap_or(&no_status);
        let proofs = (transcript.base.as_ref().unwrap_or(&none), status.proofs.as_ref().unwrap_or(&none));
        let begun = first_origin(proofs.1, trust, &transcript.origin);
        let log_keys = (
            LogKeys::said(Which::Base, proofs.0, trust, &begun)?,
            LogKeys::said(Which::Status, proofs.1, trust, &begun)?,
        );
        let accepted = log_keys.1.accept(&status.checkpoint, trust)?;
        let newest = accepted.checkpoint;
        let (said, named) = said::read(transcript).map_err(broken(Link::Statement, &transcript.origin))?;
        log_keys.1.has_origin(&named).map_err(broken(Link::Checkpoint, "origin"))?;
        let path = super::digests(&status.consistency).map_err(broken(Link::Checkpoint, "consistency"))?;
        verify_consistency(named.size, &named.root, newest.size, &newest.root, &path)
            .map_err(broken(Link::Checkpoint, "consistency"))?;

        let genesis = trust.beginning(&begun).genesis();
        let base = Tree::open(Which::Base, named, &proofs.0.seals, &log_keys.0)?;
        let status = Tree::open(Which::Status, newest, &proofs.1.seals, &log_keys.1)?;
        let back = tree::check_order(&base, &status, &genesis)?;
        let registry =
            (RegistryProofs::open(&proofs.0.registry, &base)?, RegistryProofs::open(&proofs.1.registry, &status)?);
        let records = transcript.records.iter().map(|record| Place::read(record.place).entry);
        let blocks =
            (base.blocks(proofs.0, &log_keys.0, records)?, status.blocks(proofs.1, &log_keys.1, std::iter::empty())?);
        tree::check_heights(&blocks.0, &blocks.1)?;
        let registrars = (
            Registrars::follow(&base, &log_keys.0, &blocks.0, &proofs.0.successions, trust)?,
            Registrars::follow(&status, &log_keys.1, &blocks.1, &proofs.1.successions, trust)?,
        );
        log_keys.0.check(&base, &blocks.0, &registrars.0)?;
        log_keys.1.check(&status, &blocks.1, &registrars.1)?;
        let base = Part::new(base, registry.0, blocks.0, registrars.0, log_keys.0);
        let status = Part::new(status, registry.1, blocks.1, registrars.1, log_keys.1);
        let base = Part { published: published::check(&base, &proofs.0.publications)?, ..base };
        let status = Part { published: published::check(&status, &proofs.1.publications)?, ..status };
        // What was published is what the operator has said.
        let corrections = |part: &Part| part.registry.corrections().map_err(broken(Link::Registry, "corrections"));
        let placed = [corrections(&base)?, corrections(&status)?].concat();
        tree::check_corrections([&base.tree, &status.tree], &placed)?;
        let corrections: Vec<Correction> = placed.into_iter().map(|(_, one)| one).collect();
        tree::check_times(&back, &corrections)?;
        status.registry.using_corrections(status.tree.last_seal().index);
        Ok(Self { base, status, said, corrections, witnesses: accepted.witnesses, cosigned_s: accepted.cosigned_s })
    }
}

impl Part {
    fn new(
        tree: Tree,
        registry: RegistryProofs,
        blocks: BTreeMap<LogIndex, ProvedBlock>,
        registrars: Registrars,
        log_keys: LogKeys,
    ) -> Self {
        Self { tree, registry, blocks, registrars, log_keys, published: Published::default() }
    }

    /// The names that the log had before, as of this part.
    pub(super) fn former_origins(&self) -> &[FormerOrigin] {
        self.log_keys.former_origins()
    }

    /// Whether a registry key or a log key has followed with the block at a log index.
    fn has_followed(&self, index: LogIndex) -> bool {
        self.registrars.blocks().chain(self.log_keys.blocks()).any(|block| block == index)
    }

    /// Checks the signature of a block under its key as the registry had it during the round; of an institution's also
    /// that its unit could sign, and who has approved it. The key. Looks once at each block.
    pub(super) fn check_signer<'a>(&self, proved: &'a ProvedBlock, seal: &Seal) -> Result<&'a pb::Key, Fault> {
        if let Some(key) = proved.key.get() {
            return Ok(key);
        }
        let header = proved.head.header();
        if header.created_at_minute.abs_diff(seal.time_ms / 60_000) > CREATED_WITHIN_MINUTES {
            return Err(differs("the block's creation, in minutes", seal.time_ms / 60_000, header.created_at_minute));
        }
        let key = self.registry.key(header.key_id, seal)?;
        let by_operator = header.unit.institution.is_operator();
        check_key(&key, if by_operator { Purpose::Registry } else { Purpose::Unit }, header.unit, seal)?;
        proved.head.verify(&key.public_key)?;
        if by_operator {
            self.registrars.check(proved)?;
        } else {
            self.check_unit(proved, seal)?;
        }
        Ok(proved.key.get_or_init(|| key))
    }

    /// Checks that institution and unit were active, and that the block was approved where the unit asks for it.
    fn check_unit(&self, proved: &ProvedBlock, seal: &Seal) -> Result<(), Fault> {
        let header = proved.head.header();
        let active = i32::from(pb::RegistryState::Active);
        if self.registry.institution(header.unit.institution, seal)?.state != active {
            return Err(Fault::Issuer("its institution was not active"));
        }
        let unit = self.registry.unit(header.unit, seal)?;
        if unit.state != active {
            return Err(Fault::Issuer("its unit was not active"));
        }
        let approvals = proved.head.approvals();
        if unit.requires_approval && approvals.is_empty() {
            return Err(Fault::Issuer("its unit needs the approval of a second person"));
        }
        approvals.iter().try_for_each(|approval| self.check_approval(header, approval, seal))
    }

    fn check_approval(&self, header: &Header, approval: &pb::Approval, seal: &Seal) -> Result<(), Fault> {
        let missing = || Fault::Missing("the id of the approver's key".to_owned());
        let key = self.registry.key(KeyId::from_slice(&approval.key_id).ok_or_else(missing)?, seal)?;
        check_key(&key, Purpose::Approver, header.unit, seal)?;
        if !is_in_time(approval.until_minute, header.created_at_minute, seal.time_ms / 60_000) {
            return Err(Fault::Issuer("the approval had ended, or ends too late"));
        }
        Ok(key::verify(&key.public_key, approval_message(header, approval).as_bytes(), &approval.signature)?)
    }

    /// Whether a block is suspect: by the registry of this part's last seal, which must show each key that signed or
    /// approved the block. `sealed_at_ms` is the time of the block's own seal.
    pub(super) fn is_suspect(&self, head: &SignedHead, sealed_at_ms: u64) -> Result<bool, Fault> {
        let last = self.tree.last_seal();
        let keys = head.key_ids().map(|id| self.registry.key(id, last)).collect::<Result<Vec<_>, _>>()?;
        Ok(keys.iter().any(|key| is_suspect(key, sealed_at_ms)))
    }

    /// Whether the registry of the round had `signer` as the custodian of `other`, which was closed.
    pub(super) fn is_custodian(&self, signer: InstitutionId, other: InstitutionId, seal: &Seal) -> Result<bool, Fault> {
        let closed = self.registry.institution(other, seal)?;
        let keeper = self.registry.institution(signer, seal)?;
        Ok(authority::is_custodian(&keeper, &closed, day_of_ms(seal.time_ms)))
    }

    /// Refuses blocks, and groups of their effects, that no record, mark or publication needs.
    pub(super) fn blocks_used(&self) -> Result<(), TranscriptError> {
        for (index, block) in &self.blocks {
            let wrong = |what| broken(Link::Block, self.tree.at(index))(Fault::Surplus(what));
            if !block.is_used.get() && !self.published.blocks.contains(index) && !self.has_followed(*index) {
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
        if self.registry.unneeded().contains(&true) {
            let fault = Fault::Surplus("a registry entry serves no proof");
            return Err(broken(Link::Registry, self.tree.at("list"))(fault));
        }
        if self.tree.unneeded(&self.needed_seals()).is_empty() {
            Ok(())
        } else {
            let fault = Fault::Surplus("a seal closes no round of a given block");
            Err(broken(Link::Seal, self.tree.at("list"))(fault))
        }
    }

    fn needed_seals(&self) -> BTreeSet<LogIndex> {
        let used = self.blocks.values().filter(|block| block.is_used.get());
        let mut needed: BTreeSet<LogIndex> = used.filter_map(|block| block.seal_index).collect();
        needed.extend(&self.published.seals);
        needed
    }

    /// What nothing needs.
    pub(super) fn unneeded(&self) -> Unneeded {
        let is_needed = |index: &LogIndex, block: &ProvedBlock| {
            block.is_used.get() || self.published.blocks.contains(index) || self.has_followed(*index)
        };
        let blocks = self.blocks.iter().filter(|(index, block)| !is_needed(index, block)).map(|(index, _)| *index);
        let groups = self.blocks.iter().flat_map(|(index, block)| {
            let unused = block.groups.iter().filter(|group| !group.is_used.get());
            unused.map(|group| (*index, group.piece))
        });
        Unneeded {
            registry: self.registry.unneeded(),
            groups: groups.collect(),
            blocks: blocks.collect(),
            seals: self.tree.unneeded(&self.needed_seals()),
        }
    }
}

/// Checks that a key is for something, belongs to a unit, and was in force in the round of a seal.
fn check_key(key: &pb::Key, purpose: Purpose, unit: UnitId, seal: &Seal) -> Result<(), Fault> {
    if key.purpose != i32::from(purpose) {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if key.institution != unit.institution.0 || key.unit != unit.number {
        return Err(Fault::KeyScope("it belongs to another unit"));
    }
    if !in_force(key, seal) {
        return Err(Fault::KeyScope("it was not in force when the round was sealed"));
    }
    if key.revoked.is_some() {
        return Err(Fault::KeyScope("it was revoked before the round"));
    }
    Ok(())
}

/// Whether the time of the seal lies between the key's dates.
pub(super) fn in_force(key: &pb::Key, seal: &Seal) -> bool {
    key::within_dates(key, seal.time_ms / 60_000)
}
