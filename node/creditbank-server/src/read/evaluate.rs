//! How far a learner is with a qualification: which records fill what, what is missing, and a draft of the award.

use std::collections::{BTreeMap, btree_map};
use std::time::{Duration, Instant};

use creditbank_allocation::{Answer, Found, allocate};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::dates::{Day, date_of};
use creditbank_protocol::pb::{self, Kind, QualificationDefinition, QualificationName, RecordReference};
use creditbank_protocol::{InstitutionId, Place, Standing};
use creditbank_rpc::v1::{self as api, EvaluateQualificationResponse, EvaluationOutcome};
use creditbank_rules::admission::{
    AdmissionError, Spending, Used, award_of, candidates, earlier, is_contested, is_redeemed, source_of,
};
use creditbank_rules::agreement::{most_specific, name_of};
use creditbank_rules::conversion::{Account as Granted, Basis, Request, convert};
use creditbank_rules::decimal::show_e4;
use creditbank_rules::qualification::{Audit, Barred, Candidate, Case, in_force, names};
use creditbank_rules::{Rejection, Rule, View as _};

use super::ReadError;
use super::shown::ReadScope;
use crate::append::round::StoreView;
use crate::ledger::Ledger;
use crate::private::Account;

/// How long an allocation is looked for. Beyond it the answer is honest: undecided.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most candidates of one evaluation.
const CANDIDATES_MAX: usize = 4_096;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// Of which qualification; version 0: the one in force on the day.
    pub definition: QualificationName,
    /// The day of conferral; `None`: today.
    pub conferred: Option<pb::Date>,
    /// What people attest.
    pub attestations: Vec<pb::Attestation>,
    /// Who would confer; `None`: who has published the definition.
    pub institution: Option<u64>,
}

impl Ledger {
    /// Looks for an allocation of the learner's records, as far as the caller sees them.
    pub fn evaluate(
        &self,
        account: &Account,
        question: Question,
        scope: &ReadScope,
    ) -> Result<EvaluateQualificationResponse, ReadError> {
        let Question { definition: name, conferred, attestations, institution } = question;
        let day = self.day(conferred.as_ref(), "conferred")?;
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let definition = definition(&view, &name, day)?;
        let institution = InstitutionId(institution.unwrap_or(definition.institution));
        in_force(view.registry(), definition, institution, day)?;
        let records = self.at_hand(&view, account, scope)?;
        let absorbs = absorbable(&view, definition, &records)?;
        let mut found = Vec::new();
        let mut spending = Spending::new(&view, account, definition);
        for earlier in &absorbs {
            spending.absorb(earlier)?;
        }
        let mut would = Hypothetical { view: &view, definition, institution, account, day, granted: BTreeMap::new() };
        for used in &records {
            for one in candidates(view.registry(), definition, used) {
                let barred = barred(&view, &mut spending, used, &one)?;
                found.push(Candidate { barred, ..one });
            }
            found.extend(would.of(used)?);
        }
        if found.len() > CANDIDATES_MAX {
            let expected = format!("at most {CANDIDATES_MAX} records");
            return Err(Rejection::new(Rule::DefinitionTooLarge, expected, found.len().to_string()).into());
        }
        // Of awards elsewhere that the caller was not shown it learns nothing.
        let mut held = Vec::new();
        for used in &records {
            held.extend(award_of(&view, used)?);
        }
        let case = Case::new(view.registry(), definition, &found, &attestations, &held, day)?;
        let begun = Instant::now();
        let answer = allocate(&case, &mut || begun.elapsed() > PATIENCE);
        let (outcome, allocated, audit) = match answer {
            Answer::Met { found, audit } => (EvaluationOutcome::Met, Some(found), Some(audit)),
            Answer::Missing(found) => (EvaluationOutcome::Missing, Some(found), None),
            Answer::Undecided => (EvaluationOutcome::Undecided, None, None),
        };
        let mut answer = EvaluateQualificationResponse { outcome: outcome.into(), ..Default::default() };
        if let Some(allocated) = &allocated {
            answer.requirements = requirements(allocated);
            answer.unused = unused(allocated, &found);
        }
        if let (Some(allocated), Some(audit)) = (allocated, audit) {
            let alias = self.shared.private.of(institution.0).alias(account).as_bytes().to_vec();
            let mut award = pb::Award {
                learner: alias,
                definition: Some(named(definition)),
                basis: pb::AwardBasis::Audited.into(),
                allocations: allocated.allocations,
                attestations,
                conferred: Some(date_of(day)),
                ..Default::default()
            };
            match pay(&view, definition, &absorbs, account, &records, &found, &mut award) {
                Ok(()) => answer.award = draft(award, &audit)?,
                // Each record by itself could be spent, and all of them together cannot.
                Err(AdmissionError::Rejected(_)) => answer.outcome = EvaluationOutcome::Undecided.into(),
                Err(AdmissionError::View(error)) => return Err(error.into()),
            }
        }
        Ok(answer)
    }

