//! Awards: recomputed where they say so, signed by everybody who confers, and paid for once.

use creditbank_protocol::dates::show_minute;
use creditbank_protocol::key::{KeyId, verify, within_dates};
use creditbank_protocol::mandate::{core, joint_message};
use creditbank_protocol::once::SALT_LEN;
use creditbank_protocol::pb::{self, Award, AwardBasis, Kind, Purpose, QualificationDefinition};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{AccountId, Digest, Part, Place, Portion};

use super::candidates::{candidates, held_awards, passes};
use super::derived::{Derived, Issuing};
use super::fields::{present, require};
use super::recognition::past_day;
use super::repeated::mark_repeats;
use super::spend::{Spending, stands_on};
use super::used::{at, named, visible};
use super::uses::consent_lasts;
use super::{AdmissionError, declared, documents, enrolment, late, mandate};
use crate::dates::Day;
use crate::decimal::show_e4;
use crate::plausible::happened;
use crate::qualification::{self, Audit, Candidate, HeldAward, HeldEnrolment};
use crate::{CourseKey, DocumentKey, Registry, Rejection, Rule, View};

/// Checks an award of an institution.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let award: Award = record.read().map_err(super::kinds::malformed)?;
    present(award.kind != 0, "kind", "graduation, degree, diploma or certificate")?;
    present(!award.decider.is_empty(), "decider", "the person who answers for it")?;
    let conferred = past_day(award.conferred.as_ref(), "conferred", issuing.latest_day())?;
    let attested = award.attestations.iter().filter_map(|one| one.on.as_ref());
    attested.into_iter().try_for_each(|on| happened(on, issuing.latest_day(), "attestations"))?;
    let basis = AwardBasis::try_from(award.basis).unwrap_or_default();
    let before = amends.map(|former| same_basis(view, &award, former, account)).transpose()?;
    let before = amends.zip(before.as_ref());
    let numbers = DocumentKey::of_award(&award, issuing.institution);
    let bare = is_bare(&award);
    let consumes = basis == AwardBasis::Declared || award.consumes_none.is_empty();
    let expected = "nothing: only a declared award says that it consumes none";
    require(consumes, Rule::Contradiction, "consumes_none", expected, "a reason")?;
    let given = award.mandate.as_ref();
    let digest = given.map(|_| mandate::check(view.registry(), issuing, record, given)).transpose()?;
    let consents: Vec<Digest> = digest.into_iter().collect();
    let derived = |depends_on| {
        let consents = consents.clone();
        let documents = numbers.clone();
        Derived { key: Some(CourseKey::Award), depends_on, consents, documents, ..Derived::default() }
    };
    let judged = Late { view, issuing, record, amends, account, award: &award, conferred };
    match basis {
        AwardBasis::Unspecified => present(false, "basis", "audited, declared or honorary")?,
        AwardBasis::Honorary => {
            documents::check(view, issuing, &award, &[], before)?;
            honorary(&award)?;
            return Ok(Derived { late: judged.check(|_| Ok(None))?, ..derived(Vec::new()) });
        }
        AwardBasis::Audited | AwardBasis::Declared => {}
    }
    let none = award.titles.is_empty();
    require(none, Rule::Contradiction, "titles", "none: the definition has them", award.titles.len())?;
    let definition = definition(view.registry(), award.definition.as_ref())?;
    let (named, enrolments): (Vec<Place>, Vec<HeldEnrolment>) =
        enrolment::named_by(view, &award, definition, before.map(|(_, before)| before), account)?.into_iter().unzip();
    qualification::in_force(view.registry(), definition, issuing.institution, conferred, &enrolments)?;
    let among = if definition.awarding.is_empty() { &[definition.institution][..] } else { &definition.awarding };
    documents::check(view, issuing, &award, among, before)?;
    let joint = cosigned(view.registry(), issuing, record, &award, definition)?;
    let derived = |depends_on: Vec<Place>| {
        let derived = derived(sorted(depends_on.into_iter().chain(named.iter().copied())));
        Derived { consents: [&derived.consents[..], &joint].concat(), ..derived }
    };
    if basis == AwardBasis::Declared {
        require(bare, Rule::Contradiction, "basis", "a declared award without allocations", "some")?;
        let before = before.map(|(_, before)| before);
        let days = (conferred, issuing.day());
        let (redeems, depends_on) = declared::consumed(view, &award, (definition, among), before, account, days)?;
        let redeems = if redeems.is_empty() {
            Vec::new()
        } else {
            let digest = mandate::check(view.registry(), issuing, record, given)?;
            redeems.into_iter().map(|place| (place, digest)).collect()
        };
        let on = |day| {
            let stands = qualification::in_force(view.registry(), definition, issuing.institution, day, &enrolments);
            late::refused(stands.map_err(AdmissionError::from))
        };
        return Ok(Derived { redeems, late: judged.check(on)?, ..derived(depends_on) });
    }
    let digest = mandate::check(view.registry(), issuing, record, given)?;
    let asked = held_awards(view, definition, account)?;
    let held_on = |day: Day| asked.iter().filter(move |(_, one)| one.conferred <= day);
    let prior: Vec<Place> = held_on(conferred).map(|(place, _)| *place).collect();
    if let Some((_, before)) = before {
        let stands_on = unchanged(view, &award, before, account)?;
        let late = judged.check(|_| Ok(None))?;
        return Ok(Derived { late, ..derived(sorted(stands_on.into_iter().chain(prior))) });
    }
    let (candidates, spending) = counted(view, &award, definition, &enrolments, account, issuing.day())?;
    let audit = |day: Day| {
        let held: Vec<HeldAward> = held_on(day).map(|(_, one)| one.clone()).collect();
        qualification::check(
            view.registry(),
            definition,
            &candidates,
            &award.allocations,
            &award.attestations,
            &held,
            &enrolments,
            issuing.institution,
            day,
        )
    };
    let late = judged.check(|day| late::refused(audit(day).map_err(AdmissionError::from)))?;
    let audit = audit(conferred)?;
    states(&award, &candidates, &audit)?;
    let (redeems, stands_on) = spending.finish();
    let depends_on = sorted(stands_on.into_iter().chain(prior));
    same_redeems(&redeems, &award)?;
    let redeems = redeems.iter().filter_map(|one| Some((one.place?.into(), digest))).collect();
    Ok(Derived { redeems, late, ..derived(depends_on) })
}

