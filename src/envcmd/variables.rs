//! The variables, their values and whether those are other than by default.
//!
//! Sources of the rules: `cmd/go/internal/envcmd/env.go` (`MkEnv`, `ExtraEnvVars`, `ExtraEnvVarsCostly`) and
//! `cfg/cfg.go`.

use std::path::Path;

use modkeep_builder::package_flags::split;
use modkeep_builder::platform;

use crate::building;
use crate::goenv::{GoEnv, paths};
use crate::report::Failure;
use crate::session::{Ground, Wanted, has_c_compiler};
use crate::version::{goarch, goos};

/// Those that are about building, and not told without need.
pub(super) const OF_BUILDS: [&str; 7] =
    ["CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS", "GOGCCFLAGS", "PKG_CONFIG"];

/// What compilers and linkers get where nobody says (`work.DefaultCFlags`).
const DEFAULT_C_FLAGS: &str = "-O2 -g";

/// One of them.
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) is_changed: bool,
}

/// All but those about building.
pub(super) fn of_go(go: &GoEnv) -> Result<Vec<Variable>, Failure> {
    let (os, arch) = (go.get("GOOS").unwrap_or(goos()), go.get("GOARCH").unwrap_or(goarch()));
    let private = go.get("GOPRIVATE").unwrap_or_default();
    // What the process says is what it is by default.
    let gopath = match (go.environment().get("GOPATH"), go.get("GOPATH")) {
        (Some(own), _) if !own.is_empty() => own.to_owned(),
        (_, Some(_)) => String::new(),
        (_, None) => go.gopath().join(":"),
    };
    let cache = go.gopath().first().map(|folder| paths::join(folder, "pkg/mod")).unwrap_or_default();
    let root = go.root().unwrap_or_default();
    let tools = match root.is_empty() {
        true => String::new(),
        false => paths::join(&root, &format!("pkg/tool/{}_{}", goos(), goarch())),
    };
    let (telemetry, telemetry_folder) = telemetry(go);
    let mut all = vec![
        changed_unless(go, "GO111MODULE", &["", "on"]),
        plain("GOARCH", arch, arch != goarch()),
        either(go, "GOAUTH", "netrc"),
        build_cache(go),
        either(go, "GOCACHEPROG", ""),
        of_process(go, "GODEBUG"),
        settings_file(go),
        plain("GOEXE", if os == "windows" { ".exe" } else { "" }, false),
        changed_unless(go, "GOEXPERIMENT", &[""]),
        either(go, "GOFIPS140", "off"),
        changed_unless(go, "GOFLAGS", &[""]),
        plain("GOHOSTARCH", goarch(), false),
        plain("GOHOSTOS", goos(), false),
        changed_unless(go, "GOINSECURE", &[""]),
        either(go, "GOMODCACHE", &cache),
        either(go, "GONOPROXY", private),
        either(go, "GONOSUMDB", private),
        plain("GOOS", os, os != goos()),
        either(go, "GOPATH", &gopath),
        changed_unless(go, "GOPRIVATE", &[""]),
        either(go, "GOPROXY", ""),
        plain("GOROOT", &root, false),
        either(go, "GOSUMDB", ""),
        plain("GOTELEMETRY", &telemetry, false),
        plain("GOTELEMETRYDIR", &telemetry_folder, false),
        changed_unless(go, "GOTMPDIR", &[""]),
        either(go, "GOTOOLCHAIN", ""),
        plain("GOTOOLDIR", &tools, false),
        changed_unless(go, "GOVCS", &[""]),
        plain("GOVERSION", &format!("go{}", go.release()), false),
    ];
    if !go.is_before("1.27") {
        all.push(of_process(go, "GOPACKAGESDRIVER"));
    }
    all.push(gccgo(go));
    all.extend(level(go, arch));
    all.push(either(go, "AR", "ar"));
    let is_clang = matches!(os, "darwin" | "ios" | "freebsd" | "openbsd");
    for (name, of_clang, of_gnu) in [("CC", "clang", "gcc"), ("CXX", "clang++", "g++")] {
        let value = go.get(name).unwrap_or(if is_clang { of_clang } else { of_gnu });
        all.push(plain(name, value, go.get(name).is_some()));
    }
    let by_default = os == goos() && arch == goarch() && has_c_compiler(go);
    let has_cgo = match go.get("CGO_ENABLED") {
        Some("1") => true,
        Some("0") => false,
        _ => by_default,
    };
    all.push(plain("CGO_ENABLED", if has_cgo { "1" } else { "0" }, has_cgo != by_default));
    all.extend(around(go)?);
    Ok(all)
}

/// Those that depend on the current folder.
fn around(go: &GoEnv) -> Result<[Variable; 3], Failure> {
    let wanted = Wanted { ignores_workspace: true, ..Wanted::default() };
    let ground = match go.get("GO111MODULE") {
        Some("off") => None,
        Some("auto") => Some(Ground::find(go, &wanted)?).filter(Ground::has_root),
        _ => Some(Ground::find(go, &wanted)?),
    };
    let is_off = ground.is_none();
    let module = match ground {
        Some(Ground::Module { go_mod, .. }) => go_mod,
        Some(_) => "/dev/null".to_owned(),
        None => String::new(),
    };
    let workspace = match go.get("GOWORK") {
        Some("off") => "off".to_owned(),
        _ => go.go_work()?.unwrap_or_default(),
    };
    Ok([plain("GOMOD", &module, false), plain("GOWORK", &workspace, false), programs(go, is_off)])
}

