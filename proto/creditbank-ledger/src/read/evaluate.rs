//! How far a learner is with a qualification: which records fill what, what is missing, and a draft of the award.

mod on_the_way;
mod wishes;

use std::collections::{BTreeMap, btree_map};

use creditbank_protocol::dates::{Day, date_of};
use creditbank_protocol::pb::{self, Kind, QualificationDefinition, QualificationName, RecordReference};
use creditbank_protocol::record::is_embargoed;
use creditbank_protocol::{AccountId, InstitutionId, Part, Place, Portion, Standing};
use creditbank_rules::admission::{
    AdmissionError, Overlapping, Spending, Used, earlier, is_contested, is_redeemed, late, source_of, stands,
};
use creditbank_rules::agreement::{most_specific, name_of};
use creditbank_rules::conversion::{Account as Granted, Basis, Request, convert};
use creditbank_rules::qualification::{
    Answer, Audit, Barred, Beside, Candidate, Case, ENROLMENTS_MAX, Found, HeldEnrolment, RequirementProgress, Terms,
    Undecided, UnusedReason, check, confers, in_force, names,
};
use creditbank_rules::{Rejection, Rule, View};

use on_the_way::{Learner, OnTheWay};
use wishes::wishes;

use super::{QuestionError, ReadScope, ReadView, named_day};

/// Most candidates of one evaluation, and most bytes of the records that they are made of.
const CANDIDATES_MAX: usize = 4_096;
const RECORD_BYTES_MAX: usize = 16 << 20;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Of which qualification; version 0: the one in force on the day.
    pub definition: QualificationName,
    /// The day of conferral; `None`: today.
    pub conferred: Option<pb::Date>,
    /// What people attest.
    pub attestations: Vec<pb::Attestation>,
    /// Who would confer; `None`: who has published the definition.
    pub institution: Option<InstitutionId>,
    /// The enrolments by which it is judged; empty: those of the learner on this qualification that stand.
    pub enrolments: Vec<Place>,
    /// Records, or results, that are to be counted.
    pub used: Vec<Portion>,
    /// Records, or results, that are not to be counted.
    pub kept: Vec<Portion>,
    /// Other qualifications that are to be left possible, beside those on which the learner is enrolled.
    pub beside: Vec<QualificationName>,
}

/// Whether the records make the award.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They do.
    Met,
    /// Proved that they do not.
    Missing,
    /// They do, but not with what is to be counted and what is not.
    Contradicted,
    /// Neither found nor proved.
    Undecided(Undecided),
}

/// How far the learner is.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Whether the records make the award.
    pub verdict: Verdict,
    /// Each requirement of the definition, in order; none when undecided.
    pub requirements: Vec<Requirement>,
    /// What fills nothing. Of credit that would count after a conversion only that is said.
    pub unused: Vec<Unused>,
    /// A draft of the award, of records that make it and can all be spent at once.
    pub award: Option<pb::Award>,
    /// Standing awards of the qualification that the caller sees: another one needs another specialisation. Empty where the
    /// definition is repeatable.
    pub awarded: Vec<Place>,
}

/// How far one requirement gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// As the rules measure it.
    pub progress: RequirementProgress,
    /// What fills it.
    pub filled: Vec<pb::Allocation>,
}

/// A record, or a result of one, that fills nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Unused {
    /// The record, or the result.
    pub portion: Portion,
    /// Why.
    pub reason: UnusedReason,
    /// What it would be after a conversion that has not taken place.
    pub after: Option<Converted>,
}

/// What credit would be after a conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The amount.
    pub amount: pb::Amount,
    /// The agreement that would convert it.
    pub agreement: pb::AgreementName,
}

