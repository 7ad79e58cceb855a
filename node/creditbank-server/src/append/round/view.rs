//! The ledger as the rules see it.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use creditbank_protocol::authority::owner;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Alias, InstitutionId, LogIndex, Place};
use creditbank_rules::{HELD_MAX, HeldRecord, LearnerState, RecordFacts, Registry, Sealing, View, ViewError};

use super::{Context, RoundBuilder};
use crate::append::state::State;
use crate::private::{Account, InstitutionKeys, OpenError};
use crate::tables::{self, CoursePrefix, LearnerRow};

/// The ledger as of the last round.
pub(crate) struct StoreView<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) state: &'a State,
    /// Accounts that a dry run takes as open.
    newcomers: BTreeSet<Account>,
    /// The keys of the first institution that is asked for: nearly always the only one.
    institution: OnceCell<(InstitutionId, InstitutionKeys)>,
}

/// The ledger with the blocks of the round so far.
pub(crate) struct RoundView<'a> {
    store: StoreView<'a>,
    builder: &'a RoundBuilder,
}

/// A record of the store, decrypted.
pub(crate) struct StoredRecord {
    pub(crate) record: Record,
    pub(crate) facts: RecordFacts,
}

fn unreadable(error: impl std::fmt::Display) -> ViewError {
    ViewError(error.to_string())
}

impl<'a> StoreView<'a> {
    pub(crate) fn new(context: &'a Context<'a>, state: &'a State) -> Self {
        Self { context, state, newcomers: BTreeSet::new(), institution: OnceCell::new() }
    }

    /// With accounts that are taken as open.
    pub(crate) fn with_newcomers(self, newcomers: BTreeSet<Account>) -> Self {
        Self { newcomers, ..self }
    }

    /// Calls `with` with an institution's keys.
    fn with_keys<T>(&self, institution: InstitutionId, with: impl FnOnce(&InstitutionKeys) -> T) -> T {
        let fresh = || (institution, self.context.private.of(institution.0));
        let (of, keys) = self.institution.get_or_init(fresh);
        if *of == institution { with(keys) } else { with(&fresh().1) }
    }

    /// Under which prefix the learner index has the records of a course.
    fn prefix(&self, account: &Account, institution: InstitutionId, course: &str) -> CoursePrefix {
        tables::course_prefix(account, self.with_keys(institution, |keys| keys.course_digest(course)))
    }

    /// The record at a place; `None` when there is none, it is public, or its learner's key was destroyed.
    pub(crate) fn stored(&self, place: pb::Place) -> Result<Option<StoredRecord>, ViewError> {
        if place.entry >= self.state.head.size {
            return Ok(None);
        }
        self.settle(place.entry)?;
        let bytes = self.context.store.entry(place.entry).map_err(unreadable)?;
        let Entry::Block(block) = Entry::parse(&bytes).map_err(unreadable)? else {
            return Ok(None);
        };
        let header = block.header();
        let shown = || block.public().records.iter().any(|record| record.index == place.index);
        if header.unit.institution.is_operator() || place.index >= header.count || shown() {
            return Ok(None);
        }
        let sealed = self.context.store.body(place.entry, place.index + 1).map_err(unreadable)?;
        let account = self.context.private.account_of(&sealed).map_err(unreadable)?;
        let Some(key) = self.context.keys.get(&account) else {
            return Ok(None);
        };
        let opened = self.context.private.open_body(&header.origin, place, key.as_bytes(), &sealed);
        let record = opened.map_err(|_| unreadable(OpenError::Sealed))?;
        let facts = RecordFacts {
            kind: record.kind(),
            institution: owner(&block, record.kind(), record.body()).map_err(unreadable)?,
            account,
            course: course_of(&record),
            status_id: status_id(&leaf_hash(&bytes), place.index, &record.hash()),
            marks: self.state.marks(place),
        };
        Ok(Some(StoredRecord { record, facts }))
    }

    fn rows(&self, prefix: &CoursePrefix) -> Result<Vec<LearnerRow>, ViewError> {
        if self.context.courses.certainly_lacks(prefix) {
            return Ok(Vec::new());
        }
        let rows = self.context.store.scan(tables::LEARNER, prefix, None, HELD_MAX + 1).map_err(unreadable)?;
        let read = |(key, value): &(Vec<u8>, Vec<u8>)| {
            LearnerRow::read(key, value).ok_or_else(|| unreadable("a row of the learner index is none"))
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

    /// Refuses for the time being what stands in the round before, while that is on its way to the disk.
    fn settle(&self, entry: u64) -> Result<(), ViewError> {
        let pending = self.context.pending.filter(|pending| entry >= pending.first);
        pending.map_or(Ok(()), |pending| Err(unreadable(pending.unsettled())))
    }
}

/// Code of the course that a record is about; empty where its kind has none.
pub(crate) fn course_of(record: &Record) -> String {
    let course = match record.kind() {
        Kind::Credit => record.read::<pb::Credit>().ok().and_then(|credit| credit.course),
        Kind::Result => record.read::<pb::Result>().ok().and_then(|result| result.course),
        Kind::Outcome => record.read::<pb::Outcome>().ok().and_then(|outcome| outcome.course),
        _ => None,
    };
    course.map(|course| course.code).unwrap_or_default()
}

/// The names of the marks that stand, for people.
pub(crate) fn mark_names(marks: &creditbank_protocol::status::Marks) -> Vec<String> {
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

    fn held(&self, account: &Account, institution: InstitutionId, course: &str) -> Result<Vec<HeldRecord>, ViewError> {
        let held = |row: LearnerRow| HeldRecord {
            place: row.place.into(),
            kind: row.kind,
            repeats_max: row.repeats_max.into(),
            hash_prefix: row.hash_prefix,
            marks: self.state.marks(row.place),
        };
        Ok(self.rows(&self.prefix(account, institution, course))?.into_iter().map(held).collect())
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(self.stored(place.into())?.map(|stored| stored.facts))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(self.stored(place.into())?.map(|stored| (stored.facts, stored.record)))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        // The round before may hold some: what is taken back is rare enough to wait for the disk.
        self.context.pending.map_or(Ok(()), |pending| Err(unreadable(pending.unsettled())))?;
        let prefix = tables::place_key(place.into());
        // All of them: behind any number of revoked ones there may be one that stands.
        let mut found = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self.context.store.scan(tables::DEPENDANT, &prefix, after.as_deref(), HELD_MAX);
            let rows = rows.map_err(unreadable)?;
            let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
                tables::dependant_of(key).map(Place::from).ok_or_else(|| unreadable("a row of dependants is none"))
            };
            found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
            match rows.last() {
                Some((key, _)) if rows.len() == HELD_MAX => after = Some(key.clone()),
                _ => return Ok(found),
            }
        }
    }

