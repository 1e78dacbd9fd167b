//! What can be wrong with the files of a module, and why some are left out, in the words of
//! `golang.org/x/mod/zip`.

use std::fmt;

use super::{MAX_CONTENT, MAX_GO_MOD, MAX_LICENSE, MAX_PATHS, MAX_ZIP};
use crate::path::PathError;
use crate::quote::{lossy, quote};

/// Why a file may not be, or is not, in a module zip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name does not begin with `path@version/`.
    #[error("path does not have prefix {}", quote(.0))]
    NoPrefix(String),
    /// The path has a shorter spelling.
    #[error("file path is not clean")]
    NotClean,
    /// The path begins with a slash.
    #[error("file path is not relative")]
    NotRelative,
    /// The path breaks a rule for paths.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The path is no UTF-8.
    #[error("malformed file path {}: invalid UTF-8", quote(.0))]
    NotUtf8(Vec<u8>),
    /// Another path differs only in case.
    #[error("case-insensitive file name collision: {} and {}", quote(.first), quote(.second))]
    CaseCollision {
        /// The path that came first.
        first: String,
        /// The path that was refused, or a parent of it.
        second: String,
    },
    /// The path names a file and a directory.
    #[error("entry {} is both a file and a directory", quote(.0))]
    FileAndDirectory(String),
    /// The path is there twice.
    #[error("multiple entries for file {}", quote(.0))]
    Duplicate(String),
    /// More than [`MAX_PATHS`] files and directories. Stricter than Go.
    #[error("more than {MAX_PATHS} files and directories")]
    TooManyPaths,
    /// A go.mod below the root.
    #[error("go.mod file not in module root directory")]
    GoModNotInRoot,
    /// A go.mod that is written otherwise.
    #[error("go.mod files must have lowercase names")]
    GoModCase,
    /// A go.mod of more than [`MAX_GO_MOD`] bytes.
    #[error("go.mod file too large (max size is {MAX_GO_MOD} bytes)")]
    GoModSize,
    /// A LICENSE of more than [`MAX_LICENSE`] bytes.
    #[error("LICENSE file too large (max size is {MAX_LICENSE} bytes)")]
    LicenseSize,
    /// Left out: a version control system's own directory.
    #[error("directory is a version control repository")]
    VersionControl,
    /// Left out: a vendored package.
    #[error("file is in vendor directory")]
    Vendored,
    /// Left out: a file of a module further down.
    #[error("file is in another module")]
    OtherModuleFile,
    /// Left out: the directory of a module further down.
    #[error("directory is in another module")]
    OtherModuleDirectory,
    /// Left out: what Mercurial writes into archives.
    #[error("file is inserted by 'hg archive' and is always omitted")]
    HgArchival,
    /// Left out: a symbolic link.
    #[error("file is a symbolic link")]
    Symlink,
    /// Left out: a directory, device, pipe or socket.
    #[error("not a regular file")]
    NotRegular,
}

/// A file, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// The file's path as it was given.
    pub path: Vec<u8>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", lossy(&self.path), self.fault)
    }
}

/// What is too large about a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeFault {
    /// The zip is longer than [`MAX_ZIP`]; its length in bytes.
    #[error("module zip file is too large ({0} bytes; limit is {MAX_ZIP} bytes)")]
    Zip(u64),
    /// The files in a zip declare more than [`MAX_CONTENT`].
    #[error("total uncompressed size of module contents too large (max size is {MAX_CONTENT} bytes)")]
    Content,
    /// The files of a tree have more than [`MAX_CONTENT`].
    #[error("module source tree too large (max size is {MAX_CONTENT} bytes)")]
    Tree,
}

/// Why files make no module zip (`zip.CheckedFiles.Err`): what is too large, else every bad file, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckError {
    /// The module is too large.
    Size(SizeFault),
    /// Files break rules.
    Files(Vec<FileFault>),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match self {
            Self::Size(fault) => return fault.fmt(f),
            Self::Files(files) => files,
        };
        for (at, file) in files.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            file.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for CheckError {}
