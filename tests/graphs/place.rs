//! A folder in which go and we work one after the other, so that absolute paths are equal too.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_module::ModuleVersion;
use modkeep_module::zip::{Kind, Source, create};
use tempfile::TempDir;

/// Output and status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Go,
    We,
}

/// The folder: `w` with a main module, `px` with a registry, `gopath`, and `home`.
pub(crate) struct Place {
    go: Go,
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(go: &Go) -> Self {
        Self { go: go.clone(), folder: modkeep_harness::place::quick_folder("graphs-") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and the folders above it.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        put(&self.path(name), content.as_ref());
    }

    /// Adds a version to the registry; its zip holds the go.mod and nothing else.
    pub(crate) fn publish(&self, path: &str, version: &str, go_mod: impl AsRef<[u8]>) {
        let at = format!("px/{path}/@v");
        self.put(&format!("{at}/{version}.mod"), &go_mod);
        let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2020-01-01T00:00:00Z\"}}");
        self.put(&format!("{at}/{version}.info"), info);
        let list = fs::read_to_string(self.path(&format!("{at}/list"))).unwrap_or_default();
        self.put(&format!("{at}/list"), format!("{list}{version}\n"));
        if let Some(zip) = zip(path, version, go_mod.as_ref()) {
            self.put(&format!("{at}/{version}.zip"), zip);
        }
    }

    /// What they say in the main module.
    pub(crate) fn ask(&self, who: Who, line: &str) -> Said {
        let mut command = match who {
            Who::Go => self.go.command(),
            Who::We => Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), &self.path("home")),
        };
        self.settle(&mut command);
        command.args(line.split_whitespace());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }
    }

    fn settle(&self, command: &mut Command) {
        let proxy = format!("file://{}", self.path("px").display());
        command.current_dir(self.path("w")).env("PWD", self.path("w")).env("HOME", self.path("home"));
        command.env("GOPATH", self.path("gopath")).env("GOROOT", self.go.root()).env("GOENV", "off");
        command.env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("GOSUMDB", "off");
        command.env("GOPROXY", proxy).env("GOFLAGS", "-modcacherw -mod=mod").env_remove("XDG_CACHE_HOME");
    }

    /// Forgets what a command left.
    pub(crate) fn clear(&self, names: &[&str]) {
        for name in names {
            let path = self.path(name);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

pub(crate) fn put(file: &Path, content: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a file of the test's own")]
    fs::write(file, content).unwrap();
}

struct GoMod<'a>(&'a [u8]);

impl Source for GoMod<'_> {
    fn path(&self) -> &[u8] {
        b"go.mod"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn open(&self) -> std::io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.0))
    }
}

fn zip(path: &str, version: &str, go_mod: &[u8]) -> Option<Vec<u8>> {
    let module = ModuleVersion::parse(path, version).ok()?;
    let mut zip = Cursor::new(Vec::new());
    create(&mut zip, &module, &[GoMod(go_mod)]).ok()?;
    Some(zip.into_inner())
}
