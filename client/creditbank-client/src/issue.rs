//! From a registrar's file to sealed blocks, in batches, without issuing anything twice.
//!
//! Each block is on the disk before it is sent, with the references of its lines. After an interruption the same bytes
//! are sent again: the node answers a block that it has already sealed with the same receipt. Lines whose reference is
//! in the work directory are not sent again; lines that break a rule go into a report while the good ones go through.

pub(crate) mod batch;
mod check;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::import::report::Report;
use crate::import::{DraftRecord, ImportError, Mapping, RefusedLine, Rows, Source};
use crate::outbox::patience::send;
use crate::outbox::work::{Held, Pending, Work};
use crate::sealing::Operation;
use crate::sealing::approval::ApprovalQueue;
use crate::sealing::approved::seal_approved;
use crate::secret::random;
use crate::{Client, ClientError, IssuingUnit};

pub use check::{Forecast, check};

use batch::{Batch, Sealed};

/// Lines of one block. The node opens at most 1,000 accounts in a call.
pub const BATCH_MAX: usize = 1_000;
/// Most bytes of record bodies in one block.
pub(crate) const BATCH_LEN_MAX: usize = 8 << 20;

/// How far an import is, and at the end what it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines read, without the header.
    pub lines: u64,
    /// Records sealed by this run.
    pub records: u64,
    /// Blocks sealed by this run.
    pub blocks: u64,
    /// Lines that an earlier run had issued.
    pub already: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Records sealed by this run, by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Credits sealed by this run in ten-thousandths, by unit.
    pub credits: BTreeMap<String, u64>,
    /// Learners of this run's records.
    pub learners: u64,
    /// Lines whose block waits for the approval of a second person.
    pub waiting: u64,
}

/// Why an import stopped. What was sealed stays sealed: run the same command again.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The node, or a key.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Lines were refused after the check of the whole file had found none: the ledger, the registry or the file has
    /// changed in between.
    #[error(
        "stopped: {} lines were refused that the check before had let through, so the ledger or the file has changed \
         in between. {} records in {} blocks are sealed and stay so; when the cause is removed, the same command goes on",
        .0.refused, .0.records, .0.blocks
    )]
    Stopped(Box<Progress>),
}

/// Where an import keeps its notes and writes its report.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// A directory of this file's own; made when it is not there.
    pub work: &'a Path,
    /// CSV of the refused lines; replaced by each run.
    pub refused: &'a Path,
}

/// Imports a file. `progress` is called after each block.
pub async fn issue<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    progress: impl FnMut(&Progress),
) -> Result<Progress, IssueError> {
    import(client, unit, mapping, input, places, OnRefusal::GoOn, progress).await
}

/// Imports a file whose blocks a second person approves: what was approved since the last run is sealed, and for the other
/// lines requests are written, which are returned with those of earlier runs that still wait.
pub async fn issue_approved<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    progress: impl FnMut(&Progress),
) -> Result<(Progress, Vec<PathBuf>), IssueError> {
    let done = import(client, unit, mapping, input, places, OnRefusal::Ask, progress).await?;
    let waiting = ApprovalQueue::open(places.work).waiting()?;
    Ok((done, waiting.into_iter().filter(|one| one.approval.is_none()).map(|one| one.path).collect()))
}

/// Imports a file whole or not at all: first checks every line, as [`check`] does, and seals nothing when one is refused;
/// the forecast is then the answer, and its refusals are in the report. `open` opens the file, for each reading.
///
/// Between the check and the blocks somebody else may change the ledger: the import then ends at the first block with a
/// refused line ([`IssueError::Stopped`]). What was sealed by then stays sealed, and the same command goes on from there.
pub async fn issue_all<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    open: impl Fn() -> std::io::Result<R>,
    places: Places<'_>,
    mut progress: impl FnMut(&Progress),
) -> Result<Result<Progress, Forecast>, IssueError> {
    let forecast = check(client, unit, mapping, &open, places.work, Some(places.refused), &mut progress).await?;
    if forecast.progress.refused > 0 {
        return Ok(Err(forecast));
    }
    let input = open().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
    Ok(Ok(import(client, unit, mapping, input, places, OnRefusal::Stop, progress).await?))
}

/// What a refused line does to the lines after it, and what is done with a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnRefusal {
    GoOn,
    Stop,
    /// Go on, and ask for the approval of each block.
    Ask,
}

