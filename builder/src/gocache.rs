//! The build cache in the go command's own format, shared with go processes that run at the same time.
//!
//! `xx/ACTION-a` says in one line of fixed length which output an action has, `xx/OUTPUT-d` is that output, named by its
//! SHA-256; for an executable it is a folder with one file. Whoever reads checks the size or the hash, so a half entry is
//! no entry. Times of modification are times of use; what was not used for five days goes, at most once a day.
//! Source of the format: `cmd/go/internal/cache/cache.go`.
//!
//! Go writes outputs in place, their last byte last; here they are written beside their name and renamed, so that a half
//! output is never seen at all. Folders are made when something is put into them.

mod entry;
mod trim;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use modkeep_store::{Digest, Hasher};

use crate::action_id::ActionId;

pub use entry::Entry;

/// How often the time of use is renewed at most.
pub(crate) const USE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The folder of what is no entry.
const NOTES: &str = "modkeep";

/// The folder of results that go knows nothing of.
const BESIDE: &str = "modkeep-results";
/// The folders of a build cache that go knows nothing of.
pub const PRIVATE: [&str; 2] = [NOTES, BESIDE];

/// A build cache on disk.
#[derive(Debug)]
pub struct GoCache {
    folder: PathBuf,
    now: fn() -> SystemTime,
}

