//! The disk's part of an outbox, on a thread of its own: what has come together is made durable together.
//!
//! Blocks that are signed at one time stand in one file of `WORK/outbox/`, named by the height of the first. It is written
//! beside, synced, renamed and its directory synced, and only then are its blocks sent. It is removed when all its blocks
//! are settled; that a crash brings it back does no harm, as a block that is sent again is answered with its receipt.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as jobs};
use std::thread::JoinHandle;

use creditbank_protocol::Digest;
use creditbank_protocol::pb::Receipt;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::core::Ticket;
use super::notes::damaged;
use super::{Prepared, PreparedError};
use crate::ClientError;
use crate::files::{append, at, replace, sync_dir};

/// Something to be made durable. In order: nothing is done before what was asked for before it.
pub(super) enum Job {
    /// A block that is to be sent.
    Write(Arc<Prepared>),
    /// A block that is sealed: the note and the receipt, then the block is removed.
    Note(Settled),
    /// Blocks that are not sealed and never will be, the last one first.
    Forget(Vec<Arc<Prepared>>),
}

/// A block that is sealed.
pub(super) struct Settled {
    pub(super) ticket: Ticket,
    pub(super) block: Arc<Prepared>,
    pub(super) receipt: Box<Receipt>,
}

/// What is durable.
pub(super) enum Done {
    Written(Digest),
    Noted(Settled),
    Failed(ClientError),
}

/// A file of blocks, with those that are not settled.
struct Group {
    path: PathBuf,
    left: BTreeSet<Digest>,
}

/// The thread. What was asked for is done before it ends.
pub(super) struct Disk {
    jobs: Option<jobs::Sender<Job>>,
    done: mpsc::UnboundedReceiver<Done>,
    thread: Option<JoinHandle<()>>,
    /// Jobs that are not done.
    open: usize,
}

impl Disk {
    /// Starts with the blocks that `dir` holds, in the order of their heights. Without a directory everything is held in
    /// memory alone, for as long as the process lives.
    pub(super) fn start(dir: Option<&Path>) -> Result<(Self, Vec<Arc<Prepared>>), ClientError> {
        let (jobs, queue) = jobs::channel();
        let (told, done) = mpsc::unbounded_channel();
        let mut worker = Worker { dir: dir.map(Path::to_owned), groups: Vec::new(), told };
        let blocks = worker.restore()?;
        let thread = std::thread::Builder::new().name("outbox".to_owned()).spawn(move || worker.run(&queue));
        let thread = thread.map_err(|error| ClientError::Local(format!("no thread for the disk: {error}")))?;
        Ok((Self { jobs: Some(jobs), done, thread: Some(thread), open: 0 }, blocks))
    }

    /// Asks for something. The answer to a `Forget` is that what is asked for after it is done.
    pub(super) fn ask(&mut self, job: Job) {
        self.open += usize::from(!matches!(job, Job::Forget(_)));
        // The thread ends after this side alone.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }

    /// Whether something is not durable yet.
    pub(super) fn is_busy(&self) -> bool {
        self.open > 0
    }

    /// The next thing that is durable. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Done {
        let done = self.done.recv().await;
        self.open -= 1;
        done.unwrap_or_else(|| Done::Failed(ClientError::Local("the disk's thread has ended".to_owned())))
    }
}

impl Drop for Disk {
    /// What is sealed is noted also where a run is given up.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The blocks of a file, behind which its SHA-256 stands.
fn read_blocks(bytes: &[u8]) -> Result<Vec<Prepared>, PreparedError> {
    let (blocks, check) = bytes.split_last_chunk::<32>().ok_or(PreparedError::Checksum)?;
    if Sha256::digest(blocks)[..] != check[..] {
        return Err(PreparedError::Checksum);
    }
    Prepared::read(blocks)
}

/// The files of an outbox with their blocks, in the order of the heights.
pub(super) fn read_outbox(outbox: &Path) -> Result<Vec<(PathBuf, Vec<Prepared>)>, ClientError> {
    let mut paths = Vec::new();
    for item in fs::read_dir(outbox).map_err(at(outbox))? {
        let path = item.map_err(at(outbox))?.path();
        if path.extension().is_some() {
            // It was never whole, so none of its blocks was sent.
            fs::remove_file(&path).map_err(at(&path))?;
        } else {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).map_err(at(&path))?;
        let blocks = read_blocks(&bytes).map_err(|error| damaged(&path, &error))?;
        found.push((path, blocks));
    }
    Ok(found)
}

/// Takes a file off an outbox. It is gone before the next one goes.
pub(super) fn remove_for_good(outbox: &Path, path: &Path) -> Result<(), ClientError> {
    fs::remove_file(path).map_err(at(path))?;
    sync_dir(outbox).map_err(at(outbox))
}

struct Worker {
    dir: Option<PathBuf>,
    /// In the order of the heights.
    groups: Vec<Group>,
    told: mpsc::UnboundedSender<Done>,
}

impl Worker {
    fn outbox(&self) -> Option<PathBuf> {
        self.dir.as_ref().map(|dir| dir.join("outbox"))
    }

