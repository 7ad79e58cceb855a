//! Calls that may be repeated, repeated, and whoever waits for them told.

use std::time::Duration;

use tokio::time::Instant;

use super::core::{Settings, pause_ms};
use super::open_of;
use crate::notice::Notice;
use crate::{Client, ClientError};

/// Nobody waits longer than this without being told for what.
const SILENT_MAX: Duration = Duration::from_secs(2);

/// Since when nothing has come of a call, and what came instead.
#[derive(Default)]
pub(super) struct Trouble(Option<(Instant, String)>);

impl Trouble {
    /// Nothing has come of a call.
    pub(super) fn met(&mut self, now: Instant, why: String) {
        let since = self.0.take().map_or(now, |(since, _)| since);
        self.0 = Some((since, why));
    }

    /// An answer has come.
    pub(super) fn over(&mut self) {
        self.0 = None;
    }

    /// Before a pause: what is said of it, unless it ends so soon that nobody notices.
    pub(super) fn before(&self, now: Instant, pause_ms: u64) -> Option<Notice> {
        let (since, why) = self.0.as_ref()?;
        let is_noticed = now.duration_since(*since) + Duration::from_millis(pause_ms) > SILENT_MAX;
        is_noticed.then(|| Notice::Waits { why: why.clone(), pause_ms })
    }
}

/// Tries a call again that may be repeated: a node that is away for a moment, or that asks to come back later.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
    client: &Client,
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let Settings { tries_max, first_wait_ms, .. } = Settings::default();
    let mut trouble = Trouble::default();
    for tries in 1..tries_max {
        let error = match call().await {
            Err(error) if error.may_pass() => error,
            answer => return answer,
        };
        trouble.met(Instant::now(), error.to_string());
        let pause_ms = pause_ms(first_wait_ms, tries, &open_of(error));
        trouble.before(Instant::now(), pause_ms).into_iter().for_each(|notice| client.notice(&notice));
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
    call().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a pause is told before two seconds are over without an answer; a short one is not, nor one without
    /// trouble.
    #[test]
    fn nobody_waits_long_without_a_word() {
        let begun = Instant::now();
        let after = |ms: u64| begun + Duration::from_millis(ms);
        let mut trouble = Trouble::default();
        assert_eq!(trouble.before(begun, 60_000), None, "nothing has happened");
        trouble.met(begun, "the node is busy".to_owned());
        assert_eq!(trouble.before(begun, 200), None);
        assert!(trouble.before(begun, 10_000).is_some(), "a long pause at once");
        let (mut silent_ms, mut pause_ms) = (0, 200);
        while trouble.before(after(silent_ms), pause_ms).is_none() {
            (silent_ms, pause_ms) = (silent_ms + pause_ms, pause_ms * 2);
            trouble.met(after(silent_ms), "the node cannot be reached".to_owned());
        }
        assert!(silent_ms <= 2_000, "{silent_ms}");
        let said = trouble.before(after(silent_ms), pause_ms).map(|notice| notice.to_string()).unwrap_or_default();
        assert!(said.starts_with("the node cannot be reached; this is tried again in "), "{said}");
        trouble.over();
        assert_eq!(trouble.before(after(silent_ms), pause_ms), None);
    }
}
