//! How many connections the process may have open, so that the store always has the files that it needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ServeError;

/// Files set aside for the store, its index and its keys, the listeners, and sockets that are closing.
const RESERVE: u64 = 256;
/// A node with fewer connections is useless.
const CONNECTIONS_MIN: u64 = 64;
/// The node never raises the limit above this.
const LIMIT: u64 = 1 << 20;

/// Raises the limit of the process as far as the system allows, sets aside what the store needs, and returns the number
/// of possible connections, at most `wanted`.
pub(super) fn budget(wanted: usize) -> Result<usize, ServeError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(LIMIT).min(LIMIT);
    let mut limit = current.unwrap_or(LIMIT);
    if limit < most && setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).is_ok() {
        limit = most;
    }
    // The files that are open now belong to the store. It may need as many again.
    let reserve = RESERVE.max(open_now().saturating_mul(2));
    share(limit, reserve, wanted)
}

/// The connections that a limit allows after the reserve.
fn share(limit: u64, reserve: u64, wanted: usize) -> Result<usize, ServeError> {
    let left = limit.saturating_sub(reserve);
    if left < CONNECTIONS_MIN {
        return Err(ServeError::Descriptors { limit, needed: reserve + CONNECTIONS_MIN });
    }
    let connections = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
    if connections < wanted {
        tracing::warn!(limit, connections, wanted, "the limit of open files allows fewer connections than node.toml");
    }
    Ok(connections)
}

/// Number of open descriptors of the process, if the system tells.
pub(super) fn open_now() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: connections never use up what the store needs, and a limit that is too low is reported.
    #[test]
    fn the_store_comes_first() {
        assert_eq!(share(1_024, 256, 8_192).expect("enough for some"), 768);
        assert_eq!(share(1 << 20, 256, 8_192).expect("enough"), 8_192);
        let refused = share(256 + 63, 256, 8_192).expect_err("too few");
        assert!(matches!(refused, ServeError::Descriptors { limit: 319, needed: 320 }), "{refused}");
    }
}