    /// The learner's records that the caller sees.
    fn at_hand(&self, view: &StoreView<'_>, account: &Account, scope: &ReadScope) -> Result<Vec<Used>, ReadError> {
        let mut records = self.used(view, account, None)?;
        records.retain(|used| scope.sees(self, view, used));
        Ok(records)
    }
}

/// What credit in other units would be after a conversion.
struct Hypothetical<'a> {
    view: &'a StoreView<'a>,
    definition: &'a QualificationDefinition,
    institution: InstitutionId,
    account: &'a Account,
    day: Day,
    /// What was given under each agreement so far: read once, however many credits it covers.
    granted: BTreeMap<String, Granted>,
}

impl Hypothetical<'_> {
    /// What a credit would be under the agreement that is in force for it.
    fn of(&mut self, used: &Used) -> Result<Vec<Candidate>, ReadError> {
        let Self { view, definition, institution, account, day, granted } = self;
        if used.record.kind() != Kind::Credit || !used.facts.marks.is_empty() {
            return Ok(Vec::new());
        }
        let source = source_of(used, 0)?;
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
            stated: &[],
        };
        // What the agreement does not take is no help, and no error.
        let Ok(converted) = convert(&request) else { return Ok(Vec::new()) };
        conversion.sources = converted.sources;
        conversion.results = converted.results;
        let would = Candidate::conversion(definition, &reference, *institution, &conversion, None);
        Ok(would.into_iter().map(|one| Candidate { hypothetical: true, ..one }).collect())
    }
}

fn named(definition: &QualificationDefinition) -> QualificationName {
    let QualificationDefinition { institution, code, version, .. } = definition;
    QualificationName { institution: *institution, code: code.clone(), version: *version }
}

/// The definition that is asked for; of version 0 the newest that is in force.
fn definition<'a>(
    view: &'a StoreView<'_>,
    name: &QualificationName,
    day: Day,
) -> Result<&'a QualificationDefinition, ReadError> {
    let registry = view.registry();
    let found = match name.version {
        0 => registry
            .definitions(name.institution.into())
            .filter(|one| one.code == name.code && in_force(registry, one, one.institution.into(), day).is_ok())
            .last(),
        version => registry.definition(name.institution.into(), &name.code, version),
    };
    let shown = format!("{}/{}.{}", name.institution, name.code, name.version);
    let unknown = || Rejection::new(Rule::UnknownReference, "a definition of the registry", shown).field("definition");
    found.ok_or_else(|| unknown().into())
}

/// The learner's awards that the definition absorbs and nothing has absorbed yet.
fn absorbable(
    view: &StoreView<'_>,
    definition: &QualificationDefinition,
    records: &[Used],
) -> Result<Vec<RecordReference>, ReadError> {
    let absorbed = |used: &&Used| {
        let name = used.record.read::<pb::Award>().ok().and_then(|award| award.definition).unwrap_or_default();
        definition.absorbs.iter().any(|one| names(one, &name))
    };
    let mut found = Vec::new();
    for used in records.iter().filter(|used| used.record.kind() == Kind::Award).filter(absorbed) {
        let free = used.facts.marks.is_empty() && !is_contested(view, used)? && !is_redeemed(view, used)?;
        if free {
            found.push(used.reference());
        }
    }
    Ok(found)
}