async fn import<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    on_refusal: OnRefusal,
    mut progress: impl FnMut(&Progress),
) -> Result<Progress, IssueError> {
    let rows = Rows::open(mapping, input)?;
    let mut work = Work::open(places.work, client.origin(), unit)?;
    let mut run = Run { client, unit, on_refusal, done: Progress::default(), learners: HashSet::new() };
    if let Some(pending) = work.pending()? {
        run.finish_pending(&mut work, pending).await?;
    }
    let queue = ApprovalQueue::open(places.work);
    let mut waiting = BTreeSet::new();
    if on_refusal == OnRefusal::Ask {
        let sealed = |records| {
            run.done.blocks += 1;
            run.done.records += records;
        };
        waiting = seal_approved(client, unit, &mut work, &queue, sealed).await?;
    }
    let mut report = Report::create(places.refused)?;
    let (mut drafts, mut len) = (Vec::new(), 0);
    for row in rows {
        run.done.lines += 1;
        match row? {
            Err(refused) => run.refuse(&mut report, &refused)?,
            Ok(draft) => match work.held(&draft.mark(unit)) {
                Held::Same => run.done.already += 1,
                Held::Changed => run.refuse(&mut report, &changed(&draft))?,
                Held::No if waiting.contains(&draft.mark(unit)) => run.done.waiting += 1,
                Held::No => {
                    len += draft.len();
                    drafts.push(draft);
                }
            },
        }
        if drafts.len() >= BATCH_MAX || len >= BATCH_LEN_MAX {
            run.seal(&mut work, &mut report, &queue, std::mem::take(&mut drafts)).await?;
            len = 0;
            progress(&run.done);
        }
        if run.is_stopped() {
            break;
        }
    }
    if !run.is_stopped() {
        run.seal(&mut work, &mut report, &queue, drafts).await?;
    }
    report.finish()?;
    if run.is_stopped() {
        return Err(IssueError::Stopped(Box::new(run.done)));
    }
    progress(&run.done);
    Ok(run.done)
}

fn changed(draft: &DraftRecord) -> RefusedLine {
    let reason = "this result was issued before with other values; amend the record that was issued".to_owned();
    RefusedLine { line: draft.line, field: "reference".to_owned(), reason }
}

/// One run over a file.
struct Run<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    on_refusal: OnRefusal,
    done: Progress,
    learners: HashSet<[u8; 16]>,
}

impl Run<'_> {
    fn is_stopped(&self) -> bool {
        self.on_refusal == OnRefusal::Stop && self.done.refused > 0
    }

    fn refuse(&mut self, report: &mut Report, line: &RefusedLine) -> Result<(), ClientError> {
        self.done.refused += 1;
        report.write(line)
    }

    /// A block of an earlier run, of which it is not known whether it was sealed: the same bytes again.
    async fn finish_pending(&mut self, work: &mut Work, pending: Pending) -> Result<(), ClientError> {
        match send(self.client, &pending).await {
            Ok(receipt) => work.sealed(&pending, &receipt),
            // It was not sealed, and now cannot be: its lines are read again.
            Err(ClientError::Refused(_)) => work.forget(),
            Err(error) => Err(error),
        }
    }

    /// Seals what can be sealed of a batch.
    async fn seal(
        &mut self,
        work: &mut Work,
        report: &mut Report,
        queue: &ApprovalQueue,
        drafts: Vec<DraftRecord>,
    ) -> Result<(), ClientError> {
        if drafts.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::open(self.client, self.unit, drafts).await?;
        while !batch.is_empty() {
            let asks = self.on_refusal == OnRefusal::Ask;
            let sealed = if asks {
                batch.check(self.client, self.unit).await?
            } else {
                batch.seal(self.client, self.unit, work).await?
            };
            match sealed {
                Sealed::Passed => {
                    let operation = Operation { operation_id: random()?, records: batch.records(), groups: Vec::new() };
                    let (unit, marks) = ((self.unit.institution, self.unit.unit), batch.marks(self.unit));
                    queue.put(self.client.origin(), unit, &operation, &marks)?;
                    self.done.waiting += marks.len() as u64;
                    return Ok(());
                }
                Sealed::Done(_) => {
                    self.count(&batch);
                    return Ok(());
                }
                Sealed::TakenOut { refused, known } => {
                    work.known(&known)?;
                    self.done.already += known.len() as u64;
                    for line in refused {
                        self.refuse(report, &line)?;
                    }
                    if self.is_stopped() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
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
            self.learners.insert(*alias);
        }
        self.done.learners = self.learners.len() as u64;
    }
}