/// Looks for an allocation of the learner's records, as far as the caller sees them. `allocate` looks; what it finds
/// has passed the check of the rules (`creditbank-allocation`, which has a solver and needs a clock to give up).
pub fn evaluate(
    view: &impl ReadView,
    account: &AccountId,
    question: Question,
    scope: &ReadScope,
    today: Day,
    allocate: &mut dyn FnMut(&Case<'_>, &[Beside<'_>]) -> Answer,
) -> Result<Evaluation, QuestionError> {
    let Question { definition: name, conferred, attestations, institution, enrolments, used, kept, beside } = question;
    let day = named_day(conferred.as_ref(), "conferred", today)?;
    let records = seen(view, account, scope, today)?;
    let learner = Learner { view, account, records: &records, day, today };
    let own = learner.on_the_way(&name, institution, &enrolments, true)?;
    let OnTheWay { definition, institution, references, absorbs, found, held, .. } = &own;
    let (definition, institution) = (*definition, *institution);
    let awarded = awarded(definition, &records);
    let case = || Case::new(view.registry(), definition, found, &attestations, held, &own.enrolments, day);
    let (used, kept) = wishes(&case()?, &used, &kept)?;
    let terms = Terms { budgets: own.budgets.clone(), used, kept };
    let names = learner.programmes(definition, &beside);
    let others = names.iter().filter_map(|name| learner.other(name, definition).transpose());
    let others: Vec<OnTheWay<'_>> = others.collect::<Result<_, _>>()?;
    let besides = others.iter().map(|one| one.beside(view.registry(), definition, day));
    let besides: Vec<Beside<'_>> = besides.collect::<Result<_, _>>()?;
    let wished = !terms.used.is_empty() || !terms.kept.is_empty();
    let bare = Terms { budgets: terms.budgets.clone(), ..Terms::default() };
    let (allocated, audit) = match allocate(&case()?.with(terms), &besides) {
        Answer::Met { found, audit } => (found, Some(audit)),
        Answer::Missing(found) => (found, None),
        Answer::Undecided(why) => {
            let verdict = Verdict::Undecided(why);
            return Ok(Evaluation { verdict, requirements: Vec::new(), unused: Vec::new(), award: None, awarded });
        }
    };
    let (requirements, unused) = (requirements(&allocated), unused(&allocated, found));
    let Some(Audit { average_e4, spent, .. }) = audit else {
        let otherwise = wished && matches!(allocate(&case()?.with(bare), &[]), Answer::Met { .. });
        let verdict = if otherwise { Verdict::Contradicted } else { Verdict::Missing };
        return Ok(Evaluation { verdict, requirements, unused, award: None, awarded });
    };
    let late = if today - day > late::AWARD_DAYS {
        let now = check(
            view.registry(),
            definition,
            found,
            &allocated.allocations,
            &attestations,
            held,
            &own.enrolments,
            institution,
            today,
        );
        now.err().map(|refused| late::refused_now(refused.rule))
    } else {
        None
    };
    let declared = spent.iter().filter_map(|position| found.get(*position)).filter(|one| one.declared);
    let mut award = pb::Award {
        learner: view.alias(institution, account).as_bytes().to_vec(),
        definition: Some(named(definition)),
        basis: pb::AwardBasis::Audited.into(),
        allocations: allocated.allocations,
        attestations: attestations.clone(),
        conferred: Some(date_of(day)),
        average_e4,
        declared_e4: declared.fold(0, |sum, one| sum.saturating_add(one.amount_e4())),
        late,
        enrolments: references.clone(),
        ..Default::default()
    };
    let (verdict, award) = match pay(view, definition, absorbs, (account, today), &records, found, &mut award) {
        Ok(()) => (Verdict::Met, Some(award)),
        // Each record by itself could be spent, and what they share with other awards was counted.
        Err(AdmissionError::Rejected(_)) => (Verdict::Undecided(Undecided::Fault), None),
        Err(AdmissionError::View(error)) => return Err(error.into()),
    };
    Ok(Evaluation { verdict, requirements, unused, award, awarded })
}

/// The learner's records as far as the caller sees them, no more than one evaluation holds.
fn seen(view: &impl ReadView, account: &AccountId, scope: &ReadScope, today: Day) -> Result<Vec<Used>, QuestionError> {
    let mut bytes = 0;
    let mut records = Vec::new();
    for place in view.learner_places(account)? {
        let Some((facts, record)) = view.content_at(place)? else { continue };
        let used = Used { place, facts, record };
        if !scope.sees(view, &used, today) {
            continue;
        }
        bytes += used.record.body().len() + size_of::<Used>();
        if bytes > RECORD_BYTES_MAX {
            let expected = format!("at most {RECORD_BYTES_MAX} bytes of records");
            return Err(Rejection::new(Rule::DefinitionTooLarge, expected, "more").into());
        }
        records.push(used);
    }
    Ok(records)
}

