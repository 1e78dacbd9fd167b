//! Which files of a directory make up its package for a target, and what those files ask for.
//!
//! A [`Directory`] is read once; [`Directory::select`] then chooses for each target without touching the disk. The
//! rules are those of `go/build/build.go:Import`, the words those of the go command's index of packages
//! (`cmd/go/internal/modindex/read.go`) where the two differ; which packages the paths stand for is not known here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::file_name;
use crate::scan::{ConditionError, Directive, GoFile, NulError, Position, SyntaxError};
use crate::tags::Tags;

mod cgo;
mod directory;
mod remembered;

pub use cgo::{CgoError, CgoFlags};
pub use directory::Directory;
use directory::{Content, File};

/// Files of one directory, each list in the order of names.
#[derive(Debug, Default)]
pub struct Selection {
    /// The package's name; empty where no file tells it.
    pub name: String,
    /// The first sentence of its documentation.
    pub doc: String,
    /// `.go` files that don't import `C`.
    pub go: Vec<String>,
    /// `.go` files that import `C`.
    pub cgo: Vec<String>,
    /// `_test.go` files of the package.
    pub test: Vec<String>,
    /// `_test.go` files of the package beside it, whose name ends in `_test`.
    pub outer_test: Vec<String>,
    /// `.go` files that are for other targets.
    pub ignored_go: Vec<String>,
    /// `.go` files with something wrong.
    pub invalid_go: Vec<String>,
    /// Files of other languages that are for other targets.
    pub ignored_other: Vec<String>,
    /// Files of other languages, by language.
    pub other: BTreeMap<Language, Vec<String>>,
    /// What the files that are no tests ask for.
    pub requests: Requests,
    /// What the tests of the package ask for.
    pub test_requests: Requests,
    /// What the tests beside the package ask for.
    pub outer_test_requests: Requests,
    /// The flags in the `#cgo` lines that are for the target.
    pub flags: CgoFlags,
    /// What is wrong with the first of the invalid files, or that there are no Go files at all.
    pub error: Option<SelectError>,
}

/// What a group of Go files asks for.
#[derive(Debug, Default)]
pub struct Requests {
    /// Import paths and where they are imported.
    pub imports: Arc<Places>,
    /// Patterns of `//go:embed` and where they stand.
    pub embeds: Arc<Places>,
    /// `//go:` comments before the package clauses, with their files.
    pub directives: Vec<(String, Directive)>,
}

/// Places by path, or by pattern.
pub type Places = BTreeMap<String, Vec<Place>>;

/// A place in one of a directory's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: Arc<str>,
    /// Where in the file.
    pub position: Position,
}

/// The languages beside Go that files of a package may be in (`go/build/build.go:fileListForExt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `.c`
    C,
    /// `.cc`, `.cpp`, `.cxx`
    Cxx,
    /// `.m`
    ObjectiveC,
    /// `.h`, `.hh`, `.hpp`, `.hxx`
    Header,
    /// `.f`, `.F`, `.for`, `.f90`
    Fortran,
    /// `.s`; `.S` and `.sx` where a C compiler takes them
    Assembly,
    /// `.swig`
    Swig,
    /// `.swigcxx`
    SwigCxx,
    /// `.syso`
    Object,
}

/// What is wrong with a directory; the words are those of `go/build`.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// A file can't be read.
    #[error("{error}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// What the system says, the path included.
        error: String,
    },
    /// A file is no text.
    #[error("read {}: {source}", path.display())]
    Nul {
        /// The file.
        path: PathBuf,
        /// That it holds a NUL.
        source: NulError,
    },
    /// A file doesn't say clearly for which targets it is.
    #[error("{file}: {source}")]
    Condition {
        /// The file's name.
        file: String,
        /// What is wrong.
        source: ConditionError,
    },
    /// A package clause or import is malformed.
    #[error("{}:{source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SyntaxError,
    },
    /// Files of two packages lie in the directory.
    #[error("found packages {} ({}) and {} ({}) in {}", first.0, first.1, second.0, second.1, directory.display())]
    TwoPackages {
        /// The directory.
        directory: PathBuf,
        /// The package of the first file, and that file.
        first: (String, String),
        /// Another package, and its file.
        second: (String, String),
    },
    /// A test imports `C`.
    #[error("use of cgo in test {0} not supported")]
    CgoInTest(String),
    /// A `#cgo` line is malformed.
    #[error("{file}: {source}")]
    Cgo {
        /// The file's name.
        file: String,
        /// What is wrong.
        source: CgoError,
    },
    /// No Go file of the directory is for the target.
    #[error("no buildable Go source files in {}", .0.display())]
    NoGoFiles(PathBuf),
}

