//! Conversions: recomputed to the last digit, from sources that stand and that nothing else has used.

use std::collections::BTreeSet;

use creditbank_protocol::dates::{Day, date_of, first_day, show};
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, ConversionSource, Kind, RecordReference};
use creditbank_protocol::record::{Record, exemption_expires};
use creditbank_protocol::{AccountId, InstitutionId, Part, Place};

use super::derived::{Derived, Issuing};
use super::effects::{entries, redemption};
use super::fields::{present, require};
use super::recognition::past_day;
use super::used::{Used, at, named, standing, visible};
use super::{AdmissionError, SpentRoots, comparability, late, mandate};
use crate::conversion::{self, Account, Asked, Source};
use crate::{CourseKey, Registry, Rejection, Rule, View};

/// Checks a conversion by an institution.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let read: pb::Conversion = record.read().map_err(super::kinds::malformed)?;
    let digest = mandate::check(view.registry(), issuing, record, read.mandate.as_ref())?;
    let decided = past_day(read.decided.as_ref(), "decided", issuing.latest_day())?;
    present(!read.decider.is_empty(), "decider", "the person who answers for it")?;
    let carries_out = carried_out(view, issuing.institution, &read, account)?;
    let mut depends_on: Vec<Place> = carries_out.iter().map(|(place, _)| *place).collect();
    // What the amended conversion holds it holds on.
    let former = amends.map(|place| at(view, place, account, "amends")).transpose()?;
    let held = match &former {
        Some(former) => entries(view, former.place, &former.record)?,
        None => BTreeSet::default(),
    };
    let mut sources = Vec::with_capacity(read.sources.len());
    let mut used_records: Vec<RecordReference> = Vec::new();
    let mut roots = SpentRoots::new(view, account, issuing.day());
    // By record, so that each is read once, however many of its results are named.
    for of_record in read.sources.chunk_by(|one, other| one.record == other.record) {
        let used = named(view, of_record[0].record.as_ref(), account, "sources")?;
        standing(view, &used, "sources")?;
        visible(&used, issuing.day(), "sources")?;
        let redeemed = redemption(view, used.place, &used.facts, &used.record)?;
        let held = redeemed.is_none_or(|found| found.by.is_some_and(|entry| held.contains(&entry)));
        let all = sources_of(&used)?;
        for source in of_record {
            let part = Part::read(source.result_plus_1);
            let spent = !held || roots.are_spent(&used, part)?;
            let expected = "a source that pays for nothing else";
            require(!spent, Rule::AlreadySpent, "sources", expected, format_args!("{}, redeemed", used.place))?;
            // An amendment counts nothing anew.
            let surplus = former.is_none() && roots.are_surplus(&used, part)?;
            let expected = "a source whose course does not count already by other credits";
            require(!surplus, Rule::TooManyRepeats, "sources", expected, used.place)?;
            let source = pick(&all, &used, part)?;
            begun(&used, &source, decided)?;
            sources.push(source);
        }
        depends_on.push(used.place);
        if redeemed.is_none() && used_records.last().and_then(|last| last.place) != Some(used.place.into()) {
            used_records.extend(of_record[0].record.clone());
        }
    }
    if let Some((_, decision)) = &carries_out {
        advanced(view.registry(), decision, &sources)?;
    }
    let earlier = earlier(view, issuing.institution, &read, amends, account)?;
    let asked = Asked {
        registry: view.registry(),
        receiver: issuing.institution,
        sources: &sources,
        account: &Account::of(&earlier)?,
        day: decided,
        promised: carries_out.as_ref().and_then(|(_, decision)| promised(decision)),
    };
    let converted = conversion::check(&read, &asked)?;
    if let Some(former) = &former {
        same_sources(&read, former)?;
    }
    let late = if read.declared.is_some() {
        let expected = "nothing: what is declared was decided before the institution was in the registry";
        require(read.late.is_none(), Rule::Late, "late", expected, "what is said of a late record")?;
        false
    } else {
        let on = |day| late::refused(conversion::check(&read, &Asked { day, ..asked }).map_err(AdmissionError::from));
        late::check(view, issuing, (record, amends), account, late::DECISION_DAYS, on)?
    };
    let roots =
        converted.results.iter().flat_map(|result| &result.roots).filter_map(|root| root.place).map(Place::from);
    depends_on.extend(roots);
    depends_on.sort_unstable();
    depends_on.dedup();
    let redeems = if converted.exclusive && former.is_none() {
        used_records.iter().filter_map(|one| Some((one.place?.into(), digest))).collect()
    } else {
        Vec::new()
    };
    let key = Some(CourseKey::Conversion);
    Ok(Derived { key, redeems, depends_on, consents: vec![digest], late, ..Derived::default() })
}

