//! From a registrar's file to sealed blocks, in batches, without issuing anything twice.
//!
//! Each block is on the disk before it is sent, with the references of its lines. After an interruption the same bytes
//! are sent again: the node answers a block that it has already sealed with the same receipt. Lines whose reference is
//! in the work directory are not sent again; lines that break a rule go into a report while the good ones go through.

mod ahead;
pub(crate) mod batch;
mod check;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::import::{
    Again, Courses, DraftRecord, ImportError, Known, Mapping, RefusedLine, Rows, ScalesError, Source, Survey, Warning,
};
use crate::outbox::{Held, Issued};
use crate::sealing::approval::ApprovalQueue;
use crate::{Client, ClientError, IssuingUnit};
use creditbank_protocol::counted;
use creditbank_protocol::pb::Kind;

pub use check::{Forecast, check};

use run::{OnRefusal, import};

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
        "stopped: {} refused that the check before had let through, so the ledger or the file has changed in between. \
         Sealed so far, and final: {} in {}; when the cause is removed, the same command goes on",
        counted(.0.refused, "line was", "lines were"),
        counted(.0.records, "record", "records"),
        counted(.0.blocks, "block", "blocks")
    )]
    Stopped(Box<Progress>),
    /// Something must be looked at first. Nothing was signed.
    #[error("stopped before anything was signed: {}", told(.0, .1))]
    Warned(Box<Survey>, Vec<Warning>),
}

impl From<ScalesError> for IssueError {
    fn from(error: ScalesError) -> Self {
        match error {
            ScalesError::Client(error) => Self::Client(error),
            ScalesError::Mapping(error) => Self::Import(error.into()),
        }
    }
}

/// The warnings with their counts, and how they are accepted.
pub fn told(survey: &Survey, stops: &[Warning]) -> String {
    let counts = stops.iter().map(|stop| {
        let count = survey.warnings.get(stop).map_or(0, |found| found.count);
        format!("{} ({count})", stop.name())
    });
    let accept = stops.iter().map(|stop| format!("--accept {}", stop.name())).collect::<Vec<_>>().join(" ");
    let counts = counts.collect::<Vec<_>>().join(", ");
    format!("{counts}. Look at the lines that a dry run shows; where they are right, pass {accept}")
}

/// Where an import keeps its notes and writes its report.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// A directory of this file's own; made when it is not there.
    pub work: &'a Path,
    /// CSV of the refused lines; replaced by each run.
    pub refused: &'a Path,
}

/// A file that was looked at whole, before anything of it is signed.
pub struct Surveyed<R> {
    mapping: Mapping,
    input: Again<R>,
    /// What is in it.
    pub survey: Survey,
}

/// Looks at a file whole, without asking the node about its lines: [`Surveyed::issue`] goes on from there.
pub async fn survey<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    work: &Path,
) -> Result<Surveyed<R>, IssueError> {
    let mapping = Box::pin(mapping.informed(client)).await?;
    let issued = Issued::peek(work, client.origin(), unit)?;
    let input = Again::new(input);
    let mut rows = Rows::open(&mapping, from_start(&input)?)?;
    let courses = Courses::of(client, unit.id.institution).await?;
    let known = |draft: &DraftRecord| match issued.held(&draft.mark(unit)) {
        Held::Same => Known::Signed,
        // The run refuses it, and says why.
        Held::Changed => Known::Changed,
        Held::No => Known::New,
    };
    let survey = Survey::of(&mapping, &mut rows, &courses, known)?;
    Ok(Surveyed { mapping, input, survey })
}

fn from_start<R: Source>(input: &Again<R>) -> Result<Again<R>, ImportError> {
    input.again().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })
}

impl<R: Source> Surveyed<R> {
    /// Imports the file, unless something was found that stops the run. `progress` is called after each block. With
    /// `approved` a second person approves the blocks: what was approved since the last run is sealed, and for the other
    /// lines requests are written, which are returned with those of earlier runs that still wait.
    pub async fn issue(
        self,
        client: &Client,
        unit: &IssuingUnit,
        places: Places<'_>,
        approved: bool,
        progress: impl FnMut(&Progress),
    ) -> Result<(Progress, Vec<PathBuf>), IssueError> {
        self.survey.check(&self.mapping)?;
        let then = if approved { OnRefusal::Ask } else { OnRefusal::GoOn };
        let input = from_start(&self.input)?;
        let done =
            Box::pin(import((client, unit), &self.mapping, input, places, &self.survey.contradicted, then, progress))
                .await?;
        let waiting = if approved { ApprovalQueue::open(places.work).waiting()? } else { Vec::new() };
        Ok((done, waiting.into_iter().filter(|one| one.operation.approvals.is_empty()).map(|one| one.path).collect()))
    }
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
    let surveyed = Box::pin(survey(client, unit, mapping, input, places.work)).await?;
    Ok(surveyed.issue(client, unit, places, false, progress).await?.0)
}

/// Imports a file whose blocks a second person approves, as [`Surveyed::issue`] says.
pub async fn issue_approved<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    places: Places<'_>,
    progress: impl FnMut(&Progress),
) -> Result<(Progress, Vec<PathBuf>), IssueError> {
    let surveyed = Box::pin(survey(client, unit, mapping, input, places.work)).await?;
    surveyed.issue(client, unit, places, true, progress).await
}

/// Imports a file whole or not at all: first checks every line, as [`check`] does, and seals nothing when one is
/// refused or something must be looked at; the forecast is then the answer, and its refusals are in the report. `open` opens the file, for each
/// reading.
///
/// Between the check and the blocks somebody else may change the ledger: the import then ends at the first block with a
/// refused line ([`IssueError::Stopped`]). What was sealed by then stays sealed, and the same command goes on from
/// there.
pub async fn issue_all<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    open: impl Fn() -> std::io::Result<R>,
    places: Places<'_>,
    mut progress: impl FnMut(&Progress),
) -> Result<Result<Progress, Forecast>, IssueError> {
    let mapping = &Box::pin(mapping.informed(client)).await?;
    let check = check(client, unit, mapping, &open, places.work, Some(places.refused), &mut progress);
    let forecast = Box::pin(check).await?;
    if forecast.progress.refused > 0 || !forecast.stops.is_empty() {
        return Ok(Err(forecast));
    }
    let input = open().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
    Ok(Ok(Box::pin(import(
        (client, unit),
        mapping,
        input,
        places,
        &forecast.survey.contradicted,
        OnRefusal::Stop,
        progress,
    ))
    .await?))
}

fn changed(draft: &DraftRecord) -> RefusedLine {
    let reason =
        "this result was issued before with other values: amend that record, or, where it was revoked, let sync \
                  issue the result anew"
            .to_owned();
    if draft.kind == Kind::Identity {
        let reason = "who this learner is was issued before with other values: sync amends it".to_owned();
        return RefusedLine { line: draft.line, field: "identity".to_owned(), reason };
    }
    RefusedLine { line: draft.line, field: "reference".to_owned(), reason }
}
