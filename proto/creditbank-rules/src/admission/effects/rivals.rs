//! Whether a record may stand again: nothing has come in its place meanwhile, and what it stands on has not ended
//! since.

use std::collections::BTreeSet;

use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::{LogIndex, Place, Portion};

use crate::admission::case::{Case, Stage, read as read_case};
use crate::admission::fields::require;
use crate::admission::kinds::malformed;
use crate::admission::{AdmissionError, awarded, recognition};
use crate::{CourseKey, DocumentKey, HeldRecord, RecordFacts, Rule, View};

/// Checks a record that was ended at log index `since` and is reinstated, with the others of `restored`, by a block
/// that takes back what is `gone`.
pub(super) fn check(
    view: &impl View,
    (place, facts, record): (Place, &RecordFacts, &Record),
    since: LogIndex,
    restored: &BTreeSet<Place>,
    gone: &BTreeSet<Place>,
) -> Result<(), AdmissionError> {
    for source in named(record).map_err(malformed)? {
        let ended = view.record_at(source)?.and_then(|facts| facts.marks.ended());
        let stands = ended.is_none_or(|(_, entry)| entry < since) || restored.contains(&source);
        let expected = format!("what {place} stands on has not ended since: reinstate that too");
        require(stands && !gone.contains(&source), Rule::SourceNotUsable, "public_part", expected, source)?;
    }
    let stands =
        |held: &HeldRecord| !gone.contains(&held.place) && (!held.marks.have_ended() || restored.contains(&held.place));
    let held = |key: CourseKey| view.held(&facts.account, facts.institution, &key);
    let come = |held: &HeldRecord| held.place != place && held.place.entry >= since && stands(held);
    match record.kind() {
        Kind::Identity => {
            let others = held(CourseKey::Identity)?.iter().filter(|one| stands(one) && one.place != place).count();
            let expected = "no other Identity of the learner that stands";
            require(others == 0, Rule::IdentityNotAmended, "public_part", expected, others)?;
        }
        Kind::Credit => {
            let read: pb::Credit = record.read().map_err(malformed)?;
            let course = view.registry().course(facts.institution, &read.course.unwrap_or_default().code);
            let all = course.held(view, &facts.account)?;
            let counts = |one: &&HeldRecord| one.kind == Kind::Credit && (one.place == place || stands(one));
            let found = all.iter().filter(counts).count() as u64;
            let least = all.iter().filter(counts).filter_map(|one| one.repeats_max).min().unwrap_or(0);
            let allowed = u64::from(least) + 1;
            // More may stand where an alias made one course of two: that is no reason against what stood before.
            let fits = found <= allowed || !all.iter().any(|one| one.kind == Kind::Credit && come(one));
            let expected = format_args!("at most {allowed} for this course");
            require(fits, Rule::TooManyRepeats, "public_part", expected, found)?;
        }
        Kind::Application => {
            let read: pb::Application = record.read().map_err(malformed)?;
            for other in held(CourseKey::Application(read.purpose()))?.iter().filter(|one| come(one)) {
                let case = read_case(view, &facts.account, facts.institution, other.place)?;
                let open = case.is_some_and(|case| is_open(view, &case));
                let expected = "no other open application of this learner for this purpose here";
                require(!open, Rule::ApplicationOpen, "public_part", expected, other.place)?;
            }
        }
        Kind::Decision | Kind::Appeal => {
            let case = recognition::case_named(view, facts, record)?;
            let later = held(CourseKey::Case(case))?.into_iter().find(come);
            let found = later.map_or(String::new(), |one| one.place.to_string());
            require(found.is_empty(), Rule::NotOpen, "public_part", "a case without a later step", found)?;
        }
        Kind::Conversion => {
            let own: pb::Conversion = record.read().map_err(malformed)?;
            for other in held(CourseKey::Conversion)?.iter().filter(|one| come(one)) {
                let Some((_, record)) = view.content_at(other.place)? else { continue };
                let read: pb::Conversion = record.read().map_err(malformed)?;
                let expected = "no later conversion under the same agreement or equivalence, or of the same source";
                require(!same_account(&own, &read), Rule::AlreadySpent, "public_part", expected, other.place)?;
            }
        }
        Kind::Award => {
            let own: pb::Award = record.read().map_err(malformed)?;
            for number in DocumentKey::of_award(&own, facts.institution) {
                for other in view.documents(&number)?.into_iter().filter(|other| *other != place) {
                    let ended = view.record_at(other)?.is_some_and(|facts| facts.marks.have_ended());
                    let stands = restored.contains(&other) || !ended;
                    let expected = "no other award that has a document of the same number";
                    require(
                        gone.contains(&other) || !stands,
                        Rule::DocumentNumberUsed,
                        "public_part",
                        expected,
                        other,
                    )?;
                }
            }
            let other = awarded::first_other(view, &own, &facts.account, come)?;
            let expected = "no later award of the same definition and specialisation";
            let found = other.map_or(String::new(), |other| other.to_string());
            require(other.is_none(), Rule::AwardedAlready, "public_part", expected, found)?;
        }
        _ => {}
    }
    Ok(())
}