impl Language {
    /// The language of files whose names end so, the dot included.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            ".c" => Self::C,
            ".cc" | ".cpp" | ".cxx" => Self::Cxx,
            ".m" => Self::ObjectiveC,
            ".h" | ".hh" | ".hpp" | ".hxx" => Self::Header,
            ".f" | ".F" | ".for" | ".f90" => Self::Fortran,
            ".s" | ".S" | ".sx" => Self::Assembly,
            ".swig" => Self::Swig,
            ".swigcxx" => Self::SwigCxx,
            ".syso" => Self::Object,
            _ => return None,
        })
    }

    fn needs_cgo(self) -> bool {
        matches!(self, Self::C | Self::Cxx | Self::ObjectiveC | Self::Swig | Self::SwigCxx)
    }
}

impl Directory {
    /// The files that are for the target; what is wrong with them is part of the answer.
    pub fn select(&self, tags: &Tags) -> Selection {
        self.select_with(tags, false)
    }

    /// All files, whatever targets they are for (`build.Context.UseAllFiles`).
    pub fn select_all(&self, tags: &Tags) -> Selection {
        self.select_with(tags, true)
    }

    fn select_with(&self, tags: &Tags, takes_all: bool) -> Selection {
        self.look(|name| takes_all || file_name::fits(name, tags));
        let mut selector = Selector {
            directory: self,
            tags,
            takes_all,
            first_file: "",
            selection: Selection::default(),
            by_c: Vec::new(),
        };
        for file in self.files() {
            if !takes_all && !file_name::fits(&file.name, tags) {
                selector.ignore(file);
            } else if let Some(error) = self.content(file).unreadable_condition() {
                return selector.stop(file, error);
            } else {
                selector.take(file);
            }
        }
        selector.finish()
    }
}

struct Selector<'a> {
    directory: &'a Directory,
    tags: &'a Tags,
    /// Whether no file is passed over for the sake of the target.
    takes_all: bool,
    /// The file that gave the package its name.
    first_file: &'a str,
    selection: Selection,
    /// Assembly that only a C compiler takes.
    by_c: Vec<String>,
}

impl<'a> Selector<'a> {
    fn ignore(&mut self, file: &File) {
        let list = match file.language {
            None => &mut self.selection.ignored_go,
            Some(_) => &mut self.selection.ignored_other,
        };
        list.push(file.name.clone());
    }

    fn take(&mut self, file: &'a File) {
        let source = match self.directory.content(file) {
            Content::Go(source) => source,
            Content::Unreadable(None, error) => {
                let (file_name, error) = (file.name.clone(), error.clone());
                return self.invalid(file, SelectError::Unreadable { file: file_name, error });
            }
            Content::Nul => {
                return self.invalid(file, SelectError::Nul { path: self.path(file), source: NulError });
            }
            Content::Other(language, condition) => {
                let holds = condition.as_ref().is_ok_and(|condition| condition.holds(self.tags));
                let fits = self.takes_all || holds;
                return if fits { self.take_other(file, *language) } else { self.ignore(file) };
            }
            Content::Unreadable(Some(_), _) => return self.ignore(file),
        };
        match &source.condition {
            Err(source) => {
                let source = source.clone();
                self.invalid(file, SelectError::Condition { file: file.name.clone(), source });
            }
            Ok(condition) if !self.takes_all && !condition.holds(self.tags) => self.ignore(file),
            Ok(_) => self.take_go(file, source),
        }
    }

    fn take_other(&mut self, file: &File, language: Language) {
        if matches!(file_name::extension(&file.name), ".S" | ".sx") {
            self.by_c.push(file.name.clone());
        } else {
            self.selection.other.entry(language).or_default().push(file.name.clone());
        }
    }

