//! The record that a correction is about, what it becomes, and by what right; what can be known of it before it is
//! sent.

use std::collections::BTreeMap;

use creditbank_protocol::authority::is_custodian;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::dates::first_day;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Action, Amends, Basis, Effect, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{Alias, InstitutionId, LogIndex, Place};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{InstitutionAlias, Person, Refusal};

use super::contest::Suspects;
use super::published::published_at;
use super::{Change, Correction, NewBody, Outcome, Target};
use crate::import::DraftRecord;
use crate::sealing::body::{amended, learner, without_amends};
use crate::seeds::{SeedInput, year_of};
use crate::{Client, ClientError, IssuingUnit, ReadRecord, today};

/// A correction that can be sent.
pub(super) struct Resolved {
    pub(super) line: u64,
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) before: Vec<u8>,
    pub(super) authority: pb::Authority,
    pub(super) effect: Effect,
    /// Of an amendment.
    pub(super) record: Option<Record>,
    /// Whether it opens a review again: then nothing else follows.
    pub(super) reopens: bool,
}

/// What a correction comes to.
pub(super) enum Found {
    Todo(Box<Resolved>),
    /// Nothing is to do: it was done before, or the record says so already.
    Already(Box<ReadRecord>, Outcome),
    /// Field or rule, and why; with the record where it is known.
    Refused(Option<Box<ReadRecord>>, String, String),
}

/// Looks records up, with what is asked for again and again.
pub(super) struct Resolver<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    case_reference: &'a str,
    suspects: Suspects,
    /// Whether the unit's institution keeps the records of another one, for those that were asked about.
    kept: BTreeMap<InstitutionId, bool>,
}

fn refused(read: Option<ReadRecord>, field: &str, why: impl Into<String>) -> Found {
    Found::Refused(read.map(Box::new), field.to_owned(), why.into())
}

impl<'a> Resolver<'a> {
    pub(super) fn new(client: &'a Client, unit: &'a IssuingUnit, case_reference: &'a str) -> Self {
        Self { client, unit, case_reference, suspects: Suspects::default(), kept: BTreeMap::new() }
    }

    pub(super) async fn resolve(&mut self, correction: &Correction) -> Result<Found, ClientError> {
        let read = match &correction.target {
            Target::At(place) => self.client.record(*place).await,
            Target::Issued(draft) => {
                let Some(read) = self.issued(draft).await? else {
                    let why = "no record was issued from such a line: name its place";
                    return Ok(refused(None, "reference", why));
                };
                Ok(read)
            }
        };
        let read = match read {
            Ok(read) => read,
            Err(ClientError::Refused(refusal)) if is_about_the_place(&refusal) => {
                if let Target::At(place) = correction.target
                    && let Some(why) = published_at(self.client, place).await?
                {
                    return Ok(refused(None, "place", why));
                }
                return Ok(refused(None, "place", format!("{}: {}", refusal.reason, refusal.message)));
            }
            Err(ClientError::Missing(why)) => return Ok(refused(None, "place", why)),
            Err(error) => return Err(error),
        };
        let Some(authority) = self.authority(&read).await? else {
            let why = format!(
                "a record of institution {}, and institution {} is neither that nor its custodian",
                read.subject(),
                self.unit.id.institution
            );
            return Ok(refused(Some(read), "place", why));
        };
        match &correction.change {
            Change::Revoke(reason) => revoke(self.client, correction.line, read, authority, (*reason).into()).await,
            Change::Confirm => self.confirm(correction.line, read, authority).await,
            Change::Reinstate(effect) => self.reinstate(correction.line, read, authority, *effect).await,
            Change::Amend(reason, body) => self.amend(correction.line, read, authority, *reason, body).await,
        }
    }

    /// The newest of the records that were issued from a line: its own or the last of its amendments.
    async fn issued(&self, draft: &DraftRecord) -> Result<Option<ReadRecord>, ClientError> {
        let institution = self.unit.id.institution.0;
        let person = Person { identities: draft.person.clone() };
        let aliases = self.client.open_accounts(institution, vec![person]).await?;
        let alias = aliases.first().map(|alias| alias.0.to_vec()).unwrap_or_default();
        let learner = Learner::Alias(InstitutionAlias { institution, alias });
        let (records, _) = self.client.records(learner).await?;
        let seeds = draft.all_seeds(self.unit)?;
        let found = records.iter().find(|read| read.seed.is_some_and(|seed| seeds.contains(&seed)));
        Ok(found.map(|read| newest(&records, read).clone()))
    }

    /// By what right the unit may change the record; nothing where it has none.
    async fn authority(&mut self, read: &ReadRecord) -> Result<Option<pb::Authority>, ClientError> {
        let (own, subject) = (self.unit.id.institution, read.subject());
        let basis = |basis: Basis| pb::Authority { basis: basis.into(), ..Default::default() };
        if own.is_operator() {
            let case_reference = self.case_reference.to_owned();
            return Ok(Some(pb::Authority { case_reference, ..basis(Basis::Operator) }));
        }
        if own == subject {
            return Ok(Some(basis(Basis::Issuer)));
        }
        let keeps = self.keeps(own, subject).await?;
        Ok(keeps.then(|| pb::Authority { institution: subject.0, ..basis(Basis::Custodian) }))
    }

