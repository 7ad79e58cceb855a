//! Following a student system by its own record ids: what is new is issued, what has changed is amended, what has
//! vanished is reported and never revoked.
//!
//! What was issued before is read from the ledger: a record's seed is derived from its record id under the unit's
//! secret, so the chain itself says which record is which. The work directory holds a cache of that, and the block that
//! is under way.

mod compare;
mod look;
pub mod reconcile;
mod state;
mod view;

use std::collections::HashMap;
use std::path::Path;

use creditbank_protocol::Place;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Kind, Receipt};
use creditbank_rpc::Reason;

use crate::import::report::Report;
use crate::import::{Again, DraftRecord, ImportError, Mapping, RefusedLine, Rows, Source, Survey, Warning, lines_of};
use crate::issue::batch::{Batch, refused_line};
use crate::issue::{BATCH_LEN_MAX, BATCH_MAX, IssueError, Places};
use crate::outbox::{Issued, Outbox, patiently};
use crate::sealing::approved::{Answer, seal, settle_earlier};
use crate::{Client, ClientError, IssuingUnit};

use compare::{Compare, Verdict};
use state::{Row, content_of, id_of, person_of};
use view::View;

/// Items that a report itself holds of each list.
const SHOWN_MAX: usize = 1_000;

/// What is done about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A record is issued.
    Issue,
    /// A record is issued in the stead of one that was revoked.
    IssueAnew,
    /// The record is amended.
    Amend,
}

/// A line and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Line of the file.
    pub line: u64,
    /// What is done.
    pub step: Step,
    /// The record that stands there so far.
    pub place: Option<Place>,
    /// Its kind's name.
    pub kind: &'static str,
    /// What it says so far, as canonical bytes without the learner; empty unless it is amended.
    pub before: Vec<u8>,
    /// What it says then.
    pub after: Vec<u8>,
}

/// What a synchronisation did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Lines read, without the header.
    pub lines: u64,
    /// Lines that say what the ledger says.
    pub unchanged: u64,
    /// Records issued, also in the stead of revoked ones.
    pub issued: u64,
    /// Records amended.
    pub amended: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Blocks sealed.
    pub blocks: u64,
    /// Records that a file showed before and this one does not. They stand as they did.
    pub vanished: u64,
    /// The first of them.
    pub vanished_places: Vec<Place>,
    /// The first lines that are not unchanged.
    pub steps: Vec<Planned>,
    /// The first refused lines.
    pub refused_lines: Vec<RefusedLine>,
    /// What is in the file.
    pub survey: Survey,
    /// What would stop the run.
    pub stops: Vec<Warning>,
}

/// Brings the ledger to what a file says. The whole file of the student system is expected: a record that is not in it
/// counts as vanished. `progress` is called after each block.
pub async fn sync<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    progress: impl FnMut(&SyncReport),
) -> Result<SyncReport, IssueError> {
    let mapping = &Box::pin(mapping.informed(client)).await?;
    let input = Again::new(input);
    let mut outbox = Outbox::open(client, unit, places.work)?;
    // Sealed or not, the chain will say.
    settle_earlier(&mut outbox).await?;
    let view = View::open(client, unit, places.work, true).await?;
    let survey = Box::pin(look::at(client, mapping, open(mapping, &input)?, &view)).await?;
    survey.check(mapping)?;
    let report = Some(Report::create(places.refused)?);
    let mut run = Run::new(client, unit, Compare::new(client, unit, view), Some(outbox), report);
    run.done.survey = survey;
    // What a whole run needs is kept beside its caller's, not in it.
    let rows = open(mapping, &input)?.knowing(&run.done.survey.contradicted);
    Box::pin(run.file(rows, progress)).await
}

/// The lines of a file from its beginning, also those that lack a value which the ledger may have.
fn open<'a, R: Source>(mapping: &'a Mapping, input: &Again<R>) -> Result<Rows<'a>, ImportError> {
    let start = input.again().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
    Ok(Rows::open(mapping, start)?.following())
}

