//! One flight for one thing, however many ask for it.
//!
//! A flight is a task of its own, so that the client who caused it may hang up without harm to those who joined.
//! It leaves the table before its end is told: whoever comes later looks into the store, where the end already is,
//! and so does a flight when it departs, since its client may have looked too early. Nothing of a failure outlives those
//! who waited for it. A flight that panics or is stopped tells its passengers so by dropping the channel.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The flights of one kind that are in the air, by what they fetch.
pub(crate) struct Flights<K, P> {
    aloft: Arc<Mutex<HashMap<K, watch::Receiver<P>>>>,
    hangar: Hangar,
}

/// Who owns all flights: they end with it.
#[derive(Clone, Default)]
pub(crate) struct Hangar {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Hangar {
    /// A task whose end is awaited when the service stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Ends every flight at its next await and waits for that.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Says how far a flight is and, once, how it ended.
pub(crate) struct Pilot<K: Eq + Hash, P> {
    /// `None` after the landing, when a flight of the same name may be another one.
    key: Option<K>,
    aloft: Arc<Mutex<HashMap<K, watch::Receiver<P>>>>,
    progress: watch::Sender<P>,
}

impl<K, P> Flights<K, P>
where
    K: Clone + Eq + Hash + Send + 'static,
    P: Send + Sync + 'static,
{
    pub(crate) fn new(hangar: &Hangar) -> Self {
        Self { aloft: Arc::default(), hangar: hangar.clone() }
    }

    /// Flights in the air.
    pub(crate) fn len(&self) -> usize {
        self.aloft.lock().len()
    }

    /// Joins the flight for `key`, starting it with `fly` if there is none; `start` is what its first watchers see.
    pub(crate) fn join<F>(&self, key: &K, start: P, fly: impl FnOnce(Pilot<K, P>) -> F) -> watch::Receiver<P>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut aloft = self.aloft.lock();
        if let Some(flight) = aloft.get(key) {
            return flight.clone();
        }
        let (progress, watcher) = watch::channel(start);
        aloft.insert(key.clone(), watcher.clone());
        drop(aloft);
        let pilot = Pilot { key: Some(key.clone()), aloft: Arc::clone(&self.aloft), progress };
        self.hangar.spawn(fly(pilot));
        watcher
    }
}

impl<K: Eq + Hash, P> Pilot<K, P> {
    /// Tells the passengers how far it is.
    pub(crate) fn report(&self, progress: P) {
        self.progress.send_replace(progress);
    }

    /// The end. What is told here must be in the store already, if it is to last.
    pub(crate) fn land(mut self, end: P) {
        self.leave();
        self.progress.send_replace(end);
    }

    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            self.aloft.lock().remove(&key);
        }
    }
}

impl<K: Eq + Hash, P> Drop for Pilot<K, P> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Waits for the end of a flight whose progress is nothing until then; `None` when it was stopped or crashed.
pub(crate) async fn landed<T: Clone>(mut flight: watch::Receiver<Option<T>>) -> Option<T> {
    flight.wait_for(Option::is_some).await.ok().and_then(|end| end.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    struct World {
        flights: Flights<&'static str, Option<usize>>,
        hangar: Hangar,
        started: Arc<AtomicUsize>,
        gate: Arc<Notify>,
    }

    impl World {
        fn new() -> Self {
            let hangar = Hangar::default();
            let flights = Flights::new(&hangar);
            Self { flights, hangar, started: Arc::default(), gate: Arc::default() }
        }

        fn ask(&self, key: &'static str) -> watch::Receiver<Option<usize>> {
            let (started, gate) = (Arc::clone(&self.started), Arc::clone(&self.gate));
            self.flights.join(&key, None, |pilot| async move {
                let number = started.fetch_add(1, Ordering::SeqCst);
                gate.notified().await;
                assert!(key != "crash", "as the test wants");
                pilot.land(Some(number));
            })
        }
    }

    #[tokio::test]
    async fn many_who_ask_share_one_flight_and_the_first_may_hang_up() {
        let world = World::new();
        drop(world.ask("m"));
        let others: Vec<_> = (0..20).map(|_| tokio::spawn(landed(world.ask("m")))).collect();
        assert_eq!(world.flights.len(), 1);
        world.gate.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), Some(0));
        }
        assert_eq!((world.started.load(Ordering::SeqCst), world.flights.len()), (1, 0));
    }

    #[tokio::test]
    async fn after_the_landing_the_next_one_starts_a_new_flight() {
        let world = World::new();
        for number in 0..3 {
            let flight = world.ask("m");
            world.gate.notify_one();
            assert_eq!(landed(flight).await, Some(number));
        }
    }

    #[tokio::test]
    async fn a_crash_reaches_all_and_stays_with_nobody() {
        let world = World::new();
        let flights: Vec<_> = (0..3).map(|_| world.ask("crash")).collect();
        world.gate.notify_one();
        for flight in flights {
            assert_eq!(landed(flight).await, None);
        }
        assert_eq!(world.flights.len(), 0);
    }

    #[tokio::test]
    async fn stopping_ends_what_is_in_the_air() {
        let world = World::new();
        let flight = world.ask("m");
        world.hangar.stop().await;
        assert_eq!((landed(flight).await, world.flights.len()), (None, 0));
    }
}
