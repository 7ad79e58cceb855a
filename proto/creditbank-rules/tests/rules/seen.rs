//! A ledger as one block sees it: under another registry than its own perhaps, and with what is read of it counted.

use std::cell::Cell;

use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias, InstitutionId, LogIndex, Place};
use creditbank_rules::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, Said, Sealing, View, ViewError,
};

use crate::ledger::Ledger;

pub(crate) struct Seen<'a> {
    ledger: &'a Ledger,
    registry: &'a Registry,
    /// Rows of learners' records that were read.
    pub(crate) rows: Cell<usize>,
    /// Records that were read.
    pub(crate) records: Cell<usize>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(ledger: &'a Ledger) -> Self {
        Self::under(ledger, &ledger.registry)
    }

    /// With another registry in force.
    pub(crate) fn under(ledger: &'a Ledger, registry: &'a Registry) -> Self {
        Self { ledger, registry, rows: Cell::new(0), records: Cell::new(0) }
    }
}

impl View for Seen<'_> {
    fn registry(&self) -> &Registry {
        self.registry
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        self.ledger.learner(institution, alias)
    }

    fn held(&self, of: &AccountId, by: InstitutionId, key: &CourseKey) -> Result<Vec<HeldRecord>, ViewError> {
        let found = self.ledger.held(of, by, key)?;
        self.rows.set(self.rows.get() + found.len());
        Ok(found)
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        self.records.set(self.records.get() + 1);
        self.ledger.record_at(place)
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        self.records.set(self.records.get() + 1);
        self.ledger.content_at(place)
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        self.ledger.dependants(place)
    }

    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        self.ledger.documents(number)
    }

    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError> {
        self.ledger.papers(paper)
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        self.ledger.sealing(entry)
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        self.ledger.said(entry)
    }
}
