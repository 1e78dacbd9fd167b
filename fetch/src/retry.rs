//! When a failed request is sent again, and after which pause.
//!
//! The go command never retries, so all resilience is here. Sent again are requests that got no connection,
//! 429, 502, 503, 504, and answers cut off before anything was handed on; not those that were taken and never
//! answered, because that has cost the client a whole timeout already.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::{FetchError, Flaw, Silence};

/// How often and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Requests in all for one resource at one source.
    pub attempts: u32,
    /// The upper end of the first pause; it doubles.
    pub first_pause: Duration,
    /// No pause is longer, whatever Retry-After says: the client is told instead.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, first_pause: Duration::from_millis(150), longest_pause: Duration::from_secs(2) }
    }
}

impl Retry {
    /// The pause before the next request after `sent` of them, `None` when the error is final. `roll` is a
    /// random number in `0.0..1.0`: clients that failed together do not come back together.
    pub(crate) fn pause(&self, sent: u32, error: &FetchError, roll: f64) -> Option<Duration> {
        if sent >= self.attempts {
            return None;
        }
        let asked_for = match error {
            FetchError::Busy { status: 429 | 502 | 503 | 504, retry_after, .. } => *retry_after,
            FetchError::Unreachable { source: Silence::Connection(_), .. }
            | FetchError::Broken { source: Flaw::Truncated(_) | Flaw::Length { .. }, .. } => None,
            _ => return None,
        };
        let most = self.first_pause.saturating_mul(1 << (sent - 1).min(16)).min(self.longest_pause);
        let pause = most.mul_f64(0.5 + roll / 2.0);
        match asked_for {
            Some(asked_for) if asked_for > self.longest_pause => None,
            Some(asked_for) => Some(pause.max(asked_for)),
            None => Some(pause),
        }
    }
}

/// A number in `0.0..1.0`, other for every call.
pub(crate) fn roll() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(status: u16, retry_after: Option<u64>) -> FetchError {
        let retry_after = retry_after.map(Duration::from_secs);
        FetchError::Busy { url: String::new(), status, retry_after, text: String::new() }
    }

    fn broken(source: Flaw) -> FetchError {
        FetchError::Broken { url: String::new(), source }
    }

    #[test]
    fn pauses_double_are_halved_at_most_by_the_roll_and_end() {
        let retry = Retry { attempts: 4, ..Retry::default() };
        let cut = broken(Flaw::Length { announced: 2, received: 1 });
        for (sent, roll, expected) in [
            (1, 0.0, Some(75)),
            (1, 1.0, Some(150)),
            (2, 1.0, Some(300)),
            (3, 0.5, Some(450)),
            (4, 0.5, None),
            (5, 0.5, None),
        ] {
            assert_eq!(retry.pause(sent, &cut, roll), expected.map(Duration::from_millis), "{sent} {roll}");
        }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let ms = Duration::from_millis;
        for (error, expected) in [
            (busy(503, None), Some(ms(150))),
            (busy(503, Some(1)), Some(ms(1000))),
            (busy(429, Some(0)), Some(ms(150))),
            (busy(429, Some(60)), None),
            (busy(502, None), Some(ms(150))),
            (busy(504, None), Some(ms(150))),
            (busy(500, None), None),
            (busy(501, None), None),
            (broken(Flaw::TooLarge(1)), None),
            (broken(Flaw::Stalled(ms(1))), None),
            (broken(Flaw::Status(206)), None),
            (FetchError::Unreachable { url: String::new(), source: Silence::NoAnswer(ms(1)) }, None),
            (FetchError::Absent { url: String::new(), status: 404, text: String::new() }, None),
            (FetchError::Refused { url: String::new(), status: 403, text: String::new() }, None),
        ] {
            assert_eq!(Retry::default().pause(1, &error, 1.0), expected, "{}", error.chain());
        }
    }

    #[test]
    fn rolls_differ_and_stay_in_range() {
        let rolls: Vec<f64> = (0..100).map(|_| roll()).collect();
        assert!(rolls.iter().all(|roll| (0.0..1.0).contains(roll)));
        assert!(rolls.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
