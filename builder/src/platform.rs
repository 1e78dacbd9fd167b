//! What platforms can do: how programs are linked there, and what they can be instrumented with.
//!
//! Source: `internal/platform/supported.go`.

use crate::build::{Build, BuildMode};
use crate::release::Release;
use crate::tags::Instrument;
use crate::target::Target;

/// Every platform that there is a compiler for (`internal/platform/zosarch.go`).
const ALL: &[(&str, &[&str])] = &[
    ("aix", &["ppc64"]),
    ("android", &["386", "amd64", "arm", "arm64"]),
    ("darwin", &["amd64", "arm64"]),
    ("dragonfly", &["amd64"]),
    ("freebsd", &["386", "amd64", "arm", "arm64", "riscv64"]),
    ("illumos", &["amd64"]),
    ("ios", &["amd64", "arm64"]),
    ("js", &["wasm"]),
    (
        "linux",
        &[
            "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
            "ppc64le", "riscv64", "s390x", "sparc64",
        ],
    ),
    ("netbsd", &["386", "amd64", "arm", "arm64"]),
    ("openbsd", &["386", "amd64", "arm", "arm64", "ppc64", "riscv64"]),
    ("plan9", &["386", "amd64", "arm"]),
    ("solaris", &["amd64"]),
    ("wasip1", &["wasm"]),
    ("windows", &["386", "amd64", "arm64"]),
];

/// What Go says of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// GOOS.
    pub os: &'static str,
    /// GOARCH.
    pub arch: &'static str,
    /// Whether cgo works there.
    pub has_cgo: bool,
    /// Whether a failure there blocks a release.
    pub is_first_class: bool,
    /// Whether it is known not to work.
    pub is_broken: bool,
}

/// Every platform, by name (`internal/platform/zosarch.go`).
pub fn all() -> impl Iterator<Item = Platform> {
    let pairs = ALL.iter().flat_map(|(os, archs)| archs.iter().map(move |arch| (*os, *arch)));
    pairs.map(|(os, arch)| {
        let lacks_cgo = matches!(os, "js" | "plan9" | "wasip1") || (os, arch) == ("openbsd", "ppc64");
        let is_first_class = match os {
            "darwin" => true,
            "linux" => matches!(arch, "386" | "amd64" | "arm" | "arm64"),
            "windows" => arch != "arm64",
            _ => false,
        };
        let is_broken = matches!((os, arch), ("freebsd", "riscv64") | ("linux", "sparc64"));
        Platform { os, arch, has_cgo: !lacks_cgo, is_first_class, is_broken }
    })
}

/// The variable that chooses the level of an architecture, and what it is when nobody says (`cfg.GetArchEnv`).
pub fn level_variable(arch: &str) -> Option<(&'static str, &'static str)> {
    Some(match arch {
        "386" => ("GO386", "sse2"),
        "amd64" => ("GOAMD64", "v1"),
        "arm" => ("GOARM", "7"),
        "arm64" => ("GOARM64", "v8.0"),
        "mips" | "mipsle" => ("GOMIPS", "hardfloat"),
        "mips64" | "mips64le" => ("GOMIPS64", "hardfloat"),
        "ppc64" | "ppc64le" => ("GOPPC64", "power8"),
        "riscv64" => ("GORISCV64", "rva20u64"),
        "wasm" => ("GOWASM", ""),
        _ => return None,
    })
}

/// Whether there is such a platform; until 1.26 there was one more.
pub fn exists(os: &str, arch: &str, is_before_1_27: bool) -> bool {
    let is_one = ALL.iter().any(|(name, archs)| *name == os && archs.contains(&arch));
    is_one || is_before_1_27 && (os, arch) == ("openbsd", "mips64")
}

/// Whether programs of the target are linked by the host's linker even without cgo (`MustLinkExternal`).
pub fn must_link_external(release: Release, target: &Target, with_cgo: bool) -> bool {
    let (os, arch) = (target.os.as_str(), target.arch.as_str());
    let for_cgo = match arch {
        "mips" | "mipsle" | "mips64" | "mips64le" => true,
        "ppc64" => os == "aix" || os == "linux" && !release.links_linux_pie_itself(arch),
        _ => matches!(os, "android" | "dragonfly"),
    };
    with_cgo && for_cgo
        || match os {
            "android" => arch != "arm64",
            "ios" => arch == "arm64",
            _ => false,
        }
}

