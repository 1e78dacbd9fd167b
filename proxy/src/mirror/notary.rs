//! Who vouches for a version: the checksum database, asked once for all the files of it.
//!
//! One question is in the air per version, however many files and clients wait for it. A version that no database is
//! asked about is taken as it first came and never changes after that.

use modkeep_module::hash::H1;
use modkeep_module::version::ModuleVersion;
use tokio::sync::watch;

use crate::error::Problem;
use crate::mirror::flight::{Flights, Hangar, landed};

/// What a database says of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Testimony {
    /// The name of the database.
    pub(crate) by: String,
    pub(crate) zip: H1,
    pub(crate) go_mod: H1,
}

/// Asks the database that verifies.
pub(crate) struct Notary {
    questions: Flights<ModuleVersion, Option<Result<Testimony, Problem>>>,
}

/// An answer that is waited for; nobody to ask is `None`.
pub(crate) type Question = Option<watch::Receiver<Option<Result<Testimony, Problem>>>>;

impl Notary {
    pub(crate) fn new(hangar: &Hangar) -> Self {
        Self { questions: Flights::new(hangar) }
    }

    /// Begins to ask; the answer is awaited with [`testimony`].
    pub(crate) fn ask(&self, version: &ModuleVersion) -> Question {
        let _ = version;
        None
    }

    /// Questions in the air.
    pub(crate) fn lookups(&self) -> usize {
        self.questions.len()
    }
}

/// What came of a question; `None` where nobody was asked.
pub(crate) async fn testimony(question: Question) -> Result<Option<Testimony>, Problem> {
    let Some(question) = question else { return Ok(None) };
    match landed(question).await {
        Some(answer) => answer.map(Some),
        None => Err(Problem::Internal),
    }
}

/// The refusal of a file whose hash is not the one that was vouched for, in the go command's words.
pub(crate) fn mismatch(version: &ModuleVersion, what: &str, downloaded: &H1, said: &H1, by: &str) -> Problem {
    Problem::Refused {
        text: format!(
            "{version}: verifying {what}: checksum mismatch\n\tdownloaded: {downloaded}\n\t{by}: {said}\n\
             SECURITY ERROR\nThis download does NOT match the one reported by the checksum server."
        ),
    }
}
