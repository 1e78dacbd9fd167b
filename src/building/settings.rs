//! What is built with: the toolchain, the caches, and the settings for each target, from go's variables and the flags.
//!
//! Source of the rules: `cmd/go/internal/cfg/cfg.go`, `cache/default.go`, `work:init.go`.

use std::path::{Path, PathBuf};

use modkeep_builder::build::Build;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::platform;
use modkeep_builder::release::Release;
use modkeep_builder::tags::Instrument;
use modkeep_builder::target::Target;
use modkeep_builder::toolchain::{Toolchain, unpacked};

use super::BuildFlags;
use crate::goenv::{GoEnv, words};
use crate::report::Failure;
use crate::session::{fetch_toolchain, has_c_compiler, has_toolchain};
use crate::version::{goarch, goos};

/// The platform that modkeep runs on, in Go's words.
pub(super) fn host() -> Target {
    Target { os: goos().to_owned(), arch: goarch().to_owned() }
}

/// Has files be seen through `-overlay` from here on (`BuildInit`).
pub(super) fn lay_over(go: &GoEnv, flags: &BuildFlags) -> Result<(), Failure> {
    go.lay_over(&flags.of_modules.overlay)?;
    let Some(cache) = go.module_cache() else { return Ok(()) };
    match go.seen().touched(&cache) {
        None => Ok(()),
        Some(place) => Err(Failure::go(format!(
            "overlay contains a replacement for {place}. Files beneath GOMODCACHE ({cache}) must not be replaced."
        ))),
    }
}

/// The toolchain of the selected release: the one that is installed, or one in the module cache, where it is put if it
/// isn't there.
pub(super) fn toolchain(go: &GoEnv, host: Target) -> Result<Toolchain, Failure> {
    let wanted = format!("go{}", go.release());
    let complete = |root: &Path| {
        unpacked::complete(root)
            .map_err(|error| Failure::go(format!("download {wanted}: {}: {}", root.display(), words(&error))))
    };
    if let Some(root) = go.get("GOROOT").filter(|root| !Path::new(root).is_dir()) {
        return Err(Failure::exact(2, format!("go: cannot find GOROOT directory: {root}")));
    }
    let Some(release) = Release::parse(&wanted) else {
        check_toolchain(go, &wanted, &host)?;
        return Err(Failure::of(format!("no building with {wanted}: its rules are not known")));
    };
    if let Some(root) = go.root_of_release() {
        if go.unpacked_root().is_some_and(|unpacked| unpacked == root) {
            // Whoever unpacked it may have come no further.
            complete(Path::new(&root))?;
        }
        return Toolchain::at(&root, host).map_err(Failure::of);
    }
    if let Some(root) = go.get("GOROOT").filter(|root| Path::new(root).is_dir()) {
        // A GOROOT of one's own making need not say what it is.
        if !Path::new(root).join("VERSION").exists() {
            return Ok(Toolchain { root: root.to_owned(), version: wanted, release, host });
        }
    }
    let root = fetch_toolchain(go, &format!("v0.0.1-{wanted}.{}-{}", host.os, host.arch))?;
    complete(&root)?;
    Toolchain::at(&root.to_string_lossy(), host).map_err(Failure::of)
}

/// Fails, in go's words, for a toolchain that can't be had (`toolchain.Exec`).
fn check_toolchain(go: &GoEnv, name: &str, host: &Target) -> Result<(), Failure> {
    let wish = go.get("GOTOOLCHAIN").unwrap_or_default();
    if go.root_of_release().is_some() {
        return Ok(());
    }
    if wish == "path" || wish.ends_with("+path") {
        let folders = go.get("PATH").unwrap_or_default().split(':');
        let is_there = folders.into_iter().any(|folder| Path::new(folder).join(name).is_file());
        return match is_there {
            true => Ok(()),
            false => Err(Failure::go(format!("cannot find \"{name}\" in PATH"))),
        };
    }
    match has_toolchain(go, &format!("v0.0.1-{name}.{}-{}", host.os, host.arch)) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let target = format!("{}/{}", host.os, host.arch);
            Err(Failure::go(format!("download {name} for {target}: toolchain not available")))
        }
        Err(error) => Err(Failure::go(format!("download {name}: {error}"))),
    }
}

/// Fails for a cryptographic module that isn't the toolchain's own (`cfg.go`: GOFIPS140).
fn check_fips(go: &GoEnv) -> Result<(), Failure> {
    let wanted = go.get("GOFIPS140").unwrap_or_default();
    let is_version = wanted.starts_with('v') && modkeep_module::semver::is_valid(wanted);
    match wanted {
        "" | "off" => Ok(()),
        "latest" | "inprocess" | "certified" => Err(lacking_fips(wanted)),
        _ if is_version => Err(lacking_fips(wanted)),
        _ => {
            let known = "off, latest, inprocess, certified, or v1.Y.Z";
            Err(Failure::exact(2, format!("go: invalid GOFIPS140: must be {known}")))
        }
    }
}

fn lacking_fips(wanted: &str) -> Failure {
    Failure::of(format!("GOFIPS140={wanted} is not supported")).with_hint("the go command has it")
}

