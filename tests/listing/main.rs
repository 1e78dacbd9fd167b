//! What is listed, looked at and built through an overlay, beside the real go command: the same words in the same folder
//! give the same output, exit status and files, byte for byte. Each has a build cache of its own, so that neither lives
//! on what the other made.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod beside;
mod hidden;
mod newer;
mod outside;
mod overlay;
mod spoiled;
mod stale;
mod tool;
mod version;
