//! What a vendor directory holds: modules.txt, and which packages are copied.
//!
//! Source of the rules: `cmd/go/internal/modcmd/vendor.go`; copying is the caller's part.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use crate::error::{Error, Halt};
use crate::go_version;
use crate::node::{Node, NodeId};
use crate::packages::{Loaded, PackageOptions, Pattern, Silence, Tags};
use crate::requirements::Requirements;
use crate::world::World;

/// What is written below the vendor directory.
#[derive(Clone, Debug, Default)]
pub struct Vendoring {
    /// The contents of modules.txt; if it is empty there is nothing to vendor.
    pub modules_txt: String,
    /// The packages to copy, in the order of modules.txt.
    pub packages: Vec<VendoredPackage>,
    /// Whether go.mod and go.sum files are left out (from Go 1.17).
    pub strips_go_mod: bool,
    /// Whether files are copied that only tests embed (before Go 1.22).
    pub copies_test_embeds: bool,
    /// An error that ends the command with a line as it stands, without `go: `.
    pub collision: Option<String>,
}

/// A package to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendoredPackage {
    /// Its import path, which is also its place below the vendor directory.
    pub path: String,
    /// The path of its module, whose files with licences and the like are copied too.
    pub module: String,
    /// The module that is read, replacements applied, as in [`Need::Folder`](crate::known::Need::Folder).
    pub actual: Node,
    /// Where it is in the module.
    pub directory: String,
}

/// What is loaded for a vendor directory.
pub fn options(allows_errors: bool) -> PackageOptions {
    PackageOptions {
        patterns: vec![Pattern::Path("all".to_owned())],
        tags: Tags::Any,
        resolves_missing: true,
        uses_vendor_all: true,
        allows_errors,
        silence: Silence { missing_standard: true, ..Silence::default() },
        ..PackageOptions::default()
    }
}

impl World {
    /// What a vendor directory holds for packages loaded with [`options`].
    ///
    /// # Errors
    /// When something isn't known yet, or a replacement is itself in the vendor directory.
    pub fn vendoring(&mut self, loaded: &Loaded) -> Result<Vendoring, Halt> {
        let go = self.main.go_version(&self.local.version).to_owned();
        let is_since = |version| go_version::compare(&go, version).is_ge();
        let has_line = self.main.is_workspace() || self.main.go_line().is_some();
        let says_explicit = is_since("1.14") && has_line;
        let says_go = is_since("1.17");
        let packages = self.packages_by_module(loaded);
        let explicit = if says_explicit { self.explicit() } else { BTreeSet::new() };
        let mut modules: Vec<NodeId> = explicit.iter().copied().chain(packages.keys().copied()).collect();
        modules.sort_unstable();
        modules.dedup();
        self.nodes().sort(&mut modules);
        let mut vendoring = Vendoring {
            strips_go_mod: is_since("1.17"),
            copies_test_embeds: !is_since("1.22"),
            collision: self.collision(packages.keys()),
            ..Vendoring::default()
        };
        if self.main.is_workspace() {
            vendoring.modules_txt.push_str("## workspace\n");
        }
        let mut written = BTreeSet::new();
        for &module in &modules {
            let node = self.nodes().node(module).clone();
            let line = module_line(&node, self.main.replacement(&node).as_ref())?;
            vendoring.modules_txt.push_str(&line);
            let go = if says_go { self.go_of_selected(&loaded.requirements, &node.path)? } else { None };
            let annotation = match (explicit.contains(&module), go) {
                (true, Some(go)) => format!("## explicit; go {go}\n"),
                (true, None) => "## explicit\n".to_owned(),
                (false, Some(go)) => format!("## go {go}\n"),
                (false, None) => String::new(),
            };
            vendoring.modules_txt.push_str(&annotation);
            let actual = self.actual(module);
            for (path, directory) in packages.get(&module).into_iter().flatten() {
                writeln!(vendoring.modules_txt, "{path}").expect("a String takes all text");
                vendoring.packages.push(VendoredPackage {
                    path: path.clone(),
                    module: node.path.to_string(),
                    actual: self.nodes().node(actual).clone(),
                    directory: directory.clone(),
                });
            }
            written.insert(node);
        }
        if says_explicit {
            vendoring.modules_txt.push_str(&self.unused_replacements(written)?);
        }
        Ok(vendoring)
    }

