//! The service on real sockets.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends")]

mod answers;
mod faults;
mod figures;
mod files;
mod flights;
mod go;
mod hostile;
mod resolve;
mod table;
mod tampering;
mod upkeep;
mod verdicts;
mod world;
