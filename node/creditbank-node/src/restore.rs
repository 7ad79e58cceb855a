//! `restore`: a node from a backup, never below what was published.

use std::path::PathBuf;

use creditbank_protocol::dates::{date_of, day_of_ms, parse_minute, show, show_minute};
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{Manifest, Point, RestoreOptions, restore};
use serde_json::json;

use crate::backup::{bar, usage};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The backup.
    #[arg(long)]
    from: PathBuf,
    /// A new directory for the node.
    #[arg(long)]
    dir: PathBuf,
    /// Signed note of a checkpoint that others have seen of this log; may be given several times.
    #[arg(long, value_name = "FILE")]
    seen: Vec<PathBuf>,
    /// Nothing after the backup ever left the node: no checkpoint, no receipt, no transcript.
    #[arg(long, conflicts_with = "seen")]
    nothing_published: bool,
    /// Restore only up to a point: a number of log entries, or a time as 2026-11-26T09:30Z; to the last seal at or before it
    ///
    /// Learners' keys are those of the whole backup, so that what was erased later stays erased. What others have seen
    /// beyond the point holds the node, and so does the backup's own checkpoint: a log does not go back, but under another
    /// name (succeed).
    #[arg(long, value_name = "SIZE|TIME", value_parser = point)]
    to: Option<Point>,
    /// Use learners' keys that should have been deleted by now.
    #[arg(long)]
    accept_expired: bool,
    /// Where the node's keys are, for a backup made without them.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

/// A number of log entries, or a minute of UTC, to its end.
fn point(text: &str) -> Result<Point, String> {
    if let Ok(size) = text.parse() {
        return Ok(Point::Size(size));
    }
    let minute =
        parse_minute(text).ok_or("expected a number of log entries, or a minute of UTC, as 2026-11-26T09:30Z")?;
    Ok(Point::TimeMs(minute * 60_000 + 59_999))
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { from, dir, seen, nothing_published, to, accept_expired, keys, json } = arguments;
    let options = RestoreOptions { seen, nothing_published, accept_expired, keys, to };
    let bar = bar(json);
    let restored = restore(&Environment::system(), &from, &dir, &options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let restored = restored.map_err(usage)?;
    let (size, Manifest { made_at_ms, .. }) = (restored.size, restored.manifest);
    if json {
        crate::say(
            &json!({
                "dir": dir,
                "size": size,
                "made_at_ms": made_at_ms,
                "held_below": restored.held_below,
                "confirm_after_ms": restored.confirm_after_ms,
            })
            .to_string(),
        );
        return Ok(());
    }
    let dir = dir.display();
    crate::say(&format!("{dir} holds the log up to entry {size}. Next: creditbank-node check --dir {dir}"));
    crate::say(&lost_accounts(made_at_ms));
    if let Some(sealed_ms) = restored.confirm_after_ms {
        crate::say(&format!(
            "Its last seal is of {}. That is more than 26 hours ago: look at a clock that you trust, and pass the time that it \
             shows to the first start, as creditbank-node serve --dir {dir} --confirm-time 2026-11-26T09:30Z",
            show_minute(sealed_ms / 60_000)
        ));
    }
    if let Some(below) = restored.held_below {
        crate::say(&format!(
            "HELD: the log key has signed a checkpoint of {below} entries. A node that lacks them is not served: it would sign a \
             second history. Restore from a newer backup or copy that has them. Where there is none, or this point is where you \
             want to go on from, the log goes on under another name and another key: creditbank-node succeed --help"
        ));
    }
    Ok(())
}

/// What no checkpoint shows: an account is opened without an entry of the log, and its number is random.
fn lost_accounts(made_at_ms: u64) -> String {
    format!(
        "Accounts that were opened since the backup ({}) and have no record in it are lost, also where the log lacks nothing: \
         these persons get other aliases. Tell your institutions to forget the aliases that they were given since then, and to \
         open the accounts again before they issue.",
        show(&date_of(day_of_ms(made_at_ms)))
    )
}
