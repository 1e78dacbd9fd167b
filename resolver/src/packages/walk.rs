//! The walk from the packages that are asked for to all that they import, under given requirements.
//!
//! Where a package is not known yet the walk goes on with the others and stops in the end; it is kept, and goes on
//! where it stopped. What is in `all` and whose tests count is decided by marks that travel along imports; marks are
//! only ever added, so their order does not matter. Source of the rules: `cmd/go/internal/modload/load.go`
//! (`load`, `applyPkgFlags`, `pkgTest`).

use std::sync::Arc;

use super::{Package, PackageId, Packages, Tags};
use crate::error::{Error, Halt};
use crate::import::ImportError;
use crate::node::NodeId;
use crate::requirements::Requirements;
use crate::world::{Pruning, World};

/// What a walk depends on beside the requirements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rules {
    pub(super) tags: Tags,
    pub(super) loads_tests: bool,
    /// Whether `all` is asked for, so that what is in it is asked for.
    pub(super) all_is_root: bool,
    /// Whether `all` includes the tests of dependencies (before Go 1.16).
    pub(super) all_closes_over_tests: bool,
    /// Whether a go.mod that nothing else asks for may stay unread (tidy before Go 1.21).
    pub(super) skips_go_mods: bool,
}

/// What makes two walks the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WalkKey {
    rules: Rules,
    pruning: Pruning,
    roots: Vec<NodeId>,
    packages: Vec<String>,
}

/// A walk, done or on its way.
#[derive(Debug)]
pub(crate) struct Walk {
    packages: Packages,
    waiting: Vec<PackageId>,
    /// Whether the whole graph was looked at.
    has_graph: bool,
    done: Option<Arc<Packages>>,
}

/// Says whether the version of a module may stay, when a package of it was found.
pub(crate) type Allow<'a> = dyn FnMut(&mut World, &str, NodeId) -> Result<bool, Halt> + 'a;

/// What a mark says about a package.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    in_all: bool,
    root: bool,
    from_root: bool,
    has_imports: bool,
}

const IN_ALL: Marks = Marks { in_all: true, root: false, from_root: false, has_imports: false };
const ROOT: Marks = Marks { in_all: false, root: true, from_root: true, has_imports: false };
const FROM_ROOT: Marks = Marks { in_all: false, root: false, from_root: true, has_imports: false };
const HAS_IMPORTS: Marks = Marks { in_all: false, root: false, from_root: false, has_imports: true };

impl World {
    /// Loads packages and all they import.
    pub(super) fn walk(
        &mut self,
        requirements: &Requirements,
        rules: &Rules,
        paths: &[String],
        allow: Option<&mut Allow<'_>>,
    ) -> Result<Arc<Packages>, Halt> {
        if let Some(allow) = allow {
            // Whoever is asked remembers things of his own, so this walk begins anew each time.
            let mut walk = Walk::new(self, rules, paths);
            walk.go_on(self, requirements, rules, Some(allow))?;
            return Ok(Arc::new(walk.packages));
        }
        let key = WalkKey {
            rules: rules.clone(),
            pruning: requirements.pruning(),
            roots: requirements.roots().to_vec(),
            packages: paths.to_vec(),
        };
        let mut walk = match self.walks.remove(&key) {
            Some(walk) => walk,
            None => Walk::new(self, rules, paths),
        };
        if walk.has_graph {
            requirements.graph(self)?;
        }
        let packages = match &walk.done {
            Some(packages) => Ok(Arc::clone(packages)),
            None => walk.go_on(self, requirements, rules, None).map(|()| {
                let packages = Arc::new(std::mem::take(&mut walk.packages));
                Arc::clone(walk.done.insert(packages))
            }),
        };
        walk.has_graph |= requirements.loaded_graph().is_some();
        self.walks.insert(key, walk);
        packages
    }
}

