//! A shelf in a folder, on a disk of this machine or one that several mount.
//!
//! `blob/ab/cdef…` and `manifest/ab/cdef…`, each written beside its name and renamed. The time of a file is that of its last use,
//! renewed at most hourly, so that what was not used for longest can go first ([`FolderShelf::trim`]).

use std::fs::{self, File, FileTimes};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};
use tokio::task::spawn_blocking;

use super::{Kind, Name, Shelf};
use crate::digest::Hasher;
use crate::error::{ErrorKind, StoreError};
use crate::folder::floor::Floor;

/// How often the time of use is renewed at most.
const USE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// What nobody finished within this time was left by somebody who died.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// What trimming leaves of the bytes that are allowed, in percent, so that it isn't done again at once.
const TRIM_TO: u64 = 90;

/// Shared things in a folder.
#[derive(Debug, Clone)]
pub struct FolderShelf {
    folder: PathBuf,
    floor: Floor,
}

/// A blob that is being written; it has no name yet and goes with the value.
#[derive(Debug)]
pub struct Arriving {
    file: File,
    path: TempPath,
    hasher: Hasher,
    len: u64,
    floor: Floor,
}

/// What trimming came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Files that went.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that are left.
    pub left: u64,
}

impl FolderShelf {
    /// The shelf in `folder`, which is made if it isn't there.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let made = fs::create_dir_all(folder.join("arriving"));
        made.map_err(|error| StoreError::io(format!("opening the cache in `{}`", folder.display()), error))?;
        Ok(Self { folder: folder.to_owned(), floor: Floor::new(folder.to_owned(), 0) })
    }

    /// The same, on which nothing is put that would leave fewer than `bytes` free.
    #[must_use]
    pub fn above(self, bytes: u64) -> Self {
        Self { floor: Floor::new(self.folder.clone(), bytes), ..self }
    }

    fn path(&self, name: &Name) -> PathBuf {
        let text = name.to_string();
        let (kind, key) = text.split_once('/').unwrap_or_default();
        self.folder.join(kind).join(&key[..2]).join(&key[2..])
    }

    /// Opens a thing for reading, with its length. Blocks.
    ///
    /// # Errors
    /// When it is there and can't be opened.
    pub fn open_file(&self, name: &Name) -> Result<Option<(File, u64)>, StoreError> {
        let path = self.path(name);
        let reading = |error| StoreError::io(format!("reading `{}`", path.display()), error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(reading(error)),
        };
        let metadata = file.metadata().map_err(reading)?;
        if metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= USE_INTERVAL)) {
            #[allow(clippy::disallowed_methods, reason = "times of files are the machine's")]
            let now = SystemTime::now();
            // Where it can't be set, the file goes earlier than it might.
            let _ = file.set_times(FileTimes::new().set_modified(now));
        }
        Ok(Some((file, metadata.len())))
    }

    /// Begins a blob. Blocks.
    ///
    /// # Errors
    /// When there is no room for a file.
    pub fn begin(&self) -> Result<Arriving, StoreError> {
        let folder = self.folder.join("arriving");
        let named = NamedTempFile::with_prefix_in("in-", &folder);
        let named =
            named.map_err(|error| StoreError::io(format!("writing to `{}`", folder.display()), error))?;
        let (file, path) = named.into_parts();
        Ok(Arriving { file, path, hasher: Hasher::default(), len: 0, floor: self.floor.clone() })
    }

    /// Gives what arrived its name. Blocks.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] for a blob that is not what its name says; others when it can't be put there.
    pub fn keep(&self, arriving: Arriving, name: &Name) -> Result<(), StoreError> {
        let path = self.path(name);
        let Arriving { file, path: beside, hasher, .. } = arriving;
        if name.kind == Kind::Blob && hasher.digest() != name.key {
            return Err(StoreError::new(ErrorKind::Damaged, format!("writing {name}")));
        }
        drop(file);
        let parent = path.parent().unwrap_or(&self.folder);
        let kept = fs::create_dir_all(parent)
            .and_then(|()| make_readable(&beside))
            .and_then(|()| beside.persist(&path).map_err(|error| error.error));
        kept.map_err(|error| StoreError::io(format!("writing `{}`", path.display()), error))
    }

    /// Removes what was not used for longest until at most `bytes` are left; of what is used together blobs go before the
    /// manifests that name them. Blocks, and looks at every file.
    ///
    /// # Errors
    /// When the folder can't be listed; a file that can't be removed stays.
    pub fn trim(&self, bytes: u64) -> Result<Trimmed, StoreError> {
        let listing = |error| StoreError::io(format!("listing `{}`", self.folder.display()), error);
        self.drop_abandoned().map_err(listing)?;
        let mut files = Vec::new();
        for kind in ["blob", "manifest"] {
            files_below(&self.folder.join(kind), &mut files).map_err(listing)?;
        }
        let mut trimmed = Trimmed { left: files.iter().map(|file| file.1).sum(), ..Trimmed::default() };
        if trimmed.left <= bytes {
            return Ok(trimmed);
        }
        files.sort();
        let allowed = bytes / 100 * TRIM_TO;
        for (_, len, path) in files {
            if trimmed.left <= allowed {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                trimmed.files += 1;
                trimmed.bytes += len;
                trimmed.left -= len;
            }
        }
        Ok(trimmed)
    }

    fn drop_abandoned(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("arriving"))?.flatten() {
            let age = entry.metadata().and_then(|found| found.modified()).ok();
            if age.is_some_and(|time| time.elapsed().is_ok_and(|age| age >= ABANDONED)) {
                // Another server may do the same.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

impl Arriving {
    /// Appends a piece. Blocks.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        let room = self.floor.check(piece.len() as u64);
        let written = room.and_then(|()| self.file.write_all(piece));
        written.map_err(|error| StoreError::io("writing to the cache", error))?;
        self.hasher.update(piece);
        self.len += piece.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// When it was last used, its length, and where it is.
type Found = (SystemTime, u64, PathBuf);

fn files_below(folder: &Path, files: &mut Vec<Found>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries.flatten() {
        // What goes meanwhile is not there.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            files_below(&entry.path(), files)?;
        } else {
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_readable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // Those who share the folder need not be one user.
    fs::set_permissions(file, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Does `act` on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(act).await;
    done.unwrap_or_else(|crash| Err(StoreError::new(ErrorKind::Io, "using the cache").because(crash)))
}

#[async_trait]
impl Shelf for FolderShelf {
    async fn get(&self, name: &Name, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let (shelf, name) = (self.clone(), *name);
        blocking(move || {
            let Some((file, len)) = shelf.open_file(&name)? else { return Ok(None) };
            let too_long =
                || StoreError::new(ErrorKind::Damaged, format!("reading {name}: longer than {limit}"));
            if len > limit {
                return Err(too_long());
            }
            let mut content = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
            let read = file.take(limit + 1).read_to_end(&mut content);
            read.map_err(|error| StoreError::io(format!("reading {name}"), error))?;
            if content.len() as u64 > limit { Err(too_long()) } else { Ok(Some(content.into())) }
        })
        .await
    }

    async fn has(&self, name: &Name) -> Result<bool, StoreError> {
        let (shelf, name) = (self.clone(), *name);
        blocking(move || Ok(shelf.open_file(&name)?.is_some())).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> Result<(), StoreError> {
        let (shelf, name) = (self.clone(), *name);
        blocking(move || {
            let mut arriving = shelf.begin()?;
            arriving.write(&content)?;
            shelf.keep(arriving, &name)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn put(shelf: &FolderShelf, name: &Name, content: &[u8]) -> Result<(), StoreError> {
        let mut arriving = shelf.begin()?;
        arriving.write(content)?;
        shelf.keep(arriving, name)
    }

    fn read(shelf: &FolderShelf, name: &Name) -> Option<Vec<u8>> {
        let (mut file, len) = shelf.open_file(name).unwrap()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, len);
        Some(content)
    }

    #[test]
    fn a_blob_that_is_not_what_its_name_says_gets_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = FolderShelf::open(folder.path()).unwrap();
        let (name, key) = (Name::blob(Digest::of(b"right")), Name::manifest(Digest::of(b"key")));
        assert_eq!(put(&shelf, &name, b"wrong").unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(read(&shelf, &name), None);
        put(&shelf, &name, b"right").unwrap();
        assert_eq!(read(&shelf, &name).as_deref(), Some(&b"right"[..]));
        for text in [&b"one"[..], b"two"] {
            put(&shelf, &key, text).unwrap();
            assert_eq!(read(&shelf, &key).as_deref(), Some(text));
        }
        assert_eq!(fs::read_dir(folder.path().join("arriving")).unwrap().count(), 0);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = FolderShelf::open(folder.path()).unwrap();
        let content = |number: u8| vec![number; 1000];
        let names: Vec<Name> = (0..10).map(|number| Name::blob(Digest::of(&content(number)))).collect();
        for (number, name) in (0u8..).zip(&names) {
            put(&shelf, name, &content(number)).unwrap();
            let day = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * (u64::from(number) + 1));
            let file = File::options().write(true).open(shelf.path(name)).unwrap();
            file.set_times(FileTimes::new().set_modified(day)).unwrap();
        }
        assert_eq!(shelf.trim(10_000).unwrap(), Trimmed { left: 10_000, ..Trimmed::default() });
        // Reading is use.
        assert!(read(&shelf, &names[0]).is_some());
        assert_eq!(shelf.trim(5000).unwrap(), Trimmed { files: 6, bytes: 6000, left: 4000 });
        let left: Vec<bool> = names.iter().map(|name| read(&shelf, name).is_some()).collect();
        assert_eq!(left, [true, false, false, false, false, false, false, true, true, true]);
    }
}
