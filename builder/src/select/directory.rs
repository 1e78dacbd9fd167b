//! A directory's files, read once for all targets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use modkeep_store::{Digest, OpenFolder, Stamp};

use super::Language;
use super::remembered::{self, Kept, Says};
use crate::action_id::digest_of;
use crate::file_name;
use crate::load::system_words;
use crate::memory::{Memory, Slice};
use crate::overlay::{EntryKind, Overlay, Seen};
use crate::scan::{self, Condition, ConditionError, GoFile, NulError};
use crate::tags::Tags;

/// The files of a directory that may belong to a package, and what they say.
///
/// It is listed once; each file is read when somebody asks what it says, and not even then if it is remembered and as it
/// was.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// What it looked like before it was listed; none where that doesn't tell whether the list still holds.
    stamp: Option<Stamp>,
    /// The directories in it, without links.
    below: Vec<String>,
    /// Many directories are only looked into for what lies below them.
    files: OnceLock<Vec<File>>,
    /// What is remembered of the files, where that still holds.
    record: Option<Slice>,
    /// Filled where what is remembered could not be read, and the directory could not be listed either.
    is_lost: OnceLock<()>,
    memory: Arc<Memory>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    /// The language by its name; none is Go.
    pub(super) language: Option<Language>,
    /// Where its content is, if an overlay has it elsewhere.
    elsewhere: Option<PathBuf>,
    content: OnceLock<Content>,
    stamp: OnceLock<Option<Stamp>>,
    digest: OnceLock<Digest>,
    kept: Option<Kept>,
}

#[derive(Debug)]
pub(super) enum Content {
    Go(Box<GoFile>),
    Other(Language, Result<Condition, ConditionError>),
    /// A Go file with a NUL in its header.
    Nul,
    /// What the system says; `None` is for Go.
    Unreadable(Option<Language>, String),
}

impl Content {
    /// What is wrong with its `//go:build` line.
    pub(super) fn unreadable_condition(&self) -> Option<&ConditionError> {
        let condition = match self {
            Self::Go(source) => &source.condition,
            Self::Other(_, condition) => condition,
            Self::Nul | Self::Unreadable(..) => return None,
        };
        condition.as_ref().err().filter(|error| matches!(error, ConditionError::Line(_)))
    }
}

impl Directory {
    /// Lists the directory.
    ///
    /// # Errors
    /// When the directory can't be read; a file that can't be read is an error of the targets that it is for.
    pub fn read(path: &Path, memory: &Arc<Memory>, overlay: &Overlay) -> io::Result<Self> {
        match path.to_str().map(|path| (path, overlay.look(path))) {
            None | Some((_, Seen::Disk)) => Self::on_disk(path, memory),
            Some((path, _)) => Self::laid_over(path, overlay),
        }
    }

    /// What an overlay changes is nothing that the memory could know, or should.
    fn laid_over(path: &str, overlay: &Overlay) -> io::Result<Self> {
        let (mut files, mut below) = (Vec::new(), Vec::new());
        for entry in overlay.entries(path)? {
            let place = format!("{}/{}", path.trim_end_matches('/'), entry.name);
            match entry.kind {
                EntryKind::Folder => below.push(entry.name),
                EntryKind::Link if Path::new(&place).is_dir() => {}
                _ if file_name::is_hidden(&entry.name) || !is_source(&entry.name) => {}
                _ => {
                    let mut file = File::new(entry.name, None);
                    if let Seen::File(actual) = overlay.look(&place) {
                        file.elsewhere = Some(PathBuf::from(actual));
                    }
                    files.push(file);
                }
            }
        }
        Ok(Self::new(Path::new(path), None, below, files, &Arc::default()))
    }

    fn on_disk(path: &Path, memory: &Arc<Memory>) -> io::Result<Self> {
        // Before it is listed, so that a change meanwhile makes it another one.
        let stamp = Stamp::of(path);
        let Some(record) = path.to_str().and_then(|path| memory.folder(path)) else {
            return Self::list(path, stamp, BTreeMap::new(), memory);
        };
        if let Some((last, below)) = remembered::head(&record).filter(|(last, _)| Some(*last) == stamp) {
            let (files, memory) = (OnceLock::new(), Arc::clone(memory));
            return Ok(Self {
                path: path.to_owned(),
                stamp: Some(last),
                below,
                files,
                record: Some(record),
                is_lost: OnceLock::new(),
                memory,
            });
        }
        let known = remembered::files(&record, |name, kept| Some((name.to_owned(), kept?)), |_| false);
        Self::list(path, stamp, known.unwrap_or_default().into_iter().flatten().collect(), memory)
    }

    fn new(
        path: &Path,
        stamp: Option<Stamp>,
        below: Vec<String>,
        files: Vec<File>,
        memory: &Arc<Memory>,
    ) -> Self {
        let memory = Arc::clone(memory);
        let (path, files) = (path.to_owned(), files.into());
        Self { path, stamp, below, files, record: None, is_lost: OnceLock::new(), memory }
    }

