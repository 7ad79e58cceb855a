//! The one place that maps an error to a gRPC code, a stable reason, and what a program needs to continue.

use creditbank_ledger::read::PlanError;
use creditbank_protocol::block::BlockError;
use creditbank_protocol::dates::show_minute;
use creditbank_rpc::Reason;
use creditbank_rpc::refusal::to_status;
use creditbank_rpc::v1::Refusal;
use creditbank_rules::{Rejection, Rule, ViewError};
use creditbank_store::StoreError;
use tonic::{Code, Status};

use crate::append::{AccountError, ClockDoubt, HeldUp, OverQuota, SubmitError};
use crate::publish::ReceiptError;
use crate::read::{ReadError, TranscriptError};
use crate::unreadable;
use crate::work::{BUSY_RETRY_MS, Refused};

/// When to come back after a read that failed this time.
const UNREADABLE_RETRY_MS: u64 = 1_000;

fn refusal(code: Code, reason: Reason, message: impl ToString) -> Refusal {
    let code = u32::try_from(i32::from(code)).unwrap_or(2);
    Refusal { code, reason: reason.into(), message: message.to_string(), ..Default::default() }
}

fn about(mut refusal: Refusal, field: &str, expected: impl ToString, found: impl ToString) -> Refusal {
    (refusal.field, refusal.expected, refusal.found) = (field.to_owned(), expected.to_string(), found.to_string());
    refusal
}

/// The refusal of a block that was not sealed.
pub fn of_submit(error: &SubmitError) -> Refusal {
    match error {
        SubmitError::Block(block) => of_block(block),
        SubmitError::Record { record, error: inner } => {
            let mut refused = refusal(Code::InvalidArgument, Reason::RecordMalformed, error);
            refused.record_plus_1 = record + 1;
            about(refused, "", "a canonical record of a known kind", inner)
        }
        SubmitError::Origin { expected, found } => {
            about(refusal(Code::InvalidArgument, Reason::WrongOrigin, error), "origin", expected, found)
        }
        SubmitError::Rule(rejection) => of_rule(rejection),
        SubmitError::Stale { height, accepted } => {
            let mut refused = refusal(Code::Aborted, Reason::StaleHead, error);
            refused.accepted = Some((**accepted).clone());
            about(refused, "height", "the block that was accepted", format!("another one at height {height}"))
        }
        SubmitError::Height { expected, found } => {
            about(refusal(Code::FailedPrecondition, Reason::WrongHeight, error), "height", expected, found)
        }
        SubmitError::Previous { expected, found } => {
            about(refusal(Code::FailedPrecondition, Reason::WrongPrevious, error), "previous", expected, found)
        }
        SubmitError::CreatedAt { min, max, found } => {
            let refused = refusal(Code::FailedPrecondition, Reason::WrongTime, error);
            let [min, max, found] = [*min, *max, *found].map(show_minute);
            about(refused, "created_at_minute", format!("{min} to {max}"), found)
        }
        SubmitError::Busy { retry_after_ms } => busy_for(error, *retry_after_ms),
        SubmitError::HeldUp(held_up) => of_held_up(*held_up),
        SubmitError::Quota(over) => of_quota(*over),
        SubmitError::NoRoom { retry_after_ms } => no_room(error, *retry_after_ms),
        SubmitError::Displaced => refusal(Code::Unavailable, Reason::Stopped, error),
        SubmitError::Clock(doubt) => {
            tracing::warn!(%error, "nothing is sealed");
            of_clock(error, *doubt)
        }
        SubmitError::LogKeyMissing(_) => refusal(Code::FailedPrecondition, Reason::LogKeyMissing, error),
        SubmitError::Unreadable(error) => of_view(error),
        // The reason is for the operator, in the node's log.
        SubmitError::Stopped(_) => refusal(Code::Unavailable, Reason::Stopped, "the node is stopping: come back later"),
    }
}

fn busy_for(error: impl ToString, retry_after_ms: u64) -> Refusal {
    let mut refused = refusal(Code::ResourceExhausted, Reason::Busy, error);
    refused.retry_after_ms = retry_after_ms;
    refused
}

