//! The table that is printed: a row for each question, with what go and we cost, the ratios, and what they should be.

use crate::clock::{Cost, load};

/// What a row is to show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Goal {
    /// How many times less CPU time than go.
    pub(crate) cpu: Option<f64>,
    /// How many times less time on the clock.
    pub(crate) wall: Option<f64>,
    /// Seconds on the clock at most.
    pub(crate) within: Option<f64>,
}

/// Prints the head.
pub(crate) fn head() {
    println!(
        "{:<40} {:>8} {:>8} {:>7} {:>8} {:>8} {:>7} {:>5}  goal",
        "seconds, medians", "go cpu", "our cpu", "ratio", "go wall", "our wall", "ratio", "load"
    );
}

/// Prints a row; the costs are those of all rounds.
pub(crate) fn row(what: &str, theirs: &[Cost], ours: &[Cost], goal: Goal) {
    let (theirs, ours) = (Cost::median(theirs), Cost::median(ours));
    let (cpu, wall) = (theirs.cpu / ours.cpu, theirs.wall / ours.wall);
    println!(
        "{what:<40} {:>8.3} {:>8.3} {cpu:>6.2}x {:>8.3} {:>8.3} {wall:>6.2}x {:>5}  {}",
        theirs.cpu,
        ours.cpu,
        theirs.wall,
        ours.wall,
        load(),
        goal.judged(cpu, wall, ours.wall)
    );
}

impl Goal {
    fn judged(&self, cpu: f64, wall: f64, seconds: f64) -> String {
        let mut words = Vec::new();
        let mut is_reached = true;
        let mut ask = |what: String, holds: bool| {
            words.push(what);
            is_reached &= holds;
        };
        if let Some(least) = self.cpu {
            ask(format!("cpu {least}x"), cpu >= least);
        }
        if let Some(least) = self.wall {
            ask(format!("wall {least}x"), wall >= least);
        }
        if let Some(most) = self.within {
            ask(format!("{most} s"), seconds <= most);
        }
        match words.is_empty() {
            true => String::new(),
            false => format!("{}: {}", words.join(", "), if is_reached { "reached" } else { "missed" }),
        }
    }
}
