//! Random universes of modules with packages: a registry with zips, a main module, directories that replace modules.
//!
//! Few paths, each with few directories that most versions have: packages move between nested modules, vanish in newer
//! versions, need each other in circles. Requirements sometimes say what imports need, sometimes not.

use std::collections::BTreeMap;

use modkeep_harness::dice::Dice;

const PATHS: [&str; 8] =
    ["ex.com/a", "ex.com/b", "ex.com/c", "ex.com/d", "ex.com/a/x", "ex.com/b/v2", "ex.com/e", "ex.com/a/x/y"];
const DIRECTORIES: [&str; 4] = ["", "p", "q", "x"];
const GO_LINES: [&str; 8] = ["", "1.15", "1.16", "1.17", "1.20", "1.21", "1.22.1", "1.25"];
/// What `all` is changed with 1.16, so a third is older.
const MAIN_GO_LINES: [&str; 12] =
    ["", "1.14", "1.14", "1.15", "1.15", "1.16", "1.17", "1.18", "1.20", "1.21", "1.24", "1.27"];
/// Most import hardly anything, for go follows what they import every time.
pub(crate) const STANDARD: [&str; 7] =
    ["errors", "unicode", "unicode/utf8", "unicode/utf16", "math/bits", "errors", "net/http"];

/// A file of a package.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) constraint: &'static str,
    pub(crate) imports: Vec<String>,
}

/// Directories of a module with their files.
pub(crate) type Tree = BTreeMap<String, Vec<File>>;

/// A version of a module, a directory that replaces one, or the main module.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) go_mod: String,
    pub(crate) tree: Tree,
}

/// A universe.
#[derive(Debug)]
pub(crate) struct Universe {
    /// By path and version.
    pub(crate) registry: BTreeMap<(String, String), Module>,
    /// By name: `d1`, beside the main module `m`.
    pub(crate) directories: BTreeMap<String, Module>,
    pub(crate) main: Module,
    /// The other main module of a workspace, `m2`.
    pub(crate) second: Option<Module>,
    /// Words after `go`.
    pub(crate) commands: Vec<Vec<String>>,
    paths: Vec<String>,
    versions: Vec<String>,
}

impl Universe {
    /// One that was not thrown.
    pub(crate) fn of(
        main: Module,
        registry: BTreeMap<(String, String), Module>,
        commands: Vec<Vec<String>>,
    ) -> Self {
        let (directories, paths, versions) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { registry, directories, main, second: None, commands, paths, versions }
    }

    /// Throws a universe.
    pub(crate) fn throw(dice: &mut Dice) -> Self {
        let count = 3 + dice.below(PATHS.len() - 2);
        let paths: Vec<String> = PATHS[..count].iter().map(|path| (*path).to_owned()).collect();
        let mut versions: Vec<String> = (0..2 + dice.below(2)).map(|minor| format!("v1.{minor}.0")).collect();
        if dice.once_in(3) {
            versions.push("v1.1.1-rc.1".to_owned());
        }
        let main = Module { go_mod: String::new(), tree: Tree::new() };
        let (registry, directories) = (BTreeMap::new(), BTreeMap::new());
        let (second, commands) = (None, Vec::new());
        let mut universe = Self { registry, directories, main, second, commands, paths, versions };
        for path in universe.paths.clone() {
            for version in universe.versions_of(&path) {
                let module = universe.module(dice, &path, &GO_LINES);
                universe.registry.insert((path.clone(), version), module);
            }
        }
        universe.main_module(dice);
        universe.command(dice);
        if dice.once_in(3) {
            universe.second = Some(universe.module(dice, "ex.com/m2", &MAIN_GO_LINES));
            universe.commands.push(vec!["work".to_owned(), "sync".to_owned()]);
        }
        universe
    }

    fn versions_of(&self, path: &str) -> Vec<String> {
        let is_second = path.ends_with("/v2");
        let major = |version: &String| version.replacen("v1", if is_second { "v2" } else { "v1" }, 1);
        self.versions.iter().map(major).collect()
    }

