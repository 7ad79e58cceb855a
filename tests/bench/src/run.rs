//! One run: make a node, fill it, measure it, kill it, open it again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::Engine;
use crate::blocks::{Blocks, PER_LEARNER};
use crate::ceiling::{ceiling, count, verify_rate};
use crate::child::{Node, Usage, disk_bytes};
use crate::load::{Pace, Sent, send};
use crate::reads::{Reads, reads};
use crate::scene::{Scene, make_node};

/// Units of a run; a unit's blocks follow each other, those of different units do not.
const UNITS: u32 = 8;
const UNITS_OF_SINGLES: u32 = 256;
/// Blocks under way at once.
const IN_FLIGHT: usize = 128;
const SINGLES_IN_FLIGHT: usize = 256;
/// The part of the records that is kept for measuring latency.
const PACED_PART: u64 = 5;
/// Longest that latency is measured.
const PACED_MAX: Duration = Duration::from_secs(20);

/// What is to be measured.
pub(crate) struct Plan {
    pub(crate) engine: Engine,
    pub(crate) records: u64,
    pub(crate) block_size: usize,
    pub(crate) dir: Option<PathBuf>,
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) engine: Engine,
    pub(crate) records: u64,
    pub(crate) block_size: usize,
    pub(crate) ceiling: f64,
    pub(crate) verify: f64,
    pub(crate) rate: f64,
    /// Rates over the first and the last tenth of the records.
    pub(crate) first_tenth: f64,
    pub(crate) last_tenth: f64,
    pub(crate) latency_p50: Duration,
    pub(crate) latency_p99: Duration,
    /// The pace at which latency was measured, in records a second.
    pub(crate) paced: f64,
    /// Processor time of the node for each record.
    pub(crate) cpu: Duration,
    /// The same early (up to 100,000 records, or the first tenth) and in the last tenth.
    pub(crate) cpu_early: Duration,
    pub(crate) cpu_late: Duration,
    pub(crate) usage: Usage,
    pub(crate) sent_bytes: u64,
    pub(crate) reads: Reads,
    /// `None` for a log that is gone with its process.
    pub(crate) disk: Option<Disk>,
}

/// What is left when the process is gone.
pub(crate) struct Disk {
    pub(crate) bytes: u64,
    pub(crate) opened_after_kill: Duration,
    pub(crate) opened_after_stop: Duration,
}

/// Processor time at every hundredth of the way.
struct Trace {
    usages: Vec<(usize, Duration)>,
}

impl Trace {
    /// Processor time for each record between two parts of the way.
    fn per_record(&self, from: usize, until: usize, block_size: usize) -> Duration {
        let at = |block: usize| self.usages.iter().min_by_key(|(done, _)| done.abs_diff(block)).copied();
        let (Some((first, before)), Some((last, after))) = (at(from), at(until)) else { return Duration::ZERO };
        let records = last.saturating_sub(first) * block_size;
        after.saturating_sub(before) / u32::try_from(records.max(1)).unwrap_or(u32::MAX)
    }
}

/// Blocks acknowledged per second between two of them, in the order of their receipts.
fn rate_between(done: &[Duration], from: usize, until: usize, block_size: usize) -> f64 {
    let begin = from.checked_sub(1).map_or(Duration::ZERO, |before| done[before]);
    count((until - from) * block_size) / done[until - 1].saturating_sub(begin).as_secs_f64()
}

