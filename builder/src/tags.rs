//! The build tags that hold for one target: what `//go:build` lines and file names are judged by.
//!
//! Tags belong to a target, never to the process, so that one run can load for many targets at once.

use std::collections::HashSet;

use modkeep_module::quote::quote;

use crate::release::{self, REGISTER_CALLS, Release};

/// What decides about build tags.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// The release that is built with.
    pub release: Release,
    /// GOOS.
    pub os: &'a str,
    /// GOARCH.
    pub arch: &'a str,
    /// Whether cgo is enabled.
    pub cgo: bool,
    /// GOAMD64, GOARM64 and so on, by the architecture; empty is the default.
    pub level: &'a str,
    /// GOEXPERIMENT.
    pub experiments: &'a str,
    /// The words of `-tags`.
    pub tags: &'a [&'a str],
    /// `-race`, `-msan` or `-asan`.
    pub instrument: Option<Instrument>,
}

/// What the compiler instruments the program for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// `-race`.
    Race,
    /// `-msan`.
    Memory,
    /// `-asan`.
    Address,
}

/// Settings for which there are no tags; the words are those of `internal/buildcfg`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// GOEXPERIMENT names what the release does not know.
    #[error("unknown GOEXPERIMENT {0}")]
    UnknownExperiment(String),
    /// GOEXPERIMENT turns off what another experiment needs.
    #[error("GOEXPERIMENT regabiargs requires regabiwrappers")]
    ArgsWithoutWrappers,
    /// The level of an architecture is none of its levels.
    #[error("invalid {variable}: {rule}")]
    Level {
        /// The variable that says it, such as `GOAMD64`.
        variable: &'static str,
        /// What it may say.
        rule: &'static str,
    },
    /// GOWASM names a feature that there isn't.
    #[error("invalid GOWASM: no such feature {}", quote(.0))]
    Feature(String),
}

/// The tags that hold for a target.
#[derive(Clone, Debug)]
pub struct Tags {
    os: String,
    arch: String,
    cgo: bool,
    others: HashSet<String>,
}

impl Tags {
    /// The tags that hold under the settings (`go/build.go:matchTag`, `internal/buildcfg/cfg.go`).
    ///
    /// # Errors
    /// For an unknown experiment or level.
    pub fn new(settings: &Settings<'_>) -> Result<Self, TagsError> {
        let mut others: HashSet<String> =
            (1..=settings.release.minor()).map(|minor| format!("go1.{minor}")).collect();
        others.extend(settings.tags.iter().map(|&tag| tag.to_owned()));
        others.extend(experiments(settings)?.into_iter().map(|name| format!("goexperiment.{name}")));
        others.extend(levels(settings)?.into_iter().map(|level| format!("{}.{level}", settings.arch)));
        others.extend(settings.instrument.map(|instrument| instrument.word().to_owned()));
        Ok(Self { os: settings.os.to_owned(), arch: settings.arch.to_owned(), cgo: settings.cgo, others })
    }

    /// Whether the tag holds.
    pub fn holds(&self, tag: &str) -> bool {
        if tag == self.os || tag == self.arch {
            return true;
        }
        match tag {
            "gc" => true,
            "cgo" if self.cgo => true,
            "linux" if self.os == "android" => true,
            "solaris" if self.os == "illumos" => true,
            "darwin" if self.os == "ios" => true,
            "unix" if release::is_unix(&self.os) => true,
            // an old name
            "boringcrypto" => self.others.contains("goexperiment.boringcrypto"),
            _ => self.others.contains(tag),
        }
    }

    /// Whether cgo is enabled.
    pub fn cgo(&self) -> bool {
        self.cgo
    }
}

impl Instrument {
    /// The word that flags, tags and folders have for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Race => "race",
            Self::Memory => "msan",
            Self::Address => "asan",
        }
    }
}

/// What holds by the toolchain's own choice, in go's order (`build.Context.ToolTags`).
///
/// # Errors
/// For an unknown experiment or level.
pub fn tool_tags(settings: &Settings<'_>) -> Result<Vec<String>, TagsError> {
    let mut on = experiments(settings)?;
    on.sort_by_key(|name| release::EXPERIMENTS.iter().position(|known| known == name));
    let mut tags: Vec<String> = on.into_iter().map(|name| format!("goexperiment.{name}")).collect();
    tags.extend(levels(settings)?.into_iter().map(|level| format!("{}.{level}", settings.arch)));
    tags.extend(settings.instrument.map(|instrument| instrument.word().to_owned()));
    Ok(tags)
}

