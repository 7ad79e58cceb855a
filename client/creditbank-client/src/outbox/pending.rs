//! What a run has left under way, looked at and given up from outside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use creditbank_protocol::merkle::leaf_hash;

use super::Prepared;
use super::disk::{read_outbox, remove_for_good};
use super::notes::lock;
use crate::files::at;
use crate::sealing::approval::ApprovalQueue;
use crate::{Client, ClientError};

/// The blocks in a directory of notes of which it is not known whether they are sealed. No run can use the notes
/// meanwhile.
pub struct Pending {
    dir: PathBuf,
    job: String,
    files: Vec<(PathBuf, Vec<Prepared>)>,
    _lock: File,
}

/// How much was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp {
    /// Blocks.
    pub blocks: usize,
    /// Requests whose approved operations these blocks hold.
    pub requests: usize,
}

impl Pending {
    /// Whether a directory holds notes.
    pub(crate) fn is_there(dir: &Path) -> bool {
        dir.join("job.toml").exists()
    }

    /// Reads a directory of notes, as `registry.key.blocks`.
    pub fn open(dir: &Path) -> Result<Self, ClientError> {
        let path = dir.join("job.toml");
        let job = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ClientError::Local(format!(
                "{}: expected the directory of a command's notes, as registry.key.blocks; found no job.toml in it",
                dir.display()
            )),
            _ => at(&path)(error),
        })?;
        let lock = lock(dir)?;
        let outbox = dir.join("outbox");
        let files = if outbox.exists() { read_outbox(&outbox)? } else { Vec::new() };
        Ok(Self { dir: dir.to_owned(), job, files, _lock: lock })
    }

    /// The blocks, in the order of the chain.
    pub fn blocks(&self) -> impl Iterator<Item = &Prepared> {
        self.files.iter().flat_map(|(_, blocks)| blocks)
    }

    /// Gives them up: no run sends them again, nor seals in another block what was approved for one of them. Refused
    /// where the log has the first one: then they are not pending, and the next run notes what is sealed. A node that
    /// holds one in its memory may seal it all the same.
    pub async fn give_up(self, client: &Client) -> Result<GivenUp, ClientError> {
        let mut given_up = GivenUp { blocks: self.blocks().count(), requests: 0 };
        let Some(first) = self.blocks().next() else { return Ok(given_up) };
        let origin = client.origin();
        if !self.job.lines().any(|line| line == format!("origin = {origin:?}")) {
            return Err(ClientError::Local(format!(
                "these notes are of another log, or of a former name of this one: expected those of {origin}; nothing \
                 was given up"
            )));
        }
        if client.chain_head(first.unit).await?.next_height > first.height {
            let receipt = client.block(first.unit, first.height).await?;
            if leaf_hash(&receipt.entry) == first.leaf {
                return Err(ClientError::Local(format!(
                    "nothing was given up: the first of these blocks is sealed, at entry {}. Run the command again \
                     that has left them: it notes that and goes on",
                    receipt.index
                )));
            }
        }
        // The requests first: one that is left would be sealed by the next run, in a block that nobody knows of.
        let queue = ApprovalQueue::open(&self.dir);
        for block in self.blocks() {
            given_up.requests += usize::from(queue.give_up(block.operation_id)?);
        }
        // The last one first: none remains whose predecessor is gone.
        let outbox = self.dir.join("outbox");
        for (path, _) in self.files.iter().rev() {
            remove_for_good(&outbox, path)?;
        }
        Ok(given_up)
    }
}
