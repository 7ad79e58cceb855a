//! Learners and their records.

use std::sync::PoisonError;

use creditbank_protocol::authority::amended_for;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::merkle::{record_leaf, verify_inclusion};
use creditbank_protocol::pb::{self, DisclosedRecord, Receipt};
use creditbank_protocol::record::{Disclosed, amends_of};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::{Mark, Marks, status_id};
use creditbank_protocol::transcript::{Report, verify};
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    ExportTranscriptRequest, GetRecordRequest, HeldRecord, IdentityElsewhere, IssuedRecord, LearnerReference,
    ListIssuedRequest, ListRecordsRequest, OpenAccountsRequest, Person,
};

use super::Client;
use super::log::digests;
use crate::ClientError;

/// A record that is proved to be in the log, signed by a key of the registry.
#[derive(Debug, Clone)]
pub struct ReadRecord {
    /// Where it stands.
    pub place: Place,
    /// The unit whose block it is in.
    pub unit: UnitId,
    /// The key that signed.
    pub key_id: KeyId,
    /// The closed institution whose record this one replaces, where the signer keeps its records.
    pub on_behalf_of: Option<InstitutionId>,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// The seed of its claims, which is its issuer's secret until disclosed.
    pub seed: Option<[u8; 32]>,
    /// Size of the log behind its round: the last entry before it is the seal.
    pub round_end: u64,
    /// What it says.
    pub disclosed: Disclosed,
    /// The marks against it: the node's word.
    pub marks: Vec<String>,
    /// Log index of the effect that set each mark: the node's word.
    pub mark_entries: Vec<LogIndex>,
}

impl ReadRecord {
    /// Whose record it is.
    pub fn subject(&self) -> InstitutionId {
        self.on_behalf_of.unwrap_or(self.unit.institution)
    }

    /// What it amends.
    pub fn amends(&self) -> Option<pb::Amends> {
        amends_of(self.disclosed.info.kind, &self.disclosed.body).ok()?
    }

    /// Whether a mark stands against it, by the node's word.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.iter().any(|name| name == mark.name())
    }

    /// Its marks, by the node's word.
    pub fn marks(&self) -> Result<Marks, ClientError> {
        marks_of(&self.marks, self.mark_entries.iter().copied())
    }

    /// Log index of the effect that set a mark, by the node's word.
    pub fn mark_entry(&self, mark: Mark) -> Option<LogIndex> {
        let at = self.marks.iter().position(|name| name == mark.name())?;
        self.mark_entries.get(at).copied()
    }
}

/// Marks by their names, with the log indexes of their effects.
pub(crate) fn marks_of(names: &[String], entries: impl IntoIterator<Item = LogIndex>) -> Result<Marks, ClientError> {
    let named = names.iter().map(|name| Mark::named(name).ok_or_else(|| ClientError::lie("a mark of another name")));
    let pair = |(mark, entry): (Result<Mark, ClientError>, LogIndex)| Ok((mark?, entry));
    Ok(Marks::of(named.zip(entries).map(pair).collect::<Result<Vec<_>, ClientError>>()?))
}

impl Client {
    /// Aliases for persons at an institution, in order; accounts are opened for those who have none. At most 1,000.
    pub async fn open_accounts(
        &self,
        institution: impl Into<InstitutionId>,
        persons: Vec<Person>,
    ) -> Result<Vec<Alias>, ClientError> {
        Ok(self.opened(institution.into(), persons).await?.0)
    }

    /// The alias of a person at an institution, and which of their identities, by position, were not linked: student
    /// numbers that lead to another account.
    pub async fn open_account(
        &self,
        institution: impl Into<InstitutionId>,
        person: Person,
    ) -> Result<(Alias, Vec<usize>), ClientError> {
        let (aliases, elsewhere) = self.opened(institution.into(), vec![person]).await?;
        let elsewhere = elsewhere.iter().filter_map(|one| usize::try_from(one.identity).ok()).collect();
        let alias = aliases.into_iter().next();
        alias.map(|alias| (alias, elsewhere)).ok_or_else(|| ClientError::lie("no alias for one person"))
    }

    async fn opened(
        &self,
        InstitutionId(institution): InstitutionId,
        persons: Vec<Person>,
    ) -> Result<(Vec<Alias>, Vec<IdentityElsewhere>), ClientError> {
        let count = persons.len();
        let request = self.with_access(OpenAccountsRequest { institution, persons })?;
        let answer = self.learner.clone().open_accounts(request).await?.into_inner();
        if answer.aliases.len() != count {
            return Err(ClientError::lie(format!("{} aliases for {count} persons", answer.aliases.len())));
        }
        let alias =
            |alias: Vec<u8>| Alias::from_slice(&alias).ok_or_else(|| ClientError::lie("an alias is not 16 bytes"));
        let aliases = answer.aliases.into_iter().map(alias).collect::<Result<_, _>>()?;
        Ok((aliases, answer.elsewhere))
    }

