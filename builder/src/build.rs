//! What is built with, for which target, and with which flags: what the go command keeps in `cfg`, for one target.

use std::collections::BTreeMap;

use crate::package_flags::PackageFlags;
use crate::platform;
use crate::tags::{self, Instrument, Settings, Tags, TagsError};
use crate::target::Target;
use crate::toolchain::Toolchain;

/// The settings of a build for one target.
#[derive(Clone, Debug)]
pub struct Build {
    /// The toolchain.
    pub toolchain: Toolchain,
    /// GOOS and GOARCH.
    pub target: Target,
    /// GOAMD64, GOARM64 and so on, by the architecture; empty is the default.
    pub level: String,
    /// GOEXPERIMENT as it was given.
    pub experiments: String,
    /// Whether cgo is enabled.
    pub cgo: bool,
    /// The words of `-tags`.
    pub tags: Vec<String>,
    /// `-race`, `-msan`, `-asan`.
    pub instrument: Option<Instrument>,
    /// `-cover`, for builds as well as for tests.
    pub cover: bool,
    /// `-covermode`; `set`, or `atomic` with `-race`.
    pub cover_mode: String,
    /// `-coverpkg`.
    pub cover_packages: Vec<String>,
    /// `-buildmode`.
    pub mode: BuildMode,
    /// `-trimpath`.
    pub trimpath: bool,
    /// `-buildvcs`.
    pub vcs: Stamp,
    /// `-pgo`.
    pub pgo: Profile,
    /// `-asmflags`.
    pub asmflags: PackageFlags,
    /// `-gcflags`.
    pub gcflags: PackageFlags,
    /// `-ldflags`.
    pub ldflags: PackageFlags,
    /// CGO_CFLAGS, CGO_CPPFLAGS, CGO_CXXFLAGS, CGO_FFLAGS and CGO_LDFLAGS as the environment or the defaults say.
    pub c_variables: BTreeMap<String, String>,
    /// The current folder, absolute.
    pub folder: String,
    /// GOBIN; empty when it isn't set.
    pub gobin: String,
    /// The first folder of GOPATH.
    pub gopath: String,
    /// Whether links to files are embedded (`GODEBUG=embedfollowsymlinks=1`).
    pub embeds_links: bool,
}

/// `-buildmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuildMode {
    /// As the target has it.
    #[default]
    Default,
    /// `exe`
    Executable,
    /// `pie`
    Pie,
    /// `archive`
    Archive,
    /// Another that go has and the builder hasn't; it refuses to build.
    Lacking(&'static str),
}

/// `-buildvcs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// Where it can be had.
    #[default]
    Auto,
    /// Or fail.
    Always,
    /// Not at all.
    Never,
}

/// `-pgo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// `default.pgo` in the folder of a main package.
    #[default]
    Auto,
    /// None.
    Off,
    /// This file.
    File(String),
}

impl Build {
    /// A build without flags.
    pub fn new(toolchain: Toolchain, target: Target, folder: &str) -> Self {
        let cgo = target == toolchain.host;
        Self {
            toolchain,
            target,
            level: String::new(),
            experiments: String::new(),
            cgo,
            tags: Vec::new(),
            instrument: None,
            cover: false,
            cover_mode: "set".to_owned(),
            cover_packages: Vec::new(),
            mode: BuildMode::default(),
            trimpath: false,
            vcs: Stamp::default(),
            pgo: Profile::default(),
            asmflags: PackageFlags::default(),
            gcflags: PackageFlags::default(),
            ldflags: PackageFlags::default(),
            c_variables: BTreeMap::new(),
            folder: folder.to_owned(),
            gobin: String::new(),
            gopath: String::new(),
            embeds_links: false,
        }
    }

    /// The build tags that hold.
    ///
    /// # Errors
    /// For an unknown experiment or level.
    pub fn build_tags(&self) -> Result<Tags, TagsError> {
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        Tags::new(&self.settings(&tags))
    }

    /// The tags that the toolchain itself chooses, in go's order.
    ///
    /// # Errors
    /// For an unknown experiment or level.
    pub fn tool_tags(&self) -> Result<Vec<String>, TagsError> {
        tags::tool_tags(&self.settings(&[]))
    }

    fn settings<'a>(&'a self, tags: &'a [&'a str]) -> Settings<'a> {
        Settings {
            release: self.toolchain.release,
            os: &self.target.os,
            arch: &self.target.arch,
            cgo: self.cgo,
            level: &self.level,
            experiments: &self.experiments,
            tags,
            instrument: self.instrument,
        }
    }

    /// The experiments that differ from those that are on anyway; those that are refused are refused with the tags.
    pub(crate) fn clean_experiments(&self) -> String {
        if self.experiments.is_empty() {
            return String::new();
        }
        tags::differing_experiments(&self.settings(&[])).unwrap_or_default()
    }

    /// Whether tests can be fuzzed on the target (`platform.FuzzSupported`).
    pub fn can_fuzz(&self) -> bool {
        matches!(self.target.os.as_str(), "darwin" | "freebsd" | "linux" | "openbsd" | "windows")
    }

    /// Whether the compiler can instrument for fuzzing on the target (`platform.FuzzInstrumented`).
    pub(crate) fn is_fuzz_instrumented(&self) -> bool {
        matches!(self.target.arch.as_str(), "amd64" | "arm64" | "loong64") && self.can_fuzz()
    }

    /// The variable that chooses the level of the architecture, and its value (`cfg.GetArchEnv`).
    pub fn level_variable(&self) -> Option<(&'static str, &str)> {
        let (name, default) = platform::level_variable(&self.target.arch)?;
        Some((name, if self.level.is_empty() { default } else { &self.level }))
    }

    /// Whether it is built for the platform that the tools run on.
    pub fn is_native(&self) -> bool {
        self.target == self.toolchain.host
    }
}

impl BuildMode {
    /// The word after `-buildmode=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Executable => "exe",
            Self::Pie => "pie",
            Self::Archive => "archive",
            Self::Lacking(mode) => mode,
        }
    }
}