fn few(found: &[Candidate]) -> Result<(), Rejection> {
    if found.len() <= CANDIDATES_MAX {
        return Ok(());
    }
    let expected = format!("at most {CANDIDATES_MAX} records that could count");
    Err(Rejection::new(Rule::DefinitionTooLarge, expected, "more"))
}

/// What credit in other units would be after a conversion.
struct Hypothetical<'a, V> {
    view: &'a V,
    definition: &'a QualificationDefinition,
    institution: InstitutionId,
    account: &'a AccountId,
    day: Day,
    /// What was given under each agreement so far: read once, however many credits it covers.
    granted: BTreeMap<String, Granted>,
}

impl<V: View> Hypothetical<'_, V> {
    /// What a credit would be under the agreement that is in force for it.
    fn of(&mut self, used: &Used) -> Result<Vec<Candidate>, QuestionError> {
        let Self { view, definition, institution, account, day, granted } = self;
        if used.record.kind() != Kind::Credit || !used.facts.marks.is_empty() {
            return Ok(Vec::new());
        }
        let source = source_of(used, Part::Whole)?;
        let other_unit = source.amount.as_ref().is_some_and(|amount| amount.unit != definition.unit);
        let registry = view.registry();
        let agreement = most_specific(registry, used.facts.institution, *institution, &source.facts(), *day);
        let agreement = agreement.filter(|found| other_unit && found.terms().target_unit == definition.unit);
        let Some(agreement) = agreement else { return Ok(Vec::new()) };
        let name = name_of(agreement.terms());
        let mut conversion = pb::Conversion { agreement: Some(name.clone()), ..Default::default() };
        let granted = match granted.entry(name.code) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Granted::of(&earlier(*view, *institution, &conversion, None, account)?)?)
            }
        };
        let reference = source.record.clone();
        let request = Request {
            registry,
            basis: Basis::Agreement(agreement),
            receiver: *institution,
            sources: &[source],
            account: granted,
            decided: *day,
            promised: None,
            stated: &[],
        };
        // What the agreement does not take is no help, and no error.
        let Ok(converted) = convert(&request) else { return Ok(Vec::new()) };
        conversion.sources = converted.sources;
        conversion.results = converted.results;
        let would = Candidate::conversion(registry, definition, &reference, *institution, &conversion, None);
        Ok(would.into_iter().map(|one| Candidate { hypothetical: true, ..one }).collect())
    }
}

fn named(definition: &QualificationDefinition) -> QualificationName {
    let QualificationDefinition { institution, code, version, .. } = definition;
    QualificationName { institution: *institution, code: code.clone(), version: *version }
}

/// The enrolments by which the award is judged: those that are wanted, or else the learner's that stand: on this
/// qualification, or, where there is none such, on the programme of its code that says nothing of a qualification.
fn enrolments(
    view: &impl View,
    name: &QualificationName,
    wanted: &[Place],
    records: &[Used],
) -> Result<Vec<(RecordReference, HeldEnrolment)>, QuestionError> {
    let confers = |institution: InstitutionId| {
        view.registry().versions_of(name.institution.into(), &name.code).any(|one| confers(one, institution))
    };
    let (mut on, mut bare) = (Vec::new(), Vec::new());
    for used in records.iter().filter(|used| used.record.kind() == Kind::Enrolment) {
        let Ok(read) = used.record.read::<pb::Enrolment>() else { continue };
        let among = if wanted.is_empty() { confers(used.facts.institution) } else { wanted.contains(&used.place) };
        if !among || !stands(view, used)? {
            continue;
        }
        let found = (used.reference(), HeldEnrolment::of(&read));
        let coded = read.programme.is_some_and(|programme| programme.code == name.code);
        match &read.definition {
            Some(of) if (of.institution, &of.code) == (name.institution, &name.code) => on.push(found),
            None if coded || !wanted.is_empty() => bare.push(found),
            _ => {}
        }
    }
    let found = match (wanted.is_empty(), on.is_empty()) {
        (true, false) => on,
        (true, true) => bare,
        (false, _) => [on, bare].concat(),
    };
    if found.len() < wanted.len() {
        let expected = "places of enrolments of this learner on this qualification that stand";
        let found = format!("{} of {}", found.len(), wanted.len());
        return Err(Rejection::new(Rule::SourceNotUsable, expected, found).field("enrolments").into());
    }
    Ok(newest(found))
}

