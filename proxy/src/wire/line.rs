//! What the parts of one connection tell each other: the socket, the requests that are answered on it, and the table of
//! all connections, which may want it to leave.
//!
//! At every moment a connection is at work, or it is *quiet* (nothing was asked, or not to the end), or it is *stuck*
//! (a reply is ready and the client takes none of it). Who is quiet or stuck costs a place and can be asked to leave.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::wire::Chunk;
use crate::wire::room::Room;

/// Replies that a client may leave before their end until it is looked at whether it does anything else.
const ABANDONED: u64 = 200;

/// One connection.
pub(crate) struct Line {
    /// What times are counted from.
    begun: Instant,
    /// The parts of files that were promised to the socket and have not left yet.
    files: Mutex<VecDeque<Part>>,
    /// Requests that were read whole.
    requests: AtomicU64,
    /// Replies that were not made to their end.
    abandoned: AtomicU64,
    /// Replies that are being made.
    active: AtomicUsize,
    /// Those of them of which a part was made that the client has not taken yet.
    owed: AtomicUsize,
    /// When a request came or a part of a reply was made or taken last, in milliseconds.
    last: AtomicU64,
    /// Since when the socket takes nothing, in milliseconds; 0 while it does.
    blocked: AtomicU64,
    /// Several requests at a time, so bytes that arrive need not belong to a head.
    is_multiplexed: AtomicBool,
    /// Bytes that the body of a request may have which is read.
    expected: AtomicU64,
    leave: Notify,
}

pub(super) struct Part {
    pub(super) file: Arc<File>,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            files: Mutex::default(),
            requests: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            active: AtomicUsize::new(0),
            owed: AtomicUsize::new(0),
            last: AtomicU64::new(1),
            blocked: AtomicU64::new(0),
            is_multiplexed: AtomicBool::new(false),
            expected: AtomicU64::new(0),
            leave: Notify::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn touch(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    fn past(&self, then: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(then))
    }

    /// A request was read; until the turn is dropped the client waits for us.
    pub(crate) fn requested(self: &Arc<Self>, way: Way) -> Turn {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        Turn { line: Arc::clone(self), way, is_owed: false, is_whole: false }
    }

    /// Requests that were read whole.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether a reply is being made or waits in the socket.
    pub(crate) fn is_busy(&self) -> bool {
        self.active.load(Ordering::Relaxed) > 0 || self.blocked.load(Ordering::Relaxed) > 0
    }

    /// For how long nothing is being answered.
    pub(crate) fn quiet(&self) -> Option<Duration> {
        (!self.is_busy()).then(|| self.past(self.last.load(Ordering::Relaxed)))
    }

    /// For how long the client has taken nothing of what is ready for it.
    pub(crate) fn stuck(&self) -> Option<Duration> {
        let blocked = self.blocked.load(Ordering::Relaxed);
        if blocked > 0 {
            return Some(self.past(blocked));
        }
        let active = self.active.load(Ordering::Relaxed);
        let owed = self.owed.load(Ordering::Relaxed);
        (active > 0 && owed >= active).then(|| self.past(self.last.load(Ordering::Relaxed)))
    }

    /// A request has a body of so many bytes at most, which is read.
    pub(crate) fn expect(&self, bytes: u64) {
        self.expected.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(super) fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    pub(crate) fn multiplex(&self) {
        self.is_multiplexed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        self.is_multiplexed.load(Ordering::Relaxed)
    }

    /// The socket takes nothing now.
    pub(super) fn block(&self) {
        if self.blocked.load(Ordering::Relaxed) == 0 {
            self.blocked.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The socket has taken something.
    pub(super) fn unblock(&self) {
        if self.blocked.load(Ordering::Relaxed) > 0 {
            self.blocked.store(0, Ordering::Relaxed);
            self.touch();
        }
    }

    /// Whether the client, which could have any number of replies at a time, mostly leaves before they are made.
    pub(crate) fn is_fickle(&self) -> bool {
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        self.is_multiplexed() && abandoned > ABANDONED && abandoned > self.requests() / 2
    }

    /// Asks the connection to leave, if it is still true that it costs more than it is for.
    pub(crate) fn evict(&self) {
        self.leave.notify_one();
    }

    /// Waits until it is asked to leave.
    pub(crate) async fn evicted(&self) {
        self.leave.notified().await;
    }

    /// Promises a part of a file to the socket; the chunk stands for it in the body.
    pub(crate) fn promise(&self, file: Arc<File>, start: u64, end: u64) -> Chunk {
        self.files.lock().push_back(Part { file, at: start, end });
        let left = usize::try_from(end - start).expect("files are smaller than the address space");
        Chunk::of_file(left)
    }

    pub(super) fn files(&self) -> parking_lot::MutexGuard<'_, VecDeque<Part>> {
        self.files.lock()
    }
}

/// How parts of files come to a client.
#[derive(Clone)]
pub(crate) enum Way {
    /// The kernel moves them.
    Kernel,
    /// They are read into memory, of which there is so much for all.
    Memory(Room),
}

/// One request and its reply; held until the last part of the reply was made.
pub(crate) struct Turn {
    line: Arc<Line>,
    way: Way,
    /// A part was made and not asked for again.
    is_owed: bool,
    is_whole: bool,
}

impl Turn {
    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }

    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// A part was made, or the head: the next move is the client's.
    pub(crate) fn made(&mut self) {
        if !self.is_owed {
            self.is_owed = true;
            self.line.owed.fetch_add(1, Ordering::Relaxed);
            self.line.touch();
        }
    }

    /// The connection wants more of the reply: the next move is ours.
    pub(crate) fn wanted(&mut self) {
        if self.is_owed {
            self.is_owed = false;
            self.line.owed.fetch_sub(1, Ordering::Relaxed);
            self.line.touch();
        }
    }

    /// The last part was made.
    pub(crate) fn end(&mut self) {
        self.is_whole = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_owed {
            self.line.owed.fetch_sub(1, Ordering::Relaxed);
        }
        self.line.touch();
        self.line.active.fetch_sub(1, Ordering::Relaxed);
        if !self.is_whole {
            self.line.abandoned.fetch_add(1, Ordering::Relaxed);
            if self.line.is_fickle() {
                self.line.evict();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_at_work_or_quiet_or_stuck() {
        #[track_caller]
        fn check(line: &Line, quiet: bool, stuck: bool) {
            assert_eq!((line.quiet().is_some(), line.stuck().is_some()), (quiet, stuck));
        }
        let line = Arc::new(Line::new());
        check(&line, true, false);
        let mut first = line.requested(Way::Kernel);
        check(&line, false, false);
        first.made();
        check(&line, false, true);
        let mut second = line.requested(Way::Kernel);
        check(&line, false, false);
        second.made();
        check(&line, false, true);
        first.wanted();
        check(&line, false, false);
        first.end();
        drop((first, second));
        check(&line, true, false);
        line.block();
        check(&line, false, true);
        line.unblock();
        check(&line, true, false);
        assert_eq!((line.requests(), line.abandoned.load(Ordering::Relaxed)), (2, 1));
    }

    #[test]
    fn who_only_begins_is_fickle() {
        let line = Arc::new(Line::new());
        line.multiplex();
        for _ in 0..=ABANDONED {
            assert!(!line.is_fickle());
            drop(line.requested(Way::Kernel));
        }
        assert!(line.is_fickle());
        for _ in 0..=ABANDONED {
            line.requested(Way::Kernel).end();
        }
        assert!(!line.is_fickle());
    }
}
