//! What waits for an institution: applications with their deadlines, records under review; and the consequences that an
//! amendment or a revocation has to name.

use std::collections::BTreeSet;

use creditbank_protocol::dates::{Day, day_of_ms};
use creditbank_protocol::pb::{Kind, LegalDeadline, RecordReference};
use creditbank_protocol::status::Mark;
use creditbank_protocol::{Alias, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::admission;
use creditbank_rules::admission::case::{self, Case, Stage};
use creditbank_rules::{Registry, View, ViewError, deadline};

use super::{MarkedRecord, QuestionError, ReadView};

/// Most applications of one answer.
const APPLICATIONS_MAX: usize = 10_000;
/// Days of a review where the registry says nothing: this program's own.
const REVIEW_DAYS: Day = 90;

/// An application that an institution has received.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationCase {
    /// The learner, as the institution knows them.
    pub alias: Alias,
    /// The application, and what has followed.
    pub case: Case,
    /// Where it stands; `None` where the registry has no such deadline.
    pub stage: Option<Stage>,
    /// Whether the decision is late.
    pub overdue: bool,
}

impl ApplicationCase {
    /// The last day on which a decision is in time, while one is due.
    pub fn due(&self) -> Option<Day> {
        match self.stage {
            Some(Stage::Open { due, .. }) => due,
            _ => None,
        }
    }
}

/// A record under review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// Where it stands.
    pub place: Place,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// What it is; unspecified where it cannot be opened any more.
    pub kind: Kind,
    /// Log index of the block that has put it under review.
    pub entry: LogIndex,
    /// The day of that.
    pub since: Day,
    /// The last day on which the review is in time.
    pub due: Day,
    /// Whether it is late.
    pub overdue: bool,
}

/// What a block that changes records must do besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// What it puts under review.
    pub reviews: Vec<RecordReference>,
    /// What it releases, each with the log index of its redemption.
    pub releases: Vec<(RecordReference, LogIndex)>,
    /// Amendments that it revokes, as it reinstates what they stand in the place of.
    pub amendments: Vec<RecordReference>,
    /// Reviews that it closes, by dependency.
    pub closes: Vec<RecordReference>,
    /// What is held again, with the log index of its redemption, and of the contested effect that has let go of it.
    pub restores: Vec<(RecordReference, LogIndex, LogIndex)>,
}

/// The applications that an institution has received, or those that are overdue: overdue ones first, then by what is
/// due first.
pub fn applications(
    view: &impl ReadView,
    institution: InstitutionId,
    only_overdue: bool,
    today: Day,
) -> Result<Vec<ApplicationCase>, ViewError> {
    let mut found = Vec::new();
    for place in view.application_places(institution)? {
        let Some(facts) = view.record_at(place)? else { continue };
        let Some(case) = case::read(view, &facts.account, institution, place)? else { continue };
        let stage = case.deadline(view.registry()).map(|law| case.stage(law));
        let alias = view.alias(institution, &facts.account);
        let mut one = ApplicationCase { alias, case, stage, overdue: false };
        one.overdue = one.due().is_some_and(|due| today > due);
        if one.overdue || !only_overdue {
            found.push(one);
        }
        if found.len() == APPLICATIONS_MAX {
            break;
        }
    }
    found.sort_by_key(|one| (!one.overdue, one.due().unwrap_or(Day::MAX), one.case.place));
    Ok(found)
}

/// The records of an institution that are under review, overdue ones first, then the oldest reviews first.
pub fn reviews(view: &impl ReadView, institution: InstitutionId, today: Day) -> Result<Vec<Review>, ViewError> {
    let country = view.registry().institution(institution).map(|found| found.country.clone()).unwrap_or_default();
    let law = reviewed_under(view.registry(), &country);
    let mut found = Vec::new();
    for MarkedRecord { place, status_id, since: entry } in view.marked(Mark::UnderReview)? {
        let lost = |what: &str| ViewError::Missing(format!("{what} of the record at {place} that is under review"));
        if view.issuer(place)?.ok_or_else(|| lost("the block"))? != institution {
            continue;
        }
        let sealing = view.sealing(entry)?.ok_or_else(|| lost("the block that set the mark"))?;
        let since = day_of_ms(sealing.sealed_at_ms);
        let term = law.and_then(|law| Some((law, law.review.as_ref()?)));
        let due = term.map_or(since + REVIEW_DAYS, |(law, term)| deadline::end_of(term, since, law));
        let kind = view.record_at(place)?.map_or(Kind::Unspecified, |facts| facts.kind);
        found.push(Review { place, status_id, kind, entry, since, due, overdue: today > due });
    }
    found.sort_by_key(|one| (!one.overdue, one.entry, one.place));
    Ok(found)
}

/// What a block that amends the records at these places, or revokes them, must put under review and release.
pub fn consequences(view: &impl View, places: &[Place], revoke: bool) -> Result<Consequences, QuestionError> {
    let changed: BTreeSet<Place> = places.iter().copied().collect();
    named(view, admission::consequences(view, &changed, revoke)?)
}

/// What a block that reinstates the records at these places must say besides.
pub fn reinstating(view: &impl View, places: &[Place]) -> Result<Consequences, QuestionError> {
    let restored: BTreeSet<Place> = places.iter().copied().collect();
    named(view, admission::reinstating(view, &restored)?)
}

/// The same, by place and status id.
fn named(view: &impl View, found: admission::Consequences) -> Result<Consequences, QuestionError> {
    let reference = |place: Place| -> Result<RecordReference, QuestionError> {
        let id = view.record_at(place)?.ok_or(QuestionError::Missing(place))?.status_id;
        Ok(RecordReference { place: Some(place.into()), status_id: id.0.to_vec(), ..Default::default() })
    };
    let all = |places: Vec<Place>| places.into_iter().map(reference).collect::<Result<Vec<_>, _>>();
    let releases = found.releases.into_iter().map(|(place, redemption)| Ok((reference(place)?, redemption)));
    let restores = found.restores.into_iter().map(|(place, by, undone)| Ok((reference(place)?, by, undone)));
    Ok(Consequences {
        reviews: all(found.reviews)?,
        releases: releases.collect::<Result<_, QuestionError>>()?,
        amendments: all(found.amendments)?,
        closes: all(found.closes)?,
        restores: restores.collect::<Result<_, QuestionError>>()?,
    })
}

/// The deadline that says how long a review may take: the country's, else the one for all.
fn reviewed_under<'a>(registry: &'a Registry, country: &str) -> Option<&'a LegalDeadline> {
    let of = |code: &str| registry.deadlines().find(|law| law.country == code && law.review.is_some());
    of(country).or_else(|| of(""))
}
