//! What differs between the Go releases that are supported, and the lists of a release that name targets.
//!
//! Everything else in this crate asks here; no other room compares release numbers.

use std::sync::LazyLock;

use regex::Regex;

use crate::target::Target;

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

    /// Whether a file `.git` that names a folder makes a repository, as in a worktree beside another.
    pub fn takes_git_files(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether tools of modules are listed by their short names, with the paths behind.
    pub fn lists_short_tools(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether JSON has an escape for a byte that is no UTF-8, where it has the replacement character itself otherwise.
    pub fn escapes_what_is_no_text(self) -> bool {
        self == Self::Go1_26
    }

    /// Whether events of tests tell what kind of output a text is.
    pub fn tells_kinds_of_output(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether the program of a test always tells how it itself was built, not how the tested package was.
    pub fn stamps_each_test(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether the assembler is told which packages are of the standard library.
    pub fn marks_standard_assembly(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether what vetting a package for facts only has left is not taken for all that is to be said about it.
    pub fn keeps_vetting_for_facts_apart(self) -> bool {
        self >= Self::Go1_27
    }

    /// Whether the vet tool is told all about a package's module, not only its path and version.
    pub fn tells_vet_of_modules(self) -> bool {
        self >= Self::Go1_27
    }

    /// The flags of the vet tool when tests are vetted and nobody asks for others (`test.go:defaultVetFlags`).
    pub fn test_vet_flags(self) -> &'static [&'static str] {
        match self {
            Self::Go1_26 => &[
                "-atomic",
                "-bool",
                "-buildtags",
                "-directive",
                "-errorsas",
                "-ifaceassert",
                "-nilfunc",
                "-printf",
                "-slog",
                "-stringintconv",
                "-tests",
            ],
            Self::Go1_27 => &[
                "-atomic",
                "-bools",
                "-buildtag",
                "-directive",
                "-errorsas",
                "-ifaceassert",
                "-nilfunc",
                "-printf",
                "-slog",
                "-stdversion",
                "-stringintconv",
                "-tests",
            ],
        }
    }

    /// Whether flags for static linking leave it to the host's linker.
    pub fn links_static_externally(self) -> bool {
        self >= Self::Go1_27
    }

    /// The flag by which C compilers are told of threads.
    pub fn c_threads_flag(self, os: &str) -> &'static str {
        if self < Self::Go1_27 && os == "windows" { "-mthreads" } else { "-pthread" }
    }

    /// An argument as it stands in a file of arguments (`encodeArg`).
    pub fn response_argument(self, argument: &str) -> String {
        if self < Self::Go1_27 {
            return argument.replace('\\', "\\\\").replace('\n', "\\n");
        }
        if argument.is_empty() {
            return "\"\"".to_owned();
        }
        if !argument.contains([' ', '\t', '\n', '\r', '\'', '"', '\\', '$', '`']) {
            return argument.to_owned();
        }
        let mut quoted = String::from("\"");
        for c in argument.chars() {
            if matches!(c, '\\' | '"' | '$' | '`') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        quoted.push('"');
        quoted
    }

    /// What a compiler says about code that cgo made, with the names that its author knows.
    pub fn readable_cgo_names(self, output: &[u8]) -> Vec<u8> {
        static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b_C2?(type|func|var|macro)_"));
        static PLACE: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"\[[^\[\]]+\.(cgo1|cover)\.go:[0-9]+(:[0-9]+)?\]"));
        let text = String::from_utf8_lossy(output);
        if self >= Self::Go1_27 {
            return NAME.replace_all(&text, "C.").into_owned().into_bytes();
        }
        if !PLACE.is_match(&text) {
            return output.to_vec();
        }
        NAME.replace_all(&PLACE.replace_all(&text, ""), "C.").into_owned().into_bytes()
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

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that a test compiles")
}

/// The names that `-vet` of a test may list (`cmd/go/internal/test/flagdefs.go:passAnalyzersToVet`).
pub const TEST_ANALYZERS: [&str; 39] = [
    "appends",
    "asmdecl",
    "assign",
    "atomic",
    "bool",
    "bools",
    "buildtag",
    "buildtags",
    "cgocall",
    "composites",
    "copylocks",
    "defers",
    "directive",
    "errorsas",
    "framepointer",
    "hostport",
    "httpresponse",
    "ifaceassert",
    "loopclosure",
    "lostcancel",
    "methods",
    "nilfunc",
    "printf",
    "rangeloops",
    "shift",
    "sigchanyzer",
    "slog",
    "stdmethods",
    "stdversion",
    "stringintconv",
    "structtag",
    "testinggoroutine",
    "tests",
    "timeformat",
    "unmarshal",
    "unreachable",
    "unsafeptr",
    "unusedresult",
    "waitgroup",
];

/// Variables for debugging the compiler that change what it makes (`buildActionID`).
pub const MAGIC_VARIABLES: [&str; 4] = ["GOCLOBBERDEADHASH", "GOSSAFUNC", "GOSSADIR", "GOCOMPILEDEBUG"];

/// Packages of the standard library that have functions whose bodies are in `runtime` (`gc.go:gc`).
pub const STANDARD_WITH_OUTSIDE_BODIES: [&str; 10] = [
    "bytes",
    "internal/poll",
    "net",
    "os",
    "runtime/metrics",
    "runtime/pprof",
    "runtime/trace",
    "sync",
    "syscall",
    "time",
];

/// The version of a module that doesn't say one (`gover.DefaultGoModVersion`).
pub const VERSION_WITHOUT_GO_LINE: &str = "1.16";

/// The language of a version of Go: `1.27` of `1.27.3` and of `1.27rc1` (`gover.Lang`).
pub fn language(version: &str) -> String {
    let end = version.match_indices(|c: char| !c.is_ascii_digit()).map(|(at, _)| at).nth(1);
    version[..end.unwrap_or(version.len())].to_owned()
}

/// Whether a level of arm64 has the large system extensions (`buildcfg.ParseGoarm64`).
pub fn arm64_has_lse(level: &str) -> bool {
    let (version, options) = level.split_once(',').unwrap_or((level, ""));
    options.split(',').any(|option| option == "lse") || !matches!(version, "v8.0")
}

/// The flags that tell a C compiler of the architecture (`gccArchArgs`).
pub fn c_architecture_flags(
    release: Release,
    target: &Target,
    level: Option<&(&'static str, String)>,
) -> Vec<String> {
    let level = level.map_or("", |(_, value)| value.as_str());
    let flags: &[&str] = match (target.arch.as_str(), target.os.as_str()) {
        ("386", _) => &["-m32"],
        ("amd64", "darwin") => &["-arch", "x86_64", "-m64"],
        ("amd64", _) => &["-m64"],
        ("arm64", "darwin") => &["-arch", "arm64"],
        ("arm", _) => &["-marm"],
        ("s390x", _) => &["-m64", "-march=z13"],
        ("mips64" | "mips64le", _) => match level {
            "hardfloat" => &["-mabi=64", "-mhard-float"],
            "softfloat" => &["-mabi=64", "-msoft-float"],
            _ => &["-mabi=64"],
        },
        ("mips" | "mipsle", _) => match level {
            "hardfloat" => &["-mabi=32", "-march=mips32", "-mhard-float", "-mfp32", "-mno-odd-spreg"],
            "softfloat" => &["-mabi=32", "-march=mips32", "-msoft-float"],
            _ => &["-mabi=32", "-march=mips32"],
        },
        ("loong64", _) if release >= Release::Go1_27 => &["-mabi=lp64d", "-mno-relax"],
        ("loong64", _) => &["-mabi=lp64d"],
        ("ppc64", "aix") => &["-maix64"],
        _ => &[],
    };
    flags.iter().map(|&flag| flag.to_owned()).collect()
}

/// What GOEXPERIMENT may name in every supported release.
pub(crate) const EXPERIMENTS: [&str; 19] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_the_first_two_numbers() {
        for (version, expected) in [("1.27.3", "1.27"), ("1.27rc1", "1.27"), ("1.9", "1.9"), ("1", "1")] {
            assert_eq!(language(version), expected);
        }
    }

    #[test]
    fn arguments_in_files_are_quoted_as_each_release_reads_them() {
        for (argument, before, since) in [
            ("a", "a", "a"),
            ("", "", "\"\""),
            ("a b", "a b", "\"a b\""),
            ("a\nb", "a\\nb", "\"a\nb\""),
            ("a\\b$", "a\\\\b$", "\"a\\\\b\\$\""),
        ] {
            assert_eq!(Release::Go1_26.response_argument(argument), before);
            assert_eq!(Release::Go1_27.response_argument(argument), since);
        }
    }

    #[test]
    fn names_that_cgo_made_up_are_shown_as_they_were_written() {
        let said = "x.go:3:1[/w/x.cgo1.go:5:2]: cannot use _Ctype_int as _C2func_f";
        let before = Release::Go1_26.readable_cgo_names(said.as_bytes());
        assert_eq!(String::from_utf8_lossy(&before), "x.go:3:1: cannot use C.int as C.f");
        let since = Release::Go1_27.readable_cgo_names(b"cannot use _Ctype_int");
        assert_eq!(String::from_utf8_lossy(&since), "cannot use C.int");
    }
}
