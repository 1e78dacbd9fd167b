//! The main modules, one or those of a workspace, and what they say about all others: replaced, excluded.
//!
//! Sources of the rules: `cmd/go/internal/modload/init.go:makeMainModules` and `modfile.go:replacementFrom`.

mod directory;

use std::collections::{BTreeSet, HashMap, HashSet};

use modkeep_module::gomod::{Directive, Replace};
use modkeep_module::{GoMod, GoWork};

use crate::error::Error;
use crate::go_version;
use crate::node::{Node, NodeId, Nodes, PathId};

/// A main module as it was read.
#[derive(Clone, Debug)]
pub struct MainModule {
    /// Its go.mod, parsed strictly, versions resolved.
    pub file: GoMod,
    /// Whether resolving changed a version, so that the file must be written.
    pub was_fixed: bool,
    /// The absolute path of its directory.
    pub directory: String,
    /// The directory as errors show it: relative to where the command runs, if that is shorter.
    pub shown: String,
}

/// A go.work file.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The file, parsed.
    pub file: GoWork,
    /// The absolute path of its directory.
    pub directory: String,
}

/// The main modules of a command; without any, go works on one without file called `command-line-arguments`.
#[derive(Debug)]
pub struct MainModules {
    modules: Vec<Main>,
    workspace: Option<Workspace>,
    work_replaces: Replacements,
    /// The highest version of each path that something replaces; empty if only a wildcard does.
    highest_replaced: HashMap<String, String>,
    excluded: HashSet<NodeId>,
}

impl Workspace {
    /// The errors about modules whose go lines are above that of go.work. All commands but `work` ask for them first.
    pub fn too_old_for(&self, modules: &[MainModule]) -> Vec<Error> {
        let line = self.file.go();
        let has = line.map_or(go_version::DEFAULT_GO_WORK, |go| &go.version);
        let too_new = modules.iter().filter_map(|module| {
            let needs = module.file.go().map_or(go_version::DEFAULT_GO_MOD, |go| &go.version);
            let is_strict = go_version::compare(needs, go_version::STRICT).is_ge();
            let is_too_new = is_strict && go_version::compare(needs, has).is_gt();
            is_too_new.then(|| Error::WorkspaceTooOld {
                directory: module.shown.clone(),
                needs: needs.to_owned(),
                verb: if line.is_some() { "lists" } else { "implicitly requires" },
                has: has.to_owned(),
            })
        });
        too_new.collect()
    }
}

type Replacements = HashMap<(String, String), Node>;

#[derive(Debug)]
struct Main {
    id: NodeId,
    module: Option<MainModule>,
    replaces: Replacements,
}

impl MainModules {
    /// Takes the main modules in the order of go.work, or the one outside of a workspace.
    ///
    /// # Errors
    /// When they, or their replacements, contradict each other.
    pub fn new(
        nodes: &mut Nodes,
        modules: Vec<MainModule>,
        workspace: Option<Workspace>,
    ) -> Result<Self, Error> {
        let work_file = workspace.as_ref().map(|workspace| workspace.file.replaces());
        let mut mains = Vec::new();
        let mut excluded = HashSet::new();
        for module in modules {
            let path = module.file.module().map(|module| module.path.clone()).unwrap_or_default();
            let id = nodes.id(&path, "");
            if mains.iter().any(|main: &Main| main.id == id) {
                return Err(Error::RepeatedModule(path));
            }
            let excludes = module.file.excludes().iter();
            excluded.extend(excludes.map(|exclude| nodes.id(&exclude.path, &exclude.version)));
            let replaces = replacements(module.file.replaces())?;
            mains.push(Main { id, module: Some(module), replaces });
        }
        if mains.is_empty() {
            let id = nodes.id("command-line-arguments", "");
            mains.push(Main { id, module: None, replaces: HashMap::new() });
        }
        let work_replaces = replacements(work_file.unwrap_or_default())?;
        let mut set =
            Self { modules: mains, workspace, work_replaces, highest_replaced: HashMap::new(), excluded };
        set.check_replacements(nodes)?;
        Ok(set)
    }

