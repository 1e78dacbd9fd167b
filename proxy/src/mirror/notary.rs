//! Who vouches for a version: the checksum database, asked while the file still arrives.
//!
//! The database shares one question among all who ask about a version. A version that no database is asked about is
//! taken as it first came and never changes after that.

use std::time::Duration;

use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Database, SumdbError};
use modkeep_module::hash::H1;
use modkeep_module::sumdb::Lines;
use modkeep_module::version::ModuleVersion;
use tokio_util::task::AbortOnDropHandle;

use crate::error::Problem;
use crate::mirror::chain;

/// The module of Go's own toolchains: proved even where GONOSUMDB says no (`cmd/go/internal/modfetch/sumdb.go:useSumDB`).
const TOOLCHAIN: &str = "golang.org/toolchain";
/// When to ask again for what no database could vouch for now.
const PAUSE: Duration = Duration::from_secs(10);

/// Asks the database that verifies.
pub(crate) struct Notary {
    /// `None` where none is asked about anything (GOSUMDB=off).
    database: Option<Database>,
    private: Private,
}

/// An answer that is waited for; dropped, it is not.
pub(crate) struct Question {
    asked: Option<AbortOnDropHandle<Result<Lines, SumdbError>>>,
    version: ModuleVersion,
    by: String,
}

/// Which of the two hashes of a version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Module,
    GoMod,
}

impl Line {
    /// As the go command calls it.
    fn noun(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::GoMod => "go.mod",
        }
    }

    fn of(self, lines: &Lines) -> &H1 {
        match self {
            Self::Module => &lines.zip,
            Self::GoMod => &lines.go_mod,
        }
    }
}

impl Notary {
    pub(crate) fn new(database: Option<Database>, private: Private) -> Self {
        Self { database, private }
    }

    /// Begins to ask. Must be called on the runtime.
    pub(crate) fn ask(&self, version: &ModuleVersion) -> Question {
        let is_asked = version.path.as_str() == TOOLCHAIN || !self.private.hides_from_sumdb(&version.path);
        let database = self.database.as_ref().filter(|_| is_asked);
        let by = database.map(|database| database.name().to_string()).unwrap_or_default();
        let asked = database.map(|database| {
            let (database, version) = (database.clone(), version.clone());
            AbortOnDropHandle::new(tokio::spawn(async move { database.lookup(&version).await }))
        });
        Question { asked, version: version.clone(), by }
    }
}

impl Question {
    /// Waits for the answer and holds a hash against it: the name of the database that vouches for it, `None` where
    /// none was asked.
    pub(crate) async fn proves(self, line: Line, h1: &H1) -> Result<Option<String>, Problem> {
        let (version, by) = (self.version.clone(), self.by.clone());
        let Some(lines) = self.lines(line).await? else { return Ok(None) };
        let said = line.of(&lines);
        if said == h1 {
            return Ok(Some(by));
        }
        Err(mismatch(&version, line, h1, said, &by))
    }

    /// Waits for the answer: the hash that the database has.
    pub(crate) async fn hash(self, line: Line) -> Result<Option<String>, Problem> {
        Ok(self.lines(line).await?.map(|lines| line.of(&lines).to_string()))
    }

    async fn lines(self, line: Line) -> Result<Option<Lines>, Problem> {
        let Some(asked) = self.asked else { return Ok(None) };
        let lines = asked.await.map_err(|crash| {
            tracing::error!(version = %self.version, %crash, "looking up a checksum crashed");
            Problem::Internal
        })?;
        lines.map(Some).map_err(|error| doubt(&self.version, line, &error))
    }
}

/// What it means to a client that no database vouches for a file.
fn doubt(version: &ModuleVersion, line: Line, error: &SumdbError) -> Problem {
    let text = error.verifying(version, line.noun());
    if error.is_temporary() {
        tracing::warn!(%version, error = %chain(error), "no database could be asked");
        Problem::Later { text, retry_after: PAUSE }
    } else {
        Problem::Refused { text }
    }
}

/// The refusal of a file whose hash is not the one that was vouched for, in the go command's words.
fn mismatch(version: &ModuleVersion, line: Line, downloaded: &H1, said: &H1, by: &str) -> Problem {
    let noun = line.noun();
    Problem::Refused {
        text: format!(
            "{version}: verifying {noun}: checksum mismatch\n\tdownloaded: {downloaded}\n\t{by}: {said}\n\
             SECURITY ERROR\nThis download does NOT match the one reported by the checksum server."
        ),
    }
}
