//! Conversions under an agreement.

use creditbank_protocol::pb::{AgreementTerms, Amount, Apportionment, ConvertedCredit, Date, Mode, Period};
use creditbank_protocol::registry::RegistryKey;

use super::amount::{Granted, Group, grant};
use super::grade::{Graded, decide, suggest};
use super::{Converted, Request, Source, age, level, plus_1, roots, stated};
use crate::agreement::{Rivals, covers, in_force, show, speaks_for};
use crate::dates::{Day, date_of, first_day, last_day};
use crate::registry::admit::require;
use crate::{Agreement, Rejection, Rule};

pub(super) fn convert(request: &Request<'_>, agreement: &Agreement) -> Result<Converted, Rejection> {
    let terms = agreement.terms();
    let is_in_force = |day: Day| in_force(request.registry, &terms.code, terms.version, day);
    let shown = show(&terms.code, terms.version);
    // What was promised in advance holds, also where it has ended since.
    let day = request.promised.filter(|_| !is_in_force(request.decided)).unwrap_or(request.decided);
    let on = crate::dates::show(&date_of(request.decided));
    require(is_in_force(day), Rule::NotInForce, "agreement", format!("an agreement in force on {on}"), &shown)?;
    request.recorded(&RegistryKey::AgreementAcceptance(terms.code.clone(), terms.version), &shown, day)?;
    let rivals = Rivals::of(request.registry, terms, request.receiver, day);
    request.sources.iter().try_for_each(|source| covered(request, (terms, day), &rivals, source))?;
    let lump = terms.apportionment() == Apportionment::Lump;
    let whole: Vec<usize> = (0..request.sources.len()).collect();
    let parts: Vec<&[usize]> = if lump { vec![&whole] } else { whole.chunks(1).collect() };
    let sources = |part: &[usize]| part.iter().map(|index| &request.sources[*index]).collect::<Vec<_>>();
    let groups: Vec<Group<'_>> = parts.iter().map(|part| group(terms, &sources(part))).collect();
    let granted = grant(terms, &groups, request.account)?;
    let mut results = Vec::with_capacity(groups.len());
    for (index, (part, group)) in parts.iter().zip(&groups).enumerate() {
        results.push(result(request, terms, part, group, (&granted, index))?);
    }
    Ok(Converted {
        sources: request.sources.iter().map(Source::to_record).collect(),
        results,
        amount_steps: Some(granted.steps),
        exclusive: terms.exclusive,
    })
}

/// The agreement speaks for the institutions on a day, covers the credit, and no more specific one does.
fn covered(
    request: &Request<'_>,
    (terms, day): (&AgreementTerms, Day),
    rivals: &Rivals<'_>,
    source: &Source,
) -> Result<(), Rejection> {
    let (sender, receiver) = (source.institution, request.receiver);
    let speaks = speaks_for(request.registry, terms, sender, receiver, day);
    let refuse = |rule, expected| {
        let found = show(&terms.code, terms.version);
        Err(Rejection::new(rule, expected, found).field("agreement"))
    };
    if !speaks {
        let expected = format!("an agreement that speaks for credit of {sender} at {receiver}");
        return refuse(Rule::OutsideScope, expected);
    }
    let facts = source.facts();
    covers(terms, &facts)?;
    if let Some(better) = rivals.covering(sender, &facts) {
        let better = show(&better.terms().code, better.terms().version);
        return refuse(Rule::NotMostSpecific, format!("{better}, which is more specific"));
    }
    age::at_most(source, terms.age_months_max, request.decided)
}

fn group<'a>(terms: &AgreementTerms, sources: &[&'a Source]) -> Group<'a> {
    let mut all: Vec<_> = sources.iter().flat_map(|source| &source.roots).collect();
    all.sort_by_key(|root| roots::key(root));
    Group::of(all, terms)
}

fn result(
    request: &Request<'_>,
    terms: &AgreementTerms,
    part: &[usize],
    group: &Group<'_>,
    (granted, index): (&Granted, usize),
) -> Result<ConvertedCredit, Rejection> {
    let sources: Vec<&Source> = part.iter().map(|index| &request.sources[*index]).collect();
    let stated = stated(request, part[0]);
    let levels: Vec<_> = sources.iter().map(|source| source.level.as_ref()).collect();
    let stated_level = stated.and_then(|stated| stated.level.as_ref());
    let level = level::choose(request.registry, terms, &levels, stated_level)?;
    let suggestion = match sources.as_slice() {
        [source] => suggest(request.registry, terms.grades.as_ref(), source, request.receiver, request.decided)?,
        // A lump of several has no grade.
        _ => None,
    };
    let Graded { grade, suggested, override_reason, steps } = decide(request.registry, suggestion, stated)?;
    let amount = Amount { e4: granted.shares[index], unit: terms.target_unit.clone() };
    let roots = roots::settle(&group.roots(), &group.weights, &amount, granted.left)?;
    let bounded = roots.len() <= 256;
    require(bounded, Rule::OutsideScope, "results", "at most 256 roots of a result", roots.len())?;
    // What was compensated must not hide among what was earned.
    let basis = common(&sources, |source| source.basis);
    let basis = basis.ok_or_else(|| {
        Rejection::new(Rule::OutsideScope, "a lump of passes on one basis", "several").field("sources")
    })?;
    let first = sources[0];
    let single = sources.len() == 1;
    Ok(ConvertedCredit {
        course: first.course.clone().filter(|_| single),
        amount: Some(amount),
        level,
        field: common(&sources, |source| source.field.as_str()).unwrap_or_default().to_owned(),
        grade,
        suggested,
        override_reason,
        mode: common(&sources, |source| source.mode).unwrap_or(Mode::Unspecified).into(),
        period: period(&sources),
        roots,
        source_plus_1: if single { plus_1(part[0]) } else { 0 },
        grade_steps: steps,
        expires: earliest(&sources),
        basis: basis.into(),
        declared: sources.iter().any(|source| source.declared),
    })
}

/// What all sources have in common.
fn common<'a, T: PartialEq>(sources: &[&'a Source], of: impl Fn(&'a Source) -> T) -> Option<T> {
    let mut all = sources.iter().map(|source| of(source));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// From the first day of the sources to the last; none where a source states none.
fn period(sources: &[&Source]) -> Option<Period> {
    let dates = |of: fn(&Period) -> Option<Date>| -> Option<Vec<Date>> {
        sources.iter().map(|source| source.period.as_ref().and_then(of)).collect()
    };
    let from = dates(|period| period.from)?.into_iter().min_by_key(first_day);
    let until = dates(|period| period.until)?.into_iter().rev().max_by_key(last_day);
    Some(Period { from, until })
}

/// The lump expires with the first of its sources.
fn earliest(sources: &[&Source]) -> Option<Date> {
    sources.iter().filter_map(|source| source.expires).min_by_key(last_day)
}
