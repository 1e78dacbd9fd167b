//! Blobs in a folder: one file each, at `blobs/ab/cdef…`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::digest::Digest;
use crate::durable::Disk;
use crate::folder::read::Reading;
use crate::home::Fate;
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
    /// Where blobs are that nobody seems to name.
    retired: PathBuf,
    disk: Disk,
}

impl Blobs {
    /// The blobs below `store`.
    pub(crate) fn open(store: &Path, disk: &Disk) -> io::Result<Self> {
        let [root, quarantine, retired] = ["blobs", "quarantine", "retired"].map(|name| store.join(name));
        disk.make_folder(&root)?;
        let handle = File::open(&root)?;
        Ok(Self { root, handle, quarantine, retired, disk: disk.clone() })
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
            match self.disk.touch(&path) {
                // another keep may have renamed it and not synced the folder yet
                Ok(()) => return self.disk.sync_folder(folder),
                // retired since; a file that cannot be touched is no reason to fail, it is only written again
                Err(error) => tracing::debug!(%error, digest = %kept.digest, "a blob is written again"),
            }
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

    /// Moves a blob that was last kept before `moment` out of sight; says whether it did.
    pub(crate) fn retire(&self, digest: &Digest, moment: SystemTime) -> io::Result<bool> {
        let (path, retired) = (self.path(digest), self.retired.join(digest.to_string()));
        let is_old = |path: &Path| fs::metadata(path)?.modified().map(|kept| kept < moment);
        let moved = is_old(&path).and_then(|is_old| {
            if !is_old {
                return Ok(false);
            }
            self.disk.make_folder(&self.retired)?;
            self.disk.rename(&path, &retired).map(|()| true)
        });
        match moved {
            // kept again between the look and the move
            Ok(true) if !is_old(&retired)? => self.settle(digest, Fate::Back).map(|()| false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            moved => moved,
        }
    }

    /// At most `limit` retired blobs and their lengths.
    pub(crate) fn retired(&self, limit: usize) -> io::Result<Vec<(Digest, u64)>> {
        let entries = match fs::read_dir(&self.retired) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries.take(limit) {
            let entry = entry?;
            let digest = entry.file_name().to_str().and_then(|name| Digest::parse(name).ok());
            // settled by another process since it was listed, if there is no metadata
            found
                .extend(digest.zip(entry.metadata().ok()).map(|(digest, metadata)| (digest, metadata.len())));
        }
        Ok(found)
    }

    /// Brings a retired blob back, unless it was kept again, or deletes it.
    pub(crate) fn settle(&self, digest: &Digest, fate: Fate) -> io::Result<()> {
        let (path, retired) = (self.path(digest), self.retired.join(digest.to_string()));
        if fate == Fate::Gone || fs::exists(&path)? {
            return self.disk.remove(&retired).map(drop);
        }
        match self.disk.rename(&retired, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        }
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
