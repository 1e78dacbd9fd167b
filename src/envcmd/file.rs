//! The file in which go keeps variables: which it may hold, and how it is changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use modkeep_builder::package_flags::split;
use modkeep_builder::platform;
use modkeep_module::quote::quote;

use super::check_experiments;
use crate::goenv::{GoEnv, words as system_words};
use crate::report::{self, Failure};
use crate::version::{goarch, goos};

/// The variables that the file may hold (`internal/cfg/cfg.go:KnownEnv`).
const KNOWN: &[&str] = &[
    "AR",
    "CC",
    "CGO_CFLAGS",
    "CGO_CFLAGS_ALLOW",
    "CGO_CFLAGS_DISALLOW",
    "CGO_CPPFLAGS",
    "CGO_CPPFLAGS_ALLOW",
    "CGO_CPPFLAGS_DISALLOW",
    "CGO_CXXFLAGS",
    "CGO_CXXFLAGS_ALLOW",
    "CGO_CXXFLAGS_DISALLOW",
    "CGO_ENABLED",
    "CGO_FFLAGS",
    "CGO_FFLAGS_ALLOW",
    "CGO_FFLAGS_DISALLOW",
    "CGO_LDFLAGS",
    "CGO_LDFLAGS_ALLOW",
    "CGO_LDFLAGS_DISALLOW",
    "CXX",
    "FC",
    "GCCGO",
    "GO111MODULE",
    "GO386",
    "GOAMD64",
    "GOARCH",
    "GOARM",
    "GOARM64",
    "GOAUTH",
    "GOBIN",
    "GOCACHE",
    "GOCACHEPROG",
    "GOENV",
    "GOEXE",
    "GOEXPERIMENT",
    "GOFIPS140",
    "GOFLAGS",
    "GOGCCFLAGS",
    "GOHOSTARCH",
    "GOHOSTOS",
    "GOINSECURE",
    "GOMIPS",
    "GOMIPS64",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOOS",
    "GOPATH",
    "GOPPC64",
    "GOPRIVATE",
    "GOPROXY",
    "GORISCV64",
    "GOROOT",
    "GOSUMDB",
    "GOTMPDIR",
    "GOTOOLCHAIN",
    "GOTOOLDIR",
    "GOVCS",
    "GOWASM",
    "GOWORK",
    "GO_EXTLINK_ENABLED",
    "PKG_CONFIG",
];

/// Whether a file of go's may set a variable; what one does set counts as known.
pub(super) fn may_be_kept(go: &GoEnv, name: &str) -> bool {
    KNOWN.contains(&name) || go.is_in_files(name)
}

/// `-w`: sets variables.
pub(super) fn set(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    if words.is_empty() {
        return Err(Failure::go("no KEY=VALUE arguments given"));
    }
    let mut added = BTreeMap::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(Failure::go(format!("arguments must be KEY=VALUE: invalid argument: {word}")));
        };
        check(go, name, value)?;
        if added.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::go(format!("multiple values for key: {name}")));
        }
        if go.environment().get(name).is_some_and(|other| other != value) {
            let text = "does not override conflicting OS environment variable";
            report::tell(&format!("warning: go env -w {name}=... {text}"));
        }
    }
    check_together(go, &added, &BTreeSet::new())?;
    if added.get("GOTMPDIR").is_some_and(|folder| !folder.is_empty() && !folder.starts_with('/')) {
        return Err(Failure::go("GOTMPDIR must be an absolute path"));
    }
    change(go, added, &BTreeSet::new())
}

/// `-u`: lets go of variables.
pub(super) fn unset(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    if words.is_empty() {
        return Err(Failure::go("'go env -u' requires an argument"));
    }
    for word in words {
        check(go, word, "")?;
    }
    let gone = words.iter().cloned().collect();
    check_together(go, &BTreeMap::new(), &gone)?;
    change(go, BTreeMap::new(), &gone)
}

/// Fails where a variable can't be kept, or not with that value (`checkEnvWrite`).
fn check(go: &GoEnv, name: &str, value: &str) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::go(text));
    match name {
        "GOEXE" | "GOGCCFLAGS" | "GOHOSTARCH" | "GOHOSTOS" | "GOMOD" | "GOTELEMETRY" | "GOTELEMETRYDIR"
        | "GOTOOLDIR" | "GOVERSION" | "GOWORK" => return refuse(format!("{name} cannot be modified")),
        "GOROOT" if !go.is_before("1.27") => return refuse(format!("{name} cannot be modified")),
        "GOENV" | "GODEBUG" => {
            return refuse(format!("{name} can only be set using the OS environment"));
        }
        _ if !may_be_kept(go, name) => return refuse(format!("unknown go command variable {name}")),
        _ => {}
    }
    let is_relative = !value.is_empty() && !value.starts_with('/');
    match name {
        "GO111MODULE" if !matches!(value, "" | "auto" | "on" | "off") => {
            return refuse(format!("invalid {name} value {}", quote(value)));
        }
        "GOPATH" if value.starts_with('~') => {
            let text = "GOPATH entry cannot start with shell metacharacter '~'";
            return refuse(format!("{text}: {}", quote(value)));
        }
        "GOPATH" | "GOMODCACHE" if is_relative => {
            let value = quote(value);
            return refuse(format!("{name} entry is relative; must be absolute path: {value}"));
        }
        "CC" | "CXX" if !value.is_empty() => {
            let program = match split(value) {
                Ok(words) => words.into_iter().next(),
                Err(error) => return refuse(format!("invalid {name}: {error}")),
            };
            let Some(program) = program else {
                return refuse(format!("{name} entry cannot contain only space"));
            };
            if !program.starts_with('/') && program.contains('/') {
                let program = quote(&program);
                return refuse(format!("{name} entry is relative; must be absolute path: {program}"));
            }
        }
        _ => {}
    }
    match (value.contains('\0'), value.contains(['\u{b}', '\r', '\n'])) {
        (true, _) => refuse(format!("invalid NUL in {name}=... value")),
        (_, true) => refuse(format!("invalid newline in {name}=... value")),
        _ => Ok(()),
    }
}

