//! One block of an import: aliases, records, signature, and what the node says to it.

use creditbank_protocol::entry::block_entry;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Action, Basis, Effect, EffectGroup, Receipt};
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{CheckedRecord, Person, RecordBody, Refusal};

use crate::import::{DraftRecord, RefusedLine};
use crate::outbox::patience::{patiently, send};
use crate::outbox::work::{Mark, Pending, Work};
use crate::sealing::consequences::consequences;
use crate::sealing::{authority, groups};
use crate::{Client, ClientError, IssuingUnit};

/// How often a block is built anew because the unit's chain has moved.
const TRIES_MAX: u32 = 6;

/// Lines that go into one block.
pub(crate) struct Batch {
    lines: Vec<Line>,
}

struct Line {
    draft: DraftRecord,
    alias: [u8; 16],
    record: Record,
}

/// What became of a batch.
pub(crate) enum Sealed {
    /// All its lines are in one block.
    Done(Box<Receipt>),
    /// A check has let all its lines through; nothing was sealed.
    Passed,
    /// Lines were taken out of it; the others can be tried again.
    TakenOut {
        /// They break a rule.
        refused: Vec<RefusedLine>,
        /// The ledger holds them already.
        known: Vec<Mark>,
    },
}

impl Batch {
    /// Opens the learners' accounts and makes the records.
    pub(crate) async fn open(
        client: &Client,
        unit: &IssuingUnit,
        drafts: Vec<DraftRecord>,
    ) -> Result<Self, ClientError> {
        let persons = || drafts.iter().map(|draft| Person { identities: draft.person.clone() }).collect();
        let aliases = patiently(|| client.open_accounts(unit.institution, persons())).await?;
        let line = |(draft, alias): (DraftRecord, [u8; 16])| {
            let record = draft.finish(alias, &unit.secret)?;
            Ok(Line { draft, alias, record })
        };
        let lines = drafts.into_iter().zip(aliases).map(line).collect::<Result<_, ClientError>>()?;
        Ok(Self { lines })
    }