/// What [`sync`] would do now. Writes nothing but the report of refused lines, where one is asked for.
pub async fn plan<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    work: &Path,
    report: Option<&Path>,
    progress: impl FnMut(&SyncReport),
) -> Result<SyncReport, IssueError> {
    let mapping = &Box::pin(mapping.informed(client)).await?;
    let input = Again::new(input);
    Issued::peek(work, client.origin(), unit)?;
    let view = View::open(client, unit, work, false).await?;
    let survey = Box::pin(look::at(client, mapping, open(mapping, &input)?, &view)).await?;
    let report = report.map(Report::create).transpose()?;
    let mut run = Run::new(client, unit, Compare::new(client, unit, view), None, report);
    run.done.stops = survey.stops(mapping);
    run.done.survey = survey;
    // What a whole run needs is kept beside its caller's, not in it.
    let rows = open(mapping, &input)?.knowing(&run.done.survey.contradicted);
    Box::pin(run.file(rows, progress)).await
}

/// One run over a file.
struct Run<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    compare: Compare<'a>,
    /// Nothing in a dry run.
    outbox: Option<Outbox<'a>>,
    report: Option<Report>,
    done: SyncReport,
    drafts: Vec<DraftRecord>,
    len: usize,
    /// What the records say that the lines under way amend, by line.
    before: HashMap<(u64, Kind), Vec<u8>>,
}

impl<'a> Run<'a> {
    fn new(
        client: &'a Client,
        unit: &'a IssuingUnit,
        compare: Compare<'a>,
        outbox: Option<Outbox<'a>>,
        report: Option<Report>,
    ) -> Self {
        let done = SyncReport::default();
        let before = HashMap::new();
        Self { client, unit, compare, outbox, report, done, drafts: Vec::new(), len: 0, before }
    }

    async fn file(
        mut self,
        mut rows: Rows<'_>,
        mut progress: impl FnMut(&SyncReport),
    ) -> Result<SyncReport, IssueError> {
        for row in rows.by_ref() {
            let row = row?;
            self.done.lines += lines_of(&row);
            match row {
                Err(refused) => self.refuse(&refused)?,
                Ok(draft) => {
                    if let Some(refused) = draft.without_seed(self.unit) {
                        self.refuse(&refused)?;
                    } else if let Some(verdict) = self.compare.line(draft)? {
                        self.take(verdict)?;
                    }
                }
            }
            if self.compare.is_full() {
                self.settle().await?;
            }
            if self.drafts.len() >= BATCH_MAX || self.len >= BATCH_LEN_MAX {
                self.flush().await?;
                progress(&self.done);
            }
        }
        self.settle().await?;
        self.flush().await?;
        for reference in rows.refused() {
            self.compare.matched.extend(self.compare.view.places_of(reference)?);
        }
        self.vanished();
        if let Some(report) = self.report.take() {
            report.finish()?;
        }
        progress(&self.done);
        Ok(self.done)
    }

    fn refuse(&mut self, line: &RefusedLine) -> Result<(), ClientError> {
        self.done.refused += 1;
        if self.done.refused_lines.len() < SHOWN_MAX {
            self.done.refused_lines.push(line.clone());
        }
        self.report.as_mut().map_or(Ok(()), |report| report.write(line))
    }

