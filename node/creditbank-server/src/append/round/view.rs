//! The ledger as the rules see it.

mod of_round;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use creditbank_protocol::AccountId;
use creditbank_protocol::authority::owner;
use creditbank_protocol::block::{SignedBlock, SignedHead};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::record::Record;
use creditbank_protocol::status::{Marks, status_id};
use creditbank_protocol::{Alias, InstitutionId, LogIndex, Place};
use creditbank_rules::{
    CourseKey, DocumentKey, HELD_MAX, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, Said, Sealing, View,
    ViewError,
};
use creditbank_store::{Known, StoreError};

use super::Context;
use crate::append::state::State;
use crate::private::InstitutionKeys;
use crate::stored_block;
use crate::tables::{self, CoursePrefix, LearnerRow};
use crate::unreadable::{damaged, missing, of_store, unavailable};
use crate::work::Token;

pub(crate) use of_round::RoundView;

/// The ledger as of the last round.
pub(crate) struct StoreView<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) state: &'a State,
    /// Accounts that a dry run treats as open.
    newcomers: BTreeSet<AccountId>,
    /// The keys of the first institution that is requested, which is nearly always the only one.
    institution: OnceCell<(InstitutionId, InstitutionKeys)>,
}

/// A record of the store, decrypted.
pub(crate) struct StoredRecord {
    pub(crate) record: Record,
    pub(crate) facts: RecordFacts,
}

impl<'a> StoreView<'a> {
    pub(crate) fn new(context: &'a Context<'a>, state: &'a State) -> Self {
        Self { context, state, newcomers: BTreeSet::new(), institution: OnceCell::new() }
    }

    /// The same view, with accounts that are treated as open.
    pub(crate) fn with_newcomers(self, newcomers: BTreeSet<AccountId>) -> Self {
        Self { newcomers, ..self }
    }

    /// Calls `with` with an institution's keys.
    fn with_keys<T>(&self, institution: InstitutionId, with: impl FnOnce(&InstitutionKeys) -> T) -> T {
        let fresh = || (institution, self.context.private.of(institution.0));
        let (of, keys) = self.institution.get_or_init(fresh);
        if *of == institution { with(keys) } else { with(&fresh().1) }
    }

    /// The prefix under which the learner index has the records under a key.
    fn prefix(&self, account: &AccountId, institution: InstitutionId, key: &CourseKey) -> CoursePrefix {
        tables::course_prefix(account, self.with_keys(key.kept_at(institution), |keys| keys.key_digest(key)))
    }

    /// Reports damage at a place to the operator, and returns the error.
    fn damage(&self, place: Place, what: impl std::fmt::Display) -> ViewError {
        let what = format!("record {place}: {what}");
        self.context.health.damage(&what);
        damaged(what)
    }

    /// The record at a place; `None` if there is none, if it is public, or if its learner was erased.
    pub(crate) fn stored(&self, place: impl Into<Place>) -> Result<Option<StoredRecord>, ViewError> {
        let place = place.into();
        if place.entry.0 >= self.state.head.size {
            return Ok(None);
        }
        self.settle(place.entry)?;
        let bytes = self.context.store.entry(place.entry).map_err(of_store)?;
        let Entry::Head(head) = Entry::parse(&bytes).map_err(damaged)? else {
            return Ok(None);
        };
        let block = stored_block::join(self.context.store, place.entry, head)?;
        let header = block.header();
        let shown = || block.public().records.iter().any(|record| record.index == place.index);
        if header.unit.institution.is_operator() || place.index >= header.count || shown() {
            return Ok(None);
        }
        let sealed = self.context.store.body(place.entry, place.index + 1).map_err(of_store)?;
        let account = self.context.private.account_of(&sealed).map_err(|error| self.damage(place, error))?;
        let key = match self.context.keys.known(&account) {
            Known::Key(key) => key,
            Known::Erased => return Ok(None),
            Known::Unknown => {
                let what = "its body names an account for which learners.keys has neither a key nor a tombstone";
                return Err(self.damage(place, what));
            }
        };
        let opened = self.context.private.open_body(&self.state.log.keys().origin, place, key.as_bytes(), &sealed);
        let record = opened.map_err(|error| self.damage(place, error))?;
        let facts = RecordFacts {
            kind: record.kind(),
            institution: owner(&block, record.kind(), record.body()).map_err(damaged)?,
            account,
            status_id: status_id(&leaf_hash(&bytes), place.index, &record.hash()),
            marks: self.state.marks(place),
        };
        Ok(Some(StoredRecord { record, facts }))
    }

    /// Whether to continue; asked before each read of the store.
    pub(crate) fn go_on(&self) -> Result<(), ViewError> {
        self.context.token.and_then(Token::stop).map_or(Ok(()), |why| Err(unavailable(why)))
    }

    fn rows(&self, prefix: &CoursePrefix) -> Result<Vec<LearnerRow>, ViewError> {
        self.go_on()?;
        if self.context.courses.certainly_lacks(prefix) {
            return Ok(Vec::new());
        }
        let rows = self.context.store.scan(tables::LEARNER, prefix, None, HELD_MAX + 1).map_err(of_store)?;
        let read = |(key, value): &(Vec<u8>, Vec<u8>)| {
            LearnerRow::read(key, value)
                .ok_or_else(|| damaged("a row of the learner index is malformed; reindex rebuilds it"))
        };
        let Some(pending) = self.context.pending else {
            return rows.iter().map(read).collect();
        };
        // The round before may be in the store already, or not.
        let mut held = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        held.retain(|row| row.place.entry < pending.first);
        held.extend(pending.learners.get(prefix).into_iter().flatten());
        Ok(held)
    }

