//! `--confirm-time`: the operator says what time it is, before a start seals long after the last seal.

use creditbank_protocol::dates::{parse_minute, show_minute};
use creditbank_server::clock::Clock;

use crate::failure::Usage;

/// The confirmed time may differ from the machine's by this much: typing it takes a while.
const MINUTES_MAX: u64 = 10;

/// What the operator says about the time.
#[derive(clap::Args)]
pub(crate) struct ConfirmTime {
    /// The time now, from a clock other than this machine's, as 2026-11-26T09:30Z (UTC)
    ///
    /// After a start the node seals nothing more than 26 hours after the last seal unless you confirm the time, because
    /// times in a log never go back. The time must be within ten minutes of this machine's clock. It holds for this
    /// start only.
    #[arg(long, value_name = "TIME", value_parser = minute)]
    confirm_time: Option<u64>,
}

fn minute(text: &str) -> Result<u64, String> {
    parse_minute(text).ok_or_else(|| "expected a minute of UTC, as 2026-11-26T09:30Z".to_owned())
}

impl ConfirmTime {
    /// Whether the time is confirmed. A time that differs from this machine's clock is wrong usage.
    pub(crate) fn is_given(&self, clock: &dyn Clock) -> Result<bool, Usage> {
        let Some(said) = self.confirm_time else { return Ok(false) };
        let found = clock.now_ms() / 60_000;
        if said.abs_diff(found) <= MINUTES_MAX {
            return Ok(true);
        }
        Err(Usage(format!(
            "--confirm-time {}: this machine's clock says {}. Expected the time now, at most {MINUTES_MAX} minutes \
             from the clock: if the clock is wrong, set it. The option holds for one start: leave it out of scripts",
            show_minute(said),
            show_minute(found)
        )))
    }
}
