//! Running the nodes of a graph, each after those that it needs, several at once.
//!
//! Of those that are ready the one with the highest rank goes first. A node that fails takes with it all that need it,
//! except those that can do without; others go on, so that one run tells all that is wrong.

use std::collections::BinaryHeap;

use parking_lot::{Condvar, Mutex};

/// What has to be done, as far as its order goes.
pub(crate) trait Graph: Sync {
    /// How many nodes there are.
    fn len(&self) -> usize;
    /// The nodes that must be done before this one.
    fn needs(&self, node: usize) -> Vec<usize>;
    /// How urgent it is.
    fn rank(&self, node: usize) -> u64;
    /// Does it while so many others could be begun; says whether it succeeded. Called once, from any thread.
    fn run(&self, node: usize, waiting: usize) -> bool;
    /// Whether it is done even where something that it needs has failed.
    fn can_do_without(&self, node: usize) -> bool;
    /// Whether nothing more is to be begun.
    fn is_stopped(&self) -> bool;
}

struct State {
    ready: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    waiting: Vec<usize>,
    failed: Vec<bool>,
    rest: usize,
}

/// Runs all nodes on `parallel` threads; says whether all succeeded.
///
/// The graph has no cycle: nodes of one would never be ready, and are left undone as failures.
pub(crate) fn run(graph: &impl Graph, parallel: usize) -> bool {
    let count = graph.len();
    let mut dependents = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for (node, waits) in waiting.iter_mut().enumerate() {
        for need in graph.needs(node) {
            dependents[need].push(node);
            *waits += 1;
        }
    }
    let ready: BinaryHeap<_> = (0..count)
        .filter(|&node| waiting[node] == 0)
        .map(|node| (graph.rank(node), std::cmp::Reverse(node)))
        .collect();
    let state = Mutex::new(State { ready, waiting, failed: vec![false; count], rest: count });
    let (changed, running) = (Condvar::new(), Mutex::new(0usize));
    std::thread::scope(|scope| {
        for _ in 0..parallel.max(1) {
            scope.spawn(|| work(graph, &dependents, &state, &changed, &running));
        }
    });
    let state = state.into_inner();
    state.rest == 0 && !state.failed.contains(&true)
}

fn work(
    graph: &impl Graph,
    dependents: &[Vec<usize>],
    state: &Mutex<State>,
    changed: &Condvar,
    running: &Mutex<usize>,
) {
    let mut guard = state.lock();
    loop {
        if guard.rest == 0 || graph.is_stopped() {
            changed.notify_all();
            return;
        }
        let Some((_, std::cmp::Reverse(node))) = guard.ready.pop() else {
            if *running.lock() == 0 {
                // Nothing runs and nothing is ready: a cycle.
                changed.notify_all();
                return;
            }
            changed.wait(&mut guard);
            continue;
        };
        *running.lock() += 1;
        let is_lost = guard.failed[node] && !graph.can_do_without(node);
        let waiting = guard.ready.len();
        drop(guard);
        let succeeded = !is_lost && graph.run(node, waiting);
        guard = state.lock();
        *running.lock() -= 1;
        guard.rest -= 1;
        guard.failed[node] = !succeeded;
        for &dependent in &dependents[node] {
            guard.failed[dependent] |= !succeeded;
            guard.waiting[dependent] -= 1;
            if guard.waiting[dependent] == 0 {
                guard.ready.push((graph.rank(dependent), std::cmp::Reverse(dependent)));
            }
        }
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample {
        needs: Vec<Vec<usize>>,
        broken: Vec<usize>,
        forgiving: Vec<usize>,
        done: Mutex<Vec<usize>>,
    }

    impl Graph for Sample {
        fn len(&self) -> usize {
            self.needs.len()
        }

        fn needs(&self, node: usize) -> Vec<usize> {
            self.needs[node].clone()
        }

        fn rank(&self, node: usize) -> u64 {
            node as u64
        }

        fn run(&self, node: usize, _: usize) -> bool {
            let mut done = self.done.lock();
            let is_after_its_needs = self.needs[node].iter().all(|need| done.contains(need));
            assert!(is_after_its_needs || self.can_do_without(node), "{node} before its needs");
            done.push(node);
            !self.broken.contains(&node)
        }

        fn can_do_without(&self, node: usize) -> bool {
            self.forgiving.contains(&node)
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    fn check(needs: &[&[usize]], broken: &[usize], parallel: usize, expected: (bool, &[usize])) {
        check_forgiving(needs, broken, &[], parallel, expected);
    }

    fn check_forgiving(
        needs: &[&[usize]],
        broken: &[usize],
        forgiving: &[usize],
        parallel: usize,
        expected: (bool, &[usize]),
    ) {
        let needs = needs.iter().map(|needs| needs.to_vec()).collect();
        let (broken, forgiving) = (broken.to_vec(), forgiving.to_vec());
        let sample = Sample { needs, broken, forgiving, done: Mutex::default() };
        let succeeded = run(&sample, parallel);
        let mut done = sample.done.into_inner();
        if parallel > 1 {
            done.sort_unstable();
        }
        assert_eq!((succeeded, done.as_slice()), expected);
    }

    #[test]
    fn nodes_run_after_what_they_need() {
        let diamond: &[&[usize]] = &[&[], &[0], &[0], &[1, 2]];
        check(diamond, &[], 1, (true, &[0, 2, 1, 3]));
        check(diamond, &[], 4, (true, &[0, 1, 2, 3]));
        check(&[], &[], 2, (true, &[]));
    }

    #[test]
    fn a_failure_takes_what_needs_it_and_nothing_else() {
        check(&[&[], &[0], &[1], &[]], &[0], 1, (false, &[3, 0]));
        check(&[&[], &[0], &[0], &[1, 2]], &[1], 2, (false, &[0, 1, 2]));
    }

    #[test]
    fn what_can_do_without_is_done_after_a_failure_all_the_same() {
        let line: &[&[usize]] = &[&[], &[0], &[1], &[2]];
        check_forgiving(line, &[0], &[2], 1, (false, &[0, 2, 3]));
        check_forgiving(line, &[0, 2], &[2], 1, (false, &[0, 2]));
    }

    #[test]
    fn a_cycle_ends() {
        check(&[&[1], &[0], &[]], &[], 2, (false, &[2]));
    }
}
