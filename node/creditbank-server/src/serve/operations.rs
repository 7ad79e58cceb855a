//! Answers monitoring over HTTP: `/metrics`, `/healthz`, `/readyz`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tonic::codegen::http::{Method, Request, Response, StatusCode};

use crate::ledger::Ledger;

/// Connections at once; others wait in the system's queue.
const CONNECTIONS: usize = 16;
/// A connection that takes longer is closed.
const WAIT: Duration = Duration::from_secs(10);
/// Most bytes of the head of a request.
const HEAD_MAX: usize = 8 << 10;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers until `stop`.
pub(super) async fn serve(listener: TcpListener, ledger: Arc<Ledger>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            let _place = place;
            let _ = tokio::time::timeout(WAIT, speak(socket, ledger)).await;
        });
    }
}

async fn speak(socket: TcpStream, ledger: Arc<Ledger>) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let ledger = Arc::clone(&ledger);
        async move { Ok::<_, Infallible>(answer(&ledger, request.method(), request.uri().path())) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(WAIT).keep_alive(false).max_buf_size(HEAD_MAX);
    // A client that does not speak HTTP gets nothing.
    let _ = builder.serve_connection(TokioIo::new(socket), answer).await;
}

fn answer(ledger: &Ledger, method: &Method, path: &str) -> Response<String> {
    let (status, kind, text) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, OPEN_METRICS, ledger.metrics().text()),
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, TEXT, "the process lives\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") => {
            let problems = ledger.health().problems();
            if problems.is_empty() {
                (StatusCode::OK, TEXT, "ready\n".to_owned())
            } else {
                let lines = problems.iter().map(|problem| format!("{}\n", problem.replace('\n', " ")));
                (StatusCode::SERVICE_UNAVAILABLE, TEXT, lines.collect())
            }
        }
        (&Method::GET | &Method::HEAD, _) => {
            (StatusCode::NOT_FOUND, TEXT, "expected /metrics, /healthz or /readyz\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "expected GET\n".to_owned()),
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", kind.parse().expect("a constant that is a header"));
    response
}
