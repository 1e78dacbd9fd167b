//! The module graph and what follows from it. Told, never fetching: no async, no network, no clock.

pub mod go_version;
pub mod mvs;
pub mod node;
pub mod order;
