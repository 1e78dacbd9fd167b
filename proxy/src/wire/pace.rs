//! How long a client may take: for its next request, for the head of one, for taking its reply.
//!
//! One timer serves a connection for all its requests. It is not set anew by each of them: when it rings, it looks at
//! when something last happened and goes on sleeping for the rest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// From one reply to the first byte of the next request.
    pub(crate) idle: Duration,
    /// From the first byte of a request's head to its last.
    pub(crate) head: Duration,
    /// Without taking a byte of its reply.
    pub(crate) stall: Duration,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Request,
    Head,
    Reply,
}

/// Watches over one connection.
pub(crate) struct Watch {
    pace: Pace,
    /// What is waited for and since when; nothing while we are the ones who take time.
    wait: Option<(Wait, Instant)>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, wait: None, alarm: None }
    }

    /// What is waited for now; the time runs from the first call with the same.
    pub(crate) fn wait_for(&mut self, wait: Wait) {
        if self.wait.is_none_or(|(known, _)| known != wait) {
            self.wait = Some((wait, Instant::now()));
        }
    }

    /// Nothing is waited for, or it has come.
    pub(crate) fn rest(&mut self) {
        self.wait = None;
    }

    /// An error when the client has taken too long; else the task is woken when it will have.
    pub(crate) fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some((wait, since)) = self.wait else { return Ok(()) };
        let deadline = since + self.allowed(wait);
        loop {
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, wait.complaint()));
            }
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if alarm.deadline() > deadline {
                alarm.as_mut().reset(deadline);
            }
            match alarm.as_mut().poll(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) => alarm.as_mut().reset(deadline),
            }
        }
    }

    fn allowed(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Request => self.pace.idle,
            Wait::Head => self.pace.head,
            Wait::Reply => self.pace.stall,
        }
    }
}

impl Wait {
    fn complaint(self) -> &'static str {
        match self {
            Self::Request => "no further request",
            Self::Head => "the head of a request doesn't come to its end",
            Self::Reply => "the client takes nothing",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const PACE: Pace = Pace {
        idle: Duration::from_millis(40),
        head: Duration::from_millis(10),
        stall: Duration::from_millis(20),
    };

    /// Runs until the watch complains, and says after how long.
    async fn complaint(watch: &mut Watch) -> (String, Duration) {
        let begun = Instant::now();
        let error = poll_fn(|context| match watch.check(context) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(error),
        });
        (error.await.to_string(), begun.elapsed())
    }

    #[tokio::test]
    async fn every_wait_has_its_own_end() {
        for (wait, allowed, says) in [
            (Wait::Request, PACE.idle, "no further request"),
            (Wait::Head, PACE.head, "the head of a request doesn't come to its end"),
            (Wait::Reply, PACE.stall, "the client takes nothing"),
        ] {
            let mut watch = Watch::new(PACE);
            watch.wait_for(wait);
            let (said, after) = complaint(&mut watch).await;
            assert_eq!(said, says);
            assert!(after >= allowed - Duration::from_millis(2), "{wait:?} ended after {after:?}");
        }
    }

    #[tokio::test]
    async fn an_alarm_set_for_a_longer_wait_serves_a_shorter_one() {
        let mut watch = Watch::new(Pace { idle: Duration::from_secs(3600), ..PACE });
        watch.wait_for(Wait::Request);
        poll_fn(|context| Poll::Ready(watch.check(context))).await.unwrap();
        watch.wait_for(Wait::Head);
        assert_eq!(complaint(&mut watch).await.0, "the head of a request doesn't come to its end");
    }

    #[tokio::test]
    async fn who_rests_is_never_late() {
        let mut watch = Watch::new(Pace { idle: Duration::ZERO, ..PACE });
        watch.rest();
        poll_fn(|context| Poll::Ready(watch.check(context))).await.unwrap();
    }
}