    fn version(&self, dice: &mut Dice, path: &str) -> String {
        let versions = self.versions_of(path);
        versions[dice.below(versions.len())].clone()
    }

    fn path(&self, dice: &mut Dice) -> String {
        self.paths[dice.below(self.paths.len())].clone()
    }

    /// A package that may exist.
    fn package(&self, dice: &mut Dice) -> String {
        if dice.once_in(6) {
            return dice.pick(&STANDARD).to_owned();
        }
        let path = self.path(dice);
        match dice.pick(&DIRECTORIES) {
            "" => path,
            directory => format!("{path}/{directory}"),
        }
    }

    fn module(&self, dice: &mut Dice, path: &str, lines: &[&str]) -> Module {
        let tree = self.tree(dice, path);
        let mut text = format!("module {path}\n");
        let go = dice.pick(lines);
        if !go.is_empty() {
            text.push_str(&format!("\ngo {go}\n"));
        }
        if dice.once_in(12) {
            text.push_str(&format!("\nretract {} // broken\n", self.version(dice, path)));
        }
        if dice.once_in(12) {
            text.push_str("\nignore ./q\n");
        }
        text.push_str(&self.requires(dice, path, &tree));
        Module { go_mod: text, tree }
    }

    /// Requirements for what is imported, most of them, and a few others.
    fn requires(&self, dice: &mut Dice, path: &str, tree: &Tree) -> String {
        let mut wanted = BTreeMap::new();
        for import in tree.values().flatten().flat_map(|file| &file.imports) {
            let providers = self.paths.iter().filter(|path| import.starts_with(path.as_str()));
            let Some(provider) = providers.max_by_key(|path| path.len()).filter(|other| *other != path)
            else {
                continue;
            };
            if !dice.once_in(5) {
                wanted.insert(provider.clone(), self.version(dice, provider));
            }
        }
        if dice.once_in(3) {
            let other = self.path(dice);
            if other != path {
                let version = self.version(dice, &other);
                wanted.insert(other, version);
            }
        }
        let mut text = String::new();
        for (path, version) in wanted {
            let mark = if dice.once_in(4) { " // indirect" } else { "" };
            text.push_str(&format!("require {path} {version}{mark}\n"));
        }
        text
    }

    fn tree(&self, dice: &mut Dice, path: &str) -> Tree {
        let mut tree = Tree::new();
        for directory in DIRECTORIES {
            if dice.below(10) < 7 {
                tree.insert(directory.to_owned(), self.files(dice, path));
            }
        }
        tree
    }

    fn files(&self, dice: &mut Dice, path: &str) -> Vec<File> {
        let rows = [
            ("p.go", "", 2, 1),
            ("p_test.go", "", 2, 2),
            ("ignored.go", "//go:build ignore", 1, 8),
            ("p_windows.go", "", 1, 8),
            ("never.go", "//go:build never && !never", 1, 12),
        ];
        let mut files = Vec::new();
        for (name, constraint, most, times) in rows {
            if dice.once_in(times) {
                let count = dice.below(most + 1);
                let mut imports: Vec<_> = (0..count).map(|_| self.package(dice)).collect();
                imports.retain(|import| import != path);
                imports.sort();
                imports.dedup();
                files.push(File { name, constraint, imports });
            }
        }
        if dice.once_in(15) {
            files.remove(0);
        }
        files
    }

