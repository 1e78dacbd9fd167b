//! From a build list to binaries.
//!
//! So far the room holds the build targets, the part that needs nothing else.

pub mod target;
