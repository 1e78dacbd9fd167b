//! The two checksums of a version that a proved record speaks of, and the go command's words where they do not do.

use super::check::ProvedRecord;
use super::record::Record;
use crate::hash::H1;
use crate::version::ModuleVersion;

/// What a database says about one version: the checksums of its zip and of its go.mod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The `h1:` of the zip.
    pub zip: H1,
    /// The `h1:` of the go.mod file.
    pub go_mod: H1,
}

/// A proved record that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinesError {
    /// It has no line about this file of this version (`cmd/go/internal/modfetch/fetch.go:checkSumDB`).
    #[error(
        "checksum missing from sumdb response\n\nSECURITY ERROR\n\
         This download does NOT match one reported by the checksum server.\n\
         The checksum server has provided checksums, but the checksums do\n\
         not contain an entry for the download.\n\
         The checksum server may be malfunctioning, or an attacker may have\n\
         intercepted the checksum request.\n\
         The download cannot be verified.\n\n\
         For more information, see 'go help module-auth'.\n"
    )]
    Missing {
        /// `module` or `go.mod`, as the go command says it.
        noun: &'static str,
    },
    /// Its line has something else where the checksum is.
    #[error("`{checksum}` is no checksum")]
    Malformed {
        /// `module` or `go.mod`.
        noun: &'static str,
        /// What stands there.
        checksum: String,
    },
}

impl LinesError {
    /// What could not be verified: `module` or `go.mod`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Missing { noun } | Self::Malformed { noun, .. } => noun,
        }
    }
}

impl Lines {
    /// The lines about a version in a proved record. Both must be there: one answer serves zip and go.mod.
    ///
    /// # Errors
    /// When a line is missing, or holds no hash.
    pub fn find(record: &ProvedRecord, module: &ModuleVersion) -> Result<Lines, LinesError> {
        let record = record.record();
        let version = module.version.as_str();
        Ok(Lines {
            zip: checksum(record, module, version, "module")?,
            go_mod: checksum(record, module, &format!("{version}/go.mod"), "go.mod")?,
        })
    }
}

fn checksum(
    record: &Record,
    module: &ModuleVersion,
    version: &str,
    noun: &'static str,
) -> Result<H1, LinesError> {
    let checksum = record.checksum(module.path.as_str(), version).ok_or(LinesError::Missing { noun })?;
    H1::parse(checksum).map_err(|_| LinesError::Malformed { noun, checksum: checksum.to_owned() })
}

/// The refusal of a file whose checksum is not the recorded one, in the go command's words
/// (`cmd/go/internal/modfetch/fetch.go:checkSumDB`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{module}: verifying {noun}: checksum mismatch\n\tdownloaded: {downloaded}\n\t{database}: {recorded}\n\n\
     SECURITY ERROR\nThis download does NOT match the one reported by the checksum server.\n\
     The bits may have been replaced on the origin server, or an attacker may\n\
     have intercepted the download attempt.\n\n\
     For more information, see 'go help module-auth'.\n"
)]
pub struct Mismatch {
    /// The version.
    pub module: ModuleVersion,
    /// `module` or `go.mod`.
    pub noun: &'static str,
    /// The checksum of what came.
    pub downloaded: H1,
    /// The database's name.
    pub database: String,
    /// The checksum that the database has.
    pub recorded: String,
}
