//! Quotas: how much one institution may request in a minute. They keep a mistake or a theft from using the whole node.
//! A registrar's normal work never reaches them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use creditbank_protocol::InstitutionId;
use creditbank_protocol::dates::show_duration_ms;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::directory;
use crate::metrics::Metrics;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Persons of `OpenAccounts`.
    Accounts,
    /// Blocks whose signature is good.
    Blocks,
    /// Expensive calls.
    Calls,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Accounts, Self::Blocks, Self::Calls];

    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Blocks => "blocks",
            Self::Calls => "expensive_calls",
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accounts => "accounts",
            Self::Blocks => "blocks",
            Self::Calls => "expensive calls",
        })
    }
}

/// The institution has requested more than a minute's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "institution {institution} has used its quota of {allowed} {asked} in a minute: come back in {}, or ask the \
     operator for more ([quotas] of node.toml)",
    show_duration_ms(*.retry_after_ms)
)]
pub struct OverQuota {
    /// The institution.
    pub(crate) institution: InstitutionId,
    /// What it requested.
    pub(crate) asked: Asked,
    /// The quota of a minute.
    pub(crate) allowed: u32,
    /// When the same call will be within the quota.
    pub(crate) retry_after_ms: u64,
}

type Labels = [(&'static str, String); 2];

/// What institutions have used. A bucket holds a minute's quota and fills steadily.
#[derive(Debug)]
pub(crate) struct Quotas {
    allowed: directory::Quotas,
    /// Only an institution that has shown a token or a signature has an entry, so there are at most as many as in the
    /// registry.
    buckets: Mutex<HashMap<InstitutionId, Buckets>>,
    used: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
}

/// The buckets of one institution.
#[derive(Debug, Default)]
struct Buckets {
    /// When each bucket is full again, in microseconds of running time.
    full_at: [u64; 3],
    /// When the log last had a line about an empty bucket, in microseconds of running time.
    told_at: Option<u64>,
}

impl Buckets {
    /// Whether the log should have a line now: at most once a minute.
    fn is_told(&mut self, now: u64) -> bool {
        let is_due = self.told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= MINUTE_US);
        if is_due {
            self.told_at = Some(now);
        }
        is_due
    }
}

const MINUTE_US: u64 = 60_000_000;

impl Quotas {
    pub(super) fn new(allowed: directory::Quotas, metrics: &Metrics) -> Self {
        let (used, refused) = (Family::default(), Family::default());
        metrics.register(|registry| {
            registry.register("quota_used", "What institutions have used of their quotas", Family::clone(&used));
            registry.register("quota_refused", "What was refused because a quota was used", Family::clone(&refused));
            let allowed_now =
                Family::<[(&'static str, &'static str); 1], prometheus_client::metrics::gauge::Gauge>::default();
            for asked in Asked::ALL {
                let most = limit(&allowed, asked);
                allowed_now.get_or_create(&[("of", asked.name())]).set(i64::from(most));
            }
            registry.register("quota_per_minute", "The quota of an institution in a minute; 0: no quota", allowed_now);
        });
        Self { allowed, buckets: Mutex::default(), used, refused }
    }

    /// Takes `count` from an institution's quota at a running time. A call of more than a minute's quota is accepted if
    /// the bucket is full; the next call then waits until the excess is refilled.
    pub(crate) fn take(
        &self,
        institution: InstitutionId,
        asked: Asked,
        count: usize,
        now_ms: u64,
    ) -> Result<(), OverQuota> {
        let allowed = limit(&self.allowed, asked);
        let labels = || [("institution", institution.0.to_string()), ("of", asked.name().to_owned())];
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        // The operator sets the quotas, and has none.
        if allowed > 0 && !institution.is_operator() {
            let now = now_ms.saturating_mul(1_000);
            let cost = count.saturating_mul(MINUTE_US) / u64::from(allowed);
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let own = buckets.entry(institution).or_default();
            let bucket = &mut own.full_at[asked as usize];
            let before = (*bucket).max(now);
            let after = before.saturating_add(cost);
            let room_at = after.saturating_sub(MINUTE_US).min(before);
            if room_at > now {
                let is_told = own.is_told(now);
                drop(buckets);
                if is_told {
                    tracing::warn!(
                        institution = institution.0,
                        of = asked.name(),
                        per_minute = allowed,
                        "an institution has used its quota and is refused; this line appears at most once a minute"
                    );
                }
                self.refused.get_or_create(&labels()).inc_by(count);
                let retry_after_ms = (room_at - now).div_ceil(1_000);
                return Err(OverQuota { institution, asked, allowed, retry_after_ms });
            }
            *bucket = after;
        }
        self.used.get_or_create(&labels()).inc_by(count);
        Ok(())
    }
}

fn limit(allowed: &directory::Quotas, asked: Asked) -> u32 {
    match asked {
        Asked::Accounts => allowed.accounts_per_minute,
        Asked::Blocks => allowed.blocks_per_minute,
        Asked::Calls => allowed.expensive_calls_per_minute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: InstitutionId = InstitutionId(1);

    fn quotas(accounts_per_minute: u32) -> (Quotas, Metrics) {
        let metrics = Metrics::default();
        (Quotas::new(directory::Quotas { accounts_per_minute, ..Default::default() }, &metrics), metrics)
    }

    /// Goal: a minute's quota can be used at once, then as much as time refills; the refusal says when; each
    /// institution has its own.
    #[test]
    fn a_share_a_minute() {
        let (quotas, metrics) = quotas(60);
        let take = |count, now_ms| quotas.take(A, Asked::Accounts, count, now_ms);
        assert_eq!(take(60, 1_000), Ok(()));
        let over = take(1, 1_000).expect_err("nothing is left");
        assert_eq!((over.allowed, over.retry_after_ms), (60, 1_000));
        assert!(over.to_string().contains("60 accounts in a minute"), "{over}");
        assert_eq!(take(1, 1_999).expect_err("not yet").retry_after_ms, 1);
        assert_eq!(take(1, 2_000), Ok(()));
        assert!(take(1, 2_000).is_err());
        assert_eq!(quotas.take(InstitutionId(2), Asked::Accounts, 60, 2_000), Ok(()));
        assert_eq!(quotas.take(A, Asked::Blocks, 60, 2_000), Ok(()));
        assert_eq!(take(60, 62_000), Ok(()));
        let text = metrics.text();
        assert!(text.contains("creditbank_quota_used_total{institution=\"1\",of=\"accounts\"} 121"), "{text}");
        assert!(text.contains("creditbank_quota_refused_total{institution=\"1\",of=\"accounts\"} 3"), "{text}");
    }

    /// Goal: the log has one line a minute, however often somebody asks.
    #[test]
    fn the_log_is_told_now_and_then() {
        let mut buckets = Buckets::default();
        let told = (0..180).filter(|second| buckets.is_told(second * 1_000_000)).collect::<Vec<u64>>();
        assert_eq!(told, [0, 60, 120]);
    }

    /// Goal: a call larger than the quota is possible and uses the following minutes; 0 means no quota; the operator
    /// has none.
    #[test]
    fn large_calls_pay_later() {
        let (quotas, _) = quotas(100);
        assert_eq!(quotas.take(A, Asked::Accounts, 1_000, 0), Ok(()));
        assert_eq!(quotas.take(A, Asked::Accounts, 1, 60_000).expect_err("ten minutes").retry_after_ms, 480_600);
        assert_eq!(quotas.take(A, Asked::Accounts, 1_000, 600_000), Ok(()));
        assert_eq!(quotas.take(InstitutionId::OPERATOR, Asked::Accounts, 1_000_000, 0), Ok(()));
        assert_eq!(quotas.take(InstitutionId::OPERATOR, Asked::Accounts, 1_000_000, 0), Ok(()));
    }
}
