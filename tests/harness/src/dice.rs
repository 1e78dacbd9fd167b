//! Chance for tests: seeded, printed, replayable.
//!
//! A test makes its cases with [`Dice`] and says how many with [`cases`]. The seed is the same on every run unless
//! `MODKEEP_SEED` names another, so a failure is found again by running the same test.

use crate::place::full_run;

/// A source of random choices (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a test, and a line on its output that says how to throw them again.
    ///
    /// # Panics
    /// When `MODKEEP_SEED` is set and no number.
    pub fn of(test: &str) -> Self {
        #[allow(clippy::disallowed_methods, reason = "which cases to test is said by whoever runs the tests")]
        let chosen = std::env::var("MODKEEP_SEED").ok();
        let seed = chosen.map_or(1, |seed| seed.parse().expect("MODKEEP_SEED is a number"));
        #[allow(clippy::print_stdout, reason = "captured by the test runner and shown on failure")]
        {
            println!("{test}: MODKEEP_SEED={seed}");
        }
        // Tests that run with one seed still draw other cases from it.
        Self(test.bytes().fold(seed, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// The dice of the case with that number, whichever cases were thrown before.
    #[must_use]
    pub fn at(&self, number: usize) -> Self {
        let mut dice = Self(self.0 ^ (number as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(dice.bits())
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit as u64) as usize
    }

    /// Whether something happens that does so once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several things.
    pub fn pick<'a, T: ?Sized>(&mut self, things: &[&'a T]) -> &'a T {
        things[self.below(things.len())]
    }

    /// A text of at most `longest` pieces, each drawn from `pieces`.
    pub fn text(&mut self, pieces: &[&str], longest: usize) -> String {
        (0..self.below(longest + 1)).map(|_| self.pick(pieces)).collect()
    }

    /// The text with a few characters replaced, removed, doubled or inserted, drawn from `pieces`.
    pub fn spoil(&mut self, text: &str, pieces: &[&str]) -> String {
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        for _ in 0..=self.below(2) {
            let at = self.below(characters.len() + 1);
            let piece = self.pick(pieces).to_owned();
            match (self.below(4), characters.get(at).cloned()) {
                (0, Some(_)) => characters[at] = piece,
                (1, Some(_)) => drop(characters.remove(at)),
                (2, Some(twin)) => characters.insert(at, twin),
                _ => characters.insert(at, piece),
            }
        }
        characters.concat()
    }
}

/// How many random cases a question gets: 5 000, or 100 000 in a full run (`MODKEEP_FULL=1`).
pub fn cases() -> usize {
    if full_run() { 100_000 } else { 5_000 }
}