/// The decision that a conversion of an institution carries out, if it names one.
pub fn carried_out(
    view: &impl View,
    institution: InstitutionId,
    conversion: &pb::Conversion,
    account: &AccountId,
) -> Result<Option<(Place, pb::Decision)>, AdmissionError> {
    let Some(place) = conversion.decision else { return Ok(None) };
    comparability::decision(view, institution, Some(place.into()), account).map(Some)
}

/// The day of an advance decision, whose agreement or equivalence was promised; `None` of another one.
pub fn promised(decision: &pb::Decision) -> Option<Day> {
    decision.decided.as_ref().filter(|_| !decision.courses.is_empty()).map(first_day)
}

/// The sources of what carries out an advance decision are of its courses.
pub fn advanced(registry: &Registry, decision: &pb::Decision, sources: &[Source]) -> Result<(), Rejection> {
    if decision.courses.is_empty() {
        return Ok(());
    }
    let is_of = |source: &Source| {
        let code = source.course.as_ref().map_or("", |course| course.code.as_str());
        let course = registry.course(source.institution, code);
        let named = |one: &pb::DecidedCourse| {
            InstitutionId(one.institution) == source.institution
                && one.course.as_ref().is_some_and(|decided| course.is(&decided.code))
        };
        !code.is_empty() && decision.courses.iter().any(named)
    };
    let odd = sources.iter().find(|source| !is_of(source));
    let expected = "credit for courses of the advance decision that it carries out";
    require(odd.is_none(), Rule::OutsideScope, "sources", expected, odd.map_or(String::new(), Source::show))
}

/// Nothing is converted before its period has begun, nor before it was assessed or, of a result, decided.
pub fn begun(used: &Used, source: &Source, decided: Day) -> Result<(), Rejection> {
    let from = source.period.as_ref().and_then(|period| period.from.as_ref());
    let there = match source.kind {
        Kind::Credit => used.record.read::<pb::Credit>().ok().and_then(|credit| credit.completed),
        Kind::Conversion => used.record.read::<pb::Conversion>().ok().and_then(|of| of.decided),
        Kind::QualificationRecognition => {
            used.record.read::<pb::QualificationRecognition>().ok().and_then(|of| of.decided)
        }
        _ => None,
    };
    let first = from.into_iter().chain(&there).map(first_day).max();
    let shown = |day: Day| show(&date_of(day));
    let what = "begun, assessed or decided on";
    let found = first.map_or(String::new(), |first| format!("{}, {what} {}", used.place, shown(first)));
    let expected = format_args!("sources that were there on {}", shown(decided));
    require(first.is_none_or(|first| first <= decided), Rule::InvalidDate, "decided", expected, found)
}

/// A record, or one result of it, as conversions see it.
pub fn source_of(used: &Used, part: Part) -> Result<Source, Rejection> {
    pick(&sources_of(used)?, used, part)
}

