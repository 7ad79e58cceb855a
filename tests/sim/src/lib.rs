//! A whole node, its registrars, one who lies and an auditor, in one thread under one seed, with everything that can fail.
//!
//! A run is a queue of events in simulated time. The node is the real one: its directory, store, rules, rounds and receipts, over a
//! disk, clocks and randomness that are passed in ([`creditbank_store::SimulatedDisk`], `Steps`). The registrars run the real
//! outbox (`creditbank_client::outbox::Core`). Only transport, threads and the commands' files are not there.
//!
//! What must hold, whatever happens:
//!
//! - What was acknowledged or shown stays, and never changes. Where a fault has destroyed synced data, the node refuses to start,
//!   or is held, or serves what is right and says where it is not.
//! - All checkpoints and entries that were ever shown belong to one history.
//! - An auditor with nothing but the log's keys comes to every seal, and to what the node holds.
//! - No credit pays twice: worked out from all bodies, without the ledger's rules.
//! - No outbox sends two headers for one height of which both may be accepted.
//! - What a registrar wants is sealed once, or refused for a rule.
//! - A block that was altered, or says what its signer may not say, is refused for the reason that PROTOCOL.md gives, and
//!   is in no log.
//! - The operator's check of the directory finds nothing at the end, unless synced data was destroyed.
//! - An init that was interrupted leaves a whole node or none.
//!
//! The index is [`creditbank_store::SimulatedIndex`]. The engines that a node has in production write their own files,
//! from threads of their own: neither does a fault of the simulated disk reach them, nor do their files follow from a
//! seed. What they must hold is said by `creditbank_store::contract`.
//!
//! Where to begin reading: `world` takes events in the order of time; `node`, `registrar`, `liar` and `auditor` are who
//! acts in them; `plan` says what goes wrong; `truth` is what was signed and shown, and `judge` what must hold of it at
//! the end.
#![forbid(unsafe_code)]

mod auditor;
mod cast;
mod chance;
mod clock;
mod courses;
mod judge;
mod liar;
mod node;
mod plan;
mod post;
mod prelude;
mod registrar;
mod report;
mod signing;
mod trace;
mod truth;
mod want;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use prelude::Beginning;
use world::World;

pub use report::Counts;

/// A fault that is put into the code on purpose, to see that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The node answers before the disk has synced.
    EarlyAnswers,
    /// The outbox gives up what is under way when it hears that the node stops.
    ForgetfulOutbox,
}

/// Which run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Everything that happens follows from it.
    pub seed: u64,
    /// Each line of what happens is printed.
    pub trace: bool,
    /// A fault in the code.
    pub mutation: Option<Mutation>,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Run {
    /// What happened.
    pub counts: Counts,
    /// The hash of everything that happened, in order.
    pub trace: u64,
    /// The promise that was broken.
    pub broken: Option<String>,
}

impl Settings {
    /// The run of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, trace: false, mutation: None }
    }

    /// Runs it.
    pub fn run(&self) -> Run {
        static BEGINNING: OnceLock<Result<Beginning, String>> = OnceLock::new();
        let beginning = BEGINNING.get_or_init(|| Beginning::make().map_err(|broken| broken.0));
        let mut world = match beginning {
            Ok(beginning) => World::new(beginning, self),
            Err(why) => return Run { counts: Counts::default(), trace: 0, broken: Some(why.clone()) },
        };
        let done = catch_unwind(AssertUnwindSafe(|| world.run()));
        let broken = match done {
            Ok(Ok(())) => None,
            Ok(Err(broken)) => Some(broken.0),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                Some(format!("a panic: {}", text.unwrap_or_default()))
            }
        };
        Run { counts: world.counts, trace: world.trace.hash(), broken }
    }
}
