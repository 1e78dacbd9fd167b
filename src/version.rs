//! `modkeep version`: the Go release that modkeep acts as, in go's own line, or what programs tell about how they were
//! built; `-modkeep` for our own version.
//!
//! Source of the rules: `cmd/go/internal/version/version.go`.

use std::fs::{self, Metadata};
use std::path::Path;

use modkeep_builder::package::{BuildInfo, BuildModule};
use modkeep_builder::stamped::{self, StampedError};
use serde::Serialize;

use crate::flags::{GoFlags, Kind, Usage};
use crate::goenv::{GoEnv, words as system_words};
use crate::report::Failure;
use crate::{gojson, report};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "version",
    line: "go version [-m] [-v] [-json] [file ...]",
    flags: &[("json", Kind::Bool), ("m", Kind::Bool), ("modkeep", Kind::Bool), ("v", Kind::Bool)],
};

#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// `-m`
    modules: bool,
    /// `-v`
    is_verbose: bool,
    /// `-json`
    is_json: bool,
    /// `-modkeep`
    own: bool,
}

impl Asked {
    fn of(words: &[String], goflags: &GoFlags) -> Result<(Self, Vec<String>), Failure> {
        let mut asked = Self::default();
        let files = USAGE.parse(words, goflags, |name, value| {
            let flag = match name {
                "m" => &mut asked.modules,
                "v" => &mut asked.is_verbose,
                "json" => &mut asked.is_json,
                "modkeep" => &mut asked.own,
                _ => return Ok(()),
            };
            *flag = value == "true";
            Ok(())
        })?;
        Ok((asked, files))
    }
}

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let (asked, files) = Asked::of(words, go.goflags())?;
    if asked.own {
        return report::out(&format!("modkeep version {}\n", env!("CARGO_PKG_VERSION")));
    }
    if files.is_empty() {
        let (named, _) = Asked::of(words, &GoFlags::default())?;
        let flags = [(named.modules, "-m"), (named.is_verbose, "-v"), (named.is_json, "-json")];
        if let Some((_, flag)) = flags.into_iter().find(|(is_set, _)| *is_set) {
            let text = format!("go: 'go version' only accepts {flag} flag with arguments");
            return Err(Failure::exact(2, text));
        }
        return report::out(&format!("go version go{} {}/{}\n", go.release(), goos(), goarch()));
    }
    if asked.is_json && !asked.modules {
        return Err(Failure::exact(2, "go: 'go version' with -json flag requires -m flag"));
    }
    let mut has_failed = false;
    for file in &files {
        match fs::metadata(file) {
            Err(error) => {
                report::tell(&format!("stat {file}: {}", system_words(&error)));
                has_failed = true;
            }
            Ok(found) if found.is_dir() => asked.look_below(file)?,
            Ok(found) => has_failed |= !asked.look_at(file, &found, true)? && asked.modules,
        }
    }
    if has_failed { Err(Failure::told(1)) } else { Ok(()) }
}

impl Asked {
    /// Looks at all files below a folder, in order of their names.
    fn look_below(self, folder: &str) -> Result<(), Failure> {
        let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder == "." { name } else { format!("{}/{name}", folder.trim_end_matches('/')) };
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.look_below(&path)?;
            } else if let Ok(found) = entry.metadata()
                && (kind.is_file() || kind.is_symlink())
            {
                self.look_at(&path, &found, self.is_verbose)?;
            }
        }
        Ok(())
    }

    /// Tells what a file tells; whether it is a program of Go. What is wrong is said if `tells`.
    fn look_at(self, file: &str, found: &Metadata, tells: bool) -> Result<bool, Failure> {
        let followed = fs::metadata(file).ok().filter(Metadata::is_file);
        let found = match (found.is_symlink(), &followed) {
            (true, None) => {
                if tells {
                    report::tell(&format!("{file}: symlink"));
                }
                return Ok(false);
            }
            (true, Some(followed)) => followed,
            (false, _) => found,
        };
        let stamped = match stamped::read(Path::new(file)) {
            Ok(stamped) => stamped,
            Err(StampedError::Unreadable(_)) if tells => {
                report::tell(file);
                return Ok(false);
            }
            Err(error) => {
                // Nobody wonders about files that are no programs.
                if tells && is_candidate(file, found) {
                    report::tell(&format!("{file}: could not read Go build info from {file}: {error}"));
                }
                return Ok(false);
            }
        };
        if self.modules && self.is_json {
            let document = Document::of(&stamped.go_version, &stamped.info);
            report::out(&gojson::indented(&document)?)?;
            return Ok(true);
        }
        let mut text = format!("{file}: {}\n", stamped.go_version);
        let info = stamped.info.to_string();
        if let Some(info) = info.strip_suffix('\n').filter(|_| self.modules) {
            text.push_str(&format!("\t{}\n", info.replace('\n', "\n\t")));
        }
        report::out(&text)?;
        Ok(true)
    }
}

fn is_candidate(file: &str, found: &Metadata) -> bool {
    let name = file.to_lowercase();
    let base = name.rsplit('/').next().unwrap_or(&name);
    found.is_file() && is_executable(found)
        || [".so", ".exe", ".dll"].iter().any(|ending| base.ends_with(ending))
        || name.contains(".so.")
}

#[cfg(unix)]
fn is_executable(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

/// What a program tells, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    go_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    main: Module<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<Module<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Module<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sum: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<Box<Module<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Setting<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: &'a str,
}

impl<'a> Document<'a> {
    fn of(go_version: &'a str, info: &'a BuildInfo) -> Self {
        Self {
            go_version,
            path: &info.path,
            main: Module::of(&info.main),
            deps: info.deps.iter().map(Module::of).collect(),
            settings: info.settings.iter().map(|(key, value)| Setting { key, value }).collect(),
        }
    }
}

impl<'a> Module<'a> {
    fn of(module: &'a BuildModule) -> Self {
        Self {
            path: &module.path,
            version: &module.version,
            sum: &module.sum,
            replace: module.replace.as_deref().map(|replace| Box::new(Self::of(replace))),
        }
    }
}

/// This system in Go's words.
pub(crate) fn goos() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// This processor in Go's words.
pub(crate) fn goarch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