impl Walk {
    fn new(world: &World, rules: &Rules, paths: &[String]) -> Self {
        let packages = Packages::default();
        let mut walk = Self { packages, waiting: Vec::new(), has_graph: false, done: None };
        let mut roots = Vec::new();
        for path in paths {
            let root = walk.package(path);
            walk.mark(world, rules, root, ROOT);
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        walk.packages.order = roots;
        walk
    }

    /// Loads what can be loaded.
    fn go_on(
        &mut self,
        world: &mut World,
        requirements: &Requirements,
        rules: &Rules,
        mut allow: Option<&mut Allow<'_>>,
    ) -> Result<(), Halt> {
        let mut stuck = Vec::new();
        while let Some(id) = self.waiting.pop() {
            match self.load(world, requirements, rules, id, allow.as_deref_mut()) {
                Ok(()) => {}
                Err(Halt::Need(needs)) => {
                    world.known.put_back(needs);
                    stuck.push(id);
                }
                Err(error) => return Err(error),
            }
        }
        self.waiting = stuck;
        if !self.waiting.is_empty() {
            return Err(world.known.halt());
        }
        let roots = std::mem::take(&mut self.packages.order);
        self.packages.build_stacks(&roots);
        Ok(())
    }

    fn package(&mut self, path: &str) -> PackageId {
        if let Some(id) = self.packages.find(path) {
            return id;
        }
        let id = self.packages.add(Package { path: path.to_owned(), ..Package::default() });
        self.packages.by_path.insert(path.to_owned(), id);
        self.waiting.push(id);
        id
    }

    fn load(
        &mut self,
        world: &mut World,
        requirements: &Requirements,
        rules: &Rules,
        id: PackageId,
        allow: Option<&mut Allow<'_>>,
    ) -> Result<(), Halt> {
        let path = self.packages.get(id).path.clone();
        let graph = match requirements.pruning() {
            // A graph with errors might select something else.
            Pruning::Unpruned => Some(requirements.graph(world)?).filter(|graph| graph.error().is_none()),
            _ => None,
        };
        let import = match world.find_import(&path, requirements, graph, rules.skips_go_mods) {
            Ok(import) => Ok(import),
            Err(Halt::Error(error)) => Err(error),
            Err(need) => return Err(need),
        };
        let mut is_refused = false;
        if let (Some(allow), Ok(import)) = (allow, &import)
            && let Some(module) = import.module.filter(|module| world.main.find(module.path()).is_none())
        {
            is_refused = !allow(world, &path, module)?;
        }
        let is_tool = world.main.tools().contains(path.as_str());
        if is_tool {
            self.mark(world, rules, id, IN_ALL);
        }
        let import = match import {
            Ok(import) => import,
            Err(error) => {
                self.packages.get_mut(id).error = Some(error);
                return Ok(());
            }
        };
        let package = self.packages.get_mut(id);
        package.module = import.module;
        package.other_modules = import.others;
        package.is_standard = import.folder.is_none();
        package.directory = import.directory;
        if package.directory.is_none() {
            return Ok(());
        }
        if is_refused {
            package.error = Some(Box::new(ImportError::VersionChange.into()));
        }
        if import.module.is_some_and(|module| world.main.find(module.path()).is_some()) {
            self.mark(world, rules, id, IN_ALL);
        }
        let standard;
        let scan = match &import.folder {
            Some(folder) => folder.scan(rules.tags),
            None => {
                standard = world.standard.scans.get(&path).cloned().unwrap_or_default();
                &standard
            }
        };
        if let Some(error) = &scan.error {
            let error = Error::from(ImportError::from(error.clone()));
            self.packages.get_mut(id).error = Some(Box::new(error));
            return Ok(());
        }
        let marks = if self.packages.get(id).is_in_all { IN_ALL } else { Marks::default() };
        let imports = self.packages_of(world, rules, &scan.imports, marks);
        let package = self.packages.get_mut(id);
        package.imports = imports;
        package.test_imports = scan.test_imports.iter().filter(|path| !is_magic(path)).cloned().collect();
        self.mark(world, rules, id, HAS_IMPORTS);
        Ok(())
    }

    fn packages_of(
        &mut self,
        world: &World,
        rules: &Rules,
        paths: &[String],
        marks: Marks,
    ) -> Vec<PackageId> {
        let mut packages = Vec::new();
        for path in paths.iter().filter(|path| !is_magic(path)) {
            let package = self.package(path);
            self.mark(world, rules, package, marks);
            packages.push(package);
        }
        packages
    }

    /// Adds marks to a package, and to what follows from them.
    fn mark(&mut self, world: &World, rules: &Rules, id: PackageId, marks: Marks) {
        let mut waiting = vec![(id, marks)];
        while let Some((id, mut marks)) = waiting.pop() {
            let package = self.packages.get_mut(id);
            marks.root |= marks.in_all && rules.all_is_root && !package.is_test();
            marks.from_root |= marks.root;
            let old = package.marks();
            let new = old.with(marks);
            package.set_marks(new);
            if new.is(old) || !new.has_imports {
                continue;
            }
            if !package.is_test() {
                let is_main = package.module.is_some_and(|module| world.main.find(module.path()).is_some());
                let is_closed = rules.all_closes_over_tests && new.in_all;
                let wants_test =
                    (rules.all_is_root && (is_main || is_closed)) || (rules.loads_tests && new.root);
                if wants_test {
                    let marks = if is_main || is_closed { IN_ALL } else { Marks::default() };
                    self.test(id, marks, &mut waiting);
                }
            }
            let imports = &self.packages.get(id).imports;
            if new.in_all && !(old.in_all && old.has_imports) {
                waiting.extend(imports.iter().map(|import| (*import, IN_ALL)));
            }
            if new.from_root && !(old.from_root && old.has_imports) {
                waiting.extend(imports.iter().map(|import| (*import, FROM_ROOT)));
            }
        }
    }

    /// Adds the test of a package, or marks to it.
    fn test(&mut self, id: PackageId, marks: Marks, waiting: &mut Vec<(PackageId, Marks)>) {
        let package = self.packages.get_mut(id);
        if let Some(test) = package.test {
            return waiting.push((test, marks));
        }
        let imports = std::mem::take(&mut package.test_imports);
        let test = Package {
            path: package.path.clone(),
            test_of: Some(id),
            module: package.module,
            directory: package.directory.clone(),
            is_standard: package.is_standard,
            error: package.error.clone(),
            is_in_all: marks.in_all,
            ..Package::default()
        };
        let test = self.packages.add(test);
        self.packages.get_mut(id).test = Some(test);
        let mut packages = Vec::new();
        for path in &imports {
            let package = self.package(path);
            waiting.push((package, marks));
            packages.push(package);
        }
        self.packages.get_mut(test).imports = packages;
        waiting.push((test, HAS_IMPORTS));
    }
}

impl Package {
    fn marks(&self) -> Marks {
        Marks {
            in_all: self.is_in_all,
            root: self.is_root,
            from_root: self.is_from_root,
            has_imports: self.has_imports,
        }
    }

    fn set_marks(&mut self, marks: Marks) {
        self.is_in_all = marks.in_all;
        self.is_root = marks.root;
        self.is_from_root = marks.from_root;
        self.has_imports = marks.has_imports;
    }
}

impl Marks {
    fn with(self, other: Self) -> Self {
        Self {
            in_all: self.in_all || other.in_all,
            root: self.root || other.root,
            from_root: self.from_root || other.from_root,
            has_imports: self.has_imports || other.has_imports,
        }
    }

    fn is(self, other: Self) -> bool {
        let as_row = |marks: Self| [marks.in_all, marks.root, marks.from_root, marks.has_imports];
        as_row(self) == as_row(other)
    }
}

/// Whether an import stands for no package: `C`, and App Engine's of old (`scanDir`).
fn is_magic(path: &str) -> bool {
    let is_below =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    path == "C" || is_below("appengine") || is_below("appengine_internal")
}
