//! What builds have left in folders of packages, and what was installed of them.
//!
//! Source of the rules: `cmd/go/internal/clean/clean.go` (`clean`, `removeFile`).

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use modkeep_builder::load::Options;
use modkeep_builder::package::{Graph, Package, PackageId};

use crate::building::{BuildFlags, Site};
use crate::goenv::{GoEnv, words as system_words};
use crate::report::{self, Failure};

/// Files that makefiles of old times have left, by name and by ending.
const NAMES: [&str; 4] = ["_testmain.go", "a.out", "build.out", "test.out"];
const ENDINGS: [&str; 6] = ["5", "6", "8", "a", "o", "so"];

/// Removes files of packages.
pub(super) struct Cleaner<'a> {
    flags: &'a BuildFlags,
    /// `-i`
    installed: bool,
    /// `-r`
    recursive: bool,
    has_failed: bool,
}

impl<'a> Cleaner<'a> {
    pub(super) fn new(flags: &'a BuildFlags, installed: bool, recursive: bool) -> Self {
        Self { flags, installed, recursive, has_failed: false }
    }

    /// Cleans what the patterns match.
    pub(super) fn clean(mut self, go: &GoEnv, patterns: &[String]) -> Result<(), Failure> {
        let site = Site::find(go, self.flags, "clean")?;
        for loaded in site.load(patterns, Options::default())? {
            let mut seen = HashSet::new();
            for &id in &loaded.named {
                self.clean_one(&loaded.graph, id, &mut seen)?;
            }
        }
        if self.has_failed { Err(Failure::told(1)) } else { Ok(()) }
    }

    fn clean_one(
        &mut self,
        graph: &Graph,
        id: PackageId,
        seen: &mut HashSet<PackageId>,
    ) -> Result<(), Failure> {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            let package = &graph[id];
            if package.dir.is_empty() {
                self.fail(&package.error.as_ref().map_or_else(String::new, ToString::to_string));
                continue;
            }
            self.clean_folder(package)?;
            if self.recursive {
                pending.extend(package.imported.iter().rev());
            }
        }
        Ok(())
    }

    fn clean_folder(&mut self, package: &Package) -> Result<(), Failure> {
        let dir = &package.dir;
        let entries = match fs::read_dir(dir).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => {
                self.fail(&format!("go: {dir}: open {dir}: {}", system_words(&error)));
                return Ok(());
            }
        };
        let files = entries.into_iter().filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()));
        // A name that is no text has an ending all the same.
        let mut files: Vec<(String, PathBuf)> =
            files.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
        files.sort_unstable();
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        let made = made_of(package, &names);
        for (name, path) in &files {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if NAMES.contains(&name.as_str()) || ENDINGS.contains(&ending) || made.contains(name) {
                self.remove(path)?;
            }
        }
        if self.installed && !package.target.is_empty() {
            self.remove(Path::new(&package.target))?;
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        if self.flags.dry || self.flags.shows {
            report::out(&format!("rm -f {shown}\n"))?;
        }
        if self.flags.dry {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                self.fail(&format!("go: remove {shown}: {}", system_words(&error)));
            }
            _ => {}
        }
        Ok(())
    }

    fn fail(&mut self, text: &str) {
        report::tell(text);
        self.has_failed = true;
    }
}

/// What programs and tests made of the folder's files would be called.
fn made_of(package: &Package, files: &[String]) -> HashSet<String> {
    let folder = package.dir.rsplit('/').next().unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for name in [folder, package.program_name()] {
        names.extend((package.name == "main").then(|| name.to_owned()));
        names.push(format!("{name}.test"));
    }
    // Files of a program may each be one.
    let lists = [&package.go_files, &package.cgo_files, &package.test_go_files, &package.x_test_go_files];
    let own: HashSet<&String> = lists.into_iter().flatten().filter(|_| package.name != "main").collect();
    for file in files.iter().filter(|file| !own.contains(file)) {
        names.extend(file.strip_suffix("_test.go").map(|stem| format!("{stem}.test")));
        names.extend(file.strip_suffix(".go").map(str::to_owned));
    }
    names.into_iter().flat_map(|name| [format!("{name}.exe"), name]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_packages_may_have_been_made_into_programs() {
        let package = |name: &str| Package {
            name: name.to_owned(),
            dir: "/m/tool".to_owned(),
            import_path: "example.com/tool/v2".to_owned(),
            go_files: vec!["a.go".to_owned()],
            ..Package::default()
        };
        let files = ["a.go".to_owned(), "b.go".to_owned(), "b_test.go".to_owned(), "c.txt".to_owned()];
        let made = |name: &str| {
            let mut made: Vec<_> = made_of(&package(name), &files).into_iter().collect();
            made.retain(|name| !name.ends_with(".exe"));
            made.sort();
            made
        };
        assert_eq!(made("lib"), ["b", "b.test", "b_test", "tool.test"]);
        assert_eq!(made("main"), ["a", "b", "b.test", "b_test", "tool", "tool.test"]);
    }
}
