//! What opening accounts costs whoever submits a block at the same time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::Engine;
use crate::blocks::Blocks;
use crate::child::Node;
use crate::load::{Pace, send};
use crate::run::percentile;
use crate::scene::{INSTITUTION, Scene, client, make_node, student};

/// Blocks of one record that are sent in each part, and how often.
const BLOCKS: usize = 500;
const INTERVAL: Duration = Duration::from_millis(20);
/// Persons of a call: as many as a round opens.
const PERSONS: u64 = 512;
const UNITS: u32 = 8;

/// Sends blocks at a steady pace: alone, then while accounts are opened without a pause.
pub(crate) async fn measure(engine: Engine, dir: Option<PathBuf>) -> anyhow::Result<()> {
    let parent = dir.unwrap_or_else(std::env::temp_dir);
    let temporary = tempfile::Builder::new().prefix("creditbank-bench-").tempdir_in(&parent)?;
    let dir = temporary.path().join("node");
    make_node(&dir, engine)?;
    let node = Node::start(&dir).await?;
    let scene = Scene::set(&dir, &node.url, UNITS, 100).await?;
    let blocks = Arc::new(Blocks::prepare(&scene, 2 * u64::try_from(BLOCKS)?, 1, temporary.path())?);

    show("alone", &submit(&node, &blocks, 0..BLOCKS).await?);
    let opener = client(&node.url, &scene.trust, Some(scene.access.clone())).await?;
    let opened = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&opened);
    let opening = tokio::spawn(async move {
        for call in 1_000.. {
            let persons = (call * PERSONS..(call + 1) * PERSONS).map(student).collect();
            opener.open_accounts(INSTITUTION, persons).await?;
            counted.fetch_add(PERSONS, Ordering::Relaxed);
        }
        anyhow::Ok(())
    });
    let begun = Instant::now();
    let usage = node.usage()?.cpu;
    let times = submit(&node, &blocks, BLOCKS..2 * BLOCKS).await?;
    let (took, cpu) = (begun.elapsed(), node.usage()?.cpu.saturating_sub(usage));
    anyhow::ensure!(!opening.is_finished(), "no accounts are opened: {:?}", opening.await?);
    opening.abort();
    show("while accounts are opened", &times);
    let opened = opened.load(Ordering::Relaxed);
    println!("{opened} accounts were opened; the node worked {cpu:?} of {took:?}");
    node.stop().await?;
    Ok(())
}

/// How long each block took, ascending.
async fn submit(node: &Node, blocks: &Arc<Blocks>, range: std::ops::Range<usize>) -> anyhow::Result<Vec<Duration>> {
    let sent = send(&node.url, blocks, range, Pace::Every(INTERVAL), || {}).await?;
    let mut times: Vec<Duration> = sent.iter().map(|sent| sent.done.saturating_sub(sent.due)).collect();
    times.sort_unstable();
    Ok(times)
}

fn show(what: &str, times: &[Duration]) {
    let last = times.last().copied().unwrap_or_default();
    println!("{what}: p50 {:?}, p99 {:?}, at most {last:?}", percentile(times, 50), percentile(times, 99));
}
