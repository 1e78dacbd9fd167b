//! A module zip made from files, in the order in which they are given (`golang.org/x/mod/zip.Create`).
//!
//! The same files make the same bytes: no times, one mode, one way to deflate. Bytes change with the library that
//! deflates, the hash never does. Writing is left to the `zip` crate; it is reading where crates differ from Go.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::check::prefix;
use super::files::sort_out;
use super::folder::list;
use super::{CheckError, Source};
use crate::ModuleVersion;
use crate::quote::quote;
use crate::walk::WalkError;

/// Why no zip was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Files break the rules for module zips.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The folder could not be listed.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// A file grew, or lied.
    #[error("file {} is larger than declared size", quote(.0))]
    Larger(String),
    /// A file could not be read.
    #[error("reading {}: {source}", quote(.name))]
    Read {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The zip could not be written.
    #[error("writing the zip: {0}")]
    Write(#[from] io::Error),
}

/// Writes the zip of `module` from those of the files that belong in it.
pub fn create<S: Source>(
    out: impl Write + Seek,
    module: &ModuleVersion,
    files: &[S],
) -> Result<(), CreateError> {
    let (checked, valid) = sort_out(files);
    checked.verdict()?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(out);
    let mut buffer = vec![0; 64 << 10];
    for index in valid {
        let file = &files[index];
        // Checked paths are UTF-8.
        let path = String::from_utf8_lossy(file.path()).into_owned();
        zip.start_file(prefix(module) + &path, options).map_err(io::Error::from)?;
        copy(file, path, &mut zip, &mut buffer)?;
    }
    zip.finish().map_err(io::Error::from)?;
    Ok(())
}

/// Writes the zip of `module` from a folder (`golang.org/x/mod/zip.CreateFromDir`).
pub fn create_from_dir(
    out: impl Write + Seek,
    module: &ModuleVersion,
    folder: &Path,
) -> Result<(), CreateError> {
    create(out, module, &list(folder)?.0)
}

fn copy(
    file: &impl Source,
    path: String,
    out: &mut impl Write,
    buffer: &mut [u8],
) -> Result<(), CreateError> {
    let mut left = file.length();
    let mut content = match file.open() {
        Ok(content) => content,
        Err(source) => return Err(CreateError::Read { name: path, source }),
    };
    loop {
        match content.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(n) if n as u64 > left => return Err(CreateError::Larger(path)),
            Ok(n) => {
                left -= n as u64;
                out.write_all(&buffer[..n])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(CreateError::Read { name: path, source }),
        }
    }
}
