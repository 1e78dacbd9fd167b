//! How `h1:` hashes are computed (`golang.org/x/mod/sumdb/dirhash`).
//!
//! The SHA-256 of each file, in hexadecimal, two spaces, its name and a newline make a line; the lines, in the
//! bytewise order of the names, make a summary; the hash is the SHA-256 of the summary. Only names and
//! contents count, so a zip may be packed anew without changing its hash.

mod archive;
mod folder;

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::hash::H1;
use crate::quote::quote;
use crate::walk::WalkError;
use crate::zip::ArchiveError;

pub use archive::hash_zip;
pub(crate) use archive::{digest_entry, hash_zip_with};
pub use folder::{dir_files, hash_dir};

/// Why files could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A name holds a newline, so that the summary could be read in two ways.
    #[error("dirhash: filenames with newlines are not supported")]
    Newline,
    /// The content of an entry of a zip could not be read.
    #[error("reading {}: {source}", quote(.name))]
    Entry {
        /// The entry.
        name: Vec<u8>,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// A file could not be read.
    #[error("reading {}: {source}", quote(.name))]
    File {
        /// The file.
        name: Vec<u8>,
        /// What the system said.
        source: io::Error,
    },
    /// A folder could not be listed.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// What should be hashed as a folder is none.
    #[error("{0} is not a directory")]
    NotADirectory(String),
}

/// The hash over named contents, which `open` gives; a name that is listed twice is hashed twice.
pub fn hash1<N: AsRef<[u8]>, C: Read>(
    names: &[N],
    mut open: impl FnMut(&[u8]) -> io::Result<C>,
) -> Result<H1, HashError> {
    let mut names: Vec<&[u8]> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    let mut summary = Summary::default();
    let mut buffer = vec![0; 64 << 10];
    for name in names {
        refuse_newline(name)?;
        let digest = open(name).and_then(|content| digest_of(content, &mut buffer));
        summary.line(&digest.map_err(|source| HashError::File { name: name.to_owned(), source })?, name);
    }
    Ok(summary.finish())
}

/// The hash of a go.mod, as in go.sum lines with `/go.mod`: the one file is named `go.mod`.
pub fn hash_mod(go_mod: &[u8]) -> H1 {
    let mut summary = Summary::default();
    summary.line(&Sha256::digest(go_mod).into(), b"go.mod");
    summary.finish()
}

/// The lines about all files, of which only the hash is kept.
#[derive(Default)]
struct Summary(Sha256);

impl Summary {
    fn line(&mut self, digest: &[u8; 32], name: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut line = [b' '; 66];
        for (pair, byte) in line.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        self.0.update(line);
        self.0.update(name);
        self.0.update(b"\n");
    }

    fn finish(self) -> H1 {
        H1::from_bytes(self.0.finalize().into())
    }
}

fn refuse_newline(name: &[u8]) -> Result<(), HashError> {
    if name.contains(&b'\n') { Err(HashError::Newline) } else { Ok(()) }
}

fn digest_of(mut content: impl Read, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    loop {
        match content.read(buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(files: &[(&str, &str)]) -> Result<String, String> {
        let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
        let open = |name: &[u8]| {
            let (_, content) = files.iter().rfind(|(n, _)| n.as_bytes() == name).unwrap();
            Ok(content.as_bytes())
        };
        hash1(&names, open).map(|h1| h1.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn hashes_are_those_that_go_prints() {
        // Of no file, and of an empty go.mod.
        assert_eq!(hash(&[]).unwrap(), "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(hash_mod(b"").to_string(), "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=");
        assert_eq!(hash(&[("go.mod", "")]).unwrap(), hash_mod(b"").to_string());
        // sha256sum abc xyz | sha256sum
        assert_eq!(
            hash(&[("xyz", "data for xyz"), ("abc", "data for abc")]).unwrap(),
            "h1:EP6WfDoQTSk9klnxcjriWJOGztueJUywHNmWeq+efB8="
        );
    }

    #[test]
    fn order_does_not_count_but_every_line_does() {
        let ab = hash(&[("a", "1"), ("b", "2")]).unwrap();
        assert_eq!(hash(&[("b", "2"), ("a", "1")]).unwrap(), ab);
        assert_ne!(hash(&[("a", "1"), ("b", "2"), ("b", "2")]).unwrap(), ab);
        assert_ne!(hash(&[("a", "2"), ("b", "1")]).unwrap(), ab);
    }

    #[test]
    fn a_name_with_a_newline_is_refused() {
        assert_eq!(hash(&[("a\nb", "")]).unwrap_err(), "dirhash: filenames with newlines are not supported");
    }
}
