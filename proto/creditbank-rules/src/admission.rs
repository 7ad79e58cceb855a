//! Which blocks the ledger admits: the table of kinds of a credit bank, rule by rule.

mod accreditation;
mod alone;
mod award;
mod awarded;
mod cached;
mod candidates;
pub mod case;
mod comparability;
mod conversion;
mod declared;
mod derived;
mod documents;
mod effects;
mod enrolment;
mod fields;
mod foreign;
mod kinds;
pub mod late;
mod mandate;
mod papers;
mod recognition;
mod repeated;
mod repeats;
mod signer;
mod spend;
mod surplus;
mod used;
mod uses;

use std::collections::BTreeSet;

use creditbank_protocol::course_code::spelling;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Authority, Effect, EffectGroup, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place, UnitId};

pub use alone::Alone;
pub use awarded::is_same as is_same_award;
pub use candidates::{award_of, candidates};
pub use conversion::{advanced, begun, carried_out, earlier, promised, source_of, sources_of};
pub use repeated::mark_repeats;
pub use spend::{Overlapping, Spending, SpentRoots, is_redeemed};
pub use used::{Used, stands, visible};

use crate::dates::{Day, day_of_ms};
use crate::once::Once;
use crate::plausible::latest_day;
use crate::{CourseKey, DocumentKey, PaperKey, Registry, Rejection, Rule, View, ViewError};
use alone::Before;
use cached::Cached;
use derived::{Derived, Issuing};

/// A block whose shape, hashes and signature are right.
#[derive(Debug, Clone, Copy)]
pub struct BlockFacts<'a> {
    /// The unit that issues it.
    pub unit: UnitId,
    /// The key that signed.
    pub key_id: KeyId,
    /// Who approved, each by another key.
    pub approvals: &'a [Approved],
    /// When the block was created, in minutes since 1970.
    pub created_at_minute: u64,
    /// Time of the seal of the round.
    pub sealed_at_ms: u64,
    /// All records, in order.
    pub records: &'a [Record],
    /// The status effects of the public part; for whoever has records, with the places that came beside the block.
    pub groups: &'a [EffectGroup],
    /// What earlier blocks have used up.
    pub once: &'a Once,
}

impl BlockFacts<'_> {
    /// The latest day on earth when the block was created: what has happened lies before its end.
    pub fn latest_day(&self) -> Day {
        latest_day(self.created_at_minute)
    }
}

/// Another person's consent to a block; the signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// The key that approved.
    pub key: KeyId,
    /// The block is sealed in this minute or before.
    pub until_minute: u64,
    /// Hash of the signed message.
    pub digest: Digest,
}

/// What the ledger must keep of an admitted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The learner's account.
    pub account: AccountId,
    /// What it is.
    pub kind: Kind,
    /// Whose record it is: the signer, or the closed institution that the signer keeps records for.
    pub institution: InstitutionId,
    /// With which of the learner's records it is found and counted.
    pub key: CourseKey,
    /// Of a record of a course: how its code is [spelled](crate::course_code::spelling). Else zero.
    pub spelling: [u8; 8],
    /// How often the course may count again; `None` where it is no Credit.
    pub repeats_max: Option<u32>,
    /// The record that it replaces.
    pub amends: Option<Place>,
    /// What it redeems, and the digest of the mandate by which it does.
    pub redeems: Vec<(Place, Digest)>,
    /// The records that it stands on: when one of them is amended or revoked, it is put under review.
    pub depends_on: Vec<Place>,
    /// What others have signed in it, by the digests that stand in the log: each is used once.
    pub consents: Vec<Digest>,
    /// Of an award: the numbers of its documents, each of which is given once.
    pub documents: Vec<DocumentKey>,
    /// Whether it is late, so that another person has to approve its block.
    pub late: bool,
    /// The paper on which it stands, if it stands on one: it is used once for this kind.
    pub paper: Option<PaperKey>,
}

/// Why a block was not admitted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmissionError {
    /// It breaks a rule.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The ledger could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// Admits a block of an institution, whole or not at all: the first rule that it breaks is the error. Of a record that
/// it publishes there is nothing to keep here: the registry has to admit it.
pub fn admit_block(view: &impl View, block: &BlockFacts<'_>) -> Result<Vec<Option<Admitted>>, AdmissionError> {
    admit(view, block, None)
}

/// The same for a block whose records were checked as far as they need no order: that is not done again, unless another
/// registry is in force now.
pub fn admit_checked_block(
    view: &impl View,
    block: &BlockFacts<'_>,
    alone: &Alone,
) -> Result<Vec<Option<Admitted>>, AdmissionError> {
    admit(view, &BlockFacts { records: alone.records(), ..*block }, Some(alone))
}

