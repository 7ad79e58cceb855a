//! What an import would do, asked of the node without writing anything: no accounts, no blocks, no notes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Kind;
use creditbank_rpc::Reason;

use super::batch::refused_line;
use super::{BATCH_LEN_MAX, BATCH_MAX, IssueError, Progress};
use crate::import::report::Report;
use crate::import::{
    Contradicted, Courses, DraftRecord, ImportError, Known, Mapping, RefusedLine, Rows, Source, Survey, Surveying,
    Warning, lines_of,
};
use crate::outbox::{Held, Issued, keyed, patiently};
use crate::{Client, ClientError, IssuingUnit};

/// Refused lines that a forecast itself holds; the report has them all.
const SHOWN_MAX: usize = 100;

/// What an import would do now. Somebody else may change the ledger before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// What [`issue`](super::issue) would answer; `learners` are those of the lines that would be issued.
    pub progress: Progress,
    /// Learners who have another line that is issued already. Whether the others are known to the node it tells nobody.
    pub learners_with_earlier: u64,
    /// Lines that would be issued, by scale and grade.
    pub grades: BTreeMap<(String, String), u64>,
    /// Lines that would be issued without a grade.
    pub ungraded: u64,
    /// The first hundred refused lines.
    pub refused: Vec<RefusedLine>,
    /// What is in the file.
    pub survey: Survey,
    /// What would stop the run.
    pub stops: Vec<Warning>,
    /// Learners whom the institution has not named before.
    pub new_learners: u64,
}

/// Checks every line of a file as [`issue`](super::issue) would, and writes nothing but the report, where one is asked
/// for. `open` opens the file; it is read a second time where a learner has a course on lines far from each other.
/// `work` is the directory of the import's notes, which are read where they are there.
pub async fn check<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    open: impl Fn() -> std::io::Result<R>,
    work: &Path,
    report: Option<&Path>,
    mut progress: impl FnMut(&Progress),
) -> Result<Forecast, IssueError> {
    let opened = || open().map_err(|error| ImportError::Read { line: 1, error: error.to_string() });
    let mapping = &Box::pin(mapping.informed(client)).await?;
    let courses = Courses::of(client, unit.id.institution).await?;
    let mut check = Check::new(client, unit, mapping, courses, Issued::peek(work, client.origin(), unit)?);
    let mut rows = Rows::open(mapping, opened()?)?.knowing(&contradicted(mapping, opened)?);
    let mut surveying = Surveying::default();
    check.report = report.map(Report::create).transpose()?;
    let mut call = Call::default();
    for row in rows.by_ref() {
        let row = row?;
        check.forecast.progress.lines += lines_of(&row);
        match row {
            Err(refused) => {
                surveying.refused();
                check.refuse(&refused)?;
            }
            Ok(draft) => {
                let held = check.issued.held(&draft.mark(unit));
                // Records that the node would take are shown once it has said so.
                let known = if matches!(held, Held::Same) { Known::Signed } else { Known::Changed };
                surveying.line(mapping, &check.courses, &draft, known);
                check.take(draft, held, &mut call)?;
            }
        }
        if call.is_full() {
            check.ask(std::mem::take(&mut call)).await?;
            progress(&check.forecast.progress);
        }
    }
    check.ask(call).await?;
    let first = std::mem::take(&mut check.forecast.survey.first);
    check.forecast.survey = Survey { first, ..surveying.end(&rows) };
    check.forecast.stops = check.forecast.survey.stops(mapping);
    if !check.apart.is_empty() {
        check.ask_again(Rows::open(mapping, opened()?)?.knowing(&check.forecast.survey.contradicted)).await?;
    }
    check.finish(&mut progress)
}

/// Learners of whom two lines of the file say something else, where the mapping makes Identities.
fn contradicted<R: Source>(
    mapping: &Mapping,
    open: impl Fn() -> Result<R, ImportError>,
) -> Result<Contradicted, ImportError> {
    if !mapping.makes_identities() {
        return Ok(Contradicted::default());
    }
    let mut rows = Rows::open(mapping, open()?)?;
    rows.by_ref().try_for_each(|row| row.map(drop))?;
    Ok(rows.contradicted())
}

/// Lines that the node is asked about together.
#[derive(Default)]
struct Call {
    drafts: Vec<DraftRecord>,
    len: usize,
}

impl Call {
    fn push(&mut self, draft: DraftRecord) {
        self.len += draft.len();
        self.drafts.push(draft);
    }

    fn is_full(&self) -> bool {
        self.drafts.len() >= BATCH_MAX || self.len >= BATCH_LEN_MAX
    }
}

