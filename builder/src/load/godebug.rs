//! The GODEBUG settings that a program is built with.
//!
//! A program that says an older release keeps the behaviour of that release: the table of what changed when is the
//! toolchain's own. Source: `cmd/go/internal/load/godebug.go`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use modkeep_module::quote;

use super::Loader;
use crate::godebugs;
use crate::package::{Package, PackageId};
use crate::scan::{Directive, Position};

/// A line of `internal/godebugs/table.go`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    name: String,
    /// N of the release go1.N that changed the default, and the value before that.
    changed: Option<(u32, String)>,
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
        let is_known = |key: &str| key == "default" || table.iter().any(|setting| setting.name == key);
        let lines = directives.flatten().filter_map(|(_, directive)| parse(&directive.text));
        settings.extend(lines.filter(|(key, _)| is_known(key)));
        let asked = settings.remove("default").map(|value| value.strip_prefix("go").unwrap_or(value));
        let own = self.language_version(package);
        let version = asked.filter(|version| is_version(version)).unwrap_or(&own);
        let mut all: BTreeMap<&str, &str> = BTreeMap::new();
        if let Some(minor) = minor_of(version) {
            let changes = table.iter().filter_map(|setting| Some((setting, setting.changed.as_ref()?)));
            let later = changes.filter(|(_, (changed, _))| minor < *changed);
            all.extend(later.map(|(setting, (_, old))| (setting.name.as_str(), old.as_str())));
        }
        all.extend(settings);
        all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
    }

    /// What is wrong with a package's `//go:debug` lines (`checkDirectives`).
    pub(super) fn debug_mistakes(&self, package: &Package) -> Vec<String> {
        let version = self.source.build.toolchain.version.trim_start_matches("go");
        let mut mistakes = Vec::new();
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (file, directive) in &package.sources.directives {
            let Some(setting) = directive.text.strip_prefix("//go:debug") else { continue };
            let Position { line, column } = directive.position;
            let place = format!("{}/{file}:{line}:{column}", package.dir);
            let pair = match setting.split_once([' ', '\t']) {
                None if setting.is_empty() => None,
                None => continue,
                // Another word that begins so.
                Some((before, _)) if !before.is_empty() => continue,
                Some((_, rest)) => rest.trim().split_once('='),
            };
            let problem = match pair {
                None => Some("missing key=value".to_owned()),
                Some((key, value)) => godebugs::problem("//go:debug setting", key, value, version),
            };
            if let Some(problem) = problem {
                mistakes.push(format!("{place}: invalid //go:debug: {problem}"));
            } else if let Some((key, _)) = pair {
                match seen.get(key) {
                    Some(first) => mistakes.push(format!(
                        "{place}: repeated //go:debug for {key}\n\t{first}: previous //go:debug"
                    )),
                    None => drop(seen.insert(key, place)),
                }
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

    fn godebug_table(&mut self) -> Arc<Vec<Setting>> {
        let path = format!("{}/internal/godebugs/table.go", self.source.goroot_src());
        // Without the table nothing is known to have changed, as for a toolchain without sources.
        let read = || Arc::new(table(&fs::read_to_string(path).unwrap_or_default()));
        Arc::clone(self.godebugs.get_or_insert_with(read))
    }
}

/// A `//go:debug` line; `None` for another and for one that can't be read.
fn parse(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("//go:debug")?;
    let rest = rest.strip_prefix([' ', '\t'])?;
    let (key, value) = rest.trim().split_once('=')?;
    let is_bad = |text: &str| text.contains([' ', '\t', '\n', '\r', ',', '"', '`', '\'']);
    (!is_bad(key) && !is_bad(value)).then_some((key, value))
}

fn table(text: &str) -> Vec<Setting> {
    text.lines().filter_map(|line| line.trim().strip_prefix("{Name: ")).filter_map(setting).collect()
}

fn setting(line: &str) -> Option<Setting> {
    let literal = |text: &str| -> Option<String> {
        let end = text[1..].find('"')? + 2;
        String::from_utf8(quote::unquote(&text.as_bytes()[..end])?).ok()
    };
    let name = literal(line)?;
    let Some((_, after)) = line.split_once("Changed: ") else {
        return Some(Setting { name, changed: None });
    };
    let changed = after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let old = line.split_once("Old: ").map_or(Some(String::new()), |(_, old)| literal(old))?;
    Some(Setting { name, changed: Some((changed, old)) })
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
    fn the_table_holds_what_changed() {
        let text = "var All = []Info{\n\t{Name: \"a\", Package: \"cmd/go\"},\n\t{Name: \"b\", Package: \"x\", Changed: \
                    25, Old: \"0\"}, // why\n\t//{Name: \"c\", Changed: 1, Old: \"2\"},\n}\n";
        let changed = Some((25, "0".to_owned()));
        assert_eq!(
            table(text),
            [Setting { name: "a".into(), changed: None }, Setting { name: "b".into(), changed }]
        );
    }

    #[test]
    fn a_line_sets_one_key() {
        for (text, expected) in [
            ("//go:debug a=b", Some(("a", "b"))),
            ("//go:debug\ta=b=c ", Some(("a", "b=c"))),
            ("//go:debug a", None),
            ("//go:debugger a=b", None),
            ("//go:debug a=b,c=d", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
