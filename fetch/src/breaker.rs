//! One circuit breaker for each host, so that a dead upstream costs its clients nothing after the first.
//!
//! It opens when nobody answered and nothing succeeded since that request left, or after several answers in
//! a row that mean "not now". While it is open every request fails at once; one probe in the background asks
//! whether the host is back, with growing pauses. No clock in here: the caller says what time it is.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// When it opens, and how long it rests between probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// So many answers of 502, 503 or 504 in a row open it.
    pub busy_answers: u32,
    /// The pause before the first probe.
    pub first_pause: Duration,
    /// Pauses double up to this.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { busy_answers: 5, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(15) }
    }
}

/// How a request failed, as far as the host's health is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection, or no answer.
    Silent,
    /// An answer that means "not now".
    Busy,
}

/// The breaker of one host.
#[derive(Debug)]
pub(crate) struct Breaker {
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    busy_in_a_row: u32,
    last_success: Option<Instant>,
    pause: Duration,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
struct Open {
    since: Instant,
    reason: String,
}

/// Why a request is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    pub(crate) since: Duration,
    pub(crate) reason: String,
}

impl Breaker {
    pub(crate) fn new(patience: Patience) -> Self {
        let state = State { busy_in_a_row: 0, last_success: None, pause: patience.first_pause, open: None };
        Self { patience, state: Mutex::new(state) }
    }

    /// Whether a request may leave now.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Resting> {
        match &self.state.lock().open {
            None => Ok(()),
            Some(open) => {
                Err(Resting { since: now.saturating_duration_since(open.since), reason: open.reason.clone() })
            }
        }
    }

    /// An answer came, whatever it says about the resource.
    pub(crate) fn succeeded(&self, now: Instant) {
        let mut state = self.state.lock();
        state.busy_in_a_row = 0;
        state.last_success = Some(now);
        state.pause = self.patience.first_pause;
        state.open = None;
    }

    /// A request that left at `started` failed. True when this opens the breaker: the caller then starts the
    /// probe.
    pub(crate) fn failed(&self, started: Instant, now: Instant, failure: Failure, reason: &str) -> bool {
        let mut state = self.state.lock();
        let opens = match failure {
            // One slow answer among good ones is not a dead host.
            Failure::Silent => state.last_success.is_none_or(|success| success < started),
            Failure::Busy => {
                state.busy_in_a_row += 1;
                state.busy_in_a_row >= self.patience.busy_answers
            }
        };
        if !opens || state.open.is_some() {
            return false;
        }
        state.open = Some(Open { since: now, reason: reason.to_owned() });
        true
    }

    /// How long the probe waits before it asks (again); `None` once the breaker is closed.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let mut state = self.state.lock();
        state.open.as_ref()?;
        let pause = state.pause;
        state.pause = (pause * 2).min(self.patience.longest_pause);
        Some(pause)
    }

    /// The probe was answered. The pause stays as long as it grew until a real request succeeds, so that a
    /// host that answers probes only is not asked in a tight circle.
    pub(crate) fn probe_answered(&self) {
        let mut state = self.state.lock();
        state.busy_in_a_row = 0;
        state.open = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        busy_answers: 3,
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(5),
    };

    struct Story {
        breaker: Breaker,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            Self { breaker: Breaker::new(PATIENCE), start: Instant::now() }
        }
        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }
        fn is_open(&self, seconds: u64) -> bool {
            self.breaker.admit(self.at(seconds)).is_err()
        }
    }

    #[test]
    fn silence_without_any_success_opens_at_once() {
        let story = Story::new();
        assert!(!story.is_open(0));
        assert!(story.breaker.failed(story.at(0), story.at(5), Failure::Silent, "no answer"));
        let resting = story.breaker.admit(story.at(8)).unwrap_err();
        assert_eq!(resting, Resting { since: Duration::from_secs(3), reason: "no answer".to_owned() });
    }

    #[test]
    fn silence_of_one_request_among_good_ones_does_not_open() {
        let story = Story::new();
        story.breaker.succeeded(story.at(3));
        assert!(!story.breaker.failed(story.at(0), story.at(5), Failure::Silent, "slow"));
        assert!(!story.is_open(5));
        assert!(story.breaker.failed(story.at(4), story.at(9), Failure::Silent, "dead"));
        assert!(story.is_open(9));
    }

    #[test]
    fn busy_answers_open_only_in_a_row() {
        let story = Story::new();
        let busy = |second| story.breaker.failed(story.at(second), story.at(second), Failure::Busy, "503");
        assert!(!busy(0) && !busy(1));
        story.breaker.succeeded(story.at(2));
        assert!(!busy(3) && !busy(4));
        assert!(busy(5));
        assert!(!busy(6), "already open: only one starts the probe");
    }

    #[test]
    fn pauses_double_until_a_real_request_succeeds() {
        let story = Story::new();
        let open = || assert!(story.breaker.failed(story.at(9), story.at(9), Failure::Silent, "dead"));
        let pauses = |count| (0..count).map(|_| story.breaker.pause().unwrap().as_secs()).collect::<Vec<_>>();
        assert_eq!(story.breaker.pause(), None);
        open();
        assert_eq!(pauses(4), [1, 2, 4, 5]);
        story.breaker.probe_answered();
        assert_eq!(story.breaker.pause(), None);
        open();
        assert_eq!(pauses(2), [5, 5]);
        story.breaker.succeeded(story.at(8));
        assert!(!story.is_open(8));
        open();
        assert_eq!(pauses(2), [1, 2]);
    }
}
