//! What a unit has issued, as far as a registrar can compare it with a file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use creditbank_protocol::Digest;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::status::{Mark, status_id};
use creditbank_protocol::{LogIndex, Place};

use super::state::{Row, State, content_of, id_of, person_of, said};
use crate::import::After;
use crate::import::{DraftRecord, seeds_of_reference};
use crate::{Client, ClientError, IssuedItem, IssuingUnit};

/// Records that are read before they are noted.
const READ_AT_ONCE: usize = 250;

/// What the ledger holds for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    Nothing,
    /// The same, for the same person; `known` when a file has named that person before.
    Same { at: Place, known: bool },
    /// The same result with other values.
    Other { at: Place },
    /// The same result as a record of another kind, which no amendment can change.
    OtherKind { at: Place },
    /// The same result of another person.
    OtherPerson { at: Place },
    /// It was revoked; `same` when it said what the line says, as far as is known of the same person.
    Revoked { at: Place, same: bool },
    /// It was replaced by a record of another unit.
    Elsewhere { at: Place },
}

/// The unit's records with their marks, and what is known of them.
pub(crate) struct View<'a> {
    pub(super) unit: &'a IssuingUnit,
    pub(crate) state: State,
    /// Everything that the unit issued.
    pub(crate) items: BTreeMap<Place, IssuedItem>,
    leaves: HashMap<LogIndex, Digest>,
    by_id: HashMap<[u8; 16], Place>,
    amended_by: HashMap<Place, Place>,
}

impl<'a> View<'a> {
    /// Reads the chain, and those records of which nothing is known. `keep` notes what was read in the work directory,
    /// whose lock must be held.
    pub(crate) async fn open(
        client: &Client,
        unit: &'a IssuingUnit,
        work: &Path,
        keep: bool,
    ) -> Result<Self, ClientError> {
        let mut state = State::read(work, unit)?;
        if keep {
            state.mend()?;
        }
        let (mut items, mut leaves) = (BTreeMap::new(), HashMap::new());
        client
            .walk_issued(unit.id, |block| {
                leaves.insert(block.entry, block.leaf);
                items.extend(block.records.into_iter().map(|item| (item.place, item)));
                Ok(())
            })
            .await?;
        let is_known = |item: &IssuedItem| {
            state.rows.get(&item.place).is_some_and(|row| row.hash == item.hash) || item.kind.is_none()
        };
        let unknown: Vec<(Place, Digest)> =
            items.values().filter(|item| !is_known(item)).map(|item| (item.place, item.hash)).collect();
        for some in unknown.chunks(READ_AT_ONCE) {
            let read = client.read_bodies(some).await?;
            let rows = read.iter().map(|(place, record)| Row::of_record(unit, *place, record));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            if keep {
                state.note(unit, &rows)?;
            } else {
                state.rows.extend(rows.iter().map(|row| (row.at, *row)));
            }
        }
        let mut view = Self { unit, state, items, leaves, by_id: HashMap::new(), amended_by: HashMap::new() };
        let rows: Vec<Row> = view.rows().copied().collect();
        rows.iter().for_each(|row| view.link(row));
        Ok(view)
    }

    /// The rows of records that the ledger holds.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        let held = |row: &&Row| self.items.get(&row.at).is_some_and(|item| item.hash == row.hash);
        self.state.rows.values().filter(held)
    }

    fn link(&mut self, row: &Row) {
        self.by_id.insert(row.id, row.at);
        if let Some(target) = row.amends {
            self.amended_by.insert(target, row.at);
        }
    }

    fn marked(&self, at: Place, mark: Mark) -> bool {
        self.items.get(&at).is_some_and(|item| item.marks.iter().any(|name| name == mark.name()))
    }

    /// Whether a record is neither replaced nor revoked.
    pub(crate) fn stands(&self, at: Place) -> bool {
        !self.marked(at, Mark::Superseded) && !self.marked(at, Mark::Revoked)
    }

    pub(crate) fn kind(&self, at: Place) -> Option<Kind> {
        self.items.get(&at).and_then(|item| item.kind)
    }

    /// What the ledger holds for a line.
    pub(crate) fn held(&self, draft: &DraftRecord) -> Result<Held, ClientError> {
        let Some(mut at) = self.issued_from(draft)? else { return Ok(Held::Nothing) };
        loop {
            // What follows a record stands behind it in the log, so this ends.
            while let Some(next) = self.amended_by.get(&at).filter(|next| **next > at) {
                at = *next;
            }
            if !self.marked(at, Mark::Revoked) {
                break;
            }
            let anew = draft.clone().following(After { place: at, amends: None });
            let Some(next) = self.issued_from(&anew)?.filter(|next| *next > at) else {
                let (content, person) = (content_of(self.unit, draft), person_of(self.unit, draft));
                let is_same = |row: &Row| row.content == content && (row.person == [0; 16] || row.person == person);
                let same = self.state.rows.get(&at).is_some_and(is_same);
                return Ok(Held::Revoked { at, same });
            };
            at = next;
        }
        let Some(row) = self.state.rows.get(&at).filter(|_| !self.marked(at, Mark::Superseded)) else {
            return Ok(Held::Elsewhere { at });
        };
        let known = row.person != [0; 16];
        if known && row.person != person_of(self.unit, draft) {
            return Ok(Held::OtherPerson { at });
        }
        if row.content == content_of(self.unit, draft) {
            return Ok(Held::Same { at, known });
        }
        Ok(if self.kind(at) == Some(draft.kind) { Held::Other { at } } else { Held::OtherKind { at } })
    }

    /// The newest of each record that was issued for a result of this reference.
    pub(crate) fn places_of(&self, reference: &[u8]) -> Result<Vec<Place>, ClientError> {
        let mut places = Vec::new();
        for seed in seeds_of_reference(self.unit, reference)? {
            let Some(mut at) = self.by_id.get(&id_of(self.unit, &seed)).copied() else { continue };
            while let Some(next) = self.amended_by.get(&at).filter(|next| **next > at) {
                at = *next;
            }
            places.push(at);
        }
        Ok(places)
    }

    /// Where the record stands that was issued from a line, in the place that the line follows.
    fn issued_from(&self, draft: &DraftRecord) -> Result<Option<Place>, ClientError> {
        let seeds = draft.all_seeds(self.unit)?;
        Ok(seeds.iter().find_map(|seed| self.by_id.get(&id_of(self.unit, seed))).copied())
    }

    /// What records say, by their places, without learner and amendment.
    pub(crate) async fn said(
        &self,
        client: &Client,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<BTreeMap<Place, Vec<u8>>, ClientError> {
        let items = places.into_iter().filter_map(|place| self.items.get(&place));
        let wanted: Vec<(Place, Digest)> = items.map(|item| (item.place, item.hash)).collect();
        let read = client.read_bodies(&wanted).await?;
        read.iter().map(|(place, record)| Ok((*place, said(record)?.0))).collect()
    }

    /// The line as an amendment of the record at a place.
    pub(crate) fn amending(&self, draft: DraftRecord, at: Place) -> Result<DraftRecord, ClientError> {
        let known = self.leaves.get(&at.entry).zip(self.items.get(&at));
        let (leaf, item) = known.ok_or_else(|| ClientError::Missing(format!("no record at {at}")))?;
        let amends = Some(status_id(leaf, at.index, &item.hash));
        Ok(draft.following(After { place: at, amends }))
    }
}
