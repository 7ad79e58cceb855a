//! A node under siege. The node is the real binary, the attackers are a separate process, and this process is the
//! honest institution: it submits blocks and reads, and measures how long it waits.
//!
//! All three share the machine: the attackers' computing time is missing for the node.

mod attack;
mod honest;
mod idle;
mod node;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

use honest::Figures;
use node::Node;

/// The limits that the node must keep.
const RSS_MAX_MB: u64 = 1_000;
const SUBMIT_P99_MAX: Duration = Duration::from_millis(250);
const READ_P99_MAX: Duration = Duration::from_millis(100);
const STOP_MAX: Duration = Duration::from_secs(10);
/// A siege has at least this many connections.
const CONNECTIONS_MIN: usize = 5_000;
/// How much more memory the node may use at the end than at half time.
const GROWTH_MAX_MB: i128 = 200;
/// Longest run.
const SECONDS_MAX: u64 = 3_600;
/// How often the memory is measured.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a node under siege.
    Siege {
        /// The node's binary.
        #[arg(long)]
        node: PathBuf,
        /// Duration in seconds.
        #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u64).range(5..=SECONDS_MAX))]
        seconds: u64,
        /// Honest load only: shows how the memory of a node grows without attackers.
        #[arg(long)]
        honest_only: bool,
        /// Pause between two honest calls of each kind, in milliseconds.
        #[arg(long, default_value_t = 20)]
        pause_ms: u64,
        /// The index engine.
        #[arg(long, default_value = "sled:log")]
        store: String,
        /// Print how long honest calls wait, but judge only memory and refusals: if others use the machine too, waiting
        /// times say little.
        #[arg(long)]
        only_memory: bool,
    },
    /// Run the attackers of such a siege.
    Attack {
        /// Where the node is.
        #[arg(long)]
        url: String,
        /// Its trust file.
        #[arg(long)]
        trust: PathBuf,
        /// Duration in seconds.
        #[arg(long)]
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Siege { node, seconds, honest_only, pause_ms, store, only_memory } => {
            let node = Node::start(&node, &store)?;
            let (time, pause) = (Duration::from_secs(seconds), Duration::from_millis(pause_ms));
            let seen = siege(node, time, honest_only, pause).await?;
            Ok(verdict(&seen, only_memory))
        }
        Command::Attack { url, trust, seconds } => {
            attack::run(&url, &trust, Duration::from_secs(seconds)).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What was measured in a siege.
struct Seen {
    worked: Figures,
    peak_mb: u64,
    /// Growth from half time to the end.
    growth_mb: i128,
    /// Most descriptors at once; `None` without attackers.
    descriptors: Option<usize>,
    stopped: Duration,
}

async fn siege(node: Node, time: Duration, honest_only: bool, pause: Duration) -> anyhow::Result<Seen> {
    let universities = [node.admit(1).await?, node.admit(2).await?];
    let alone = honest::work(&node, &universities[0], time.min(Duration::from_secs(10)), pause).await?;
    println!("before the attack: {alone}");
    let begun_mb = node.rss_mb();
    let mut attackers = if honest_only { None } else { Some(node.attackers(time)?) };
    let working = honest::work(&node, &universities[0], time, pause);
    let (begun, mut looks) = (Instant::now(), Vec::new());
    let looking = async {
        while begun.elapsed() + LOOK < time {
            tokio::time::sleep(LOOK).await;
            let now = (begun.elapsed(), node.rss_mb(), node.descriptors());
            println!("{:>5} s  {:>5} MB  {:>5} descriptors", now.0.as_secs(), now.1, now.2);
            looks.push((now.1, now.2));
        }
    };
    let (worked, ()) = tokio::join!(working, looking);
    let worked = worked?;
    if let Some(attackers) = &mut attackers {
        let ended = attackers.wait().await?;
        anyhow::ensure!(ended.success(), "the attackers ended with {ended}: the siege was not complete");
    }
    println!("memory: {begun_mb} MB before, {} MB at the end, {} MB at most", node.rss_mb(), node.peak_rss_mb());
    let growth_mb = match (looks.get(looks.len() / 2), looks.last()) {
        (Some((half, _)), Some((last, _))) => i128::from(*last) - i128::from(*half),
        _ => 0,
    };
    let descriptors = looks.iter().map(|(_, descriptors)| *descriptors).max().unwrap_or(0);
    println!("{}", if honest_only { format!("honest load: {worked}") } else { format!("under attack: {worked}") });
    for line in node.measures().await? {
        println!("  {line}");
    }
    let stopped = node.stop()?;
    println!("the node stopped in {stopped:?}");
    let descriptors = (!honest_only).then_some(descriptors);
    Ok(Seen { worked, peak_mb: node.peak_rss_mb(), growth_mb, descriptors, stopped })
}

fn verdict(seen: &Seen, only_memory: bool) -> ExitCode {
    let Seen { worked, peak_mb, growth_mb, descriptors, stopped } = seen;
    let mut code = ExitCode::SUCCESS;
    let mut check = |what: &str, holds: bool| {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
        if !holds {
            code = ExitCode::FAILURE;
        }
    };
    check(&format!("memory: {peak_mb} MB, bound {RSS_MAX_MB} MB"), *peak_mb < RSS_MAX_MB);
    check(&format!("growth from half time on: {growth_mb} MB, bound {GROWTH_MAX_MB} MB"), *growth_mb < GROWTH_MAX_MB);
    check(&format!("stopped in {stopped:?}, bound {STOP_MAX:?}"), *stopped < STOP_MAX);
    if let Some(descriptors) = descriptors {
        let what = format!("{descriptors} descriptors at once, expected at least {CONNECTIONS_MIN} of attackers");
        check(&what, *descriptors >= CONNECTIONS_MIN);
    }
    let (submit, read) = (worked.submits.at(99), worked.reads.at(99));
    if only_memory {
        println!("       submit p99: {submit:?}, read p99: {read:?} (not judged)");
    } else {
        check(&format!("submit p99: {submit:?}, bound {SUBMIT_P99_MAX:?}"), submit < SUBMIT_P99_MAX);
        check(&format!("read p99: {read:?}, bound {READ_P99_MAX:?}"), read < READ_P99_MAX);
    }
    check(&format!("honest calls that were refused: {}", worked.refused), worked.refused == 0);
    check("honest calls were made", worked.submits.len() > 10 && worked.reads.len() > 10);
    code
}
