//! Blobs in a folder: one file each, at `blobs/ab/cdef…`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::durable::Disk;
use crate::folder::read::Reading;
use crate::incoming::Kept;

/// The blobs of one folder.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    /// The root, open: looking up from here is shorter.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "only Linux can look up without waiting")
    )]
    handle: File,
    quarantine: PathBuf,
    disk: Disk,
}

impl Blobs {
    /// The blobs below `store`.
    pub(crate) fn open(store: &Path, disk: &Disk) -> io::Result<Self> {
        let (root, quarantine) = (store.join("blobs"), store.join("quarantine"));
        disk.make_folder(&root)?;
        let handle = File::open(&root)?;
        Ok(Self { root, handle, quarantine, disk: disk.clone() })
    }

    /// Opens a blob and says how long it is.
    pub(crate) fn find(&self, digest: &Digest, reading: Reading) -> io::Result<Option<(File, u64)>> {
        let opened = match reading {
            Reading::Waiting => File::open(self.path(digest)),
            Reading::Cached => self.open_cached(digest),
        };
        match opened {
            Ok(file) => file.metadata().map(|metadata| Some((file, metadata.len()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a blob if its name is in the kernel's cache of names.
    #[cfg(target_os = "linux")]
    fn open_cached(&self, digest: &Digest) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
        use rustix::io::Errno;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        match openat2(&self.handle, relative(digest), flags, Mode::empty(), ResolveFlags::CACHED) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::NOENT) => Err(io::ErrorKind::NotFound.into()),
            // not cached, or a kernel without this call
            Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_cached(&self, _digest: &Digest) -> io::Result<File> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Makes the temporary file at `temp` the blob `kept`, durable before visible.
    pub(crate) fn keep(&self, file: &File, temp: &Path, kept: Kept) -> io::Result<()> {
        let path = self.path(&kept.digest);
        let folder = path.parent().unwrap_or(&self.root);
        self.disk.make_folder(folder)?;
        if fs::metadata(&path).is_ok_and(|there| there.len() == kept.len) {
            // another keep may have renamed it and not synced the folder yet
            return self.disk.sync_folder(folder);
        }
        self.disk.sync(file)?;
        self.disk.rename(temp, &path).inspect_err(|_| {
            // the name may not survive power loss, so it is not left for others to rely on
            drop(self.disk.remove(&path));
        })
    }

    /// Moves a blob out of sight; says whether there was one.
    pub(crate) fn quarantine(&self, digest: &Digest) -> io::Result<bool> {
        let path = self.path(digest);
        if !fs::exists(&path)? {
            return Ok(false);
        }
        self.disk.make_folder(&self.quarantine)?;
        match self.disk.rename(&path, &self.quarantine.join(digest.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Deletes a blob; says whether there was one.
    pub(crate) fn discard(&self, digest: &Digest) -> io::Result<bool> {
        self.disk.remove(&self.path(digest))
    }

    /// At most `limit` digests in ascending order, those after `after`.
    pub(crate) fn list(&self, after: Option<&Digest>, limit: usize) -> io::Result<Vec<Digest>> {
        let first = after.map_or(0, |after| after.as_bytes()[0]);
        let mut digests = Vec::new();
        for byte in first..=u8::MAX {
            let mut found = self.list_folder(byte)?;
            found.retain(|digest| after.is_none_or(|after| digest > after));
            found.sort_unstable();
            digests.extend(found);
            if digests.len() >= limit {
                break;
            }
        }
        digests.truncate(limit);
        Ok(digests)
    }

    /// How many blobs there are, and how many bytes they have.
    pub(crate) fn count(&self) -> io::Result<(u64, u64)> {
        let (mut blobs, mut bytes) = (0, 0);
        for byte in 0..=u8::MAX {
            for digest in self.list_folder(byte)? {
                match fs::metadata(self.path(&digest)) {
                    Ok(metadata) => {
                        blobs += 1;
                        bytes += metadata.len();
                    }
                    // discarded since it was listed
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((blobs, bytes))
    }

    fn list_folder(&self, byte: u8) -> io::Result<Vec<Digest>> {
        let prefix = format!("{byte:02x}");
        let entries = match fs::read_dir(self.root.join(&prefix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut digests = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            digests.extend(name.to_str().and_then(|rest| Digest::parse(&format!("{prefix}{rest}")).ok()));
        }
        Ok(digests)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join(relative(digest))
    }
}

fn relative(digest: &Digest) -> String {
    let mut name = digest.to_string();
    name.insert(2, '/');
    name
}
