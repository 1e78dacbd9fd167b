//! Criterion benches of the rooms, one file a question; this library is empty.