    fn check_replacements(&mut self, nodes: &Nodes) -> Result<(), Error> {
        for (path, version) in self.work_replaces.keys() {
            if version.is_empty() && self.modules.iter().any(|main| nodes.node(main.id).path.as_ref() == path)
            {
                return Err(Error::ReplacedMain(path.clone()));
            }
        }
        let by_work: HashSet<&str> = self.work_replaces.keys().map(|(path, _)| path.as_str()).collect();
        let mut seen: HashMap<&(String, String), Node> =
            self.work_replaces.iter().map(|(old, new)| (old, new.clone())).collect();
        for main in &self.modules {
            // In order of the file, for Go reports the first contradiction.
            let written = main.module.iter().flat_map(|module| module.file.replaces());
            for replace in written.filter(|replace| !by_work.contains(replace.old_path.as_str())) {
                let old = (replace.old_path.clone(), replace.old_version.clone().unwrap_or_default());
                let Some((old, new)) = main.replaces.get_key_value(&old) else { continue };
                let new = self.rooted(main, new);
                match seen.get(old) {
                    Some(before) if *before != new => {
                        let module = Node::new(old.0.as_str(), old.1.as_str());
                        return Err(Error::WorkspaceReplacements {
                            module,
                            first: before.clone(),
                            second: new,
                        });
                    }
                    _ => drop(seen.insert(old, new)),
                }
            }
        }
        for (path, version) in seen.keys() {
            let highest = self.highest_replaced.entry(path.clone()).or_default();
            if crate::order::compare(path, version, highest).is_gt() {
                highest.clone_from(version);
            }
        }
        Ok(())
    }

    /// In a workspace, a replacement by a directory with its full path.
    fn rooted(&self, main: &Main, new: &Node) -> Node {
        match &main.module {
            Some(module)
                if self.is_workspace() && new.version.is_empty() && !directory::is_absolute(&new.path) =>
            {
                Node::new(directory::join(&module.directory, &new.path), "")
            }
            _ => new.clone(),
        }
    }

    /// Whether go.work says which modules are the main ones.
    pub fn is_workspace(&self) -> bool {
        self.workspace.is_some()
    }

