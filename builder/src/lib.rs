//! From a build list to binaries.
//!
//! So far the room knows targets and reads package directories for them: [`select`] says which files of a directory
//! belong to its package under the [`tags`] of a target, and what those files import, embed and ask of cgo.
//! Loading of whole package graphs, planning and building are not here yet.

pub mod constraint;
pub mod file_name;
pub mod release;
pub mod scan;
pub mod select;
pub mod tags;
pub mod target;
