//! What a conversion would give, without writing anything.

use creditbank_protocol::canonical::encode;
use creditbank_protocol::dates::{Day, date_of, day_of_ms, first_day, is_real};
use creditbank_protocol::pb::{self, Place};
use creditbank_rpc::v1::StatedResult;
use creditbank_rules::admission::{self, SpentRoots, earlier, source_of, sources_of};
use creditbank_rules::conversion::{Account as Granted, Basis, Request, Stated, convert, explain};
use creditbank_rules::{Rejection, Rule, View as _};

use super::ReadError;
use super::shown::ReadScope;
use crate::append::round::StoreView;
use crate::ledger::Ledger;
use crate::private::{Account, Alias};

/// What is to be converted, and by what right.
#[derive(Debug, Default)]
pub struct ConversionRequest {
    /// Basis and day; the rest is computed.
    pub conversion: pb::Conversion,
    /// Places and results, in any order.
    pub sources: Vec<(Place, u32)>,
    /// What the receiver states beyond what the rules give; by position of the source in the order of the call.
    pub stated: Vec<StatedResult>,
}

/// What it would give.
#[derive(Debug)]
pub struct Preview {
    /// A canonical Conversion without decider, decision and mandate.
    pub conversion: Vec<u8>,
    /// The steps in words.
    pub explanation: Vec<String>,
    /// Whether the sources are redeemed by it.
    pub exclusive: bool,
}

impl Ledger {
    /// The day that a call names, or today.
    pub(super) fn day(&self, date: Option<&pb::Date>, field: &'static str) -> Result<Day, ReadError> {
        let today = day_of_ms(self.now_ms());
        let Some(date) = date else { return Ok(today) };
        let refuse = || Rejection::new(Rule::InvalidDate, "a day of the calendar", "another").field(field);
        if is_real(date) && date.day != 0 { Ok(first_day(date)) } else { Err(refuse().into()) }
    }

    /// What a conversion by an institution would give a learner.
    pub fn preview(
        &self,
        institution: u64,
        account: &Account,
        alias: &Alias,
        request: ConversionRequest,
        scope: &ReadScope,
    ) -> Result<Preview, ReadError> {
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let ConversionRequest { mut conversion, sources: wanted, stated } = request;
        let decided = self.day(conversion.decided.as_ref(), "decided")?;
        conversion.learner = alias.as_bytes().to_vec();
        conversion.decided = Some(date_of(decided));
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|at| (wanted[*at].0.entry, wanted[*at].0.index, wanted[*at].1));
        let mut sources = Vec::with_capacity(wanted.len());
        let mut roots = SpentRoots::new(&view, account);
        for of_record in order.chunk_by(|one, other| wanted[*one].0 == wanted[*other].0) {
            let place = wanted[of_record[0]].0;
            let used = self.seen(&view, account, place, scope)?;
            let redeemed = admission::is_redeemed(&view, &used)?;
            let all = sources_of(&used)?;
            for at in of_record {
                let result = wanted[*at].1;
                let source = all.iter().find(|one| one.result_plus_1 == result).cloned();
                sources.push(source.map_or_else(|| source_of(&used, result), Ok)?);
                if redeemed || roots.are_spent(&used, result)? {
                    let found = format!("{}/{}, redeemed", place.entry, place.index);
                    let expected = "a source that pays for nothing else";
                    return Err(Rejection::new(Rule::AlreadySpent, expected, found).field("sources").into());
                }
            }
        }
        let position = |source: u32| {
            let at = usize::try_from(source).ok();
            order.iter().position(|one| Some(*one) == at).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
        };
        let stated: Vec<Stated> = stated
            .into_iter()
            .map(|one| {
                let StatedResult { source, level, grade, override_reason, course, amount, field } = one;
                Stated { source: position(source), level, grade, override_reason, course, amount, field }
            })
            .collect();
        let before = earlier(&view, institution.into(), &conversion, None, account)?;
        let granted = Granted::of(&before)?;
        let converted = convert(&Request {
            registry: view.registry(),
            basis: Basis::of(view.registry(), &conversion)?,
            receiver: institution.into(),
            sources: &sources,
            account: &granted,
            decided,
            stated: &stated,
        })?;
        conversion.sources = converted.sources;
        conversion.results = converted.results;
        conversion.amount_steps = converted.amount_steps;
        let explanation = explain(&conversion, view.registry());
        let spelled = |error: creditbank_protocol::canonical::CanonicalError| {
            Rejection::new(Rule::InvalidCode, "a canonical body", error.to_string())
        };
        let conversion = encode(&conversion).map_err(spelled)?;
        Ok(Preview { conversion, explanation, exclusive: converted.exclusive })
    }
}
