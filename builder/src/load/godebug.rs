//! The GODEBUG settings that a program is built with.
//!
//! A program that says an older release keeps the behaviour of that release: the table of what changed when is the
//! toolchain's own. Source: `cmd/go/internal/load/godebug.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Loader;
use crate::godebugs::Table;
use crate::package::{Package, PackageId};
use crate::scan::{Directive, Position};

/// What settings are called in a source.
const WHAT: &str = "//go:debug setting";

/// What a comment that begins as `//go:debug` is (`ParseGoDebug`).
#[derive(Debug, PartialEq, Eq)]
enum Line<'t> {
    /// A key and a value.
    Sets(&'t str, &'t str),
    /// No value.
    Incomplete,
    /// One word that only begins so.
    Other,
}

impl Loader<'_> {
    /// The settings of a program, with directives of packages that it tests.
    pub(super) fn default_godebug(&mut self, id: PackageId, tested: &[&[(String, Directive)]]) -> String {
        if self.graph[id].name != "main" {
            return String::new();
        }
        let table = self.godebug_table();
        let modules = self.source.modules;
        let package = &self.graph[id];
        let mut settings: BTreeMap<&str, &str> =
            modules.godebugs().iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let directives = std::iter::once(package.sources.directives.as_slice()).chain(tested.iter().copied());
        let release = self.source.build.toolchain.version.trim_start_matches("go");
        settings.extend(directives.flatten().filter_map(|(_, directive)| match line(&directive.text)? {
            Line::Sets(key, value) if table.problem(WHAT, key, value, release).is_none() => {
                Some((key, value))
            }
            _ => None,
        }));
        let asked = settings.remove("default").map(|value| value.strip_prefix("go").unwrap_or(value));
        let own = self.language_version(package);
        let version = asked.filter(|version| is_version(version)).unwrap_or(&own);
        let mut all: BTreeMap<&str, &str> = BTreeMap::new();
        if let Some(minor) = minor_of(version) {
            let changes =
                table.settings.iter().filter_map(|setting| Some((setting, setting.changed.as_ref()?)));
            let later = changes.filter(|(_, (changed, _))| minor < *changed);
            all.extend(later.map(|(setting, (_, old))| (setting.name.as_str(), old.as_str())));
        }
        all.extend(settings);
        all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
    }

    /// What is wrong with the `//go:debug` lines of a package's files (`checkDirectives`).
    pub(super) fn debug_mistakes(&mut self, dir: &str, directives: &[(String, Directive)]) -> Vec<String> {
        if directives.is_empty() {
            return Vec::new();
        }
        let table = self.godebug_table();
        let release = self.source.build.toolchain.version.trim_start_matches("go");
        let mut mistakes = Vec::new();
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (file, directive) in directives {
            let Some(line) = line(&directive.text) else { continue };
            let Position { line: row, column } = directive.position;
            let place = format!("{dir}/{file}:{row}:{column}");
            let (key, problem) = match line {
                Line::Incomplete => ("", Some("missing key=value".to_owned())),
                Line::Sets(key, value) => (key, table.problem(WHAT, key, value, release)),
                // The second such line is told, as go does.
                Line::Other => ("", None),
            };
            if let Some(problem) = problem {
                mistakes.push(format!("{place}: invalid //go:debug: {problem}"));
                continue;
            }
            match seen.get(key) {
                Some(first) => mistakes
                    .push(format!("{place}: repeated //go:debug for {key}\n\t{first}: previous //go:debug")),
                None => drop(seen.insert(key, place)),
            }
        }
        mistakes
    }

    /// The release that the program says (`defaultGODEBUGGoVersion`).
    fn language_version(&self, package: &Package) -> String {
        let modules = self.source.modules;
        match &package.module {
            Some(module) if modules.mains().is_empty() && !module.go_version.is_empty() => {
                module.go_version.clone()
            }
            Some(_) if modules.mains().is_empty() => "1.20".to_owned(),
            _ => modules.go_version().to_owned(),
        }
    }

    fn godebug_table(&mut self) -> Arc<Table> {
        let toolchain = &self.source.build.toolchain;
        let read = || Arc::new(Table::of(&toolchain.root, toolchain.version.trim_start_matches("go")));
        Arc::clone(self.godebugs.get_or_insert_with(read))
    }
}

/// What a comment says; `None` for one that begins otherwise.
fn line(text: &str) -> Option<Line<'_>> {
    let rest = text.strip_prefix("//go:debug")?;
    Some(match rest.find([' ', '\t']) {
        None if rest.trim().is_empty() => Line::Incomplete,
        None => Line::Other,
        Some(start) => match rest[start..].trim().split_once('=') {
            Some((key, value)) => Line::Sets(key, value),
            None => Line::Incomplete,
        },
    })
}

/// N of `1.N`, `1.N.P`; nothing for `1.Nrc1`.
fn minor_of(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("1.")?;
    rest.split('.').next()?.parse().ok()
}

/// `gover.IsValid`, for what `default=` may say.
fn is_version(version: &str) -> bool {
    let mut parts = version.split('.');
    parts.clone().count() <= 3 && parts.all(|part| !part.is_empty() && part.as_bytes()[0].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_sets_one_key() {
        for (text, expected) in [
            ("//go:debug a=b", Some(Line::Sets("a", "b"))),
            ("//go:debug\ta=b=c ", Some(Line::Sets("a", "b=c"))),
            ("//go:debug", Some(Line::Incomplete)),
            ("//go:debug a", Some(Line::Incomplete)),
            ("//go:debugger", Some(Line::Other)),
            ("//go:debugger a=b", Some(Line::Sets("a", "b"))),
            ("//go:debug a=b,c=d", Some(Line::Sets("a", "b,c=d"))),
            ("//go:build a", None),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }
}
