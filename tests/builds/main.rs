//! Programs built by modkeep and by the real go, each with caches of its own: the same bytes, build IDs included.
//!
//! In every run the demo module of the builder in repositories, a workspace and with a vendor directory, and builds with
//! nothing to do. With `MODKEEP_FULL=1` all targets, flags and both releases, both sides cold, and the real programs that
//! `MODKEEP_TEST_NAMES` names, or the small ones; a table is printed. `MODKEEP_TEST_PROGRAM` may name a program that is
//! built already.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod demo;
mod flags;
mod programs;
mod yard;

use modkeep_conformance::go::RELEASE;

/// The installed release, which is one older.
const OLDER: &str = "local";

/// Targets that all small programs are built for.
const TARGETS: [&str; 6] =
    ["linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64", "js/wasm", "wasip1/wasm"];

const RELEASES: [&str; 2] = [RELEASE, OLDER];
