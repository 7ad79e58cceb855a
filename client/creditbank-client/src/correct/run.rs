//! A run over corrections: look up, put into blocks, seal, and say of each what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use creditbank_protocol::LogIndex;
use creditbank_protocol::Place;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Action;
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{CheckedRecord, RecordBody, Refusal};

use super::target::{Found, Resolved, Resolver};
use super::{Correction, Done, Outcome, Row};
use crate::import::report::Report;
use crate::import::{ImportError, RefusedLine};
use crate::issue::IssueError;
use crate::outbox::{Mark, Operation, Outbox};
use crate::sealing::approval::ApprovalQueue;
use crate::sealing::approved::{Answer, seal, seal_approved, settle_earlier};
use crate::sealing::consequences::{Consequences, consequences};
use crate::sealing::groups;
use crate::secret::random;
use crate::{Client, ClientError, IssuingUnit};

/// Corrections of one block: so many effects, each with the longest place, fit into an entry.
const CONTENT_MAX: usize = 1_000;
/// Most effects of one block, with those on what stands on the corrected records.
const EFFECTS_MAX: usize = 1_000;
/// Most bytes of record bodies in one block.
const CONTENT_LEN_MAX: usize = 8 << 20;
/// How often one correction may find that somebody has meanwhile used or let go of what it is about.
const MOVED_MAX: u32 = 3;

/// How corrections are made.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// A directory for the notes; made when it is not there.
    pub work: &'a Path,
    /// CSV of the refused lines; replaced by each run.
    pub refused: Option<&'a Path>,
    /// Look everything up, and send nothing.
    pub dry_run: bool,
    /// Stop before the blocks are signed, and ask a second person.
    pub require_approval: bool,
    /// Of the operator: by what authority.
    pub case_reference: &'a str,
}

/// Makes corrections for one unit.
pub struct Corrector<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    options: Options<'a>,
    done: Done,
    /// Requests that were written and wait for an approval.
    requests: Vec<PathBuf>,
}

impl<'a> Corrector<'a> {
    /// For a unit.
    pub fn new(client: &'a Client, unit: &'a IssuingUnit, options: Options<'a>) -> Self {
        Self { client, unit, options, done: Done::default(), requests: Vec::new() }
    }

    /// Requests for approvals that this run has written.
    pub fn requests(&self) -> &[PathBuf] {
        &self.requests
    }

    /// Makes the corrections, and tells of each what became of it. What was sealed stays sealed: after an error, run it
    /// again.
    pub async fn run(
        &mut self,
        corrections: impl Iterator<Item = Result<Result<Correction, RefusedLine>, ImportError>>,
        mut told: impl FnMut(&Row),
    ) -> Result<Done, IssueError> {
        let mut outbox = Outbox::open(self.client, self.unit, self.options.work)?;
        let mut report = self.options.refused.map(Report::create).transpose()?;
        let mut tell = |done: &mut Done, row: Row| -> Result<(), ClientError> {
            match &row.outcome {
                Outcome::Done(_) | Outcome::WouldBeDone => done.changed += 1,
                Outcome::Already | Outcome::Same => done.already += 1,
                Outcome::Waiting => done.waiting += 1,
                Outcome::Refused(field, why) => {
                    done.refused += 1;
                    if let Some(report) = &mut report {
                        let (field, reason) = (field.clone(), why.clone());
                        report.write(&RefusedLine { line: row.line, field, reason })?;
                    }
                }
            }
            told(&row);
            Ok(())
        };
        let waiting = if self.options.dry_run { BTreeSet::new() } else { self.finish_earlier(&mut outbox).await? };
        let mut resolver = Resolver::new(self.client, self.unit, self.options.case_reference);
        let mut seen: BTreeMap<Place, u64> = BTreeMap::new();
        let (mut todo, mut len) = (Vec::new(), 0);
        for correction in corrections {
            self.done.lines += 1;
            let correction = match correction? {
                Ok(correction) => correction,
                Err(RefusedLine { line, field, reason }) => {
                    tell(&mut self.done, refused_row(line, field, reason))?;
                    continue;
                }
            };
            let resolved = match resolver.resolve(&correction).await? {
                Found::Todo(resolved) => resolved,
                Found::Already(read, outcome) => {
                    let first = seen.insert(read.place, correction.line);
                    let row = Row {
                        line: correction.line,
                        place: Some(read.place),
                        kind: read.disclosed.info.name(),
                        before: read.disclosed.body,
                        after: Vec::new(),
                        outcome: first.map_or(outcome, twice),
                    };
                    tell(&mut self.done, row)?;
                    continue;
                }
                Found::Refused(read, field, why) => {
                    let mut row = refused_row(correction.line, field, why);
                    if let Some(read) = read {
                        (row.place, row.kind) = (Some(read.place), read.disclosed.info.name());
                    }
                    tell(&mut self.done, row)?;
                    continue;
                }
            };
            if let Some(first) = seen.insert(resolved.place, correction.line) {
                tell(&mut self.done, row(&resolved, twice(first)))?;
                continue;
            }
            if waiting.contains(&self.mark(&resolved)) {
                tell(&mut self.done, row(&resolved, Outcome::Waiting))?;
                continue;
            }
            len += resolved.record.as_ref().map_or(0, |record| record.body().len());
            todo.push(*resolved);
            if todo.len() >= CONTENT_MAX || len >= CONTENT_LEN_MAX {
                self.send(&mut outbox, std::mem::take(&mut todo), &mut tell).await?;
                len = 0;
            }
        }
        self.send(&mut outbox, todo, &mut tell).await?;
        if let Some(report) = report {
            report.finish()?;
        }
        Ok(self.done.clone())
    }