/// As many as an award names: those that began last, in the order of their places.
fn newest(mut found: Vec<(RecordReference, HeldEnrolment)>) -> Vec<(RecordReference, HeldEnrolment)> {
    let place = |reference: &RecordReference| Place::of_reference(Some(reference));
    found.sort_by_key(|(reference, one)| (one.from, place(reference)));
    let mut newest = found.split_off(found.len().saturating_sub(ENROLMENTS_MAX));
    newest.sort_by_key(|(reference, _)| place(reference));
    newest
}

/// The definition that is asked for; of version 0 the one on which the learner has enrolled last, if any, or else the
/// newest that is in force.
fn definition<'a>(
    view: &'a impl View,
    name: &QualificationName,
    day: Day,
    enrolments: &[HeldEnrolment],
) -> Result<&'a QualificationDefinition, QuestionError> {
    let registry = view.registry();
    let on = enrolments.iter().filter(|one| one.counts).filter_map(|one| Some((one.from, one.definition.as_ref()?)));
    let chosen = on.max_by_key(|(from, _)| *from).map(|(_, name)| name.version);
    let version = if name.version == 0 { chosen.unwrap_or(0) } else { name.version };
    let found = match version {
        0 => registry
            .versions_of(name.institution.into(), &name.code)
            .filter(|one| in_force(registry, one, one.institution.into(), day, &[]).is_ok())
            .last(),
        version => registry.definition(name.institution.into(), &name.code, version),
    };
    let shown = format!("{}/{}.{}", name.institution, name.code, name.version);
    let unknown = || Rejection::new(Rule::UnknownReference, "a definition of the registry", shown).field("definition");
    found.ok_or_else(|| unknown().into())
}

/// The learner's awards that the definition absorbs and nothing has absorbed yet.
fn absorbable(
    view: &impl View,
    definition: &QualificationDefinition,
    records: &[Used],
) -> Result<Vec<RecordReference>, QuestionError> {
    let absorbed = |used: &&Used| {
        let name = used.record.read::<pb::Award>().ok().and_then(|award| award.definition).unwrap_or_default();
        definition.absorbs.iter().any(|one| names(one, &name))
    };
    let mut found = Vec::new();
    for used in records.iter().filter(|used| used.record.kind() == Kind::Award).filter(absorbed) {
        if stands(view, used)? && !is_redeemed(view, used)? {
            found.push(used.reference());
        }
    }
    Ok(found)
}

/// The awards of a qualification, in whatever version, that stand in the way of another one of the same specialisation.
fn awarded(definition: &QualificationDefinition, records: &[Used]) -> Vec<Place> {
    let standing = |used: &&Used| used.record.kind() == Kind::Award && !used.facts.marks.have_ended();
    let of_code = |used: &&Used| {
        let name = used.record.read::<pb::Award>().ok().and_then(|award| award.definition);
        name.is_some_and(|name| (name.institution, &name.code) == (definition.institution, &definition.code))
    };
    let all = records.iter().filter(|_| !definition.repeatable);
    all.filter(standing).filter(of_code).map(|used| used.place).collect()
}

/// Why a candidate cannot be used; `overlapping` is there where it could be spent by itself.
fn barred(
    view: &impl View,
    overlapping: Option<&Vec<Overlapping>>,
    used: &Used,
    today: Day,
) -> Result<Option<Barred>, QuestionError> {
    // Dates are the solver's to judge.
    let standing = Standing::in_ledger(&used.facts.marks, |standing| -> Result<_, QuestionError> {
        Ok(match standing {
            Standing::Contested => Some(is_contested(view, used)?),
            Standing::NotVisible => Some(is_embargoed(used.visible_from().as_ref(), today)),
            Standing::Redeemed => Some(overlapping.is_none()),
            _ => None,
        })
    })?;
    Ok(match standing {
        Standing::Revoked => Some(Barred::Revoked),
        Standing::Superseded => Some(Barred::Superseded),
        Standing::Contested => Some(Barred::Contested),
        Standing::Disputed => Some(Barred::Disputed),
        Standing::Redeemed => Some(Barred::Spent),
        Standing::UnderReview => Some(Barred::UnderReview),
        Standing::NotVisible => used.visible_from().map(Barred::NotVisible),
        Standing::Incomplete | Standing::IssuerNotTrusted | Standing::Expired | Standing::Authentic => None,
    })
}

