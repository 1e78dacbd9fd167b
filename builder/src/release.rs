//! What differs between the Go releases that are supported, and the lists of a release that name targets.
//!
//! Everything else in this crate asks here; no other room compares release numbers.

/// A minor release of Go that can be built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// Go 1.26.
    Go1_26,
    /// Go 1.27.
    Go1_27,
}

/// Operating systems that count in file names, with those for which `unix` holds
/// (`internal/syslist:KnownOS`, `UnixOS`).
const SYSTEMS: [(&str, bool); 18] = [
    ("aix", true),
    ("android", true),
    ("darwin", true),
    ("dragonfly", true),
    ("freebsd", true),
    ("hurd", true),
    ("illumos", true),
    ("ios", true),
    ("js", false),
    ("linux", true),
    ("nacl", false),
    ("netbsd", true),
    ("openbsd", true),
    ("plan9", false),
    ("solaris", true),
    ("wasip1", false),
    ("windows", false),
    ("zos", false),
];

/// Architectures that count in file names (`internal/syslist:KnownArch`).
const ARCHITECTURES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "arm64",
    "arm64be",
    "armbe",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

impl Release {
    /// The release of a toolchain's name, such as `go1.27.3`; `None` for one that isn't supported.
    pub fn parse(toolchain: &str) -> Option<Self> {
        let version = toolchain.strip_prefix("go1.")?;
        let minor = version.split(|c: char| !c.is_ascii_digit()).next()?;
        match minor {
            "26" => Some(Self::Go1_26),
            "27" => Some(Self::Go1_27),
            _ => None,
        }
    }

    /// N of the newest release tag `go1.N`.
    pub fn minor(self) -> u32 {
        match self {
            Self::Go1_26 => 26,
            Self::Go1_27 => 27,
        }
    }

    /// The experiments that are on for a target when nobody asks for any
    /// (`internal/buildcfg/exp.go:ParseGOEXPERIMENT`).
    pub fn default_experiments(self, os: &str, arch: &str) -> Vec<&'static str> {
        let mut experiments = Vec::new();
        if self.has_register_calls(arch) {
            experiments.extend(REGISTER_CALLS);
        }
        if !matches!(os, "darwin" | "ios" | "aix") {
            experiments.push("dwarf5");
        }
        experiments.extend(["greenteagc", "randomizedheapbase64"]);
        if self >= Self::Go1_27 {
            experiments.extend(["jsonv2", "sizespecializedmalloc"]);
        }
        experiments
    }

    /// Whether the register calling convention can be had on the architecture; it is on by default.
    pub fn has_register_calls(self, arch: &str) -> bool {
        matches!(arch, "amd64" | "arm64" | "loong64" | "ppc64" | "ppc64le" | "riscv64" | "s390x")
    }

    /// Whether the register calling convention can't be turned off on the architecture.
    pub fn insists_on_register_calls(self, arch: &str) -> bool {
        self.has_register_calls(arch) && (arch != "s390x" || self >= Self::Go1_27)
    }

    /// Whether the Go linker alone makes position-independent programs for Linux on the architecture, ppc64 or s390x;
    /// on ppc64 the same holds of programs with cgo.
    pub fn links_linux_pie_itself(self, arch: &str) -> bool {
        matches!(arch, "ppc64" | "s390x") && self >= Self::Go1_27
    }

    /// Whether importing `simd` implies its bridge to the compiler on the architecture.
    pub fn has_simd_bridge(self, arch: &str) -> bool {
        self >= Self::Go1_27 && matches!(arch, "wasm" | "amd64" | "arm64")
    }

    /// Whether the program of a test always tells how it itself was built, not how the tested package was.
    pub fn stamps_each_test(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether GOEXPERIMENT may name the experiment (`internal/goexperiment/flags.go`).
    pub fn knows_experiment(self, name: &str) -> bool {
        EXPERIMENTS.contains(&name)
            || match self {
                Self::Go1_26 => name == "goroutineleakprofile",
                Self::Go1_27 => name == "mapsplitgroup",
            }
    }
}

/// What GOEXPERIMENT may name in every supported release.
const EXPERIMENTS: [&str; 19] = [
    "fieldtrack",
    "preemptibleloops",
    "staticlockranking",
    "boringcrypto",
    "regabiwrappers",
    "regabiargs",
    "heapminimum512kib",
    "arenas",
    "cgocheck2",
    "loopvar",
    "newinliner",
    "dwarf5",
    "jsonv2",
    "greenteagc",
    "randomizedheapbase64",
    "runtimefreegc",
    "sizespecializedmalloc",
    "simd",
    "runtimesecret",
];

/// The two experiments that `regabi` stands for.
pub const REGISTER_CALLS: [&str; 2] = ["regabiwrappers", "regabiargs"];

/// Whether the word is an operating system that counts in file names.
pub fn is_known_os(word: &str) -> bool {
    SYSTEMS.iter().any(|(os, _)| *os == word)
}

/// Whether the tag `unix` holds for the operating system.
pub fn is_unix(os: &str) -> bool {
    SYSTEMS.contains(&(os, true))
}

/// Whether the word is an architecture that counts in file names.
pub fn is_known_arch(word: &str) -> bool {
    ARCHITECTURES.contains(&word)
}
