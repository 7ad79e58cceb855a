//! Typed answers as messages, with the names that they have on the wire.

use creditbank_ledger::read::{
    ApplicationCase, Consequences, Converted, Evaluation, Line, Preview, Requirement, Review, Unused, Verdict,
};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::counted;
use creditbank_protocol::dates::date_of;
use creditbank_protocol::pb::{self, RecordReference};
use creditbank_protocol::{LogIndex, Standing};
use creditbank_rpc::v1 as api;
use creditbank_rules::admission::case::{AppealTime, Case, Stage};
use creditbank_rules::decimal::show_e4;
use creditbank_rules::qualification::{Undecided, UnusedReason};
use creditbank_rules::{Rejection, Rule};

use crate::read::ReadError;

/// A body as it will be signed.
fn body<M: Canonical>(message: &M, what: &'static str) -> Result<Vec<u8>, ReadError> {
    let malformed = |error: creditbank_protocol::canonical::CanonicalError| {
        Rejection::new(Rule::InvalidCode, what, error.to_string())
    };
    Ok(encode(message).map_err(malformed)?)
}

pub(super) fn application(found: ApplicationCase) -> api::ApplicationState {
    let due = found.due().map(date_of);
    let ApplicationCase { alias, case: Case { place, application, .. }, stage, overdue } = found;
    let mut state = api::ApplicationState {
        place: Some(place.into()),
        alias: alias.as_bytes().to_vec(),
        purpose: application.purpose,
        received: application.received,
        stage: stage_name(stage.as_ref()).to_owned(),
        due,
        overdue,
        ..Default::default()
    };
    match stage {
        Some(Stage::Open { appeal, .. }) => state.appeal = appeal.map(Into::into),
        Some(Stage::Decided { decision, appeal }) => {
            state.decision = Some(decision.into());
            state.appeal_until = match appeal {
                AppealTime::Until(until) => Some(date_of(until)),
                AppealTime::None | AppealTime::Open => None,
            };
            state.appealable = appeal != AppealTime::None;
        }
        Some(Stage::Closed) | None => {}
    }
    state
}

fn stage_name(stage: Option<&Stage>) -> &'static str {
    match stage {
        Some(Stage::Open { stopped: true, .. }) => "documents missing",
        Some(Stage::Open { appeal: Some(_), .. }) => "appealed",
        Some(Stage::Open { .. }) => "open",
        Some(Stage::Decided { .. }) => "decided",
        Some(Stage::Closed) => "closed",
        None => "without a deadline in the registry",
    }
}

pub(super) fn review(found: Review) -> api::ReviewState {
    let Review { place, status_id, kind, entry, since, due, overdue } = found;
    api::ReviewState {
        record: Some(RecordReference {
            place: Some(place.into()),
            status_id: status_id.0.to_vec(),
            ..Default::default()
        }),
        kind: kind.into(),
        entry: entry.0,
        since: Some(date_of(since)),
        due: Some(date_of(due)),
        overdue,
    }
}

pub(super) fn consequences(found: Consequences) -> api::ListConsequencesResponse {
    let Consequences { reviews, releases, amendments, closes, restores } = found;
    let held = |record, redemption: LogIndex, contested: LogIndex| api::HeldRedemption {
        record: Some(record),
        redemption: redemption.0,
        contested: contested.0,
    };
    let releases = releases.into_iter().map(|(record, by)| held(record, by, LogIndex(0))).collect();
    let restores = restores.into_iter().map(|(record, by, undone)| held(record, by, undone)).collect();
    api::ListConsequencesResponse { reviews, releases, amendments, closes, restores }
}

pub(super) fn balance_line(line: Line) -> api::BalanceLine {
    let Line { unit, level, field, standing, surplus, amount_e4, records } = line;
    let status = if surplus { "surplus" } else { standing_name(standing) };
    api::BalanceLine { unit, level, field, status: status.to_owned(), amount_e4, records }
}

/// How credit can be spent. Authentic credit can be spent by an award or a conversion; redeemed credit was spent.
fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Authentic => "spendable",
        Standing::Redeemed => "spent",
        other => other.name(),
    }
}

pub(super) fn evaluation(found: Evaluation) -> Result<api::EvaluateQualificationResponse, ReadError> {
    let Evaluation { verdict, requirements, unused, award, awarded } = found;
    let (outcome, reason) = match verdict {
        Verdict::Met => (api::EvaluationOutcome::Met, api::EvaluationReason::Unspecified),
        Verdict::Missing => (api::EvaluationOutcome::Missing, api::EvaluationReason::Unspecified),
        Verdict::Contradicted => (api::EvaluationOutcome::Missing, api::EvaluationReason::Wishes),
        Verdict::Undecided(why) => (
            api::EvaluationOutcome::Undecided,
            match why {
                Undecided::Time => api::EvaluationReason::Time,
                Undecided::TooLarge => api::EvaluationReason::TooLarge,
                Undecided::Fault => api::EvaluationReason::Fault,
            },
        ),
    };
    Ok(api::EvaluateQualificationResponse {
        outcome: outcome.into(),
        requirements: requirements.into_iter().map(requirement).collect(),
        unused: unused.into_iter().map(unused_record).collect(),
        award: award.map(|award| body(&award, "a canonical award")).transpose()?.unwrap_or_default(),
        awarded: awarded.into_iter().map(Into::into).collect(),
        reason: reason.into(),
    })
}

fn requirement(found: Requirement) -> api::RequirementProgress {
    let Requirement { progress, filled } = found;
    let met = progress.finding.holds;
    api::RequirementProgress {
        requirement: progress.number,
        depth: u32::try_from(progress.depth).unwrap_or(u32::MAX),
        text: progress.asks,
        met,
        filled,
        missing: if met { String::new() } else { progress.found },
    }
}

fn unused_record(found: Unused) -> api::UnusedRecord {
    let Unused { portion, reason, after } = found;
    let reason = unused_reason(reason);
    let reason = match after {
        Some(Converted { amount, agreement }) => {
            let pb::Amount { e4, unit } = amount;
            format!("{reason}, as {} {unit} under {}.{}", show_e4(e4), agreement.code, agreement.version)
        }
        None => reason,
    };
    api::UnusedRecord { place: Some(portion.place.into()), result_plus_1: portion.part.written(), reason }
}

/// Why a record fills nothing, for the caller.
fn unused_reason(reason: UnusedReason) -> String {
    match reason {
        UnusedReason::Obstacle(obstacle) => obstacle.to_string(),
        UnusedReason::NotConverted => "would count after a conversion".to_owned(),
        UnusedReason::OtherPass(other) => format!("{other} counts, another pass of the course"),
        UnusedReason::NoMatch => "matches no requirement".to_owned(),
        UnusedReason::RootCounts(root) => format!("its root {root} counts already"),
        UnusedReason::TooOld(months) => format!("older than {}", counted(months, "month", "months")),
        UnusedReason::Overlap(other) => format!("more would count in {other} too than both definitions allow"),
        UnusedReason::NotNeeded => "not needed".to_owned(),
        UnusedReason::Capped(requirement) => format!("requirement {requirement} lets no more of its kind in"),
        UnusedReason::NothingOpen => "fills nothing that is open".to_owned(),
    }
}

pub(super) fn preview(found: Preview) -> Result<api::PreviewConversionResponse, ReadError> {
    let Preview { conversion, explanation, exclusive } = found;
    Ok(api::PreviewConversionResponse { conversion: body(&conversion, "a canonical body")?, explanation, exclusive })
}
