//! What a Go module is: paths, versions, go.mod, go.sum, zips, hashes, notes and tiles.
//!
//! Pure values and formats: no async, no network, no clock, no environment.

pub mod quote;
