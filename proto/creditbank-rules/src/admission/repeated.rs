//! What Credits of the ledger say of repeats of their courses.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{self, Kind};

use crate::qualification::{self, Candidate};
use crate::{View, ViewError};

/// Notes of each candidate how often its course may count again, as the Credits of the course say among its roots.
pub fn mark_repeats(view: &impl View, account: &AccountId, candidates: &mut [Candidate]) -> Result<(), ViewError> {
    qualification::mark_repeats(candidates, |place| {
        let found = view.content_at(place)?.filter(|(facts, _)| facts.account == *account);
        let credit = found.filter(|(_, record)| record.kind() == Kind::Credit);
        Ok(credit.and_then(|(facts, record)| {
            let read: pb::Credit = record.read().ok()?;
            Some((view.registry().course(facts.institution, &read.course?.code), read.repeats_max))
        }))
    })
}
