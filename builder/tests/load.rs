//! Loaded packages, compared field by field with what `go list -e -deps -json` shows.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(clippy::disallowed_methods, reason = "what a test writes need not be durable")]

mod load {
    mod compare;
    mod demo;
    mod modules;
    mod standard;
    mod syntax;
}
