//! `restore`: a node from a backup, never below what was published.

use std::path::PathBuf;

use creditbank_protocol::dates::{date_of, day_of_ms, show};
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{Manifest, RestoreOptions, restore};
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

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { from, dir, seen, nothing_published, accept_expired, keys, json } = arguments;
    let options = RestoreOptions { seen, nothing_published, accept_expired, keys };
    let bar = bar(json);
    let restored = restore(&Environment::system(), &from, &dir, &options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let restored = restored.map_err(usage)?;
    let Manifest { size, made_at_ms, .. } = restored.manifest;
    if json {
        crate::say(
            &json!({ "dir": dir, "size": size, "made_at_ms": made_at_ms, "held_below": restored.held_below })
                .to_string(),
        );
        return Ok(());
    }
    let dir = dir.display();
    crate::say(&format!("{dir} holds the log up to entry {size}. Next: creditbank-node check --dir {dir}"));
    crate::say(&lost_accounts(made_at_ms));
    if let Some(below) = restored.held_below {
        crate::say(&format!(
            "HELD: others have seen a checkpoint of {below} entries. The node does not serve before its log has them: put a \
             journal with the missing rounds into {dir}/log/journal, with its guard."
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
