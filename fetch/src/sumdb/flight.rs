//! One question in the air, however many wait for its answer.
//!
//! Whoever waits drives it: when one gives up the others go on, and when all give up it ends. Nothing is spawned.

use std::collections::HashMap;
use std::hash::Hash;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

/// Questions in the air, by what they ask.
pub(super) struct Flights<K, T: Clone> {
    flying: Mutex<HashMap<K, WeakShared<BoxFuture<'static, T>>>>,
}

impl<K: Eq + Hash, T: Clone> Flights<K, T> {
    pub(super) fn new() -> Self {
        Self { flying: Mutex::new(HashMap::new()) }
    }

    /// The answer to the question in the air, which is asked if it is not.
    pub(super) async fn join(&self, key: K, ask: impl FnOnce() -> BoxFuture<'static, T>) -> T {
        let flight = self.board(key, ask);
        let answer = flight.await;
        self.flying.lock().retain(|_, flight| is_flying(flight));
        answer
    }

    fn board(&self, key: K, ask: impl FnOnce() -> BoxFuture<'static, T>) -> Shared<BoxFuture<'static, T>> {
        let mut flying = self.flying.lock();
        if let Some(flight) =
            flying.get(&key).filter(|flight| is_flying(flight)).and_then(WeakShared::upgrade)
        {
            return flight;
        }
        let flight = ask().shared();
        flying.insert(key, flight.downgrade().expect("a flight that was never polled has not landed"));
        flight
    }
}

fn is_flying<T: Clone>(flight: &WeakShared<BoxFuture<'static, T>>) -> bool {
    flight.upgrade().is_some_and(|flight| flight.peek().is_none())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::Flights;

    #[tokio::test]
    async fn many_wait_for_one_answer_and_the_next_asks_again() {
        let flights = Flights::new();
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
            async move {
                answers.notified().await;
                asked.fetch_add(1, Ordering::SeqCst)
            }
            .boxed()
        };
        let all = join_all((0..10).map(|_| flights.join("q", ask)));
        let (all, ()) = tokio::join!(all, async { answers.notify_one() });
        assert_eq!(all, [0; 10]);
        answers.notify_one();
        assert_eq!(flights.join("q", ask).await, 1);
        assert!(flights.flying.lock().is_empty());
    }

    #[tokio::test]
    async fn when_the_first_gives_up_the_others_get_the_answer() {
        let flights = Arc::new(Flights::new());
        let (asked, answered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let first = {
            let (flights, asked, answered) =
                (Arc::clone(&flights), Arc::clone(&asked), Arc::clone(&answered));
            tokio::spawn(async move {
                let ask = || {
                    async move {
                        asked.notify_one();
                        answered.notified().await;
                        7
                    }
                    .boxed()
                };
                flights.join("q", ask).await
            })
        };
        asked.notified().await;
        let mut second = std::pin::pin!(flights.join("q", || async { 8 }.boxed()));
        assert_eq!(second.as_mut().now_or_never(), None);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        answered.notify_one();
        assert_eq!(second.await, 7);
    }
}
