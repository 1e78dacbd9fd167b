//! Reading the build ID that an archive or a program says it has.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::memmem;
use modkeep_module::quote::unquote;

use super::{BuildId, elf, macho};

/// How much of a program is looked at for its ID.
const HEAD: usize = 32 << 10;
/// How much of an archive is.
const ARCHIVE_HEAD: usize = 1024;
const PREFIX: &[u8] = b"\xff Go build ID: \"";
const END: &[u8] = b"\"\n \xff";

/// Why there is no build ID to read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is no object file, or a broken one.
    #[error("malformed object file")]
    Malformed,
}

/// The build ID of an archive or a program; `None` if it has none (`buildid.ReadFile`).
///
/// # Errors
/// For a file that can't be read or is shorter or other than its kind has it.
pub fn read(path: &Path) -> Result<Option<BuildId>, ReadError> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(ARCHIVE_HEAD as u64).read_to_end(&mut head)?;
    if head.len() < 8 {
        return Err(ReadError::Malformed);
    }
    let id = if head.starts_with(b"!<arch>\n") {
        of_archive(&head)?
    } else {
        file.by_ref().take((HEAD - head.len()) as u64).read_to_end(&mut head)?;
        of_program(&mut file, head)?
    };
    to_id(id)
}

/// The same of an archive in memory.
///
/// # Errors
/// For what is no archive, or another than its kind has it.
pub fn read_archive(archive: &[u8]) -> Result<Option<BuildId>, ReadError> {
    let head = &archive[..archive.len().min(ARCHIVE_HEAD)];
    if !head.starts_with(b"!<arch>\n") {
        return Err(ReadError::Malformed);
    }
    to_id(of_archive(head)?)
}

fn to_id(id: Option<Vec<u8>>) -> Result<Option<BuildId>, ReadError> {
    match id {
        Some(id) if !id.is_empty() => {
            String::from_utf8(id).map(|id| Some(BuildId::found(id))).map_err(|_| ReadError::Malformed)
        }
        _ => Ok(None),
    }
}

fn of_archive(head: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
    let mut lines = head.split(|&byte| byte == b'\n').skip(1);
    let mut expect = |prefix: &[u8]| {
        let line = lines.next()?;
        line.strip_prefix(prefix)
    };
    expect(b"__.PKGDEF").ok_or(ReadError::Malformed)?;
    expect(b"go object ").ok_or(ReadError::Malformed)?;
    match expect(b"build id ") {
        Some(literal) => unquote(literal).map(Some).ok_or(ReadError::Malformed),
        None => Ok(None),
    }
}

fn of_program(file: &mut File, head: Vec<u8>) -> Result<Option<Vec<u8>>, ReadError> {
    if head.starts_with(b"\x7fELF") {
        if let Some(id) = elf::build_id(&head).filter(|id| !id.is_empty()) {
            return Ok(Some(id));
        }
        // Some linkers put notes behind megabytes of other things.
        let mut whole = head;
        file.read_to_end(&mut whole)?;
        return elf::build_id(&whole).map(Some).ok_or(ReadError::Malformed);
    }
    if let Some(id) = marked(&head)? {
        return Ok(Some(id));
    }
    let Some(text) = macho::text_section(&head) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(text.start as u64))?;
    let mut section = Vec::new();
    file.take(text.len().min(HEAD) as u64).read_to_end(&mut section)?;
    marked(&section)
}

/// The ID between its marks.
fn marked(bytes: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
    let Some(start) = memmem::find(bytes, PREFIX) else {
        return Ok(None);
    };
    let literal = &bytes[start + PREFIX.len() - 1..];
    let end = memmem::find(&literal[1..], END).ok_or(ReadError::Malformed)?;
    unquote(&literal[..end + 2]).map(Some).ok_or(ReadError::Malformed)
}