    fn list(
        path: &Path,
        mut stamp: Option<Stamp>,
        mut known: BTreeMap<String, Kept>,
        memory: &Arc<Memory>,
    ) -> io::Result<Self> {
        let (mut files, mut below) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                // What a link leads to may change and leave the directory as it is.
                stamp = None;
            }
            if kind.is_dir() {
                below.push(name);
            } else if !file_name::is_hidden(&name) && is_source(&name) && !leads_to_directory(&entry, kind) {
                let kept = known.remove(&name);
                files.push(File::new(name, kept));
            }
        }
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        below.sort_unstable();
        let stamp = stamp.filter(|stamp| memory.trusts(stamp));
        if stamp.is_some() {
            memory.note_news();
        }
        Ok(Self::new(path, stamp, below, files, memory))
    }

    /// Reads some files of the directory, given by name.
    pub fn of_files(path: &Path, names: &[String], overlay: &Overlay) -> Self {
        let names = names.iter().filter(|name| is_source(name));
        let mut files: Vec<File> = names.map(|name| File::new(name.clone(), None)).collect();
        for file in &mut files {
            if let Seen::File(actual) = overlay.look(&path.join(&file.name).to_string_lossy()) {
                file.elsewhere = Some(PathBuf::from(actual));
            }
        }
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let directory = Self::new(path, None, Vec::new(), files, &Arc::default());
        directory.files().iter().for_each(|file| {
            directory.content(file);
        });
        directory
    }

    /// The names of the directories in it, sorted, without links.
    pub fn below(&self) -> &[String] {
        &self.below
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there are Go files, for whatever target.
    pub fn has_go_files(&self) -> bool {
        let is_go = |name: &str| language_of(name).is_none();
        let record = self.record.as_ref().filter(|_| self.files.get().is_none());
        match record.and_then(|record| remembered::files(record, |name, _| is_go(name), is_go)) {
            Some(are_go) => are_go.last() == Some(&true),
            None => self.files().iter().any(|file| file.language.is_none()),
        }
    }

    /// Whether any Go file is for the target by the rules of the module loader, for which a file that can't say for which
    /// targets it is is for none (`cmd/go/internal/imports/scan.go:ScanDir`).
    pub fn has_files_for(&self, tags: &Tags) -> bool {
        self.look(|name| file_name::fits(name, tags));
        let counts = |file: &File| match self.content(file) {
            Content::Go(source) => is_for(source, tags),
            Content::Nul | Content::Unreadable(None, _) => true,
            Content::Other(..) | Content::Unreadable(Some(_), _) => false,
        };
        self.files().iter().any(|file| file_name::fits(&file.name, tags) && counts(file))
    }

    /// What the Go files for a target import, those that are no tests first; nothing where no file is for it
    /// (`cmd/go/internal/imports/scan.go:ScanDir`).
    ///
    /// # Errors
    /// For the first file that can't be read or understood, in go's words.
    pub fn imports_for(&self, tags: &Tags) -> Result<Option<[Vec<String>; 2]>, String> {
        self.look(|name| file_name::fits(name, tags));
        let mut imports = [BTreeSet::new(), BTreeSet::new()];
        let mut has_files = false;
        for file in self.files().iter().filter(|file| file_name::fits(&file.name, tags)) {
            let source = match self.content(file) {
                Content::Go(source) => source,
                Content::Nul => {
                    let path = self.path.join(&file.name);
                    return Err(format!("reading {}: {NulError}", path.display()));
                }
                Content::Unreadable(None, error) => return Err(error.clone()),
                Content::Other(..) | Content::Unreadable(Some(_), _) => continue,
            };
            if !is_for(source, tags) {
                continue;
            }
            has_files = true;
            let list = &mut imports[usize::from(file.name.ends_with("_test.go"))];
            list.extend(source.imports.iter().map(|import| import.path.clone()));
        }
        Ok(has_files.then(|| imports.map(|list| list.into_iter().collect())))
    }

    pub(super) fn files(&self) -> &[File] {
        self.files.get_or_init(|| {
            let make = |name: &str, kept| File::new(name.to_owned(), kept);
            let kept = self.record.as_ref().and_then(|record| remembered::files(record, make, |_| false));
            kept.unwrap_or_else(|| {
                let listed = Self::list(&self.path, self.stamp, BTreeMap::new(), &self.memory);
                let files = listed.ok().and_then(|listed| listed.files.into_inner());
                files.unwrap_or_else(|| {
                    self.is_lost.get_or_init(|| ());
                    Vec::new()
                })
            })
        })
    }

    /// Looks at all files of these names that were there before and may be remembered: by their names in the folder, whose
    /// way the system then has to go once.
    pub(super) fn look(&self, is_asked: impl Fn(&str) -> bool) {
        let lacks_stamp = |file: &&File| {
            file.kept.is_some()
                && file.elsewhere.is_none()
                && file.language != Some(Language::Object)
                && file.stamp.get().is_none()
                && is_asked(&file.name)
        };
        let mut lacking = self.files().iter().filter(lacks_stamp).peekable();
        if lacking.peek().is_none() {
            return;
        }
        // Where that can't be done each file is looked at by its path.
        let Some(folder) = OpenFolder::at(&self.path) else { return };
        for file in lacking {
            file.stamp.get_or_init(|| folder.stamp(&file.name));
        }
    }

    /// What a file of it says, as it was when that was first asked.
    pub(super) fn content<'f>(&self, file: &'f File) -> &'f Content {
        file.content.get_or_init(|| {
            if file.language == Some(Language::Object) {
                return Content::Other(Language::Object, Ok(Condition::Always));
            }
            let path = self.place_of(file);
            let stamp = file.stamp(&path);
            if let Some(content) = file.kept_for(stamp).and_then(|kept| kept.content(file.language)) {
                return content;
            }
            let content = match fs::read(&path) {
                Err(error) => {
                    let text = format!("open {}: {}", path.display(), system_words(&error));
                    Content::Unreadable(file.language, text)
                }
                Ok(text) => read_text(file.language, &text),
            };
            if stamp.is_some_and(|stamp| self.memory.trusts(&stamp)) {
                self.memory.note_news();
            }
            content
        })
    }

    /// Where the content of a file is.
    fn place_of(&self, file: &File) -> PathBuf {
        file.elsewhere.clone().unwrap_or_else(|| self.path.join(&file.name))
    }

    /// The digest of a file, as it was when that was first asked; none where it isn't one of these files.
    pub(crate) fn digest(&self, name: &str) -> Option<io::Result<Digest>> {
        let files = self.files();
        let file = &files[files.binary_search_by(|file| file.name.as_str().cmp(name)).ok()?];
        if let Some(digest) = file.digest.get() {
            return Some(Ok(*digest));
        }
        let path = self.place_of(file);
        let stamp = file.stamp(&path);
        let digest = match file.kept_for(stamp).and_then(|kept| kept.digest) {
            Some(digest) => digest,
            None => match digest_of(&path) {
                Ok(digest) => {
                    if stamp.is_some_and(|stamp| self.memory.trusts(&stamp)) {
                        self.memory.note_news();
                    }
                    digest
                }
                Err(error) => return Some(Err(error)),
            },
        };
        Some(Ok(*file.digest.get_or_init(|| digest)))
    }

    /// What is to be remembered of it; none where nothing tells whether it is still so.
    pub(crate) fn to_record(&self) -> Option<Vec<u8>> {
        let stamp = self.stamp.filter(|stamp| self.memory.trusts(stamp))?;
        if let Some(record) = self.record.as_ref().filter(|_| self.files.get().is_none()) {
            return Some(record.bytes().to_vec());
        }
        let files = self.files();
        if self.is_lost.get().is_some() {
            return None;
        }
        let files = files.iter().map(|file| (file.name.as_str(), self.kept_of(file)));
        Some(remembered::record(&stamp, &self.below, files))
    }

    fn kept_of(&self, file: &File) -> Option<Kept> {
        let Some(stamp) = file.stamp.get() else { return file.kept.clone() };
        let stamp = stamp.filter(|stamp| self.memory.trusts(stamp))?;
        let kept = file.kept_for(Some(stamp));
        let digest = file.digest.get().copied().or_else(|| kept.and_then(|kept| kept.digest));
        let read = file.content.get().and_then(remembered::content);
        let content = read.map(Says::New).or_else(|| kept.and_then(|kept| kept.content.clone()));
        Some(Kept { stamp, digest, content })
    }
}

