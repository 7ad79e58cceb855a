//! One who has the key of an institution, sees what others send, and lies.

use creditbank_client::ChainHead;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::block_entry;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::{Alias, UnitId};
use creditbank_rpc::v1::SubmitBlockRequest;
use prost::Message as _;

use crate::chance::Chance;
use crate::registrar::{bodies, signed_block};
use crate::truth::Truth;
use crate::want::{Consequences, Known, Want};

/// Sends that are remembered.
const CAPTURED_MAX: usize = 40;

/// The one who lies.
pub(crate) struct Liar {
    pub(crate) unit: UnitId,
    key: KeyFile,
    captured: Vec<SubmitBlockRequest>,
    /// Own blocks, to build on old heads.
    heads: Vec<ChainHead>,
}

impl Liar {
    pub(crate) fn new(unit: UnitId, key: KeyFile) -> Self {
        Self { unit, key, captured: Vec::new(), heads: Vec::new() }
    }

    /// Sees a block on its way.
    pub(crate) fn sees(&mut self, request: &SubmitBlockRequest) {
        if self.captured.len() == CAPTURED_MAX {
            self.captured.remove(0);
        }
        self.captured.push(request.clone());
    }

    /// Something that should not be sealed, or is the same as what was sent before; with what it is.
    pub(crate) fn lie(
        &mut self,
        head: ChainHead,
        alias: impl Fn(u64) -> Option<Alias>,
        now_ms: u64,
        chance: &mut Chance,
        truth: &mut Truth,
    ) -> Option<(&'static str, SubmitBlockRequest)> {
        match chance.below(6) {
            0 => Some(("a block of another is sent again", chance.pick(&self.captured)?.clone())),
            1 => self.altered_block(chance),
            2 => self.altered_record(chance),
            3 => self.in_anothers_name(chance),
            4 => {
                // Spent or not, its own or another's: whether it is sealed is for the ledger to say.
                let spent: Vec<Known> =
                    truth.known.iter().filter(|known| known.kind == Kind::Credit).cloned().collect();
                let first = chance.pick(&spent)?.clone();
                let second = spent.iter().find(|other| other.citizen == first.citizen && other.place != first.place)?;
                let mut counted = vec![first.clone(), second.clone()];
                counted.sort_by_key(|known| known.place);
                let certificate = format!("L-{}", chance.below(1_000));
                let want = Want::Award { citizen: first.citizen, counted, certificate };
                let alias = alias(first.citizen)?;
                Some(("a degree for what may be spent", self.own(head, &want, Some(alias), now_ms, chance, truth)))
            }
            _ => {
                let old = chance.pick(&self.heads).copied().unwrap_or(head);
                let want = Want::Publish { version: u32::try_from(chance.between(2, 50)).ok()? };
                Some(("a block on an old head", self.own(old, &want, None, now_ms, chance, truth)))
            }
        }
    }

    /// A block of its own, signed as it should be.
    fn own(
        &mut self,
        head: ChainHead,
        want: &Want,
        alias: Option<Alias>,
        now_ms: u64,
        chance: &mut Chance,
        truth: &mut Truth,
    ) -> SubmitBlockRequest {
        self.heads.push(head);
        let content = want.content(self.unit.institution.0, alias, &Consequences::default(), chance.seed());
        let minute = now_ms / 60_000;
        let (block, mut signed) =
            signed_block(self.unit, &self.key, &head, minute.max(head.created_at_minute), None, &content);
        if let Want::Award { citizen, counted, .. } = want {
            (signed.citizen, signed.redeems) = (Some(*citizen), counted.iter().map(|known| known.place).collect());
        }
        truth.signed.insert(leaf_hash(&block_entry(&block)), signed);
        SubmitBlockRequest { block: block.into(), records: bodies(&content.records) }
    }

    fn altered_block(&self, chance: &mut Chance) -> Option<(&'static str, SubmitBlockRequest)> {
        let mut request = chance.pick(&self.captured)?.clone();
        let mut block = request.block.to_vec();
        let at = usize::try_from(chance.below(block.len() as u64)).ok()?;
        *block.get_mut(at)? ^= 1 << chance.below(8);
        request.block = block.into();
        Some(("a bit of a block is flipped", request))
    }

    fn altered_record(&self, chance: &mut Chance) -> Option<(&'static str, SubmitBlockRequest)> {
        let mut request = chance.pick(&self.captured)?.clone();
        let record = request.records.first_mut()?;
        let mut body = record.body.to_vec();
        let at = usize::try_from(chance.below(body.len() as u64)).ok()?;
        *body.get_mut(at)? ^= 1 << chance.below(8);
        record.body = body.into();
        Some(("a bit of a record is flipped", request))
    }

    /// The header of another, with a signature of its own.
    fn in_anothers_name(&self, chance: &mut Chance) -> Option<(&'static str, SubmitBlockRequest)> {
        let mut request = chance.pick(&self.captured)?.clone();
        let mut block = pb::Block::decode(&*request.block).ok()?;
        block.signature = creditbank_protocol::key::sign(&self.key.key, &block.header).to_vec();
        request.block = encode(&block).ok()?.into();
        Some(("a block is signed in another's name", request))
    }
}
