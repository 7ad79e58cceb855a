//! Reads records back, decrypted, for callers who may read them.

use std::collections::BTreeSet;

use creditbank_ledger::read::ReadView as _;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::{record_leaf, records_root, verify_inclusion};
use creditbank_protocol::pb::{DisclosedRecord, Kind, Receipt};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::admission::{AdmissionError, BlockFacts, check_records};
use creditbank_rules::{Rejection, ViewError};
use creditbank_store::{Known, StoreError};

use crate::append::round::{Context, StoreView, mark_names};
use crate::ledger::{Ledger, Shared};
use crate::publish::ReceiptError;
use crate::record_hashes::{PathParts, hashes_of};
use crate::stored_block;
use crate::tables;
use crate::unreadable::{damaged, missing};

/// A record as it is read back.
#[derive(Debug)]
pub struct ReadRecord {
    /// Whole, with the path to the block's root.
    pub disclosed: DisclosedRecord,
    /// The receipt of its block.
    pub receipt: Receipt,
    /// The marks against it.
    pub marks: Marks,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none, it is public, or the learner's key was destroyed.
    #[error("no record can be read at {0}")]
    Missing(Place),
    /// The unit has no such block.
    #[error("unit {} of institution {} has no block at height {height}", .unit.number, .unit.institution)]
    NoBlock {
        /// Which unit.
        unit: UnitId,
        /// Which height.
        height: u64,
    },
    /// The alias or account is unknown.
    #[error("the learner is not known here")]
    UnknownLearner,
    /// The ledger could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// A proof could not be made.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A dry run that could not begin.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// A record of a unit, without what it says about the person.
#[derive(Debug)]
pub struct Issued {
    /// Its place.
    pub place: Place,
    /// Its kind; unspecified if the learner's key was destroyed.
    pub kind: Kind,
    /// Its hash.
    pub hash: Digest,
    /// The marks against it.
    pub marks: Marks,
}

impl From<AdmissionError> for ReadError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Rejected(rejection) => rejection.into(),
            AdmissionError::View(error) => error.into(),
        }
    }
}

impl ReadRecord {
    /// The names of the marks.
    pub fn mark_names(&self) -> Vec<String> {
        mark_names(&self.marks)
    }

    /// Log index of the effect that set each mark.
    pub fn mark_entries(&self) -> Vec<u64> {
        self.marks.iter().map(|(_, entry)| entry.0).collect()
    }
}

impl Issued {
    /// The names of the marks.
    pub fn mark_names(&self) -> Vec<String> {
        mark_names(&self.marks)
    }

    /// Log index of the effect that set each mark.
    pub fn mark_entries(&self) -> Vec<u64> {
        self.marks.iter().map(|(_, entry)| entry.0).collect()
    }
}

impl Shared {
    /// The record at a place with its path and receipt.
    pub(super) fn read(&self, context: &Context<'_>, place: Place) -> Result<ReadRecord, ReadError> {
        let state = self.state();
        let stored = StoreView::new(context, &state).stored(place)?.ok_or(ReadError::Missing(place))?;
        drop(state);
        let disclosed = self.disclose(place, &stored.record)?;
        Ok(ReadRecord { disclosed, receipt: self.receipt(place.entry)?, marks: stored.facts.marks })
    }

    /// The whole record at a place, with its path to the block's root, which is checked.
    pub(super) fn disclose(&self, place: Place, record: &Record) -> Result<DisclosedRecord, ReadError> {
        let path = self.record_path(place)?;
        let entry = Entry::parse(&self.store.entry(place.entry)?).map_err(damaged)?;
        let leads = match &entry {
            Entry::Head(head) => {
                let (header, leaf) = (head.header(), record_leaf(&record.hash()));
                let (index, count) = (u64::from(place.index), u64::from(header.count));
                verify_inclusion(&leaf, index, count, &path, &header.records_root).is_ok()
            }
            Entry::Public(_) | Entry::Seal(_) => false,
        };
        if !leads {
            let what = format!(
                "record {place}: the record or the hashes of its block do not lead to the root that was signed"
            );
            self.health.damage(&what);
            return Err(damaged(what).into());
        }
        Ok(DisclosedRecord {
            place: Some(place.into()),
            kind: record.kind().into(),
            version: u32::from(record.version()),
            seed: record.seed().to_vec(),
            body: record.body().to_vec(),
            claims: Vec::new(),
            path: path.iter().map(|hash| hash.0.to_vec()).collect(),
        })
    }

