//! Checks the rows of a round that follow from its entries alone. The replay computes them with the same function as
//! the node. For rows of marks it computes everything except the places, which the log does not show.

use std::collections::BTreeMap;

use creditbank_ledger::replay::ReplayedRound;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, LogIndex, Place};
use creditbank_store::{Row, Table};

use super::Finding;
use crate::tables;

/// What is wrong with the public rows of a round of the journal.
pub(super) fn faults(replayed: &[ReplayedRound], rows: &[Row]) -> Vec<Finding> {
    // Among several rows with one key the last one counts.
    let mut expected = BTreeMap::new();
    for ReplayedRound { blocks, closed } in replayed {
        let rows = blocks.iter().flat_map(tables::block_rows).chain(tables::seal_rows(closed));
        expected.extend(rows.map(|Row { table, key, value }| ((table, key), value)));
    }
    let public = rows.iter().filter(|row| tables::PUBLIC.contains(&row.table));
    let mut found: BTreeMap<_, _> = public.map(|Row { table, key, value }| ((*table, &key[..]), value)).collect();
    let mut faults = Vec::new();
    for ((table, key), value) in &expected {
        if found.remove(&(*table, &key[..])) != Some(value) {
            faults.push(missing(*table, key, value.as_deref().unwrap_or_default()));
        }
    }
    let beside = found.into_keys().map(|(table, _)| {
        Finding::about(format!("the round has a row of table {} that does not follow from its entries", table.0))
    });
    faults.extend(beside);
    faults
}

/// The records about which something was ever said, from the rows of the rounds so far: a place has one status id, and
/// a status id has one place.
#[derive(Default)]
pub(super) struct Marked {
    places: BTreeMap<Digest, Place>,
    ids: BTreeMap<Place, Digest>,
}

impl Marked {
    /// What is wrong with the rows of marks of a round of the journal.
    pub(super) fn faults(&mut self, replayed: &[ReplayedRound], rows: &[Row]) -> Vec<Finding> {
        let mut faults = Vec::new();
        let mut expected: BTreeMap<Digest, (Option<Place>, Marks)> = BTreeMap::new();
        for change in replayed.iter().flat_map(|round| &round.blocks).flat_map(|applied| &applied.marks) {
            let (place, marks) = expected.entry(change.status_id).or_default();
            *place = place.or(change.place);
            *marks = change.after;
        }
        // Among several rows with one key the last one counts.
        let mut found: BTreeMap<Place, (Digest, Marks)> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.table == tables::STATUS) {
            match row.value.as_deref().and_then(|value| tables::read_status(&row.key, value)) {
                Some((place, id, marks)) => drop(found.insert(place, (id, marks))),
                None => faults.push(Finding::about("the round has a row of a status that cannot be read".to_owned())),
            }
        }
        for (place, (id, marks)) in found {
            let named = (*self.places.entry(id).or_insert(place), *self.ids.entry(place).or_insert(id));
            let wanted = expected.remove(&id).filter(|(shown, after)| {
                shown.is_none_or(|shown| shown == place) && *after == marks && named == (place, id)
            });
            if wanted.is_none() {
                let what = format!("the row of the status of {place} is not what the effects come to");
                faults.push(Finding::about(what));
            }
        }
        for (id, (place, _)) in expected {
            let at = place.map_or_else(|| id.to_string(), |place| place.to_string());
            faults.push(Finding::about(format!("the round has no row of the status of {at}")));
        }
        faults
    }
}

/// A finding for a row that is missing or different.
fn missing(table: Table, key: &[u8], value: &[u8]) -> Finding {
    let at_entry = |index: Option<LogIndex>, what: &str| {
        let index = index.unwrap_or_default();
        Finding { entry: Some(index), ..Finding::about(format!("log entry {index}: the round has no row for {what}")) }
    };
    let place = tables::place_of(key.get(..8 + 4).unwrap_or_default()).unwrap_or_default();
    match table {
        tables::SEAL => at_entry(tables::index_of(key), "its seal"),
        tables::BLOCK => at_entry(tables::index_of(value), "the block"),
        tables::REGISTRY => at_entry(Some(place.entry), "a registry record"),
        tables::USED => Finding::about("the round has no row for something that a block has used up".to_owned()),
        tables::CHAIN => {
            let unit = tables::read_chain(key, value).map(|(unit, _)| unit).unwrap_or_default();
            let (institution, number) = (unit.institution, unit.number);
            Finding::about(format!("the row of the chain of institution {institution}, unit {number} is not its head"))
        }
        _ => Finding::about(format!("the round has no row of table {} that follows from its entries", table.0)),
    }
}