/// One of the sources that a record is.
pub(super) fn pick(all: &[Source], used: &Used, part: Part) -> Result<Source, Rejection> {
    let found = all.iter().find(|one| one.part == part).cloned();
    found.ok_or_else(|| {
        let found = format!("{} of {}", part.written(), used.place);
        Rejection::new(Rule::SourceNotUsable, "one of the results of the record", found).field("sources")
    })
}

/// A record as conversions see it: itself, or each of its results.
pub fn sources_of(used: &Used) -> Result<Vec<Source>, Rejection> {
    let record = used.reference();
    let institution = used.facts.institution;
    let malformed = super::kinds::malformed;
    let results = |kind, results: &[pb::ConvertedCredit]| -> Vec<Source> {
        let each = (0u32..).zip(results).map(|(index, found)| {
            let mut source = Source::of_result(record.clone(), kind, index, institution, found);
            if source.roots.is_empty() {
                // What no other record of the ledger stands behind is its own root.
                source.roots = vec![conversion::roots::itself(&record, source.amount.as_ref(), results.len())];
            }
            source
        });
        each.collect()
    };
    match used.record.kind() {
        Kind::Credit => {
            let read = used.record.read().map_err(malformed)?;
            Ok(vec![Source::of_credit(record, institution, &read)])
        }
        Kind::Outcome => {
            let read = used.record.read().map_err(malformed)?;
            Ok(vec![Source::of_outcome(record, institution, &read)])
        }
        Kind::Conversion => {
            Ok(results(Kind::Conversion, &used.record.read::<pb::Conversion>().map_err(malformed)?.results))
        }
        Kind::QualificationRecognition => {
            let read: pb::QualificationRecognition = used.record.read().map_err(malformed)?;
            let mut sources = results(Kind::QualificationRecognition, &read.exemptions);
            for (source, exemption) in sources.iter_mut().zip(&read.exemptions) {
                source.expires = exemption_expires(exemption, &read);
            }
            Ok(sources)
        }
        other => {
            let expected = "a credit, an outcome, or a result of a conversion";
            Err(Rejection::new(Rule::SourceNotUsable, expected, names::of(other)).field("sources"))
        }
    }
}

/// The standing conversions of a learner by an institution under the same code (or by assessment), but for the amended one.
pub fn earlier(
    view: &impl View,
    institution: InstitutionId,
    conversion: &pb::Conversion,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Vec<pb::Conversion>, AdmissionError> {
    let code = |of: &pb::Conversion| {
        let agreement = of.agreement.as_ref().map(|name| (0, name.code.clone()));
        agreement.or_else(|| of.equivalence.as_ref().map(|name| (name.institution, name.code.clone())))
    };
    let mut found = Vec::new();
    for held in view.held(account, institution, &CourseKey::Conversion)? {
        if held.marks.have_ended() || Some(held.place) == amends {
            continue;
        }
        let Some((_, record)) = view.content_at(held.place)? else { continue };
        let read: pb::Conversion = record.read().map_err(super::kinds::malformed)?;
        let same = read.agreement.is_some() == conversion.agreement.is_some();
        if same && code(&read) == code(conversion) {
            found.push(read);
        }
    }
    Ok(found)
}

/// An amended conversion is of what the former one was of, by the same right; what is declared stays so.
fn same_sources(read: &pb::Conversion, former: &Used) -> Result<(), AdmissionError> {
    let before: pb::Conversion = former.record.read().map_err(super::kinds::malformed)?;
    let places = |of: &[ConversionSource]| -> Vec<_> {
        of.iter().map(|one| (one.record.as_ref().and_then(|record| record.place), one.result_plus_1)).collect()
    };
    let same = places(&read.sources) == places(&before.sources)
        && (&read.agreement, &read.equivalence) == (&before.agreement, &before.equivalence)
        && read.declared.is_some() == before.declared.is_some();
    let expected = "the sources and the basis of the amended one (for others, revoke it and convert anew)";
    Ok(require(same, Rule::Contradiction, "sources", expected, "others")?)
}