    fn restore(&mut self) -> Result<Vec<Arc<Prepared>>, ClientError> {
        let Some(outbox) = self.outbox() else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for (path, blocks) in read_outbox(&outbox)? {
            self.groups.push(Group { left: blocks.iter().map(|block| block.id).collect(), path });
            all.extend(blocks.into_iter().map(Arc::new));
        }
        Ok(all)
    }

    fn run(mut self, queue: &jobs::Receiver<Job>) {
        while let Ok(job) = queue.recv() {
            let (mut writes, mut notes, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
            let mut next = Some(job);
            while let Some(job) = next {
                match job {
                    Job::Write(block) => writes.push(block),
                    Job::Note(settled) => notes.push(settled),
                    Job::Forget(blocks) => forgotten = blocks,
                }
                next = if forgotten.is_empty() { queue.try_recv().ok() } else { None };
            }
            if let Err(error) =
                self.write(writes).and_then(|()| self.note(notes)).and_then(|()| self.forget(&forgotten))
            {
                // What would follow might be wrong without it.
                let _ = self.told.send(Done::Failed(error));
                return;
            }
        }
    }

    fn tell(&self, done: Done) {
        // Nobody listens any more: the run was given up.
        let _ = self.told.send(done);
    }

    /// All of them in one file.
    fn write(&mut self, blocks: Vec<Arc<Prepared>>) -> Result<(), ClientError> {
        if let (Some(outbox), Some(first)) = (self.outbox(), blocks.first()) {
            let path = outbox.join(format!("{:020}", first.height));
            let mut bytes = Vec::new();
            blocks.iter().for_each(|block| block.write(&mut bytes));
            bytes.extend(Sha256::digest(&bytes));
            replace(&path, &bytes)?;
            self.groups.push(Group { path, left: blocks.iter().map(|block| block.id).collect() });
        }
        blocks.iter().for_each(|block| self.tell(Done::Written(block.id)));
        Ok(())
    }

    /// First what was issued, then that nothing of it is under way.
    fn note(&mut self, settled: Vec<Settled>) -> Result<(), ClientError> {
        if let (Some(dir), false) = (&self.dir, settled.is_empty()) {
            let receipts = settled.iter().flat_map(|one| one.receipt.encode_length_delimited_to_vec());
            append(&dir.join("receipts"), &receipts.collect::<Vec<_>>())?;
            let marks = settled.iter().flat_map(|one| &one.block.note).copied();
            append(&dir.join("issued"), &marks.collect::<Vec<_>>())?;
            for group in &mut self.groups {
                settled.iter().for_each(|one| _ = group.left.remove(&one.block.id));
            }
            for group in self.groups.extract_if(.., |group| group.left.is_empty()) {
                fs::remove_file(&group.path).map_err(at(&group.path))?;
            }
        }
        settled.into_iter().for_each(|one| self.tell(Done::Noted(one)));
        Ok(())
    }

    /// The last one first, each for good before the next: no block outlives what it builds on.
    fn forget(&mut self, blocks: &[Arc<Prepared>]) -> Result<(), ClientError> {
        let forgotten: BTreeSet<Digest> = blocks.iter().map(|block| block.id).collect();
        let Some(outbox) = self.outbox() else { return Ok(()) };
        while let Some(group) = self.groups.pop_if(|group| !group.left.is_disjoint(&forgotten)) {
            remove_for_good(&outbox, &group.path)?;
        }
        Ok(())
    }
}
