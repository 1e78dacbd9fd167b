//! Loaded packages, compared field by field with what `go list -e -deps -json` shows.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod load {
    mod compare;
    mod standard;
}
