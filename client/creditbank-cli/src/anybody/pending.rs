//! `pending`: blocks of which it is not known whether they are sealed, and how they are given up.

use std::path::PathBuf;

use creditbank_client::outbox::{GivenUp, Pending, Prepared};
use creditbank_protocol::counted;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::output;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The directory of a command's notes, as registry.key.blocks; whatever keeps a block there names it
    dir: PathBuf,
    /// Give these blocks up, with the approvals that were given for them: no command seals that any more
    ///
    /// Refused where the log has the first of them. A node that has one in its memory may seal it all the same: look
    /// at the log before you do the same in another way.
    #[arg(long)]
    drop: bool,
}

pub(crate) async fn run(global: &Global, Arguments { dir, drop }: Arguments) -> Result<(), Failure> {
    let pending = Pending::open(&dir)?;
    let value = |block: &Prepared| json!({ "height": block.height, "holds": block.what() });
    let blocks: Vec<_> = pending.blocks().map(value).collect();
    let nothing = || format!("nothing is under way in {}", dir.display());
    if drop && blocks.is_empty() {
        return output::nothing_done(global, &json!({ "given_up": blocks }), &nothing());
    }
    if drop {
        let client = global.connect().await?;
        let GivenUp { blocks: count, requests } = pending.give_up(&client).await?;
        let value = json!({ "given_up": blocks, "requests": requests });
        return output::print(global, &value, || {
            let approved = match requests {
                0 => String::new(),
                _ => format!(" and {} with approvals", counted(requests, "request", "requests")),
            };
            let what = counted(count, "block", "blocks");
            format!("{what}{approved} given up in {}: no command sends that again", dir.display())
        });
    }
    output::print(global, &json!({ "pending": blocks }), || {
        if blocks.is_empty() {
            return nothing();
        }
        let rows = pending.blocks().map(|block| vec![block.height.to_string(), block.what()]);
        let table = output::table(&["height", "holds"], rows);
        format!("{table}\nThe next command that uses {} sends this again; --drop gives it up.", dir.display())
    })
}
