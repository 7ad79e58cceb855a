//! Calls that may be repeated, repeated: the one place that waits for a node's answer to a question.

use std::time::Duration;

use super::core::{Settings, pause_ms};
use super::open_of;
use crate::ClientError;

/// Tries a call again that may be repeated: a node that is away for a moment, or that asks to come back later.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let Settings { tries_max, first_wait_ms, .. } = Settings::default();
    for tries in 1..tries_max {
        let error = match call().await {
            Err(error) if error.may_pass() => error,
            answer => return answer,
        };
        tokio::time::sleep(Duration::from_millis(pause_ms(first_wait_ms, tries, &open_of(error)))).await;
    }
    call().await
}
