//! Runs the simulation for as long as wanted, and says how to repeat a run that fails.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use creditbank_sim::{Counts, Settings};

/// How often the state of things is printed.
const PROGRESS: Duration = Duration::from_secs(10);

/// A whole node, its registrars, one who lies and an auditor, under one seed a run, with everything that can fail.
#[derive(Parser)]
struct Arguments {
    /// How many runs.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run this seed alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print everything that happens in it.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Threads; each has runs of its own.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get))]
    threads: usize,
}

struct Progress {
    counts: Counts,
    runs: u64,
    said: Instant,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        let run = Settings { trace: arguments.trace, ..Settings::new(seed) }.run();
        println!("seed {seed}: {}; trace {:016x}", run.counts, run.trace);
        return run.broken.map_or(ExitCode::SUCCESS, |why| fails(seed, &why));
    }
    // What a run panics with is printed with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let (start, next, failed) = (Instant::now(), AtomicU64::new(arguments.from), AtomicBool::new(false));
    let until = arguments.from.saturating_add(arguments.seeds);
    let progress = Mutex::new(Progress { counts: Counts::default(), runs: 0, said: start });
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until {
                        return;
                    }
                    let run = Settings::new(seed).run();
                    let mut progress = progress.lock().expect("nobody panics while it is held");
                    progress.runs += 1;
                    progress.counts.add(&run.counts);
                    if let Some(why) = run.broken {
                        failed.store(true, Ordering::Relaxed);
                        fails(seed, &why);
                    }
                    if progress.said.elapsed() > PROGRESS {
                        progress.said = Instant::now();
                        say(&progress, start);
                    }
                }
            });
        }
    });
    say(&progress.into_inner().expect("nobody panics while it is held"), start);
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn say(progress: &Progress, start: Instant) {
    let hours = progress.counts.simulated_ms / 3_600_000;
    println!("{} runs in {} s, {hours} simulated hours: {}", progress.runs, start.elapsed().as_secs(), progress.counts);
}

fn fails(seed: u64, why: &str) -> ExitCode {
    println!("seed {seed} fails: {why}");
    println!("to repeat it: cargo run --release -p creditbank-sim -- --seed {seed} --trace");
    ExitCode::FAILURE
}