    /// Places of the records that have what an institution gives or uses once.
    fn given(&self, digest: &[u8; 32]) -> Result<Vec<Place>, ViewError> {
        self.go_on()?;
        let place = |row: Result<(Vec<u8>, Vec<u8>), StoreError>| {
            let (key, _) = row.map_err(of_store)?;
            let what = "a row of documents and papers is malformed; reindex rebuilds it";
            tables::given_of(&key).ok_or_else(|| damaged(what))
        };
        let mut places = self.context.store.rows(tables::GIVEN, digest).map(place).collect::<Result<Vec<_>, _>>()?;
        if let Some(pending) = self.context.pending {
            // The round before may be in the store already, or not.
            places.retain(|place| place.entry < pending.first);
            places.extend(pending.given.get(digest).into_iter().flatten());
        }
        Ok(places)
    }

    /// Refuses for now what is in the round before, while that is being written.
    fn settle(&self, entry: LogIndex) -> Result<(), ViewError> {
        self.go_on()?;
        let pending = self.context.pending.filter(|pending| entry >= pending.first);
        pending.map_or(Ok(()), |pending| Err(unavailable(pending.unsettled())))
    }
}

/// The names of the marks that hold, for people.
pub(crate) fn mark_names(marks: &Marks) -> Vec<String> {
    marks.iter().map(|(mark, _)| mark.name().to_owned()).collect()
}

impl View for StoreView<'_> {
    fn registry(&self) -> &Registry {
        &self.state.registry().registry
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        let account = self.with_keys(institution, |keys| keys.account(alias));
        let known = self.context.keys.contains(&account) || self.newcomers.contains(&account);
        known.then_some(LearnerState { account, open: true })
    }

    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError> {
        let rows = self.rows(&self.prefix(account, institution, key))?;
        Ok(rows.into_iter().map(|row| held(row, self.state.marks(row.place))).collect())
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(self.stored(place)?.map(|stored| stored.facts))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(self.stored(place)?.map(|stored| (stored.facts, stored.record)))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        self.go_on()?;
        // The round before may hold some. A withdrawal is rare enough to wait for the disk.
        let pending = self.context.pending.filter(|pending| pending.has_entries);
        pending.map_or(Ok(()), |pending| Err(unavailable(pending.unsettled())))?;
        let prefix = tables::place_key(place);
        // All of them: behind any number of revoked ones there may be one that holds.
        let place = |row: Result<(Vec<u8>, Vec<u8>), StoreError>| {
            let (key, _) = row.map_err(of_store)?;
            tables::dependant_of(&key).ok_or_else(|| damaged("a row of dependants is malformed; reindex rebuilds it"))
        };
        self.context.store.rows(tables::DEPENDANT, &prefix).map(place).collect()
    }

    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        self.given(&self.context.private.document_digest(number))
    }

    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError> {
        self.given(&self.context.private.paper_digest(paper))
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        self.settle(entry)?;
        let Some(head) = head_of(&self.context.store.entry(entry).map_err(of_store)?)? else {
            return Ok(None);
        };
        let index = tables::seal_of(self.context.store, entry).map_err(of_store)?;
        let index = index.ok_or_else(|| missing("the index has no seal for an entry; reindex rebuilds it"))?;
        match Entry::parse(&self.context.store.entry(index).map_err(of_store)?).map_err(damaged)? {
            Entry::Seal(signed) => Ok(Some(Sealing::of(&head, signed.seal().time_ms))),
            Entry::Head(_) | Entry::Public(_) => Err(damaged("the index names a block as a seal")),
        }
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        if entry.0 >= self.state.head.size {
            return Ok(None);
        }
        self.settle(entry)?;
        let bytes = self.context.store.entry(entry).map_err(of_store)?;
        let Entry::Head(head) = Entry::parse(&bytes).map_err(damaged)? else {
            return Ok(None);
        };
        Ok(Some(said(&stored_block::join(self.context.store, entry, head)?)))
    }
}

/// A row of the learner index, with the marks against its record.
fn held(row: LearnerRow, marks: Marks) -> HeldRecord {
    HeldRecord {
        place: row.place,
        kind: row.kind,
        repeats_max: row.repeats_max.map(u32::from),
        hash_prefix: row.hash_prefix,
        spelling: row.spelling,
        marks,
    }
}

/// What a block says in public about its own records and those of others.
fn said(block: &SignedBlock) -> Said {
    Said { records: block.header().count, groups: block.public().groups.clone() }
}

/// The head of a block; `None` for another kind of entry.
fn head_of(entry: &[u8]) -> Result<Option<SignedHead>, ViewError> {
    match Entry::parse(entry).map_err(damaged)? {
        Entry::Head(head) => Ok(Some(head)),
        Entry::Public(_) | Entry::Seal(_) => Ok(None),
    }
}