/// What can't be done with the build cache.
#[derive(Debug, thiserror::Error)]
pub enum GoCacheError {
    /// The folder isn't there, or is none.
    #[error("failed to initialize build cache at {0}: mkdir {0}: {1}", folder.display(), crate::load::system_words(source))]
    Open {
        /// GOCACHE.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry could not be written.
    #[error("writing `{}` in the build cache", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was to be put changed while it was read.
    #[error("file content changed underfoot")]
    Changed,
    /// An executable's place is taken by something else.
    #[error("`{}` is no folder for an executable", .0.display())]
    NotAnExecutable(PathBuf),
}

impl GoCache {
    /// The build cache in `folder`, which is made if it isn't there.
    ///
    /// # Errors
    /// When it can't be made, or is no folder.
    pub fn open(folder: &Path) -> Result<Self, GoCacheError> {
        let failed = |source| GoCacheError::Open { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), now: system_time })
    }

    /// A cache of what go knows nothing of, in a folder below this one; go's own trimming and cleaning pass it over.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { folder: self.folder.join(BESIDE), now: self.now }
    }

    /// The same cache with another clock.
    #[must_use]
    pub fn with_clock(self, now: fn() -> SystemTime) -> Self {
        Self { now, ..self }
    }

    /// Where the cache is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the cache knows of the action; its output need not be there any more.
    pub fn entry(&self, id: &ActionId) -> Option<Entry> {
        let file = self.entry_file(id);
        // one byte more than an entry has, to notice a longer file
        let mut text = [0; entry::LENGTH + 1];
        let length = read_up_to(&mut File::open(&file).ok()?, &mut text).ok()?;
        let entry = Entry::parse(&text[..length], id)?;
        self.mark_used(&file);
        Some(entry)
    }

    /// The file that holds the action's output, if it is whole as far as its size tells (`cache.GetFile`).
    pub fn file(&self, id: &ActionId) -> Option<(PathBuf, Entry)> {
        let entry = self.entry(id)?;
        let file = self.output_file(&entry.output)?;
        let metadata = fs::metadata(&file).ok()?;
        (metadata.len() == entry.size).then_some((file, entry))
    }

    /// The file that holds the action's output, if its hash is right.
    pub fn whole_file(&self, id: &ActionId) -> Option<(PathBuf, Entry)> {
        let (file, entry) = self.file(id)?;
        holds(&file, entry.size, &entry.output).then_some((file, entry))
    }

    /// Whether the file of an output is what its name says.
    pub fn is_whole(&self, output: &Digest) -> bool {
        let file = self.output_file(output);
        file.is_some_and(|file| fs::metadata(&file).is_ok_and(|found| holds(&file, found.len(), output)))
    }

    /// The action's output, if its hash is right (`cache.GetBytes`).
    pub fn bytes(&self, id: &ActionId) -> Option<Vec<u8>> {
        let entry = self.entry(id)?;
        if entry.size == 0 && entry.output == Digest::of(b"") {
            return Some(Vec::new());
        }
        let content = fs::read(self.output_file(&entry.output)?).ok()?;
        (Digest::of(&content) == entry.output).then_some(content)
    }

    /// Copies the action's output to a file, which is made with this mode; says whether it is there and its hash is right. A
    /// copy that is not goes again.
    pub(crate) fn copy_to(&self, id: &ActionId, to: &Path, mode: u32) -> bool {
        let Some((file, entry)) = self.file(id) else {
            return false;
        };
        // While one thread has the system copy, the other hashes the same file: an output is never written in place.
        let (is_whole, is_copied) = rayon::join(
            || holds(&file, entry.size, &entry.output),
            || {
                let copied = File::open(&file)
                    .and_then(|mut from| create(to, mode).and_then(|mut to| io::copy(&mut from, &mut to)));
                copied.is_ok_and(|length| length == entry.size)
            },
        );
        if !(is_whole && is_copied) {
            // Nobody has seen it.
            let _ = fs::remove_file(to);
        }
        is_whole && is_copied
    }

    /// Where an output that is no executable would be.
    pub fn place_of(&self, output: &Digest) -> PathBuf {
        self.data_file(output)
    }

    /// Where the output is, or would be; for an executable the file in its folder.
    pub fn output_file(&self, output: &Digest) -> Option<PathBuf> {
        let file = self.data_file(output);
        if !self.mark_used(&file) {
            return Some(file);
        }
        let mut names = fs::read_dir(&file).ok()?;
        let only = names.next()?.ok()?;
        names.next().is_none().then(|| only.path())
    }

    /// Keeps `content` as the action's output.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn put_bytes(&self, id: &ActionId, content: &[u8]) -> Result<Digest, GoCacheError> {
        let output = Digest::of(content);
        self.put_known(id, output, content)
    }

    /// Keeps `content`, whose digest the caller has computed, as the action's output.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn put_known(&self, id: &ActionId, output: Digest, content: &[u8]) -> Result<Digest, GoCacheError> {
        let file = self.data_file(&output);
        let size = content.len() as u64;
        if !holds(&file, size, &output) {
            self.write_output(&file, 0o666, |to| to.write_all(content))?;
        }
        self.put_entry(id, output, size)?;
        Ok(output)
    }

    /// Keeps a file's content as the action's output.
    ///
    /// # Errors
    /// When it can't be read or written, or changes meanwhile.
    pub fn put_file(&self, id: &ActionId, file: &mut File) -> Result<Digest, GoCacheError> {
        self.copy(id, None, file)
    }

    /// Keeps an executable under the name that it shall run by.
    ///
    /// # Errors
    /// When it can't be read or written, or changes meanwhile.
    pub fn put_executable(&self, id: &ActionId, name: &str, file: &mut File) -> Result<Digest, GoCacheError> {
        self.copy(id, Some(name), file)
    }

    /// The time by its clock.
    pub(crate) fn time(&self) -> SystemTime {
        (self.now)()
    }

    /// A note that lies beside the entries.
    pub(crate) fn note(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.folder.join(NOTES).join(name);
        let text = fs::read(&file).ok()?;
        self.mark_used(&file);
        Some(text)
    }

    /// Leaves a note beside the entries, in place of the one of that name.
    pub(crate) fn keep_note(&self, name: &str, text: &[u8]) -> Result<(), GoCacheError> {
        let file = self.folder.join(NOTES).join(name);
        self.write_output(&file, 0o666, |to| to.write_all(text))
    }

    /// Whether there is an entry for the action, whatever it says.
    pub(crate) fn has(&self, id: &ActionId) -> bool {
        self.entry_file(id).exists()
    }

    fn copy(&self, id: &ActionId, name: Option<&str>, file: &mut File) -> Result<Digest, GoCacheError> {
        let reading = |source| GoCacheError::Write { file: self.entry_file(id), source };
        let (output, size) = digest_of(file).map_err(reading)?;
        let mut target = self.data_file(&output);
        let mut mode = 0o666;
        if let Some(name) = name {
            make_folder(&target).map_err(|source| GoCacheError::Write { file: target.clone(), source })?;
            if !target.is_dir() {
                return Err(GoCacheError::NotAnExecutable(target));
            }
            target.push(name);
            mode = 0o777;
        }
        if !holds(&target, size, &output) {
            let mut again = Hasher::default();
            self.write_output(&target, mode, |to| {
                file.seek(SeekFrom::Start(0))?;
                pieces(file, |piece| {
                    again.update(piece);
                    to.write_all(piece)
                })?;
                if again.digest() == output { Ok(()) } else { Err(io::Error::other(Underfoot)) }
            })?;
        }
        self.put_entry(id, output, size)?;
        Ok(output)
    }

    fn put_entry(&self, id: &ActionId, output: Digest, size: u64) -> Result<(), GoCacheError> {
        let file = self.entry_file(id);
        let text = Entry { output, size, time: (self.now)() }.to_text(id);
        let written = make_parent(&file).and_then(|()| {
            // Not truncated first: a reader of the old entry must never see an empty one.
            let mut to = OpenOptions::new().write(true).create(true).truncate(false).open(&file)?;
            to.write_all(text.as_bytes())?;
            to.set_len(text.len() as u64)
        });
        written.map_err(|source| {
            // A broken entry is worse than none; that it can't be removed changes nothing.
            let _ = fs::remove_file(&file);
            GoCacheError::Write { file, source }
        })
    }

    fn write_output(
        &self,
        file: &Path,
        mode: u32,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), GoCacheError> {
        let beside = beside(file);
        let written = make_parent(file).and_then(|()| {
            let mut to = create(&beside, mode)?;
            fill(&mut to)?;
            drop(to);
            publish(&beside, file)
        });
        written.map_err(|source| {
            let _ = fs::remove_file(&beside);
            if source.get_ref().is_some_and(|inner| inner.is::<Underfoot>()) {
                return GoCacheError::Changed;
            }
            GoCacheError::Write { file: file.to_owned(), source }
        })
    }

    /// Renews the time of use; says whether the file is a folder.
    fn mark_used(&self, file: &Path) -> bool {
        let Ok(metadata) = fs::metadata(file) else {
            return false;
        };
        let now = (self.now)();
        let age = metadata.modified().ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age >= USE_INTERVAL) {
            // A cache that can't be written to is still a cache.
            let _ = File::open(file)
                .and_then(|file| file.set_times(fs::FileTimes::new().set_accessed(now).set_modified(now)));
        }
        metadata.is_dir()
    }

    fn entry_file(&self, id: &ActionId) -> PathBuf {
        self.named(&id.to_string(), "a")
    }

    fn data_file(&self, output: &Digest) -> PathBuf {
        self.named(&output.to_string(), "d")
    }

    fn named(&self, hex: &str, kind: &str) -> PathBuf {
        self.folder.join(&hex[..2]).join(format!("{hex}-{kind}"))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("content changed")]
