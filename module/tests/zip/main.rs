//! Module zips: what golang.org/x/mod and archive/zip say of them, we say too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod extract;
mod hostile;
mod random;
mod testdata;
mod trees;
mod verdict;