fn admit(
    view: &impl View,
    block: &BlockFacts<'_>,
    alone: Option<&Alone>,
) -> Result<Vec<Option<Admitted>>, AdmissionError> {
    signer::check(view.registry(), block)?;
    signer::check_approvals(view.registry(), block)?;
    uses::check_public(block)?;
    fields::present(!block.records.is_empty() || !block.groups.is_empty(), "records", "a record or an effect")?;
    let view = &Cached::new(view);
    let mut admitted = Vec::with_capacity(block.records.len());
    let mut history = repeats::History::default();
    for (position, record) in block.records.iter().enumerate() {
        let before = alone.map_or(Before::Nothing, |alone| alone.before(view.registry(), block, position));
        let found = admit_record(view, block, (record, before), &mut history);
        let index = || u32::try_from(position).expect("at most 1,024 records");
        admitted.push(found.map_err(|error| at(error, index()))?);
    }
    second_person(block, &admitted)?;
    effects::check(view, block, &admitted)?;
    uses::check_stated(block, &admitted)?;
    Ok(admitted)
}

/// What is late stands in a block that another person has approved, whatever the unit asks for.
fn second_person(block: &BlockFacts<'_>, admitted: &[Option<Admitted>]) -> Result<(), Rejection> {
    let is_late = |record: &Option<Admitted>| record.as_ref().is_some_and(|record| record.late);
    let late = admitted.iter().position(is_late).filter(|_| block.approvals.is_empty());
    let expected = "the approval of another person, as the record is late";
    let missing = || Rejection::new(Rule::ApprovalMissing, expected, "none").field("late");
    late.map_or(Ok(()), |late| Err(missing().record(u32::try_from(late).unwrap_or(u32::MAX))))
}

/// Every record of a block that breaks a rule, with the first rule that it breaks; writes nothing. Nobody approves a
/// check.
pub fn check_records(view: &impl View, block: &BlockFacts<'_>) -> Result<Vec<Rejection>, AdmissionError> {
    signer::check(view.registry(), block)?;
    let view = &Cached::new(view);
    let mut history = repeats::History::default();
    let mut rejections = Vec::new();
    for (index, record) in (0u32..).zip(block.records) {
        match admit_record(view, block, (record, Before::Nothing), &mut history) {
            Ok(_) => {}
            Err(AdmissionError::Rejected(rejection)) => rejections.push(rejection.record(index)),
            Err(error) => return Err(error),
        }
    }
    Ok(rejections)
}

/// Admits a block of the operator, which may change statuses with authority; its registry records are the registry's to
/// admit.
pub fn admit_operator_effects(view: &impl View, block: &BlockFacts<'_>) -> Result<(), AdmissionError> {
    uses::check_public(block)?;
    effects::check(&Cached::new(view), block, &[])?;
    Ok(uses::check_stated(block, &[])?)
}

/// Checks the signer of an institution's block, and its approver, against the registry in force. Needs no records.
pub fn check_signer(registry: &Registry, block: &BlockFacts<'_>) -> Result<(), Rejection> {
    signer::check(registry, block)?;
    signer::check_approvals(registry, block)
}

/// Checks that a block, of whomever, has the approvals that it needs, and that those that it has hold.
pub fn check_approvals(registry: &Registry, block: &BlockFacts<'_>) -> Result<(), Rejection> {
    signer::check_approvals(registry, block)
}

/// Checks what a block, of whomever, states that it uses once; its approval aside. Needs no records.
pub fn check_uses(block: &BlockFacts<'_>) -> Result<(), Rejection> {
    uses::check_public(block)
}

/// Whether a record is contested: a compromised key has sealed it or reinstated it, and nobody has confirmed it since;
/// or such a key has superseded or revoked it.
pub fn is_contested(view: &impl View, used: &Used) -> Result<bool, ViewError> {
    effects::is_contested(view, used.place, &used.facts.marks)
}

/// What a block that takes records back, or reinstates them, has to say besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consequences {
    /// What is to be put under review.
    pub reviews: Vec<Place>,
    /// What is to be released, each with the log index of its redemption.
    pub releases: Vec<(Place, LogIndex)>,
    /// Amendments that are to be revoked, as what they stand in the place of is reinstated.
    pub amendments: Vec<Place>,
    /// Reviews that are to be closed.
    pub closes: Vec<Place>,
    /// What is to be held again: each with the log index of its redemption, and of the effect that has let go of it.
    pub restores: Vec<(Place, LogIndex, LogIndex)>,
}

