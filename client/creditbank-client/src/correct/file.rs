//! Corrections from a file: a CSV of places and reasons, or lines of results by the mapping that they were issued with.

use std::io::Read;

use creditbank_protocol::LogIndex;
use creditbank_protocol::names;
use creditbank_protocol::pb::{AmendReason, EffectReason};

use super::{Change, Correction, NewBody, Target};
use crate::import::{Again, Courses, ImportError, Known, Mapping, RefusedLine, Rows, Source, Survey};
use crate::issue::IssueError;

/// A correction of each line, or why there is none.
pub type Lines<'a> = Box<dyn Iterator<Item = Result<Result<Correction, RefusedLine>, ImportError>> + 'a>;

/// Most bytes of a line of places and reasons.
const FIELD_LEN_MAX: usize = 200;

/// What a file of places asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// That the records are confirmed.
    Confirm,
    /// That they are reinstated. A column `effect` may say which effect is undone.
    Reinstate,
    /// That they are revoked. A column `reason` goes before this one.
    Revoke(Option<EffectReason>),
}

/// Effects on the records of a CSV with a column `place`.
pub fn effects<'a>(input: impl Read + 'a, asked: Asked) -> Result<Lines<'a>, ImportError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(input);
    let header = reader.headers().map_err(|error| ImportError::Header(error.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|head| head.trim_start_matches('\u{feff}') == name);
    let found = || format!("its columns are {}", header.iter().collect::<Vec<_>>().join(", "));
    if header.is_empty() {
        return Err(ImportError::Empty);
    }
    let places = column("place").ok_or_else(|| ImportError::Columns { missing: "place".to_owned(), found: found() })?;
    let (reasons, entries) = (column("reason"), column("effect"));
    let line = move |record: &csv::StringRecord| {
        let number = record.position().map_or(0, csv::Position::line);
        let refuse = |field: &str, why: String| RefusedLine { line: number, field: field.to_owned(), reason: why };
        let text = |at: usize| record.get(at).unwrap_or_default();
        if record.iter().any(|field| field.len() > FIELD_LEN_MAX) {
            return Err(refuse("line", format!("a field of more than {FIELD_LEN_MAX} bytes")));
        }
        let found = text(places);
        let target = found.parse().map_err(|_| refuse("place", format!("{found:?} is no place such as 34/718")))?;
        let change = match asked {
            Asked::Confirm => Change::Confirm,
            Asked::Reinstate => {
                let written = entries.map(text).filter(|text| !text.is_empty());
                let wrong = |text: &str| refuse("effect", format!("{text:?} is no log index such as 91"));
                let entry = written.map(|text| text.parse().map_err(|_| wrong(text))).transpose()?;
                Change::Reinstate(entry.map(LogIndex))
            }
            Asked::Revoke(given) => {
                let written = reasons.map(text).filter(|text| !text.is_empty());
                let known = "error, rule, decision or other";
                let chosen = match written {
                    Some(text) => {
                        Some(names::parse(text).ok_or_else(|| refuse("reason", format!("{text:?} is not {known}")))?)
                    }
                    None => given,
                };
                let missing = || refuse("reason", format!("no reason: expected {known}, here or for the whole file"));
                Change::Revoke(chosen.ok_or_else(missing)?)
            }
        };
        Ok(Correction { line: number, target: Target::At(target), change })
    };
    let rows = reader.into_records().enumerate().map(move |(at, record)| match record {
        Ok(record) => Ok(line(&record)),
        Err(error) => match error.kind() {
            csv::ErrorKind::Utf8 { .. } => Ok(Err(RefusedLine {
                line: error.position().map_or(0, csv::Position::line),
                field: "line".to_owned(),
                reason: "the text is not UTF-8".to_owned(),
            })),
            _ => Err(ImportError::Read { line: at as u64 + 2, error: error.to_string() }),
        },
    });
    Ok(Box::new(rows))
}

/// Amendments by the mapping that the records were issued with: a column of places where the mapping has one, otherwise
/// the learner and the reference of the line say which record. The whole file is looked at first, as before it is issued.
pub fn amendments<'a>(
    mapping: &'a Mapping,
    input: impl Source + 'a,
    reason: AmendReason,
) -> Result<Lines<'a>, IssueError> {
    let input = Again::new(input);
    let start = || input.again().map_err(|error| ImportError::Read { line: 1, error: error.to_string() });
    let looked = Survey::of(mapping, &mut Rows::open(mapping, start()?)?, &Courses::default(), |_| Known::New)?;
    looked.check(mapping)?;
    let rows = Rows::open(mapping, start()?)?;
    let correction = move |row: Result<crate::import::DraftRecord, RefusedLine>| {
        let draft = Box::new(row?);
        let line = draft.line;
        let target = match &draft.place {
            None => Target::Issued(draft.clone()),
            Some(text) => Target::At(text.parse().map_err(|_| RefusedLine {
                line,
                field: "place".to_owned(),
                reason: format!("{text:?} is no place such as 34/718"),
            })?),
        };
        Ok(Correction { line, target, change: Change::Amend(reason, NewBody::Line(draft)) })
    };
    Ok(Box::new(rows.map(move |row| row.map(correction))))
}