    /// The records in order.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.lines.iter().map(|line| line.record.clone()).collect()
    }

    /// What the notes will say of the lines.
    pub(crate) fn marks(&self, unit: &IssuingUnit) -> Vec<Mark> {
        self.lines.iter().map(|line| line.draft.mark(unit)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The records, in the order of the block.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&DraftRecord, &Record)> {
        self.lines.iter().map(|line| (&line.draft, &line.record))
    }

    pub(crate) fn drafts(&self) -> impl Iterator<Item = (&DraftRecord, &[u8; 16])> {
        self.lines.iter().map(|line| (&line.draft, &line.alias))
    }

    /// Tries to seal the lines as one block on the unit's head.
    pub(crate) async fn seal(
        &mut self,
        client: &Client,
        unit: &IssuingUnit,
        work: &mut Work,
    ) -> Result<Sealed, ClientError> {
        for _ in 0..TRIES_MAX {
            let pending = self.block(client, unit).await?;
            work.prepare(&pending)?;
            match send(client, &pending).await {
                Ok(receipt) => {
                    work.sealed(&pending, &receipt)?;
                    return Ok(Sealed::Done(Box::new(receipt)));
                }
                Err(ClientError::Refused(refusal)) => {
                    if refusal.why() == Reason::StaleHead {
                        // Another registrar of the unit was faster; nothing else is signed for this height before the
                        // log itself shows that block.
                        let accepted = patiently(|| client.block(unit.institution, unit.unit, pending.height)).await?;
                        if accepted.entry == block_entry(&pending.block) {
                            work.sealed(&pending, &accepted)?;
                            return Ok(Sealed::Done(Box::new(accepted)));
                        }
                    }
                    work.forget()?;
                    // Definite refusals that left the head where it was, or where we now know it to be: build anew.
                    if refusal.why().chain_moved() {
                        continue;
                    }
                    return self.take_out(client, unit, refusal).await;
                }
                // It is not known whether it was sealed: the pending block stays for the next run.
                Err(error) => return Err(error),
            }
        }
        Err(ClientError::Local(format!("the unit's chain moved {TRIES_MAX} times in a row: run the command again")))
    }

    async fn block(&self, client: &Client, unit: &IssuingUnit) -> Result<Pending, ClientError> {
        let head = patiently(|| client.chain_head(unit.institution, unit.unit)).await?;
        let records: Vec<Record> = self.lines.iter().map(|line| line.record.clone()).collect();
        let groups = self.effects(client, unit).await?;
        let block = client.sign_block(unit.institution, unit.unit, &head, &*unit.key, &records, groups)?;
        let marks = self.lines.iter().map(|line| line.draft.mark(unit)).collect();
        Ok(Pending {
            height: head.next_height,
            block,
            records: self.lines.iter().map(|line| RecordBody::from(&line.record)).collect(),
            marks,
        })
    }

    /// Each amendment supersedes its target, and puts under review what stands on it.
    async fn effects(&self, client: &Client, unit: &IssuingUnit) -> Result<Vec<EffectGroup>, ClientError> {
        let effect = |line: &Line| {
            let after = line.draft.after?;
            let status_id = after.amends?.0.to_vec();
            Some(Effect { status_id, place: Some(after.place), action: Action::Supersede.into(), ..Effect::default() })
        };
        let issuer = authority(Basis::Issuer);
        let mut effects: Vec<_> = self.lines.iter().filter_map(effect).map(|effect| (issuer.clone(), effect)).collect();
        let taken_back = effects.iter().map(|(authority, effect)| (authority, effect));
        let follows = consequences(client, unit, taken_back).await?;
        effects.extend(follows.effects);
        groups(effects)
    }

    /// Takes the lines out that break a rule; an error where the refusal is about no line.
    async fn take_out(
        &mut self,
        client: &Client,
        unit: &IssuingUnit,
        refusal: Box<Refusal>,
    ) -> Result<Sealed, ClientError> {
        if refusal.record_plus_1 == 0 {
            return Err(ClientError::Refused(refusal));
        }
        let mut refusals = self.refusals(client, unit).await?;
        if refusals.is_empty() {
            refusals.push(*refusal);
        }
        self.without(unit, refusals)
    }

    /// Takes the lines out that would be refused, before anybody is asked to approve the others.
    pub(crate) async fn check(&mut self, client: &Client, unit: &IssuingUnit) -> Result<Sealed, ClientError> {
        let refusals = self.refusals(client, unit).await?;
        if refusals.is_empty() { Ok(Sealed::Passed) } else { self.without(unit, refusals) }
    }

    /// What the node would refuse of the lines.
    async fn refusals(&self, client: &Client, unit: &IssuingUnit) -> Result<Vec<Refusal>, ClientError> {
        let key_id = KeyId::of(&unit.key.public_key()).0;
        let checked = || {
            let record =
                |line: &Line| CheckedRecord { record: Some(RecordBody::from(&line.record)), identities: Vec::new() };
            self.lines.iter().map(record).collect()
        };
        let all = patiently(|| client.check_records(unit.institution, unit.unit, key_id, checked())).await?;
        Ok(all.into_iter().filter(|refusal| refusal.record_plus_1 > 0).collect())
    }

    fn without(&mut self, unit: &IssuingUnit, mut refusals: Vec<Refusal>) -> Result<Sealed, ClientError> {
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.record_plus_1));
        refusals.dedup_by_key(|refusal| refusal.record_plus_1);
        let (mut refused, mut known) = (Vec::new(), Vec::new());
        for refusal in refusals {
            let index = refusal.record_plus_1 as usize - 1;
            if index >= self.lines.len() {
                return Err(ClientError::lie(format!("a refusal of record {index} of {}", self.lines.len())));
            }
            let line = self.lines.remove(index);
            if refusal.why() == Reason::DuplicateRecord {
                known.push(line.draft.mark(unit));
            } else {
                refused.push(refused_line(line.draft.line, &refusal));
            }
        }
        refused.reverse();
        Ok(Sealed::TakenOut { refused, known })
    }
}

pub(crate) fn refused_line(line: u64, refusal: &Refusal) -> RefusedLine {
    let reason = format!("{}: expected {}, found {}", refusal.reason, refusal.expected, refusal.found);
    RefusedLine { line, field: refusal.field.clone(), reason }
}