    fn take(&mut self, verdict: Verdict) -> Result<(), ClientError> {
        match verdict {
            Verdict::Unchanged(_) => self.done.unchanged += 1,
            Verdict::Refused(line, _) => self.refuse(&line)?,
            Verdict::Issue(DraftRecord { wanting: Some(refused), .. }, _) => self.refuse(&refused)?,
            Verdict::Issue(draft, _) | Verdict::Amend(draft, _) => {
                self.len += draft.len();
                self.drafts.push(draft);
            }
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), ClientError> {
        let (verdicts, rows) = self.compare.settle().await?;
        if self.outbox.is_some() {
            self.compare.view.state.note(self.unit, &rows)?;
        }
        verdicts.into_iter().try_for_each(|verdict| self.take(verdict))
    }

    /// Seals the lines that wait, or asks about them.
    async fn flush(&mut self) -> Result<(), ClientError> {
        self.len = 0;
        let drafts = std::mem::take(&mut self.drafts);
        let drafts = self.kept(drafts).await?;
        if drafts.is_empty() {
            return Ok(());
        }
        if self.outbox.is_none() {
            return self.ask(drafts).await;
        }
        let marked = drafts.into_iter().map(|draft| (draft.mark(self.unit), draft));
        let drafts = marked.map(|(mark, draft)| (draft, mark)).collect();
        let mut batch = Batch::open(self.client, self.unit, drafts).await?;
        while !batch.is_empty() {
            let operation = batch.operation(self.client, self.unit).await?;
            let Some(outbox) = &mut self.outbox else { return Ok(()) };
            match seal(outbox, operation, batch.marks()).await? {
                Answer::Sealed(receipt) => return self.sealed(&batch, &receipt),
                Answer::Refused(refusal) => {
                    let out = batch.take_out(self.client, self.unit, refusal).await?;
                    outbox.known(&out.known)?;
                    // Somebody has issued it since the chain was read.
                    self.done.unchanged += out.known.len() as u64;
                    out.refused.iter().try_for_each(|line| self.refuse(line))?;
                }
            }
        }
        Ok(())
    }

    /// The lines without those that, with what their blank cells leave as it is, say what the ledger says.
    async fn kept(&mut self, mut drafts: Vec<DraftRecord>) -> Result<Vec<DraftRecord>, ClientError> {
        self.before.clear();
        let amended = |draft: &DraftRecord| draft.after.filter(|after| after.amends.is_some()).map(|after| after.place);
        let said = self.compare.view.said(self.client, drafts.iter().filter_map(amended)).await?;
        drafts.retain_mut(|draft| {
            let Some(said) = amended(draft).and_then(|at| said.get(&at)) else { return true };
            draft.keep(said);
            let differs = draft.body_bytes() != *said;
            if differs {
                self.before.insert((draft.line, draft.kind), said.clone());
            } else {
                self.done.unchanged += 1;
            }
            differs
        });
        Ok(drafts)
    }

    /// Notes what a sealed block holds.
    fn sealed(&mut self, batch: &Batch, receipt: &Receipt) -> Result<(), ClientError> {
        self.done.blocks += 1;
        let mut rows = Vec::new();
        for (index, (draft, record)) in (0u32..).zip(batch.lines()) {
            self.count(draft);
            rows.push(Row {
                at: Place::new(receipt.index, index),
                hash: record.hash(),
                id: id_of(self.unit, record.seed()),
                content: content_of(self.unit, draft),
                person: person_of(self.unit, draft),
                amends: draft.after.filter(|after| after.amends.is_some()).map(|after| after.place),
            });
        }
        self.compare.view.state.note(self.unit, &rows)
    }

    /// What would be refused of the lines.
    async fn ask(&mut self, drafts: Vec<DraftRecord>) -> Result<(), ClientError> {
        let (client, unit) = (self.client, self.unit);
        let key_id = KeyId::of(&unit.key.public_key());
        let records = drafts.iter().map(|draft| draft.checked(unit)).collect::<Result<Vec<_>, _>>()?;
        let records = || records.clone();
        let refusals = patiently(client, || client.check_records(unit.id, key_id, records())).await?;
        for (index, draft) in drafts.iter().enumerate() {
            match refusals.iter().find(|refusal| refusal.record_plus_1 as usize == index + 1) {
                None => self.count(draft),
                // Somebody has issued it since the chain was read.
                Some(refusal) if refusal.why() == Reason::DuplicateRecord => self.done.unchanged += 1,
                Some(refusal) => self.refuse(&refused_line(draft.line, refusal))?,
            }
        }
        Ok(())
    }

    fn count(&mut self, draft: &DraftRecord) {
        let step = match &draft.after {
            None => Step::Issue,
            Some(after) if after.amends.is_some() => Step::Amend,
            Some(_) => Step::IssueAnew,
        };
        *(if step == Step::Amend { &mut self.done.amended } else { &mut self.done.issued }) += 1;
        if self.done.steps.len() < SHOWN_MAX {
            let place = draft.after.map(|after| after.place);
            let before = self.before.remove(&(draft.line, draft.kind)).unwrap_or_default();
            let kind = creditbank_protocol::record::info_of(draft.kind).map_or("", |info| info.name());
            let (line, after) = (draft.line, draft.body_bytes());
            self.done.steps.push(Planned { line, step, place, kind, before, after });
        }
    }

    /// What a file showed before and this one does not.
    fn vanished(&mut self) {
        let view = &self.compare.view;
        let is_gone =
            |row: &&Row| row.person != [0; 16] && view.stands(row.at) && !self.compare.matched.contains(&row.at);
        let gone: Vec<Place> = view.rows().filter(is_gone).map(|row| row.at).collect();
        self.done.vanished = gone.len() as u64;
        self.done.vanished_places = gone.into_iter().take(SHOWN_MAX).collect();
    }
}
