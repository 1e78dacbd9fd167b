//! Go's own scripts as the judge of any module proxy: `modkeep conformance` and the tests run them the same way.
//!
//! Blocking, processes and files only. It knows no other room: what is on trial is a URL.

pub mod go;
pub mod suite;