    /// Whether `own` is the custodian of another institution today. The node judges by the day on which it seals.
    async fn keeps(&mut self, own: InstitutionId, other: InstitutionId) -> Result<bool, ClientError> {
        if let Some(known) = self.kept.get(&other) {
            return Ok(*known);
        }
        let (keeper, closed) = (self.institution(own).await?, self.institution(other).await?);
        let both = keeper.as_ref().zip(closed.as_ref());
        let keeps = both.is_some_and(|(keeper, closed)| is_custodian(keeper, closed, first_day(&today())));
        self.kept.insert(other, keeps);
        Ok(keeps)
    }

    async fn institution(&self, id: InstitutionId) -> Result<Option<pb::Institution>, ClientError> {
        let entry = self.client.registry_entry(&RegistryKey::Institution(id)).await?;
        entry.map(|entry| entry.decode()).transpose()
    }

    async fn confirm(&mut self, line: u64, read: ReadRecord, authority: pb::Authority) -> Result<Found, ClientError> {
        for mark in [Mark::Superseded, Mark::Revoked] {
            if read.is(mark) {
                return Ok(refused(Some(read), "place", format!("it is {}", mark.name())));
            }
        }
        if self.suspects.is_contested(self.client, read.place.entry, &read.marks()?).await? {
            return Ok(todo(line, &read, authority, Action::Confirm, 0, None));
        }
        if read.is(Mark::Confirmed) {
            return Ok(Found::Already(Box::new(read), Outcome::Already));
        }
        Ok(refused(Some(read), "place", "it is not contested: its key was not compromised when it was sealed"))
    }

    async fn reinstate(
        &mut self,
        line: u64,
        read: ReadRecord,
        authority: pb::Authority,
        effect: Option<LogIndex>,
    ) -> Result<Found, ClientError> {
        let ended = read.marks()?.ended();
        let Some(contested) = ended.map(|(_, entry)| entry).or(effect) else {
            if read.is(Mark::Reinstated) {
                return Ok(Found::Already(Box::new(read), Outcome::Already));
            }
            let why = "it is neither superseded nor revoked; to open a closed review again, name the effect";
            return Ok(refused(Some(read), "place", why));
        };
        if effect.is_some_and(|effect| effect != contested) {
            let why = format!("it was ended by the effect at {contested}");
            return Ok(refused(Some(read), "effect", why));
        }
        if ended.is_none() && read.is(Mark::UnderReview) {
            return Ok(Found::Already(Box::new(read), Outcome::Already));
        }
        if !self.suspects.is_suspect_at(self.client, contested).await? {
            let why = format!("the effect at {contested} is not contested: its key was not compromised by then");
            return Ok(refused(Some(read), "place", why));
        }
        let mut found = todo(line, &read, authority, Action::Reinstate, 0, None);
        if let Found::Todo(resolved) = &mut found {
            resolved.effect.contested_plus_1 = contested.0.saturating_add(1);
            resolved.reopens = ended.is_none();
        }
        Ok(found)
    }

    async fn amend(
        &self,
        line: u64,
        read: ReadRecord,
        authority: pb::Authority,
        reason: pb::AmendReason,
        body: &NewBody,
    ) -> Result<Found, ClientError> {
        let kind = read.disclosed.info.kind;
        let alias = match learner(kind, &read.disclosed.body) {
            Ok(alias) => alias,
            Err(why) => return Ok(refused(Some(read), "record", why)),
        };
        let bytes = match body {
            NewBody::Bytes(other, bytes) if *other == kind => bytes.clone(),
            NewBody::Line(draft) if draft.kind == kind => {
                let own = Alias::from_slice(&alias).ok_or_else(|| ClientError::lie("an alias is not 16 bytes"))?;
                let mut draft = draft.clone();
                draft.keep(&read.disclosed.body);
                let mut bytes = draft.finish(own, self.unit)?.body().to_vec();
                // What the mapping cannot say stays as it was.
                if kind == Kind::Credit || kind == Kind::Result {
                    bytes = keep_earlier(kind, &bytes, &read.disclosed.body);
                }
                bytes
            }
            NewBody::Bytes(other, _) => {
                let why = another(read.place, kind, *other);
                return Ok(refused(Some(read), "kind", why));
            }
            NewBody::Line(draft) => {
                let why = another(read.place, kind, draft.kind);
                return Ok(refused(Some(read), "kind", why));
            }
        };
        let amends = Amends { place: Some(read.place.into()), reason: reason.into() };
        let made = amended(kind, &bytes, &alias, Some(amends)).and_then(|after| {
            Ok((without_amends(kind, &after)? == without_amends(kind, &read.disclosed.body)?, after))
        });
        let (same, after) = match made {
            Ok(made) => made,
            Err(why) => return Ok(refused(Some(read), "record", why)),
        };
        if same {
            // What was replaced since says so no longer.
            return match replaced(self.client, &read).await? {
                Some(why) => Ok(refused(Some(read), "place", why)),
                None => Ok(Found::Already(Box::new(read), Outcome::Same)),
            };
        }
        // The same amendment again is the same record, so the ledger never holds it twice.
        let input = SeedInput { kind, reference: &after, predecessor: Some(read.place) };
        let seed = self.unit.seeds.seed(year_of(kind, &after), input)?;
        let record = Record::of(kind, &seed, after).map_err(|error| ClientError::Local(error.to_string()))?;
        if read.is(Mark::Superseded) && self.holds(&read, &alias, &record).await? {
            return Ok(Found::Already(Box::new(read), Outcome::Already));
        }
        if let Some(why) = replaced(self.client, &read).await? {
            return Ok(refused(Some(read), "place", why));
        }
        Ok(todo(line, &read, authority, Action::Supersede, 0, Some(record)))
    }