/// The refusal of an institution that has used its quota.
fn of_quota(over: OverQuota) -> Refusal {
    let mut refused = refusal(Code::ResourceExhausted, Reason::QuotaUsed, over);
    refused.retry_after_ms = over.retry_after_ms;
    about(refused, "", format!("at most {} {} in a minute", over.allowed, over.asked), "more")
}

/// The refusal of a call that was not looked at, because too many from its address were bad.
fn of_held_up(held_up: HeldUp) -> Refusal {
    busy_for(held_up, BUSY_RETRY_MS)
}

/// The refusal of a call that was not worked on.
fn of_work(refused: Refused) -> Refusal {
    match refused {
        Refused::Busy => busy_for(refused, BUSY_RETRY_MS),
        Refused::Stopping => of_submit(&SubmitError::Stopped(String::new())),
        Refused::Panicked => internal(refused),
    }
}

/// The refusal of a request for whose bytes there is no room.
pub(crate) fn busy() -> Status {
    to_status(&of_submit(&SubmitError::Busy { retry_after_ms: 250 }))
}

/// The refusal on a full disk. Coming back makes sense once the operator has made room.
fn no_room(error: impl ToString, retry_after_ms: u64) -> Refusal {
    let mut refused = refusal(Code::ResourceExhausted, Reason::NoRoom, error);
    refused.retry_after_ms = retry_after_ms;
    refused
}

/// The refusal under a clock that is not believed. Coming back makes sense where it only has to catch up.
fn of_clock(error: impl ToString, doubt: ClockDoubt) -> Refusal {
    let mut refused = refusal(Code::Unavailable, Reason::ClockMoved, error);
    refused.retry_after_ms = doubt.retry_after_ms();
    refused
}

fn of_block(error: &BlockError) -> Refusal {
    match error {
        BlockError::TooLong(_) => refusal(Code::InvalidArgument, Reason::BlockTooLong, error),
        BlockError::Canonical(inner) => {
            let refused = refusal(Code::InvalidArgument, Reason::NotCanonical, error);
            about(refused, inner.field.unwrap_or_default(), "the canonical spelling", inner.fault)
        }
        BlockError::Version { .. } => refusal(Code::InvalidArgument, Reason::UnknownVersion, error),
        BlockError::Missing(field) => {
            about(refusal(Code::InvalidArgument, Reason::MissingField, error), field, "a value", "nothing")
        }
        BlockError::PublicRoot { expected, found } => {
            about(refusal(Code::InvalidArgument, Reason::WrongPublicRoot, error), "public_root", expected, found)
        }
        BlockError::PublicIndex { index, .. } => {
            let mut refused = refusal(Code::InvalidArgument, Reason::WrongPublicIndex, error);
            refused.record_plus_1 = index + 1;
            refused
        }
        BlockError::Part { index, .. } => {
            let mut refused = refusal(Code::InvalidArgument, Reason::WrongPart, error);
            refused.record_plus_1 = index + 1;
            refused
        }
        BlockError::RepeatedApproval => refusal(Code::InvalidArgument, Reason::RepeatedApproval, error),
        BlockError::RepeatedEffect => refusal(Code::InvalidArgument, Reason::RepeatedEffect, error),
        BlockError::EffectPlace { expected, .. } => {
            let (wanted, found) = if *expected { ("a place", "none") } else { ("no place", "one") };
            about(refusal(Code::InvalidArgument, Reason::WrongPlace, error), "public_part", wanted, found)
        }
        BlockError::PlaceCount { expected, found } => {
            about(refusal(Code::InvalidArgument, Reason::WrongPlaceCount, error), "places", expected, found)
        }
        BlockError::Record { index, error: inner } => {
            let mut refused = refusal(Code::InvalidArgument, Reason::RecordMalformed, error);
            refused.record_plus_1 = index + 1;
            about(refused, "", "a canonical record of a known kind", inner)
        }
        BlockError::Count { expected, found } => {
            about(refusal(Code::InvalidArgument, Reason::WrongCount, error), "count", expected, found)
        }
        BlockError::RecordsRoot { expected, found } => {
            about(refusal(Code::InvalidArgument, Reason::WrongRecordsRoot, error), "records_root", expected, found)
        }
        BlockError::Signature(_) => refusal(Code::PermissionDenied, Reason::WrongSignature, error),
    }
}

