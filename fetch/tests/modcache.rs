//! A module cache beside one that the real go command filled, and both tools in one cache.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use modkeep_conformance::go::Go;
use modkeep_fetch::modcache::{Folder, ModCache};
use modkeep_harness::place::skip;
use modkeep_harness::upstream::{Module, Tree};
use modkeep_module::ModuleVersion;
use modkeep_module::zip::prove_zip;

const MODULES: [(&str, &str); 4] = [
    ("example.com/Upper/m", "v1.0.0"),
    ("example.com/Upper/m", "v1.10.0-Pre"),
    ("example.com/Upper/m", "v1.9.0"),
    ("example.com/n/v2", "v2.0.0"),
];

/// A GOPROXY tree in a folder.
struct World {
    go: Go,
    home: tempfile::TempDir,
}

impl World {
    fn new(test: &str) -> Option<Self> {
        let go = Go::specification().inspect_err(|missing| skip(test, missing)).ok()?;
        let home = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        for (path, version) in MODULES {
            tree.add(
                Module::new(path, version).file("a.go", "package a\n").file("deep/b/c.go", "package c\n"),
            );
        }
        tree.write_to(&home.path().join("proxy"));
        Some(Self { go, home })
    }

    fn cache(&self, name: &str) -> (PathBuf, ModCache) {
        let root = self.home.path().join(name);
        (root.clone(), ModCache::at(&root, false).unwrap())
    }

    /// Runs `go mod download` outside of any module.
    fn download(&self, cache: &Path, goproxy: &str, modules: &[(&str, &str)]) -> Output {
        let mut command = self.go.command();
        command.args(["mod", "download", "-json"]);
        command.args(modules.iter().map(|(path, version)| format!("{path}@{version}")));
        command.current_dir(self.home.path()).env("GOMODCACHE", cache).env("GOPROXY", goproxy);
        command.env("GONOSUMDB", "*").env("GOSUMDB", "off").env("HOME", self.home.path());
        command.output().unwrap()
    }

    fn proxy(&self) -> String {
        format!("file://{}", self.home.path().join("proxy").display())
    }

    fn proxy_file(&self, module: &ModuleVersion, suffix: &str) -> Vec<u8> {
        let name = format!("proxy/{}/@v/{}.{suffix}", module.path.escaped(), module.version.escaped());
        fs::read(self.home.path().join(name)).unwrap()
    }

    /// Brings a version into the cache, all of it.
    fn keep(&self, cache: &ModCache, module: &ModuleVersion) -> PathBuf {
        cache.keep_info(module, &self.proxy_file(module, "info")).unwrap();
        cache.keep_go_mod(module, &self.proxy_file(module, "mod")).unwrap();
        let lock = cache.lock(module).unwrap();
        let mut zip = lock.incoming().unwrap();
        let bytes = self.proxy_file(module, "zip");
        zip.file().write_all(&bytes).unwrap();
        let facts = prove_zip(zip.file(), bytes.len() as u64, module).unwrap();
        lock.keep(zip, &facts.h1).unwrap();
        lock.extract().unwrap()
    }
}

fn module((path, version): (&str, &str)) -> ModuleVersion {
    ModuleVersion::parse(path, version).unwrap()
}

/// Every file and folder with its permissions and, for a file, its content; locks are empty, but only go has the one of
/// the whole cache.
fn tree(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            let content = match path.is_dir() {
                true => {
                    folders.push(path.clone());
                    Vec::new()
                }
                false => fs::read(&path).unwrap(),
            };
            found.insert(path.strip_prefix(root).unwrap().to_owned(), (mode, content));
        }
    }
    found.remove(Path::new("cache/lock"));
    found
}

