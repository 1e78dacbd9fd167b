//! Graphs from files that nobody should have written, from caches that somebody left half-written, and from our own
//! index of the module cache: what we say and leave is what the real go command says and leaves.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod halves;
mod hostile;
mod index;
mod place;