    /// What earlier runs left: blocks whose fate is not known, and approvals that have come. The marks of what still
    /// waits.
    async fn finish_earlier(&mut self, outbox: &mut Outbox<'_>) -> Result<BTreeSet<Mark>, ClientError> {
        settle_earlier(outbox).await?;
        let queue = ApprovalQueue::open(self.options.work);
        let done = &mut self.done;
        let sealed = |marks: &[Mark], _| {
            done.blocks += 1;
            done.changed += marks.len() as u64;
        };
        Ok(seal_approved(outbox, &queue, None, sealed).await?.waiting)
    }

    fn mark(&self, resolved: &Resolved) -> Mark {
        let about = [&resolved.place.entry.0.to_be_bytes()[..], &resolved.place.index.to_be_bytes()].concat();
        let said = [
            resolved.effect.action.to_be_bytes().to_vec(),
            resolved.record.as_ref().map(|record| record.hash().0.to_vec()).unwrap_or_default(),
        ];
        Mark::new(self.unit, &about, &said.concat())
    }

    /// Sends corrections in one block; in halves, where one of them is refused.
    async fn send(
        &mut self,
        outbox: &mut Outbox<'_>,
        todo: Vec<Resolved>,
        tell: &mut impl FnMut(&mut Done, Row) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut parts = if todo.is_empty() { Vec::new() } else { vec![todo] };
        let mut moved = 0;
        while let Some(mut part) = parts.pop() {
            self.check(&mut part, tell).await?;
            if part.is_empty() {
                continue;
            }
            let outcome = |outcome: Outcome| part.iter().map(move |one| row(one, outcome.clone()));
            let ended = part.iter().filter(|one| !one.reopens).map(|one| (&one.authority, &one.effect));
            let follows = match consequences(self.client, self.unit, ended).await {
                Ok(follows) => follows,
                // What cannot be reinstated the node says here already.
                Err(ClientError::Refused(refusal)) if cannot_be_reinstated(&refusal) => {
                    self.refused(part, &refusal, &mut parts, tell)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if part.len() > 1 && part.len() + follows.effects.len() > EFFECTS_MAX {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
                continue;
            }
            if self.options.dry_run {
                outcome(Outcome::WouldBeDone).try_for_each(|row| tell(&mut self.done, row))?;
                continue;
            }
            let (reviewed, released) = (follows.reviewed, follows.released);
            let operation = operation(&part, follows)?;
            let marks = part.iter().map(|one| self.mark(one)).collect::<Vec<_>>();
            if self.options.require_approval {
                let queue = ApprovalQueue::open(self.options.work);
                self.requests.push(queue.put(self.client.origin(), self.unit, &operation, &marks)?);
                outcome(Outcome::Waiting).try_for_each(|row| tell(&mut self.done, row))?;
                continue;
            }
            match seal(outbox, operation, marks).await? {
                Answer::Sealed(receipt) => {
                    self.done.blocks += 1;
                    self.done.reviewed += reviewed;
                    self.done.released += released;
                    outcome(Outcome::Done(LogIndex(receipt.index))).try_for_each(|row| tell(&mut self.done, row))?;
                }
                Answer::Refused(refusal) if refusal.why().about_signer() => {
                    return Err(ClientError::Refused(refusal));
                }
                Answer::Refused(refusal) if moved < MOVED_MAX && has_moved(&refusal) => {
                    moved += 1;
                    parts.push(part);
                }
                Answer::Refused(refusal) => self.refused(part, &refusal, &mut parts, tell)?,
            }
        }
        Ok(())
    }

    /// A refused part goes again in halves; one correction is told of.
    fn refused(
        &mut self,
        mut part: Vec<Resolved>,
        refusal: &Refusal,
        parts: &mut Vec<Vec<Resolved>>,
        tell: &mut impl FnMut(&mut Done, Row) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        if part.len() > 1 {
            let second = part.split_off(part.len() / 2);
            parts.extend([second, part]);
            return Ok(());
        }
        // Somebody else was faster.
        let reinstates = |one: &Resolved| one.effect.action == i32::from(Action::Reinstate);
        let done = refusal.why().is_done_already() && !part.iter().any(reinstates);
        let why = format!("expected {}, found {}", refusal.expected, refusal.found);
        let told = if done { Outcome::Already } else { Outcome::Refused(refusal.reason.clone(), why) };
        part.iter().try_for_each(|one| tell(&mut self.done, row(one, told.clone())))
    }

    /// Takes amendments out that break a rule.
    async fn check(
        &mut self,
        part: &mut Vec<Resolved>,
        tell: &mut impl FnMut(&mut Done, Row) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let positions: Vec<usize> = (0..part.len()).filter(|at| part[*at].record.is_some()).collect();
        if positions.is_empty() || self.unit.id.institution.is_operator() {
            return Ok(());
        }
        let body = |at: &usize| CheckedRecord {
            record: part[*at].record.as_ref().map(RecordBody::from),
            identities: Vec::new(),
        };
        let records = positions.iter().map(body).collect();
        let key_id = KeyId::of(&self.unit.key.public_key());
        let mut refusals = self.client.check_records(self.unit.id, key_id, records).await?;
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.record_plus_1));
        for refusal in refusals {
            let at = (refusal.record_plus_1 as usize).checked_sub(1).and_then(|at| positions.get(at)).copied();
            let Some(at) = at else { return Err(ClientError::Refused(Box::new(refusal))) };
            let why = format!("{}: expected {}, found {}", refusal.reason, refusal.expected, refusal.found);
            tell(&mut self.done, row(&part.remove(at), Outcome::Refused(refusal.field, why)))?;
        }
        Ok(())
    }
}

