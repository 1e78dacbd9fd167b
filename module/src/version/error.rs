//! What can be wrong with a version, alone or beside a module path; the texts are Go's.

use crate::path::PathError;
use crate::quote::quote;

/// A version that breaks a rule; reads as Go's `module.InvalidVersionError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {} invalid: {problem}", noun(*pseudo), quote(version))]
pub struct VersionError {
    /// The text as given.
    pub version: String,
    /// Whether it was meant to be a pseudo-version.
    pub pseudo: bool,
    /// The rule it breaks.
    pub problem: VersionProblem,
}

impl VersionError {
    pub(crate) fn new(version: &str, problem: VersionProblem) -> Self {
        Self { version: version.to_owned(), pseudo: false, problem }
    }

    pub(crate) fn pseudo(version: &str, problem: VersionProblem) -> Self {
        Self { version: version.to_owned(), pseudo: true, problem }
    }
}

/// The rule a version breaks; reads as Go says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each is its meaning")]
pub enum VersionProblem {
    #[error("not a semantic version")]
    NotSemantic,
    /// Ours: Go has no type for canonical versions.
    #[error("not canonical (should be {})", quote(.0))]
    NotCanonical(String),
    #[error("should be {want}, not {got}")]
    Major { want: String, got: String },
    #[error("disallowed version string")]
    Disallowed,
    /// Ours: Go lets letters beyond ASCII pass the check and says `internal error` when it escapes them.
    #[error("not ASCII")]
    NotAscii,
    /// Ours: a version of the module, asked for as if it were a branch.
    #[error("a version, not a query")]
    NotAQuery,
    #[error("syntax error")]
    PseudoSyntax,
    #[error("malformed time {}", quote(.0))]
    PseudoTime(String),
    #[error("lacks base version, but has build metadata {}", quote(.0))]
    BuildWithoutBase(String),
    #[error("version before {0} would have negative patch number")]
    NegativePatch(String),
}

/// A module and a version that cannot go together; reads as Go's `module.Check` says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// The path alone is refused.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The version alone is refused, or does not fit the path.
    #[error("{path}@{}: invalid {}: {}", error.version, noun(error.pseudo), error.problem)]
    Version {
        /// The module asked for.
        path: String,
        /// What is wrong with its version.
        error: VersionError,
    },
}

fn noun(pseudo: bool) -> &'static str {
    if pseudo { "pseudo-version" } else { "version" }
}
