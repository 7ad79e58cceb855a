//! The honest institution: it submits blocks and reads, one call after the other, and records how long it waits.

use std::fmt;
use std::time::{Duration, Instant};

use creditbank_client::ClientError;
use creditbank_protocol::{Alias, UnitId};
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_tests::university::{credit_record, student};
use creditbank_tests::{Chain, University};

use crate::node::Node;

/// Records of a block.
const RECORDS: usize = 10;
/// Learners of the institution: so many that in ten minutes none of them has more records than a degree.
const LEARNERS: usize = 5_000;
/// Accounts that a call opens.
const ACCOUNTS: usize = 500;

/// Waiting times.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The waiting time that a percentage of the calls did not exceed.
    pub(crate) fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (p50 {:?}, p99 {:?}, most {:?})", self.len(), self.at(50), self.at(99), self.at(100))
    }
}

/// What an honest institution has experienced.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) submits: Times,
    pub(crate) reads: Times,
    /// Calls that were refused or lost.
    pub(crate) refused: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "submits {}; reads {}; refused {}", self.submits, self.reads, self.refused)
    }
}

fn learner(university: &University, alias: Alias) -> Learner {
    Learner::Alias(InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() })
}

/// Works for this long, with a pause between two calls of each kind.
pub(crate) async fn work(
    node: &Node,
    university: &University,
    time: Duration,
    pause: Duration,
) -> anyhow::Result<Figures> {
    let client = node.client(Some(university.access.clone())).await?;
    let mut aliases = Vec::with_capacity(LEARNERS);
    for first in (0..LEARNERS).step_by(ACCOUNTS) {
        let persons = (first..first + ACCOUNTS).map(|number| student(&number.to_string())).collect();
        aliases.extend(client.open_accounts(university.institution, persons).await?);
    }
    let unit = UnitId::new(university.institution, university.unit);
    let mut chain = Chain { head: client.chain_head(unit).await? };
    let begun = Instant::now();
    let submitting = async {
        let (mut times, mut refused, mut number) = (Times::default(), 0, 0);
        let run = chain.head.next_height;
        while begun.elapsed() < time {
            let records: Vec<_> = (0..RECORDS)
                .map(|at| credit_record(aliases[(number * RECORDS + at) % LEARNERS], &format!("C-{run}-{number}-{at}")))
                .collect();
            let request = chain.block(university, &records, Vec::new());
            number += 1;
            let asked = Instant::now();
            loop {
                match client.submit(request.clone()).await {
                    Ok(_) => break,
                    Err(ClientError::Refused(refusal)) if refusal.retry_after_ms > 0 => {
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(refusal.retry_after_ms)).await;
                    }
                    Err(ClientError::Unreachable(_)) => {
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    Err(other) => return Err(other),
                }
                if asked.elapsed() > Duration::from_secs(30) {
                    break;
                }
            }
            times.0.push(asked.elapsed());
            chain.advance(&request);
            tokio::time::sleep(pause).await;
        }
        Ok((times, refused))
    };
    let reading = async {
        let (mut times, mut refused, mut number) = (Times::default(), 0, 0_usize);
        while begun.elapsed() < time {
            let asked = Instant::now();
            let done = match number % 3 {
                0 => client.checkpoint().await.map(|_| ()),
                1 => client.chain_head(unit).await.map(|_| ()),
                _ => client.balance(learner(university, aliases[number % LEARNERS])).await.map(|_| ()),
            };
            match done {
                Ok(()) => {}
                Err(ClientError::Refused(_) | ClientError::Unreachable(_)) => refused += 1,
                Err(other) => return Err(other),
            }
            times.0.push(asked.elapsed());
            number += 1;
            tokio::time::sleep(pause).await;
        }
        Ok((times, refused))
    };
    let (submitted, read) = tokio::join!(submitting, reading);
    let ((submits, refused), (reads, lost)) = (submitted?, read?);
    Ok(Figures { submits, reads, refused: refused + lost })
}
