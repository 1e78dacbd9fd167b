//! From a build list to binaries.
//!
//! A [`build`] says what is built with, for which target. The [`load`]er turns names of packages into a graph of
//! [`package`]s: [`select`] says which files of a directory belong to its package under the [`tags`] of a target, and
//! what those files import, embed and ask of cgo; [`modules`] says where packages are. Planning and building are not
//! here yet.

pub mod build;
pub mod constraint;
pub mod file_name;
pub mod listing;
pub mod load;
pub mod modules;
pub mod package;
pub mod package_flags;
pub mod pattern;
pub mod platform;
pub mod release;
pub mod scan;
pub mod select;
pub mod tags;
pub mod target;
pub mod toolchain;
