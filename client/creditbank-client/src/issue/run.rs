//! One run over a file: lines are read, accounts opened and blocks sealed at the same time, in the file's order.

use std::collections::{BTreeSet, HashMap, HashSet};

use creditbank_protocol::Alias;

use super::ahead::Ahead;
use super::batch::{Batch, TakenOut};
use super::{BATCH_LEN_MAX, BATCH_MAX, IssueError, Places, Progress, changed};
use crate::import::report::Report;
use crate::import::{Contradicted, DraftRecord, ImportError, Mapping, RefusedLine, Rows, Source, lines_of};
use crate::outbox::{Held, Mark, Outbox, Outcome, Ticket};
use crate::sealing::approval::ApprovalQueue;
use crate::sealing::approved::{seal_approved, settle_earlier};
use crate::{Client, ClientError, IssuingUnit};

/// Batches that are read before those before them are sealed.
const AHEAD_MAX: usize = 6;

/// What a refused line does to the lines after it, and what is done with a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnRefusal {
    GoOn,
    Stop,
    /// Go on, and ask for the approval of each block.
    Ask,
}

pub(super) async fn import<R: Source>(
    (client, unit): (&Client, &IssuingUnit),
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    contradicted: &Contradicted,
    on_refusal: OnRefusal,
    mut progress: impl FnMut(&Progress),
) -> Result<Progress, IssueError> {
    let mut rows = Rows::open(mapping, input)?.knowing(contradicted);
    let mut outbox = Outbox::open(client, unit, places.work)?;
    settle_earlier(&mut outbox).await?;
    let queue = ApprovalQueue::open(places.work);
    let mut done = Progress::default();
    let mut waiting = BTreeSet::new();
    if on_refusal == OnRefusal::Ask {
        let sealed = |marks: &[Mark], _| {
            done.blocks += 1;
            done.records += marks.len() as u64;
        };
        waiting = seal_approved(&mut outbox, &queue, None, sealed).await?.waiting;
    }
    let report = Report::create(places.refused)?;
    let (batches, learners) = (HashMap::new(), HashSet::new());
    let mut run =
        Run { client, unit, on_refusal, outbox, queue, waiting, report, done, batches, learners, is_over: false };
    let mut ahead = Ahead::new();
    let mut reading = Reading::GoesOn;
    while !run.is_over {
        let may_read = matches!(reading, Reading::GoesOn) && ahead.len() < AHEAD_MAX;
        let has_batches = !run.batches.is_empty();
        if !may_read && !has_batches && ahead.len() == 0 {
            break;
        }
        tokio::select! {
            biased;
            outcome = run.outbox.next(), if has_batches => {
                if run.settle(outcome?).await? {
                    progress(&run.done);
                }
            }
            batch = ahead.next(), if ahead.len() > 0 && run.outbox.has_room() => {
                if run.take(batch?).await? {
                    progress(&run.done);
                }
            }
            () = std::future::ready(()), if may_read => {
                let (drafts, then) = run.read(&mut rows)?;
                reading = then;
                if !drafts.is_empty() {
                    ahead.push(Batch::open(client, unit, drafts));
                }
            }
        }
    }
    if let Reading::Failed(error) = reading {
        return Err(error.into());
    }
    let done = run.end().await?;
    progress(&done);
    Ok(done)
}

/// Whether more is to be read of a file.
enum Reading {
    GoesOn,
    /// All of it was read, or a line was refused that stops the import.
    Ended,
    /// What came before is sealed first.
    Failed(ImportError),
}

/// One run over a file.
struct Run<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    on_refusal: OnRefusal,
    outbox: Outbox<'a>,
    queue: ApprovalQueue,
    /// What waits for an approval.
    waiting: BTreeSet<Mark>,
    report: Report,
    done: Progress,
    /// What is in the outbox.
    batches: HashMap<Ticket, Batch>,
    learners: HashSet<Alias>,
    /// A line was refused that stops the import, after it was read.
    is_over: bool,
}

