//! Go's own script suite as the judge of a module proxy.
//!
//! The suite is the acceptance test of the go command: some four hundred scripts about modules, run by the test
//! binary of cmd/go against a fixture that serves test modules and a test checksum database. An overlay lets the
//! binary take its GOPROXY from a variable instead of starting the fixture; nothing of Go's is copied, source and
//! scripts are read from GOROOT. The same binary plays the fixture, which is the upstream of the proxy on trial,
//! and run without the variable it gives the control.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::go::{Go, Missing, machine_setting};

mod binary;
mod fixture;
mod report;

pub use fixture::Fixture;
pub use report::{Report, Score, Verdict};

/// The scripts that are about modules and toolchains, as a pattern for their names.
pub const SUBJECTS: &str = "^(mod_|gotoolchain_|list_retract|work_)";

/// A module that the fixture has and nobody else.
const PROBE: &str = "example.com/ambiguous/a@v1.0.0";

/// The module of the fixture that its checksum database contradicts.
///
/// It leaves files whose names begin with a dot out of its hashes, so a proxy that proves what it serves must not ask
/// the database about it; the script about it brings its own go.sum.
pub const WRONGLY_LOGGED: &str = "example.com/dotname";

/// The variable that the overlay reads.
const PROXY_VARIABLE: &str = "MODKEEP_SCRIPTS_GOPROXY";

/// Scripts that ask the fixture itself for trouble, by paths such as `$proxy/404`: a proxy before it may answer
/// them or not.
pub const TRAPS: [&str; 13] = [
    "gotoolchain_net",
    "gotoolchain_switch_gosum",
    "mod_download_too_many_redirects",
    "mod_download_toolchain_gosum",
    "mod_gonoproxy",
    "mod_list_update_nolatest",
    "mod_proxy_invalid",
    "mod_proxy_list",
    "mod_sum_absent",
    "mod_sumdb",
    "mod_sumdb_cache",
    "mod_sumdb_file_path",
    "mod_sumdb_proxy",
];

/// Why the suite can't be run.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No Go release of that name is to be had.
    #[error("{0}")]
    Missing(#[from] Missing),
    /// A file or process of the suite failed.
    #[error("{subject}: {source}")]
    Io {
        /// The file or command.
        subject: String,
        /// What the system said.
        source: io::Error,
    },
    /// The source of this release has another shape than the overlay expects.
    #[error("{file}: expected `{text}` exactly once: this release of Go needs another overlay")]
    Shape {
        /// The source file.
        file: PathBuf,
        /// What was looked for.
        text: &'static str,
    },
    /// A command of the suite ended in failure.
    #[error("{command}: {text}")]
    Failed {
        /// The command.
        command: String,
        /// The end of what it said.
        text: String,
    },
}

impl SuiteError {
    fn io(subject: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.into();
        move |source| Self::Io { subject, source }
    }
}

/// The suite of one Go release, ready to run.
pub struct Suite {
    go: Go,
    binary: PathBuf,
    build_cache: String,
    verifier_key: String,
}

impl Suite {
    /// The suite of `go`, built into `kept` unless an earlier run left it there (a minute or more, once).
    ///
    /// # Errors
    /// When the release's source is of another shape, or doesn't build.
    pub fn build(go: &Go, kept: &std::path::Path) -> Result<Self, SuiteError> {
        let build_cache = machine_setting("GOCACHE")?;
        let binary = binary::build(go, kept, &build_cache)?;
        Ok(Self { verifier_key: fixture::verifier_key(go)?, go: go.clone(), binary, build_cache })
    }

    /// The key of the fixture's checksum database, as GOSUMDB takes it.
    pub fn verifier_key(&self) -> &str {
        &self.verifier_key
    }

    /// The build cache that the machine's own go uses, which the scripts may warm.
    pub fn build_cache(&self) -> &str {
        &self.build_cache
    }

    /// Starts the server of test modules that the proxy on trial takes as its upstream.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn fixture(&self) -> Result<Fixture, SuiteError> {
        Fixture::start(self.command())
    }

    /// Runs the scripts with `goproxy` as the client's GOPROXY; without one, with Go's own fixture.
    ///
    /// # Errors
    /// When the suite itself can't run; failing scripts are in the report.
    pub fn run(&self, goproxy: Option<&str>) -> Result<Report, SuiteError> {
        self.run_only(SUBJECTS, goproxy, |_, _| {})
    }

    /// Runs the scripts whose names match `pattern`, and tells each verdict when it is there.
    ///
    /// # Errors
    /// When the suite itself can't run; failing scripts are in the report.
    pub fn run_only(
        &self,
        pattern: &str,
        goproxy: Option<&str>,
        mut told: impl FnMut(&str, Verdict),
    ) -> Result<Report, SuiteError> {
        let name = "cmd/go's tests";
        let mut command = self.command();
        command.args(["-test.short", "-test.v", "-test.parallel=4", "-test.timeout=20m", "-test.run"]);
        command.arg(format!("TestScript/{pattern}"));
        command.envs(goproxy.map(|url| (PROXY_VARIABLE, url)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(SuiteError::io(name))?;
        let mut stderr = process.stderr.take().expect("stderr is piped");
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            // What can't be read is not complained about.
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut stdout = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let (mut report, mut line) = (Report::default(), Vec::new());
        while stdout.read_until(b'\n', &mut line).map_err(SuiteError::io(name))? > 0 {
            let text = String::from_utf8_lossy(&line);
            if let Some((script, verdict)) = report.hear(text.trim_end_matches(['\n', '\r'])) {
                told(&script, verdict);
            }
            line.clear();
        }
        process.wait().map_err(SuiteError::io(name))?;
        let text = complaints.join().unwrap_or_default();
        match report.is_empty() {
            true => Err(SuiteError::Failed { command: name.into(), text }),
            false => Ok(report),
        }
    }

    /// Whether the go command gets a module of the fixture's from `goproxy`; `place` is a folder for that.
    ///
    /// # Errors
    /// When the go command can't be run.
    pub fn reaches(&self, goproxy: &str, place: &Path) -> Result<bool, SuiteError> {
        let cache = place.join("probe");
        let mut command = self.go.command();
        command.args(["mod", "download", "-modcacherw", PROBE]).current_dir(place);
        command.env("GOMODCACHE", &cache).env("GOCACHE", &self.build_cache).env("HOME", place);
        command.env("GOPROXY", goproxy).env("GOSUMDB", "off").env("GOFLAGS", "");
        let output = command.stdin(Stdio::null()).output().map_err(SuiteError::io("go mod download"))?;
        match std::fs::remove_dir_all(&cache) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SuiteError::io(cache.display().to_string())(error))
            }
            _ => Ok(output.status.success()),
        }
    }

    /// The test binary, in the folder from which it finds its scripts.
    fn command(&self) -> Command {
        let mut command = self.go.command_of(&self.binary);
        command.current_dir(binary::source(&self.go)).env("GOCACHE", &self.build_cache);
        command
    }
}