/// Folders in the way of the temporary folder's end.
fn make_writable(root: &Path) {
    for (path, _) in tree(root) {
        let path = root.join(path);
        if path.is_dir() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

#[test]
fn a_cache_is_laid_out_as_go_lays_it_out() {
    let Some(world) = World::new("layout of the module cache") else { return };
    let (theirs, _) = world.cache("theirs");
    let output = world.download(&theirs, &world.proxy(), &MODULES);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (ours, cache) = world.cache("ours");
    for pair in MODULES {
        let module = module(pair);
        assert!(matches!(cache.folder(&module).unwrap(), Folder::Absent(_)));
        let folder = world.keep(&cache, &module);
        assert_eq!(cache.folder(&module).unwrap(), Folder::Complete(folder));
    }
    let (theirs_tree, ours_tree) = (tree(&theirs), tree(&ours));
    assert_eq!(
        ours_tree.keys().collect::<Vec<_>>(),
        theirs_tree.keys().collect::<Vec<_>>(),
        "the same files and folders"
    );
    for (path, entry) in &theirs_tree {
        // Go writes what it understood of an .info, and we the bytes that came.
        let is_info = path.extension().is_some_and(|end| end == "info");
        let same = ours_tree[path].0 == entry.0 && (is_info || ours_tree[path].1 == entry.1);
        assert!(same, "{}: {:?} and {:?}", path.display(), ours_tree[path], entry);
    }
    make_writable(&theirs);
    make_writable(&ours);
}

#[test]
fn each_tool_uses_what_the_other_left() {
    let Some(world) = World::new("a shared module cache") else { return };
    let (root, cache) = world.cache("shared");
    let (ours, theirs) = (MODULES[0], MODULES[3]);
    world.keep(&cache, &module(ours));
    let output = world.download(&root, "off", &[ours]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    assert!(world.download(&root, &world.proxy(), &[theirs]).status.success());
    let module = module(theirs);
    let zip = cache.zip(&module).unwrap();
    let bytes = world.proxy_file(&module, "zip");
    let facts = prove_zip(&File::open(zip).unwrap(), bytes.len() as u64, &module).unwrap();
    assert_eq!(cache.zip_hash(&module).unwrap(), Some(facts.h1));
    assert_eq!(cache.go_mod(&module).unwrap(), Some(world.proxy_file(&module, "mod")));
    assert!(cache.info(&module).unwrap().is_some());
    assert!(matches!(cache.folder(&module).unwrap(), Folder::Complete(_)));
    make_writable(&root);
}

#[test]
fn a_folder_that_was_cut_short_is_made_anew() {
    let Some(world) = World::new("half a module") else { return };
    let (root, cache) = world.cache("broken");
    let module = module(MODULES[0]);
    let folder = world.keep(&cache, &module);
    let whole = tree(&root);

    // As after a crash in the middle of unpacking, with a download of somebody who is no more.
    fs::set_permissions(folder.join("deep"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.join("deep/b"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(folder.join("deep/b/c.go")).unwrap();
    File::create(cache.file(&module, "partial")).unwrap();
    let leftover = cache.file(&module, "zip1234.tmp");
    File::create(&leftover).unwrap();
    assert_eq!(cache.folder(&module).unwrap(), Folder::Partial(folder.clone(), "not completely extracted"));
    let lock = cache.lock(&module).unwrap();
    drop(lock.incoming().unwrap());
    assert!(!leftover.exists());
    lock.extract().unwrap();
    assert_eq!(tree(&root), whole);

    fs::remove_file(cache.file(&module, "ziphash")).unwrap();
    assert_eq!(cache.folder(&module).unwrap(), Folder::Partial(folder, "ziphash file is missing"));
    assert_eq!(cache.zip(&module), None);
    make_writable(&root);
}

#[test]
fn a_zip_that_breaks_the_rules_leaves_no_folder() {
    let Some(world) = World::new("a bad zip") else { return };
    let (root, cache) = world.cache("bad");
    let module = module(MODULES[0]);
    let facts = {
        world.keep(&cache, &module);
        cache.zip_hash(&module).unwrap().unwrap()
    };
    make_writable(&root);
    fs::remove_dir_all(root.join("example.com")).unwrap();
    let lock = cache.lock(&module).unwrap();
    let mut zip = lock.incoming().unwrap();
    zip.file().write_all(b"no zip").unwrap();
    lock.keep(zip, &facts).unwrap();
    assert!(lock.extract().is_err());
    assert!(matches!(cache.folder(&module).unwrap(), Folder::Absent(_)));
    assert!(!cache.file(&module, "partial").exists());
}

#[test]
fn a_cache_must_have_an_absolute_path() {
    assert!(ModCache::at(Path::new("relative"), false).unwrap_err().to_string().starts_with("GOMODCACHE"));
    let home = tempfile::tempdir().unwrap();
    File::create(home.path().join("file")).unwrap();
    assert!(ModCache::at(&home.path().join("file"), false).is_err());
}
