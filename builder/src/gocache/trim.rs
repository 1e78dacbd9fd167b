//! Letting go of what was not used for days.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{GoCache, NOTES, USE_INTERVAL};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TRIM_INTERVAL: Duration = DAY;
const TRIM_LIMIT: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// How often a cache of ours is looked through at most.
const SIZE_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// What is left of the bytes that are allowed, in percent, so that it isn't done again at once.
const TRIM_TO: u64 = 90;

impl GoCache {
    /// Removes what was not used for five days, and what was not used for longest until at most `bytes` are left, unless
    /// that was done within the last ten minutes.
    ///
    /// # Errors
    /// When the file that says when it was done can't be locked, read or written.
    pub fn trim_to(&self, bytes: u64) -> io::Result<()> {
        if !self.folder.is_dir() {
            return Ok(());
        }
        let now = (self.now)();
        if !self.is_due(SIZE_INTERVAL)? {
            return Ok(());
        }
        let mut files = Vec::new();
        for first in 0..=255u8 {
            let folder = self.folder.join(format!("{first:02x}"));
            if let Some(cutoff) = now.checked_sub(TRIM_LIMIT + USE_INTERVAL) {
                trim_folder(&folder, |_| true, cutoff);
            }
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                // What goes meanwhile is not there.
                let Ok(found) = entry.metadata() else { continue };
                if let Ok(used) = found.modified() {
                    files.push((used, found.len(), entry.path()));
                }
            }
        }
        let mut left: u64 = files.iter().map(|(_, size, _)| size).sum();
        if left <= bytes {
            return Ok(());
        }
        files.sort();
        for (_, size, path) in files {
            if left <= bytes / 100 * TRIM_TO {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                left -= size;
            }
        }
        Ok(())
    }

    /// Removes what was not used for five days, unless that was done within the last day (`cache.Trim`).
    ///
    /// # Errors
    /// When the file that says when it was done can't be locked, read or written.
    pub fn trim(&self) -> io::Result<()> {
        let now = (self.now)();
        if !self.is_due(TRIM_INTERVAL)? {
            return Ok(());
        }
        let Some(cutoff) = now.checked_sub(TRIM_LIMIT + USE_INTERVAL) else {
            return Ok(());
        };
        for first in 0..=255u8 {
            let is_entry = |name: &str| name.ends_with("-a") || name.ends_with("-d");
            trim_folder(&self.folder.join(format!("{first:02x}")), is_entry, cutoff);
        }
        trim_folder(&self.folder.join(NOTES), |_| true, cutoff);
        Ok(())
    }

    /// Whether nobody has trimmed for so long; if so, we do it now.
    fn is_due(&self, interval: Duration) -> io::Result<bool> {
        let now = (self.now)();
        let file = self.folder.join("trim.txt");
        let is_recent = |text: &str| is_recent(text, now, interval);
        if File::open(&file).and_then(|file| read_shared(&file)).is_ok_and(|text| is_recent(&text)) {
            return Ok(false);
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file)?;
        file.lock()?;
        let mut text = String::new();
        // What isn't text is no time.
        let _ = file.read_to_string(&mut text);
        if is_recent(&text) {
            return Ok(false);
        }
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(seconds.as_bytes())?;
        file.set_len(seconds.len() as u64)?;
        file.unlock()?;
        Ok(true)
    }
}

fn read_shared(file: &File) -> io::Result<String> {
    file.lock_shared()?;
    let mut text = String::new();
    (&*file).read_to_string(&mut text)?;
    Ok(text)
}

/// Whether the text names a time less than an interval ago, or at most a little ahead.
fn is_recent(text: &str, now: SystemTime, interval: Duration) -> bool {
    let Ok(seconds) = text.trim().parse::<u64>() else {
        return false;
    };
    let last = UNIX_EPOCH + Duration::from_secs(seconds.min(1 << 40));
    match now.duration_since(last) {
        Ok(age) => age < interval,
        Err(ahead) => ahead.duration() < USE_INTERVAL,
    }
}

/// Removes old entries; one that another process removes meanwhile, or that can't be removed, is passed over.
fn trim_folder(folder: &Path, is_ours: impl Fn(&str) -> bool, cutoff: SystemTime) {
    let Ok(names) = fs::read_dir(folder) else {
        return;
    };
    for name in names.flatten() {
        let text = name.file_name();
        let text = text.to_string_lossy();
        if !is_ours(&text) {
            continue;
        }
        let path = name.path();
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if metadata.modified().is_ok_and(|time| time < cutoff) {
            let _ = if metadata.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}