/// What the award redeems, and which earlier awards it has to absorb for that: no more than needed.
fn pay(
    view: &impl View,
    definition: &QualificationDefinition,
    absorbs: &[RecordReference],
    (account, today): (&AccountId, Day),
    records: &[Used],
    found: &[Candidate],
    award: &mut pb::Award,
) -> Result<(), AdmissionError> {
    let spend = |absorbs: &[RecordReference]| {
        let mut spending = Spending::new(view, account, definition, today);
        absorbs.iter().try_for_each(|earlier| spending.absorb(earlier))?;
        for allocation in &award.allocations {
            let portion = Portion::of_reference(allocation.record.as_ref(), allocation.result_plus_1);
            let used = records.iter().find(|used| used.place == portion.place);
            let of = |one: &&Candidate| one.portion() == portion && !one.hypothetical;
            if let Some((used, one)) = used.zip(found.iter().find(of)) {
                spending.count(used, portion.part, one.amount_e4())?;
            }
        }
        Ok::<_, AdmissionError>(spending.finish().0)
    };
    let mut needed = absorbs.to_vec();
    let mut redeems = spend(&needed)?;
    for one in absorbs {
        let fewer: Vec<RecordReference> = needed.iter().filter(|other| *other != one).cloned().collect();
        if let Ok(less) = spend(&fewer) {
            (needed, redeems) = (fewer, less);
        }
    }
    (award.redeems, award.absorbs) = (redeems, needed);
    Ok(())
}

fn requirements(found: &Found) -> Vec<Requirement> {
    let each = found.progress.requirements.iter().map(|progress| {
        let filled = found.allocations.iter().filter(|given| given.requirement == progress.number).cloned().collect();
        Requirement { progress: progress.clone(), filled }
    });
    each.collect()
}

fn unused(found: &Found, candidates: &[Candidate]) -> Vec<Unused> {
    let would = |one: &Candidate| {
        candidates.iter().any(|other| other.hypothetical && other.place() == one.place()) && !one.hypothetical
    };
    let shown = found.progress.unused.iter().filter(|one| !would(&candidates[one.candidate])).map(|one| {
        let candidate = &candidates[one.candidate];
        let agreement = candidate.agreement.clone().filter(|_| candidate.hypothetical);
        let amount = candidate.amount.clone();
        // A conversion in thought has no results; what is unused is the record that would be its source.
        let part = if candidate.hypothetical { Part::Whole } else { candidate.part };
        Unused {
            portion: Portion { place: candidate.place(), part },
            reason: one.reason.clone(),
            after: amount.zip(agreement).map(|(amount, agreement)| Converted { amount, agreement }),
        }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: of more enrolments than an award names the oldest are left out, wherever they stand in the log.
    #[test]
    fn the_newest_enrolments_are_judged() {
        let spell = |entry: u64, from: Day| {
            let reference = RecordReference { place: Some(Place::new(entry, 0).into()), ..Default::default() };
            (reference, HeldEnrolment { definition: None, from, until: None, counts: true, left: false })
        };
        // What began last was sealed first.
        let all: Vec<_> = (0..18).map(|entry| spell(entry, 1_000 - Day::try_from(entry).expect("small"))).collect();
        let kept = newest(all);
        let places: Vec<u64> = kept.iter().map(|(one, _)| Place::of_reference(Some(one)).entry.0).collect();
        assert_eq!(places, (0..16).collect::<Vec<_>>());
        assert_eq!(newest(vec![spell(2, 5), spell(1, 9)]), [spell(1, 9), spell(2, 5)]);
    }
}
