//! Everything that an attacker without a key can do, at once, from many addresses of the loopback. It ends by itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use creditbank_protocol::{UnitId, pb};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_tests::university::{credit_record, student};
use creditbank_tests::{Chain, University};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tonic::transport::{Channel, Endpoint};
use tower::{Service as _, ServiceExt as _};

use crate::idle::{PING_FRAME, SETTINGS_FRAME, frames, idle, silent};
use crate::node::connect;

/// Idle connections in total, and of one address.
const IDLE: usize = 5_000;
const IDLE_PER_ADDRESS: usize = 500;
const SILENT: usize = 300;
/// Streams of one connection.
const STREAMS: usize = 100;
/// Addresses that hold half requests, and addresses that watch.
const HALVES: std::ops::Range<u8> = 100..130;
const SIPPING: std::ops::Range<u8> = 170..174;
const WATCHING: std::ops::Range<u8> = 130..150;
/// Pause between two bursts of a flood.
const PAUSE: Duration = Duration::from_millis(50);

const CHECKPOINT: &str = "/creditbank.v1.LogService/GetCheckpoint";
const SUBMIT: &str = "/creditbank.v1.LedgerService/SubmitBlock";
const SUBMIT_MANY: &str = "/creditbank.v1.LedgerService/SubmitBlocks";
const ACCOUNTS: &str = "/creditbank.v1.LearnerService/OpenAccounts";
const LIST: &str = "/creditbank.v1.RegistryService/ListRegistry";
const ENTRIES: &str = "/creditbank.v1.LogService/StreamEntries";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn frame(message: &[u8]) -> Bytes {
    let len = u32::try_from(message.len()).expect("short");
    [&[0][..], &len.to_be_bytes(), message].concat().into()
}

fn whole(message: &[u8]) -> Body {
    Body::new(Full::new(frame(message)).map_err(|never| match never {}))
}

/// One byte, and nothing more.
fn one_byte() -> Body {
    let begin = Ok::<_, tonic::Status>(Frame::data(Bytes::from_static(&[0])));
    Body::new(StreamBody::new(tokio_stream::StreamExt::chain(tokio_stream::once(begin), tokio_stream::pending())))
}

async fn channel(url: &str, from: u8, window: u32) -> Option<Channel> {
    let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, from));
    let endpoint = Endpoint::from_shared(url.to_owned()).ok()?.local_address(Some(address));
    endpoint.initial_stream_window_size(window).connect().await.ok()
}

async fn call(mut channel: Channel, url: &str, path: &str, body: Body) -> Option<http::Response<Body>> {
    let request = http::Request::post(format!("{url}{path}")).header("content-type", "application/grpc");
    let request = request.header("te", "trailers").body(body).ok()?;
    channel.ready().await.ok()?.call(request).await.ok()
}

