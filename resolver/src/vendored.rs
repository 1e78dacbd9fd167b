//! vendor/modules.txt: which modules and packages the vendor directory holds, and whether go.mod says the same.
//!
//! Source of the rules: `cmd/go/internal/modload/vendor.go`.

use std::collections::HashMap;
use std::fmt::Write;

use modkeep_module::path::check_import_path;
use modkeep_module::semver;

use crate::go_version;
use crate::main_modules::MainModule;
use crate::node::Node;
use crate::order;
use crate::world::World;

/// A modules.txt file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendored {
    /// The modules that provide packages, in order of the file.
    pub modules: Vec<Node>,
    /// The module of each package.
    pub packages: HashMap<String, Node>,
    /// What stands beside a module.
    pub marks: HashMap<Node, Mark>,
    /// The go lines of modules, by path and in order of the file.
    pub go_lines: Vec<(String, String)>,
    /// The modules that are marked as replaced; without a version where all versions are.
    replaced: Vec<Node>,
}

/// What modules.txt says about a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Whether a main module requires it.
    pub is_explicit: bool,
    /// What replaces it.
    pub replacement: Option<Node>,
    /// Its go line.
    pub go: Option<String>,
}

impl Vendored {
    /// Reads a modules.txt file; what nobody understands is skipped.
    pub fn read(text: &str) -> Self {
        let mut vendored = Self::default();
        let mut module = None;
        for line in text.split('\n') {
            if line.starts_with("# ") {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words.len() >= 3 {
                    module = vendored.read_module(&words[1..]);
                }
            } else if let Some(module) = &module {
                vendored.read_detail(module, line);
            }
        }
        vendored
    }

    fn read_module(&mut self, words: &[&str]) -> Option<Node> {
        let (module, rest) = match words {
            [path, version, rest @ ..] if semver::is_valid(version) => (Node::new(*path, *version), rest),
            [path, rest @ ..] if rest.first() == Some(&"=>") => (Node::new(*path, ""), rest),
            _ => return None,
        };
        let replacement = match rest {
            ["=>", directory] => Some(Node::new(*directory, "")),
            ["=>", path, version] if semver::is_valid(version) => Some(Node::new(*path, *version)),
            _ => None,
        };
        if let Some(replacement) = replacement {
            self.replaced.push(module.clone());
            self.marks.entry(module.clone()).or_default().replacement = Some(replacement);
        }
        Some(module)
    }

    fn read_detail(&mut self, module: &Node, line: &str) {
        if let Some(annotations) = line.strip_prefix("## ") {
            let mark = self.marks.entry(module.clone()).or_default();
            for annotation in annotations.split(';').map(str::trim) {
                mark.is_explicit |= annotation == "explicit";
                if let Some(go) = annotation.strip_prefix("go ") {
                    mark.go = Some(go.to_owned());
                    self.go_lines.push((module.path.to_string(), go.to_owned()));
                }
            }
            return;
        }
        let package = line.trim();
        if package.contains(char::is_whitespace) || check_import_path(package).is_err() {
            return;
        }
        self.packages.insert(package.to_owned(), module.clone());
        let before = self.version_of(&module.path);
        if before.is_none_or(|before| order::compare(&module.path, before, &module.version).is_lt()) {
            self.modules.push(module.clone());
        }
    }

    /// The version of a module that provides packages.
    pub fn version_of(&self, path: &str) -> Option<&str> {
        self.modules.iter().rev().find(|module| *module.path == *path).map(|module| &*module.version)
    }

    fn replacement(&self, module: &Node) -> Option<&Node> {
        self.marks.get(module)?.replacement.as_ref()
    }

    fn is_explicit(&self, module: &Node) -> bool {
        self.marks.get(module).is_some_and(|mark| mark.is_explicit)
    }
}

/// What differs, a line each.
#[derive(Default)]
struct Differences(String);

impl Differences {
    fn add(&mut self, module: &Node, detail: &str) {
        write!(self.0, "\n\t{module}: {detail}").expect("a String takes all text");
    }
}

