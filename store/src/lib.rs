//! Where bytes rest: content-addressed blobs, small named values, and cells with compare-and-swap.
//!
//! The store knows no Go.