    fn take_go(&mut self, file: &'a File, source: &'a GoFile) {
        if let Some(source) = &source.error {
            self.invalid(file, SelectError::Syntax { path: self.path(file), source: source.clone() });
        }
        if source.package == "documentation" {
            self.selection.ignored_go.push(file.name.clone());
            return;
        }
        let is_test = file.name.ends_with("_test.go");
        let outer =
            source.package.strip_suffix("_test").filter(|_| is_test && self.selection.name != source.package);
        self.check_name(file, outer.unwrap_or(&source.package));
        if self.selection.doc.is_empty() && !is_test {
            self.selection.doc.clone_from(&source.doc);
        }
        let imports_c = self.take_cgo(file, source, is_test);

        let selection = &mut self.selection;
        let (list, requests) = match (imports_c, outer, is_test) {
            (true, ..) if !self.tags.cgo() => {
                selection.ignored_go.push(file.name.clone());
                return;
            }
            (true, ..) => (&mut selection.cgo, &mut selection.requests),
            (_, Some(_), _) => (&mut selection.outer_test, &mut selection.outer_test_requests),
            (_, None, true) => (&mut selection.test, &mut selection.test_requests),
            (_, None, false) => (&mut selection.go, &mut selection.requests),
        };
        list.push(file.name.clone());
        requests.add(&file.name, source);
    }

    fn check_name(&mut self, file: &'a File, package: &str) {
        if self.selection.name.is_empty() {
            package.clone_into(&mut self.selection.name);
            self.first_file = &file.name;
        } else if self.selection.name != package {
            let error = SelectError::TwoPackages {
                directory: self.directory.path().to_owned(),
                first: (self.selection.name.clone(), self.first_file.to_owned()),
                second: (package.to_owned(), file.name.clone()),
            };
            self.invalid(file, error);
        }
    }

    /// Keeps the flags of a file's `#cgo` lines; says whether the file is for cgo.
    fn take_cgo(&mut self, file: &File, source: &GoFile, is_test: bool) -> bool {
        let mut imports_c = false;
        for import in source.imports.iter().filter(|import| import.path == "C") {
            if is_test {
                self.invalid(file, SelectError::CgoInTest(file.name.clone()));
                continue;
            }
            imports_c = true;
            if let Err(source) = self.selection.flags.add(&import.cgo, self.directory.path(), self.tags) {
                self.invalid(file, SelectError::Cgo { file: file.name.clone(), source });
            }
        }
        imports_c
    }

    /// Ends at a file that doesn't say for which targets it is; imports are not asked for then.
    fn stop(mut self, file: &File, source: &ConditionError) -> Selection {
        let source = source.clone();
        self.selection.error.get_or_insert(SelectError::Condition { file: file.name.clone(), source });
        let selection = &mut self.selection;
        for requests in
            [&mut selection.requests, &mut selection.test_requests, &mut selection.outer_test_requests]
        {
            requests.imports = Arc::default();
            requests.embeds = Arc::default();
        }
        self.finish()
    }

    fn invalid(&mut self, file: &File, error: SelectError) {
        self.selection.error.get_or_insert(error);
        if self.selection.invalid_go.last() != Some(&file.name) {
            self.selection.invalid_go.push(file.name.clone());
        }
    }

    fn path(&self, file: &File) -> PathBuf {
        self.directory.path().join(&file.name)
    }

    fn finish(self) -> Selection {
        let mut selection = self.selection;
        if !self.by_c.is_empty() {
            let list = if selection.cgo.is_empty() {
                &mut selection.ignored_other
            } else {
                selection.other.entry(Language::Assembly).or_default()
            };
            list.extend(self.by_c);
            list.sort_unstable();
        }
        if !self.tags.cgo() {
            // `cmd/go/internal/load/pkg.go:load` passes over what only cgo can build.
            selection.other.retain(|language, _| !language.needs_cgo());
        }
        let lists = [&selection.go, &selection.cgo, &selection.test, &selection.outer_test];
        if selection.error.is_none() && lists.iter().all(|list| list.is_empty()) {
            selection.error = Some(SelectError::NoGoFiles(self.directory.path().to_owned()));
        }
        selection
    }
}

impl Requests {
    fn add(&mut self, file: &str, source: &GoFile) {
        if source.imports.is_empty() && source.embeds.is_empty() && source.directives.is_empty() {
            return;
        }
        let shared: Arc<str> = Arc::from(file);
        let add = |places: &mut Arc<Places>, key: &String, position| {
            let place = Place { file: Arc::clone(&shared), position };
            let places = Arc::make_mut(places);
            match places.get_mut(key) {
                Some(list) => list.push(place),
                None => drop(places.insert(key.clone(), vec![place])),
            }
        };
        source.imports.iter().for_each(|import| add(&mut self.imports, &import.path, import.position));
        source.embeds.iter().for_each(|embed| add(&mut self.embeds, &embed.pattern, embed.position));
        self.directives
            .extend(source.directives.iter().map(|directive| (file.to_owned(), directive.clone())));
    }
}
