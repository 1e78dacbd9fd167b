//! The real go command as the tests use it: clients of their own, and the machine's registry.
//!
//! What finds and runs a release is `modkeep_conformance::go`, which the program ships.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_conformance::go::{Go, Missing, forget_settings, machine_setting};
use tempfile::TempDir;

use crate::place::kept_folder;

/// A client machine: a go command with module cache, build cache and folders that nobody else uses.
pub struct Client {
    go: Go,
    home: TempDir,
    settings: Vec<(String, String)>,
}

impl Client {
    /// A client with empty caches that asks `goproxy` for modules.
    ///
    /// # Errors
    /// When the temporary folder can't be made.
    pub fn new(go: &Go, goproxy: &str) -> std::io::Result<Self> {
        let settings = vec![("GOPROXY".to_owned(), goproxy.to_owned())];
        let home = TempDir::with_prefix("modkeep-client-")?;
        forgo_telemetry(home.path())?;
        Ok(Self { go: go.clone(), home, settings })
    }

    /// Sets one more of Go's variables, such as GOSUMDB.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder of the client; `work` under it is free for modules.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder that holds the client's module cache.
    pub fn module_cache(&self) -> PathBuf {
        self.home.path().join("gopath/pkg/mod")
    }

    /// A go command of this client whose arguments and folder the caller adds.
    pub fn command(&self) -> Command {
        let mut command = self.go.command();
        command.env_remove("XDG_CONFIG_HOME").env("HOME", self.home.path());
        command.env("GOPATH", self.home.path().join("gopath"));
        command
            .env("GOCACHE", self.home.path().join("gocache"))
            .env("GOFLAGS", "-modcacherw -buildvcs=false");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs go in `folder` and waits for it.
    ///
    /// # Errors
    /// When the command can't be started.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
        self.command().current_dir(folder).args(arguments).output()
    }
}

/// Go's telemetry has a process of its own, which would write to the folder after the client is gone.
pub(crate) fn forgo_telemetry(home: &Path) -> std::io::Result<()> {
    let folder = home.join(".config/go/telemetry");
    std::fs::create_dir_all(&folder)?;
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    std::fs::write(folder.join("mode"), "off")
}

/// A program of a Go module, `MODULE/…@VERSION`, built once for all tests.
///
/// # Errors
/// When there is no go command, or it can't build it here.
pub fn install(program: &str) -> Result<PathBuf, Missing> {
    let folder = kept_folder().join("bin");
    let failed = |error: std::io::Error| Missing(format!("building {program}: {error}"));
    let (path, _) = program.split_once('@').unwrap_or((program, ""));
    let name = path.rsplit('/').next().unwrap_or(path);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let lock = File::create(folder.join(format!("{name}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let built = folder.join(name);
    if !built.exists() {
        let mut install = Command::new("go");
        forget_settings(&mut install);
        install.env("GOENV", "off").env("GOPROXY", machine_proxy()?).env("GOBIN", &folder);
        let output = install.args(["install", program]).output().map_err(failed)?;
        if !output.status.success() {
            return Err(Missing(format!("building {program}: {}", String::from_utf8_lossy(&output.stderr))));
        }
    }
    Ok(built)
}

/// Where the machine itself gets modules from, as its own go says.
///
/// # Errors
/// When there is no go command, or it may not download at all.
pub fn machine_proxy() -> Result<String, Missing> {
    let list = machine_setting("GOPROXY")?;
    let first = list.split([',', '|']).next().unwrap_or_default();
    if matches!(first, "" | "off" | "direct") {
        return Err(Missing(format!("the machine's GOPROXY is `{list}`, no registry to fetch modules from")));
    }
    Ok(first.to_owned())
}