/// The award names what it has to redeem, and nothing else.
pub(super) fn same_redeems(redeems: &[pb::RecordReference], award: &Award) -> Result<(), Rejection> {
    let shown = |list: &[pb::RecordReference]| {
        let places: Vec<String> =
            list.iter().filter_map(|one| one.place).map(|place| Place::from(place).to_string()).collect();
        if places.is_empty() { "nothing".to_owned() } else { places.join(", ") }
    };
    let same = redeems == award.redeems;
    require(same, Rule::AlreadySpent, "redeems", shown(redeems), shown(&award.redeems))
}

/// An award whose time is judged.
struct Late<'a, V> {
    view: &'a V,
    issuing: Issuing,
    record: &'a Record,
    amends: Option<Place>,
    account: &'a AccountId,
    award: &'a Award,
    conferred: Day,
}

impl<V: View> Late<'_, V> {
    /// Whether it is late. Neither is what comes in the place of a revoked award, on the day of that one, nor what stands
    /// on the institution's word and was conferred before it was in the registry.
    fn check(
        &self,
        now_refuses: impl FnOnce(Day) -> Result<Option<Rule>, AdmissionError>,
    ) -> Result<bool, AdmissionError> {
        let Self { view, issuing, record, amends, account, award, conferred } = *self;
        let admitted = view.registry().recorded_on(&RegistryKey::Institution(issuing.institution));
        let legacy = award.basis() != AwardBasis::Audited && admitted.is_some_and(|admitted| conferred < admitted);
        if replaces(view, award, account)? || legacy {
            let expected = "nothing: it comes in the place of a revoked award, or from before the ledger";
            require(award.late.is_none(), Rule::Late, "late", expected, "what is said of a late record")?;
            return Ok(false);
        }
        late::check(view, issuing, (record, amends), account, late::AWARD_DAYS, now_refuses)
    }
}

