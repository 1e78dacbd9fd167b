//! The real go command, run in an environment of its own.
//!
//! Whatever the machine says about Go in variables or in its `env` file is forgotten before each run; what stays is
//! what a network needs (certificates, an HTTP proxy, PATH). The release whose source is the specification is asked
//! of the machine's own go, which fetches it as the module golang.org/toolchain where it isn't there yet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The release whose source is the specification.
pub const RELEASE: &str = "go1.27.3";

/// What a test needs and the machine can't give; the text says why.
#[derive(Clone, Debug)]
pub struct Missing(pub String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// One Go release on this machine.
#[derive(Clone, Debug)]
pub struct Go {
    root: PathBuf,
}

impl Go {
    /// The release whose source is the specification.
    ///
    /// # Errors
    /// When there is no go command, or it can't fetch that release.
    pub fn specification() -> Result<Self, Missing> {
        static FOUND: OnceLock<Result<Go, Missing>> = OnceLock::new();
        FOUND.get_or_init(|| Self::named(RELEASE)).clone()
    }

    /// The release called `name`, such as `go1.27.3`; `local` is the one on PATH.
    ///
    /// # Errors
    /// When there is no go command, or it can't fetch that release.
    pub fn named(name: &str) -> Result<Self, Missing> {
        Ok(Self { root: PathBuf::from(machine_says(name, "GOROOT")?) })
    }

    /// GOROOT of the release; it holds the source, the scripts and their modules.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The go command itself.
    pub fn tool(&self) -> PathBuf {
        self.root.join("bin/go")
    }

    /// A go command whose arguments the caller adds: this very release, with Go's defaults and no file of the user's.
    pub fn command(&self) -> Command {
        self.command_of(&self.tool())
    }

    /// Another program in the environment that [`Go::command`] gives to go.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        forget_settings(&mut command);
        command.env("GOENV", "off").env("GOWORK", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
        command.env("PATH", path_after(&self.root.join("bin")));
        command
    }
}

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
fn forgo_telemetry(home: &Path) -> std::io::Result<()> {
    let folder = home.join(".config/go/telemetry");
    std::fs::create_dir_all(&folder)?;
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    std::fs::write(folder.join("mode"), "off")
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

/// What the machine's own go answers to `go env NAME`.
///
/// # Errors
/// When there is no go command.
pub fn machine_setting(name: &str) -> Result<String, Missing> {
    machine_says("local", name)
}

/// What the go on PATH, acting as `release`, answers to `go env NAME`; the user's own settings hold here.
fn machine_says(release: &str, name: &str) -> Result<String, Missing> {
    let asked = Command::new("go").args(["env", name]).env("GOTOOLCHAIN", release).output();
    let output = asked.map_err(|error| Missing(format!("running the go command: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(Missing(format!("`GOTOOLCHAIN={release} go env {name}`: {}", text.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Takes every setting of Go's and of ours out of what the command inherits.
pub fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let is_setting = name.to_str().is_some_and(|name| {
            ["GO", "CGO_", "MODKEEP_", "AWS_"].iter().any(|prefix| name.starts_with(prefix))
        });
        if is_setting {
            command.env_remove(&name);
        }
    }
}

fn path_after(first: &Path) -> std::ffi::OsString {
    #[allow(clippy::disallowed_methods, reason = "tests run on the machine as it is")]
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let mut path = first.as_os_str().to_owned();
    path.push(":");
    path.push(inherited);
    path
}