/// The latency below which a part (in hundredths) of the blocks stayed.
pub(crate) fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    sorted.get((sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Makes the node, measures, and removes it.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Measured> {
    let parent = plan.dir.clone().unwrap_or_else(std::env::temp_dir);
    let temporary = tempfile::Builder::new().prefix("creditbank-bench-").tempdir_in(&parent)?;
    let dir = temporary.path().join("node");
    make_node(&dir, plan.engine)?;
    let node = Node::start(&dir).await?;
    let singles = plan.block_size == 1;
    let units = if singles { UNITS_OF_SINGLES } else { UNITS };
    let all = plan.records + plan.records / PACED_PART;
    let scene = Scene::set(&dir, &node.url, units, all.div_ceil(PER_LEARNER)).await?;
    let blocks = Arc::new(Blocks::prepare(&scene, all, plan.block_size, temporary.path())?);
    let (ceiling, verify) = (ceiling(&scene, &blocks)?, verify_rate()?);

    let timed = usize::try_from(plan.records)? / plan.block_size;
    let pace = Pace::InFlight(if singles { SINGLES_IN_FLIGHT } else { IN_FLIGHT });
    let (sent, trace) = fill(&node, &blocks, timed, pace).await?;
    let mut done: Vec<Duration> = sent.iter().map(|sent| sent.done).collect();
    done.sort_unstable();
    let (tenth, size) = ((timed / 10).max(1), plan.block_size);
    let rate = rate_between(&done, 0, timed, size);

    let paced = rate / 2.0;
    let interval = Duration::from_secs_f64(count(size) / paced);
    let most = PACED_MAX.as_nanos() / interval.as_nanos().max(1);
    let until = blocks.len().min(timed + usize::try_from(most)?);
    let sent = send(&node.url, &blocks, timed..until, Pace::Every(interval), || {}).await?;
    let mut latencies: Vec<Duration> = sent.iter().map(|sent| sent.done.saturating_sub(sent.due)).collect();
    latencies.sort_unstable();

    let reads = reads(&scene, &node.url).await?;
    let usage = node.usage()?;
    let sent_bytes = blocks.bytes(until);
    let disk = reopen(node, plan.engine).await?;
    let early = (100_000 / size).clamp(1, tenth);
    Ok(Measured {
        engine: plan.engine,
        records: plan.records,
        block_size: size,
        ceiling,
        verify,
        rate,
        first_tenth: rate_between(&done, 0, tenth, size),
        last_tenth: rate_between(&done, timed - tenth, timed, size),
        latency_p50: percentile(&latencies, 50),
        latency_p99: percentile(&latencies, 99),
        paced,
        cpu: trace.per_record(0, timed, size),
        cpu_early: trace.per_record(0, early.max(timed / 100), size),
        cpu_late: trace.per_record(timed - tenth, timed, size),
        usage,
        sent_bytes,
        reads,
        disk,
    })
}

/// Sends as fast as it goes, with a bar, and writes down the node's processor time on the way.
async fn fill(node: &Node, blocks: &Arc<Blocks>, timed: usize, pace: Pace) -> anyhow::Result<(Vec<Sent>, Trace)> {
    let bar = ProgressBar::new(timed as u64).with_message("sending");
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&acknowledged);
    let sending = send(&node.url, blocks, 0..timed, pace, move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    tokio::pin!(sending);
    let mut trace = Trace { usages: Vec::new() };
    let mut look = tokio::time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            sent = &mut sending => {
                trace.usages.push((timed, node.usage()?.cpu));
                bar.finish_and_clear();
                return Ok((sent?, trace));
            }
            _ = look.tick() => {
                let done = acknowledged.load(Ordering::Relaxed);
                trace.usages.push((done, node.usage()?.cpu));
                bar.set_position(done as u64);
            }
        }
    }
}

/// Kills the node, opens it, stops it, and opens it again.
async fn reopen(node: Node, engine: Engine) -> anyhow::Result<Option<Disk>> {
    let dir = node.dir().to_owned();
    node.kill().await?;
    if engine == Engine::Memory {
        return Ok(None);
    }
    let killed = Node::start(&dir).await?;
    let opened_after_kill = killed.opened;
    killed.stop().await?;
    let bytes = disk_bytes(&dir)?;
    let stopped = Node::start(&dir).await?;
    let opened_after_stop = stopped.opened;
    stopped.stop().await?;
    Ok(Some(Disk { bytes, opened_after_kill, opened_after_stop }))
}
