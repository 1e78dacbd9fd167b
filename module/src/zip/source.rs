//! What a module zip is made from: files in a folder, in memory, or wherever a version control system has them.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::Kind;

/// A file that may become part of a module zip (`golang.org/x/mod/zip.File`).
///
/// An implementor says the same every time it is asked. The length is what is declared: a content that turns out
/// longer is refused, one that is shorter is taken.
pub trait Source {
    /// Path from the module's root, `/`-separated.
    fn path(&self) -> &[u8];
    /// What it is, a symbolic link for itself.
    fn kind(&self) -> Kind;
    /// Length in bytes.
    fn length(&self) -> u64;
    /// The content of a regular file.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

/// A file in a folder.
#[derive(Debug, Clone)]
pub struct FolderFile {
    pub(super) name: Vec<u8>,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) length: u64,
}

impl Source for FolderFile {
    fn path(&self) -> &[u8] {
        &self.name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

/// A regular file in memory.
#[derive(Debug, Clone)]
pub struct MemoryFile {
    /// Path from the module's root, `/`-separated.
    pub path: Vec<u8>,
    /// The content.
    pub content: Vec<u8>,
}

impl Source for MemoryFile {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn length(&self) -> u64 {
        self.content.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.content.as_slice()))
    }
}
