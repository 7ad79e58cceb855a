//! `restore`: makes a node from a backup. The node never signs below what was published.

use std::path::{Path, PathBuf};

use creditbank_protocol::counted;
use creditbank_protocol::dates::{date_of, day_of_ms, parse_moment, show, show_minute, show_moment};
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{Manifest, Point, RestoreOptions, restore};
use serde_json::json;

use crate::backup::{bar, usage};
use crate::failure::Held;

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
    /// Nothing after the backup has left the node: no checkpoint, no receipt, no transcript.
    #[arg(long, conflicts_with = "seen")]
    nothing_published: bool,
    /// Restore only up to a point: a number of log entries, or a UTC time, as 2026-11-26T09:30Z or
    /// 2026-11-26T09:30:05Z. Restores to the last seal at or before it; a minute or a second means its beginning
    ///
    /// Learners' keys always come from the whole backup, so that what was erased later stays erased. A point before
    /// what others have seen, or before the backup's own checkpoint, holds the node: a log goes back only under another
    /// name (succeed).
    #[arg(long, value_name = "SIZE|TIME", value_parser = point)]
    to: Option<Point>,
    /// Use a backup whose learners' keys have expired. Keys that the node has destroyed since then come back with it,
    /// and no command destroys them again.
    #[arg(long)]
    accept_expired: bool,
    /// Where the node's keys are, for a backup made without them.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

/// A number of log entries, or a moment of UTC.
fn point(text: &str) -> Result<Point, String> {
    if let Ok(size) = text.parse() {
        return Ok(Point::Size(size));
    }
    let expected = "expected a number of log entries, or a UTC time, as 2026-11-26T09:30Z or 2026-11-26T09:30:05Z";
    parse_moment(text).map(Point::TimeMs).ok_or_else(|| expected.to_owned())
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
                "sealed_ms": restored.sealed_ms,
                "held_below": restored.held_below,
                "confirm_after_ms": restored.confirm_after_ms,
            })
            .to_string(),
        );
        return restored.held_below.map_or(Ok(()), |below| Err(held(&dir, size, below).into()));
    }
    let place = &dir;
    let dir = dir.display();
    let sealed = restored.sealed_ms.map_or_else(String::new, |ms| format!(", sealed {}", show_moment(ms)));
    crate::say(&format!("{dir} holds the log up to entry {size}{sealed}. Next: creditbank-node check --dir {dir}"));
    crate::say(&lost_accounts(made_at_ms));
    if let Some(sealed_ms) = restored.confirm_after_ms {
        crate::say(&format!(
            "Its last seal is from {}. That is more than 26 hours ago: look at a clock that you trust, and pass the \
             time that it shows to the first start, as creditbank-node serve --dir {dir} --confirm-time \
             2026-11-26T09:30Z",
            show_minute(sealed_ms / 60_000)
        ));
    }
    if let Some(below) = restored.held_below {
        return Err(held(place, size, below).into());
    }
    crate::say(&format!(
        "It is a copy of another node: two nodes of one log sign two histories, which nobody can merge. Make sure \
         that the old node does not run and will not be started (stop it, disable its service, take away its keys/). \
         Then, once: creditbank-node serve --dir {dir} --take-over"
    ));
    Ok(())
}

fn held(dir: &Path, size: u64, below: u64) -> Held {
    Held(format!(
        "HELD: the log key has signed a checkpoint of {}, and {dir} has {size}. It is whole, but not \
         served: it would sign a second history. Restore from a newer backup or copy that has them. If there is none, \
         or if you want to continue from this point, stop the old node for ever, and continue the log under another \
         name and another key: creditbank-node succeed --dir {dir} --to NEW-DIR --size {size} --origin NEW-NAME \
         --registry-key FILE --case REFERENCE",
        counted(below, "entry", "entries"),
        dir = dir.display()
    ))
}

/// No checkpoint shows an account without records: opening it makes no entry of the log, and its number is random.
fn lost_accounts(made_at_ms: u64) -> String {
    format!(
        "Accounts that were opened since the backup ({}) and have no record in it are lost, even if the log lacks \
         nothing: these persons get other aliases. Ask your institutions to forget the aliases that they got since \
         then, and to open the accounts again before they issue.",
        show(&date_of(day_of_ms(made_at_ms)))
    )
}
