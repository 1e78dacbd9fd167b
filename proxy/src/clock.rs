//! The one place that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// How long ago `earlier` was; nothing when it lies ahead, as after a clock was set back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        UNIX_EPOCH + Duration::from_millis(moment.0)
    }
}

/// Tells the time: the machine's, or a test's.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The machine's.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is told to go on.
    pub fn standing_at(moment: Moment) -> Self {
        Self(Some(Arc::new(AtomicU64::new(moment.0))))
    }

    /// Lets time pass on a clock that stands; the machine's can't be moved.
    pub fn advance(&self, by: Duration) {
        if let Some(standing) = &self.0 {
            standing.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Some(standing) => Moment(standing.load(Ordering::SeqCst)),
            None => {
                #[allow(clippy::disallowed_methods, reason = "this is the clock")]
                let now = SystemTime::now();
                Moment(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64))
            }
        }
    }
}
