//! The node's machine: a directory on a disk that fails, and a process that is stepped.

use std::path::PathBuf;
use std::sync::Arc;

use creditbank_server::append::Steps;
use creditbank_server::directory::{self, Config, DirectoryError};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits, OpenError};
use creditbank_store::{Crash, FaultRates, SimulatedDisk, SimulatedIndex, StoreError};

use crate::chance::Chance;
use crate::clock::{SimClock, SimEntropy};
use crate::post::Call;

/// Bytes that the disk must have left.
pub(crate) const RESERVE: u64 = 4_000;
/// What the disk holds when it is not squeezed.
pub(crate) const ROOM: u64 = 64 << 20;

/// A running node. A call goes along with its block, so that the answer finds its way.
pub(crate) struct Process {
    pub(crate) ledger: Ledger,
    pub(crate) steps: Steps<Call, Call>,
}

/// The node's machine.
pub(crate) struct Machine {
    pub(crate) disk: SimulatedDisk,
    pub(crate) clock: SimClock,
    pub(crate) environment: Environment,
    pub(crate) dir: PathBuf,
    pub(crate) config: Config,
    pub(crate) process: Option<Process>,
    pub(crate) limits: Limits,
}

/// How a node of the simulation works: with small rounds and small segments, so that many things happen in a run.
pub(crate) fn environment(disk: &SimulatedDisk, clock: &SimClock, chance: &mut Chance) -> Environment {
    let (segment_len_max, sync_bytes) = (chance.between(4_000, 60_000), chance.below(40_000));
    let queue_rows_max = usize::try_from(chance.below(60)).unwrap_or(0);
    Environment {
        disk: disk.shared(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SimEntropy::new(chance.branch())),
        engines: &[SimulatedIndex::ENGINE],
        tune: Arc::new(move |options| {
            options.segment_len_max = segment_len_max;
            options.sync_bytes = sync_bytes;
            options.queue_rows_max = queue_rows_max;
            options.reserve_bytes = RESERVE;
            options.stepped = true;
        }),
    }
}

impl Machine {
    /// A machine with a node in `dir` that is not started.
    pub(crate) fn new(
        disk: SimulatedDisk,
        clock: SimClock,
        environment: Environment,
        dir: PathBuf,
        config: Config,
        chance: &mut Chance,
    ) -> Self {
        let limits = Limits {
            round_blocks_max: usize::try_from(chance.between(1, 8)).unwrap_or(1),
            round_bytes_max: usize::try_from(chance.between(200, 20_000)).unwrap_or(1),
            ..Limits::default()
        };
        Self { disk, clock, environment, dir, config, process: None, limits }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Starts the process.
    pub(crate) fn start(&mut self) -> Result<(), DirectoryError> {
        self.clock.boot();
        let (ledger, steps) = directory::open_stepped(&self.environment, &self.dir, &self.config, self.limits)?;
        self.process = Some(Process { ledger, steps });
        Ok(())
    }

    /// The process ends as it is; its disk is as healthy as a new one afterwards.
    pub(crate) fn crash(&mut self, crash: Crash) {
        self.disk.crash_in(Some(0));
        self.process = None;
        self.disk.restart(crash);
        self.disk.set_room(ROOM);
    }

    /// The process ends when it is asked to.
    pub(crate) fn stop(&mut self) -> Result<(), StoreError> {
        let closed = self.process.as_mut().map_or(Ok(()), |process| process.steps.close());
        self.process = None;
        closed
    }

    /// Nothing fails any more.
    pub(crate) fn calm(&self) {
        self.disk.set_rates(FaultRates::default());
        self.disk.crash_in(None);
        self.disk.set_room(ROOM);
    }
}

/// Whether an error is one that the simulated disk has made: it says so itself. What the node finds by itself
/// (damage, a
/// guard that does not fit) says nothing of the kind, and stays a failure of the run.
pub(crate) fn is_injected(error: &impl std::fmt::Display) -> bool {
    let said = error.to_string();
    // A node that was started on a full disk may have its index in memory: it ends once there is room, to write it.
    said.contains("simulated: ") || said.contains("the disk has room again: start the node again")
}

/// Of a start that was refused because the wall clock is before the last seal: by how many milliseconds.
pub(crate) fn behind_ms(error: &DirectoryError) -> Option<u64> {
    match error {
        DirectoryError::Open(OpenError::Clock { behind_ms }) => Some(*behind_ms),
        _ => None,
    }
}
