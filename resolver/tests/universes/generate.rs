//! Random universes of modules: a file tree of a registry, of the main modules, and of directories that replace some.
//!
//! Small on purpose: few modules with few versions meet each other in every way. What a universe may hold is a list of
//! rare things, so that most universes resolve and each rare thing is alone often enough.

use std::collections::BTreeMap;

use modkeep_harness::dice::Dice;

const GO_LINES: [&str; 10] =
    ["", "1.13", "1.16", "1.17", "1.17", "1.20", "1.21", "1.21.0", "1.22rc1", "1.23.4"];
const MAIN_GO_LINES: [&str; 9] = ["", "1.13", "1.16", "1.17", "1.20", "1.21", "1.22.3", "1.24", "1.27"];
const PSEUDO: &str = "v1.0.1-0.20200101000000-abcdefabcdef";

/// Where the registry is: a module cache that knows everything is a registry too, and go copies nothing.
pub(crate) const REGISTRY: &str = "gopath/pkg/mod/cache/download";

/// A universe.
#[derive(Debug)]
pub(crate) struct Universe {
    /// Contents by path: the registry under [`REGISTRY`], main modules and other directories beside it.
    pub(crate) files: BTreeMap<String, String>,
    /// The directories of the main modules, in order.
    pub(crate) mains: Vec<String>,
    /// Whether `go.work` is among the files.
    pub(crate) is_workspace: bool,
    /// Paths and versions, for questions.
    pub(crate) paths: Vec<String>,
    /// The versions that modules have.
    pub(crate) versions: Vec<String>,
    /// What `list -m` is asked: `path@query`.
    pub(crate) questions: Vec<(String, String)>,
    /// What `get` is asked for; each module has a zip without packages.
    pub(crate) wanted: Vec<(String, String)>,
}

impl Universe {
    /// Throws a universe.
    pub(crate) fn throw(dice: &mut Dice) -> Self {
        let count = 3 + dice.below(7);
        let paths: Vec<String> = "abcdefghij"[..count].chars().map(|c| format!("ex.com/{c}")).collect();
        let mut versions: Vec<String> = (0..2 + dice.below(3)).map(|minor| format!("v1.{minor}.0")).collect();
        if dice.below(10) < 4 {
            versions.insert(1, "v1.1.0-rc.1".to_owned());
        }
        if dice.below(10) < 3 {
            versions.insert(1, PSEUDO.to_owned());
        }
        let is_workspace = dice.once_in(4);
        if dice.once_in(4) {
            versions.extend(["v2.0.0+incompatible".to_owned(), "v2.1.0+incompatible".to_owned()]);
        }
        let mut universe = Self {
            files: BTreeMap::new(),
            mains: Vec::new(),
            is_workspace,
            paths,
            versions,
            questions: Vec::new(),
            wanted: Vec::new(),
        };
        universe.registry(dice);
        let mains = if is_workspace { 1 + dice.below(3) } else { 1 };
        for number in 0..mains {
            universe.main_module(dice, number);
        }
        if is_workspace {
            universe.workspace(dice);
        }
        universe.ask(dice);
        universe
    }

    fn ask(&mut self, dice: &mut Dice) {
        for _ in 0..6 {
            let (path, version) = (self.path(dice), self.version(dice));
            let sign = dice.pick(&["", "<", "<=", ">", ">="]);
            let words = ["latest", "upgrade", "patch", "v1", "v1.1", "v2", "<v1.1", "none", "v9.9.9"];
            let query =
                if dice.once_in(2) { dice.pick(&words).to_owned() } else { format!("{sign}{version}") };
            self.questions.push((path, query));
        }
        for path in self.some_paths(dice, 2) {
            let version = if dice.once_in(5) { "none".to_owned() } else { self.version(dice) };
            self.wanted.push((path, version));
        }
    }