/// The experiments that are on (`internal/buildcfg/exp.go:ParseGOEXPERIMENT`).
fn experiments(settings: &Settings<'_>) -> Result<Vec<String>, TagsError> {
    let (release, arch) = (settings.release, settings.arch);
    let default = release.default_experiments(settings.os, arch);
    let mut on: Vec<String> = default.into_iter().map(str::to_owned).collect();
    for word in settings.experiments.split(',').filter(|word| !word.is_empty()) {
        if word == "none" {
            on.clear();
            continue;
        }
        let (name, wanted) = match word.strip_prefix("no") {
            Some(name) => (name, false),
            None => (word, true),
        };
        let names = if name == "regabi" { REGISTER_CALLS.to_vec() } else { vec![name] };
        if !names.iter().all(|name| release.knows_experiment(name)) {
            return Err(TagsError::UnknownExperiment(name.to_owned()));
        }
        set(&mut on, &names, wanted);
    }
    if release.insists_on_register_calls(arch) {
        set(&mut on, &REGISTER_CALLS, true);
    } else if !release.has_register_calls(arch) {
        set(&mut on, &REGISTER_CALLS, false);
    }
    let is_on = |name: &str| on.iter().any(|other| other == name);
    if is_on("regabiargs") && !is_on("regabiwrappers") {
        return Err(TagsError::ArgsWithoutWrappers);
    }
    Ok(on)
}

/// The experiments that differ from those that are on anyway, as tools call them (`Experiment.String`).
pub(crate) fn differing_experiments(settings: &Settings<'_>) -> Result<String, TagsError> {
    let default = settings.release.default_experiments(settings.os, settings.arch);
    let on = experiments(settings)?;
    let is_default = |name: &str| default.contains(&name);
    let is_on = |name: &str| on.iter().any(|other| other == name);
    let known = release::EXPERIMENTS.iter().copied().chain(on.iter().map(String::as_str));
    let mut words: Vec<String> = Vec::new();
    for name in known.filter(|name| is_default(name) != is_on(name)) {
        let word = if is_on(name) { name.to_owned() } else { format!("no{name}") };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words.join(","))
}

fn set(on: &mut Vec<String>, names: &[&str], wanted: bool) {
    on.retain(|other| !names.contains(&other.as_str()));
    if wanted {
        on.extend(names.iter().map(|&name| name.to_owned()));
    }
}

/// The levels of the architecture that hold, those below the chosen one included
/// (`internal/buildcfg/cfg.go:gogoarchTags`).
fn levels(settings: &Settings<'_>) -> Result<Vec<String>, TagsError> {
    let chosen = settings.level;
    let up_to = |all: &[&str], default: &str, variable, rule| {
        let last = if chosen.is_empty() { default } else { chosen };
        let last = all.iter().position(|level| *level == last).ok_or(TagsError::Level { variable, rule })?;
        Ok(all[..=last].iter().map(|&level| level.to_owned()).collect())
    };
    let one_of = |all: &[&str], default: &str, variable, rule| {
        let level = if chosen.is_empty() { default } else { chosen };
        if all.contains(&level) {
            Ok(vec![level.to_owned()])
        } else {
            Err(TagsError::Level { variable, rule })
        }
    };
    let floats = ["hardfloat", "softfloat"];
    match settings.arch {
        "386" => one_of(&["sse2", "softfloat"], "sse2", "GO386", "must be sse2, softfloat"),
        "amd64" => up_to(&["v1", "v2", "v3", "v4"], "v1", "GOAMD64", "must be v1, v2, v3, v4"),
        "arm" => {
            let version = chosen.strip_suffix(",softfloat").or_else(|| chosen.strip_suffix(",hardfloat"));
            let all = ["5", "6", "7"];
            let version = match version.unwrap_or(chosen) {
                "" if chosen.is_empty() => "7",
                version => version,
            };
            let last = all.iter().position(|level| *level == version).ok_or(TagsError::Level {
                variable: "GOARM",
                rule: "must start with 5, 6, or 7, and may optionally end in either \",hardfloat\" or \",softfloat\"",
            })?;
            Ok(all[..=last].iter().map(|&level| level.to_owned()).collect())
        }
        "arm64" => arm64_levels(chosen),
        "mips" | "mipsle" => one_of(&floats, "hardfloat", "GOMIPS", "must be hardfloat, softfloat"),
        "mips64" | "mips64le" => one_of(&floats, "hardfloat", "GOMIPS64", "must be hardfloat, softfloat"),
        "ppc64" | "ppc64le" => {
            let all = ["power8", "power9", "power10"];
            up_to(&all, "power8", "GOPPC64", "must be power8, power9, power10")
        }
        "riscv64" => {
            let all = ["rva20u64", "rva22u64", "rva23u64"];
            up_to(&all, "rva20u64", "GORISCV64", "must be rva20u64, rva22u64, rva23u64")
        }
        "wasm" => {
            let features = ["satconv", "signext"];
            match chosen.split(',').rev().find(|name| !name.is_empty() && !features.contains(name)) {
                Some(unknown) => Err(TagsError::Feature(unknown.to_owned())),
                None => Ok(features.map(str::to_owned).to_vec()),
            }
        }
        _ => Ok(Vec::new()),
    }
}

