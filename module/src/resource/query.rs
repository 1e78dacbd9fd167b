//! A question for a version: a branch, a tag, a commit or another name, asked of a module.

use super::ResourceError;
use crate::escape::{escape_ascii, escape_version};
use crate::path::ModulePath;
use crate::version::{ModuleVersion, VersionError, VersionProblem};

/// A revision name of a module that is not one of its versions; the answer changes with time.
///
/// `v2.0.0` asked of a module without `/v2` is a query, because `v2.0.0+incompatible` may be the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    module: ModulePath,
    revision: String,
}

impl Query {
    /// Checks that the revision can be asked for and is neither a version of the module nor a word that the go
    /// command resolves itself.
    pub fn new(module: ModulePath, revision: &str) -> Result<Self, ResourceError> {
        if matches!(revision, "latest" | "upgrade" | "patch") {
            return Err(ResourceError::ClientQuery { module, word: revision.to_owned() });
        }
        escape_version(revision)?;
        if ModuleVersion::parse(module.as_str(), revision).is_ok() {
            return Err(VersionError::new(revision, VersionProblem::NotAQuery).into());
        }
        Ok(Self { module, revision: revision.to_owned() })
    }

    /// The module that is asked about.
    pub fn module(&self) -> &ModulePath {
        &self.module
    }

    /// The name as people write it.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The name as it stands in URLs and file names.
    pub fn escaped(&self) -> String {
        escape_ascii(&self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_neither_a_version_nor_a_word_of_the_go_command() {
        for (revision, want) in [
            ("main", None),
            ("v1", None),
            ("v2.0.0", None),
            ("v1.0.0+meta", None),
            ("Latest", None),
            ("v1.0.0", Some("version \"v1.0.0\" invalid: a version, not a query")),
            ("v2.0.0+incompatible", Some("version \"v2.0.0+incompatible\" invalid: a version, not a query")),
            ("upgrade", Some("x.y/z@upgrade: invalid version: a query that the go command resolves itself")),
            ("feature/x", Some("version \"feature/x\" invalid: disallowed version string")),
            ("é", Some("version \"é\" invalid: not ASCII")),
        ] {
            let module = ModulePath::parse("x.y/z").unwrap();
            let got = Query::new(module, revision).err().map(|error| error.to_string());
            assert_eq!(got.as_deref(), want, "{revision}");
        }
    }
}