    /// Whether the ledger holds this amendment of a record.
    async fn holds(&self, read: &ReadRecord, alias: &[u8], amendment: &Record) -> Result<bool, ClientError> {
        let learner = InstitutionAlias { institution: read.subject().0, alias: alias.to_vec() };
        let (records, _) = self.client.records(Learner::Alias(learner)).await?;
        Ok(records.iter().any(|other| other.disclosed.hash == amendment.hash()))
    }
}

/// Why a record cannot be amended any more, with the one that stands in its place; nothing where it can.
async fn replaced(client: &Client, read: &ReadRecord) -> Result<Option<String>, ClientError> {
    if read.is(Mark::Revoked) {
        return Ok(Some("it is revoked".to_owned()));
    }
    if !read.is(Mark::Superseded) {
        return Ok(None);
    }
    let alias = learner(read.disclosed.info.kind, &read.disclosed.body).map_err(ClientError::lie)?;
    let learner = InstitutionAlias { institution: read.subject().0, alias };
    let (records, _) = client.records(Learner::Alias(learner)).await?;
    let newest = newest(&records, read).place;
    Ok(Some(format!("it was superseded: name the record that stands in its place, {newest}")))
}

/// The last of the amendments of a record among the records of its learner, or itself.
pub fn newest<'a>(records: &'a [ReadRecord], mut read: &'a ReadRecord) -> &'a ReadRecord {
    while read.is(Mark::Superseded) {
        let amends = |other: &&ReadRecord| {
            other.amends().is_some_and(|amends| Place::read(amends.place) == read.place) && other.place > read.place
        };
        let Some(next) = records.iter().find(amends) else { break };
        read = next;
    }
    read
}

async fn revoke(
    client: &Client,
    line: u64,
    read: ReadRecord,
    authority: pb::Authority,
    reason: i32,
) -> Result<Found, ClientError> {
    if read.is(Mark::Revoked) {
        return Ok(Found::Already(Box::new(read), Outcome::Already));
    }
    if read.is(Mark::Superseded) {
        return match replaced(client, &read).await? {
            Some(why) => Ok(refused(Some(read), "place", why)),
            None => Ok(todo(line, &read, authority, Action::Revoke, reason, None)),
        };
    }
    Ok(todo(line, &read, authority, Action::Revoke, reason, None))
}

fn is_about_the_place(refusal: &Refusal) -> bool {
    matches!(refusal.why(), Reason::NotFound | Reason::NoAccess | Reason::OutOfRange | Reason::InvalidRequest)
}

fn another(place: Place, expected: Kind, found: Kind) -> String {
    let (expected, found) = (names::of(expected), names::of(found));
    format!(
        "the record is a {expected}, this would be a {found}: creditbank revoke --place {place} --reason error, then issue the other"
    )
}

fn keep_earlier(kind: Kind, bytes: &[u8], before: &[u8]) -> Vec<u8> {
    use creditbank_protocol::canonical::encode;
    macro_rules! kept {
        ($message:ty) => {
            match (decode::<$message>(bytes), decode::<$message>(before)) {
                (Ok(mut now), Ok(was)) => {
                    now.earlier = was.earlier;
                    encode(&now).unwrap_or_else(|_| bytes.to_vec())
                }
                _ => bytes.to_vec(),
            }
        };
    }
    if kind == Kind::Credit { kept!(pb::Credit) } else { kept!(pb::Result) }
}

fn todo(
    line: u64,
    read: &ReadRecord,
    authority: pb::Authority,
    action: Action,
    reason: i32,
    record: Option<Record>,
) -> Found {
    let place = read.place.written();
    let status_id = read.status_id.0.to_vec();
    Found::Todo(Box::new(Resolved {
        line,
        place: read.place,
        kind: read.disclosed.info.kind,
        before: read.disclosed.body.clone(),
        authority,
        effect: Effect { status_id, place, action: action.into(), reason, redemption_plus_1: 0, contested_plus_1: 0 },
        record,
        reopens: false,
    }))
}