/// Whether programs are position independent when nobody asks (`DefaultPIE`).
pub fn is_pie_by_default(target: &Target, race: bool) -> bool {
    match target.os.as_str() {
        "android" | "ios" | "darwin" => true,
        "windows" => !race,
        _ => false,
    }
}

/// Whether the Go linker alone can make position-independent programs (`InternalLinkPIESupported`).
pub fn links_pie_itself(release: Release, target: &Target) -> bool {
    match (target.os.as_str(), target.arch.as_str()) {
        ("android", "arm64") | ("darwin", "amd64" | "arm64") | ("windows", "386" | "amd64" | "arm64") => true,
        ("linux", "amd64" | "arm64" | "loong64" | "ppc64le") => true,
        ("linux", arch @ ("ppc64" | "s390x")) => release.links_linux_pie_itself(arch),
        _ => false,
    }
}

/// Whether programs can be instrumented so (`RaceDetectorSupported`, `MSanSupported`, `ASanSupported`).
pub fn supports(target: &Target, instrument: Instrument) -> bool {
    let (os, arch) = (target.os.as_str(), target.arch.as_str());
    match (instrument, os) {
        (Instrument::Race, "linux") => {
            matches!(arch, "amd64" | "arm64" | "loong64" | "ppc64le" | "riscv64" | "s390x")
        }
        (Instrument::Race, "darwin") => matches!(arch, "amd64" | "arm64"),
        (Instrument::Race, "freebsd" | "netbsd" | "windows") => arch == "amd64",
        (Instrument::Memory, "linux") => matches!(arch, "amd64" | "arm64" | "loong64"),
        (Instrument::Memory, "freebsd") => arch == "amd64",
        (Instrument::Address, "linux") => {
            matches!(arch, "arm64" | "amd64" | "loong64" | "riscv64" | "ppc64le")
        }
        _ => false,
    }
}

/// Whether go has a build mode other than `default`, `exe` and `archive` for a target
/// (`internal/platform/supported.go:BuildModeSupported`).
pub fn has_mode(target: &Target, mode: &str) -> bool {
    let (os, arch) = (target.os.as_str(), target.arch.as_str());
    let archs: &[&str] = match (mode, os) {
        ("c-archive", "aix" | "darwin" | "ios" | "windows") => return true,
        ("c-archive", "linux") => &[
            "386", "amd64", "arm", "armbe", "arm64", "arm64be", "loong64", "ppc64", "ppc64le", "riscv64",
            "s390x",
        ],
        ("c-shared" | "pie" | "plugin", "linux") => {
            &["386", "amd64", "arm", "arm64", "loong64", "ppc64", "ppc64le", "riscv64", "s390x"]
        }
        ("shared", "linux") => &["386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "s390x"],
        ("c-archive" | "c-shared" | "pie" | "plugin", "freebsd") => &["amd64"],
        ("c-shared" | "pie", "android") => &["386", "amd64", "arm", "arm64"],
        ("plugin", "android") => &["386", "amd64"],
        ("c-shared" | "pie" | "plugin", "darwin") | ("pie", "ios") => &["amd64", "arm64"],
        ("c-shared" | "pie", "windows") => &["386", "amd64", "arm64"],
        ("c-shared", "wasip1") => &["wasm"],
        ("pie", "aix") => &["ppc64"],
        ("pie", "openbsd") => &["arm64"],
        _ => &[],
    };
    archs.contains(&arch)
}

/// Why a program without cgo would be linked by the host's linker; none where it isn't (`externalLinkingReason`).
///
/// `ldflags` are those for the main package.
pub fn external_linking_reason(build: &Build, ldflags: &[String]) -> Option<String> {
    let target = &build.target;
    if must_link_external(build.toolchain.release, target, false) {
        return Some(format!("{}/{}", target.os, target.arch));
    }
    let race = build.instrument == Some(Instrument::Race);
    let is_asked = build.mode == BuildMode::Pie;
    let is_pie = is_asked || build.mode == BuildMode::Default && is_pie_by_default(target, race);
    if is_pie && !links_pie_itself(build.toolchain.release, target) {
        return Some(if is_asked { "-buildmode=pie" } else { "default PIE binary" }.to_owned());
    }
    for (index, flag) in ldflags.iter().enumerate().rev() {
        let value = match flag.as_str() {
            "-linkmode" => ldflags.get(index + 1).map_or("", String::as_str),
            flag => flag.strip_prefix("-linkmode=").unwrap_or_default(),
        };
        match value {
            "external" => return Some(flag.clone()),
            "internal" => return None,
            _ => {}
        }
    }
    None
}