fn is_open(view: &impl View, case: &Case) -> bool {
    case.deadline(view.registry()).is_some_and(|law| matches!(case.stage(law), Stage::Open { .. }))
}

/// Whether two conversions count against each other: under the same code, or of a source in common.
fn same_account(one: &pb::Conversion, other: &pb::Conversion) -> bool {
    let agreement = |of: &pb::Conversion| of.agreement.as_ref().map(|name| name.code.clone());
    let equivalence = |of: &pb::Conversion| of.equivalence.as_ref().map(|name| (name.institution, name.code.clone()));
    let sources = |of: &pb::Conversion| -> BTreeSet<Portion> {
        of.sources.iter().map(|one| Portion::of_reference(one.record.as_ref(), one.result_plus_1)).collect()
    };
    let same_code = agreement(one).is_some_and(|code| agreement(other) == Some(code))
        || equivalence(one).is_some_and(|code| equivalence(other) == Some(code));
    same_code || !sources(one).is_disjoint(&sources(other))
}

/// The records that a record names as what it stands on.
fn named(record: &Record) -> Result<BTreeSet<Place>, CanonicalError> {
    let of = |references: &[RecordReference]| -> Vec<Place> {
        references.iter().filter_map(|one| one.place).map(Place::from).collect()
    };
    let place = |place: Option<pb::Place>| place.map(Place::from);
    Ok(match record.kind() {
        Kind::Application => of(&record.read::<pb::Application>()?.records).into_iter().collect(),
        Kind::Decision => {
            let read: pb::Decision = record.read()?;
            place(read.application).into_iter().chain(place(read.appeal)).collect()
        }
        Kind::Appeal => place(record.read::<pb::Appeal>()?.decision).into_iter().collect(),
        Kind::Conversion => {
            let read: pb::Conversion = record.read()?;
            let sources = read.sources.iter().filter_map(|one| one.record.as_ref()?.place).map(Place::from);
            let roots = read.results.iter().flat_map(|result| &result.roots).filter_map(|root| root.place);
            sources.chain(roots.map(Place::from)).chain(place(read.decision)).collect()
        }
        Kind::Award => {
            let read: pb::Award = record.read()?;
            let counted = read.allocations.iter().filter_map(|one| one.record.as_ref()?.place).map(Place::from);
            counted.chain(of(&read.redeems)).chain(of(&read.absorbs)).chain(of(&read.enrolments)).collect()
        }
        Kind::QualificationRecognition => {
            let read: pb::QualificationRecognition = record.read()?;
            let award = read.qualification.and_then(|of| of.place).map(Place::from);
            let roots = read.exemptions.iter().flat_map(|result| &result.roots).filter_map(|root| root.place);
            award.into_iter().chain(place(read.decision)).chain(roots.map(Place::from)).collect()
        }
        _ => BTreeSet::new(),
    })
}
