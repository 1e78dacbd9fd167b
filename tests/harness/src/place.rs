//! Where tests keep what is dear to make, and how much of a test is wanted.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folder under the target folder that holds what is built once for all tests: judges, test binaries.
///
/// # Panics
/// When the running test isn't in a target folder of cargo's.
pub fn kept_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    let target = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.expect("cargo marks its target folder").join("modkeep-tests")
}

/// A folder for many small files that nobody needs later: in memory, where the machine has such a place.
///
/// # Panics
/// When it can't be made.
pub fn quick_folder(prefix: &str) -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = TempDir::with_prefix_in(prefix, memory).or_else(|_| TempDir::with_prefix(prefix));
    made.expect("a folder of the test's own")
}

/// Whether the full counts and the big programs are asked for, with `MODKEEP_FULL=1`.
pub fn full_run() -> bool {
    #[allow(clippy::disallowed_methods, reason = "how much to test is said by whoever runs the tests")]
    std::env::var_os("MODKEEP_FULL").is_some_and(|value| value == "1")
}

/// The program to test: `built`, or the one that `MODKEEP_TEST_PROGRAM` names.
///
/// So a release that is there already can be measured by tests that were not built as one.
pub fn program(built: &str) -> PathBuf {
    given_program().unwrap_or_else(|| built.into())
}

/// The program that `MODKEEP_TEST_PROGRAM` names.
pub fn given_program() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "what to test is said by whoever runs the tests")]
    std::env::var_os("MODKEEP_TEST_PROGRAM").filter(|program| !program.is_empty()).map(PathBuf::from)
}

/// Whether whole programs keep their stores in a bucket, as `MODKEEP_TEST_STORE=s3` asks.
///
/// # Panics
/// When it asks for anything else.
pub fn wants_bucket() -> bool {
    #[allow(clippy::disallowed_methods, reason = "where to test is said by whoever runs the tests")]
    let wanted = std::env::var("MODKEEP_TEST_STORE").unwrap_or_default();
    assert!(matches!(&*wanted, "" | "folder" | "s3"), "MODKEEP_TEST_STORE is {wanted:?}, not folder or s3");
    wanted == "s3"
}

/// Says on the terminal, past the capture of the test runner, that a test did not run and why.
pub fn skip(test: &str, why: &dyn std::fmt::Display) {
    tell(&format!("skipped {test}: {why}"));
}

/// Says a result on the terminal, past the capture of the test runner.
pub fn tell(text: &str) {
    let line = format!("{text}\n");
    std::io::stderr().lock().write_all(line.as_bytes()).expect("stderr can be written");
}
