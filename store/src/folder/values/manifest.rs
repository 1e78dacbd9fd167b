//! The manifest: which logs and segments make up the values. Replaced as a whole, under the lock.
//!
//! ```text
//! modkeep values 1
//! generation 12
//! next 9
//! log 7
//! log 8                      the last one is written to, the others are sealed soon
//! segment 6 1 410022 93822   number, level, rows, bytes; the newest first
//! checksum 5d1c22ab          of everything above
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::durable::Disk;

const NAME: &str = "manifest";
const COPY: &str = "manifest.copy";
const TITLE: &str = "modkeep values 1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Grows with every change.
    pub(crate) generation: u64,
    /// The number of the next file.
    pub(crate) next: u64,
    /// Ascending and never empty; the last is written to.
    pub(crate) logs: Vec<u64>,
    /// The newest first.
    pub(crate) segments: Vec<Entry>,
}

/// One segment of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    /// How many merges its rows went through.
    pub(crate) level: u64,
    pub(crate) rows: u64,
    pub(crate) len: u64,
}

impl Manifest {
    /// The values of an empty store, written to log 1.
    pub(crate) fn first() -> Self {
        Self { generation: 1, next: 2, logs: vec![1], segments: Vec::new() }
    }

    /// The log that is written to.
    pub(crate) fn active(&self) -> u64 {
        self.logs.last().copied().unwrap_or(1)
    }

    /// Reads the manifest in `folder`, or its copy if it is damaged; `None` when there is neither.
    pub(crate) fn load(folder: &Path) -> io::Result<Option<Self>> {
        match Self::read(&folder.join(NAME)) {
            Ok(None) => Self::read(&folder.join(COPY)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                match Self::read(&folder.join(COPY)) {
                    Ok(Some(copy)) => Ok(Some(copy)),
                    _ => Err(error),
                }
            }
            other => other,
        }
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        let damaged =
            || io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is damaged", path.display()));
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(damaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of the damaged ones among manifest and copy.
    pub(crate) fn damaged_copies(folder: &Path) -> impl Iterator<Item = &'static str> {
        [NAME, COPY].into_iter().filter(|name| Self::read(&folder.join(name)).is_err())
    }

    /// Makes this the manifest in `folder`. After an error it may be or not.
    ///
    /// The copy is written first: everything it names is in place, so it may stand in although it was not published.
    pub(crate) fn save(&self, folder: &Path, disk: &Disk) -> io::Result<()> {
        for name in [COPY, NAME] {
            disk.replace(&folder.join(name), &folder.join("manifest.new"), self.to_text().as_bytes())?;
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        let mut text = format!("{TITLE}\ngeneration {}\nnext {}\n", self.generation, self.next);
        let logs = self.logs.iter().map(|log| format!("log {log}\n"));
        let segment = |s: &Entry| format!("segment {} {} {} {}\n", s.number, s.level, s.rows, s.len);
        text.extend(logs.chain(self.segments.iter().map(segment)));
        let checksum = format!("checksum {:08x}\n", crc32fast::hash(text.as_bytes()));
        text + &checksum
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, checksum) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let above = &text[..body.len() + 1];
        if checksum != format!("checksum {:08x}", crc32fast::hash(above.as_bytes())) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let mut manifest = Self { generation: 0, next: 0, logs: Vec::new(), segments: Vec::new() };
        for line in lines {
            let (word, numbers) = line.split_once(' ')?;
            let numbers: Vec<u64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
            match (word, &numbers[..]) {
                ("generation", [generation]) => manifest.generation = *generation,
                ("next", [next]) => manifest.next = *next,
                ("log", [log]) => manifest.logs.push(*log),
                ("segment", &[number, level, rows, len]) => {
                    manifest.segments.push(Entry { number, level, rows, len })
                }
                _ => return None,
            }
        }
        (manifest.generation > 0 && !manifest.logs.is_empty()).then_some(manifest)
    }
}

/// Where the log of this number is.
pub(crate) fn log_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log-{number}"))
}

/// Where the segment of this number is.
pub(crate) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("segment-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let segments = vec![Entry { number: 6, level: 1, rows: 410_022, len: 93_822 }];
        Manifest { generation: 12, next: 9, logs: vec![7, 8], segments }
    }

    #[test]
    fn a_manifest_is_read_back_as_it_was_written() {
        for manifest in [sample(), Manifest::first()] {
            assert_eq!(Manifest::parse(&manifest.to_text()), Some(manifest));
        }
    }

    #[test]
    fn any_turned_bit_makes_it_unreadable() {
        let text = sample().to_text();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let parsed = String::from_utf8(bytes).ok().and_then(|text| Manifest::parse(&text));
            assert_eq!(parsed, None, "bit {bit}");
        }
    }
}
