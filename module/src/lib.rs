//! What a Go module is: paths, versions, go.mod, go.sum, zips, hashes, notes and tiles.
//!
//! Pure values and formats: no async, no network, no clock, no environment.

mod clean;
pub mod dirhash;
pub mod escape;
pub mod file_path;
pub mod glob;
pub mod gomod;
pub mod gosum;
pub mod gowork;
pub mod hash;
pub mod info;
pub mod path;
pub mod pseudo;
pub mod quote;
pub mod resource;
pub mod semver;
mod space;
pub mod sumdb;
pub mod unicode;
pub mod version;
pub mod walk;
pub mod zip;

pub use gomod::GoMod;
pub use gosum::GoSum;
pub use gowork::GoWork;
pub use path::ModulePath;
pub use resource::Resource;
pub use version::{ModuleVersion, Version};
