//! What the person who waits for a command should know meanwhile. This library prints nothing: it tells
//! [`ConnectOptions::notices`](crate::ConnectOptions::notices).

use std::fmt;
use std::path::PathBuf;

use creditbank_protocol::counted;
use creditbank_protocol::dates::show_duration_ms;

/// Something that happens while a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Nothing has come of a call, and it is repeated after a pause.
    Waits {
        /// What came instead of an answer.
        why: String,
        /// How long the pause is.
        pause_ms: u64,
    },
    /// An earlier run has left blocks of which it is not known whether they are sealed: they are sent first.
    Resends {
        /// What they hold, block by block.
        blocks: Vec<String>,
        /// The directory of their notes.
        dir: PathBuf,
    },
    /// The run ends, and it is not known whether these blocks are sealed: they are kept.
    Keeps {
        /// What they hold, block by block.
        blocks: Vec<String>,
        /// The directory of their notes.
        dir: PathBuf,
    },
}

/// Most blocks that are named one by one.
const NAMED_MAX: usize = 4;

fn named(blocks: &[String]) -> String {
    let more = if blocks.len() > NAMED_MAX { "; ..." } else { "" };
    let first: Vec<&str> = blocks.iter().take(NAMED_MAX).map(String::as_str).collect();
    format!("{} ({}{more})", counted(blocks.len(), "block", "blocks"), first.join("; "))
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits { why, pause_ms } => {
                write!(f, "{why}; this is tried again in {}", show_duration_ms(*pause_ms))
            }
            Self::Resends { blocks, dir } => write!(
                f,
                "an earlier command has left {} in {}: sent again now, before anything else",
                named(blocks),
                dir.display()
            ),
            Self::Keeps { blocks, dir } => {
                let (named, dir) = (named(blocks), dir.display());
                write!(
                    f,
                    "it is not known whether this is sealed: {named}. It is kept, and the next command that uses {dir} \
                     sends it again. To give it up: creditbank pending {dir} --drop"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is kept is named, with what happens to it next and how it is given up; a long list stays short.
    #[test]
    fn what_is_kept_is_said() {
        let blocks: Vec<String> = (0..9).map(|number| format!("block {number}")).collect();
        let dir = PathBuf::from("registry.key.blocks");
        let said = Notice::Keeps { blocks: blocks.clone(), dir: dir.clone() }.to_string();
        assert!(said.contains("9 blocks (block 0; block 1; block 2; block 3; ...)"), "{said}");
        assert!(said.contains("sends it again") && said.contains("creditbank pending registry.key.blocks --drop"));
        let said = Notice::Resends { blocks: blocks[..1].to_vec(), dir }.to_string();
        assert!(said.contains("1 block (block 0) in registry.key.blocks: sent again now"), "{said}");
        let said = Notice::Waits { why: "the node is busy".to_owned(), pause_ms: 10_000 }.to_string();
        assert_eq!(said, "the node is busy; this is tried again in 10 s");
    }
}
