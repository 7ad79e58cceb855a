//! Pools under callers of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use creditbank_protocol::InstitutionId;

use super::*;
use crate::metrics::Metrics;
use crate::work::token::Stopping;

const A: Who = Who::Institution(InstitutionId(1));
const B: Who = Who::Institution(InstitutionId(2));

fn pool(threads: usize, bounds: Bounds) -> (Arc<Pool>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    (Arc::new(Pool::new("test", threads, bounds, &Families::new(&metrics))), metrics)
}

fn token() -> Token {
    Token::new(&Stopping::default())
}

/// Work that continues until its token says stop, like a search.
fn endless(token: &Token) -> u32 {
    while token.stop().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    0
}

/// Goal: a caller that keeps all its threads busy leaves one for others, and its work stops when it disconnects.
/// Method: an attacker makes endless calls. The honest call is answered while they run, and after the attacker has
/// left every thread is free again.
#[tokio::test(flavor = "multi_thread")]
async fn one_caller_does_not_stop_another() {
    let (pool, metrics) = pool(2, Bounds { all: 100, of_caller: 50, at_once: 1 });
    let (begins, begun) = oneshot::channel();
    let mut begins = Some(begins);
    let mut attack = Vec::new();
    let mut attacker = |pool: &Arc<Pool>| {
        let (pool, token, begins) = (Arc::clone(pool), token(), begins.take());
        tokio::spawn(async move {
            let work = token.clone();
            let work = move || {
                if let Some(begins) = begins {
                    let _ = begins.send(());
                }
                endless(&work)
            };
            pool.run(A, token, work).await
        })
    };
    // One is being done, and fifty wait.
    attack.push(attacker(&pool));
    begun.await.expect("it is being done");
    attack.extend((0..50).map(|_| attacker(&pool)));
    while pool.desk.state().turns.len() < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(pool.run(A, token(), || 1).await, Err(Refused::Busy));
    assert_eq!(pool.run(B, token(), || 7).await, Ok(7));
    attack.iter().for_each(tokio::task::JoinHandle::abort);
    for call in attack {
        assert!(call.await.expect_err("aborted").is_cancelled());
    }
    assert_eq!(pool.run(A, token(), || 8).await, Ok(8));
    assert!(pool.desk.state().turns.is_empty());
    let text = metrics.text();
    assert!(text.contains("refused_work_total{pool=\"test\",bound=\"caller\"} 1"), "{text}");
}

/// Goal: jobs that a caller has left in the queue are never begun.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_gone_is_not_served() {
    let (pool, _) = pool(1, Bounds { all: 100, of_caller: 100, at_once: 1 });
    let (go, wait) = mpsc::channel::<()>();
    let (begun, is_begun) = oneshot::channel();
    let held = Arc::clone(&pool);
    let first = tokio::spawn(async move {
        let work = move || {
            let _ = begun.send(());
            wait.recv().is_ok()
        };
        held.run(A, token(), work).await
    });
    is_begun.await.expect("it is being done");
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let count = Arc::clone(&count);
        let call = pool.run(A, token(), move || count.fetch_add(1, Ordering::Relaxed));
        assert!(tokio::time::timeout(Duration::ZERO, call).await.is_err());
    }
    assert_eq!(pool.desk.state().turns.len(), 0);
    go.send(()).expect("it waits");
    assert_eq!(first.await.expect("no panic"), Ok(true));
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

/// Goal: a panic costs only its own call; a pool that is closed answers everybody.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_answered() {
    let (pool, _) = pool(1, Bounds { all: 100, of_caller: 100, at_once: 1 });
    let panics = pool.run(A, token(), || -> u32 { panic!("a bug, for the test") }).await;
    assert_eq!(panics, Err(Refused::Panicked));
    assert_eq!(pool.run(A, token(), || 1).await, Ok(1));
    let stopping = Stopping::default();
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let (pool, token) = (Arc::clone(&pool), Token::new(&stopping));
            tokio::spawn(async move { pool.run(A, token.clone(), move || endless(&token)).await })
        })
        .collect();
    while pool.desk.state().turns.len() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stopping.set();
    pool.close();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.expect("no panic"));
    }
    // The running job has ended by itself; the waiting one was never begun.
    assert_eq!(answers.iter().filter(|answer| **answer == Err(Refused::Stopping)).count(), 4, "{answers:?}");
    assert_eq!(pool.run(B, token(), || 1).await, Err(Refused::Stopping));
}