/// Sends one byte on each of many streams, for ever.
async fn halves(url: String, from: u8) {
    loop {
        if let Some(channel) = channel(&url, from, 65_535).await {
            let mut open = JoinSet::new();
            for number in 0..STREAMS {
                let (channel, url) = (channel.clone(), url.clone());
                let path = if number % 2 == 0 { SUBMIT } else { SUBMIT_MANY };
                open.spawn(async move { call(channel, &url, path, one_byte()).await.is_some() });
            }
            while open.join_next().await.is_some() {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Opens streams that wait for news that never comes.
async fn watching(url: String, from: u8) {
    loop {
        if let Some(channel) = channel(&url, from, 65_535).await {
            let mut held = JoinSet::new();
            for _ in 0..STREAMS {
                let (channel, url) = (channel.clone(), url.clone());
                held.spawn(async move {
                    if let Some(answer) = call(channel, &url, WATCH, whole(&[])).await {
                        let _ = answer.into_body().collect().await;
                    }
                });
            }
            while held.join_next().await.is_some() {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Requests answers and does not read them: the window takes one byte of each.
async fn unread(url: String, from: u8) {
    loop {
        if let Some(channel) = channel(&url, from, 1).await {
            let mut held = Vec::new();
            for number in 0..STREAMS {
                let (path, body) = if number % 2 == 0 { (ENTRIES, whole(&[])) } else { (LIST, whole(&[0x08, 3])) };
                let called =
                    tokio::time::timeout(Duration::from_secs(5), call(channel.clone(), &url, path, body)).await;
                held.push(called.ok().flatten());
            }
            // Longer than the node's patience.
            tokio::time::sleep(Duration::from_secs(40)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Small calls on a connection that takes a single byte of each answer.
async fn sipping(url: String, from: u8) {
    loop {
        if let Some(channel) = channel(&url, from, 1).await {
            let mut held = Vec::new();
            for _ in 0..STREAMS {
                let called = call(channel.clone(), &url, CHECKPOINT, whole(&[]));
                held.push(tokio::time::timeout(Duration::from_secs(5), called).await.ok().flatten());
            }
            // Longer than the node's patience.
            tokio::time::sleep(Duration::from_secs(40)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Makes the same call again and again, many at once.
async fn flood(url: String, from: u8, path: &'static str, message: Vec<u8>, at_once: usize) {
    loop {
        let Some(channel) = channel(&url, from, 65_535).await else {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        for _ in 0..1_000 {
            let mut open = JoinSet::new();
            for _ in 0..at_once {
                let (channel, url, body) = (channel.clone(), url.clone(), whole(&message));
                open.spawn(async move { call(channel, &url, path, body).await.is_some() });
            }
            while open.join_next().await.is_some() {}
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Makes calls and cancels them at once.
async fn resets(url: String, from: u8) {
    loop {
        if let Some(channel) = channel(&url, from, 65_535).await {
            for _ in 0..200 {
                for _ in 0..20 {
                    let called = call(channel.clone(), &url, SUBMIT, one_byte());
                    let _ = tokio::time::timeout(Duration::from_millis(1), called).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// A sealed block of the second institution, and the next one with a wrong signature.
async fn blocks(url: &str, trust: &Path, university: &University) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let client = connect(url, trust, Some(university.access.clone())).await?;
    let aliases = client.open_accounts(university.institution, vec![student("1")]).await?;
    let head = client.chain_head(UnitId::new(university.institution, university.unit)).await?;
    let mut chain = Chain { head };
    let records: Vec<_> = (0..50).map(|at| credit_record(aliases[0], &format!("F-{at}"))).collect();
    let sealed = chain.block(university, &records, Vec::new());
    client.submit(sealed.clone()).await?;
    chain.advance(&sealed);
    let good = chain.block(university, &[credit_record(aliases[0], "G-1")], Vec::new());
    let mut block = pb::Block::decode(&good.block[..])?;
    *block.signature.first_mut().context("a signature")? ^= 1;
    let forged = SubmitBlockRequest { block: block.encode_to_vec().into(), ..good };
    Ok((sealed.encode_to_vec(), forged.encode_to_vec()))
}

/// An institution that opens accounts without end, by correct calls.
async fn accounts(url: String, trust: std::path::PathBuf, university: University) {
    loop {
        if let Ok(client) = connect(&url, &trust, Some(university.access.clone())).await {
            for round in 0..u64::MAX {
                let persons = (0..20).map(|at| student(&format!("{}", 1_000_000 + round * 20 + at))).collect();
                if client.open_accounts(university.institution, persons).await.is_err() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Attacks for this long.
pub(crate) async fn run(url: &str, trust: &Path, time: Duration) -> anyhow::Result<()> {
    let to: SocketAddr = url.trim_start_matches("http://").parse().context("the node's address")?;
    let second = University::new(2);
    let (sealed, forged) = blocks(url, trust, &second).await?;
    let mut attacks = JoinSet::new();
    for number in 0..IDLE {
        let from = u8::try_from(10 + number / IDLE_PER_ADDRESS).context("an address")?;
        attacks.spawn(idle(to, from));
    }
    for number in 0..SILENT {
        let said: &[u8] = if number % 2 == 0 { b"" } else { &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01] };
        attacks.spawn(silent(to, 30, said));
    }
    for from in 40..44 {
        for _ in 0..10 {
            attacks.spawn(halves(url.to_owned(), from));
        }
    }
    for from in 50..54 {
        for _ in 0..5 {
            attacks.spawn(unread(url.to_owned(), from));
        }
    }
    for from in 60..64 {
        attacks.spawn(flood(url.to_owned(), from, SUBMIT, forged.clone(), 20));
    }
    for from in 70..72 {
        // Without a token.
        attacks.spawn(flood(url.to_owned(), from, ACCOUNTS, vec![0x08, 1], 20));
    }
    attacks.spawn(accounts(url.to_owned(), trust.to_owned(), second));
    for from in 80..82 {
        attacks.spawn(resets(url.to_owned(), from));
    }
    for from in SIPPING {
        for _ in 0..50 {
            attacks.spawn(sipping(url.to_owned(), from));
        }
    }
    for from in HALVES {
        for _ in 0..3 {
            attacks.spawn(halves(url.to_owned(), from));
        }
    }
    for from in WATCHING {
        attacks.spawn(watching(url.to_owned(), from));
    }
    // Empty records beside a block, as many as a message may have, and more; and a block that is public.
    let empty = |count| [0x12, 0x00].repeat(count);
    for (from, message) in [(150, empty(16_000)), (153, empty(190_000)), (151, sealed.clone()), (152, sealed)] {
        attacks.spawn(flood(url.to_owned(), from, SUBMIT, message, 20));
    }
    for (from, frame) in [(160, PING_FRAME), (161, SETTINGS_FRAME)] {
        attacks.spawn(frames(to, from, frame));
    }
    tokio::time::sleep(time).await;
    attacks.abort_all();
    Ok(())
}
