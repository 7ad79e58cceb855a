//! What the outbox asks for, done: signing, writing down, sending, and taking note of what has become of a want.

use std::sync::Arc;

use creditbank_client::ChainHead;
use creditbank_client::outbox::{Action, Event as Happened, Prepared, Ticket};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{Receipt, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Digest, Place};
use creditbank_rpc::block_request;
use creditbank_rpc::v1::Refusal;

use super::calls::Purpose;
use super::desk::{About, Stand, want_of};
use super::{Around, Registrar};
use crate::post::{Alarm, Ask, Event};
use crate::signing::{short, signed_block};
use crate::trace::note;
use crate::truth::{Broken, broken};
use crate::want::Want;

/// How often a refused want is made anew.
const REVISIONS_MAX: u32 = 2;

impl Registrar {
    /// Does what the outbox asks for.
    pub(super) fn go_on(&mut self, around: &mut Around<'_>) -> Result<(), Broken> {
        while let Some(action) = self.process.as_mut().and_then(|process| process.core.next_action()) {
            self.act(action, around)?;
        }
        Ok(())
    }

    fn act(&mut self, action: Action, around: &mut Around<'_>) -> Result<(), Broken> {
        match action {
            Action::AskHead => self.ask(Purpose::Head, Ask::Head(self.unit), around),
            Action::AskBlock { height } => self.ask(Purpose::Block(height), Ask::Block(self.unit, height), around),
            Action::Sign { ticket, head } => {
                let block = self.sign(ticket, &head, around)?;
                self.handle(Happened::Signed { ticket, block: Arc::new(block) });
            }
            Action::Persist { block } => {
                let id = block.id;
                self.desk.outbox.push(block);
                let when = around.now_ms + around.chance.between(1, 5);
                around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Persisted(id)));
            }
            Action::Send { attempt, block } => {
                around.truth.sends(self.id, block.leaf, around.durable)?;
                note!(around.trace, "client {} sends {} at height {}", self.id, short(&block.leaf), block.height);
                let request = block.request().clone();
                self.ask(Purpose::Send(attempt, block), Ask::Submit(request), around);
            }
            Action::Wait { ms } => {
                around.post.at(around.now_ms + ms, Event::Alarm(self.id, self.life, Alarm::Woken));
            }
            Action::Forget { blocks } => {
                let gone: Vec<Digest> = blocks.iter().map(|block| block.id).collect();
                self.desk.outbox.retain(|block| !gone.contains(&block.id));
            }
            Action::Sealed { ticket, block, receipt } => self.sealed(ticket, &block, &receipt, around)?,
            Action::Refused { ticket, refusal } => self.refused(ticket, &refusal, around),
            Action::Dropped { ticket, block, refusal } => self.dropped(ticket, &block, refusal.as_deref(), around),
            Action::Halt(why) => {
                note!(around.trace, "client {} halts: {why:?}", self.id);
                around.counts.halts += 1;
                if let Some(process) = &mut self.process {
                    process.halted = true;
                }
                let when = around.now_ms + around.chance.between(1_000, 60_000);
                around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Start));
            }
        }
        Ok(())
    }

    fn handle(&mut self, happened: Happened) {
        if let Some(process) = &mut self.process {
            process.core.handle(happened);
        }
    }

    fn sign(&self, ticket: Ticket, head: &ChainHead, around: &mut Around<'_>) -> Result<Prepared, Broken> {
        let process = self.process.as_ref();
        let id = process.and_then(|process| process.tickets.get(&ticket)).copied();
        let content = id.and_then(|id| process.and_then(|process| process.contents.get(&id)));
        let (Some(id), Some(content)) = (id, content) else { broken!("the outbox signs what nobody wants") };
        let created_at_minute = (around.now_ms / 60_000 + self.off_minutes).max(head.created_at_minute);
        let (block, signed) = signed_block(self.unit, &self.key, head, created_at_minute, Some(id), content);
        let want = self.desk.wants.get(&id).map(|item| &item.want);
        let about = want.map(About::of).unwrap_or_default();
        let prepared =
            Prepared::new(block_request(block, &content.records, &content.groups), id.to_be_bytes().to_vec());
        let prepared = prepared.map_err(|error| Broken(format!("what was signed is no block: {error}")))?;
        around.truth.signed.insert(prepared.leaf, about.on(signed));
        Ok(prepared)
    }

    fn sealed(
        &mut self,
        ticket: Ticket,
        block: &Prepared,
        receipt: &Receipt,
        around: &mut Around<'_>,
    ) -> Result<(), Broken> {
        let id = want_of(block);
        note!(around.trace, "client {}: {id} is sealed at {}", self.id, receipt.index);
        around.counts.sealed += 1;
        self.desk.outbox.retain(|other| other.id != block.id);
        if let Some(process) = &mut self.process {
            process.tickets.remove(&ticket);
        }
        around.truth.sealed(&block.leaf, receipt.index, |position, record| reference(receipt, position, record));
        match self.desk.wants.get_mut(&id) {
            Some(item) if item.stand == Stand::Open => {
                item.stand = Stand::Sealed(receipt.index);
                around.counts.aliases += u64::from(matches!(item.want, Want::Alias { .. }));
            }
            Some(item) => broken!("want {id} of client {} is sealed, and was {:?}", self.id, item.stand),
            None => broken!("client {} has sealed what it does not want", self.id),
        }
        Ok(())
    }

    fn refused(&mut self, ticket: Ticket, refusal: &Refusal, around: &mut Around<'_>) {
        let Some(process) = &mut self.process else { return };
        let Some(id) = process.tickets.get(&ticket).copied() else { return };
        note!(around.trace, "client {}: {id} is refused: {}", self.id, refusal.reason);
        around.counts.refused += 1;
        around.counts.repeats += u64::from(refusal.reason == "TOO_MANY_REPEATS");
        let Some(item) = self.desk.wants.get_mut(&id) else { return };
        if item.revisions < REVISIONS_MAX && around.chance.often(500) {
            item.revisions += 1;
            self.prepare(id, Some(ticket), around);
        } else {
            item.stand = Stand::Refused(refusal.reason.clone());
            process.tickets.remove(&ticket);
            process.core.withdraw(ticket);
        }
    }

    /// A block of an earlier run is not sealed: its want is made anew.
    fn dropped(&mut self, ticket: Ticket, block: &Prepared, refusal: Option<&Refusal>, around: &mut Around<'_>) {
        let id = want_of(block);
        let why = refusal.map_or("its predecessor", |refusal| &refusal.reason);
        note!(around.trace, "client {}: the block of {id} is dropped: {why}", self.id);
        self.desk.outbox.retain(|other| other.id != block.id);
        if let Some(process) = &mut self.process {
            process.tickets.remove(&ticket);
        }
        self.prepare(id, None, around);
    }
}

fn reference(receipt: &Receipt, index: u32, record: &Record) -> RecordReference {
    let id = status_id(&leaf_hash(&receipt.entry), index, &record.hash());
    RecordReference {
        place: Place::new(receipt.index, index).written(),
        status_id: id.0.to_vec(),
        ..Default::default()
    }
}
