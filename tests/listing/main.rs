//! What is listed, looked at and built through an overlay, beside the real go command: the same words in the same folder
//! give the same output, exit status and files, byte for byte. Each has a build cache of its own, so that neither lives
//! on what the other made.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_harness::beside::Ground;

mod compiled;
mod hidden;
mod newer;
mod outside;
mod overlay;
mod revision;
mod spoiled;
mod stale;
mod tool;
mod unnamed;
mod version;
mod warnings;

/// Where go and modkeep take turns; none, with a word about the test, where there is no go.
fn ground(test: &str) -> Option<Ground> {
    Ground::new(test, Path::new(env!("CARGO_BIN_EXE_modkeep")))
}

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