    fn main_module(&mut self, dice: &mut Dice) {
        let mut module = self.module(dice, "ex.com/m", &MAIN_GO_LINES);
        if dice.once_in(3) {
            module.go_mod.push_str(&format!("\nignore ./{}\n", dice.pick(&["p", "q", "x"])));
        }
        if dice.once_in(6) {
            let tool = self.package(dice);
            if !STANDARD.contains(&tool.as_str()) {
                module.go_mod.push_str(&format!("tool {tool}\n"));
            }
        }
        if dice.once_in(5) {
            let path = self.path(dice);
            module.go_mod.push_str(&format!("exclude {path} {}\n", self.version(dice, &path)));
        }
        if dice.once_in(4) {
            let path = self.path(dice);
            let old = if dice.once_in(2) { String::new() } else { format!(" {}", self.version(dice, &path)) };
            let new = if dice.once_in(2) {
                let replacement = self.module(dice, &path, &GO_LINES);
                self.directories.insert("d1".to_owned(), replacement);
                "../d1".to_owned()
            } else {
                format!("{path} {}", self.version(dice, &path))
            };
            module.go_mod.push_str(&format!("replace {path}{old} => {new}\n"));
        }
        self.main = module;
    }

    fn command(&mut self, dice: &mut Dice) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        self.commands.push(words("mod tidy"));
        let tidy =
            ["mod tidy -e", "mod tidy -go=1.16", "mod tidy -go=1.21", "mod tidy -compat=1.16", "mod tidy -v"];
        self.commands.push(words(dice.pick(&tidy)));
        let path = self.path(dice);
        let package = self.package(dice);
        let why = dice.pick(&["", " -m", " -vendor"]);
        let target = match why {
            " -m" => path.clone(),
            _ if STANDARD.contains(&package.as_str()) => path.clone(),
            _ => package.clone(),
        };
        self.commands.push(words(&format!("mod why{why} {target}")));
        self.commands.push(words("mod vendor"));
        for _ in 0..3 {
            let arguments = self.get(dice);
            self.commands.push(words(&arguments));
        }
    }
}

impl Universe {
    /// A `get`: flags and arguments.
    fn get(&self, dice: &mut Dice) -> String {
        let flags = dice.pick(&["", "", "", "", " -u", " -u", " -u=patch", " -t", " -t -u", " -tool"]);
        let mut text = format!("get{flags}");
        for _ in 0..1 + dice.below(2) {
            let subject = match dice.below(10) {
                0 => format!("{}/...", self.path(dice)),
                1 => "./...".to_owned(),
                2 => dice.pick(&["ex.com/...", "all", "ex.com/a...", "."]).to_owned(),
                3..6 => self.package(dice),
                _ => self.path(dice),
            };
            let is_bare = subject.starts_with('.') || STANDARD.contains(&subject.as_str()) || dice.once_in(3);
            let version = match dice.below(9) {
                _ if is_bare => String::new(),
                0 => "@latest".to_owned(),
                1 => "@upgrade".to_owned(),
                2 => "@patch".to_owned(),
                3 if subject != "all" => "@none".to_owned(),
                4 => "@v1".to_owned(),
                5 => "@<v1.1.0".to_owned(),
                _ => format!("@{}", self.version(dice, &subject)),
            };
            text.push_str(&format!(" {subject}{version}"));
        }
        if dice.once_in(8) {
            text.push_str(dice.pick(&[" go@1.22", " go@1.26.1", " toolchain@none", " go@1.16"]));
        }
        text
    }
}

impl Module {
    /// The files of the module by name, go.mod among them.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::from([("go.mod".to_owned(), self.go_mod.clone())]);
        for (directory, contents) in &self.tree {
            for file in contents {
                let slash = if directory.is_empty() { "" } else { "/" };
                files.insert(format!("{directory}{slash}{}", file.name), file.text());
            }
        }
        files
    }
}

impl File {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.constraint.is_empty() {
            text.push_str(&format!("{}\n\n", self.constraint));
        }
        text.push_str("package p\n");
        for import in &self.imports {
            text.push_str(&format!("import _ \"{import}\"\n"));
        }
        text
    }

    /// Whether it counts under any tags, and on linux.
    pub(crate) fn counts(&self) -> [bool; 2] {
        let is_ignored = self.constraint.ends_with(" ignore");
        let is_elsewhere = self.constraint.contains("never") || self.name.ends_with("_windows.go");
        [!is_ignored, !is_ignored && !is_elsewhere]
    }

    pub(crate) fn is_test(&self) -> bool {
        self.name.ends_with("_test.go")
    }
}
