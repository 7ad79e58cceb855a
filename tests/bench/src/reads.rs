//! Reading from a full node: transcripts and inclusion proofs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use creditbank_protocol::transcript::verify;
use creditbank_rpc::v1::GetInclusionProofRequest;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use crate::ceiling::count;
use crate::scene::{INSTITUTION, Scene, client};

const TRANSCRIPTS: usize = 50;
const PROOFS: u64 = 40_000;
/// Calls under way at once.
const IN_FLIGHT: usize = 128;

/// What reading costs.
pub(crate) struct Reads {
    /// From the call until the file is here: the client's whole call less its verification; the median.
    pub(crate) transcript_made: Duration,
    /// Verified in this process, on one core; the median.
    pub(crate) transcript_verified: Duration,
    pub(crate) transcript_bytes: usize,
    pub(crate) proofs_per_second: f64,
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Exports and verifies transcripts of whole learners, and asks for inclusion proofs all over the log.
pub(crate) async fn reads(scene: &Scene, url: &str) -> anyhow::Result<Reads> {
    let client = client(url, &scene.trust, Some(scene.access.clone())).await?;
    let (mut made, mut verified, mut bytes) = (Vec::new(), Vec::new(), 0);
    let step = (scene.learners.len() / TRANSCRIPTS).max(1);
    for alias in scene.learners.iter().step_by(step).take(TRANSCRIPTS) {
        let learner = Learner::Alias(InstitutionAlias { institution: INSTITUTION, alias: alias.to_vec() });
        let begin = Instant::now();
        let (file, _) = client.transcript(learner).await?;
        let whole = begin.elapsed();
        let begin = Instant::now();
        verify(&file, &scene.trust, 0)?;
        let checking = begin.elapsed();
        made.push(whole.saturating_sub(checking));
        verified.push(checking);
        bytes = file.len();
    }
    let size = client.checkpoint().await?.0.checkpoint.size;
    let proofs_per_second = proofs(url, size).await?;
    Ok(Reads {
        transcript_made: median(made),
        transcript_verified: median(verified),
        transcript_bytes: bytes,
        proofs_per_second,
    })
}

async fn proofs(url: &str, size: u64) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicU64::new(0));
    let channel = Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (next, mut log) = (Arc::clone(&next), LogServiceClient::new(channel.clone()));
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= PROOFS {
                    return anyhow::Ok(());
                }
                // Far from the one before, as strangers ask.
                let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
                log.get_inclusion_proof(GetInclusionProofRequest { index, size }).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(count(usize::try_from(PROOFS)?) / begin.elapsed().as_secs_f64())
}