    fn sealing(&self, LogIndex(entry): LogIndex) -> Result<Option<Sealing>, ViewError> {
        self.settle(entry)?;
        let Some(key_id) = signer_of(&self.context.store.entry(entry).map_err(unreadable)?)? else {
            return Ok(None);
        };
        let after = entry.to_be_bytes();
        let seals = self.context.store.scan(tables::SEAL, &[], Some(&after), 1).map_err(unreadable)?;
        let index = seals.first().and_then(|(key, _)| tables::index_of(key));
        let index = index.ok_or_else(|| unreadable("the index has no seal for an entry"))?;
        match Entry::parse(&self.context.store.entry(index).map_err(unreadable)?).map_err(unreadable)? {
            Entry::Seal(signed) => Ok(Some(Sealing { key_id, sealed_at_ms: signed.seal().time_ms })),
            Entry::Block(_) => Err(unreadable("the index names a block as a seal")),
        }
    }
}

impl<'a> RoundView<'a> {
    pub(super) fn new(builder: &'a RoundBuilder, context: &'a Context<'a>) -> Self {
        Self { store: StoreView::new(context, &builder.state), builder }
    }
}

impl View for RoundView<'_> {
    fn registry(&self) -> &Registry {
        self.store.registry()
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        self.store.learner(institution, alias)
    }

    fn held(&self, account: &Account, institution: InstitutionId, course: &str) -> Result<Vec<HeldRecord>, ViewError> {
        let prefix = self.store.prefix(account, institution, course);
        let mut rows = self.store.rows(&prefix)?;
        rows.extend(self.builder.learners.get(&prefix).into_iter().flatten());
        let held = |row: LearnerRow| HeldRecord {
            place: row.place.into(),
            kind: row.kind,
            repeats_max: row.repeats_max.into(),
            hash_prefix: row.hash_prefix,
            marks: self.builder.marks_at(row.place),
        };
        Ok(rows.into_iter().map(held).collect())
    }

    /// A record of this very round has no place that its issuer could know yet; but what depends on others is found here.
    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        let facts = match self.builder.kept(place.into()) {
            Some((facts, _)) => Some(facts),
            None => self.store.record_at(place)?,
        };
        Ok(facts.map(|facts| RecordFacts { marks: self.builder.marks_at(place.into()), ..facts }))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        let found = match self.builder.kept(place.into()) {
            Some(found) => Some(found),
            None => self.store.content_at(place)?,
        };
        Ok(found.map(|(facts, record)| (RecordFacts { marks: self.builder.marks_at(place.into()), ..facts }, record)))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        let mut places = self.store.dependants(place)?;
        places.extend(
            self.builder.dependants.get(&(place.entry.0, place.index)).into_iter().flatten().copied().map(Place::from),
        );
        Ok(places)
    }

    fn sealing(&self, LogIndex(entry): LogIndex) -> Result<Option<Sealing>, ViewError> {
        let Some(new) = entry.checked_sub(self.builder.state.head.size) else {
            return self.store.sealing(entry.into());
        };
        let pending = usize::try_from(new).ok().and_then(|new| self.builder.entries.get(new));
        let key_id = pending.map(|write| signer_of(&write.entry)).transpose()?.flatten();
        Ok(key_id.map(|key_id| Sealing { key_id, sealed_at_ms: self.builder.now_ms }))
    }
}

impl RoundBuilder {
    /// A record that was placed in this round.
    fn kept(&self, place: pb::Place) -> Option<(RecordFacts, Record)> {
        let bodies = self.bodies.iter().find(|bodies| bodies.entry == place.entry)?;
        let index = usize::try_from(place.index).ok()?;
        let (record, account) = (bodies.records.get(index)?, (*bodies.accounts.get(index)?)?);
        let bytes = &self.entries.get(bodies.position)?.entry;
        let Ok(Entry::Block(block)) = Entry::parse(bytes) else { return None };
        let facts = RecordFacts {
            kind: record.kind(),
            institution: owner(&block, record.kind(), record.body()).ok()?,
            account,
            course: course_of(record),
            status_id: status_id(&leaf_hash(bytes), place.index, &record.hash()),
            marks: self.marks_at(place),
        };
        Some((facts, record.clone()))
    }
}

/// The key that signed a block; of a seal, nothing.
fn signer_of(entry: &[u8]) -> Result<Option<KeyId>, ViewError> {
    match Entry::parse(entry).map_err(unreadable)? {
        Entry::Block(block) => Ok(Some(block.header().key_id)),
        Entry::Seal(_) => Ok(None),
    }
}