/// One check of a file.
struct Check<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    /// Which codes name one course.
    courses: Courses,
    mapping: &'a Mapping,
    issued: Issued,
    forecast: Forecast,
    report: Option<Report>,
    calls: u32,
    /// In which call a learner's course was: a call sees the ledger and its own lines, not those of the calls before.
    calls_of: HashMap<[u8; 16], u32>,
    /// Courses of learners that are in more than one call.
    apart: HashSet<[u8; 16]>,
    learners: HashSet<[u8; 16]>,
    with_earlier: HashSet<[u8; 16]>,
    /// Learners whom the institution has not named before, with the first line of each.
    new: BTreeMap<[u8; 16], (u64, String)>,
    /// Lines of more than one call's courses that were refused or known in the first reading.
    settled: HashSet<(u64, Kind)>,
}

impl<'a> Check<'a> {
    fn new(client: &'a Client, unit: &'a IssuingUnit, mapping: &'a Mapping, courses: Courses, issued: Issued) -> Self {
        Self {
            client,
            unit,
            courses,
            mapping,
            issued,
            forecast: Forecast::default(),
            report: None,
            calls: 0,
            calls_of: HashMap::new(),
            apart: HashSet::new(),
            learners: HashSet::new(),
            with_earlier: HashSet::new(),
            new: BTreeMap::new(),
            settled: HashSet::new(),
        }
    }

    fn course_of(&self, draft: &DraftRecord) -> [u8; 16] {
        let mut input = draft.person_input();
        input.extend(self.courses.id(draft.course()));
        keyed(self.unit, b"course of a learner", &input)
    }

    fn learner_of(&self, draft: &DraftRecord) -> [u8; 16] {
        keyed(self.unit, b"learner", &draft.person_input())
    }

    fn refuse(&mut self, line: &RefusedLine) -> Result<(), ClientError> {
        self.forecast.progress.refused += 1;
        if self.forecast.refused.len() < SHOWN_MAX {
            self.forecast.refused.push(line.clone());
        }
        self.report.as_mut().map_or(Ok(()), |report| report.write(line))
    }

    /// Into the next call, unless it was issued before.
    fn take(&mut self, draft: DraftRecord, held: Held, call: &mut Call) -> Result<(), ClientError> {
        match held {
            Held::Same => {
                self.forecast.progress.already += 1;
                self.with_earlier.insert(self.learner_of(&draft));
                self.settled.insert((draft.line, draft.kind));
                return Ok(());
            }
            Held::Changed => {
                self.settled.insert((draft.line, draft.kind));
                return self.refuse(&super::changed(&draft));
            }
            Held::No => {}
        }
        if let Some(refused) = draft.without_seed(self.unit) {
            self.settled.insert((draft.line, draft.kind));
            return self.refuse(&refused);
        }
        let course = self.course_of(&draft);
        if *self.calls_of.entry(course).or_insert(self.calls) != self.calls {
            self.apart.insert(course);
        }
        call.push(draft);
        Ok(())
    }

    /// Asks the node about one call's lines.
    async fn ask(&mut self, call: Call) -> Result<(), ClientError> {
        self.calls += 1;
        let refusals = self.refusals(&call).await?;
        for (index, draft) in call.drafts.iter().enumerate() {
            match refusals.get(&index) {
                None => self.count(draft),
                Some(None) => {
                    self.settled.insert((draft.line, draft.kind));
                    self.forecast.progress.already += 1;
                    self.with_earlier.insert(self.learner_of(draft));
                }
                Some(Some(line)) => {
                    self.settled.insert((draft.line, draft.kind));
                    self.refuse(line)?;
                }
            }
        }
        Ok(())
    }

    /// By position: the refused lines, and `None` for one that the ledger holds already.
    async fn refusals(&mut self, call: &Call) -> Result<HashMap<usize, Option<RefusedLine>>, ClientError> {
        if call.drafts.is_empty() {
            return Ok(HashMap::new());
        }
        let unit = self.unit;
        let key_id = KeyId::of(&unit.key.public_key());
        let records = call.drafts.iter().map(|draft| draft.checked(unit)).collect::<Result<Vec<_>, _>>()?;
        let records = || records.clone();
        let answer = patiently(self.client, || self.client.check_lines(unit.id, key_id, records())).await?;
        for position in answer.new_learners {
            let draft = call.drafts.get(position as usize);
            let draft = draft.ok_or_else(|| ClientError::lie(format!("a new learner of record {position}")))?;
            let value = draft.person.first().map(|identity| identity.value.clone()).unwrap_or_default();
            self.new.entry(self.learner_of(draft)).or_insert((draft.line, value));
        }
        let mut found = HashMap::new();
        for refusal in answer.refusals {
            let index = (refusal.record_plus_1 as usize).checked_sub(1);
            let index = index.ok_or_else(|| ClientError::Refused(Box::new(refusal.clone())))?;
            let draft = call.drafts.get(index);
            let draft = draft.ok_or_else(|| ClientError::lie(format!("a refusal of record {index}")))?;
            let known = refusal.why() == Reason::DuplicateRecord;
            found.entry(index).or_insert_with(|| (!known).then(|| refused_line(draft.line, &refusal)));
        }
        Ok(found)
    }