/// The refusal for a broken rule.
pub(super) fn of_rule(rejection: &Rejection) -> Refusal {
    let Rejection { rule, record, field, expected, found } = rejection;
    let mut refused = refusal(rule_code(*rule), Reason::from_name(rule.name()), rejection);
    refused.record_plus_1 = record.map_or(0, |record| record + 1);
    about(refused, field.unwrap_or_default(), expected, found)
}

fn rule_code(rule: Rule) -> Code {
    match rule {
        Rule::UnknownInstitution
        | Rule::InstitutionNotActive
        | Rule::UnknownUnit
        | Rule::UnitNotActive
        | Rule::UnknownKey
        | Rule::KeyOfAnother
        | Rule::KeyRevoked
        | Rule::KeyNotInForce
        | Rule::NotAnApprover
        | Rule::ApprovalMissing
        | Rule::ApprovalExpired
        | Rule::ApprovalUsed
        | Rule::KindOutsideKey
        | Rule::NotAuthorised
        | Rule::NotTheOperator
        | Rule::NotThePublisher
        | Rule::NoMandate
        | Rule::MandateExpired
        | Rule::MandateUsed
        | Rule::NotCosigned
        | Rule::NoPossession
        | Rule::NotTheSuccessor => Code::PermissionDenied,
        Rule::DuplicateRecord | Rule::DocumentNumberUsed | Rule::AwardedAlready => Code::AlreadyExists,
        Rule::AccountNotOpen
        | Rule::NotAccredited
        | Rule::UnknownEarlier
        | Rule::UnknownTarget
        | Rule::StatusForbids
        | Rule::NotContested
        | Rule::TooManyRepeats
        | Rule::CloseMatch
        | Rule::IdentityNotAmended
        | Rule::UnknownReference
        | Rule::AgreementsOverlap
        | Rule::Late
        | Rule::NotInForce
        | Rule::OutsideScope
        | Rule::NotMostSpecific
        | Rule::SourceNotUsable
        | Rule::NotVisible
        | Rule::UndefinedLevel
        | Rule::AlreadySpent
        | Rule::RequirementsNotMet
        | Rule::ApplicationOpen
        | Rule::NotOpen
        | Rule::DependantsNotReviewed
        | Rule::Permanent => Code::FailedPrecondition,
        Rule::KindNotIssued
        | Rule::MissingField
        | Rule::InvalidDate
        | Rule::ImplausibleDate
        | Rule::InvalidCode
        | Rule::InvalidCourseCode
        | Rule::InvalidText
        | Rule::UnknownAlias
        | Rule::UnknownCreditUnit
        | Rule::UnknownLevel
        | Rule::UnknownGrade
        | Rule::GradeNotAPass
        | Rule::GradeIsAPass
        | Rule::WorkloadOutsideBand
        | Rule::EmbargoTooLong
        | Rule::AmendsAnother
        | Rule::EffectMismatch
        | Rule::ActionNotAdmitted
        | Rule::DefinitionTooLarge
        | Rule::ReferenceCycle
        | Rule::Unsatisfiable
        | Rule::ConversionDiffers
        | Rule::Contradiction => Code::InvalidArgument,
    }
}

/// The refusal of a malformed request.
pub(super) fn invalid(field: &str, expected: &str, found: impl ToString) -> Status {
    let found = found.to_string();
    let message = format!("{field}: expected {expected}, found {found}");
    to_status(&about(refusal(Code::InvalidArgument, Reason::InvalidRequest, message), field, expected, found))
}

/// The refusal of a caller who may not read.
pub(super) fn denied(message: impl ToString) -> Status {
    to_status(&refusal(Code::PermissionDenied, Reason::NoAccess, message))
}

/// The refusal of a caller whose token proves nothing.
pub(super) fn unauthenticated(message: impl ToString) -> Status {
    to_status(&refusal(Code::Unauthenticated, Reason::NoToken, message))
}

