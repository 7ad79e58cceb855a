//! `registry correct-time`: the log goes on after it was sealed under a clock that was ahead.

use creditbank_client::time_correction::{approvers, correction, is_corrected, newest_ms};
use creditbank_client::validity::shown;
use creditbank_client::{Client, now_ms};
use creditbank_protocol::pb::Kind;
use creditbank_protocol::{UnitId, counted};

use super::super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

/// A log whose newest seal states no later minute than so many after this one is not corrected: the node seals again
/// before anybody could have approved that.
const WAITED_OUT_MINUTES: u64 = 1;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// By when all wrong seals were made, as 2026-09-01T08:30Z: now, or some minutes ago
    ///
    /// The whole minute counts: what was sealed within it is right. The log goes on from the last right seal, or from
    /// the beginning of this minute, if that is later.
    #[arg(long, value_name = "TIME", value_parser = values::past_minute)]
    bound: u64,
}

pub(crate) async fn run(global: &Global, client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { bound } = *arguments;
    let newest = shown(newest_ms(client).await? / 60_000);
    let Some(ahead) = correction(client, now_ms() / 60_000 + WAITED_OUT_MINUTES).await? else {
        if is_corrected(client).await? {
            return Err(Failure::NotValid(
                "the newest round is a correction of the time already: there is nothing more to correct. Its own seal \
                 can state a wrong time; the next round bears the right one"
                    .to_owned(),
            ));
        }
        return Err(Failure::NotValid(format!(
            "the newest seal says {newest}. By this clock that is over, or is in two minutes at most: there is nothing \
             to correct, and the node seals again by itself"
        )));
    };
    let Some(found) = correction(client, bound).await? else {
        return Err(Failure::NotValid(format!(
            "the newest seal says {newest}, no later minute than the bound: there is nothing to correct"
        )));
    };
    let by = approvers(client, bound).await?;
    // A second person approves it, whatever the policy.
    let required = client.approvals_required(UnitId::OPERATOR).await?.max(1);
    if by.len() < required {
        return Err(Failure::NotValid(too_few(by.len(), required, &newest)));
    }
    if found.first < ahead.first {
        eprintln!(
            "note: by this clock only the seals from {} on are ahead; with this bound those from {} on count as wrong \
             too. If they were sealed before the clock was wrong, pass a later --bound.",
            ahead.first, found.first
        );
    }
    let ids: Vec<String> = by.iter().map(ToString::to_string).collect();
    eprintln!(
        "note: the request needs the approvals of {}, each with one of these approvers' keys of institution 0 \
         (creditbank approve REQUEST --key FILE): {}",
        counted(required, "other person", "other persons"),
        ids.join(", ")
    );
    let what = format!("a correction of the seals from {} to {}, back to {}", found.first, found.last, shown(bound));
    let record = publish::entry(Kind::TimeCorrection, &found)?;
    // Apart from other commands' blocks: the node takes nothing else before the time is corrected.
    publish::run_in(global, client, &[record], &what, &global.registry_work().join("correct-time")).await
}

/// What to do where not enough keys may approve.
fn too_few(found: usize, required: usize, newest: &str) -> String {
    let persons = counted(required, "other person", "other persons");
    let found = match found {
        0 => "no key".to_owned(),
        some => format!("only {}", counted(some, "key", "keys")),
    };
    format!(
        "nothing was written: a correction of the time needs the approvals of {persons}, and the registry has {found} \
         of purpose approver of institution 0 in force at the bound. While the log is ahead none can be admitted, as \
         that takes a block too: the log goes on by itself at {newest}. Then admit as many as are needed, for the next \
         time: creditbank keygen approver.key --purpose approver; creditbank key request --key approver.key --institution 0 \
         --out approver.json; creditbank key add approver.json (docs/operate/clock.md)"
    )
}
