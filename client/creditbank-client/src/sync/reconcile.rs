//! What a registrar has against what the ledger holds for a unit. Writes nothing, and believes nothing: the list of what the
//! unit issued is complete by its signed chain.

use std::collections::HashSet;
use std::path::Path;

use creditbank_protocol::Place;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::{KindInfo, info_of};

use super::compare::{Compare, Verdict};
use super::state::State;
use super::view::View;
use super::{Planned, Step};
use crate::import::{Mapping, RefusedLine, Rows, Source};
use crate::issue::IssueError;
use crate::outbox::Issued;
use crate::{Client, ClientError, IssuingUnit};

/// Items that the result itself holds of each list.
const SHOWN_MAX: usize = 10_000;

/// Of so many items it is told what differs.
const SAID_MAX: usize = 100;
/// What lines of a file become. What a unit has issued by other commands no file could hold: enrolments, identities, aliases
/// of courses, decisions.
const OF_A_FILE: [Kind; 3] = [Kind::Outcome, Kind::Credit, Kind::Result];

/// A record that only the ledger has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlyInLedger {
    /// Where it stands.
    pub place: Place,
    /// What it is; nothing where the learner's key was destroyed.
    pub kind: Option<Kind>,
    /// The marks against it: the node's word.
    pub marks: Vec<String>,
}

/// What both sides have. Lists hold their first ten thousand items; the counts are of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// On both sides, and the same.
    pub same: u64,
    /// On both sides with other content, with the line or 0, and where it stands.
    pub different: u64,
    /// The first of them.
    pub different_items: Vec<(u64, Place)>,
    /// What the first few of them say, and what their lines say.
    pub said: Vec<Planned>,
    /// Only with the registrar.
    pub only_registrar: u64,
    /// Their lines; of a comparison without a file the places where they were.
    pub only_registrar_items: Vec<Missing>,
    /// Only in the ledger, where they stand: not replaced and not revoked. Of kinds that lines of a file become.
    pub only_ledger: u64,
    /// The first of them.
    pub only_ledger_items: Vec<OnlyInLedger>,
    /// Lines that cannot be compared.
    pub refused: u64,
    /// The first of them, with the reason.
    pub refused_lines: Vec<RefusedLine>,
}

/// What the ledger does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A line of the file.
    Line(u64),
    /// A place where a record was issued once.
    Place(Place),
}

impl Comparison {
    /// Whether both sides have the same, and all of it could be compared.
    pub fn is_equal(&self) -> bool {
        self.different + self.only_registrar + self.only_ledger + self.refused == 0
    }

    fn ledger_alone(&mut self, view: &View<'_>, matched: &HashSet<Place>) {
        for (at, item) in &view.items {
            let of_a_file = item.kind.is_none_or(|kind| OF_A_FILE.contains(&kind));
            if of_a_file && view.stands(*at) && !matched.contains(at) {
                self.only_ledger += 1;
                let (place, kind, marks) = (item.place, item.kind, item.marks.clone());
                push(&mut self.only_ledger_items, OnlyInLedger { place, kind, marks });
            }
        }
    }
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < SHOWN_MAX {
        list.push(item);
    }
}

/// Compares a file with the ledger. `work` is the directory of `sync`, whose notes save reading what is known.
pub async fn with_file<R: Source>(
    client: &Client,
    unit: &IssuingUnit,
    mapping: &Mapping,
    input: R,
    work: &Path,
) -> Result<Comparison, IssueError> {
    let mapping = &Box::pin(mapping.informed(client)).await?;
    let rows = Rows::open(mapping, input)?.following();
    Issued::peek(work, client.origin(), unit)?;
    let view = View::open(client, unit, work, false).await?;
    let mut compare = Compare::new(client, unit, view);
    let mut found = Comparison::default();
    for row in rows {
        match row? {
            Err(refused) => found.take(Verdict::Refused(refused, Place::default())),
            Ok(draft) => match compare.line(draft)? {
                Some(Verdict::Amend(draft, at)) => {
                    let verdict = compare.with_kept(draft, at).await?;
                    found.take(verdict);
                }
                verdict => verdict.into_iter().for_each(|verdict| found.take(verdict)),
            },
        }
        if compare.is_full() {
            compare.settle().await?.0.into_iter().for_each(|verdict| found.take(verdict));
        }
    }
    compare.settle().await?.0.into_iter().for_each(|verdict| found.take(verdict));
    let places: Vec<Place> = found.said.iter().filter_map(|planned| planned.place).collect();
    let mut said = compare.view.said(client, places).await?;
    for planned in &mut found.said {
        planned.before = planned.place.and_then(|at| said.remove(&at)).unwrap_or_default();
    }
    found.ledger_alone(&compare.view, &compare.matched);
    Ok(found)
}

impl Comparison {
    fn take(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Unchanged(_) => self.same += 1,
            Verdict::Issue(draft, _) => {
                self.only_registrar += 1;
                push(&mut self.only_registrar_items, Missing::Line(draft.line));
            }
            Verdict::Amend(draft, at) => {
                self.different += 1;
                push(&mut self.different_items, (draft.line, at));
                if self.said.len() < SAID_MAX {
                    let kind = info_of(draft.kind).map_or("", KindInfo::name);
                    let (step, after) = (Step::Amend, draft.body_bytes());
                    self.said.push(Planned {
                        line: draft.line,
                        step,
                        place: Some(at),
                        kind,
                        before: Vec::new(),
                        after,
                    });
                }
            }
            Verdict::Refused(line, _) => {
                self.refused += 1;
                push(&mut self.refused_lines, line);
            }
        }
    }
}

/// Compares what `sync` has noted in `work` with the ledger.
pub async fn with_notes(client: &Client, unit: &IssuingUnit, work: &Path) -> Result<Comparison, ClientError> {
    Issued::peek(work, client.origin(), unit)?;
    let noted = State::read(work, unit)?;
    let view = View::open(client, unit, work, false).await?;
    let replaced: HashSet<Place> = view.rows().filter_map(|row| row.amends).collect();
    let mut found = Comparison::default();
    let mut matched = HashSet::new();
    // Records that no file has shown are the ledger's alone.
    for row in noted.rows.values().filter(|row| row.person != [0; 16]) {
        let held = view.items.get(&row.at);
        if held.is_none_or(|item| item.hash != row.hash) {
            found.only_registrar += 1;
            push(&mut found.only_registrar_items, Missing::Place(row.at));
        } else if view.stands(row.at) {
            found.same += 1;
        } else if !replaced.contains(&row.at) {
            // It was revoked, or replaced by others.
            found.different += 1;
            push(&mut found.different_items, (0, row.at));
        }
        matched.insert(row.at);
    }
    found.ledger_alone(&view, &matched);
    Ok(found)
}
