//! A directory's files, read once for all targets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Language;
use crate::file_name;
use crate::scan::{self, Condition, ConditionError, GoFile};

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

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there are Go files, for whatever target.
    pub fn has_go_files(&self) -> bool {
        self.files.iter().any(|file| file.content.language().is_none())
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }
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
