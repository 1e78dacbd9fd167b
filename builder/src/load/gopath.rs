//! Packages without modules: found by their paths in GOROOT, in the folders of GOPATH, and in vendor directories above
//! whoever imports them.
//!
//! Sources: `go/build/build.go:Import`, `cmd/go/internal/load/pkg.go` (`vendoredImportPath`, `loadPackageData`),
//! `cmd/go/internal/search/search.go` (`ImportPathsQuiet`, `MatchPackages`).

use std::fs;

use modkeep_module::file_path;
use modkeep_resolver::wildcard::Wildcard;

use super::data::{Data, DataError, Importer, Source};
use crate::load::arguments::{Match, Walk};
use crate::package_flags::is_relative;
use crate::path_prefix::has_path_prefix;

/// What a folder is called.
struct Called {
    path: String,
    root: String,
    goroot: bool,
    /// The folder that is found first under the same path.
    conflict: String,
}

impl Source<'_> {
    fn is_folder(&self, place: &str) -> bool {
        self.scans().overlay().is_folder(place)
    }

    /// The path of the package that an import means (`resolveImportPath`); `written` in a source file.
    pub(super) fn resolve_in_folders(&self, path: &str, importer: &Importer<'_>, written: bool) -> String {
        if is_relative(path) {
            let dir = if importer.dir.is_empty() { &self.build.folder } else { importer.dir };
            return format!("_{}", file_path::join(dir, path));
        }
        match written {
            true => self.vendored_path(path, importer).unwrap_or_else(|| path.to_owned()),
            false => path.to_owned(),
        }
    }

    /// What relative imports of a package are relative to; empty where none are allowed.
    pub(super) fn local_prefix(&self, path: &str, data: &Data) -> String {
        match self.modules.gopath() {
            Some(_) if is_relative(path) => format!("_{}", data.dir),
            _ => String::new(),
        }
    }

    fn vendored_path(&self, path: &str, importer: &Importer<'_>) -> Option<String> {
        if importer.root.is_empty() {
            return None;
        }
        let (mut dir, mut root) = (file_path::clean(importer.dir), file_path::join(importer.root, "src"));
        let is_named = importer.path == "command-line-arguments";
        if !has_path_prefix(&dir, &root) || !is_named && file_path::join(&root, importer.path) != dir {
            (dir, root) = (real(&dir), real(&root));
        }
        if !has_path_prefix(&dir, &root) || dir.len() <= root.len() {
            return None;
        }
        let from = if is_named { &dir[root.len() + 1..] } else { importer.path };
        file_path::upwards(&dir).take_while(|above| above.len() >= root.len()).find_map(|above| {
            let vendor = format!("{above}/vendor");
            let found = format!("{vendor}/{path}");
            let is_there = self.is_folder(&vendor)
                && self.scans().directory(&found).is_ok_and(|found| found.has_go_files());
            if !is_there {
                return None;
            }
            let chopped = dir.len() - above.len();
            Some(match from.len().checked_sub(chopped) {
                None | Some(0) => format!("vendor/{path}"),
                Some(kept) => format!("{}/vendor/{path}", &from[..kept]),
            })
        })
    }

    /// Finds and reads the package of a resolved path.
    pub(super) fn read_in_folders(&self, path: &str, importer: &Importer<'_>, folders: &[String]) -> Data {
        let mut data = Data { path: path.to_owned(), ..Data::default() };
        if let Some(dir) = path.strip_prefix('_').filter(|dir| dir.starts_with('/')) {
            let called = self.called(dir, folders);
            (data.root, data.goroot, data.conflict) = (called.root, called.goroot, called.conflict);
            dir.clone_into(&mut data.dir);
            if !self.is_folder(dir) {
                let name = if called.path.is_empty() { "." } else { &called.path };
                data.error = Some(DataError::Place(format!("cannot find package \"{name}\" in:\n\t{dir}")));
                return data;
            }
            self.read_files(&mut data);
            return data;
        }
        if path.starts_with('/') {
            data.error = Some(DataError::Place(format!("import \"{path}\": cannot import absolute path")));
            return data;
        }
        let in_goroot = format!("{}/{path}", self.goroot_src());
        let from = if importer.dir.is_empty() { &self.build.folder } else { importer.dir };
        let goroot_first = !path.starts_with("vendor/") || has_path_prefix(from, &self.build.toolchain.root);
        let found = if goroot_first && self.is_folder(&in_goroot) {
            Some((in_goroot.clone(), self.build.toolchain.root.clone(), true))
        } else {
            let inside = folders.iter().map(|folder| (format!("{folder}/src/{path}"), folder.clone(), false));
            let mut inside = inside.filter(|(dir, _, _)| self.is_folder(dir));
            inside.next().or_else(|| {
                self.is_folder(&in_goroot)
                    .then(|| (in_goroot.clone(), self.build.toolchain.root.clone(), true))
            })
        };
        let Some((dir, root, goroot)) = found else {
            data.error = Some(DataError::Place(self.tried(path, importer, &in_goroot, folders)));
            return data;
        };
        (data.dir, data.root, data.goroot) = (dir, root, goroot);
        self.read_files(&mut data);
        data
    }

    fn tried(&self, path: &str, importer: &Importer<'_>, in_goroot: &str, folders: &[String]) -> String {
        let mut lines = Vec::new();
        let roots =
            std::iter::once(self.build.toolchain.root.as_str()).chain(folders.iter().map(String::as_str));
        for root in roots.filter(|_| !importer.path.is_empty()) {
            let sources = format!("{root}/src");
            if !has_path_prefix(importer.dir, &sources) || importer.dir.contains("/testdata/") {
                continue;
            }
            for above in file_path::upwards(importer.dir).take_while(|above| above.len() >= sources.len()) {
                if self.is_folder(&format!("{above}/vendor")) {
                    let mark = if lines.is_empty() { " (vendor tree)" } else { "" };
                    lines.push(format!("\t{above}/vendor/{path}{mark}"));
                }
            }
        }
        lines.push(format!("\t{in_goroot} (from $GOROOT)"));
        for (index, folder) in folders.iter().enumerate() {
            let mark = if index == 0 { " (from $GOPATH)" } else { "" };
            lines.push(format!("\t{folder}/src/{path}{mark}"));
        }
        if folders.is_empty() {
            lines.push("\t($GOPATH not set. For more details see: 'go help gopath')".to_owned());
        }
        format!("cannot find package \"{path}\" in any of:\n{}", lines.join("\n"))
    }

    /// What a folder is called by its place; nothing outside of GOROOT and GOPATH.
    fn called(&self, dir: &str, folders: &[String]) -> Called {
        let mut called =
            Called { path: String::new(), root: String::new(), goroot: false, conflict: String::new() };
        let below = |root: &str| subfolder(&format!("{root}/src"), dir).filter(|way| !is_in_testdata(way));
        let goroot = &self.build.toolchain.root;
        if let Some(way) = below(goroot) {
            return Called { path: way, root: goroot.clone(), goroot: true, ..called };
        }
        for (index, folder) in folders.iter().enumerate() {
            let Some(way) = below(folder) else { continue };
            let earlier = std::iter::once(goroot).chain(&folders[..index]);
            let mut earlier = earlier.map(|root| format!("{root}/src/{way}"));
            match earlier.find(|dir| self.is_folder(dir)) {
                Some(conflict) => called.conflict = conflict,
                None => (called.path, called.root) = (way, folder.clone()),
            }
            return called;
        }
        called
    }

    /// The path that a folder has in GOPATH, and the folder of GOPATH; empty outside.
    pub(super) fn place_in_folders(&self, dir: &str, folders: &[String]) -> (String, String) {
        let called = self.called(dir, folders);
        (called.path, called.root)
    }

    /// The path of a folder that a pattern names; the folder as it was named where it has none.
    pub(super) fn path_in_folders(&self, folder: &str, folders: &[String]) -> String {
        let dir = match folder.starts_with('/') {
            true => folder.to_owned(),
            false => file_path::join(&self.build.folder, folder),
        };
        let called = self.called(&dir, folders);
        if called.path.is_empty() { folder.to_owned() } else { called.path }
    }

    /// The paths that a wildcard matches in all folders.
    pub(super) fn match_in_folders(&self, of: &mut Match, is_meta: bool, folders: &[String]) -> Vec<String> {
        let wanted = Wildcard::new(&of.pattern);
        let mut seen = std::collections::HashSet::from(["builtin".to_owned()]);
        if !self.build.cgo {
            seen.insert("runtime/cgo".to_owned());
        }
        let mut found = Vec::new();
        let roots = folders.iter().map(|folder| format!("{folder}/src"));
        for root in std::iter::once(self.goroot_src().to_owned()).chain(roots) {
            let mut walk = Walk::of(self.scans().overlay(), &root, "");
            while let Some(folder) = walk.next() {
                let is_root = folder.way.is_empty();
                let can_match = is_meta || wanted.can_match_below(&folder.path);
                if !is_root && (folder.is_hidden() || !can_match) {
                    continue;
                }
                let is_new = !is_root && seen.insert(folder.path.clone());
                if is_new && (is_meta || wanted.matches(&folder.path)) && self.holds_package(&folder.dir) {
                    found.push(folder.path.clone());
                }
                of.ignored_links.extend(walk.enter(&folder).into_iter().filter_map(|link| {
                    let is_meant = !is_meta && wanted.can_match_below(&link.path) && !link.is_hidden();
                    is_meant.then_some(link.dir)
                }));
            }
        }
        found
    }
}

/// The way from one folder to another inside it, by name or after links are followed (`Context.hasSubdir`).
fn subfolder(root: &str, dir: &str) -> Option<String> {
    let way = |root: &str, dir: &str| dir.strip_prefix(root)?.strip_prefix('/').map(str::to_owned);
    let (real_root, real_dir) = (real(root), real(dir));
    way(root, dir)
        .or_else(|| way(&real_root, dir))
        .or_else(|| way(root, &real_dir))
        .or_else(|| way(&real_root, &real_dir))
}

fn real(path: &str) -> String {
    fs::canonicalize(path).map_or_else(|_| path.to_owned(), |path| path.to_string_lossy().into_owned())
}

fn is_in_testdata(way: &str) -> bool {
    way.split('/').any(|element| element == "testdata")
}
