//! What is wrong with a package, and how it was come by.
//!
//! Source of the words: `cmd/go/internal/load/pkg.go:PackageError`.

use std::sync::Arc;

use modkeep_module::quote::quote;

use crate::select::Place;

/// The way from the command line to a package, the package itself last.
pub type ImportStack = Vec<Importing>;

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importing {
    /// The path as it is imported, or with ` (test)` or `_test` behind it for tests.
    pub package: String,
    /// The name of the file that imports it; none for what the command line names.
    pub file: Option<Arc<str>>,
}

/// What is wrong with a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageError {
    /// How it was come by.
    pub import_stack: ImportStack,
    /// Where in a file, as `file:line:column`; empty for nowhere.
    pub position: String,
    /// What is wrong.
    pub problem: Problem,
    /// Whether the packages import each other.
    pub is_cycle: bool,
    /// Whether the way is shown even if there is a position.
    pub(super) always_shows_stack: bool,
}

/// What can be wrong with a package; the words are go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the words of each are its documentation")]
pub enum Problem {
    #[error("build constraints exclude all Go files in {dir}")]
    AllExcluded { dir: String },
    #[error("no non-test Go files in {dir}")]
    OnlyTests { dir: String },
    #[error("no Go files in {dir}")]
    NoGoFiles { dir: String },
    /// A file can't be read, or says what it may not.
    #[error("{0}")]
    Source(String),
    /// No place, or too many, for a path.
    #[error("{0}")]
    Place(String),
    /// No place, since no module is known to have it (`modload.ImportMissingError`).
    #[error("{0}")]
    Missing(String),
    #[error("import cycle not allowed")]
    Cycle,
    #[error("import cycle not allowed in test")]
    TestCycle,
    #[error("disallowed import path \"{0}\"")]
    Disallowed(String),
    #[error("can only use path@version syntax with 'go get' and 'go install' in module-aware mode")]
    Version,
    #[error("use of internal package {0} not allowed")]
    Internal(String),
    #[error("use of vendored package not allowed")]
    Vendored,
    #[error("{path} must be imported as {short}")]
    MustBeImportedAs { path: String, short: String },
    #[error("import \"{0}\" is a program, not an importable package")]
    Program(String),
    #[error("{}", local_import(.0))]
    Local(String),
    #[error("case-insensitive import collision: {} and {}", quote(.0), quote(.1))]
    PathCollision(String, String),
    #[error("invalid import path {}", quote(.0))]
    ImportPath(String),
    #[error("case-insensitive file name collision: {} and {}", quote(.0), quote(.1))]
    FileCollision(String, String),
    #[error("invalid input file name {}", quote(.0))]
    FileName(String),
    #[error("invalid input directory name {}", quote(.0))]
    DirectoryName(String),
    #[error("invalid package directory {}", quote(.0))]
    Directory(String),
    #[error("{reason} requires external (cgo) linking, but cgo is not enabled")]
    ExternalLinking { reason: String },
    #[error("{language} source files not allowed when not using cgo or SWIG: {files}")]
    NoCgo { language: &'static str, files: String },
    #[error("pattern {pattern}: {problem}")]
    Embed { pattern: String, problem: String },
    #[error("{0}")]
    Pattern(String),
    #[error("package {0} is not a main package")]
    NotMain(String),
    #[error("{0}")]
    Stamp(String),
    /// It could not be built.
    #[error("{0}")]
    Build(String),
}

fn local_import(path: &str) -> String {
    match path {
        "." => format!("{path}: cannot import current directory"),
        _ => format!("local import {} in non-local package", quote(path)),
    }
}

impl PackageError {
    pub(super) fn new(problem: Problem, stack: &ImportStack) -> Self {
        Self {
            import_stack: stack.clone(),
            position: String::new(),
            problem,
            is_cycle: false,
            always_shows_stack: false,
        }
    }

    /// What is wrong with a package that was found.
    pub fn of_build(problem: Problem) -> Self {
        Self::new(problem, &Vec::new())
    }

    /// The paths of the way.
    pub fn stack_paths(&self) -> Vec<&str> {
        self.import_stack.iter().map(|step| step.package.as_str()).collect()
    }
}

impl std::fmt::Display for PackageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (position, problem) = (&self.position, &self.problem);
        if !position.is_empty() && (self.import_stack.is_empty() || !self.always_shows_stack) {
            return write!(f, "{position}: {problem}");
        }
        if self.import_stack.is_empty() {
            return write!(f, "{problem}");
        }
        let step = |step: &Importing| match &step.file {
            Some(file) if self.is_cycle => format!("{} from {file}", step.package),
            _ => step.package.clone(),
        };
        let steps: Vec<String> = self.import_stack.iter().map(step).collect();
        write!(f, "package {}", steps.join("\n\timports "))?;
        if !position.is_empty() {
            write!(f, "\n\t{position}")?;
        }
        write!(f, ": {problem}")
    }
}

impl std::error::Error for PackageError {}

/// A step to a package that is imported at places.
pub(super) fn step(package: &str, places: &[Place]) -> Importing {
    Importing { package: package.to_owned(), file: places.first().map(|place| place.file.clone()) }
}

/// Whether a way is to be preferred to another (`ImportStack.shorterThan`).
pub(super) fn is_shorter(stack: &ImportStack, other: &ImportStack) -> bool {
    let paths = |stack: &ImportStack| stack.iter().map(|step| step.package.clone()).collect::<Vec<_>>();
    stack.len() < other.len() || stack.len() == other.len() && paths(stack) < paths(other)
}
