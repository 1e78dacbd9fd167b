//! What stops a resolution: something that has to be learned first, or an error in the go command's words.
//!
//! Texts are those that go prints after `go: `.

use std::fmt;

use modkeep_module::{pseudo, version};

use crate::go_version;
use crate::known::Need;
use crate::mvs::{AboutModule, BuildListError};
use crate::node::Node;

/// Why there is no answer yet, or none at all.
#[derive(Debug)]
pub enum Halt {
    /// Tell these and ask again; they don't depend on each other.
    Need(Vec<Need>),
    /// Nothing that could be told would help.
    Error(Box<Error>),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

/// Why a resolution fails.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A go.mod on the way can't be had or used.
    #[error(transparent)]
    BuildList(#[from] BuildListError<ModuleError>),
    /// About one module.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// go.mod would have to change, and the mode forbids it.
    #[error("updates to go.mod needed{}", .0)]
    GoModDirty(DirtyReason),
    /// `mod graph -go` with a release that can't read the module.
    #[error("requested Go version {wanted} cannot load module graph (requires Go >= {least})")]
    GraphGoVersion {
        /// As asked for.
        wanted: String,
        /// The go line.
        least: String,
    },
    /// Two replacements of one module in one file.
    #[error("conflicting replacements for {module}:\n\t{first}\n\t{second}")]
    Replacements {
        /// What is replaced.
        module: Node,
        /// By what.
        first: Node,
        /// And by what else.
        second: Node,
    },
    /// Two replacements of one module in several files of a workspace.
    #[error(
        "conflicting replacements for {module}:\n\t{first}\n\t{second}\nuse \"go work edit -replace {module}=[override]\" to resolve"
    )]
    WorkspaceReplacements {
        /// What is replaced.
        module: Node,
        /// By what.
        first: Node,
        /// And by what else.
        second: Node,
    },
    /// A go.work whose go line is below that of one of its modules.
    #[error(
        "module {directory} listed in go.work file requires go >= {needs}, but go.work {verb} go {has}; to download and use go {needs}:\n\tgo work use"
    )]
    WorkspaceTooOld {
        /// The module's directory, as shown.
        directory: String,
        /// The module's go line.
        needs: String,
        /// Whether go.work says so or just doesn't say anything else.
        verb: &'static str,
        /// What go.work stands for.
        has: String,
    },
    /// A workspace with one module twice.
    #[error("module {0} appears multiple times in workspace")]
    RepeatedModule(String),
    /// go.work replaces a module that is in the workspace.
    #[error(
        "workspace module {0} is replaced at all versions in the go.work file. To fix, remove the replacement from the go.work file or specify the version at which to replace the module."
    )]
    ReplacedMain(String),
    /// The main module needs a newer release.
    #[error(transparent)]
    TooNew(TooNew),
    /// A version query that can't be answered.
    #[error(transparent)]
    Query(#[from] crate::query::QueryError),
    /// A package that no module provides, or too many.
    #[error(transparent)]
    Import(#[from] crate::import::ImportError),
    /// About a package on the way from those that were asked for.
    #[error("{stack}: {error}")]
    Package {
        /// The way, as errors tell it.
        stack: String,
        /// What is wrong.
        error: Box<Error>,
    },
    /// Several errors, each of which stands on a line with `go: ` before it.
    #[error("{}", Several(.0))]
    Several(Vec<Error>),
    /// Other errors, in go's words.
    #[error("{0}")]
    Text(String),
    /// What go takes for a mistake of its own. It prints an empty line before that.
    #[error("internal error: {0}\n\tPlease report this at https://go.dev/issue.")]
    Internal(String),
    /// Versions that `get` was asked for exclude each other.
    #[error(transparent)]
    Constraint(#[from] crate::edit::ConstraintError),
}

struct Several<'a>(&'a [Error]);

impl fmt::Display for Several<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0 else { return Ok(()) };
        write!(f, "{first}")?;
        rest.iter().try_for_each(|error| write!(f, "\ngo: {error}"))
    }
}

impl Error {
    /// What needs a newer release, if that is the reason (`errors.As(err, *gover.TooNewError)`).
    pub fn too_new(&self) -> Option<&TooNew> {
        match self {
            Self::TooNew(error) => Some(error),
            Self::Module(error) => error.too_new(),
            Self::BuildList(error) => error.cause.too_new(),
            Self::Package { error, .. } => error.too_new(),
            Self::Several(errors) => newest(errors.iter().filter_map(Self::too_new)),
            Self::Constraint(error) => {
                error.conflicts.iter().find_map(|conflict| conflict.error.as_ref()?.too_new())
            }
            _ => None,
        }
    }

