//! What can be said of a block's records without the ledger and the signer: that each holds what its kind must hold. It
//! needs no order, so any thread may find it before it is the block's turn.

use std::sync::Arc;

use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Kind, QualificationDefinition};
use creditbank_protocol::record::{Record, info_of};

use super::BlockFacts;
use super::kinds::{self, Common, malformed};
use crate::once::Once;
use crate::registry::definition;
use crate::{Registry, Rejection, texts};

/// Records of a block that hold so far, with what was read of them.
#[derive(Debug)]
pub struct Alone {
    by: By,
    records: Vec<Record>,
    /// Of each record; `None` of one that is published, which the registry has to admit.
    read: Vec<Option<Common>>,
    /// The registry that they hold by. It is kept, so that no other one can be taken for it.
    registry: Arc<Registry>,
}

/// Whose block it is, and when it was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct By {
    unit: UnitId,
    key_id: KeyId,
    created_at_minute: u64,
}

/// What is known of a record before it is its turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before<'a> {
    /// Nothing.
    Nothing,
    /// Its texts are texts. The rest was found by another registry, or of another block.
    Texts,
    /// All that needs no order.
    Read(Option<&'a Common>),
}

impl Alone {
    /// Checks the records of a block by the registry as it is now: the first rule that one of them breaks is the error.
    /// What the operator registers is the registry's to admit; of that only the texts are checked.
    pub fn check(
        registry: &Arc<Registry>,
        (unit, key_id, created_at_minute): (UnitId, KeyId, u64),
        records: Vec<Record>,
    ) -> Result<Self, Rejection> {
        let once = Once::default();
        let block = BlockFacts {
            unit,
            key_id,
            approvals: &[],
            created_at_minute,
            sealed_at_ms: 0,
            records: &records,
            groups: &[],
            once: &once,
        };
        let mut read = Vec::with_capacity(records.len());
        for (index, record) in (0u32..).zip(&records) {
            let found = if unit.institution.is_operator() {
                texts::check(record.kind(), record.body()).map(|()| None)
            } else {
                check_record(registry, &block, record, true).and_then(|read| check_size(record).map(|()| read))
            };
            read.push(found.map_err(|rejection| rejection.record(index))?);
        }
        let by = By { unit, key_id, created_at_minute };
        Ok(Self { by, records, read, registry: Arc::clone(registry) })
    }

    /// The records, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Takes the records out. None are left.
    pub fn take(&mut self) -> Vec<Record> {
        self.read = Vec::new();
        std::mem::take(&mut self.records)
    }

    /// What is known of a record of a block, by a registry.
    pub(super) fn before(&self, registry: &Registry, block: &BlockFacts<'_>, index: usize) -> Before<'_> {
        let BlockFacts { unit, key_id, created_at_minute, .. } = *block;
        let is_same =
            std::ptr::eq(registry, Arc::as_ptr(&self.registry)) && self.by == By { unit, key_id, created_at_minute };
        match self.read.get(index) {
            Some(read) if is_same => Before::Read(read.as_ref()),
            Some(_) => Before::Texts,
            None => Before::Nothing,
        }
    }
}

/// What a record says that an institution issues or publishes, where it holds; `None` of one that it publishes.
pub(super) fn check_record(
    registry: &Registry,
    block: &BlockFacts<'_>,
    record: &Record,
    with_texts: bool,
) -> Result<Option<Common>, Rejection> {
    if with_texts {
        texts::check(record.kind(), record.body())?;
    }
    if info_of(record.kind()).is_some_and(|info| info.public) {
        return Ok(None);
    }
    kinds::check(registry, block, record).map(Some)
}

/// The size of a definition, before anything of it is judged.
fn check_size(record: &Record) -> Result<(), Rejection> {
    if record.kind() != Kind::QualificationDefinition {
        return Ok(());
    }
    let entry: QualificationDefinition = decode(record.body()).map_err(malformed)?;
    definition::check_size(&entry)
}
