//! What a conversion would give, without writing anything.

use creditbank_protocol::dates::{Day, date_of};
use creditbank_protocol::pb;
use creditbank_protocol::{AccountId, Alias, InstitutionId, Portion};
use creditbank_rules::admission::{self, SpentRoots, earlier, late, source_of, sources_of};
use creditbank_rules::conversion::{Account as Granted, Asked, Basis, Request, Stated, check, convert, explain};
use creditbank_rules::{Rejection, Rule, View};

use super::{QuestionError, ReadScope, named_day};

/// What is to be converted, and by what right.
#[derive(Debug, Clone, Default)]
pub struct ConversionRequest {
    /// Basis and day; the rest is computed.
    pub conversion: pb::Conversion,
    /// Records and results, in any order.
    pub sources: Vec<Portion>,
    /// What the receiver states beyond what the rules give; by position of the source in the order of the call.
    pub stated: Vec<Stated>,
}

/// What it would give.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The conversion, without decider and mandate. Where it is late and refused today, it says by which rule, and no reason.
    pub conversion: pb::Conversion,
    /// The steps, as the rules explain them.
    pub explanation: Vec<String>,
    /// Whether the sources are redeemed by it.
    pub exclusive: bool,
}

/// What a conversion by an institution would give a learner, whom it knows by an alias.
pub fn preview(
    view: &impl View,
    institution: InstitutionId,
    (account, alias): (&AccountId, &Alias),
    request: ConversionRequest,
    scope: &ReadScope,
    today: Day,
) -> Result<Preview, QuestionError> {
    let ConversionRequest { mut conversion, sources: wanted, stated } = request;
    let decided = named_day(conversion.decided.as_ref(), "decided", today)?;
    conversion.learner = alias.as_bytes().to_vec();
    conversion.decided = Some(date_of(decided));
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|at| wanted[*at]);
    let mut sources = Vec::with_capacity(wanted.len());
    let mut roots = SpentRoots::new(view, account, today);
    for of_record in order.chunk_by(|one, other| wanted[*one].place == wanted[*other].place) {
        let place = wanted[of_record[0]].place;
        let used = scope.find(view, account, place, today)?;
        admission::visible(&used, today, "sources")?;
        let redeemed = admission::is_redeemed(view, &used)?;
        let all = sources_of(&used)?;
        for at in of_record {
            let part = wanted[*at].part;
            let source = all.iter().find(|one| one.part == part).cloned();
            let source = source.map_or_else(|| source_of(&used, part), Ok)?;
            admission::begun(&used, &source, decided)?;
            sources.push(source);
            if redeemed || roots.are_spent(&used, part)? {
                let found = format!("{place}, redeemed");
                let expected = "a source that pays for nothing else";
                return Err(Rejection::new(Rule::AlreadySpent, expected, found).field("sources").into());
            }
            if roots.are_surplus(&used, part)? {
                let expected = "a source whose course does not count already by other credits";
                return Err(Rejection::new(Rule::TooManyRepeats, expected, place.to_string()).field("sources").into());
            }
        }
    }
    let position = |source: u32| {
        let at = usize::try_from(source).ok();
        order.iter().position(|one| Some(*one) == at).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
    };
    let stated: Vec<Stated> = stated.into_iter().map(|one| Stated { source: position(one.source), ..one }).collect();
    let carries_out = admission::carried_out(view, institution, &conversion, account)?;
    if let Some((_, decision)) = &carries_out {
        admission::advanced(view.registry(), decision, &sources)?;
    }
    let promised = carries_out.as_ref().and_then(|(_, decision)| admission::promised(decision));
    let before = earlier(view, institution, &conversion, None, account)?;
    let granted = Granted::of(&before)?;
    let request = Request {
        registry: view.registry(),
        basis: Basis::of(view.registry(), &conversion)?,
        receiver: institution,
        sources: &sources,
        account: &granted,
        decided,
        promised,
        stated: &stated,
    };
    let converted = convert(&request)?;
    conversion.sources = converted.sources;
    conversion.results = converted.results;
    conversion.amount_steps = converted.amount_steps;
    if today - decided > late::DECISION_DAYS && conversion.declared.is_none() {
        let (registry, receiver) = (view.registry(), institution);
        let asked = Asked { registry, receiver, sources: &sources, account: &granted, day: today, promised };
        conversion.late = check(&conversion, &asked).err().map(|refused| late::refused_now(refused.rule));
    }
    let explanation = explain(&conversion, view.registry());
    Ok(Preview { conversion, explanation, exclusive: converted.exclusive })
}
