//! The module graph and what follows from it. Told, never fetching: no async, no network, no clock.
//!
//! So far the room holds the order of Go releases, which module graphs need because `go` and `toolchain`
//! are nodes of them.

pub mod go_version;
