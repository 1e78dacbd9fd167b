//! Module zips: reading them as Go does, judging, hashing, extracting and making them.
//!
//! A module zip is proved by its `h1:`, which speaks of names and contents. So everything hangs on seeing the
//! names and contents that the go command will see: [`Archive`] is a port of the reading rules of Go's
//! `archive/zip`, duplicates and nested end records included, and [`check()`] of the rules of
//! `golang.org/x/mod/zip`. Where we refuse what Go accepts, the constant or the error says "stricter than Go".
//!
//! Everything here blocks, and reads by `pread`: an archive is never mapped and never held in memory.

mod archive;
mod check;
mod collision;
mod content;
mod create;
mod directory;
mod end;
mod error;
mod extract;
mod fault;
mod files;
mod folder;
mod little_endian;
mod prove;
mod read_at;
mod source;
mod strict;
mod vendor;
mod withheld;

pub use archive::{Archive, Entry, Kind};
pub use check::{CheckedZip, check};
pub use content::{Content, Scratch};
pub use create::{CreateError, create, create_from_dir};
pub use error::ArchiveError;
pub use extract::{ExtractError, extract};
pub use fault::{CheckError, Fault, FileFault, SizeFault};
pub use files::{CheckedFiles, check_files};
pub use folder::check_dir;
pub use prove::{ZipError, ZipFacts, prove, prove_zip};
pub use read_at::ReadAt;
pub use source::{FolderFile, MemoryFile, Source};
pub use strict::{EntryProblem, StrictError, strict};
pub use withheld::{HELD_BACK, Withheld};

/// The longest module zip, in bytes (`golang.org/x/mod/zip.MaxZipFile`).
pub const MAX_ZIP: u64 = 500 << 20;
/// The most that the files of a module zip may hold together, in bytes.
pub const MAX_CONTENT: u64 = 500 << 20;
/// The longest root go.mod, in bytes (`golang.org/x/mod/zip.MaxGoMod`).
pub const MAX_GO_MOD: u64 = 16 << 20;
/// The longest root LICENSE, in bytes (`golang.org/x/mod/zip.MaxLICENSE`).
pub const MAX_LICENSE: u64 = 16 << 20;

/// The most entries that an archive may have. Stricter than Go, so that memory is bounded.
pub const MAX_ENTRIES: usize = 300_000;
/// The most bytes that the names of all entries may have together. Stricter than Go, for the same reason.
pub const MAX_NAMES: usize = 32 << 20;
/// The longest central directory, in bytes. Stricter than Go, so that time is bounded.
pub const MAX_DIRECTORY: u64 = 64 << 20;
/// The most files and directories that a module may have, parents included. Stricter than Go.
pub const MAX_PATHS: usize = 450_000;
/// How many bad files are listed. Go lists all of them.
pub const MAX_FAULTS: usize = 1000;
