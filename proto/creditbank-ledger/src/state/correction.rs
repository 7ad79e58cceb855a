//! Correcting the time: the one round whose seal does not say when it was made (PROTOCOL.md, section 10).

use creditbank_protocol::LogIndex;
use creditbank_protocol::correction::Correction;
use creditbank_protocol::dates::show_moment;
use creditbank_rules::{Registry, Rejection, Rule};

use super::{ChainHead, OpenRound, ReadBlock};

fn refuse(expected: &str, found: impl ToString) -> Rejection {
    Rejection::new(Rule::Contradiction, expected, found.to_string()).record(0)
}

/// The round that corrects the time has no other block.
pub(super) fn alone() -> Rejection {
    refuse("no other block in the round that corrects the time", "another one")
}

/// A head as of the bound: what was created later was not.
pub(super) fn as_of(head: &ChainHead, bound_minute: u64) -> ChainHead {
    ChainHead { created_at_minute: head.created_at_minute.min(bound_minute), ..*head }
}

/// Checks what the state says of a block of the operator that corrects the time.
pub(super) fn check(round: &OpenRound, read: &ReadBlock, said: Correction) -> Result<(), Rejection> {
    let block = read.block();
    if block.header().count != 1 || !block.public().groups.is_empty() {
        return Err(refuse("a correction of the time alone in its block", "more"));
    }
    if read.approvals().is_empty() {
        let expected = "the approval of a second person, whatever the registry's policy";
        return Err(Rejection::new(Rule::ApprovalMissing, expected, "none"));
    }
    let Some(last) = round.state().last_seal() else {
        return Err(refuse("a log with a seal", "none"));
    };
    if round.next() != LogIndex(last.index.0 + 1) {
        return Err(alone());
    }
    if said.last != last.index {
        return Err(refuse(&format!("{} as the last wrong seal: the newest one", last.index), said.last));
    }
    if round.sealed_at_ms() != last.time_ms {
        let expected = format!("a round that is sealed at {}, as the one before", show_moment(last.time_ms));
        return Err(refuse(&expected, show_moment(round.sealed_at_ms())));
    }
    if said.bound_ms >= last.time_ms {
        let expected = format!("a bound before {}, the last seal's time", show_moment(last.time_ms));
        return Err(refuse(&expected, show_moment(said.bound_ms)));
    }
    Ok(())
}

/// Checks the bound of a correction against the seal before the first wrong one: its log index and time; of the log's
/// first seal, nothing. Whoever has the entries looks it up.
pub fn check_bound(registry: &Registry, said: &Correction, before: Option<(LogIndex, u64)>) -> Result<(), Rejection> {
    // Behind an interval the log goes on from its bound.
    let resumes = |(index, time_ms)| registry.resumes_at(index).unwrap_or(time_ms);
    let least = before.map_or(0, resumes);
    if said.bound_ms < least {
        return Err(refuse(
            &format!("a bound from {} on, the time of the seal before the first", show_moment(least)),
            show_moment(said.bound_ms),
        ));
    }
    Ok(())
}

/// There is no seal at the log index that is said to be the first wrong one.
pub fn no_seal(said: &Correction) -> Rejection {
    refuse("the log index of a seal as the first wrong one", said.first)
}