/// The refusal for something that the node could not read. The node's log says what; the caller learns no paths.
fn of_view(error: &ViewError) -> Refusal {
    tracing::error!(%error, "a call failed");
    match error {
        ViewError::Damaged(_) | ViewError::Missing(_) => refusal(
            Code::DataLoss,
            Reason::Damaged,
            "the node cannot read data for this call, because it is damaged. The call fails until the node's operator \
             has repaired it: `creditbank-node check` says what is damaged",
        ),
        ViewError::Unavailable(_) => {
            let mut refused =
                refusal(Code::Unavailable, Reason::Unreadable, "the node could not read its store just now: come back");
            refused.retry_after_ms = UNREADABLE_RETRY_MS;
            refused
        }
    }
}

/// The refusal for something that only the operator can correct.
fn internal(error: impl ToString) -> Refusal {
    tracing::error!(error = error.to_string(), "a call failed");
    refusal(Code::Internal, Reason::Internal, "the node could not do this; its log says why")
}

/// The refusal for an error of the store. Indexes and sizes from a caller are checked before the store is asked, so
/// what the store misses it has lost.
fn of_store(error: StoreError) -> Refusal {
    of_view(&unreadable::of_store(error))
}

fn of_receipt(error: ReceiptError) -> Refusal {
    match error {
        ReceiptError::Range(_) => refusal(Code::OutOfRange, Reason::OutOfRange, error),
        ReceiptError::Store(error) => of_store(error),
        ReceiptError::NoSeal(_) | ReceiptError::NoNote(_) | ReceiptError::Damaged(_) => of_view(&error.into()),
    }
}

fn of_read(error: ReadError) -> Refusal {
    match error {
        ReadError::Missing(_) | ReadError::NoBlock { .. } | ReadError::UnknownLearner => {
            refusal(Code::NotFound, Reason::NotFound, error)
        }
        ReadError::Receipt(error) => of_receipt(error),
        ReadError::Rejected(rejection) => of_rule(&rejection),
        ReadError::View(error) => of_view(&error),
        ReadError::Store(error) => of_store(error),
    }
}

fn of_transcript(error: TranscriptError) -> Refusal {
    match error {
        TranscriptError::Plan(PlanError::View(error)) => of_view(&error),
        TranscriptError::Plan(PlanError::Empty | PlanError::NotVisible { .. }) => {
            refusal(Code::NotFound, Reason::NotFound, error)
        }
        TranscriptError::Plan(PlanError::TooMany | PlanError::TooManyBlocks) => {
            refusal(Code::FailedPrecondition, Reason::TooManyRecords, error)
        }
        TranscriptError::Read(error) => of_read(error),
        TranscriptError::Receipt(error) => of_receipt(error),
        TranscriptError::Registry { .. } => of_view(&unreadable::damaged(error)),
        TranscriptError::NoStatementKey => {
            tracing::error!(%error, "a call failed");
            let mut refused = refusal(Code::Unavailable, Reason::Unreadable, error);
            refused.retry_after_ms = UNREADABLE_RETRY_MS;
            refused
        }
        TranscriptError::Canonical(_) | TranscriptError::File(_) => internal(error),
    }
}

fn of_account(error: AccountError) -> Refusal {
    match error {
        AccountError::Person { .. } | AccountError::TooMany(_) => {
            refusal(Code::InvalidArgument, Reason::InvalidRequest, error)
        }
        AccountError::Unreadable(error) => of_view(&error),
        AccountError::Erased | AccountError::Unknown { .. } => refusal(Code::NotFound, Reason::NotFound, error),
        AccountError::NoRoom { retry_after_ms } => no_room(error, retry_after_ms),
        AccountError::Busy { retry_after_ms } => busy_for(error, retry_after_ms),
        AccountError::Quota(over) => of_quota(over),
        AccountError::Stopped | AccountError::Displaced => refusal(Code::Unavailable, Reason::Stopped, error),
        AccountError::Clock(doubt) => of_clock(error, doubt),
    }
}

/// Lets calls answer with an error by `?`.
macro_rules! statuses {
    ($($error:ty: $refusal:path,)+) => {
        $(impl From<$error> for Status {
            fn from(error: $error) -> Self {
                to_status(&$refusal(error))
            }
        })+
    };
}

statuses! {
    ReadError: of_read,
    ReceiptError: of_receipt,
    TranscriptError: of_transcript,
    AccountError: of_account,
    OverQuota: of_quota,
    HeldUp: of_held_up,
    Refused: of_work,
}

#[cfg(test)]
mod tests;