    fn registry(&mut self, dice: &mut Dice) {
        let is_broken = dice.once_in(12);
        for path in self.paths.clone() {
            let mut list = String::new();
            for version in self.versions.clone() {
                let text = self.go_mod(dice, &path, is_broken);
                if !(is_broken && dice.once_in(6)) {
                    self.files.insert(format!("{REGISTRY}/{path}/@v/{version}.mod"), text);
                }
                let day = 1 + dice.below(27);
                let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2020-01-{day:02}T00:00:00Z\"}}");
                self.files.insert(format!("{REGISTRY}/{path}/@v/{version}.info"), info);
                if version != PSEUDO {
                    list.push_str(&format!("{version}\n"));
                }
            }
            self.files.insert(format!("{REGISTRY}/{path}/@v/list"), list);
        }
        let main = "module ex.com/main0\nrequire ex.com/a v1.0.0\n";
        self.files.insert(format!("{REGISTRY}/ex.com/main0/@v/v1.0.0.mod"), main.to_owned());
        let info = "{\"Version\":\"v1.0.0\",\"Time\":\"2020-01-01T00:00:00Z\"}";
        self.files.insert(format!("{REGISTRY}/ex.com/main0/@v/v1.0.0.info"), info.to_owned());
        self.files.insert(format!("{REGISTRY}/ex.com/main0/@v/list"), "v1.0.0\n".to_owned());
    }

    fn go_mod(&self, dice: &mut Dice, path: &str, is_broken: bool) -> String {
        if dice.once_in(6) {
            return format!("module {path}\n");
        }
        let mut text = String::new();
        match is_broken && dice.once_in(15) {
            true => text.push_str("module ex.com/other\n"),
            false => text.push_str(&format!("module {path}\n")),
        }
        let go = if is_broken && dice.once_in(15) { "1.99" } else { dice.pick(&GO_LINES) };
        if !go.is_empty() {
            text.push_str(&format!("\ngo {go}\n"));
        }
        for other in self.some_paths(dice, 3).iter().filter(|other| *other != path) {
            text.push_str(&format!("require {other} {}\n", self.version(dice)));
        }
        if dice.once_in(15) {
            text.push_str("require ex.com/main0 v1.0.0\n");
        }
        if dice.once_in(10) {
            text.push_str(&format!("retract {} // broken\n", self.version(dice)));
        }
        text
    }

    fn main_module(&mut self, dice: &mut Dice, number: usize) {
        let directory = format!("m{number}");
        let mut text = format!("module ex.com/main{number}\n");
        let go = dice.pick(&MAIN_GO_LINES);
        if !go.is_empty() {
            text.push_str(&format!("go {go}\n"));
        }
        if ["1.21", "1.22.3", "1.24", "1.27"].contains(&go) && dice.below(5) < 2 {
            text.push_str(&format!("toolchain {}\n", dice.pick(&["go1.24.1", "go1.27.3", "go1.22.3"])));
        }
        let mut requires: Vec<(String, String)> =
            self.some_paths(dice, 4).into_iter().map(|path| (path, self.version(dice))).collect();
        if requires.is_empty() {
            requires.push((self.paths[0].clone(), self.version(dice)));
        }
        if dice.once_in(4) {
            let again = requires[dice.below(requires.len())].0.clone();
            requires.push((again, self.version(dice)));
        }
        if dice.once_in(20) {
            requires.push(("ex.com/main0".to_owned(), "v1.0.0".to_owned()));
        }
        let is_block = dice.once_in(2);
        if is_block {
            text.push_str("require (\n");
        }
        for (path, version) in &requires {
            let indirect = if dice.below(5) < 2 { " // indirect" } else { "" };
            let verb = if is_block { "\t" } else { "require " };
            text.push_str(&format!("{verb}{path} {version}{indirect}\n"));
        }
        if is_block {
            text.push_str(")\n");
        }
        if dice.below(5) < 2 {
            for _ in 0..1 + dice.below(3) {
                text.push_str(&format!("exclude {} {}\n", self.path(dice), self.version(dice)));
            }
        }
        if dice.below(5) < 2 {
            self.replace(dice, &mut text, &directory);
        }
        self.files.insert(format!("{directory}/go.mod"), text);
        self.mains.push(directory);
    }

    /// Adds replacements; a directory is named from `from`.
    fn replace(&mut self, dice: &mut Dice, text: &mut String, from: &str) {
        let mut seen: Vec<(String, String)> = Vec::new();
        for _ in 0..1 + dice.below(3) {
            // One path with and without version, at times: the exact one counts.
            let again = seen.last().filter(|_| dice.once_in(2)).map(|(path, _)| path.clone());
            let path = again.unwrap_or_else(|| self.path(dice));
            let old = if dice.once_in(3) { String::new() } else { format!(" {}", self.version(dice)) };
            if seen.contains(&(path.clone(), old.clone())) {
                continue;
            }
            let new = match dice.below(3) {
                0 => {
                    let directory = format!("d{}", self.files.len());
                    let go_mod = self.go_mod(dice, &path, false);
                    self.files.insert(format!("{directory}/go.mod"), go_mod);
                    if from.is_empty() { format!("./{directory}") } else { format!("../{directory}") }
                }
                _ => format!("{path} {}", self.version(dice)),
            };
            text.push_str(&format!("replace {path}{old} => {new}\n"));
            seen.push((path, old));
        }
    }

    fn workspace(&mut self, dice: &mut Dice) {
        let mut text = String::new();
        if !dice.once_in(8) {
            text.push_str(&format!("go {}\n", dice.pick(&["1.18", "1.24", "1.27", "1.27.3"])));
        }
        if dice.once_in(4) {
            text.push_str("toolchain go1.27.3\n");
        }
        for main in &self.mains {
            text.push_str(&format!("use ./{main}\n"));
        }
        if dice.once_in(3) {
            self.replace(dice, &mut text, "");
        }
        self.files.insert("go.work".to_owned(), text);
    }

    fn some_paths(&self, dice: &mut Dice, most: usize) -> Vec<String> {
        let mut rest = self.paths.clone();
        let wanted = dice.below(most.min(rest.len()) + 1);
        (0..wanted).map(|_| rest.remove(dice.below(rest.len()))).collect()
    }

    fn path(&self, dice: &mut Dice) -> String {
        self.paths[dice.below(self.paths.len())].clone()
    }

    fn version(&self, dice: &mut Dice) -> String {
        self.versions[dice.below(self.versions.len())].clone()
    }
}
