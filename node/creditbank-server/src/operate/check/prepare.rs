//! The part of a round that does not depend on order. The workers do it.

use creditbank_ledger::replay::Prepared;
use creditbank_protocol::LogIndex;
use creditbank_store::inspect::{DecodedRound, JournalRound};

use super::Finding;
use super::bodies::{Bodies, LearnerRows};
use super::rows::Print;

/// What every worker needs.
pub(super) struct Context {
    pub(super) bodies: Bodies,
}

/// A round with the results that do not depend on order.
pub(super) struct PreparedRound {
    pub(super) raw: JournalRound,
    pub(super) decoded: Result<DecodedRound, String>,
    pub(super) entries: Vec<Prepared>,
    pub(super) findings: Vec<Finding>,
    pub(super) prints: Vec<Print>,
    pub(super) bodies: u64,
    pub(super) erased: u64,
}

/// Everything of a round that does not depend on order.
pub(super) fn prepare(context: &Context, raw: JournalRound) -> PreparedRound {
    let decoded = raw.decode().map_err(|error| error.to_string());
    let mut prepared = PreparedRound {
        raw,
        decoded,
        entries: Vec::new(),
        findings: Vec::new(),
        prints: Vec::new(),
        bodies: 0,
        erased: 0,
    };
    let Ok(decoded) = &mut prepared.decoded else { return prepared };
    let round = &mut decoded.round;
    let rows = LearnerRows::of(&round.rows);
    prepared.entries = round.entries.iter().map(|write| Prepared::new(&write.entry)).collect();
    let mut following = prepared.entries.iter().peekable();
    for (index, write) in (round.base.size..).map(LogIndex).zip(&round.entries) {
        let Some(entry) = following.next() else { break };
        let found = context.bodies.check(index, (entry, following.peek().copied()), &write.bodies, &rows);
        prepared.findings.extend(found.findings);
        prepared.bodies += found.opened;
        prepared.erased += found.erased;
    }
    prepared.prints = round.rows.iter().map(Print::of).collect();
    // Drop what is not needed any more, to make room for waiting rounds.
    round.entries.iter_mut().for_each(|write| write.bodies = Vec::new());
    prepared
}