/// GOBIN; from 1.27 on the folder into which programs are installed, whether or not somebody says so.
fn programs(go: &GoEnv, is_off: bool) -> Variable {
    let said = either(go, "GOBIN", "");
    if go.is_before("1.27") || !said.value.is_empty() {
        return said;
    }
    let gopath = go.gopath();
    let around = gopath.iter().rfind(|folder| is_off && go.folder().starts_with(folder.as_str()));
    match around.or(gopath.first()) {
        Some(folder) => plain("GOBIN", &paths::join(folder, "bin"), false),
        None => said,
    }
}

/// Those about building, for a target that there is.
pub(super) fn of_builds(go: &GoEnv) -> Result<Vec<Variable>, Failure> {
    let (os, arch) = (go.get("GOOS").unwrap_or(goos()), go.get("GOARCH").unwrap_or(goarch()));
    if !platform::exists(os, arch, go.is_before("1.27")) {
        return Err(Failure::exact(2, format!("go: unsupported GOOS/GOARCH pair {os}/{arch}")));
    }
    let flags = |name, default: &str| {
        let value = joined(go.get(name).unwrap_or(default));
        let is_changed = value != default;
        plain(name, &value, is_changed)
    };
    let program = go.get("PKG_CONFIG").and_then(|words| split(words).ok()?.into_iter().next());
    let program = program.unwrap_or_else(|| "pkg-config".to_owned());
    Ok(vec![
        flags("CGO_CFLAGS", DEFAULT_C_FLAGS),
        flags("CGO_CPPFLAGS", ""),
        flags("CGO_CXXFLAGS", DEFAULT_C_FLAGS),
        flags("CGO_FFLAGS", DEFAULT_C_FLAGS),
        flags("CGO_LDFLAGS", DEFAULT_C_FLAGS),
        plain("PKG_CONFIG", &program, program != "pkg-config"),
    ])
}

fn plain(name: &'static str, value: &str, is_changed: bool) -> Variable {
    Variable { name, value: value.to_owned(), is_changed }
}

/// The value that is said, else the default; changed if it is another than the installation's or the default
/// (`EnvOrAndChanged`).
fn either(go: &GoEnv, name: &'static str, default: &str) -> Variable {
    match go.get(name) {
        Some(value) => plain(name, value, value != go.installed_value(name).unwrap_or(default)),
        None => plain(name, default, false),
    }
}

fn changed_unless(go: &GoEnv, name: &'static str, usual: &[&str]) -> Variable {
    let value = go.get(name).unwrap_or_default();
    plain(name, value, !usual.contains(&value))
}

/// One that go's files can't set.
fn of_process(go: &GoEnv, name: &'static str) -> Variable {
    let value = go.environment().get(name).unwrap_or_default();
    plain(name, value, !value.is_empty())
}

fn build_cache(go: &GoEnv) -> Variable {
    let folder = |counts: bool| {
        let variable = |name: &str| go.get(name).filter(|_| counts || name != "GOCACHE").map(str::to_owned);
        let folder = building::cache_folder_of(&variable);
        folder.map_or_else(|_| "off".to_owned(), |folder| folder.display().to_string())
    };
    let said = folder(true);
    let is_changed = go.get("GOCACHE").is_some() && said != folder(false);
    plain("GOCACHE", &said, is_changed)
}

fn settings_file(go: &GoEnv) -> Variable {
    let file = go.settings_file().unwrap_or_default();
    let is_named = go.environment().get("GOENV").is_some_and(|said| said != "off");
    plain("GOENV", &file, is_named)
}

/// GOTELEMETRY and GOTELEMETRYDIR; go alone counts anything.
fn telemetry(go: &GoEnv) -> (String, String) {
    let Some(folder) = go.environment().configuration_folder() else {
        return ("off".to_owned(), String::new());
    };
    let folder = folder.join("go/telemetry");
    let mode = std::fs::read_to_string(folder.join("mode")).unwrap_or_default();
    let mode = mode.split_whitespace().next().unwrap_or("local").to_owned();
    (mode, folder.display().to_string())
}

fn gccgo(go: &GoEnv) -> Variable {
    let said = either(go, "GCCGO", "gccgo");
    let path = go.environment().get("PATH").unwrap_or_default();
    let places = path.split(':').map(|folder| paths::join(folder, &said.value));
    match places.into_iter().find(|place| !said.value.contains('/') && Path::new(place).is_file()) {
        Some(place) => plain("GCCGO", &place, true),
        None => said,
    }
}

/// The variable about what the processor can, if it has one (`GetArchEnv`).
fn level(go: &GoEnv, arch: &str) -> Option<Variable> {
    let (name, default) = platform::level_variable(arch)?;
    Some(either(go, name, default))
}

/// Words with single blanks between them, quoted where they must be (`quoted.Join`).
fn joined(text: &str) -> String {
    let Ok(words) = split(text) else { return text.to_owned() };
    let quoted = words.iter().map(|word| match word.contains([' ', '\t', '\n', '\r', '\'', '"']) {
        false if !word.is_empty() => word.clone(),
        _ if word.contains('\'') => format!("\"{word}\""),
        _ => format!("'{word}'"),
    });
    quoted.collect::<Vec<_>>().join(" ")
}