impl File {
    fn new(name: String, kept: Option<Kept>) -> Self {
        let language = language_of(&name);
        let (content, stamp, digest) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { name, language, elsewhere: None, content, stamp, digest, kept }
    }

    /// What it looked like before anything of it was read.
    fn stamp(&self, path: &Path) -> Option<Stamp> {
        *self.stamp.get_or_init(|| Stamp::of(path))
    }

    /// What is remembered, if it is of the file as it is.
    fn kept_for(&self, stamp: Option<Stamp>) -> Option<&Kept> {
        self.kept.as_ref().filter(|kept| Some(kept.stamp) == stamp)
    }
}

/// Whether the module loader takes a file to be for a target.
fn is_for(source: &GoFile, tags: &Tags) -> bool {
    let needs_cgo = source.imports.iter().any(|import| import.path == "C");
    let holds = source.condition.as_ref().is_ok_and(|condition| condition.holds(tags));
    holds && (tags.cgo() || !needs_cgo)
}

/// The language of a source file; none is Go.
fn language_of(name: &str) -> Option<Language> {
    Language::of_extension(file_name::extension(name))
}

fn is_source(name: &str) -> bool {
    let extension = file_name::extension(name);
    extension == ".go" || Language::of_extension(extension).is_some()
}

fn leads_to_directory(entry: &fs::DirEntry, kind: fs::FileType) -> bool {
    kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|target| target.is_dir())
}

fn read_text(language: Option<Language>, text: &[u8]) -> Content {
    match language {
        Some(language) => Content::Other(language, scan::other_file(text)),
        None => scan::go_file(text).map_or(Content::Nul, |file| Content::Go(Box::new(file))),
    }
}
