//! A learner's records as the rules see them, and their balance.

use creditbank_protocol::dates::day_of_ms;
use creditbank_rpc::v1::BalanceLine;
use creditbank_rules::admission::Used;
use creditbank_rules::balance::{Line, balance, status_name};

use super::ReadError;
use crate::append::round::StoreView;
use crate::ledger::Ledger;
use crate::private::Account;

/// Most records that one answer looks at.
const RECORDS_MAX: usize = 10_000;

impl Ledger {
    /// A learner's records, of one institution or all.
    pub(super) fn used(
        &self,
        view: &StoreView<'_>,
        account: &Account,
        institution: Option<u64>,
    ) -> Result<Vec<Used>, ReadError> {
        let (places, _) = self.places(account, institution, None, RECORDS_MAX)?;
        let mut records = Vec::with_capacity(places.len());
        for place in places {
            let stored = view.stored(place)?;
            records.extend(stored.map(|stored| Used {
                place: place.into(),
                facts: stored.facts,
                record: stored.record,
            }));
        }
        Ok(records)
    }

    /// The learner's credit by unit, level, field and status, of one institution or of all.
    pub fn balance(&self, account: &Account, institution: Option<u64>) -> Result<Vec<BalanceLine>, ReadError> {
        let (context, state) = (self.shared.context(), self.shared.state());
        let view = StoreView::new(&context, &state);
        let records = self.used(&view, account, institution)?;
        let line = |line: Line| {
            let Line { unit, level, field, standing, amount_e4, records } = line;
            BalanceLine { unit, level, field, status: status_name(standing).to_owned(), amount_e4, records }
        };
        Ok(balance(&view, &records, day_of_ms(self.now_ms()))?.into_iter().map(line).collect())
    }
}
