//! The module graph and what follows from it. Told, never fetching: no async, no network, no clock.
//!
//! A [`World`](world::World) holds the main modules, the mode and the facts told so far. Its methods answer, or stop with
//! [`Halt::Need`](error::Halt::Need) and the list of what they lack; the caller tells those facts to
//! [`World::known`](world::World::known) and calls the same method again. The specification is the go command of
//! release 1.27, of which each room names the files that it follows.

pub mod edit;
pub mod error;
pub mod explain;
pub mod gather;
pub mod get;
pub mod go_version;
pub mod import;
pub mod known;
pub mod main_modules;
pub mod module_graph;
pub mod mvs;
pub mod node;
pub mod order;
pub mod packages;
pub mod query;
pub mod release;
pub mod requirements;
pub mod retraction;
pub mod sums;
pub mod vendored;
pub mod vendoring;
pub mod why;
pub mod wildcard;
pub mod workspace_sync;
pub mod world;
pub mod written;