/// Whether an award comes in the place of a revoked one: of the same definition, whatever its version, and conferred on
/// the day of that one.
fn replaces(view: &impl View, award: &Award, account: &AccountId) -> Result<bool, AdmissionError> {
    let Some(reference) = &award.replaces else { return Ok(false) };
    let used = named(view, Some(reference), account, "replaces")?;
    let read = used.record.read::<Award>().ok().filter(|_| used.record.kind() == Kind::Award);
    let revoked = used.facts.marks.get(Mark::Revoked).is_some();
    let before = read.filter(|_| revoked);
    let expected = "the place and status id of an award of this learner that was revoked";
    let missing = || Rejection::new(Rule::SourceNotUsable, expected, used.place.to_string()).field("replaces");
    let before = before.ok_or_else(missing)?;
    let definition = |of: &Award| of.definition.as_ref().map(|name| (name.institution, name.code.clone()));
    let same = definition(&before) == definition(award) && before.conferred == award.conferred;
    let expected = "definition and day of conferral of the revoked award";
    require(same, Rule::Contradiction, "replaces", expected, "others")?;
    Ok(true)
}

/// Whether an award counts nothing and names nothing that only an audit gives.
fn is_bare(award: &Award) -> bool {
    award.allocations.is_empty()
        && award.absorbs.is_empty()
        && award.attestations.is_empty()
        && award.average_e4.is_none()
        && award.declared_e4 == 0
}

/// An honorary award has a title of its own, and nothing by which others are judged.
fn honorary(award: &Award) -> Result<(), Rejection> {
    present(!award.titles.is_empty(), "titles", "the title of an honorary award")?;
    let free = award.definition.is_none()
        && is_bare(award)
        && award.redeems.is_empty()
        && award.cosignatures.is_empty()
        && award.enrolments.is_empty();
    require(free, Rule::Contradiction, "basis", "an honorary award without requirements", "some")
}

/// The award states the mean that the audit gives, and how much of what it counts was declared.
fn states(award: &Award, candidates: &[Candidate], audit: &Audit) -> Result<(), Rejection> {
    let same = award.average_e4 == audit.average_e4;
    let shown = |ratio: Option<pb::Ratio>| {
        ratio.map_or("none".to_owned(), |ratio| format!("{}/{}", ratio.numerator, ratio.denominator))
    };
    let (expected, found) = (shown(audit.average_e4), shown(award.average_e4));
    require(same, Rule::RequirementsNotMet, "average_e4", expected, found)?;
    let spent = audit.spent.iter().filter_map(|position| candidates.get(*position));
    let sum = spent.filter(|one| one.declared).fold(0u64, |sum, one| sum.saturating_add(one.amount_e4()));
    let expected = format_args!("{}, which stand on declared conversions", show_e4(sum));
    require(sum == award.declared_e4, Rule::Contradiction, "declared_e4", expected, show_e4(award.declared_e4))
}

fn sorted(places: impl Iterator<Item = Place>) -> Vec<Place> {
    let mut places: Vec<Place> = places.collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The definition that an award names.
pub(crate) fn definition<'a>(
    registry: &'a Registry,
    name: Option<&pb::QualificationName>,
) -> Result<&'a QualificationDefinition, Rejection> {
    let missing = || Rejection::new(Rule::MissingField, "a definition", "nothing").field("definition");
    let name = name.ok_or_else(missing)?;
    let shown = format!("{}/{}.{}", name.institution, name.code, name.version);
    let found = registry.definition(name.institution.into(), &name.code, name.version);
    found.ok_or_else(|| {
        Rejection::new(Rule::UnknownReference, "a definition of the registry", shown).field("definition")
    })
}