/// What a block that revokes (or else amends) the records at these places has to say besides.
pub fn consequences(view: &impl View, changed: &BTreeSet<Place>, revoke: bool) -> Result<Consequences, ViewError> {
    let reviews = effects::reviews_of(view, changed, &BTreeSet::new())?;
    let mut releases = Vec::new();
    for place in changed.iter().filter(|_| revoke) {
        releases.extend(effects::releases_of(view, *place)?);
    }
    Ok(Consequences { reviews, releases, ..Consequences::default() })
}

/// What a block that reinstates the records at these places has to say besides; or why it cannot.
pub fn reinstating(view: &impl View, places: &BTreeSet<Place>) -> Result<Consequences, AdmissionError> {
    let effects::Follows { amendments, restores, closes } = effects::follows(view, places, &BTreeSet::new())?;
    let reviews = effects::reviews_of(view, &amendments, places)?;
    let mut releases = Vec::new();
    for place in &amendments {
        if !effects::is_amendment_of(view, *place, places)? {
            releases.extend(effects::releases_of(view, *place)?);
        }
    }
    let restores = restores.into_iter().map(|(place, (redemption, contested))| (place, redemption, contested));
    let (amendments, closes) = (amendments.into_iter().collect(), closes.into_iter().collect());
    Ok(Consequences { reviews, releases, amendments, closes, restores: restores.collect() })
}

/// Checks that the key of an institution's block may sign what it publishes.
pub fn check_public_kind(registry: &Registry, block: &BlockFacts<'_>, kind: Kind) -> Result<(), Rejection> {
    signer::check_scope(registry, block, kind)
}

/// What anybody can check of an effect of `block` without the record that it is about: that blocks may carry the
/// action, and the signer's right to it. `owner` is the record's institution; of a release, the one that redeemed, if
/// anybody did.
pub fn check_public_effect(
    registry: &Registry,
    block: &BlockFacts<'_>,
    authority: &Authority,
    effect: &Effect,
    owner: Option<InstitutionId>,
) -> Result<(), Rejection> {
    effects::check_public(registry, block, authority, effect, owner)
}

fn at(error: AdmissionError, index: u32) -> AdmissionError {
    match error {
        AdmissionError::Rejected(rejection) => rejection.record(index).into(),
        other @ AdmissionError::View(_) => other,
    }
}

fn admit_record(
    view: &impl View,
    block: &BlockFacts<'_>,
    (record, before): (&Record, Before<'_>),
    history: &mut repeats::History,
) -> Result<Option<Admitted>, AdmissionError> {
    signer::check_kind(view.registry(), block, record)?;
    let found;
    let read = match before {
        Before::Read(read) => read,
        Before::Texts | Before::Nothing => {
            let with_texts = matches!(before, Before::Nothing);
            found = alone::check_record(view.registry(), block, record, with_texts)?;
            found.as_ref()
        }
    };
    let Some(common) = read else { return Ok(None) };
    let target = repeats::target(view, block, common)?;
    // A custodian's amendment stands where the record stood that it replaces: at the closed institution.
    let institution = target.as_ref().map_or(block.unit.institution, |(_, facts)| facts.institution);
    if let Some((credit, end)) = &common.credit {
        accreditation::check(view.registry(), institution, credit, *end)?;
    }
    let account = fields::learner(view, institution, &common.learner)?;
    repeats::check_target(target.as_ref(), record.kind(), &account)?;
    if let Some((place, _)) = &target {
        repeats::stays_visible(
            view,
            record,
            *place,
            &account,
            day_of_ms(block.created_at_minute.saturating_mul(60_000)),
        )?;
    }
    let amends = target.map(|(place, _)| place);
    let (sealed_at_ms, created_at_minute) = (block.sealed_at_ms, block.created_at_minute);
    let issuing = Issuing { institution, sealed_at_ms, created_at_minute };
    let Derived { key, redeems, depends_on, consents, documents, late } =
        derived::check(view, issuing, record, amends, &account)?;
    consents.iter().try_for_each(|digest| uses::unused(block, digest, "mandate"))?;
    let paper = papers::check(view, institution, record, amends)?;
    let (kind, repeats_max) = (record.kind(), common.repeats_max);
    let course = common.course.as_deref().map(|code| view.registry().course(institution, code));
    let own = common.course.as_deref().map(CourseKey::course).or_else(|| common.key.clone());
    let key = key.or(own).ok_or_else(|| kinds::not_issued(kind))?;
    history.check(view, institution, record, common, (&key, course.as_ref()), &account)?;
    history.documents(&documents)?;
    history.paper(paper.as_ref())?;
    let spelling = common.course.as_deref().map_or([0; 8], spelling);
    Ok(Some(Admitted {
        account,
        kind,
        institution,
        key,
        spelling,
        repeats_max,
        amends,
        redeems,
        depends_on,
        consents,
        documents,
        late,
        paper,
    }))
}