/// GOCACHE, or where it is when nobody says (`cache.DefaultDir`).
pub(super) fn cache_folder(go: &GoEnv) -> Result<PathBuf, Failure> {
    cache_folder_of(&|name| go.get(name).map(str::to_owned))
}

/// The same where these variables are set.
pub(crate) fn cache_folder_of(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    match variable("GOCACHE").as_deref() {
        Some("off") => {
            Err(Failure::exact(1, "build cache is disabled by GOCACHE=off, but required as of Go 1.12"))
        }
        Some(folder) if folder.starts_with('/') => Ok(PathBuf::from(folder)),
        Some(_) => Err(Failure::exact(
            1,
            "build cache is required, but could not be located: GOCACHE is not an absolute path",
        )),
        None => match (variable("XDG_CACHE_HOME"), variable("HOME")) {
            (Some(folder), _) if folder.starts_with('/') => Ok(Path::new(&folder).join("go-build")),
            (None, Some(home)) => Ok(Path::new(&home).join(".cache/go-build")),
            _ => Err(Failure::exact(
                1,
                "build cache is required, but could not be located: GOCACHE is not defined and neither \
                 $XDG_CACHE_HOME nor $HOME are defined",
            )),
        },
    }
}

/// The settings for one target.
pub(super) fn build(
    go: &GoEnv,
    flags: &BuildFlags,
    toolchain: &Toolchain,
    target: Target,
) -> Result<Build, Failure> {
    let mut build = Build::new(toolchain.clone(), target, go.folder());
    let level = platform::level_variable(&build.target.arch).and_then(|(name, _)| go.get(name));
    build.level = level.unwrap_or_default().to_owned();
    build.experiments = go.get("GOEXPERIMENT").unwrap_or_default().to_owned();
    build.cgo = match go.get("CGO_ENABLED") {
        Some("1") => true,
        Some("0") => false,
        _ => build.is_native() && has_c_compiler(go),
    };
    build.tags.clone_from(&flags.tags);
    build.instrument = flags.instrument;
    build.cover = flags.cover;
    build.cover_packages.clone_from(&flags.cover_packages);
    build.cover_mode = match (flags.cover_mode.as_str(), flags.instrument) {
        ("", Some(Instrument::Race)) => "atomic".to_owned(),
        ("", _) => "set".to_owned(),
        (mode, _) => mode.to_owned(),
    };
    build.mode = flags.mode;
    build.trimpath = flags.trimpath;
    build.vcs = flags.vcs;
    build.pgo = flags.profile.clone();
    build.asmflags = flags.asmflags.clone();
    build.gcflags = flags.gcflags.clone();
    build.ldflags = flags.ldflags.clone();
    for kind in ["CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS"] {
        let name = format!("CGO_{kind}");
        if let Some(value) = go.get(&name) {
            build.c_variables.insert(name, value.to_owned());
        }
    }
    build.gobin = go.get("GOBIN").unwrap_or_default().to_owned();
    let debugs = go.get("GODEBUG").unwrap_or_default();
    build.embeds_links = debugs.split(',').any(|setting| setting == "embedfollowsymlinks=1");
    build.gopath = go.gopath().into_iter().next().unwrap_or_default();
    check_fips(go)?;
    check_instrument(&build)?;
    if flags.instrument == Some(Instrument::Race) && build.cover_mode != "atomic" {
        let mode = modkeep_module::quote::quote(&build.cover_mode);
        return Err(Failure::exact(
            1,
            format!("-covermode must be \"atomic\", not {mode}, when -race is enabled"),
        ));
    }
    Ok(build)
}

/// Fails where the target can't be instrumented (`instrumentInit`).
fn check_instrument(build: &Build) -> Result<(), Failure> {
    let Some(instrument) = build.instrument else {
        return Ok(());
    };
    let flag = match instrument {
        Instrument::Race => "-race",
        Instrument::Memory => "-msan",
        Instrument::Address => "-asan",
    };
    let target = &build.target;
    if !platform::supports(target, instrument) {
        return Err(Failure::exact(2, format!("{flag} is not supported on {}/{}", target.os, target.arch)));
    }
    let needs_cgo = target.os != "darwin" || instrument != Instrument::Race;
    if build.cgo || !needs_cgo {
        return Ok(());
    }
    let more = if build.is_native() { "; enable cgo by setting CGO_ENABLED=1" } else { "" };
    Err(Failure::exact(2, format!("go: {flag} requires cgo{more}")))
}

/// The settings of a build for the target of the environment, for verbs that only load.
pub(crate) fn settings(go: &GoEnv, flags: &BuildFlags) -> Result<Build, Failure> {
    lay_over(go, flags)?;
    let host = host();
    let target = Target {
        os: go.get("GOOS").unwrap_or(&host.os).to_owned(),
        arch: go.get("GOARCH").unwrap_or(&host.arch).to_owned(),
    };
    build(go, flags, &toolchain(go, host)?, target)
}

/// The build cache.
pub(crate) fn open_cache(go: &GoEnv) -> Result<GoCache, Failure> {
    GoCache::open(&cache_folder(go)?).map_err(|error| Failure::exact(1, error.to_string()))
}
