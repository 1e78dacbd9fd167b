//! Random universes of modules: a file tree of a registry, of the main modules, and of directories that replace some.
//!
//! Small on purpose: few modules with few versions meet each other in every way. What a universe may hold is a list of
//! rare things, so that most universes resolve and each rare thing is alone often enough.

use std::collections::BTreeMap;
use std::fmt::Write;

use modkeep_harness::dice::Dice;

const GO_LINES: [&str; 10] =
    ["", "1.13", "1.16", "1.17", "1.17", "1.20", "1.21", "1.21.0", "1.22rc1", "1.23.4"];
const MAIN_GO_LINES: [&str; 9] = ["", "1.13", "1.16", "1.17", "1.20", "1.21", "1.22.3", "1.24", "1.27"];
const PSEUDO: &str = "v1.0.1-0.20200101000000-abcdefabcdef";

/// A universe.
#[derive(Debug)]
pub struct Universe {
    /// Contents by path: the registry under `px`, main modules and other directories beside it.
    pub files: BTreeMap<String, String>,
    /// The directories of the main modules, in order.
    pub mains: Vec<String>,
    /// Whether `go.work` is among the files.
    pub is_workspace: bool,
    /// Paths and versions, for questions.
    pub paths: Vec<String>,
    /// The versions that modules have.
    pub versions: Vec<String>,
}

impl Universe {
    /// Throws a universe.
    pub fn throw(dice: &mut Dice) -> Self {
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
        let mut universe = Self { files: BTreeMap::new(), mains: Vec::new(), is_workspace, paths, versions };
        universe.registry(dice);
        let mains = if is_workspace { 1 + dice.below(3) } else { 1 };
        for number in 0..mains {
            universe.main_module(dice, number);
        }
        if is_workspace {
            universe.workspace(dice);
        }
        universe
    }

    fn registry(&mut self, dice: &mut Dice) {
        let is_broken = dice.once_in(12);
        for path in self.paths.clone() {
            let mut list = String::new();
            for version in self.versions.clone() {
                let text = self.go_mod(dice, &path, is_broken);
                if is_broken && dice.once_in(6) {
                    continue;
                }
                self.files.insert(format!("px/{path}/@v/{version}.mod"), text);
                let day = 1 + dice.below(27);
                let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2020-01-{day:02}T00:00:00Z\"}}");
                self.files.insert(format!("px/{path}/@v/{version}.info"), info);
                if version != PSEUDO {
                    writeln!(list, "{version}").unwrap();
                }
            }
            self.files.insert(format!("px/{path}/@v/list"), list);
        }
        let main = "module ex.com/main0\nrequire ex.com/a v1.0.0\n";
        self.files.insert("px/ex.com/main0/@v/v1.0.0.mod".to_owned(), main.to_owned());
        let info = "{\"Version\":\"v1.0.0\",\"Time\":\"2020-01-01T00:00:00Z\"}";
        self.files.insert("px/ex.com/main0/@v/v1.0.0.info".to_owned(), info.to_owned());
        self.files.insert("px/ex.com/main0/@v/list".to_owned(), "v1.0.0\n".to_owned());
    }

    fn go_mod(&self, dice: &mut Dice, path: &str, is_broken: bool) -> String {
        let mut text = String::new();
        match is_broken && dice.once_in(15) {
            true => writeln!(text, "module ex.com/other").unwrap(),
            false => writeln!(text, "module {path}").unwrap(),
        }
        let go = if is_broken && dice.once_in(15) { "1.99" } else { dice.pick(&GO_LINES) };
        if !go.is_empty() {
            writeln!(text, "\ngo {go}").unwrap();
        }
        for other in self.some_paths(dice, 3).iter().filter(|other| *other != path) {
            writeln!(text, "require {other} {}", self.version(dice)).unwrap();
        }
        if dice.once_in(15) {
            writeln!(text, "require ex.com/main0 v1.0.0").unwrap();
        }
        if dice.once_in(10) {
            writeln!(text, "retract {} // broken", self.version(dice)).unwrap();
        }
        text
    }

    fn main_module(&mut self, dice: &mut Dice, number: usize) {
        let directory = format!("m{number}");
        let mut text = format!("module ex.com/main{number}\n");
        let go = dice.pick(&MAIN_GO_LINES);
        if !go.is_empty() {
            writeln!(text, "go {go}").unwrap();
        }
        if ["1.21", "1.22.3", "1.24", "1.27"].contains(&go) && dice.below(5) < 2 {
            writeln!(text, "toolchain {}", dice.pick(&["go1.24.1", "go1.27.3", "go1.22.3"])).unwrap();
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
            writeln!(text, "{verb}{path} {version}{indirect}").unwrap();
        }
        if is_block {
            text.push_str(")\n");
        }
        if dice.below(5) < 2 {
            for _ in 0..1 + dice.below(3) {
                writeln!(text, "exclude {} {}", self.path(dice), self.version(dice)).unwrap();
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
        let mut seen = Vec::new();
        for _ in 0..1 + dice.below(2) {
            let path = self.path(dice);
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
            writeln!(text, "replace {path}{old} => {new}").unwrap();
            seen.push((path, old));
        }
    }

    fn workspace(&mut self, dice: &mut Dice) {
        let mut text = String::new();
        if !dice.once_in(8) {
            writeln!(text, "go {}", dice.pick(&["1.18", "1.24", "1.27", "1.27.3"])).unwrap();
        }
        if dice.once_in(4) {
            text.push_str("toolchain go1.27.3\n");
        }
        for main in &self.mains {
            writeln!(text, "use ./{main}").unwrap();
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
