//! An installed Go toolchain: its folder, its release, and the lists that it brings along.

pub mod unpacked;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::release::Release;
use crate::target::Target;

/// A toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// GOROOT.
    pub root: String,
    /// Its version, such as `go1.27.3`, as `runtime.Version` gives it.
    pub version: String,
    /// The release that decides about rules.
    pub release: Release,
    /// The platform that its tools run on.
    pub host: Target,
}

/// Why a folder is no toolchain that can be built with.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// VERSION can't be read.
    #[error("reading {}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The release is none of those that are supported.
    #[error("toolchain {version} in {root} is not supported")]
    Release {
        /// GOROOT.
        root: String,
        /// What VERSION says.
        version: String,
    },
}

impl Toolchain {
    /// The toolchain in a folder.
    ///
    /// # Errors
    /// For a folder without a VERSION file, and for a release that isn't supported.
    pub fn at(root: &str, host: Target) -> Result<Self, ToolchainError> {
        let path = Path::new(root).join("VERSION");
        let text = fs::read_to_string(&path).map_err(|source| ToolchainError::Version { path, source })?;
        let version = text.lines().next().unwrap_or_default().trim().to_owned();
        match Release::parse(&version) {
            Some(release) => Ok(Self { root: root.to_owned(), version, release, host }),
            None => Err(ToolchainError::Release { root: root.to_owned(), version }),
        }
    }

    /// What keys of the build cache are salted with: the version without its experiments.
    pub fn salt(&self) -> &str {
        self.version.split(" X:").next().unwrap_or(&self.version)
    }

    /// Whether it can compile a module with this go line (`allowedVersion`).
    pub fn allows(&self, go_version: &str) -> bool {
        let local = self.salt().trim_start_matches("go");
        go_version.is_empty() || modkeep_resolver::go_version::compare(local, go_version).is_ge()
    }

    /// GOROOT/src.
    pub fn sources(&self) -> String {
        format!("{}/src", self.root)
    }

    /// The folder of its tools.
    pub fn tools(&self) -> String {
        format!("{}/pkg/tool/{}_{}", self.root, self.host.os, self.host.arch)
    }
}
