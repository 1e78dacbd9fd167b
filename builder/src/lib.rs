//! From a build list to binaries.
//!
//! A [`build`] says what is built with, for which target. The [`load`]er turns names of packages into a graph of
//! [`package`]s: [`select`] says which files of a directory belong to its package under the [`tags`] of a target, and
//! what those files import, embed and ask of cgo; [`modules`] says where packages are.
//!
//! A [`plan`] holds what is to be done for the packages of all [`goal`]s together: compile, link, [`vet`], put in place. Each step
//! has go's own key ([`action_id`]); what the [`gocache`] doesn't have under it is made by closed commands ([`action`])
//! that the [`shop`]'s machine executes, and gets its [`buildid`]. What other machines made comes from a [`remote`] cache;
//! why something is made again is said by [`rebuild`].

pub mod action;
mod action_graph;
pub mod action_id;
pub mod build;
pub mod buildid;
mod cgo;
mod codesign;
pub mod compile;
pub mod constraint;
pub mod cover;
pub mod execute;
pub mod file_name;
pub mod goal;
pub mod gocache;
pub mod godebugs;
mod host;
mod install;
pub mod link;
pub mod listing;
pub mod load;
pub mod memory;
pub mod modules;
pub mod overlay;
pub mod package;
pub mod package_flags;
pub mod path_prefix;
pub mod perform;
pub mod plan;
pub mod platform;
pub mod rebuild;
pub mod release;
pub mod remote;
pub mod scan;
mod schedule;
pub mod select;
pub mod shop;
pub mod stamped;
pub mod tags;
pub mod target;
pub mod test_result;
mod tier;
pub mod toolchain;
pub mod transcript;
pub mod vet;
mod words;
