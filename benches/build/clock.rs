//! What runs cost, children included.

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
}

impl Cost {
    /// What something costs that is done this many times; the CPU clock has a coarse grain.
    pub(crate) fn of(times: u32, mut work: impl FnMut()) -> Self {
        let (before, started) = (of_children(), Instant::now());
        (0..times).for_each(|_| work());
        let (cpu, wall) = (of_children() - before, started.elapsed().as_secs_f64());
        Self { cpu, wall }.divided(f64::from(times))
    }

    /// All of them, one after the other.
    pub(crate) fn sum(costs: &[Self]) -> Self {
        let (cpu, wall) = (costs.iter().map(|cost| cost.cpu), costs.iter().map(|cost| cost.wall));
        Self { cpu: cpu.sum(), wall: wall.sum() }
    }

    /// A part of it.
    pub(crate) fn divided(self, parts: f64) -> Self {
        Self { cpu: self.cpu / parts, wall: self.wall / parts }
    }

    /// Each figure's value in the middle.
    pub(crate) fn median(costs: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut values: Vec<f64> = costs.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self { cpu: middle(|cost| cost.cpu), wall: middle(|cost| cost.wall) }
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

/// How many want a processor, over the last minute.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