/// The other institutions that confer have signed the same award: their signatures, by digest.
fn cosigned(
    registry: &Registry,
    issuing: Issuing,
    record: &Record,
    award: &Award,
    definition: &QualificationDefinition,
) -> Result<Vec<Digest>, Rejection> {
    let own = issuing.institution.0;
    let others: Vec<u64> = definition.awarding.iter().copied().filter(|number| *number != own).collect();
    let found: Vec<u64> = award.cosignatures.iter().map(|one| one.institution).collect();
    let expected = format!("one signature each of institutions {others:?}");
    require(found == others, Rule::NotCosigned, "cosignatures", expected, format!("{found:?}"))?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let core = core(record.kind(), record.body()).map_err(super::kinds::malformed)?;
    let minute = issuing.sealed_at_ms / 60_000;
    let mut digests = Vec::with_capacity(award.cosignatures.len());
    for one in &award.cosignatures {
        let key = KeyId::from_slice(&one.key_id).and_then(|id| registry.key(&id)).filter(|key| {
            key.institution == one.institution
                && key.purpose == i32::from(Purpose::Unit)
                && key.kinds.contains(&i32::from(Kind::Award))
                && key.revoked.is_none()
                && within_dates(key, minute)
        });
        present(one.salt.len() == SALT_LEN, "cosignatures", "16 random bytes as the salt of each")?;
        let message = joint_message(registry.origin(), issuing.institution, &core, one);
        let active = registry.is_active(one.institution.into());
        let holds =
            active && key.is_some_and(|key| verify(&key.public_key, message.as_bytes(), &one.signature).is_ok());
        let expected =
            "a signature over this award by a unit key in force, with awards in its scope, of an active institution";
        require(holds, Rule::NotCosigned, "cosignatures", expected, format_args!("another of {}", one.institution))?;
        let until = one.until_minute;
        let lasts = consent_lasts(until, issuing.created_at_minute, minute);
        lasts.map_err(|expected| {
            Rejection::new(Rule::NotCosigned, expected, show_minute(until)).field("cosignatures")
        })?;
        digests.push(message.digest());
    }
    Ok(digests)
}

/// What an audited award holds, its amendment holds: it cannot become one that counts nothing.
/// The amended award is returned.
fn same_basis(view: &impl View, award: &Award, former: Place, account: &AccountId) -> Result<Award, AdmissionError> {
    let before: Award = at(view, former, account, "amends")?.record.read().map_err(super::kinds::malformed)?;
    let expected = "the basis of the amended award (for another one, revoke it and award anew)";
    require(award.basis == before.basis, Rule::Contradiction, "basis", expected, "another")?;
    Ok(before)
}

/// An amended award counts what the former one counted, and redeems nothing anew.
fn unchanged(
    view: &impl View,
    award: &Award,
    before: &Award,
    account: &AccountId,
) -> Result<Vec<Place>, AdmissionError> {
    let same = award.definition == before.definition
        && award.basis == before.basis
        && award.conferred == before.conferred
        && award.allocations == before.allocations
        && award.attestations == before.attestations
        && award.redeems == before.redeems
        && award.absorbs == before.absorbs
        && award.enrolments == before.enrolments
        && award.average_e4 == before.average_e4
        && award.declared_e4 == before.declared_e4
        && award.replaces == before.replaces;
    let expected = "what the amended award counts (to count something else, revoke it and award anew)";
    require(same, Rule::Contradiction, "allocations", expected, "something else")?;
    stands_on(view, award, account)
}

/// The records that an award counts, as its requirements see them, and what it has to redeem for them.
fn counted<'a, V: View>(
    view: &'a V,
    award: &Award,
    definition: &'a QualificationDefinition,
    enrolments: &[HeldEnrolment],
    account: &AccountId,
    today: Day,
) -> Result<(Vec<Candidate>, Spending<'a, V>), AdmissionError> {
    let mut spending = Spending::new(view, account, definition, today);
    for earlier in &award.absorbs {
        spending.absorb(earlier)?;
    }
    // By place, so that each record is read once, however many of its results count.
    let portion = |one: &&pb::Allocation| Portion::of_reference(one.record.as_ref(), one.result_plus_1);
    let mut allocations: Vec<&pb::Allocation> = award.allocations.iter().collect();
    allocations.sort_by_key(portion);
    let mut counted = Vec::with_capacity(allocations.len());
    for of_record in allocations.chunk_by(|one, other| one.record == other.record) {
        let used = named(view, of_record[0].record.as_ref(), account, "allocations")?;
        visible(&used, today, "allocations")?;
        let all = candidates(view.registry(), definition, &used);
        for allocation in of_record {
            let part = Part::read(allocation.result_plus_1);
            let one = all.iter().find(|one| one.part == part).cloned();
            let expected = "a credit, an outcome, or one result of a conversion or recognition";
            let missing =
                || Rejection::new(Rule::SourceNotUsable, expected, used.place.to_string()).field("allocations");
            let one = one.ok_or_else(missing)?;
            spending.count(&used, part, one.amount_e4())?;
            counted.push(one);
        }
    }
    let others = passes(view, definition, &counted, account, today)?;
    counted.extend(others);
    mark_repeats(view, account, &mut counted)?;
    qualification::mark_enrolled(&mut counted, enrolments);
    Ok((counted, spending))
}
