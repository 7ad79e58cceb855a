//! Lines that become one block: their learners' aliases, their records, and which of them the node would refuse.

use creditbank_protocol::Alias;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Action, Basis, Effect, EffectGroup};
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{CheckedRecord, Person, RecordBody, Refusal};

use crate::import::{DraftRecord, RefusedLine};
use crate::outbox::{Mark, Operation, patiently};
use crate::sealing::consequences::consequences;
use crate::sealing::{authority, groups};
use crate::secret::random;
use crate::{Client, ClientError, IssuingUnit};

/// Lines that go into one block.
pub(crate) struct Batch {
    lines: Vec<Line>,
}

struct Line {
    draft: DraftRecord,
    mark: Mark,
    alias: Alias,
    record: Record,
}

/// Lines that were taken out of a batch; the others can be sealed.
#[derive(Default)]
pub(crate) struct TakenOut {
    /// They break a rule.
    pub(crate) refused: Vec<RefusedLine>,
    /// The ledger holds them already.
    pub(crate) known: Vec<Mark>,
}

impl TakenOut {
    pub(crate) fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.known.is_empty()
    }
}

impl Batch {
    /// Opens the learners' accounts and makes the records.
    pub(crate) async fn open(
        client: &Client,
        unit: &IssuingUnit,
        drafts: Vec<(DraftRecord, Mark)>,
    ) -> Result<Self, ClientError> {
        let persons = || drafts.iter().map(|(draft, _)| Person { identities: draft.person.clone() }).collect();
        let aliases = patiently(client, || client.open_accounts(unit.id.institution, persons())).await?;
        let unit = unit.clone();
        let finish = move || {
            let line = |((draft, mark), alias): ((DraftRecord, Mark), Alias)| {
                let record = draft.finish(alias, &unit)?;
                Ok(Line { draft, mark, alias, record })
            };
            drafts.into_iter().zip(aliases).map(line).collect::<Result<_, ClientError>>()
        };
        // Records are hashed beside the reading of the next lines, not in its way.
        let lines = tokio::task::spawn_blocking(finish).await;
        let lines = lines.map_err(|error| ClientError::Local(format!("the records could not be made: {error}")))??;
        Ok(Self { lines })
    }

    /// What goes into a block, with a new operation id.
    pub(crate) async fn operation(&self, client: &Client, unit: &IssuingUnit) -> Result<Operation, ClientError> {
        let groups = self.effects(client, unit).await?;
        let records = self.lines.iter().map(|line| line.record.clone()).collect();
        Ok(Operation { operation_id: random()?, records, groups, approvals: Vec::new() })
    }

    /// What the notes will say of the lines.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        self.lines.iter().map(|line| line.mark).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The records, in the order of the block.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&DraftRecord, &Record)> {
        self.lines.iter().map(|line| (&line.draft, &line.record))
    }

    pub(crate) fn drafts(&self) -> impl Iterator<Item = (&DraftRecord, Alias)> {
        self.lines.iter().map(|line| (&line.draft, line.alias))
    }

    /// Each amendment supersedes its target, and puts under review what stands on it.
    async fn effects(&self, client: &Client, unit: &IssuingUnit) -> Result<Vec<EffectGroup>, ClientError> {
        let effect = |line: &Line| {
            let after = line.draft.after?;
            let status_id = after.amends?.0.to_vec();
            Some(Effect {
                status_id,
                place: Some(after.place.into()),
                action: Action::Supersede.into(),
                ..Effect::default()
            })
        };
        let issuer = authority(Basis::Issuer);
        let mut effects: Vec<_> = self.lines.iter().filter_map(effect).map(|effect| (issuer.clone(), effect)).collect();
        let taken_back = effects.iter().map(|(authority, effect)| (authority, effect));
        let follows = consequences(client, unit, taken_back).await?;
        effects.extend(follows.effects);
        groups(effects)
    }

    /// Takes the lines out that break a rule, after one of them was refused; an error where the refusal is about no
    /// line.
    pub(crate) async fn take_out(
        &mut self,
        client: &Client,
        unit: &IssuingUnit,
        refusal: Box<Refusal>,
    ) -> Result<TakenOut, ClientError> {
        if refusal.record_plus_1 == 0 {
            return Err(ClientError::Refused(refusal));
        }
        let mut refusals = self.refusals(client, unit).await?;
        if refusals.is_empty() {
            refusals.push(*refusal);
        }
        self.without(refusals)
    }

    /// Takes the lines out that would be refused, before anybody is asked to approve the others.
    pub(crate) async fn check(&mut self, client: &Client, unit: &IssuingUnit) -> Result<TakenOut, ClientError> {
        let refusals = self.refusals(client, unit).await?;
        self.without(refusals)
    }

    /// What the node would refuse of the lines.
    async fn refusals(&self, client: &Client, unit: &IssuingUnit) -> Result<Vec<Refusal>, ClientError> {
        let key_id = KeyId::of(&unit.key.public_key());
        let checked = || {
            let record =
                |line: &Line| CheckedRecord { record: Some(RecordBody::from(&line.record)), identities: Vec::new() };
            self.lines.iter().map(record).collect()
        };
        let all = patiently(client, || client.check_records(unit.id, key_id, checked())).await?;
        Ok(all.into_iter().filter(|refusal| refusal.record_plus_1 > 0).collect())
    }

    fn without(&mut self, mut refusals: Vec<Refusal>) -> Result<TakenOut, ClientError> {
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.record_plus_1));
        refusals.dedup_by_key(|refusal| refusal.record_plus_1);
        let mut out = TakenOut::default();
        for refusal in refusals {
            let index = refusal.record_plus_1 as usize - 1;
            if index >= self.lines.len() {
                return Err(ClientError::lie(format!("a refusal of record {index} of {}", self.lines.len())));
            }
            let line = self.lines.remove(index);
            if refusal.why() == Reason::DuplicateRecord {
                out.known.push(line.mark);
            } else {
                out.refused.push(refused_line(line.draft.line, &refusal));
            }
        }
        out.refused.reverse();
        Ok(out)
    }
}

pub(crate) fn refused_line(line: u64, refusal: &Refusal) -> RefusedLine {
    let reason = format!("{}: expected {}, found {}", refusal.reason, refusal.expected, refusal.found);
    RefusedLine { line, field: refusal.field.clone(), reason }
}
