//! Making a node on a machine that goes down or fails in the middle: what is there afterwards is a whole node, or none.

use std::net::SocketAddr;
use std::path::Path;

use creditbank_server::directory::{self, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_store::{Crash, FaultRates, SimulatedDisk, SimulatedIndex};

use crate::cast::{DIR, ORIGIN};
use crate::chance::Chance;
use crate::clock::{START_MS, SimClock};
use crate::node::{Machine, ROOM, environment};
use crate::report::Counts;
use crate::trace::{Trace, note};
use crate::truth::{Broken, broken};

/// More operations of the disk than an init has.
const OPERATIONS_MAX: u64 = 160;

/// Makes some nodes, each on a disk of its own.
pub(super) fn disturbed(nodes: u64, chance: &mut Chance, trace: &mut Trace, counts: &mut Counts) -> Result<(), Broken> {
    for _ in 0..nodes {
        counts.disturbed_inits += 1;
        one(chance, trace, counts)?;
    }
    Ok(())
}

fn one(chance: &mut Chance, trace: &mut Trace, counts: &mut Counts) -> Result<(), Broken> {
    let (disk, clock) = (SimulatedDisk::new(chance.seed(), ROOM), SimClock::new(START_MS));
    let environment = environment(&disk, &clock, chance);
    disturb(&disk, chance);
    let made = make(&environment);
    let crash = if chance.often(300) { Crash::Kill } else { Crash::PowerCut };
    disk.crash_in(Some(0));
    disk.restart(crash);
    disk.set_room(ROOM);
    let dir = Path::new(DIR);
    let is_there = environment.disk.exists(&dir.join("node.toml")).map_err(|error| Broken(error.to_string()))?;
    note!(trace, "an init: {:?}, then {crash:?}; a configuration: {is_there}", made.as_ref().map(drop));
    if !is_there {
        if made.is_ok() {
            broken!("a node was made, and after {crash:?} it is not there");
        }
        // Where names are left, no second node is made over them; where none is, one can be.
        return match make(&environment) {
            Ok(_) => Ok(()),
            Err(error) if error.contains("already holds a node") => Ok(()),
            Err(error) => broken!("after an init that has failed, the next one says: {error}"),
        };
    }
    let config = match directory::read_config(&environment, dir) {
        Ok(config) => config,
        Err(error) => broken!("an init has left a configuration that does not read: {error}"),
    };
    let mut machine = Machine::new(disk, clock, environment, dir.to_owned(), config, chance);
    if let Err(error) = machine.start() {
        broken!("an init has left a configuration, and no node that starts: {error}");
    }
    let size = machine.process.as_ref().map_or(0, |process| process.ledger.size());
    let whole = whole_size()?;
    // The empty round behind the last block may be missing where the disk was full: its block is durable and answered, and
    // the next seal shows what it has changed.
    if size != whole && size + 1 != whole {
        broken!("an init has left a log of {size} entries, and a whole one has {whole}");
    }
    counts.whole_inits += 1;
    Ok(())
}

/// Lets the machine go down in an operation, or operations fail.
fn disturb(disk: &SimulatedDisk, chance: &mut Chance) {
    if chance.often(700) {
        disk.crash_in(Some(chance.below(OPERATIONS_MAX)));
    }
    if chance.often(400) {
        let (write, full, sync) = (chance.below(15), chance.below(15), chance.below(15));
        let (name, read) = (chance.below(15), chance.below(15));
        disk.set_rates(FaultRates { write, full, sync, name, read });
    }
}

/// Where the registry keys are: not in the node's directory.
const REGISTRY_KEYS: &str = "/registry-keys";

fn make(environment: &Environment) -> Result<directory::Config, String> {
    let store = StoreUrl::Files { engine: SimulatedIndex::ENGINE, path: "log".into() };
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let made = directory::init(environment, Path::new(DIR), Path::new(REGISTRY_KEYS), ORIGIN, store, listen, None);
    made.map_err(|error| error.to_string())
}

/// Entries of the log of a new node.
fn whole_size() -> Result<u64, Broken> {
    static SIZE: std::sync::OnceLock<Result<u64, String>> = std::sync::OnceLock::new();
    let size = SIZE.get_or_init(|| {
        let mut chance = Chance::new(0, 0);
        let (disk, clock) = (SimulatedDisk::new(0, ROOM), SimClock::new(START_MS));
        let environment = environment(&disk, &clock, &mut chance);
        let config = make(&environment)?;
        let mut machine = Machine::new(disk, clock, environment, Path::new(DIR).to_owned(), config, &mut chance);
        machine.start().map_err(|error| error.to_string())?;
        Ok(machine.process.as_ref().map_or(0, |process| process.ledger.size()))
    });
    size.clone().map_err(Broken)
}