struct Underfoot;

#[allow(clippy::disallowed_methods, reason = "times of use are those of the machine, which go reads too")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

/// A name in the same folder that nobody else uses; go removes it as an output when it is old.
fn beside(file: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    file.with_file_name(format!("{}.{}.{count}-d", name.trim_end_matches("-d"), std::process::id()))
}

#[allow(
    clippy::disallowed_methods,
    reason = "an entry that a loss of power takes is a miss; every reader checks"
)]
fn publish(beside: &Path, file: &Path) -> io::Result<()> {
    fs::rename(beside, file)
}

#[cfg(unix)]
fn create(file: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(mode).open(file)
}

#[cfg(not(unix))]
fn create(file: &Path, _: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(file)
}

fn make_parent(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), make_folder)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { fs::create_dir_all(folder) }
}

/// Whether the file is this very output already.
fn holds(file: &Path, size: u64, output: &Digest) -> bool {
    let Ok(mut file) = File::open(file) else {
        return false;
    };
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
        && digest_of(&mut file).is_ok_and(|(digest, _)| digest == *output)
}

fn digest_of(file: &mut File) -> io::Result<(Digest, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::default();
    let mut size = 0;
    pieces(file, |piece| {
        hasher.update(piece);
        size += piece.len() as u64;
        Ok(())
    })?;
    Ok((hasher.digest(), size))
}

fn pieces(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    const PIECE: usize = 128 << 10;
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&piece[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