    /// Log index of a unit's block. If the chain has the block but the index does not, the index has lost it.
    pub(crate) fn block_at(&self, unit: UnitId, height: u64) -> Result<LogIndex, ReadError> {
        let next_height = self.state().log.chain(unit).map_or(0, |head| head.next_height);
        if height >= next_height {
            return Err(ReadError::NoBlock { unit, height });
        }
        let value = self.store.get(tables::BLOCK, &tables::block_key(unit, height))?;
        let index = value.as_deref().and_then(tables::index_of);
        let lost =
            || missing(format_args!("the index has no row for block {height} of unit {unit}; reindex rebuilds it"));
        Ok(index.ok_or_else(lost)?)
    }

    /// The hashes of the records of a block with this root.
    fn record_hashes(&self, entry: LogIndex, root: &Digest) -> Result<Vec<Digest>, ReadError> {
        let hashes = hashes_of(&self.store.body(entry, 0)?);
        if records_root(&hashes) == *root {
            return Ok(hashes);
        }
        let what = format!("log entry {entry}: the hashes of its records do not make the root that was signed");
        self.health.damage(&what);
        Err(damaged(what).into())
    }

    fn record_path(&self, place: Place) -> Result<Vec<Digest>, ReadError> {
        let index = usize::try_from(place.index).unwrap_or(usize::MAX);
        let fewer = || {
            damaged(format_args!("the record hashes of log entry {} have none for record {}", place.entry, place.index))
        };
        let parts = PathParts::of(index, self.store.body_len(place.entry, 0)?).ok_or_else(fewer)?;
        let read = |(from, len): (u64, usize)| self.store.body_part(place.entry, 0, from, len);
        Ok(parts.path(&read(parts.group)?, &read(parts.roots)?).ok_or_else(fewer)?)
    }
}

impl Ledger {
    /// The account behind an institution's alias.
    pub fn account(&self, institution: InstitutionId, alias: &Alias) -> Result<AccountId, ReadError> {
        let account = self.shared.private.of(institution).account(alias);
        self.check_account(&account)?;
        Ok(account)
    }

    /// Refuses an account that does not exist or was erased. If the index has records of an account that the key store
    /// does not know, that is damage.
    pub fn check_account(&self, account: &AccountId) -> Result<(), ReadError> {
        match self.shared.keys.known(account) {
            Known::Key(_) => Ok(()),
            Known::Erased => Err(ReadError::UnknownLearner),
            Known::Unknown if self.shared.store.scan(tables::LEARNER, account.as_bytes(), None, 1)?.is_empty() => {
                Err(ReadError::UnknownLearner)
            }
            Known::Unknown => {
                let what = "the learner index has records of an account that learners.keys does not know";
                self.shared.health.damage(what);
                Err(damaged(what).into())
            }
        }
    }

    /// The record at a place.
    pub fn record(&self, place: Place) -> Result<ReadRecord, ReadError> {
        self.shared.read(&self.context(), place)
    }

