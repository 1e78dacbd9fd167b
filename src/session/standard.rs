//! The standard library of the release that is acted as: from its GOROOT where there is one, else from a list.
//!
//! Without a GOROOT the names are those of the last release of the same minor version that is known; what standard
//! packages import from each other is not known then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use modkeep_builder::load::Scans;
use modkeep_builder::overlay::Overlay;
use modkeep_resolver::go_version;
use modkeep_resolver::world::Standard;

use super::{Session, folders};

/// The directories with Go files below `GOROOT/src`, by release.
const LISTS: &[(&str, &str)] =
    &[("1.27", include_str!("standard/1.27.txt")), ("1.26", include_str!("standard/1.26.txt"))];

impl Session<'_> {
    /// Tells the resolver about the standard library, before packages are loaded.
    pub(crate) fn tell_standard(&mut self, with_imports: bool) {
        self.world.standard = match self.go.root_of_release().map(PathBuf::from) {
            Some(root) => match &self.target {
                Some(target) if !with_imports => scanned(&target.scans, &root.join("src")),
                _ => read(self.go.seen(), &root.join("src"), with_imports),
            },
            None => listed(self.go.release()),
        };
    }
}

fn read(seen: &Overlay, sources: &Path, with_imports: bool) -> Standard {
    let packages = folders::packages(seen, sources, false).unwrap_or_default();
    let mut names: Vec<String> = packages.into_iter().filter(|name| !name.is_empty()).collect();
    // What is vendored is below `vendor` directories, where a walk of a module stops.
    for vendor in ["vendor", "cmd/vendor"] {
        let below = folders::packages(seen, &sources.join(vendor), false).unwrap_or_default();
        names
            .extend(below.into_iter().filter(|name| !name.is_empty()).map(|name| format!("{vendor}/{name}")));
    }
    let mut imports = HashMap::new();
    if with_imports {
        for name in &names {
            let scan = folders::folder(seen, sources, name, false, None).any;
            let vendor = if name.starts_with("cmd/") { "cmd/vendor" } else { "vendor" };
            let written = scan.imports.into_iter().filter(|path| path != "C").map(|path| {
                let vendored = format!("{vendor}/{path}");
                if names.contains(&vendored) { vendored } else { path }
            });
            imports.insert(name.clone(), written.collect());
        }
    }
    Standard { packages: names.into_iter().collect(), imports, directory: sources.display().to_string() }
}

/// The names alone, from directories that may be remembered.
fn scanned(scans: &Scans, sources: &Path) -> Standard {
    let directory = sources.display().to_string();
    let mut packages = HashSet::new();
    let mut pending = vec![String::new()];
    while let Some(name) = pending.pop() {
        let folder = if name.is_empty() { directory.clone() } else { format!("{directory}/{name}") };
        let Ok(found) = scans.directory(&folder) else { continue };
        let below =
            found.below().iter().filter(|below| !below.starts_with(['.', '_']) && *below != "testdata");
        pending.extend(
            below.map(|below| if name.is_empty() { below.clone() } else { format!("{name}/{below}") }),
        );
        if found.has_go_files() && !name.is_empty() {
            packages.insert(name);
        }
    }
    Standard { packages, imports: HashMap::new(), directory }
}

fn listed(release: &str) -> Standard {
    let language = go_version::language(release);
    let list = LISTS.iter().find(|(minor, _)| *minor == language).or(LISTS.first());
    let names = list.map_or("", |(_, names)| names).lines().map(str::to_owned);
    Standard { packages: names.collect(), ..Standard::default() }
}
