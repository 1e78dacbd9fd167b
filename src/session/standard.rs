//! The standard library of the release that is acted as: from its GOROOT where there is one, else from a list.
//!
//! Without a GOROOT the names are those of the last release of the same minor version that is known; what standard
//! packages import from each other is not known then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use modkeep_builder::load::Scans;
use modkeep_builder::overlay::Overlay;
use modkeep_resolver::go_version;
use modkeep_resolver::known::Scan;
use modkeep_resolver::world::Standard;

use super::{Session, folders};

/// The directories with Go files below `GOROOT/src`, by release.
const LISTS: &[(&str, &str)] =
    &[("1.27", include_str!("standard/1.27.txt")), ("1.26", include_str!("standard/1.26.txt"))];

impl Session<'_> {
    /// Tells the resolver about the standard library, before packages are loaded.
    pub(crate) fn tell_standard(&mut self, with_imports: bool) {
        let seen = self.go.seen();
        self.world.standard = match self.go.root_of_release().map(|root| PathBuf::from(root).join("src")) {
            Some(sources) => match &self.target {
                Some(target) => {
                    let mut standard = scanned(&target.scans, &sources);
                    if with_imports {
                        // No package outside of cmd needs those in it.
                        standard.scans = scans(&standard.packages, |name| {
                            let scan = || folders::folder_for(seen, &sources, name, false, target).target;
                            (!name.starts_with("cmd/")).then(scan).unwrap_or_default()
                        });
                    }
                    standard
                }
                None => {
                    let mut standard = read(seen, &sources);
                    if with_imports {
                        standard.scans = scans(&standard.packages, |name| {
                            folders::folder(seen, &sources, name, false, None).any
                        });
                    }
                    standard
                }
            },
            None => listed(self.go.release()),
        };
    }
}

/// What packages and their tests import, by the names under which the standard library has it.
fn scans(names: &HashSet<String>, scan: impl Fn(&str) -> Scan) -> HashMap<String, Scan> {
    let scans = names.iter().map(|name| {
        let vendor = if name.starts_with("cmd/") { "cmd/vendor" } else { "vendor" };
        let resolved = |paths: Vec<String>| {
            let paths = paths.into_iter().filter(|path| path != "C").map(|path| {
                let vendored = format!("{vendor}/{path}");
                if names.contains(&vendored) { vendored } else { path }
            });
            paths.collect()
        };
        let Scan { imports, test_imports, .. } = scan(name);
        let scan = Scan { imports: resolved(imports), test_imports: resolved(test_imports), error: None };
        (name.clone(), scan)
    });
    scans.collect()
}

fn read(seen: &Overlay, sources: &Path) -> Standard {
    let packages = folders::packages(seen, sources, false).unwrap_or_default();
    let mut names: HashSet<String> = packages.into_iter().filter(|name| !name.is_empty()).collect();
    // What is vendored is below `vendor` directories, where a walk of a module stops.
    for vendor in ["vendor", "cmd/vendor"] {
        let below = folders::packages(seen, &sources.join(vendor), false).unwrap_or_default();
        names
            .extend(below.into_iter().filter(|name| !name.is_empty()).map(|name| format!("{vendor}/{name}")));
    }
    let directory = sources.display().to_string();
    Standard { packages: names, scans: HashMap::new(), directory }
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
    Standard { packages, scans: HashMap::new(), directory }
}

fn listed(release: &str) -> Standard {
    let language = go_version::language(release);
    let list = LISTS.iter().find(|(minor, _)| *minor == language).or(LISTS.first());
    let names = list.map_or("", |(_, names)| names).lines().map(str::to_owned);
    Standard { packages: names.collect(), ..Standard::default() }
}
