//! The access log: one line for a reply, written when its last byte has left or its client has gone.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{Method, StatusCode};

use crate::body::Broken;
use crate::metrics::Metrics;

/// What is known of a request when its reply begins.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) client: std::net::IpAddr,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) began: Instant,
}

/// Counts the bytes of one reply and, when the last part of it is sent or dropped, writes its line.
#[derive(Debug)]
pub(crate) struct Tally {
    metrics: Arc<Metrics>,
    entry: Option<Entry>,
    expected: Option<u64>,
    sent: AtomicU64,
    broken: OnceLock<String>,
}

impl Tally {
    /// `entry` is `None` where no access log is kept; `expected` is the length that was promised.
    pub(crate) fn new(metrics: Arc<Metrics>, entry: Option<Entry>, expected: Option<u64>) -> Self {
        Self { metrics, entry, expected, sent: AtomicU64::new(0), broken: OnceLock::new() }
    }

    /// Bytes that went to the socket.
    pub(crate) fn add(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The reply is ended short.
    pub(crate) fn broke(&self, reason: &Broken) {
        self.broken.get_or_init(|| reason.to_string());
    }

    fn ending(&self) -> &str {
        match (self.broken.get(), self.expected) {
            (Some(reason), _) => reason,
            (None, Some(expected)) if self.sent.load(Ordering::Relaxed) < expected => "client gone",
            _ => "complete",
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let sent = self.sent.load(Ordering::Relaxed);
        self.metrics.bytes.inc_by(sent);
        if self.broken.get().is_some() {
            self.metrics.broken_streams.inc();
        }
        let Some(entry) = &self.entry else { return };
        tracing::info!(
            target: "modkeep::access",
            id = %entry.id,
            client = %entry.client,
            method = %entry.method,
            path = %entry.path,
            kind = entry.kind,
            status = entry.status.as_u16(),
            bytes = sent,
            ms = entry.began.elapsed().as_millis() as u64,
            end = self.ending(),
        );
    }
}