/// v9.N holds all of v8 up to v8.(N+5) as well.
fn arm64_levels(chosen: &str) -> Result<Vec<String>, TagsError> {
    let mut version = chosen;
    while let Some(rest) = version.strip_suffix(",lse").or_else(|| version.strip_suffix(",crypto")) {
        version = rest;
    }
    let of = |major: u8, last: u8| (0..=last).map(move |minor| format!("v{major}.{minor}"));
    match version.as_bytes() {
        [] if chosen.is_empty() => Ok(of(8, 0).collect()),
        [b'v', b'8', b'.', minor @ b'0'..=b'9'] => Ok(of(8, minor - b'0').collect()),
        [b'v', b'9', b'.', minor @ b'0'..=b'5'] => {
            let minor = minor - b'0';
            Ok(of(9, minor).chain(of(8, (minor + 5).min(9))).collect())
        }
        _ => Err(TagsError::Level {
            variable: "GOARM64",
            rule: "must start with v8.{0-9} or v9.{0-5} and may optionally end in \",lse\" and/or \",crypto\"",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &Settings<'_>, hold: &[&str], fail: &[&str]) {
        let tags = Tags::new(settings).unwrap();
        for tag in hold {
            assert!(tags.holds(tag), "{tag} must hold for {settings:?}");
        }
        for tag in fail {
            assert!(!tags.holds(tag), "{tag} must not hold for {settings:?}");
        }
    }

    fn settings<'a>(os: &'a str, arch: &'a str) -> Settings<'a> {
        let release = Release::Go1_27;
        Settings { release, os, arch, cgo: false, level: "", experiments: "", tags: &[], instrument: None }
    }

    #[test]
    fn a_system_may_answer_to_another_ones_name() {
        check(&settings("android", "arm64"), &["android", "linux", "unix", "gc"], &["cgo", "darwin"]);
        check(&settings("illumos", "amd64"), &["illumos", "solaris", "unix"], &["linux"]);
        check(&settings("ios", "arm64"), &["ios", "darwin", "unix"], &["goexperiment.dwarf5"]);
        check(&settings("windows", "arm64"), &["windows"], &["unix", "gccgo"]);
    }

    #[test]
    fn a_level_holds_those_below_it() {
        check(&settings("linux", "amd64"), &["amd64.v1"], &["amd64.v2"]);
        check(
            &Settings { level: "v3", ..settings("linux", "amd64") },
            &["amd64.v1", "amd64.v3"],
            &["amd64.v4"],
        );
        check(&settings("linux", "arm"), &["arm.5", "arm.7"], &["arm.8"]);
        let arm64 = Settings { level: "v9.1,crypto", ..settings("linux", "arm64") };
        check(&arm64, &["arm64.v9.1", "arm64.v8.6"], &["arm64.v8.7", "arm64.v9.2"]);
        check(&settings("js", "wasm"), &["wasm.satconv", "wasm.signext"], &[]);
        let wrong = Tags::new(&Settings { level: "v5", ..settings("linux", "amd64") }).unwrap_err();
        assert_eq!(wrong.to_string(), "invalid GOAMD64: must be v1, v2, v3, v4");
        let wrong = Tags::new(&Settings { level: "x,,signext", ..settings("js", "wasm") }).unwrap_err();
        assert_eq!(wrong.to_string(), "invalid GOWASM: no such feature \"x\"");
    }

    #[test]
    fn experiments_differ_by_release_and_wish() {
        let new = settings("linux", "amd64");
        check(&new, &["go1.27", "goexperiment.jsonv2", "goexperiment.regabiargs"], &["go1.28"]);
        let old = Settings { release: Release::Go1_26, ..new.clone() };
        check(&old, &["go1.26", "goexperiment.greenteagc"], &["go1.27", "goexperiment.jsonv2"]);
        let fewer = Settings { experiments: "nojsonv2,noregabi,boringcrypto", ..new.clone() };
        let hold = ["goexperiment.regabiargs", "boringcrypto", "goexperiment.boringcrypto"];
        check(&fewer, &hold, &["goexperiment.jsonv2"]);
        let unknown = Tags::new(&Settings { experiments: "noplan", ..new }).unwrap_err();
        assert_eq!(unknown.to_string(), "unknown GOEXPERIMENT plan");
    }

    #[test]
    fn flags_set_tags() {
        let tags = ["integration"];
        let settings = Settings {
            tags: &tags,
            instrument: Some(Instrument::Race),
            cgo: true,
            ..settings("linux", "amd64")
        };
        check(&settings, &["integration", "race", "cgo"], &["msan", "asan"]);
    }
}
