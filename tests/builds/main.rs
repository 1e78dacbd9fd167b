//! Programs built by modkeep and by the real go, each with caches of its own: the same bytes, build IDs included.
//!
//! In every run the demo module of the builder in repositories, a workspace and with a vendor directory, builds with nothing
//! to do, what fails, Ctrl-C, and machines that differ. With `MODKEEP_FULL=1` the demo for all targets, in all variants and
//! states and by both releases, and the real programs that `MODKEEP_TEST_NAMES` names, or the small ones: both sides have caches
//! of their own that are empty when a test begins, a table is printed, and every program is built once more by each side with
//! the cache of the other. `MODKEEP_TEST_PROGRAM` may name a program that is built already.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod demo;
mod failing;
mod interrupts;
mod listing;
mod machines;
mod nothing;
mod programs;
mod states;
mod variants;
mod yard;

use modkeep_conformance::go::RELEASE;

/// The installed release, which is one older.
const OLDER: &str = "local";

const RELEASES: [&str; 2] = [RELEASE, OLDER];