    /// The workspace.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.workspace.as_ref()
    }

    /// The nodes of the main modules.
    pub fn ids(&self) -> Vec<NodeId> {
        self.modules.iter().map(|main| main.id).collect()
    }

    /// The main module outside of a workspace, or the first one in it.
    pub fn first(&self) -> NodeId {
        self.modules[0].id
    }

    /// The node of the main module with that path.
    pub fn find(&self, path: PathId) -> Option<NodeId> {
        self.modules.iter().map(|main| main.id).find(|id| id.path() == path)
    }

    /// A main module as it was read; `None` when there is no file.
    pub fn module(&self, id: NodeId) -> Option<&MainModule> {
        self.modules.iter().find(|main| main.id == id)?.module.as_ref()
    }

    /// The Go version of the only main module, or of the workspace.
    pub fn go_version<'a>(&'a self, local: &'a str) -> &'a str {
        if let Some(workspace) = &self.workspace {
            return workspace.file.go().map_or(go_version::DEFAULT_GO_WORK, |go| &go.version);
        }
        match &self.modules[0].module {
            Some(module) => module.file.go().map_or(go_version::DEFAULT_GO_MOD, |go| &go.version),
            None => local,
        }
    }

    /// Whether a main module excludes a version.
    pub fn is_excluded(&self, node: NodeId) -> bool {
        self.excluded.contains(&node)
    }

    pub(crate) fn excludes_nothing(&self) -> bool {
        self.excluded.is_empty()
    }

    /// Whether one main module's own file excludes a version.
    pub(crate) fn excludes(&self, nodes: &Nodes, main: NodeId, node: NodeId) -> bool {
        let Node { path, version } = nodes.node(node);
        self.module(main).is_some_and(|module| {
            module
                .file
                .excludes()
                .iter()
                .any(|exclude| *exclude.path == **path && *exclude.version == **version)
        })
    }

    /// What is read in place of a module, if it is replaced: a module version or a directory. Relative directories are
    /// relative to go.work, or to the main module where there is none.
    pub fn replacement(&self, module: &Node) -> Option<Node> {
        self.highest_replaced(&module.path)?;
        let is_main = |main: &Main| module.version.is_empty() && main.is_called(&module.path);
        if self.modules.iter().any(is_main) {
            return None;
        }
        if let Some((_, new)) = lookup(&self.work_replaces, module) {
            return Some(new.clone());
        }
        let (main, new) = self.found_replacement(module).0?;
        let (Some(workspace), Some(module)) = (&self.workspace, &main.module) else {
            return Some(new.clone());
        };
        if !new.version.is_empty() || directory::is_absolute(&new.path) {
            return Some(new.clone());
        }
        let absolute = directory::join(&module.directory, &new.path);
        Some(Node::new(directory::relative(&workspace.directory, &absolute), ""))
    }

    /// What main modules say about a module, and the one that contradicts if one does. The last word counts; but one
    /// about a single version does not count against an earlier word.
    fn found_replacement(&self, module: &Node) -> (Option<(&Main, &Node)>, Option<&Main>) {
        let mut found: Option<(&Main, &Node)> = None;
        for main in &self.modules {
            let Some(((_, version), new)) = lookup(&main.replaces, module) else { continue };
            if found.is_some_and(|(_, before)| before != new) && !version.is_empty() {
                return (found, Some(main));
            }
            found = Some((main, new));
        }
        (found, None)
    }

    /// What go says, and fails for in the end, when modules of a workspace replace a module in different ways.
    pub(crate) fn contradiction(&self, module: &Node) -> Option<String> {
        self.highest_replaced(&module.path)?;
        if self.modules.len() < 2 || lookup(&self.work_replaces, module).is_some() {
            return None;
        }
        let (Some((first, _)), Some(second)) = self.found_replacement(module) else { return None };
        let file = |main: &Main| main.module.as_ref().map(|module| format!("{}/go.mod", module.directory));
        Some(format!(
            "conflicting replacements found for {module} in workspace modules defined by {} and {}",
            file(first)?,
            file(second)?
        ))
    }

    /// The highest version of a path that something replaces: empty if only a wildcard does, `None` if nothing does.
    pub fn highest_replaced(&self, path: &str) -> Option<&str> {
        self.highest_replaced.get(path).map(String::as_str)
    }

    /// The versions of a path that main modules replace one by one.
    pub(crate) fn replaced_versions<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let olds = self.modules.iter().flat_map(|main| main.replaces.keys());
        olds.filter(move |(old, version)| old == path && !version.is_empty())
            .map(|(_, version)| version.as_str())
    }

    /// Whether a main module, go.work not counted, replaces anything.
    pub(crate) fn has_replacements(&self) -> bool {
        self.modules.iter().any(|main| !main.replaces.is_empty())
    }

    /// The import paths of the tools of all main modules.
    pub fn tools(&self) -> BTreeSet<&str> {
        let files = self.modules.iter().filter_map(|main| main.module.as_ref());
        files.flat_map(|module| module.file.tools()).map(|tool| tool.path.as_str()).collect()
    }

    /// The Go-version line of the only main module.
    pub(crate) fn go_line(&self) -> Option<&str> {
        Some(self.modules[0].module.as_ref()?.file.go()?.version.as_str())
    }
}

impl Main {
    fn is_called(&self, path: &str) -> bool {
        self.module.as_ref().and_then(|module| module.file.module()).is_some_and(|module| module.path == path)
    }
}

fn lookup<'a>(replaces: &'a Replacements, module: &Node) -> Option<(&'a (String, String), &'a Node)> {
    if replaces.is_empty() {
        return None;
    }
    let exact = (module.path.to_string(), module.version.to_string());
    replaces.get_key_value(&exact).or_else(|| replaces.get_key_value(&(exact.0, String::new())))
}

fn replacements(directives: &[Directive<Replace>]) -> Result<Replacements, Error> {
    let mut replaces = Replacements::new();
    for replace in directives {
        let old = (replace.old_path.clone(), replace.old_version.clone().unwrap_or_default());
        let new = Node::new(replace.new_path.as_str(), replace.new_version.as_deref().unwrap_or_default());
        match replaces.get(&old) {
            Some(before) if *before != new => {
                let module = Node::new(old.0, old.1);
                return Err(Error::Replacements { module, first: before.clone(), second: new });
            }
            _ => drop(replaces.insert(old, new)),
        }
    }
    Ok(replaces)
}
