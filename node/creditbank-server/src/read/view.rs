//! The node's ledger in the form for the read models.

use creditbank_ledger::read::{MarkedRecord, ProofView, ReadView};
use creditbank_ledger::state::LastSeal;
use creditbank_protocol::authority::amended_institutions;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::{Mark, Marks};
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::{Registry, ViewError};
use creditbank_store::{KeyValue, StoreError};

use crate::append::round::StoreView;
use crate::stored_block;
use crate::tables::{self, LearnerRow};
use crate::unreadable::{damaged, missing, of_store};

impl ReadView for StoreView<'_> {
    fn learner_places(&self, account: &AccountId) -> Result<Vec<Place>, ViewError> {
        self.go_on()?;
        let place = |row: Result<KeyValue, StoreError>| {
            let (key, value) = row.map_err(of_store)?;
            let row = LearnerRow::read(&key, &value);
            row.map(|row| row.place)
                .ok_or_else(|| damaged("a row of the learner index is malformed; reindex rebuilds it"))
        };
        let rows = self.context.store.rows(tables::LEARNER, account.as_bytes());
        let mut places = rows.map(place).collect::<Result<Vec<Place>, _>>()?;
        // The index may be a moment ahead of what was acknowledged.
        places.retain(|place| place.entry.0 < self.state.head.size);
        places.sort_unstable();
        Ok(places)
    }

    fn application_places(&self, institution: InstitutionId) -> Result<Vec<Place>, ViewError> {
        self.go_on()?;
        let place = |row: Result<KeyValue, StoreError>| {
            let (key, _) = row.map_err(of_store)?;
            tables::application_of(&key)
                .ok_or_else(|| damaged("a row of applications is malformed; reindex rebuilds it"))
        };
        self.context.store.rows(tables::APPLICATION, &institution.0.to_be_bytes()).map(place).collect()
    }

    fn marked(&self, mark: Mark) -> Result<Vec<MarkedRecord>, ViewError> {
        self.go_on()?;
        let marked = self.state.marked.iter().filter_map(|(place, status_id)| {
            let since = self.state.log.marks_of(status_id).get(mark)?;
            Some(MarkedRecord { place: *place, status_id: *status_id, since })
        });
        Ok(marked.collect())
    }

    /// A custodian's amendment is the closed institution's; only such a record is opened.
    fn issuer(&self, place: Place) -> Result<Option<InstitutionId>, ViewError> {
        self.go_on()?;
        let entry = self.context.store.entry(place.entry).map_err(of_store)?;
        let Entry::Head(head) = Entry::parse(&entry).map_err(damaged)? else {
            return Ok(None);
        };
        let signer = head.header().unit.institution;
        let block = stored_block::join(self.context.store, place.entry, head)?;
        if amended_institutions(&block.public().groups).is_empty() {
            return Ok(Some(signer));
        }
        Ok(Some(self.stored(place)?.map_or(signer, |stored| stored.facts.institution)))
    }

    fn alias(&self, institution: InstitutionId, account: &AccountId) -> Alias {
        self.context.private.of(institution).alias(account)
    }
}

impl ProofView for StoreView<'_> {
    fn last_seal(&self) -> Option<LastSeal> {
        self.state.log.last_seal()
    }

    fn seal_of(&self, entry: LogIndex) -> Result<LogIndex, ViewError> {
        self.go_on()?;
        let found = tables::seal_of(self.context.store, entry).map_err(of_store)?;
        found.ok_or_else(|| missing("the index has no seal for an entry; reindex rebuilds it"))
    }

    fn block(&self, entry: LogIndex) -> Result<SignedBlock, ViewError> {
        self.go_on()?;
        Ok(stored_block::block_at(self.context.store, entry)?)
    }

    fn marks_of(&self, status_id: &Digest) -> Marks {
        self.state.log.marks_of(status_id)
    }

    fn registry_at(&self, seal: LogIndex) -> &Registry {
        &self.state.registry_at(seal).registry
    }

    fn published_at(&self, seal: LogIndex, key: &RegistryKey) -> Option<Place> {
        self.state.registry_at(seal).entries.get(&key.digest()).map(|entry| Place::read(entry.place))
    }

    fn successions(&self) -> Vec<LogIndex> {
        self.state.versions.successions().to_vec()
    }

    fn log_keys(&self) -> Vec<(Place, LogIndex)> {
        self.state.versions.log_keys().collect()
    }
}