    /// The packages of each module but the main ones, with their directories.
    fn packages_by_module(&self, loaded: &Loaded) -> HashMap<NodeId, BTreeMap<String, String>> {
        let mut modules: HashMap<NodeId, BTreeMap<String, String>> = HashMap::new();
        for id in loaded.packages.order() {
            let package = loaded.packages.get(*id);
            let Some(module) = package.module.filter(|_| !package.is_test()) else { continue };
            if self.main.find(module.path()).is_none() {
                let directory = package.directory.clone().unwrap_or_default();
                modules.entry(module).or_default().insert(package.path.clone(), directory);
            }
        }
        modules
    }

    /// What the files of main modules require.
    fn explicit(&mut self) -> BTreeSet<NodeId> {
        let mains = self.main.ids().into_iter().filter_map(|main| self.main.module(main));
        let requires = mains.flat_map(|main| main.file.requires());
        let nodes: Vec<_> = requires.map(|require| (require.path.clone(), require.version.clone())).collect();
        nodes.iter().map(|(path, version)| self.id(path, version)).collect()
    }

    /// The go line of a module at the version that is selected.
    fn go_of_selected(&mut self, requirements: &Requirements, path: &str) -> Result<Option<String>, Halt> {
        let path = self.path(path);
        let selected = match requirements.root(self, path) {
            Some(root) => Some(root),
            None => requirements.graph(self)?.selected(path),
        };
        let Some(selected) = selected else { return Ok(None) };
        let actual = self.actual(selected);
        let node = self.nodes().node(actual);
        let lacks_sum = self.required_sums.as_deref().is_some_and(|sums| {
            sums.hashes(&node.path, &format!("{}/go.mod", node.version)).next().is_none()
        });
        if lacks_sum && !node.version.is_empty() {
            return Ok(None);
        }
        let told = self.known.go_mod(actual);
        Ok(self.known.or_halt(told)?.ok().and_then(|facts| facts.go.clone()))
    }

    /// Replacements that have no effect on what is vendored are written down, so that they can be compared.
    fn unused_replacements(&self, mut written: BTreeSet<Node>) -> Result<String, Halt> {
        let mut text = String::new();
        for main in self.main.ids() {
            let workspace = self.main.workspace().into_iter().flat_map(|workspace| workspace.file.replaces());
            let module = self.main.module(main).into_iter().flat_map(|main| main.file.replaces());
            let of_workspace = workspace.map(|replace| (replace, true));
            for (replace, is_of_workspace) in of_workspace.chain(module.map(|replace| (replace, false))) {
                let old_version = replace.old_version.as_deref().unwrap_or_default();
                let old = Node::new(replace.old_path.as_str(), old_version);
                if !written.insert(old.clone()) {
                    continue;
                }
                let new_version = replace.new_version.as_deref().unwrap_or_default();
                let new = match is_of_workspace {
                    true => Some(Node::new(replace.new_path.as_str(), new_version)),
                    false => self.main.replacement(&old),
                };
                if let Some(new) = new {
                    text.push_str(&module_line(&old, Some(&new))?);
                }
            }
        }
        Ok(text)
    }

    /// Two modules whose paths differ in case alone.
    fn collision<'a>(&self, modules: impl Iterator<Item = &'a NodeId>) -> Option<String> {
        let mut paths: Vec<Arc<str>> =
            modules.map(|module| self.nodes().node(*module).path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut seen: HashMap<String, Arc<str>> = HashMap::new();
        paths.into_iter().find_map(|path| {
            let before = seen.insert(path.to_lowercase(), path.clone())?;
            Some(format!("go.mod: case-insensitive import collision: {path:?} and {before:?}"))
        })
    }
}

fn module_line(module: &Node, replacement: Option<&Node>) -> Result<String, Halt> {
    let mut line = format!("# {}", module.path);
    if !module.version.is_empty() {
        line.push(' ');
        line.push_str(&module.version);
    }
    if let Some(new) = replacement {
        let clean = new.path.trim_start_matches("./");
        if clean == "vendor" || clean.starts_with("vendor/") {
            let text = format!("replacement path {} inside vendor directory", new.path);
            return Err(Error::Text(text).into());
        }
        line.push_str(" => ");
        line.push_str(&new.path);
        if !new.version.is_empty() {
            line.push(' ');
            line.push_str(&new.version);
        }
    }
    line.push('\n');
    Ok(line)
}
