//! The table of connections, so many and no more.
//!
//! When all seats are taken, a new connection gets the seat of one that waits for its client: those who have been quiet
//! for longest leave first (idle ones, and heads that don't come to their end), then those who have taken nothing of
//! their reply for a while. A client that asks at once and takes what it asked for is never among them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::wire::line::Line;

/// Without taking a byte of its reply a client keeps its seat so long while others want it.
pub(super) const SCANT_STALL: Duration = Duration::from_secs(5);
/// One look at the table finds the next so many to go, as a part of all.
const BATCH: usize = 64;
/// How long a connection is waited for before the table is looked at again.
const NEXT_LOOK: Duration = Duration::from_millis(100);

/// All connections.
pub(crate) struct Seats {
    limit: usize,
    guests: Mutex<Guests>,
    freed: Notify,
}

#[derive(Default)]
struct Guests {
    lines: HashMap<u64, Arc<Line>>,
    next: u64,
}

/// The place of one connection.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    line: Arc<Line>,
}

impl Seats {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, guests: Mutex::default(), freed: Notify::new() }
    }

    /// A seat as soon as there is one; others are asked to leave.
    pub(crate) async fn take(self: &Arc<Self>) -> Seat {
        loop {
            let freed = self.freed.notified();
            if self.guests.lock().lines.len() < self.limit {
                return self.squeeze();
            }
            self.make_room();
            // Somebody left, or it is time to look again: either way the loop looks.
            let _ = timeout(NEXT_LOOK, freed).await;
        }
    }

    /// A seat beyond the limit.
    pub(crate) fn squeeze(self: &Arc<Self>) -> Seat {
        let line = Arc::new(Line::new());
        let mut guests = self.guests.lock();
        let number = guests.next;
        guests.next += 1;
        guests.lines.insert(number, Arc::clone(&line));
        Seat { seats: Arc::clone(self), number, line }
    }

    /// Asks those to leave who cost a seat for nothing, the worst first.
    pub(crate) fn make_room(&self) {
        let guests = self.guests.lock();
        let quiet = |line: &&Arc<Line>| line.quiet();
        let stuck = |line: &&Arc<Line>| line.stuck().filter(|since| *since >= SCANT_STALL);
        let batch = self.limit.div_ceil(BATCH);
        let mut worst = longest(guests.lines.values(), batch, quiet);
        if worst.is_empty() {
            worst = longest(guests.lines.values(), batch, stuck);
        }
        for line in worst {
            line.evict();
        }
    }
}

fn longest<'a>(
    lines: impl Iterator<Item = &'a Arc<Line>>,
    batch: usize,
    since: impl Fn(&&'a Arc<Line>) -> Option<Duration>,
) -> Vec<&'a Arc<Line>> {
    let mut found: Vec<_> = lines.filter_map(|line| Some((since(&line)?, line))).collect();
    found.sort_unstable_by_key(|(since, _)| std::cmp::Reverse(*since));
    found.truncate(batch);
    found.into_iter().map(|(_, line)| line).collect()
}

impl Seat {
    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.guests.lock().lines.remove(&self.number);
        self.seats.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::line::Way;

    /// Whether a connection was asked to leave.
    async fn is_asked(seat: &Seat) -> bool {
        timeout(Duration::ZERO, seat.line.evicted()).await.is_ok()
    }

    #[tokio::test]
    async fn the_quiet_one_leaves_and_the_busy_one_stays() {
        let seats = Arc::new(Seats::new(2));
        let (quiet, busy) = (seats.take().await, seats.take().await);
        let _turn = busy.line.requested(Way::Kernel);
        let third = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.take().await }
        });
        quiet.line.evicted().await;
        drop(quiet);
        let third = third.await.unwrap();
        assert!(!is_asked(&busy).await);
        drop((busy, third));
        assert_eq!(seats.guests.lock().lines.len(), 0);
    }

    #[tokio::test]
    async fn who_has_been_quiet_for_longest_leaves_first() {
        let seats = Arc::new(Seats::new(3));
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(seats.take().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The first one has asked for something meanwhile.
        all[0].line.requested(Way::Kernel).end();
        seats.make_room();
        let mut asked = Vec::new();
        for seat in &all {
            asked.push(is_asked(seat).await);
        }
        assert_eq!(asked, [false, true, false]);
    }
}