    /// What a unit has issued from a height on, of at most `blocks` blocks, and the height to go on from (0 at the
    /// end): the node's word, but for what is read record by record.
    pub async fn issued(
        &self,
        unit: UnitId,
        from_height: u64,
        blocks: u32,
    ) -> Result<(Vec<IssuedRecord>, u64), ClientError> {
        let request =
            ListIssuedRequest { institution: unit.institution.0, unit: unit.number, from_height, blocks_max: blocks };
        let answer = self.ledger.clone().list_issued(self.with_access(request)?).await?.into_inner();
        Ok((answer.records, answer.next_height))
    }

    /// The record at a place.
    pub async fn record(&self, place: impl Into<Place>) -> Result<ReadRecord, ClientError> {
        let place = place.into();
        let request = self.with_access(GetRecordRequest { place: Some(place.into()) })?;
        let answer = self.ledger.clone().get_record(request).await?.into_inner();
        let read = self.check_record(answer.record, answer.receipt, (answer.marks, answer.mark_entries)).await?;
        if read.place == place { Ok(read) } else { Err(ClientError::lie("the record is one of another place")) }
    }

    /// All records of a learner that the access key may read; and the account, for the operator.
    pub async fn records(&self, learner: Learner) -> Result<(Vec<ReadRecord>, Option<AccountId>), ClientError> {
        let mut read: Vec<ReadRecord> = Vec::new();
        loop {
            let after = read.last().map(|record| record.place.into());
            let learner = Some(LearnerReference { learner: Some(learner.clone()) });
            let request = self.with_access(ListRecordsRequest { learner, after, limit: 0 })?;
            let answer = self.learner.clone().list_records(request).await?.into_inner();
            let more = answer.more && !answer.records.is_empty();
            for HeldRecord { record, receipt, marks, mark_entries } in answer.records {
                read.push(self.check_record(record, receipt, (marks, mark_entries)).await?);
            }
            if !more {
                return Ok((read, AccountId::from_slice(&answer.account)));
            }
        }
    }

    /// A transcript file and what it proves.
    pub async fn transcript(&self, learner: Learner) -> Result<(Vec<u8>, Report), ClientError> {
        let (file, report, _) = self.export(learner).await?;
        Ok((file, report))
    }

    /// A transcript file, what it proves, and how many of the records that the caller may read are left out, as they
    /// may not be shown yet: the node's word.
    pub async fn export(&self, learner: Learner) -> Result<(Vec<u8>, Report, u32), ClientError> {
        let learner = Some(LearnerReference { learner: Some(learner) });
        let request = self.with_access(ExportTranscriptRequest { learner })?;
        let answer = self.learner.clone().export_transcript(request).await?.into_inner();
        let report = verify(&answer.transcript, &self.trust, super::now_ms())?;
        Ok((answer.transcript, report, answer.embargoed))
    }

    /// The public key of a key of the registry.
    pub(super) async fn public_key(&self, id: KeyId) -> Result<Vec<u8>, ClientError> {
        if let Some(known) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let entry = self.registry_entry(&RegistryKey::Key(id)).await?;
        let entry = entry.ok_or_else(|| ClientError::lie("the block's key is not in the registry"))?;
        let public_key = entry.decode::<pb::Key>()?.public_key;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(id, public_key.clone());
        Ok(public_key)
    }

    /// Checks claims, path, receipt and the unit's signature under its key of the registry.
    async fn check_record(
        &self,
        record: Option<DisclosedRecord>,
        receipt: Option<Receipt>,
        (marks, mark_entries): (Vec<String>, Vec<u64>),
    ) -> Result<ReadRecord, ClientError> {
        let record = record.ok_or_else(|| ClientError::lie("the record is missing"))?;
        let receipt = receipt.ok_or_else(|| ClientError::lie("the receipt is missing"))?;
        let verified = self.check_receipt(&receipt).await?;
        let place = Place::read(record.place);
        let Entry::Head(head) = &verified.entry else {
            return Err(ClientError::lie("the entry is no block"));
        };
        if verified.index != place.entry {
            return Err(ClientError::lie("the receipt is for another entry"));
        }
        let header = head.header();
        let disclosed = Disclosed::new(&record).map_err(ClientError::lie)?;
        let leaf = record_leaf(&disclosed.hash);
        let path = digests(&record.path)?;
        verify_inclusion(&leaf, place.index.into(), header.count.into(), &path, &header.records_root)?;
        head.verify(&self.public_key(header.key_id).await?).map_err(ClientError::lie)?;
        // Whose record an amendment is, its block's public part says.
        let kind = disclosed.info.kind;
        let on_behalf_of = match amends_of(kind, &disclosed.body).map_err(ClientError::lie)? {
            Some(_) => {
                let block = self.with_public(&verified).await?;
                amended_for(&block.public().groups, kind, &disclosed.body).map_err(ClientError::lie)?
            }
            None => None,
        };
        Ok(ReadRecord {
            place,
            unit: header.unit,
            key_id: header.key_id,
            on_behalf_of,
            status_id: status_id(&verified.leaf, place.index, &disclosed.hash),
            seed: record.seed.try_into().ok(),
            round_end: verified.checkpoint.size,
            disclosed,
            marks,
            mark_entries: mark_entries.into_iter().map(LogIndex).collect(),
        })
    }
}
