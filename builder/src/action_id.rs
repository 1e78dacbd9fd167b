//! Keys of the build cache, as the go command makes them.
//!
//! A key is the SHA-256 of a text, the pre-image, behind a salt that names the release. The pre-image is kept beside the
//! key, because why something was rebuilt is the difference between two of them.
//! Source of the rules: `cmd/go/internal/cache/hash.go`, `cmd/internal/buildid/buildid.go:HashToString`.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use modkeep_module::file_path;
use modkeep_store::{Digest, Hasher, Stamp};
use parking_lot::RwLock;

use crate::load::Scans;
use crate::memory::Memory;
use crate::overlay::Overlay;

/// The key of an action's result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionId([u8; 32]);

impl ActionId {
    /// The key whose pre-image is `text`; `salt` is the release's name without its experiments, such as `go1.27.3`.
    pub fn of(salt: &str, text: &str) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(salt.as_bytes());
        hasher.update(text.as_bytes());
        Self(*hasher.digest().as_bytes())
    }

    /// The key of something that belongs to this action and is described by `description` (`cache.Subkey`).
    #[must_use]
    pub fn subkey(&self, description: &str) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(b"subkey:");
        hasher.update(&self.0);
        hasher.update(description.as_bytes());
        Self(*hasher.digest().as_bytes())
    }

    /// The 20 characters that stand for the key in a build ID.
    pub fn short(&self) -> String {
        short(&self.0)
    }

    /// The 32 bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for ActionId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionId({self})")
    }
}

/// The first 120 bits of a hash in 20 characters (`buildid.HashToString`).
pub fn short(hash: &[u8; 32]) -> String {
    BASE64URL_NOPAD.encode(&hash[..15])
}

/// Contents of files, each read once in the life of a build.
///
/// What a file held when it was first asked for is what the whole build takes it for; the compiler may see a later
/// state, as under the go command.
#[derive(Debug, Default)]
pub struct FileHashes {
    scans: Arc<Scans>,
    seen: RwLock<HashMap<PathBuf, Digest>>,
}

impl FileHashes {
    /// Contents of the files of directories that were read, and of others.
    pub fn over(scans: Arc<Scans>) -> Self {
        Self { scans, seen: RwLock::default() }
    }

    /// The digest of a file's content.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn of(&self, path: &Path) -> io::Result<Digest> {
        if let Some(digest) = self.seen.read().get(path) {
            return Ok(*digest);
        }
        let memory = self.scans.memory();
        let text = path.to_str().map(|path| self.overlay().actual(path).unwrap_or_else(|| path.to_owned()));
        let text = text.as_deref();
        let digest = match text.and_then(|text| memory.file(text)) {
            Some(digest) => digest,
            None => {
                let actual = text.map_or(path, Path::new);
                let stamp = Stamp::of(actual);
                let digest = digest_of(actual)?;
                if let Some(text) = text {
                    memory.note_file(text, stamp, digest);
                }
                digest
            }
        };
        self.seen.write().insert(path.to_owned(), digest);
        Ok(digest)
    }

    /// The digest of a file, given by its name in a folder.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) fn in_folder(&self, folder: &str, name: &str) -> io::Result<Digest> {
        let known = if name.contains('/') { None } else { self.scans.known_directory(folder) };
        match known.and_then(|directory| directory.digest(name)) {
            Some(digest) => digest,
            None => self.of(Path::new(&file_path::join(folder, name))),
        }
    }

    /// Through what files are seen.
    pub(crate) fn overlay(&self) -> &Overlay {
        self.scans.overlay()
    }

    /// What is remembered from one run to the next.
    pub(crate) fn memory(&self) -> &Memory {
        self.scans.memory()
    }
}

pub(crate) fn digest_of(path: &Path) -> io::Result<Digest> {
    const PIECE: usize = 64 << 10;
    let mut file = File::open(path)?;
    let mut hasher = Hasher::default();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hasher.digest()),
            Ok(length) => hasher.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_hash_of_salt_and_text() {
        let id = ActionId::of("go1.27.3", "compile\n");
        assert_eq!(id, ActionId(*Digest::of(b"go1.27.3compile\n").as_bytes()));
        assert_eq!(id.subkey("stdout"), {
            let text = [b"subkey:", &id.0[..], b"stdout"].concat();
            ActionId(*Digest::of(&text).as_bytes())
        });
    }

    #[test]
    fn the_short_form_is_twenty_characters() {
        assert_eq!(short(&[0; 32]), "AAAAAAAAAAAAAAAAAAAA");
        assert_eq!(short(&[0xff; 32]), "____________________");
        assert_eq!(short(Digest::of(b"").as_bytes()), "47DEQpj8HBSa-_TImW-5");
    }

    #[test]
    fn a_file_is_what_it_was_when_first_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        File::create(&path).unwrap();
        let hashes = FileHashes::default();
        assert_eq!(hashes.of(&path).unwrap(), Digest::of(b""));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(hashes.of(&path).unwrap(), Digest::of(b""));
        assert!(hashes.of(&folder.path().join("b")).is_err());
    }
}
