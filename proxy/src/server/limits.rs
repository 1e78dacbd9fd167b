//! What clients may cost.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What connections may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time. When there are as many, a new one takes the place of one that waits for its client;
    /// when none waits, it is let in when one ends.
    pub connections: usize,
    /// From one reply to the next request.
    pub idle: Duration,
    /// For the head of a request, from its first byte; the first one of a connection includes the handshake of TLS.
    pub head: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Requests at one time on one connection of HTTP/2.
    pub streams: u32,
    /// Without taking a byte of a reply.
    pub stall: Duration,
    /// Parts of files in memory for TLS and HTTP/2, for all clients together; each is 128 KiB at most. When as many are
    /// taken, others get smaller ones, and who takes nothing loses its connection after seconds.
    pub pieces: usize,
    /// For replies on their way when the service stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16 * 1024,
            idle: Duration::from_secs(75),
            head: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            streams: 100,
            stall: Duration::from_secs(60),
            pieces: 256,
            drain: Duration::from_secs(60),
        }
    }
}

/// Descriptors that files, the store and the upstream need at one time.
const OTHER_DESCRIPTORS: u64 = 256;

/// Takes all descriptors that the system gives this process, and says how many connections fit.
pub(super) fn places(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "raising the number of descriptors");
    }
    // A reply from a file holds a second one.
    let room = getrlimit(Resource::Nofile).current.map(|all| all.saturating_sub(OTHER_DESCRIPTORS) / 2);
    let places = room.map_or(wanted, |room| wanted.min(usize::try_from(room).unwrap_or(wanted)).max(1));
    if places < wanted {
        tracing::warn!(places, wanted, "the limit of descriptors allows fewer connections");
    }
    places
}
