//! Coverage of tests: the profile that theirs are merged into, and what packages without tests have to tell.
//!
//! Sources: `cmd/go/internal/test:cover.go`, `cmd/go/internal/work:cover.go`.

use std::fs::{self, File};
use std::io::Write;

use modkeep_builder::cover::meta::Meta;
use modkeep_builder::perform::Outcome;
use serde::Serialize;

use super::flags::TestFlags;
use crate::goenv::{GoEnv, words};
use crate::report::{self, Failure};

/// The name of the file that names those of packages (`internal/coverage/defs.go:MetaFilesFileName`).
const NAMES_OF_META: &str = "metafiles.txt";

/// The merged profile.
pub(super) struct Profile {
    file: File,
    /// The line that each profile begins with.
    head: String,
}

impl Profile {
    /// Begins it if it is asked for; what was there is gone even if no test runs.
    pub(super) fn begin(go: &GoEnv, flags: &TestFlags, mode: &str) -> Result<Option<Self>, Failure> {
        let path = flags.cover_profile_path(go);
        if path.is_empty() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| Failure::exact(1, format!("open {path}: {}", words(&error)));
        let mut file = File::create(&path).map_err(failed)?;
        let head = format!("mode: {mode}\n");
        file.write_all(head.as_bytes()).map_err(failed)?;
        Ok(Some(Self { file, head }))
    }

    /// Appends what a test wrote; false if that is no profile, which is told.
    pub(super) fn merge(&mut self, name: &str, profile: &[u8]) -> bool {
        if profile.is_empty() {
            return true;
        }
        let Some(rest) = profile.strip_prefix(self.head.as_bytes()) else {
            let expected = modkeep_module::quote::quote(&self.head);
            let begin = String::from_utf8_lossy(&profile[..profile.len().min(self.head.len())]).into_owned();
            let found = modkeep_module::quote::quote(&begin);
            let reason = if begin.len() < self.head.len() { "unexpected EOF" } else { "<nil>" };
            report::tell(&format!(
                "test wrote malformed coverage profile {name}: header {found}, expected {expected}: {reason}"
            ));
            return false;
        };
        let written = self.file.write_all(rest);
        if let Err(error) = &written {
            report::tell(&format!("saving coverage profile: {}", words(error)));
        }
        written.is_ok()
    }
}

/// A file of the cover tool; none for a package without functions, whose file is empty.
pub(super) fn meta(path: &str) -> Result<Option<Meta>, Failure> {
    let bytes =
        fs::read(path).map_err(|error| Failure::exact(1, format!("open {path}: {}", words(&error))))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Meta::parse(&bytes).map(Some).map_err(|error| Failure::exact(1, format!("{path}: {error}")))
}

/// What tests of other packages must know to count what they don't contain (`MetaFileCollection`).
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Others {
    import_paths: Option<Vec<String>>,
    meta_file_fragments: Option<Vec<String>>,
    /// What their results follow from.
    #[serde(skip)]
    key: String,
}

impl Others {
    /// The packages of some compiled nodes, as far as they have something to cover.
    pub(super) fn of<'a>(outcome: &Outcome, nodes: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut others = Self::default();
        for (path, node) in nodes {
            if let Some(compiled) = outcome.compiled(node) {
                others.key.push_str(&format!(" {}", compiled.action.short()));
            }
            let Some(file) = outcome.coverage(node) else { continue };
            if fs::metadata(file).is_ok_and(|found| found.len() > 0) {
                others.import_paths.get_or_insert_default().push(path.to_owned());
                others.meta_file_fragments.get_or_insert_default().push(file.to_owned());
            }
        }
        others
    }

    /// What a result depends on beside the program.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Puts it where a test that counts there finds it.
    pub(super) fn write(&self, folder: &str) -> std::io::Result<()> {
        let text = crate::gojson::compact(self).unwrap_or_default() + "\n";
        File::create(format!("{folder}/{NAMES_OF_META}"))?.write_all(text.as_bytes())
    }
}
