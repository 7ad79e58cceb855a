//! A file's lines against what the ledger holds.

use std::collections::HashSet;

use creditbank_protocol::Place;
use creditbank_protocol::key::KeyId;
use creditbank_rpc::Reason;

use super::state::{Row, person_of};
use super::view::{Held, View};
use crate::import::{After, DraftRecord, RefusedLine};
use crate::issue::BATCH_MAX;
use crate::issue::batch::refused_line;
use crate::outbox::patiently;
use crate::{Client, ClientError, IssuingUnit};

/// What is to be done about a line.
pub(crate) enum Verdict {
    /// Nothing: the ledger says the same.
    Unchanged(Place),
    /// It is new; or, with a place, was revoked there and says something else now.
    Issue(DraftRecord, Option<Place>),
    /// It says something else than the record at the place.
    Amend(DraftRecord, Place),
    /// It cannot be followed.
    Refused(RefusedLine, Place),
}

/// Compares lines one after the other; those of which the person is not sure are asked about together.
pub(crate) struct Compare<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    pub(crate) view: View<'a>,
    /// Records that a line of the file is about.
    pub(crate) matched: HashSet<Place>,
    unsure: Vec<(DraftRecord, Place)>,
}

impl<'a> Compare<'a> {
    pub(crate) fn new(client: &'a Client, unit: &'a IssuingUnit, view: View<'a>) -> Self {
        Self { client, unit, view, matched: HashSet::new(), unsure: Vec::new() }
    }

    /// What is to be done about a line; nothing yet where the node must be asked first.
    pub(crate) fn line(&mut self, draft: DraftRecord) -> Result<Option<Verdict>, ClientError> {
        let held = self.view.held(&draft)?;
        let refuse = |at: Place, what: &str| {
            let reason = format!("{what} (the record at {at})");
            Verdict::Refused(RefusedLine { line: draft.line, field: "reference".to_owned(), reason }, at)
        };
        let verdict = match held {
            Held::Nothing => Verdict::Issue(draft, None),
            Held::Same { at, known: true } => Verdict::Unchanged(at),
            Held::Same { at, known: false } => {
                self.matched.insert(at);
                self.unsure.push((draft, at));
                return Ok(None);
            }
            Held::Other { at } => Verdict::Amend(self.view.amending(draft, at)?, at),
            Held::Revoked { at, same: false } => {
                let after = After { place: at, amends: None };
                Verdict::Issue(draft.following(after), Some(at))
            }
            Held::Revoked { at, same: true } => refuse(
                at,
                "it was revoked in the ledger, and the line still says what it said: correct the line, and it is issued anew, \
                 or take it out of the file",
            ),
            Held::OtherKind { at } => refuse(
                at,
                &format!(
                    "it is of another kind now, which no amendment can change: creditbank revoke --place {at} --reason \
                     error, then synchronise"
                ),
            ),
            Held::OtherPerson { at } => refuse(
                at,
                "the record id belongs to another learner, and a record never moves: revoke the old record where it is \
                 wrong, and the line is issued anew",
            ),
            Held::Elsewhere { at } => refuse(at, "it was replaced by a record that this unit did not issue"),
        };
        if let Verdict::Unchanged(at) | Verdict::Amend(_, at) | Verdict::Refused(_, at) | Verdict::Issue(_, Some(at)) =
            &verdict
        {
            self.matched.insert(*at);
        }
        Ok(Some(verdict))
    }

    /// A line that says something else, with what its blank cells leave as it is.
    pub(crate) async fn with_kept(&self, mut draft: DraftRecord, at: Place) -> Result<Verdict, ClientError> {
        if draft.kept.is_empty() {
            return Ok(Verdict::Amend(draft, at));
        }
        let said = self.view.said(self.client, [at]).await?.remove(&at).unwrap_or_default();
        draft.keep(&said);
        Ok(if draft.body_bytes() == said { Verdict::Unchanged(at) } else { Verdict::Amend(draft, at) })
    }

    /// Whether enough lines wait for an answer of the node.
    pub(crate) fn is_full(&self) -> bool {
        self.unsure.len() >= BATCH_MAX
    }

    /// Whether lines that say what the ledger says are about its learners: an amendment, which is only checked, would
    /// be refused if they were not. The rows of those that are come with the person.
    pub(crate) async fn settle(&mut self) -> Result<(Vec<Verdict>, Vec<Row>), ClientError> {
        let unsure = std::mem::take(&mut self.unsure);
        if unsure.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let probes = unsure.iter().map(|(draft, at)| self.view.amending(draft.clone(), *at));
        let probes = probes.collect::<Result<Vec<_>, _>>()?;
        let unit = self.unit;
        let key_id = KeyId::of(&unit.key.public_key());
        let records = probes.iter().map(|probe| probe.checked(unit)).collect::<Result<Vec<_>, _>>()?;
        let records = || records.clone();
        let refusals = patiently(self.client, || self.client.check_records(unit.id, key_id, records())).await?;
        let (mut verdicts, mut rows) = (Vec::new(), Vec::new());
        for (index, (draft, at)) in unsure.iter().enumerate() {
            let about = |refusal: &&creditbank_rpc::v1::Refusal| refusal.record_plus_1 as usize == index + 1;
            if let Some(refusal) = refusals.iter().find(about) {
                let mut line = refused_line(draft.line, refusal);
                if refusal.why() == Reason::AmendsAnother {
                    let what = "the record id belongs to another learner, and a record never moves";
                    line.reason = format!("{what} (the record at {at})");
                    "reference".clone_into(&mut line.field);
                }
                verdicts.push(Verdict::Refused(line, *at));
                continue;
            }
            if let Some(row) = self.view.state.rows.get_mut(at) {
                row.person = person_of(unit, draft);
                rows.push(*row);
            }
            verdicts.push(Verdict::Unchanged(*at));
        }
        if let Some(whole) = refusals.into_iter().find(|refusal| refusal.record_plus_1 == 0) {
            return Err(ClientError::Refused(Box::new(whole)));
        }
        Ok((verdicts, rows))
    }
}
