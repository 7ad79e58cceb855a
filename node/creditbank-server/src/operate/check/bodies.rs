//! The records of a block: each opens under its learner's key, is the one that was signed, and has its learner's row.

use std::collections::HashMap;

use creditbank_ledger::replay::Prepared;
use creditbank_protocol::authority::amended_institutions;
use creditbank_protocol::block::Public;
use creditbank_protocol::merkle::records_root;
use creditbank_protocol::pb::PublicPart;
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias, Digest, LogIndex, Place};
use creditbank_store::{KeyStore, Known, Row};

use super::Finding;
use crate::private::{InstitutionKeys, PrivateKeys};
use crate::record_hashes::{hashes_of, record_hashes};
use crate::tables::{self, LearnerRow};

/// The keys that open bodies.
pub(super) struct Bodies {
    pub(super) origin: String,
    pub(super) private: PrivateKeys,
    pub(super) keys: KeyStore,
}

/// What was found in the bodies of an entry.
#[derive(Default)]
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) opened: u64,
    pub(super) erased: u64,
}

/// The learners' rows of a round, by the place to which they belong.
pub(super) struct LearnerRows(HashMap<Place, (AccountId, LearnerRow)>);

impl LearnerRows {
    pub(super) fn of(rows: &[Row]) -> Self {
        let learner = |Row { table, key, value }: &Row| {
            let account = key.first_chunk::<16>().filter(|_| *table == tables::LEARNER)?;
            let row = LearnerRow::read(key, value.as_deref()?)?;
            Some((row.place, (AccountId(*account), row)))
        };
        Self(rows.iter().filter_map(learner).collect())
    }
}

impl Bodies {
    /// Checks the bodies of an entry, which is followed by `next`, and the learners' rows that belong to it. The replay
    /// checks whether the public part is the one that the head names.
    pub(super) fn check(
        &self,
        index: LogIndex,
        (entry, next): (&Prepared, Option<&Prepared>),
        bodies: &[Vec<u8>],
        rows: &LearnerRows,
    ) -> Found {
        let mut found = Found::default();
        let wrong = |what: &str| Finding { entry: Some(index), ..Finding::about(format!("log entry {index}: {what}")) };
        let Some(head) = entry.head() else {
            if !bodies.is_empty() {
                found.findings.push(wrong("bodies without a block"));
            }
            return found;
        };
        let header = head.header();
        let nothing = PublicPart::default();
        let public = next.filter(|_| head.has_public()).and_then(Prepared::public).map_or(&nothing, Public::part);
        if header.unit.institution.is_operator() {
            if !bodies.is_empty() {
                found.findings.push(wrong("bodies beside a block of the operator"));
            }
            return found;
        }
        let hashes = bodies.first().and_then(|table| hashes(table, header.count));
        let Some(hashes) = hashes.filter(|hashes| bodies.len() == hashes.len() + 1) else {
            found.findings.push(wrong("the table of hashes and the bodies are not as many as the block's records"));
            return found;
        };
        let root = records_root(&hashes);
        if root != header.records_root {
            let what = format!("the table of hashes makes the root {root}, the header says {}", header.records_root);
            found.findings.push(wrong(&what));
        }
        // A custodian's amendment names the learner by the alias of the closed institution.
        let kept = amended_institutions(&public.groups);
        let own: Vec<_> =
            [header.unit.institution].into_iter().chain(kept).map(|number| self.private.of(number)).collect();
        for (place, (hash, sealed)) in (0u32..).zip(hashes.iter().zip(&bodies[1..])) {
            let place = Place::new(index, place);
            if public.records.iter().any(|shown| shown.index == place.index) {
                if !sealed.is_empty() {
                    found.findings.push(wrong("a body beside a record that the block itself shows"));
                }
                continue;
            }
            match self.record(&own, place, hash, sealed, rows) {
                Ok(true) => found.opened += 1,
                Ok(false) => found.erased += 1,
                Err(what) => {
                    let finding = Finding::about(what.to_owned());
                    found.findings.push(Finding { entry: Some(index), record: Some(place.index), ..finding });
                }
            }
        }
        found
    }

    /// Whether the record opened. It does not if its learner's key was destroyed.
    fn record(
        &self,
        own: &[InstitutionKeys],
        place: Place,
        hash: &Digest,
        sealed: &[u8],
        rows: &LearnerRows,
    ) -> Result<bool, &'static str> {
        let (account, row) = rows.0.get(&place).ok_or("the round has no row for it")?;
        if row.hash_prefix != hash.0[..8] {
            return Err("its row has another hash");
        }
        // A row that names the same account tells a destroyed key from a damaged body.
        if self.private.account_of(sealed).as_ref() != Ok(account) {
            return Err("the body belongs to another account than its row");
        }
        let key = match self.keys.known(account) {
            Known::Key(key) => key,
            Known::Erased => return Ok(false),
            Known::Unknown => return Err("learners.keys has neither a key nor a tombstone of its account"),
        };
        let record = self.private.open_body(&self.origin, place, key.as_bytes(), sealed);
        let record = record.map_err(|_| "the body does not open under its learner's key")?;
        if record.hash() != *hash {
            return Err("the body has another hash than the one that was signed");
        }
        if record.kind() != row.kind {
            return Err("its row has another kind");
        }
        let leads = alias(&record).is_some_and(|alias| own.iter().any(|keys| keys.account(&alias) == *account));
        if leads { Ok(true) } else { Err("the learner's alias leads to another account") }
    }
}

/// The record hashes of a table; `None` if it is not a table of this many records.
fn hashes(table: &[u8], count: u32) -> Option<Vec<Digest>> {
    let hashes = hashes_of(table);
    (u32::try_from(hashes.len()) == Ok(count) && record_hashes(&hashes) == table).then_some(hashes)
}

/// The alias that a record names: field 1 of every kind that institutions issue, 16 bytes.
fn alias(record: &Record) -> Option<Alias> {
    record.body().strip_prefix(&[0x0a, 16]).and_then(|rest| rest.first_chunk::<16>()).copied().map(Alias)
}
