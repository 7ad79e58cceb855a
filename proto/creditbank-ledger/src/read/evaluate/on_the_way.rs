//! A learner on the way to a qualification: what they have for it, and what their other awards leave of that.

use std::collections::BTreeMap;

use creditbank_protocol::dates::{Day, date_of};
use creditbank_protocol::pb::{
    self, Attestation, EnrolmentState, Kind, QualificationDefinition, QualificationName, RecordReference,
    RequirementType, RetakePolicy,
};
use creditbank_protocol::record::is_embargoed;
use creditbank_protocol::{AccountId, InstitutionId, Place};
use creditbank_rules::admission::{
    Overlapping, Spending, SpentRoots, Used, award_of, candidates, mark_repeats, stands,
};
use creditbank_rules::qualification::{
    Barred, Beside, Budget, Candidate, Case, Charge, HeldAward, HeldEnrolment, Tree, in_force, mark_enrolled, names,
    overlap_of,
};
use creditbank_rules::{Registry, Rejection};

use super::super::{QuestionError, ReadView};
use super::{Hypothetical, absorbable, barred, definition, enrolments, few, named};

/// Most other qualifications that are considered: those that began last.
const BESIDE_MAX: usize = 8;

/// A learner's records, as far as the caller sees them, on a day.
pub(super) struct Learner<'a, V> {
    pub(super) view: &'a V,
    pub(super) account: &'a AccountId,
    pub(super) records: &'a [Used],
    pub(super) day: Day,
    pub(super) today: Day,
}

/// What the learner has for a definition.
pub(super) struct OnTheWay<'a> {
    pub(super) definition: &'a QualificationDefinition,
    pub(super) institution: InstitutionId,
    pub(super) references: Vec<RecordReference>,
    pub(super) enrolments: Vec<HeldEnrolment>,
    pub(super) absorbs: Vec<RecordReference>,
    pub(super) found: Vec<Candidate>,
    pub(super) held: Vec<HeldAward>,
    pub(super) budgets: Vec<Budget>,
    /// Attestations that may still come.
    attestations: Vec<Attestation>,
}

