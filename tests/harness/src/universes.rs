//! Many random cases, each known by its number, compared with what resident go commands say.
//!
//! A case is thrown from the seed and its number alone. So a case that differs is brought back by itself:
//! `MODKEEP_UNIVERSES=4711..4712`, and many are compared in slices: `MODKEEP_UNIVERSES=50000..60000`.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use modkeep_conformance::go::Missing;
use parking_lot::Mutex;

use crate::dice::Dice;
use crate::place::{full_run, tell};
use crate::resident::Resident;

/// Differences that are shown; all are counted.
const SHOWN: usize = 5;

/// So often a long comparison says how far it is.
const STEP: usize = 1_000;

/// How many universes a test compares, in CI and in a full run; `MODKEEP_UNIVERSES` says otherwise, as a count or as a
/// range.
///
/// # Panics
/// When the variable is neither.
pub fn numbers(usual: usize, full: usize) -> Range<usize> {
    #[allow(clippy::disallowed_methods, reason = "how much to test is said by whoever runs the tests")]
    let chosen = std::env::var("MODKEEP_UNIVERSES").ok();
    let number = |text: &str| text.parse().expect("MODKEEP_UNIVERSES is a count or a range such as 10..20");
    match chosen.as_deref().map(|text| text.split_once("..").ok_or(text)) {
        None => 0..if full_run() { full } else { usual },
        Some(Ok((from, to))) => number(from)..number(to),
        Some(Err(count)) => 0..number(count),
    }
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// How many universes were compared.
    pub count: usize,
    /// How many differ.
    pub differing: usize,
    /// The first of those.
    pub shown: Vec<String>,
}

impl Compared {
    /// Fails if anything differs.
    ///
    /// # Panics
    /// Then.
    pub fn expect_none(&self, what: &str) {
        tell(&format!("{what}: {} of {} as go", self.count - self.differing, self.count));
        assert_eq!(self.differing, 0, "universes differ, the first:\n{}", self.shown.join("\n"));
    }
}

/// Compares universes on all cores. `difference` has the dice of its universe.
///
/// # Errors
/// When the go command can't be had.
pub fn compare(
    test: &str,
    numbers: Range<usize>,
    difference: impl Fn(&mut Resident, usize, &mut Dice) -> Option<String> + Sync,
) -> Result<Compared, Missing> {
    let dice = Dice::of(test);
    let next = AtomicUsize::new(numbers.start);
    let compared = Mutex::new(Compared::default());
    let work = |go: &mut Resident| loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= numbers.end {
            return;
        }
        let found = difference(go, number, &mut dice.at(number));
        let mut compared = compared.lock();
        compared.count += 1;
        compared.differing += usize::from(found.is_some());
        if compared.shown.len() < SHOWN {
            compared.shown.extend(found.map(|text| format!("\nuniverse {number}\n{text}")));
        }
        if compared.count.is_multiple_of(STEP) && compared.count < numbers.len() {
            tell(&format!("{test}: {} compared, {} differ", compared.count, compared.differing));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let residents: Result<Vec<_>, _> = (0..workers).map(|_| Resident::new()).collect();
    let (residents, work) = (residents?, &work);
    std::thread::scope(|scope| {
        for mut resident in residents {
            scope.spawn(move || work(&mut resident));
        }
    });
    Ok(compared.into_inner())
}
