//! `-overlay`: files that are seen where they are not, and files that are not seen where they are.
//!
//! A map from names that go tools see to files that are read in their place; nothing in the place of a file makes it
//! unseen. Folders follow from the files below them. A room that looks at files of main modules or of directories that
//! replace modules asks the overlay; without entries it answers as the disk does.
//! Source of the rules: `cmd/go/internal/fsys/fsys.go`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use modkeep_module::file_path;
use serde::Deserialize;

/// What is laid over the disk.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// By absolute path with NUL for `/`, so that what is below a folder follows it at once.
    places: Arc<BTreeMap<String, Option<String>>>,
    /// From which relative paths are taken.
    folder: Arc<str>,
}

/// Why an overlay can't be used, in go's words.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The file can't be read.
    #[error("reading overlay: open {file}: {text}")]
    Unreadable {
        /// As it was given.
        file: String,
        /// What the system says.
        text: String,
    },
    /// It isn't JSON of that form.
    #[error("parsing overlay JSON: {}", if .0.is_eof() { "unexpected end of JSON input".to_owned() } else { .0.to_string() })]
    Syntax(serde_json::Error),
    /// A place has no name.
    #[error("empty string key in overlay map")]
    Nameless,
    /// Two names mean one place.
    #[error("duplicate paths {0} and {1} in overlay map")]
    Twice(String, String),
    /// A file is to be a folder too.
    #[error("inconsistent files {0} and {1} in overlay map")]
    FileAndFolder(String, String),
}

/// What is seen in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What the disk has there.
    Disk,
    /// The file of that path.
    File(String),
    /// A folder, at least with what is laid into it.
    Folder,
    /// Nothing.
    Nothing,
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name there.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What something in a folder is; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link.
    Link,
    /// A device and the like, or a file in whose place none is.
    Other,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default, alias = "replace")]
    #[serde(rename = "Replace")]
    replace: Option<BTreeMap<String, String>>,
}

impl Overlay {
    /// Reads the file that `-overlay` names; names in it are taken from `folder`.
    ///
    /// # Errors
    /// When it can't be read or contradicts itself.
    pub fn read(file: &str, folder: &str) -> Result<Self, OverlayError> {
        let json = fs::read(absolute(file, folder)).map_err(|error| OverlayError::Unreadable {
            file: file.to_owned(),
            text: crate::load::system_words(&error),
        })?;
        Self::parse(&json, folder)
    }

    /// The same for what the file says.
    ///
    /// # Errors
    /// When it contradicts itself.
    pub fn parse(json: &[u8], folder: &str) -> Result<Self, OverlayError> {
        let document: Document = serde_json::from_slice(json).map_err(OverlayError::Syntax)?;
        let (mut places, mut names) = (BTreeMap::new(), BTreeMap::new());
        for (from, to) in document.replace.unwrap_or_default() {
            if from.is_empty() {
                return Err(OverlayError::Nameless);
            }
            let place = absolute(&from, folder);
            let to = Some(to).filter(|to| !to.is_empty()).map(|to| absolute(&to, folder));
            places.insert(key(&place), to);
            if let Some(other) = names.insert(place, from.clone()) {
                return Err(OverlayError::Twice(other, from));
            }
        }
        let overlay = Self { places: Arc::new(places), folder: folder.into() };
        for (place, _) in overlay.places.iter().filter(|(_, to)| to.is_some()) {
            let inner = overlay.below(place).find(|(_, to)| to.is_some());
            if let Some((inner, _)) = inner {
                return Err(OverlayError::FileAndFolder(path(place), path(inner)));
            }
        }
        Ok(overlay)
    }

    /// Whether nothing is laid over anything.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What is seen at a path.
    pub fn look(&self, place: &str) -> Seen {
        if self.is_empty() {
            return Seen::Disk;
        }
        let place = key(&absolute(place, &self.folder));
        match self.places.get(&place) {
            Some(Some(file)) => return Seen::File(file.clone()),
            Some(None) => return Seen::Nothing,
            None if self.below(&place).next().is_some() => return Seen::Folder,
            None => {}
        }
        let above = place.match_indices('\0').any(|(at, _)| self.places.contains_key(&place[..at]));
        if above { Seen::Nothing } else { Seen::Disk }
    }

    /// Whether a file is another than on disk, or not seen: it must not be written.
    pub fn replaces(&self, place: &str) -> bool {
        matches!(self.look(place), Seen::File(_) | Seen::Nothing)
    }

    /// The file to open for a path; none where nothing is seen.
    pub fn actual(&self, place: &str) -> Option<String> {
        match self.look(place) {
            Seen::Disk | Seen::Folder => Some(place.to_owned()),
            Seen::File(file) => Some(file),
            Seen::Nothing => None,
        }
    }

    /// Whether there is something that is no folder.
    pub fn is_file(&self, place: &str) -> bool {
        match self.look(place) {
            Seen::Folder | Seen::Nothing => false,
            Seen::Disk => fs::metadata(place).is_ok_and(|found| !found.is_dir()),
            Seen::File(file) => fs::metadata(file).is_ok_and(|found| !found.is_dir()),
        }
    }

    /// Whether there is a folder.
    pub fn is_folder(&self, place: &str) -> bool {
        match self.look(place) {
            Seen::Folder => true,
            Seen::Disk => fs::metadata(place).is_ok_and(|found| found.is_dir()),
            Seen::File(_) | Seen::Nothing => false,
        }
    }

