//! A ledger as it is read for one block: what was read once is not read again, however many records and effects of the
//! block are about it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias, InstitutionId, LogIndex, Place};

use crate::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, Said, Sealing, View, ViewError,
};

/// Most answers of one kind that are kept: as many as a block has records and effects.
const KEPT_MAX: usize = 4_096;
/// Most rows of learners' records that are kept, and bytes of records.
const ROWS_MAX: usize = 200_000;
const BYTES_MAX: usize = 16 << 20;

/// Answers by what was asked.
struct Kept<K, V> {
    found: RefCell<BTreeMap<K, V>>,
}

impl<K: Ord, V: Clone> Kept<K, V> {
    fn new() -> Self {
        Self { found: RefCell::new(BTreeMap::new()) }
    }

    /// The answer, read at most once as long as there is room to keep it.
    fn get(&self, key: K, read: impl FnOnce() -> Result<V, ViewError>) -> Result<V, ViewError> {
        if let Some(found) = self.found.borrow().get(&key) {
            return Ok(found.clone());
        }
        let found = read()?;
        let mut kept = self.found.borrow_mut();
        let room = kept.len() < KEPT_MAX;
        if let Entry::Vacant(free) = kept.entry(key)
            && room
        {
            free.insert(found.clone());
        }
        Ok(found)
    }
}

type HeldKey = (AccountId, InstitutionId, CourseKey);

/// A view with what it has answered.
pub(super) struct Cached<'a, V> {
    view: &'a V,
    held: Kept<HeldKey, Vec<HeldRecord>>,
    rows: RefCell<usize>,
    facts: Kept<Place, Option<RecordFacts>>,
    contents: Kept<Place, Option<(RecordFacts, Record)>>,
    bytes: RefCell<usize>,
    dependants: Kept<Place, Vec<Place>>,
    sealings: Kept<LogIndex, Option<Sealing>>,
}

impl<'a, V: View> Cached<'a, V> {
    pub(super) fn new(view: &'a V) -> Self {
        Self {
            view,
            held: Kept::new(),
            rows: RefCell::new(0),
            facts: Kept::new(),
            contents: Kept::new(),
            bytes: RefCell::new(0),
            dependants: Kept::new(),
            sealings: Kept::new(),
        }
    }
}

/// Whether so much more may be kept; counts it then.
fn has_room(kept: &RefCell<usize>, more: usize, most: usize) -> bool {
    let mut kept = kept.borrow_mut();
    let room = kept.saturating_add(more) <= most;
    if room {
        *kept += more;
    }
    room
}

impl<V: View> View for Cached<'_, V> {
    fn registry(&self) -> &Registry {
        self.view.registry()
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        self.view.learner(institution, alias)
    }

    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError> {
        let asked = (*account, institution, key.clone());
        if let Some(found) = self.held.found.borrow().get(&asked) {
            return Ok(found.clone());
        }
        let found = self.view.held(account, institution, key)?;
        if has_room(&self.rows, found.len() + 1, ROWS_MAX) {
            return self.held.get(asked, || Ok(found));
        }
        Ok(found)
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        if let Some(found) = self.contents.found.borrow().get(&place) {
            return Ok(found.as_ref().map(|(facts, _)| facts.clone()));
        }
        self.facts.get(place, || self.view.record_at(place))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        if let Some(found) = self.contents.found.borrow().get(&place) {
            return Ok(found.clone());
        }
        let found = self.view.content_at(place)?;
        let bytes = found.as_ref().map_or(0, |(_, record)| record.body().len()) + 256;
        if has_room(&self.bytes, bytes, BYTES_MAX) {
            return self.contents.get(place, || Ok(found));
        }
        Ok(found)
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        self.dependants.get(place, || self.view.dependants(place))
    }

    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        self.view.documents(number)
    }

    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError> {
        self.view.papers(paper)
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        self.sealings.get(entry, || self.view.sealing(entry))
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        self.view.said(entry)
    }
}