/// The records and effects of one block.
fn operation(part: &[Resolved], follows: Consequences) -> Result<Operation, ClientError> {
    let records: Vec<Record> = part.iter().filter_map(|one| one.record.clone()).collect();
    let own = part.iter().map(|one| (one.authority.clone(), one.effect.clone()));
    Ok(Operation {
        operation_id: random()?,
        records,
        groups: groups(own.chain(follows.effects))?,
        approvals: Vec::new(),
    })
}

fn row(resolved: &Resolved, outcome: Outcome) -> Row {
    Row {
        line: resolved.line,
        place: Some(resolved.place),
        kind: creditbank_protocol::record::info_of(resolved.kind).map_or("", |info| info.name()),
        before: resolved.before.clone(),
        after: resolved.record.as_ref().map(|record| record.body().to_vec()).unwrap_or_default(),
        outcome,
    }
}

/// Whether the node says, asked what follows from a reinstatement, that it cannot be.
fn cannot_be_reinstated(refusal: &Refusal) -> bool {
    matches!(
        refusal.why(),
        Reason::AlreadySpent
            | Reason::NotContested
            | Reason::StatusForbids
            | Reason::UnknownTarget
            | Reason::SourceNotUsable
            | Reason::TooManyRepeats
            | Reason::IdentityNotAmended
            | Reason::ApplicationOpen
            | Reason::NotOpen
    )
}

/// Whether somebody has meanwhile used or let go of what is corrected: what follows from it is asked for again.
fn has_moved(refusal: &Refusal) -> bool {
    matches!(refusal.why(), Reason::DependantsNotReviewed | Reason::EffectMismatch)
}

fn twice(first: u64) -> Outcome {
    Outcome::Refused("place".to_owned(), format!("the same record as line {first}"))
}

fn refused_row(line: u64, field: String, why: String) -> Row {
    let outcome = Outcome::Refused(field, why);
    Row { line, place: None, kind: "", before: Vec::new(), after: Vec::new(), outcome }
}