    /// Whether there is anything (`os.Stat`).
    ///
    /// # Errors
    /// What the system says where there isn't.
    pub fn check(&self, place: &str) -> io::Result<()> {
        match self.look(place) {
            Seen::Folder => Ok(()),
            Seen::Nothing => Err(io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())),
            Seen::Disk => fs::metadata(place).map(drop),
            Seen::File(file) => fs::metadata(file).map(drop),
        }
    }

    /// What something is, without following a link on disk; a link that stands in for a file is followed (`Lstat`).
    ///
    /// # Errors
    /// What the system says where there is nothing.
    pub fn kind(&self, place: &str) -> io::Result<EntryKind> {
        let kind = match self.look(place) {
            Seen::Folder => return Ok(EntryKind::Folder),
            Seen::Nothing => {
                return Err(io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error()));
            }
            Seen::Disk => fs::symlink_metadata(place)?.file_type(),
            Seen::File(file) => match fs::metadata(file)? {
                found if found.is_dir() => return Err(io::Error::other("overlay maps to directory")),
                found => found.file_type(),
            },
        };
        Ok(EntryKind::of(kind))
    }

    /// A place in a folder, above it or itself, where something else is seen than on disk.
    pub fn touched(&self, folder: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let folder = key(&absolute(folder, &self.folder));
        let mut above = folder.match_indices('\0').map(|(at, _)| &folder[..at]).chain([folder.as_str()]);
        let above = above.rfind(|place| self.places.contains_key(*place)).map(path);
        above.or_else(|| self.below(&folder).next().map(|(place, _)| path(place)))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// What the system says; that there is no such file where nothing is seen.
    pub fn content(&self, place: &str) -> io::Result<Vec<u8>> {
        match self.look(place) {
            Seen::Disk => fs::read(place),
            Seen::File(file) => fs::read(file),
            Seen::Nothing => Err(io::Error::other("deleted in overlay")),
            Seen::Folder => Err(io::Error::other("cannot open directory in overlay")),
        }
    }

    /// What is in a folder, by name.
    ///
    /// # Errors
    /// What the system says where it is no folder.
    pub fn entries(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let not_found = || io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
        match self.look(folder) {
            Seen::Disk => return on_disk(folder).map(sorted),
            Seen::Nothing => return Err(not_found()),
            Seen::File(_) => return Err(io::Error::other("not a directory")),
            Seen::Folder => {}
        }
        let found = on_disk(folder);
        let mut entries: BTreeMap<String, EntryKind> = match &found {
            Ok(entries) => entries.iter().map(|entry| (entry.name.clone(), entry.kind)).collect(),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                BTreeMap::new()
            }
            Err(_) => return found,
        };
        let folder = key(&absolute(folder, &self.folder));
        for (inner, to) in self.below(&folder) {
            let inner = &inner[folder.len()..].trim_start_matches('\0');
            match (inner.split_once('\0'), to) {
                (Some((name, _)), Some(_)) => {
                    entries.insert(name.to_owned(), EntryKind::Folder);
                }
                // What is unseen deep below says nothing about the folder that it would be in.
                (Some(_), None) => {}
                (None, None) => {
                    entries.remove(*inner);
                }
                (None, Some(file)) => {
                    let kind = match fs::metadata(file) {
                        Ok(found) if found.is_dir() => {
                            return Err(io::Error::other(format!("overlay maps child {inner} to directory")));
                        }
                        Ok(_) => EntryKind::File,
                        Err(_) => EntryKind::Other,
                    };
                    entries.insert((*inner).to_owned(), kind);
                }
            }
        }
        match (entries.is_empty(), found) {
            (true, Err(error)) => Err(error),
            _ => Ok(entries.into_iter().map(|(name, kind)| Entry { name, kind }).collect()),
        }
    }

    /// Whether an entry of a folder is a regular file, links followed.
    pub fn is_regular(&self, folder: &str, entry: &Entry) -> bool {
        match entry.kind {
            EntryKind::File => true,
            EntryKind::Link => {
                let place = format!("{folder}/{}", entry.name);
                fs::metadata(place).is_ok_and(|target| target.is_file())
            }
            EntryKind::Folder | EntryKind::Other => false,
        }
    }

    fn below<'a>(&'a self, place: &str) -> impl Iterator<Item = (&'a String, &'a Option<String>)> + use<'a> {
        let start = if place == "\0" { place.to_owned() } else { format!("{place}\0") };
        let range = (Bound::Excluded(start.clone()), Bound::Unbounded);
        self.places.range(range).take_while(move |(other, _)| other.starts_with(&start))
    }
}

impl EntryKind {
    fn of(kind: fs::FileType) -> Self {
        match (kind.is_file(), kind.is_dir(), kind.is_symlink()) {
            (true, _, _) => Self::File,
            (_, true, _) => Self::Folder,
            (_, _, true) => Self::Link,
            _ => Self::Other,
        }
    }
}

fn absolute(name: &str, folder: &str) -> String {
    if name.starts_with('/') { file_path::clean(name) } else { file_path::join(folder, name) }
}

fn key(place: &str) -> String {
    place.replace('/', "\0")
}

fn path(key: &str) -> String {
    key.replace('\0', "/")
}

fn on_disk(folder: &str) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = EntryKind::of(entry.file_type()?);
        // Nothing in a folder whose name isn't text can be named; a file is to be seen and refused by who takes all.
        let name = match entry.file_name().into_string() {
            Err(name) if kind != EntryKind::Folder => name.to_string_lossy().into_owned(),
            Err(_) => continue,
            Ok(name) => name,
        };
        entries.push(Entry { name, kind });
    }
    Ok(entries)
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    entries
}

#[cfg(test)]
mod tests;