impl<'a, V: ReadView> Learner<'a, V> {
    /// What they have for a definition, and with `would` what credit would be after a conversion.
    pub(super) fn on_the_way(
        &self,
        name: &QualificationName,
        institution: Option<InstitutionId>,
        wanted: &[Place],
        would: bool,
    ) -> Result<OnTheWay<'a>, QuestionError> {
        let Self { view, account, records, day, today } = *self;
        let enrolled = enrolments(view, name, wanted, records)?;
        let (references, enrolments): (Vec<RecordReference>, Vec<HeldEnrolment>) = enrolled.into_iter().unzip();
        let definition = definition(view, name, day, &enrolments)?;
        let institution = institution.unwrap_or(InstitutionId(definition.institution));
        in_force(view.registry(), definition, institution, day, &enrolments)?;
        let absorbs = absorbable(view, definition, records)?;
        let mut spending = Spending::new(view, account, definition, today);
        for earlier in &absorbs {
            spending.absorb(earlier)?;
        }
        let mut roots = SpentRoots::new(view, account, today);
        let mut after = Hypothetical { view, definition, institution, account, day, granted: BTreeMap::new() };
        let (mut found, mut budgets) = (Vec::new(), BTreeMap::new());
        for used in records {
            for one in candidates(view.registry(), definition, used) {
                let overlapping = spending.could_count(used, one.part, one.amount_e4())?;
                let mut barred = barred(view, overlapping.as_ref(), used, today)?;
                let spent = barred == Some(Barred::Spent) && definition.retakes == i32::from(RetakePolicy::Unspecified);
                if spent && roots.are_surplus(used, one.part)? {
                    barred = Some(Barred::Surplus);
                }
                charge(&mut budgets, found.len(), overlapping.unwrap_or_default());
                found.push(Candidate { barred, ..one });
                few(&found)?;
            }
            if would && !is_embargoed(used.visible_from().as_ref(), today) {
                found.extend(after.of(used)?);
            }
        }
        few(&found)?;
        // Of awards elsewhere that the caller was not shown it learns nothing.
        let mut held = Vec::new();
        for used in records {
            held.extend(award_of(view, used)?);
        }
        mark_repeats(view, account, &mut found)?;
        mark_enrolled(&mut found, &enrolments);
        let budgets = budgets.into_iter().map(|(other, charges)| Budget { other, charges }).collect();
        let attestations = Vec::new();
        Ok(OnTheWay { definition, institution, references, enrolments, absorbs, found, held, budgets, attestations })
    }

    /// The qualifications to which the learner is on the way, beside one: those that are named, and those of the
    /// enrolments that stand, are registered or on leave, and began last. None that the learner holds already.
    pub(super) fn programmes(
        &self,
        definition: &QualificationDefinition,
        more: &[QualificationName],
    ) -> Vec<QualificationName> {
        let mut enrolled: Vec<(Day, QualificationName)> = Vec::new();
        for used in self.records.iter().filter(|used| used.record.kind() == Kind::Enrolment) {
            let Ok(read) = used.record.read::<pb::Enrolment>() else { continue };
            let on = matches!(read.state(), EnrolmentState::Registered | EnrolmentState::Leave);
            let from = HeldEnrolment::of(&read).from;
            if let Some(name) = read.definition.filter(|_| on && stands(self.view, used).unwrap_or(false)) {
                enrolled.push((from, name));
            }
        }
        enrolled.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| key(&a.1).cmp(&key(&b.1))));
        let mut found: Vec<QualificationName> = Vec::new();
        let own = (definition.institution, definition.code.as_str());
        for name in more.iter().cloned().chain(enrolled.into_iter().map(|(_, name)| name)) {
            let line = (name.institution, name.code.as_str());
            let known = found.iter().any(|one| (one.institution, one.code.as_str()) == line);
            if line != own && !known && found.len() < BESIDE_MAX {
                found.push(name);
            }
        }
        found
    }

    /// What the learner has for another definition; `None` where it takes over what this one counts, where they hold it
    /// already, or where they cannot be awarded it on the day.
    pub(super) fn other(
        &self,
        name: &QualificationName,
        own: &QualificationDefinition,
    ) -> Result<Option<OnTheWay<'a>>, QuestionError> {
        let mut found = match self.on_the_way(name, None, &[], false) {
            Ok(found) => found,
            Err(QuestionError::Rejected(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let line = |name: &QualificationName| {
            (name.institution, &name.code) == (found.definition.institution, &found.definition.code)
        };
        let absorbed = found.definition.absorbs.iter().any(|one| names(one, &named(own)));
        if absorbed || found.held.iter().any(|one| line(&one.definition)) {
            return Ok(None);
        }
        // What the award and people can still add to it is taken to be there.
        found.held.push(HeldAward { definition: named(own), conferred: self.day });
        let tree = Tree::of(found.definition)?;
        let attested = (0..tree.size()).filter(|position| tree.kind(*position) == RequirementType::Attestation);
        found.attestations = attested
            .map(|position| Attestation {
                requirement: Tree::number(position),
                attested_by: "to come".to_owned(),
                on: Some(date_of(self.day)),
                ..Attestation::default()
            })
            .collect();
        Ok(Some(found))
    }
}

impl OnTheWay<'_> {
    /// The learner, judged by it, beside another definition.
    pub(super) fn beside<'b>(
        &'b self,
        registry: &'b Registry,
        own: &QualificationDefinition,
        day: Day,
    ) -> Result<Beside<'b>, Rejection> {
        let Self { definition, found, attestations, held, enrolments, budgets, .. } = self;
        let case = Case::new(registry, definition, found, attestations, held, enrolments, day)?;
        let terms = creditbank_rules::qualification::Terms { budgets: budgets.clone(), ..Default::default() };
        Ok(Beside { case: case.with(terms), overlap_e4: overlap_of(own, definition).unwrap_or(0) })
    }
}

fn key(name: &QualificationName) -> (u64, &str, u32) {
    (name.institution, name.code.as_str(), name.version)
}

/// What a candidate counts in awards of other definitions.
fn charge(
    budgets: &mut BTreeMap<(InstitutionId, String), Vec<Charge>>,
    candidate: usize,
    overlapping: Vec<Overlapping>,
) {
    for Overlapping { other, amount_e4, most_e4 } in overlapping {
        budgets.entry(other).or_default().push(Charge { candidate, amount_e4, most_e4 });
    }
}
