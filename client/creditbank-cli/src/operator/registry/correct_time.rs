//! `registry correct-time`: the log goes on after it was sealed under a clock that was ahead.

use creditbank_client::time_correction::{approvers, correction, newest_ms};
use creditbank_client::validity::shown;
use creditbank_client::{Client, now_ms};
use creditbank_protocol::pb::Kind;

use super::super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

/// A log that is ahead by so much is not corrected: the node seals again before anybody could have approved that.
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
    if by.is_empty() {
        return Err(Failure::NotValid(no_approver(&newest)));
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
        "note: whoever has one of these approvers' keys of institution 0 approves the request (creditbank approve \
         REQUEST --key FILE): {}",
        ids.join(", ")
    );
    let what = format!("a correction of the seals from {} to {}, back to {}", found.first, found.last, shown(bound));
    let record = publish::entry(Kind::TimeCorrection, &found)?;
    // Apart from other commands' blocks: the node takes nothing else before the time is corrected.
    publish::run_in(global, client, &[record], &what, &global.registry_work().join("correct-time")).await
}

/// What to do where nobody may approve.
fn no_approver(newest: &str) -> String {
    format!(
        "nothing was written: a second person approves a correction of the time, and the registry has no key of \
         purpose approver of institution 0 that is in force at the bound. While the log is ahead none can be admitted, \
         as that takes a block too: the log goes on by itself at {newest}. Then admit one, for the next time: \
         creditbank keygen approver.key --purpose approver; creditbank key request --key approver.key --institution 0 \
         --out approver.json; creditbank key add approver.json (docs/operate/clock.md)"
    )
}