    /// Whether no module of the build has a package that was looked for (`ImportMissingError`).
    pub fn is_missing_import(&self) -> bool {
        match self {
            Self::Import(error) => matches!(error, crate::import::ImportError::Missing(_)),
            Self::Package { error, .. } => error.is_missing_import(),
            _ => false,
        }
    }

    /// Whether the source says that there is no such thing (`errors.Is(err, fs.ErrNotExist)`).
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Module(error) => error.kind == Fault::NotExist,
            Self::BuildList(error) => error.cause.kind == Fault::NotExist,
            Self::Package { error, .. } => error.is_absence(),
            _ => false,
        }
    }
}

/// What needs the newest release; of several the one that comes first by name.
pub fn newest<'a>(needs: impl Iterator<Item = &'a TooNew>) -> Option<&'a TooNew> {
    needs.max_by(|a, b| go_version::compare(&a.version, &b.version).then_with(|| b.what.cmp(&a.what)))
}

impl ModuleError {
    fn too_new(&self) -> Option<&TooNew> {
        match &self.kind {
            Fault::TooNew(error) => Some(error),
            _ => None,
        }
    }
}

/// How the mode forbids changes, for [`Error::GoModDirty`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirtyReason {
    /// `readonly` or `vendor`, if someone or something chose it.
    pub mode: Option<String>,
    /// Why it was chosen, if nobody did.
    pub reason: Option<String>,
}

impl fmt::Display for DirtyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.mode, &self.reason) {
            (Some(mode), None) => write!(f, ", disabled by -mod={mode}; to update it:\n\tgo mod tidy"),
            (Some(mode), Some(reason)) => {
                write!(f, ", disabled by -mod={mode}\n\t({reason})\n\tto update it:\n\tgo mod tidy")
            }
            (None, _) => f.write_str("; to update it:\n\tgo mod tidy"),
        }
    }
}

/// Something needs a newer release of Go than the local one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} requires go >= {version} (running go {local}{explain})")]
pub struct TooNew {
    /// `module m@v1.0.0`, or a file.
    pub what: String,
    /// What it needs.
    pub version: String,
    /// The local release.
    pub local: String,
    /// How the local release was chosen: empty, or `; GOTOOLCHAIN=local` and the like.
    pub explain: String,
}

/// Why something about a module can't be had (`module.ModuleError`, and the errors that go wraps in it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleError {
    /// The module that the text does not name; `None` when `text` says everything.
    pub module: Option<Node>,
    /// `version` or `pseudo-version`, if the version of `module` is none of the module's.
    pub invalid: Option<&'static str>,
    /// What happened.
    pub text: String,
    /// What kind of thing happened.
    pub kind: Fault,
}

/// What callers decide by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The source says that there is no such thing (`fs.ErrNotExist`).
    NotExist,
    /// The source does not give it out, and says nothing about whether it exists.
    Refused,
    /// The path can't be a module's.
    InvalidPath,
    /// The go.sum has no line for it, and the mode wants one.
    MissingSum,
    /// The module needs a newer release of Go.
    TooNew(Box<TooNew>),
    /// Excluded or retracted (`ErrDisallowed`).
    Disallowed,
    /// Anything else.
    Other,
}

impl ModuleError {
    /// The error of a source that has no such version, or says nothing about it. A version that isn't canonical is
    /// called invalid.
    pub fn of_source(module: Node, text: impl Into<String>, kind: Fault) -> Self {
        let is_canonical = version::canonical_version(&module.version).as_deref() == Some(&*module.version);
        let noun = if pseudo::is_pseudo_version(&module.version) { "pseudo-version" } else { "version" };
        let invalid = (!module.version.is_empty() && !is_canonical).then_some(noun);
        Self { module: Some(module), invalid, text: text.into(), kind }
    }

    /// An error of no special kind about a module.
    pub fn about(module: Node, text: impl Into<String>) -> Self {
        Self { module: Some(module), invalid: None, text: text.into(), kind: Fault::Other }
    }
}

impl From<TooNew> for ModuleError {
    fn from(error: TooNew) -> Self {
        Self { module: None, invalid: None, text: error.to_string(), kind: Fault::TooNew(Box::new(error)) }
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.module, self.invalid) {
            (Some(module), Some(noun)) => {
                write!(f, "{}@{}: invalid {noun}: {}", module.path, module.version, self.text)
            }
            (Some(module), _) if module.version.is_empty() => write!(f, "module {module}: {}", self.text),
            (Some(module), _) => write!(f, "{module}: {}", self.text),
            (None, _) => f.write_str(&self.text),
        }
    }
}

impl std::error::Error for ModuleError {}

impl AboutModule for ModuleError {
    fn about(&self) -> Option<(&Node, String)> {
        let text = match self.invalid {
            Some(noun) => format!("invalid {noun}: {}", self.text),
            None => self.text.clone(),
        };
        Some((self.module.as_ref()?, text))
    }
}