impl Run<'_> {
    fn is_stopped(&self) -> bool {
        self.on_refusal == OnRefusal::Stop && self.done.refused > 0
    }

    fn refuse(&mut self, line: &RefusedLine) -> Result<(), ClientError> {
        self.done.refused += 1;
        self.report.write(line)
    }

    /// The lines of the next block.
    fn read(&mut self, rows: &mut Rows<'_>) -> Result<(Vec<(DraftRecord, Mark)>, Reading), ClientError> {
        let (mut drafts, mut len) = (Vec::new(), 0);
        while drafts.len() < BATCH_MAX && len < BATCH_LEN_MAX {
            let Some(row) = rows.next() else { return Ok((drafts, Reading::Ended)) };
            let row = match row {
                Ok(row) => row,
                Err(error) => return Ok((Vec::new(), Reading::Failed(error))),
            };
            self.done.lines += lines_of(&row);
            match row {
                Err(refused) => self.refuse(&refused)?,
                Ok(draft) => {
                    let mark = draft.mark(self.unit);
                    match self.outbox.held(&mark) {
                        Held::Same => self.done.already += 1,
                        Held::Changed => self.refuse(&changed(&draft))?,
                        Held::No if self.waiting.contains(&mark) => self.done.waiting += 1,
                        Held::No => {
                            if let Some(refused) = draft.without_seed(self.unit) {
                                self.refuse(&refused)?;
                            } else {
                                len += draft.len();
                                drafts.push((draft, mark));
                            }
                        }
                    }
                }
            }
            if self.is_stopped() {
                return Ok((Vec::new(), Reading::Ended));
            }
        }
        Ok((drafts, Reading::GoesOn))
    }

    /// A batch goes into the outbox, or to whoever approves it. Whether the latter.
    async fn take(&mut self, mut batch: Batch) -> Result<bool, ClientError> {
        if self.on_refusal != OnRefusal::Ask {
            let (operation, marks) = (batch.operation(self.client, self.unit).await?, batch.marks());
            self.batches.insert(self.outbox.push(operation, marks), batch);
            return Ok(false);
        }
        while !batch.is_empty() {
            let out = batch.check(self.client, self.unit).await?;
            if out.is_empty() {
                let (operation, marks) = (batch.operation(self.client, self.unit).await?, batch.marks());
                self.queue.put(self.client.origin(), self.unit, &operation, &marks)?;
                self.done.waiting += marks.len() as u64;
                break;
            }
            self.without(&out)?;
        }
        Ok(true)
    }

    /// What became of a batch. Whether it is settled.
    async fn settle(&mut self, outcome: Option<Outcome>) -> Result<bool, ClientError> {
        match outcome {
            Some(Outcome::Sealed { ticket, .. }) => {
                if let Some(batch) = self.batches.remove(&ticket) {
                    self.count(&batch);
                }
                Ok(true)
            }
            Some(Outcome::Refused { ticket, refusal }) => {
                let Some(mut batch) = self.batches.remove(&ticket) else { return Ok(false) };
                let out = batch.take_out(self.client, self.unit, refusal).await?;
                self.without(&out)?;
                self.is_over = self.is_stopped();
                if batch.is_empty() {
                    self.outbox.withdraw(ticket);
                    return Ok(true);
                }
                let (operation, marks) = (batch.operation(self.client, self.unit).await?, batch.marks());
                self.outbox.revise(ticket, operation, marks);
                self.batches.insert(ticket, batch);
                Ok(false)
            }
            Some(Outcome::Dropped { .. }) => Ok(false),
            None => Err(ClientError::Local("the outbox has lost a block".to_owned())),
        }
    }

    fn without(&mut self, out: &TakenOut) -> Result<(), ClientError> {
        self.outbox.known(&out.known)?;
        self.done.already += out.known.len() as u64;
        out.refused.iter().try_for_each(|line| self.refuse(line))
    }

    fn count(&mut self, batch: &Batch) {
        self.done.blocks += 1;
        for (draft, alias) in batch.drafts() {
            self.done.records += 1;
            *self.done.kinds.entry(draft.kind_name()).or_default() += 1;
            if let Some((e4, unit)) = draft.credits() {
                let sum = self.done.credits.entry(unit.to_owned()).or_default();
                *sum = sum.saturating_add(e4);
            }
            self.learners.insert(alias);
        }
        self.done.learners = self.learners.len() as u64;
    }

    async fn end(mut self) -> Result<Progress, IssueError> {
        if self.is_over {
            // What is signed is settled, and nothing more is signed.
            self.outbox.withdraw_unsigned();
            while let Some(outcome) = self.outbox.next().await? {
                self.settle(Some(outcome)).await?;
            }
        }
        let is_stopped = self.is_stopped();
        self.report.finish()?;
        if is_stopped { Err(IssueError::Stopped(Box::new(self.done))) } else { Ok(self.done) }
    }
}
