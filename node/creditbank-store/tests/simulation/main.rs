//! Journal, guard, key store, flat files and index position on a disk that fails, in seeded runs.
//!
//! Goal: whatever fails and whenever the machine stops, nothing acknowledged is lost, nothing signed is contradicted, and the
//! start either recovers or says where the damage is.
//!
//! `CREDITBANK_SIMULATION_RUNS` sets how many runs; `CREDITBANK_SIMULATION_SEED` repeats one.
#![allow(missing_docs, clippy::unwrap_used)]

mod index;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use world::{Seen, World};

const RUNS: u64 = 3_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn run(seed: u64) -> Seen {
    let mut world = World::new(seed);
    let done = catch_unwind(AssertUnwindSafe(|| world.run()));
    assert!(
        done.is_ok(),
        "run {seed} fails; to repeat it: CREDITBANK_SIMULATION_SEED={seed} cargo test -p creditbank-store --test simulation"
    );
    world.seen
}

#[test]
fn nothing_promised_is_lost_whatever_fails() {
    if let Some(seed) = number("CREDITBANK_SIMULATION_SEED") {
        println!("{:?}", run(seed));
        return;
    }
    let runs = number("CREDITBANK_SIMULATION_RUNS").unwrap_or(RUNS);
    let start = Instant::now();
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get() as u64);
    let all: Vec<Seen> = std::thread::scope(|scope| {
        let part =
            |first| move || (first..runs).step_by(usize::try_from(threads).unwrap()).map(run).collect::<Vec<_>>();
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(part(first))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("a run has failed: see above")).collect()
    });
    let sum = |what: fn(&Seen) -> u64| all.iter().map(what).sum::<u64>();
    println!(
        "{runs} runs in {:?}: {} rounds acknowledged, {} failures, {} times full, {} kills, {} power cuts, {} clean stops, \
         {} starts failed, {} rounds kept without an acknowledgement, {} keys, {} erased, {} damages refused, {} harmless",
        start.elapsed(),
        sum(|seen| seen.appended),
        sum(|seen| seen.failed),
        sum(|seen| seen.full),
        sum(|seen| seen.kills),
        sum(|seen| seen.power_cuts),
        sum(|seen| seen.clean_stops),
        sum(|seen| seen.failed_starts),
        sum(|seen| seen.unacknowledged_kept),
        sum(|seen| seen.keys),
        sum(|seen| seen.erased),
        sum(|seen| seen.damages_refused),
        sum(|seen| seen.damages_harmless),
    );
    if runs >= RUNS {
        // A simulation in which nothing fails proves nothing.
        for (what, least) in [
            (sum(|seen| seen.failed), 500),
            (sum(|seen| seen.full), 500),
            (sum(|seen| seen.failed_starts), 500),
            (sum(|seen| seen.unacknowledged_kept), 50),
            (sum(|seen| seen.erased), 50),
            (sum(|seen| seen.damages_refused), 500),
        ] {
            assert!(what >= least, "hardly anything happened: {what} of at least {least}");
        }
    }
}
