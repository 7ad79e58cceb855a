//! `registry correct-time`: the log goes on after it was sealed under a clock that was ahead.

use creditbank_client::time_correction::correction;
use creditbank_client::validity::shown;
use creditbank_client::{Client, now_ms};
use creditbank_protocol::pb::Kind;

use super::super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// By when all wrong seals were made, as 2026-09-01T08:30Z: now, or some minutes ago. The log goes on from then
    #[arg(long, value_name = "TIME", value_parser = values::past_minute)]
    bound: u64,
}

pub(crate) async fn run(global: &Global, client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { bound } = *arguments;
    let Some(ahead) = correction(client, now_ms()).await? else {
        let what = "the newest seal is not ahead of this clock: there is nothing to correct";
        return Err(Failure::NotValid(what.to_owned()));
    };
    let found = correction(client, bound.saturating_mul(60_000)).await?;
    let Some(found) = found else {
        let what = format!("the newest seal says no later time than {}: there is nothing to correct", shown(bound));
        return Err(Failure::NotValid(what));
    };
    if found.first < ahead.first {
        eprintln!(
            "note: by this clock only the seals from {} on are ahead; with this bound those from {} on count as wrong too. \
             If they were sealed before the clock was wrong, pass a later --bound.",
            ahead.first, found.first
        );
    }
    let what = format!("a correction of the seals from {} to {}, back to {}", found.first, found.last, shown(bound));
    let record = publish::entry(Kind::TimeCorrection, &found)?;
    // Apart from other commands' blocks: the node takes nothing else before the time is corrected.
    publish::run_in(global, client, &[record], &what, &global.registry_work().join("correct-time")).await
}
