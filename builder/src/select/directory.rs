//! A directory's files, read once for all targets.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Language;
use crate::file_name;
use crate::scan::{self, Condition, ConditionError, GoFile, NulError};
use crate::tags::Tags;

/// The files of a directory that may belong to a package, and what they say.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    files: Vec<File>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) content: Content,
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
    /// The language, where it isn't Go.
    pub(super) fn language(&self) -> Option<Language> {
        match self {
            Self::Go(_) | Self::Nul => None,
            Self::Other(language, _) => Some(*language),
            Self::Unreadable(language, _) => *language,
        }
    }
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
    /// Reads the directory and the headers of its files.
    ///
    /// # Errors
    /// When the directory can't be read; a file that can't be read is an error of the targets that it is for.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !is_directory(&entry)? && !file_name::is_hidden(&name) {
                files.extend(read_file(&entry.path(), name));
            }
        }
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { path: path.to_owned(), files })
    }

    /// Reads some files of the directory, given by name.
    pub fn of_files(path: &Path, names: &[String]) -> Self {
        let mut files: Vec<File> =
            names.iter().filter_map(|name| read_file(&path.join(name), name.clone())).collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self { path: path.to_owned(), files }
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there are Go files, for whatever target.
    pub fn has_go_files(&self) -> bool {
        self.files.iter().any(|file| file.content.language().is_none())
    }

    /// Whether any Go file is for the target by the rules of the module loader, for which a file that can't say for which
    /// targets it is is for none (`cmd/go/internal/imports/scan.go:ScanDir`).
    pub fn has_files_for(&self, tags: &Tags) -> bool {
        let counts = |file: &File| match &file.content {
            Content::Go(source) => is_for(source, tags),
            Content::Nul | Content::Unreadable(None, _) => true,
            Content::Other(..) | Content::Unreadable(Some(_), _) => false,
        };
        self.files.iter().any(|file| file_name::fits(&file.name, tags) && counts(file))
    }

    /// What the Go files for a target import, those that are no tests first; nothing where no file is for it
    /// (`cmd/go/internal/imports/scan.go:ScanDir`).
    ///
    /// # Errors
    /// For the first file that can't be read or understood, in go's words.
    pub fn imports_for(&self, tags: &Tags) -> Result<Option<[Vec<String>; 2]>, String> {
        let mut imports = [BTreeSet::new(), BTreeSet::new()];
        let mut has_files = false;
        for file in self.files.iter().filter(|file| file_name::fits(&file.name, tags)) {
            let source = match &file.content {
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
        &self.files
    }
}

/// Whether the module loader takes a file to be for a target.
fn is_for(source: &GoFile, tags: &Tags) -> bool {
    let needs_cgo = source.imports.iter().any(|import| import.path == "C");
    let holds = source.condition.as_ref().is_ok_and(|condition| condition.holds(tags));
    holds && (tags.cgo() || !needs_cgo)
}

/// A symbolic link to a directory is one, too.
fn is_directory(entry: &fs::DirEntry) -> io::Result<bool> {
    let kind = entry.file_type()?;
    Ok(kind.is_dir() || kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|target| target.is_dir()))
}

fn read_file(path: &Path, name: String) -> Option<File> {
    let extension = file_name::extension(&name);
    let language = Language::of_extension(extension);
    if language.is_none() && extension != ".go" {
        return None;
    }
    let content = match (language, language.filter(|language| *language == Language::Object)) {
        (_, Some(object)) => Content::Other(object, Ok(Condition::Always)),
        (language, None) => match fs::read(path) {
            Err(error) => Content::Unreadable(language, format!("open {}: {error}", path.display())),
            Ok(text) => read_text(language, &text),
        },
    };
    Some(File { name, content })
}

fn read_text(language: Option<Language>, text: &[u8]) -> Content {
    match language {
        Some(language) => Content::Other(language, scan::other_file(text)),
        None => scan::go_file(text).map_or(Content::Nul, |file| Content::Go(Box::new(file))),
    }
}
