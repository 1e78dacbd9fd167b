//! Why a checksum database did not vouch for something, in the go command's words.

use std::sync::Arc;

use modkeep_module::path::ModulePath;
use modkeep_module::sumdb::check::{ReplyError, Unproved};
use modkeep_module::sumdb::head::HeadError;
use modkeep_module::sumdb::lines::LinesError;
use modkeep_module::version::ModuleVersion;
use modkeep_store::{KeyError, StoreError};

use crate::error::FetchError;

/// What there is instead of a proof. Cheap to clone: all who wait for one lookup get the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SumdbError {
    /// The name must not leave (GONOSUMDB, GOPRIVATE): nobody was asked.
    #[error("skipped (listed in GONOSUMDB)")]
    Private(ModulePath),
    /// The database has no record of it (404, 410).
    #[error("{}", .0.words())]
    Unknown(FetchError),
    /// The database, or who passes it on, refuses (any other 4xx).
    #[error("{}", .0.words())]
    Refused(FetchError),
    /// The database can't be asked now.
    #[error("{}", .0.words())]
    Unavailable(FetchError),
    /// Nobody may be asked, and it is not kept.
    #[error("not kept, and no checksum database is asked while offline")]
    Offline,
    /// A reply that can't be one of this database.
    #[error(transparent)]
    Reply(ReplyError),
    /// A head that can't be one of this database.
    #[error(transparent)]
    Head(HeadError),
    /// Longer than any reply.
    #[error("reply of {0} bytes is too long")]
    TooLong(usize),
    /// The record is not in the log.
    #[error(transparent)]
    Unproved(Unproved),
    /// The record is in the log and speaks of something else.
    #[error(transparent)]
    Lines(LinesError),
    /// What was fetched does not hash to the signed root, and neither when fetched again.
    #[error("{0}")]
    Inconsistent(String),
    /// The database signed two histories. The evidence is in the store, and nothing new is believed.
    #[error(
        "SECURITY ERROR\ngo.sum database server misbehavior detected!\n\
         {database} signed two histories. The proof is kept; nothing new is believed until it was looked at."
    )]
    Misbehaving {
        /// The database.
        database: String,
        /// Both heads and the proof, the go command's text.
        evidence: Arc<str>,
    },
    /// The log does not reach that far.
    #[error("{tile} is not in the tree of {size} records")]
    Beyond {
        /// The tile's path.
        tile: String,
        /// Records in the newest tree.
        size: u64,
    },
    /// Other replicas installed heads faster than this one.
    #[error("the head of the database is moving too fast")]
    Contended,
    /// The store failed.
    #[error("keeping what a checksum database said")]
    Store(#[source] StoreError),
    /// The name is too long to be kept under.
    #[error("keeping what a checksum database said")]
    Key(#[source] KeyError),
}

impl SumdbError {
    /// The whole sentence that the go command would print about a file of a version, `noun` being `module` or `go.mod`.
    pub fn verifying(&self, module: &ModuleVersion, noun: &str) -> String {
        match (self, noun) {
            (Self::Lines(_), _) => format!("{module}: verifying {noun}: {self}"),
            (_, "go.mod") => format!("{module}: verifying {noun}: {module}/go.mod: {self}"),
            _ => format!("{module}: verifying {noun}: {module}: {self}"),
        }
    }

    /// Whether asking again later may help: nobody said anything about the thing itself.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Offline | Self::Contended | Self::Store(_) | Self::Inconsistent(_)
        )
    }

    /// Both heads and the proof, where the database was caught.
    pub fn evidence(&self) -> Option<&str> {
        match self {
            Self::Misbehaving { evidence, .. } => Some(evidence),
            _ => None,
        }
    }
}

impl From<StoreError> for SumdbError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FetchError> for SumdbError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Private(path) => Self::Private(path),
            FetchError::Absent { .. } => Self::Unknown(error),
            FetchError::Refused { .. } => Self::Refused(error),
            FetchError::Busy { .. } | FetchError::Unreachable { .. } | FetchError::Broken { .. } => {
                Self::Unavailable(error)
            }
        }
    }
}
