//! What the processor can do at all: the ceiling of the same blocks, and bare signatures.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use creditbank_protocol::key;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_server::append::verify;
use ed25519_dalek::SigningKey;
use prost::Message as _;

use crate::blocks::Blocks;
use crate::machine::cores;
use crate::scene::Scene;

/// How long each is measured.
const TIME: Duration = Duration::from_secs(4);
/// Bytes of blocks that are worked on: more than the processor's caches hold.
const SAMPLE_BYTES: usize = 256 << 20;

/// Runs `work` on all cores until the time is over and returns how often a second it was done.
fn rate(work: impl Fn(usize) -> anyhow::Result<()> + Sync) -> anyhow::Result<f64> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let worker = || {
            while begin.elapsed() < TIME {
                work(next.fetch_add(1, Ordering::Relaxed))?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let workers: Vec<_> = (0..cores()).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no thread panics"))
    })
    .map(|()| count(done.into_inner()) / begin.elapsed().as_secs_f64())
}

/// A count as a number of which rates are made.
#[allow(clippy::cast_precision_loss)] // Rates are shown to a few digits.
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

/// Records of these blocks that all cores decode, check and verify in a second, without gRPC and store.
pub(crate) fn ceiling(scene: &Scene, blocks: &Blocks) -> anyhow::Result<f64> {
    let mut sample: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while bytes < SAMPLE_BYTES && sample.len() < blocks.len() {
        let block = blocks.read(sample.len())?;
        bytes += block.len();
        sample.push(block);
    }
    let check = |number: usize| {
        let request = SubmitBlockRequest::decode(sample[number % sample.len()].clone())?;
        verify(&scene.registry, request)?;
        Ok(())
    };
    Ok(rate(check)? * count(blocks.block_size))
}

/// Single signatures that all cores verify in a second.
pub(crate) fn verify_rate() -> anyhow::Result<f64> {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let signed: Vec<_> = (0..256u16).map(u16::to_be_bytes).map(|m| (m, key::sign(&signer, &m))).collect();
    let public = signer.verifying_key().to_bytes();
    rate(|number| {
        let (message, signature) = &signed[number % signed.len()];
        Ok(key::verify(&public, message, signature)?)
    })
}