    /// The lines of the courses that were in several calls, each course's in one call and in the file's order.
    async fn ask_again(&mut self, rows: Rows<'_>) -> Result<(), IssueError> {
        let mut courses: BTreeMap<[u8; 16], Vec<DraftRecord>> = BTreeMap::new();
        for row in rows {
            let Ok(draft) = row? else { continue };
            let course = self.course_of(&draft);
            if self.apart.contains(&course) && !self.settled.contains(&(draft.line, draft.kind)) {
                courses.entry(course).or_default().push(draft);
            }
        }
        let mut call = Call::default();
        for drafts in courses.into_values() {
            if call.drafts.len() + drafts.len() > BATCH_MAX {
                self.settle(std::mem::take(&mut call)).await?;
            }
            // More than a call takes of one course and learner are far more than the ledger does.
            drafts.into_iter().take(BATCH_MAX).for_each(|draft| call.push(draft));
            if call.is_full() {
                self.settle(std::mem::take(&mut call)).await?;
            }
        }
        Ok(self.settle(call).await?)
    }

    /// Takes back what a second look refuses.
    async fn settle(&mut self, call: Call) -> Result<(), ClientError> {
        let refusals = self.refusals(&call).await?;
        for (index, draft) in call.drafts.iter().enumerate() {
            if let Some(Some(line)) = refusals.get(&index) {
                self.uncount(draft);
                self.refuse(line)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, draft: &DraftRecord) {
        self.forecast.survey.show(self.mapping, draft);
        let progress = &mut self.forecast.progress;
        progress.records += 1;
        *progress.kinds.entry(draft.kind_name()).or_default() += 1;
        if let Some((e4, unit)) = draft.credits() {
            let sum = progress.credits.entry(unit.to_owned()).or_default();
            *sum = sum.saturating_add(e4);
        }
        match draft.grade() {
            None => self.forecast.ungraded += u64::from(draft.is_ungraded()),
            Some((scale, grade)) => {
                *self.forecast.grades.entry((scale.to_owned(), grade.to_owned())).or_default() += 1;
            }
        }
        let learner = self.learner_of(draft);
        self.learners.insert(learner);
    }

    fn uncount(&mut self, draft: &DraftRecord) {
        let less = |count: &mut u64, by: u64| *count = count.saturating_sub(by);
        let progress = &mut self.forecast.progress;
        less(&mut progress.records, 1);
        progress.kinds.entry(draft.kind_name()).and_modify(|count| less(count, 1));
        if let Some((e4, unit)) = draft.credits() {
            progress.credits.entry(unit.to_owned()).and_modify(|sum| less(sum, e4));
        }
        match draft.grade() {
            None => less(&mut self.forecast.ungraded, u64::from(draft.is_ungraded())),
            Some((scale, grade)) => {
                let key = (scale.to_owned(), grade.to_owned());
                self.forecast.grades.entry(key).and_modify(|count| less(count, 1));
            }
        }
    }

    fn finish(mut self, progress: &mut impl FnMut(&Progress)) -> Result<Forecast, IssueError> {
        if let Some(report) = self.report {
            report.finish()?;
        }
        let forecast = &mut self.forecast;
        forecast.grades.retain(|_, count| *count > 0);
        forecast.new_learners = self.new.len() as u64;
        let mut new: Vec<(u64, String)> = self.new.into_values().collect();
        new.sort_unstable();
        new.into_iter().for_each(|(line, value)| forecast.survey.warn(Warning::NewIdentities, line, "learner", value));
        forecast.progress.learners = self.learners.len() as u64;
        forecast.learners_with_earlier = self.learners.intersection(&self.with_earlier).count() as u64;
        forecast.progress.blocks = forecast.progress.records.div_ceil(BATCH_MAX as u64);
        progress(&forecast.progress);
        Ok(self.forecast)
    }
}
