//! What waits for an institution: applications with their deadlines, records under review; and what an amendment or a
//! revocation has to say besides.

use std::collections::BTreeSet;

use creditbank_protocol::LogIndex;
use creditbank_protocol::dates::{Day, date_of, day_of_ms};
use creditbank_protocol::pb::{Kind, Place, RecordReference};
use creditbank_protocol::status::Mark;
use creditbank_rpc::v1::{ApplicationState, HeldRedemption, ReviewState};
use creditbank_rules::admission::case::{self, Case, Stage};
use creditbank_rules::admission::consequences;
use creditbank_rules::{Registry, View as _};

use super::ReadError;
use crate::append::round::StoreView;
use crate::ledger::Ledger;
use crate::tables;

/// Most applications of one answer.
const APPLICATIONS_MAX: usize = 10_000;
/// Days of a review where the registry says nothing.
const REVIEW_DAYS: u32 = 90;

impl Ledger {
    /// The applications that an institution has received, overdue ones first, then by what is due first.
    pub fn applications(&self, institution: u64, overdue: bool) -> Result<Vec<ApplicationState>, ReadError> {
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let today = day_of_ms(self.now_ms());
        let mut found = Vec::new();
        for row in self.shared.store.rows(tables::APPLICATION, &institution.to_be_bytes()) {
            let (key, _) = row?;
            let Some(place) = tables::application_of(&key) else { continue };
            let Some((facts, _)) = view.content_at(place.into())? else { continue };
            let Some(case) = case::read(&view, &facts.account, institution.into(), place.into())? else { continue };
            let mut shown = shown(&case, view.registry(), today);
            if shown.overdue || !overdue {
                shown.alias = self.shared.private.of(institution).alias(&facts.account).0.to_vec();
                found.push(shown);
            }
            if found.len() >= APPLICATIONS_MAX {
                break;
            }
        }
        let due = |one: &ApplicationState| one.due.as_ref().map_or(Day::MAX, creditbank_protocol::dates::first_day);
        found.sort_by_key(|one| (!one.overdue, due(one), one.place.map(|place| (place.entry, place.index))));
        found.truncate(APPLICATIONS_MAX);
        Ok(found)
    }

    /// The records of an institution that are under review.
    pub fn reviews(&self, institution: u64) -> Result<Vec<ReviewState>, ReadError> {
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let today = day_of_ms(self.now_ms());
        let country =
            view.registry().institution(institution.into()).map(|found| found.country.clone()).unwrap_or_default();
        let days = review_days(view.registry(), &country);
        let mut reviews = Vec::new();
        for (place, (id, marks)) in state.log.marks() {
            let place = Place::from(*place);
            let Some(since) = marks.get(Mark::UnderReview) else { continue };
            if self.issuer(place)? != institution {
                continue;
            }
            let day = view.sealing(since.into())?.map_or(0, |sealing| day_of_ms(sealing.sealed_at_ms));
            let due = day + Day::from(days);
            reviews.push(ReviewState {
                record: Some(RecordReference { place: Some(place), status_id: id.0.to_vec() }),
                kind: view.record_at(place.into())?.map_or(Kind::Unspecified, |facts| facts.kind).into(),
                entry: since,
                since: Some(date_of(day)),
                due: Some(date_of(due)),
                overdue: today > due,
            });
        }
        reviews.sort_by_key(|one| {
            (
                !one.overdue,
                one.entry,
                one.record.as_ref().and_then(|record| record.place).map(|place| (place.entry, place.index)),
            )
        });
        Ok(reviews)
    }

    /// What a block that amends or revokes records must put under review and release.
    pub fn consequences(
        &self,
        places: &[Place],
        revoke: bool,
    ) -> Result<(Vec<RecordReference>, Vec<HeldRedemption>), ReadError> {
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let changed: BTreeSet<_> = places.iter().copied().map(creditbank_protocol::Place::from).collect();
        let reference = |place: creditbank_protocol::Place| -> Result<RecordReference, ReadError> {
            let id = view.record_at(place.into())?.ok_or(ReadError::Missing(place.into()))?.status_id;
            Ok(RecordReference { place: Some(place.into()), status_id: id.0.to_vec() })
        };
        let found = consequences(&view, &changed, revoke)?;
        let reviews = found.reviews.into_iter().map(reference).collect::<Result<_, _>>()?;
        let release = |(place, redemption): (_, LogIndex)| {
            Ok(HeldRedemption { record: Some(reference(place)?), redemption: redemption.0 })
        };
        let releases = found.releases.into_iter().map(release).collect::<Result<Vec<_>, ReadError>>()?;
        Ok((reviews, releases))
    }
}

/// Days in which a review is to be done: those of the country's deadline, else of the one for all.
fn review_days(registry: &Registry, country: &str) -> u32 {
    let of = |code: &str| registry.deadlines().find(|law| law.country == code && law.review_days > 0);
    of(country).or_else(|| of("")).map_or(REVIEW_DAYS, |law| law.review_days)
}

fn shown(case: &Case, registry: &Registry, today: Day) -> ApplicationState {
    let mut state = ApplicationState {
        place: Some(case.place.into()),
        purpose: case.application.purpose,
        received: case.application.received,
        ..Default::default()
    };
    match case.deadline(registry).map(|law| case.stage(law)) {
        Some(Stage::Open { due, appeal }) => {
            let name = match (due, appeal) {
                (None, _) => "documents missing",
                (_, Some(_)) => "appealed",
                _ => "open",
            };
            name.clone_into(&mut state.stage);
            state.due = due.map(date_of);
            state.overdue = due.is_some_and(|due| today > due);
            state.appeal = appeal.map(Into::into);
        }
        Some(Stage::Decided { decision, appeal_until }) => {
            "decided".clone_into(&mut state.stage);
            state.decision = Some(decision.into());
            state.appeal_until = appeal_until.map(date_of);
        }
        Some(Stage::Closed) => "closed".clone_into(&mut state.stage),
        None => "without a deadline in the registry".clone_into(&mut state.stage),
    }
    state
}