    /// Places of a learner's records after `after`, by place, of one institution or of all; at most `limit`, and
    /// whether there are more.
    pub fn places(
        &self,
        account: &AccountId,
        institution: Option<InstitutionId>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Place>, bool), ReadError> {
        let (context, state) = (self.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let mut places = Vec::new();
        for place in view.learner_places(account)?.into_iter().filter(|place| after.is_none_or(|after| *place > after))
        {
            let own = match institution {
                Some(institution) => {
                    let lost = || missing(format_args!("the learner index names {place}, where no block is"));
                    view.issuer(place)?.ok_or_else(lost)? == institution
                }
                None => true,
            };
            if own {
                places.push(place);
            }
            if places.len() > limit {
                break;
            }
        }
        let more = places.len() > limit;
        places.truncate(limit);
        Ok((places, more))
    }

    /// The institution whose record is at a place. A custodian's amendment is the closed institution's; only such a
    /// record is opened.
    pub fn issuer(&self, place: Place) -> Result<InstitutionId, ReadError> {
        if place.entry.0 >= self.size() {
            return Err(ReadError::Missing(place));
        }
        let (context, state) = (self.context(), self.shared.state());
        let issuer = StoreView::new(&context, &state).issuer(place)?;
        issuer.ok_or(ReadError::Missing(place))
    }

    /// Height of the next block of a unit, and the receipt of its newest block or of the entry that admitted it.
    pub fn chain_head(&self, unit: UnitId) -> Result<(u64, Receipt), ReadError> {
        let head = self.shared.state().log.chain(unit);
        let head = head.ok_or(ReadError::NoBlock { unit, height: 0 })?;
        Ok((head.next_height, self.shared.receipt(head.entry)?))
    }

    /// The receipt of a unit's block.
    pub fn block(&self, unit: UnitId, height: u64) -> Result<Receipt, ReadError> {
        Ok(self.shared.receipt(self.shared.block_at(unit, height)?)?)
    }

    /// What a unit issued in at most `blocks_max` blocks from `height` on, and the height at which to continue, 0 at
    /// the end.
    pub fn issued(&self, unit: UnitId, height: u64, blocks_max: u32) -> Result<(Vec<Issued>, u64), ReadError> {
        let next_height = self.shared.state().log.chain(unit).map(|head| head.next_height);
        let end = next_height.ok_or(ReadError::NoBlock { unit, height })?;
        let stop = end.min(height.saturating_add(u64::from(blocks_max)));
        let mut issued = Vec::new();
        for height in height..stop {
            let entry = self.shared.block_at(unit, height)?;
            let block = stored_block::block_at(self.shared.store(), entry).map_err(ViewError::from)?;
            if block.header().unit.institution.is_operator() {
                continue;
            }
            let (context, state) = (self.context(), self.shared.state());
            let view = StoreView::new(&context, &state);
            for (index, hash) in (0u32..).zip(self.shared.record_hashes(entry, &block.header().records_root)?) {
                let place = Place { entry, index };
                let shown = block.public().records.iter().find(|record| record.index == index);
                let kind = match shown {
                    Some(record) => Kind::try_from(record.kind).unwrap_or_default(),
                    None => view.stored(place)?.map_or(Kind::Unspecified, |stored| stored.record.kind()),
                };
                issued.push(Issued { place, kind, hash, marks: state.marks(place) });
            }
        }
        Ok((issued, if stop < end { stop } else { 0 }))
    }

    /// Which of the records would be refused, with the first rule that each breaks. Writes nothing. `newcomers` are
    /// accounts that would be opened first.
    pub fn check(
        &self,
        unit: UnitId,
        key_id: creditbank_protocol::key::KeyId,
        records: &[Record],
        newcomers: BTreeSet<AccountId>,
    ) -> Result<Vec<Rejection>, ReadError> {
        let (context, state) = (self.context(), self.shared.state());
        let view = StoreView::new(&context, &state).with_newcomers(newcomers);
        let sealed_at_ms = self.shared.clock.now_ms();
        let (created_at_minute, once) = (sealed_at_ms / 60_000, state.log.once());
        let facts =
            BlockFacts { unit, key_id, approvals: &[], created_at_minute, sealed_at_ms, records, groups: &[], once };
        Ok(check_records(&view, &facts)?)
    }
}