/// Fails where there would be no such target or experiment after the change (`checkBuildConfig`).
fn check_together(
    go: &GoEnv,
    added: &BTreeMap<String, String>,
    gone: &BTreeSet<String>,
) -> Result<(), Failure> {
    let after = |name: &str, default: &str| -> (String, bool) {
        let now = go.get(name).unwrap_or(default).to_owned();
        match (added.get(name), gone.contains(name)) {
            (Some(value), _) => (value.clone(), true),
            (None, true) => (go.environment().get(name).unwrap_or(default).to_owned(), true),
            (None, false) => (now, false),
        }
    };
    let (os, new_os) = after("GOOS", goos());
    let (arch, new_arch) = after("GOARCH", goarch());
    if (new_os || new_arch) && !platform::exists(&os, &arch, go.is_before("1.27")) {
        return Err(Failure::go(format!("unsupported GOOS/GOARCH pair {os}/{arch}")));
    }
    match after("GOEXPERIMENT", "") {
        (experiments, true) => check_experiments(go, &experiments),
        _ => Ok(()),
    }
}

fn change(go: &GoEnv, added: BTreeMap<String, String>, gone: &BTreeSet<String>) -> Result<(), Failure> {
    let Some(file) = go.settings_file() else {
        let why = match go.environment().get("GOENV") {
            Some("off") => "GOENV=off",
            _ => "neither $XDG_CONFIG_HOME nor $HOME are defined",
        };
        return Err(Failure::go(format!("cannot find go env config: {why}")));
    };
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !added.is_empty() => Vec::new(),
        Err(error) => {
            let text = format!("reading go env config: open {file}: {}", system_words(&error));
            return Err(Failure::go(text));
        }
    };
    let text = String::from_utf8(text).map_err(|_| {
        Failure::go(format!("reading go env config: {file}: not UTF-8; mend it before anything is changed"))
    })?;
    let text = changed(&text, added, gone);
    let written = write(&file, &text).or_else(|_| {
        // It may be that only its folder isn't there.
        fs::create_dir_all(Path::new(&file).parent().unwrap_or(Path::new("/")))?;
        write(&file, &text)
    });
    written
        .map_err(|error| Failure::go(format!("writing go env config: open {file}: {}", system_words(&error))))
}

fn write(file: &str, text: &str) -> io::Result<()> {
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).open(file)?;
    out.write_all(text.as_bytes())
}

/// The file's text after a change: of equal names the last line stays, and between other lines names are in order
/// (`updateEnvFile`).
fn changed(text: &str, mut added: BTreeMap<String, String>, gone: &BTreeSet<String>) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    let mut places = HashMap::new();
    for at in 0..lines.len() {
        let name = name(&lines[at]).to_owned();
        if name.is_empty() {
            continue;
        }
        if let Some(before) = places.insert(name, at) {
            lines[before].clear();
        }
    }
    added.retain(|name, value| match places.get(name) {
        Some(&at) => {
            lines[at] = format!("{name}={value}\n");
            false
        }
        None => true,
    });
    lines.extend(added.iter().map(|(name, value)| format!("{name}={value}\n")));
    for at in gone.iter().filter_map(|name| places.get(name)) {
        lines[*at].clear();
    }
    for run in lines.split_mut(|line| name(line).is_empty()) {
        run.sort_by(|a, b| name(a).cmp(name(b)));
    }
    lines.concat()
}

/// What a line sets; empty if it is none that sets anything.
fn name(line: &str) -> &str {
    line.split_once('=').map(|(name, _)| name).filter(|name| !name.contains('#')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, added: &[(&str, &str)], gone: &[&str], want: &str) {
        let added = added.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let gone = gone.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(changed(text, added, &gone), want);
    }

    #[test]
    fn lines_are_set_in_their_place_and_kept_in_order_between_others() {
        check("", &[("GOOS", "linux"), ("CC", "xyc")], &[], "CC=xyc\nGOOS=linux\n");
        check("GO=1\nGO386=2", &[("GO", "3")], &[], "GO=3\nGO386=2\n");
        check("B=1\nA=1\n# note\nD=1\nC=1\n", &[("E", "1")], &[], "A=1\nB=1\n# note\nC=1\nD=1\nE=1\n");
        check("A=1\nB=1\nA=2\n", &[], &["B"], "A=2\n");
        check("#A=1\n", &[], &["A"], "#A=1\n");
    }
}
