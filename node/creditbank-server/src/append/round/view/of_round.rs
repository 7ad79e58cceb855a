//! The ledger as the rules see it in the middle of a round.

use creditbank_protocol::authority::owner;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::entry::{Entry, EntryError, join};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::record::Record;
use creditbank_protocol::status::status_id;
use creditbank_protocol::{AccountId, Alias, InstitutionId, LogIndex, Place};
use creditbank_rules::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, Said, Sealing, View, ViewError,
};

use super::{StoreView, head_of, held, said};
use crate::append::round::{Context, RoundBuilder};

/// The ledger with the blocks of the round so far.
pub(crate) struct RoundView<'a> {
    store: StoreView<'a>,
    builder: &'a RoundBuilder,
}

impl<'a> RoundView<'a> {
    pub(in crate::append::round) fn new(builder: &'a RoundBuilder, context: &'a Context<'a>) -> Self {
        Self { store: StoreView::new(context, &builder.state), builder }
    }

    /// Places of the records that have what an institution gives or uses once.
    fn given(&self, digest: &[u8; 32]) -> Result<Vec<Place>, ViewError> {
        let mut places = self.store.given(digest)?;
        places.extend(self.builder.learners.given.get(digest).into_iter().flatten());
        Ok(places)
    }
}

impl View for RoundView<'_> {
    fn registry(&self) -> &Registry {
        self.store.registry()
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        self.store.learner(institution, alias)
    }

    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError> {
        let prefix = self.store.prefix(account, institution, key);
        let mut rows = self.store.rows(&prefix)?;
        rows.extend(self.builder.learners.rows.get(&prefix).into_iter().flatten());
        Ok(rows.into_iter().map(|row| held(row, self.builder.marks(row.place))).collect())
    }

    /// The issuer of a record in this very round could not know its place yet; but records that depend on others are
    /// found here.
    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        let facts = match self.builder.kept(place) {
            Some((facts, _)) => Some(facts),
            None => self.store.record_at(place)?,
        };
        Ok(facts.map(|facts| RecordFacts { marks: self.builder.marks(place), ..facts }))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        let found = match self.builder.kept(place) {
            Some(found) => Some(found),
            None => self.store.content_at(place)?,
        };
        Ok(found.map(|(facts, record)| (RecordFacts { marks: self.builder.marks(place), ..facts }, record)))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        let mut places = self.store.dependants(place)?;
        places.extend(self.builder.learners.dependants.get(&place).into_iter().flatten());
        Ok(places)
    }

    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        self.given(&self.store.context.private.document_digest(number))
    }

    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError> {
        self.given(&self.store.context.private.paper_digest(paper))
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        let Some(position) = self.builder.position(entry) else {
            return self.store.sealing(entry);
        };
        let pending = self.builder.entries.get(position);
        let head = pending.map(|write| head_of(&write.entry)).transpose()?.flatten();
        Ok(head.map(|head| Sealing::of(&head, self.builder.round.sealed_at_ms())))
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        match self.builder.position(entry) {
            Some(position) => Ok(self.builder.block_at(position).as_ref().map(said)),
            None => self.store.said(entry),
        }
    }
}

impl RoundBuilder {
    /// A record that was placed in this round.
    fn kept(&self, place: Place) -> Option<(RecordFacts, Record)> {
        let bodies = self.learners.bodies.iter().find(|bodies| bodies.entry == place.entry)?;
        let index = usize::try_from(place.index).ok()?;
        let (record, account) = (bodies.records.get(index)?, (*bodies.accounts.get(index)?)?);
        let bytes = &self.entries.get(bodies.position)?.entry;
        let block = self.block_at(bodies.position)?;
        let facts = RecordFacts {
            kind: record.kind(),
            institution: owner(&block, record.kind(), record.body()).ok()?,
            account,
            status_id: status_id(&leaf_hash(bytes), place.index, &record.hash()),
            marks: self.marks(place),
        };
        Some((facts, record.clone()))
    }

    /// The block whose head is at a position of this round.
    fn block_at(&self, position: usize) -> Option<SignedBlock> {
        let entry = |at: usize| self.entries.get(at).map(|write| &write.entry);
        let Ok(Entry::Head(head)) = Entry::parse(entry(position)?) else { return None };
        join(head, || entry(position + 1).cloned().ok_or(EntryError::NoPublic)).ok()
    }
}
