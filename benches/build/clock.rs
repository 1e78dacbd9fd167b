//! What a process cost, children included.

use std::fs;
use std::time::Instant;

/// Ticks of the system's clock of CPU time, a second; Linux tells them so to every program.
const TICKS: f64 = 100.0;

/// What one run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds of CPU time, of the program and all that it started.
    pub(crate) cpu: f64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// How many packages were compiled, where commands were shown.
    pub(crate) compilations: usize,
}

impl Cost {
    /// What something costs.
    pub(crate) fn of(work: impl FnOnce() -> usize) -> Self {
        let (before, started) = (of_children(), Instant::now());
        let compilations = work();
        Self { cpu: of_children() - before, wall: started.elapsed().as_secs_f64(), compilations }
    }

    /// All of them, one after the other.
    pub(crate) fn sum(costs: &[Self]) -> Self {
        costs.iter().fold(Self::default(), |sum, cost| Self {
            cpu: sum.cpu + cost.cpu,
            wall: sum.wall + cost.wall,
            compilations: sum.compilations + cost.compilations,
        })
    }
}

/// CPU seconds of children that have ended.
fn of_children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("a Linux machine");
    // The name of the program, which may hold anything, ends with the last parenthesis.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    (ticks(13) + ticks(14)) / TICKS
}

/// The value in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
