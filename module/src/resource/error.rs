//! Why a URL path names nothing that a proxy serves.

use crate::escape::EscapeError;
use crate::path::ModulePath;
use crate::quote::quote;
use crate::version::{ModuleError, VersionError};

/// A request for nothing that can exist. To the go command each is a 404: it may ask the next proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// The path is spelled in a way that no resource is.
    #[error("{problem} in path {}", quote(path))]
    Url {
        /// The path as it came.
        path: String,
        /// What is wrong with it.
        problem: UrlProblem,
    },
    /// The module or the version is not an escaped one.
    #[error(transparent)]
    Escape(#[from] EscapeError),
    /// The version does not fit the module.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The name of a revision is one that cannot be asked for.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A `.mod` or a `.zip` was asked of what is not a canonical version.
    #[error("{module}@{version}: unrecognized version")]
    UnrecognizedVersion {
        /// The module.
        module: ModulePath,
        /// What was asked for.
        version: String,
    },
    /// `latest`, `upgrade` and `patch` are words that the go command answers itself.
    #[error("{module}@{word}: invalid version: a query that the go command resolves itself")]
    ClientQuery {
        /// The module.
        module: ModulePath,
        /// The word.
        word: String,
    },
    /// A name that no checksum database can have.
    #[error("invalid sumdb name (must be host[/path]): {0}")]
    DatabaseName(String),
    /// A checksum database has no such request.
    #[error("invalid request {} to checksum database {database}", quote(request))]
    SumdbRequest {
        /// The database.
        database: String,
        /// What was asked of it.
        request: String,
    },
}

impl ResourceError {
    pub(super) fn url(path: &str, problem: UrlProblem) -> Self {
        Self::Url { path: path.to_owned(), problem }
    }
}

/// What is wrong with the spelling of a URL path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each is its meaning")]
pub enum UrlProblem {
    #[error("missing leading slash")]
    Relative,
    #[error("invalid percent-encoding")]
    PercentEncoding,
    #[error("invalid character {0:?}")]
    Character(char),
    #[error("encoded slash")]
    EncodedSlash,
    #[error("empty element")]
    EmptyElement,
    #[error("dot element")]
    DotElement,
    #[error("no known resource")]
    Unknown,
    #[error("more bytes than any resource has")]
    TooLong,
}
