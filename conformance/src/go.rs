//! The real go command of one release, run in an environment of its own.
//!
//! Whatever the machine says about Go in variables or in its `env` file is forgotten before each run; what stays is
//! what a network needs (certificates, an HTTP proxy, PATH). The release whose source is the specification is asked
//! of the machine's own go, which fetches it as the module golang.org/toolchain where it isn't there yet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The release whose source is the specification.
pub const RELEASE: &str = "go1.27.3";

/// What the machine can't give; the text says why.
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

    /// Its name, such as `go1.27.3`; the one of the specification where GOROOT does not say it.
    pub fn release(&self) -> String {
        let version = std::fs::read_to_string(self.root.join("VERSION")).unwrap_or_default();
        version.lines().next().filter(|name| name.starts_with("go")).unwrap_or(RELEASE).to_owned()
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
    #[allow(clippy::disallowed_methods, reason = "what it starts runs on the machine as it is")]
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let mut path = first.as_os_str().to_owned();
    path.push(":");
    path.push(inherited);
    path
}