impl World {
    /// What makes modules.txt disagree with the files of the main modules, a line each with a newline and a tab before
    /// it; empty when they agree (`checkVendorConsistency`). `source` is how errors call the file of replacements.
    pub fn vendor_differences(&self, vendored: &Vendored, source: &str) -> String {
        let is_workspace = self.main.is_workspace();
        let go = self.main.go_line().unwrap_or_default();
        // Before 1.14 the file said neither what is explicit nor what is replaced by a wildcard.
        let is_sparse = !is_workspace && go_version::compare(go, "1.14").is_lt();
        let mains: Vec<&MainModule> =
            self.main.ids().into_iter().filter_map(|main| self.main.module(main)).collect();
        let mut differences = Differences::default();
        let requires = mains.iter().flat_map(|main| main.file.requires());
        let required: Vec<_> =
            requires.map(|require| Node::new(require.path.as_str(), require.version.as_str())).collect();
        for module in required.iter().filter(|module| !vendored.is_explicit(module)) {
            if !is_sparse {
                let text =
                    "is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt";
                differences.add(module, text);
            } else if let Some(version) = vendored.version_of(&module.path).filter(|v| **v != *module.version)
            {
                let path = &module.path;
                let text = "is explicitly required in go.mod, but vendor/modules.txt indicates";
                differences.add(module, &format!("{text} {path}@{version}"));
            }
        }
        self.check_replaced(vendored, source, is_sparse, &mut differences);
        let article = if is_workspace { "a " } else { "" };
        for module in vendored.modules.iter().filter(|module| vendored.is_explicit(module)) {
            if !required.contains(module) {
                let text = "is marked as explicit in vendor/modules.txt, but not explicitly required in";
                differences.add(module, &format!("{text} {article}go.mod"));
            }
        }
        let place = if is_workspace { "the workspace" } else { "go.mod" };
        for module in vendored.replaced.iter().filter(|module| self.main.replacement(module).is_none()) {
            let text = "is marked as replaced in vendor/modules.txt, but not replaced in";
            differences.add(module, &format!("{text} {place}"));
        }
        differences.0
    }

    fn check_replaced(
        &self,
        vendored: &Vendored,
        source: &str,
        is_sparse: bool,
        differences: &mut Differences,
    ) {
        let ids = self.main.ids().into_iter();
        let modules = ids.filter_map(|main| self.main.module(main)).flat_map(|main| main.file.replaces());
        let workspace = self.main.workspace().into_iter().flat_map(|workspace| workspace.file.replaces());
        let mut seen = Vec::new();
        for replace in modules.chain(workspace) {
            let old =
                Node::new(replace.old_path.as_str(), replace.old_version.as_deref().unwrap_or_default());
            if seen.contains(&old) {
                continue;
            }
            let replacement = self.main.replacement(&old);
            match (vendored.replacement(&old), replacement) {
                (None, Some(_)) => {
                    let is_vendored = vendored.version_of(&old.path) == Some(&*old.version);
                    if !is_sparse || (!old.version.is_empty() && is_vendored) {
                        let text = "but not marked as replaced in vendor/modules.txt";
                        differences.add(&old, &format!("is replaced in {source}, {text}"));
                    }
                }
                (Some(marked), Some(new)) if *marked != new => {
                    let text =
                        format!("is replaced by {new} in {source}, but marked as replaced by {marked}");
                    differences.add(&old, &format!("{text} in vendor/modules.txt"));
                }
                _ => {}
            }
            seen.push(old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# ex.com/a v1.0.0 => ../a
## explicit; go 1.17
ex.com/a
ex.com/a/sub
# ex.com/b v1.2.0
## go 1.20
ex.com/b/p
# ex.com/c => ex.com/d v1.1.0
# nonsense here
ex.com/lost
";

    #[test]
    fn modules_packages_and_marks_are_read() {
        let vendored = Vendored::read(TEXT);
        let texts = |list: &[Node]| list.iter().map(Node::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&vendored.modules), ["ex.com/a@v1.0.0", "ex.com/b@v1.2.0"]);
        assert_eq!(texts(&vendored.replaced), ["ex.com/a@v1.0.0", "ex.com/c"]);
        assert_eq!(vendored.packages.len(), 3);
        let mark = &vendored.marks[&vendored.modules[0]];
        assert!(mark.is_explicit && mark.go.as_deref() == Some("1.17"));
        assert_eq!(vendored.version_of("ex.com/b"), Some("v1.2.0"));
        assert_eq!(vendored.version_of("ex.com/c"), None);
    }
}
