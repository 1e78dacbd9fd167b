//! Several things done at the same time, that are begun in order and told in order.

use std::collections::BTreeMap;

use parking_lot::Mutex;

struct State<T, F> {
    next: usize,
    is_over: bool,
    /// What was done and can't be told yet.
    done: BTreeMap<usize, T>,
    told: usize,
    tell: F,
}

/// Does `work` for each number below `count`, for at most `at_once` of them at the same time.
///
/// `begin` is called for one number after the other; where it gives nothing, nothing more begins. `tell` is called in
/// order, too, as soon as what came before has been told.
pub(super) fn in_turn<B, T: Send>(
    count: usize,
    at_once: usize,
    begin: impl Fn(usize) -> Option<B> + Sync,
    work: impl Fn(usize, B) -> T + Sync,
    tell: impl FnMut(usize, T) + Send,
) {
    let state = State { next: 0, is_over: false, done: BTreeMap::new(), told: 0, tell };
    let state = Mutex::new(state);
    let take_next = || {
        let mut state = state.lock();
        if state.is_over || state.next == count {
            return None;
        }
        let index = state.next;
        let begun = begin(index);
        (state.next, state.is_over) = (index + 1, begun.is_none());
        begun.map(|begun| (index, begun))
    };
    let worker = || {
        while let Some((index, begun)) = take_next() {
            let done = work(index, begun);
            let mut state = state.lock();
            state.done.insert(index, done);
            while let State { done, told, .. } = &mut *state
                && let Some(done) = done.remove(told)
            {
                let index = *told;
                *told += 1;
                (state.tell)(index, done);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..at_once.min(count) {
            scope.spawn(worker);
        }
        worker();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn what_is_done_together_is_begun_and_told_in_order() {
        let begun = Mutex::new(Vec::new());
        let mut told = Vec::new();
        // Two that wait for each other can only end if both are done at the same time.
        let together = Barrier::new(2);
        in_turn(
            6,
            2,
            |index| {
                begun.lock().push(index);
                Some(index * 10)
            },
            |_, begun| {
                together.wait();
                begun
            },
            |index, done| told.push((index, done)),
        );
        assert_eq!(begun.into_inner(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(told, [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]);
    }

    #[test]
    fn nothing_begins_once_one_has_not() {
        for (at_once, count) in [(1, 5), (3, 5), (3, 0)] {
            let mut told = Vec::new();
            in_turn(
                count,
                at_once,
                |index| (index < 2).then_some(()),
                |index, ()| index,
                |_, done| told.push(done),
            );
            assert_eq!(told, (0..count.min(2)).collect::<Vec<_>>());
        }
    }
}