/// Why a candidate cannot be used.
fn barred<'a>(
    view: &StoreView<'_>,
    spending: &mut Spending<'a, StoreView<'a>>,
    used: &Used,
    candidate: &Candidate,
) -> Result<Option<Barred>, ReadError> {
    let standing = Standing::first(|standing| -> Result<bool, ReadError> {
        Ok(match standing {
            Standing::Contested => is_contested(view, used)?,
            Standing::Redeemed => !spending.could_count(used, candidate.result_plus_1, candidate.amount_e4)?,
            // The ledger has its records whole, and issuers whom it has admitted; dates are the solver's to judge.
            Standing::Incomplete | Standing::IssuerNotTrusted | Standing::Expired => false,
            other => other.mark().is_some_and(|mark| used.facts.marks.get(mark).is_some()),
        })
    })?;
    Ok(match standing {
        Standing::Revoked => Some(Barred::Revoked),
        Standing::Superseded => Some(Barred::Superseded),
        Standing::Contested => Some(Barred::Contested),
        Standing::Disputed => Some(Barred::Disputed),
        Standing::Redeemed => Some(Barred::Spent),
        Standing::UnderReview => Some(Barred::UnderReview),
        Standing::Incomplete | Standing::IssuerNotTrusted | Standing::Expired | Standing::Authentic => None,
    })
}

/// What the award redeems, and which earlier awards it has to absorb for that: no more than needed.
fn pay(
    view: &StoreView<'_>,
    definition: &QualificationDefinition,
    absorbs: &[RecordReference],
    account: &Account,
    records: &[Used],
    found: &[Candidate],
    award: &mut pb::Award,
) -> Result<(), AdmissionError> {
    let spend = |absorbs: &[RecordReference]| {
        let mut spending = Spending::new(view, account, definition);
        absorbs.iter().try_for_each(|earlier| spending.absorb(earlier))?;
        for allocation in &award.allocations {
            let place = allocation.record.as_ref().and_then(|record| record.place).map(Place::from);
            let used = records.iter().find(|used| Some(used.place) == place);
            let of = |one: &&Candidate| {
                Some(one.place()) == place && one.result_plus_1 == allocation.result_plus_1 && !one.hypothetical
            };
            if let Some((used, one)) = used.zip(found.iter().find(of)) {
                spending.count(used, allocation.result_plus_1, one.amount_e4)?;
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

fn draft(award: pb::Award, audit: &Audit) -> Result<Vec<u8>, ReadError> {
    let award = pb::Award { average_e4: audit.average_e4, ..award };
    let malformed = |error: creditbank_protocol::canonical::CanonicalError| {
        Rejection::new(Rule::InvalidCode, "a canonical award", error.to_string())
    };
    Ok(encode(&award).map_err(malformed)?)
}

fn requirements(found: &Found) -> Vec<api::RequirementProgress> {
    let each = found.progress.requirements.iter().map(|one| api::RequirementProgress {
        requirement: one.number,
        depth: u32::try_from(one.depth).unwrap_or(u32::MAX),
        text: one.asks.clone(),
        met: one.finding.holds,
        filled: found.allocations.iter().filter(|given| given.requirement == one.number).cloned().collect(),
        missing: if one.finding.holds { String::new() } else { one.found.clone() },
    });
    each.collect()
}

/// What fills nothing, with the reason. Of credit that would count after a conversion only that is said.
fn unused(found: &Found, candidates: &[Candidate]) -> Vec<api::UnusedRecord> {
    let would = |one: &Candidate| {
        candidates.iter().any(|other| other.hypothetical && other.place() == one.place()) && !one.hypothetical
    };
    let shown = found.progress.unused.iter().filter(|one| !would(&candidates[one.candidate])).map(|one| {
        let candidate = &candidates[one.candidate];
        let agreement = candidate.agreement.as_ref().filter(|_| candidate.hypothetical);
        let reason = match agreement {
            Some(name) => {
                let (amount, unit) = (show_e4(candidate.amount_e4), &candidate.unit);
                format!("{}, as {amount} {unit} under {}.{}", one.reason, name.code, name.version)
            }
            None => one.reason.clone(),
        };
        let result_plus_1 = if candidate.hypothetical { 0 } else { candidate.result_plus_1 };
        api::UnusedRecord { place: Some(candidate.place().into()), result_plus_1, reason }
    });
    shown.collect()
}
