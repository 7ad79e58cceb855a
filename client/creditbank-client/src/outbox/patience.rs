//! Calls that may be repeated, repeated: the one place that waits for a node.

use std::time::Duration;

use creditbank_protocol::pb::Receipt;

use super::work::Pending;
use crate::{Client, ClientError};

/// How often a call that the node has not answered is tried.
const TRIES_MAX: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Sends a block; the same bytes again while the node does not answer.
pub(crate) async fn send(client: &Client, pending: &Pending) -> Result<Receipt, ClientError> {
    patiently(|| client.submit(pending.block.clone(), pending.records.clone())).await
}

/// Tries a call again that may be repeated: a node that is away for a moment, or that asks to come back later.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES_MAX {
        let pause = match call().await {
            Err(ClientError::Unreachable(_)) => wait,
            Err(ClientError::Refused(refusal)) if refusal.retry_after_ms > 0 => {
                wait.max(Duration::from_millis(refusal.retry_after_ms.min(60_000)))
            }
            answer => return answer,
        };
        tokio::time::sleep(pause).await;
        wait *= 2;
    }
    call().await
}
