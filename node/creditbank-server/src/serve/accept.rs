//! The loop that accepts connections.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Peer;
use super::calls::Services;
use super::connection::{Connection, serve};
use super::rooms::Rooms;
use super::table::{Refused, Table};

/// How long to wait when the system has no descriptor or no memory for another connection.
const NO_DESCRIPTOR: Duration = Duration::from_millis(100);

/// Serves connections until `until` is ready, and then those that are open until they end. Dropping the future ends all
/// of them.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    services: Services,
    rooms: Arc<Rooms>,
    table: Arc<Table>,
    stopping: watch::Sender<bool>,
    until: impl Future<Output = ()>,
) {
    let mut until = std::pin::pin!(until);
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            () = &mut until => break,
        };
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            // The client went away before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                rooms.measures.refused("system");
                tracing::warn!(%error, "no connection can be accepted at the moment");
                tokio::time::sleep(NO_DESCRIPTOR).await;
                continue;
            }
        };
        let connection = Connection::new(Peer::of(address), &rooms);
        match table.admit(&connection) {
            Ok((place, made_room)) => {
                if made_room.is_some() {
                    rooms.measures.closed("room");
                }
                let (tls, services, measures) = (tls.clone(), services.clone(), rooms.measures.clone());
                let stop = stopping.subscribe();
                open.spawn(async move {
                    let _place = place;
                    let _open = measures.connected();
                    serve(socket, tls, connection, services, stop).await;
                });
            }
            Err(Refused::Address) => rooms.measures.refused("address"),
            Err(Refused::Pace) => rooms.measures.refused("pace"),
            Err(Refused::All) => rooms.measures.refused("all"),
        }
    }
    drop(listener);
    stopping.send_replace(true);
    while open.join_next().await.is_some() {}
}
