//! The fewest roots with which the same packages are loaded from the same modules.
//!
//! Source of the rules: `cmd/go/internal/modload/buildlist.go` (`tidyPrunedRoots`, `tidyUnprunedRoots`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::load::Loading;
use super::{PackageId, Tidy};
use crate::edit::Conflict;
use crate::error::{Error, Halt};
use crate::import::ImportError;
use crate::mvs::{build_list, minimal_requirements};
use crate::node::{NodeId, PathId};
use crate::requirements::{Requirements, compare};
use crate::world::{Pruning, WithRoots};

impl Loading<'_> {
    /// The requirements in the end: roots that nothing needs are dropped, the go line is what was asked for.
    pub(super) fn make_tidy(&mut self, tidy: &Tidy) -> Result<(), Halt> {
        let before = Arc::clone(&self.requirements);
        let mut requirements = match Self::tried(self.tidy_roots(&before))? {
            Ok(requirements) => requirements,
            Err(error) => {
                self.report(error);
                return Ok(());
            }
        };
        if let Some(version) = &tidy.go_version {
            requirements = self.with_go_version(requirements, version)?;
        }
        if before.pruning() == Pruning::Pruned {
            self.check_subset(&before, &requirements, tidy);
        }
        self.requirements = requirements;
        Ok(())
    }

    fn with_go_version(
        &mut self,
        requirements: Arc<Requirements>,
        version: &str,
    ) -> Result<Arc<Requirements>, Halt> {
        let go = self.world.id("go", version);
        let changed = self.world.override_roots(&requirements, &[go]);
        let graph = changed.graph(self.world)?;
        if let Some(error) = graph.error() {
            self.report(Error::from(error.clone()));
        }
        let selected = graph.selected(go.path());
        if selected == Some(go) {
            return Ok(changed);
        }
        let path = graph.find_path(|node| Some(node) == selected).unwrap_or_default();
        let nodes = self.world.nodes();
        let path = nodes.texts(path.get(1..).unwrap_or_default());
        let conflict = Conflict { path, constraint: Some(nodes.node(go).clone()), error: None };
        let text = if self.options.is_verbose { conflict.to_string() } else { conflict.summary() };
        self.report(Error::Text(text));
        Ok(requirements)
    }

    /// Loading adds every root that tidiness wants, so there can't be others in the end.
    fn check_subset(&mut self, before: &Requirements, requirements: &Requirements, tidy: &Tidy) {
        for &root in requirements.roots() {
            let node = self.world.nodes().node(root).clone();
            if &*node.path == "go" && tidy.go_version.is_some() {
                continue;
            }
            let selected = before.root(self.world, root.path());
            if selected != Some(root) {
                let version = selected.map_or("", |selected| self.world.nodes().version(selected));
                let text = format!(
                    "internal error: a requirement on {node} is needed but was not added during package loading (selected {version})"
                );
                self.report(Error::Text(text));
            }
        }
    }

    /// The tidy roots for the packages at hand.
    pub(super) fn tidy_roots(&mut self, before: &Arc<Requirements>) -> Result<Arc<Requirements>, Halt> {
        match before.pruning() {
            Pruning::Unpruned => self.tidy_unpruned(before),
            _ => self.tidy_pruned(before),
        }
    }

    fn go_and_toolchain(&mut self, before: &Requirements) -> Vec<NodeId> {
        let paths = ["go", "toolchain"].map(|path| self.world.path(path));
        paths.into_iter().filter_map(|path| before.root(self.world, path)).collect()
    }

    fn tidy_pruned(&mut self, before: &Arc<Requirements>) -> Result<Arc<Requirements>, Halt> {
        let mut roots = self.go_and_toolchain(before);
        let mut root_paths: HashSet<PathId> = roots.iter().map(|root| root.path()).collect();
        root_paths.extend(self.world.main.ids().iter().map(|main| main.path()));
        let packages = Arc::clone(&self.packages);
        let mut queue: Vec<PackageId> = Vec::new();
        for &id in packages.order() {
            let package = packages.get(id);
            if !package.is_in_all {
                continue;
            }
            if let Some(module) =
                self.world.external(package).filter(|module| root_paths.insert(module.path()))
            {
                roots.push(module);
            }
            queue.push(id);
        }
        let mut queued: HashSet<PackageId> = queue.iter().copied().collect();
        let mut tidy = self.tidied(before, roots);
        // The tests of dependencies: those nearest to `all` first, for their modules bring what is behind them.
        while !queue.is_empty() {
            let mut roots = tidy.roots().to_vec();
            let count = roots.len();
            let graph = tidy.whole_graph(self.world)?;
            for id in std::mem::take(&mut queue) {
                let package = packages.get(id);
                let Some(module) = package.module else { continue };
                let behind = package.imports.iter().copied().chain(package.test);
                queue.extend(behind.filter(|other| queued.insert(*other)));
                if root_paths.contains(&module.path()) {
                    continue;
                }
                let is_below = graph
                    .selected(module.path())
                    .is_none_or(|selected| compare(self.world.nodes(), selected, module).is_lt());
                if is_below {
                    roots.push(module);
                    root_paths.insert(module.path());
                }
            }
            if roots.len() > count {
                tidy = self.tidied(before, roots);
            }
        }
        tidy.whole_graph(self.world)?;
        while let Some(more) = self.disambiguating(&tidy, &root_paths)? {
            root_paths.extend(more.iter().map(|root| root.path()));
            let roots = tidy.roots().iter().copied().chain(more).collect();
            tidy = self.tidied(before, roots);
            tidy.whole_graph(self.world)?;
        }
        Ok(tidy)
    }

    fn tidied(&self, before: &Requirements, mut roots: Vec<NodeId>) -> Arc<Requirements> {
        self.world.nodes().sort(&mut roots);
        Requirements::new(self.world.nodes(), Pruning::Pruned, roots, before.direct().clone())
    }

    /// Modules that have to be roots because without being one their packages would be ambiguous.
    fn disambiguating(
        &mut self,
        tidy: &Requirements,
        root_paths: &HashSet<PathId>,
    ) -> Result<Option<Vec<NodeId>>, Halt> {
        let packages = Arc::clone(&self.packages);
        let mut more = Vec::new();
        let mut is_missing = false;
        for &id in packages.order() {
            let package = packages.get(id);
            let Some(module) = package.module.filter(|module| !root_paths.contains(&module.path())) else {
                continue;
            };
            match self.world.find_import(&package.path, tidy, None, true) {
                Err(Halt::Need(needs)) => {
                    self.world.known.put_back(needs);
                    is_missing = true;
                }
                Err(Halt::Error(error))
                    if matches!(*error, Error::Import(ImportError::Ambiguous { .. }))
                        && !more.contains(&module) =>
                {
                    more.push(module);
                }
                _ => {}
            }
        }
        if is_missing {
            return Err(self.world.known.halt());
        }
        Ok(if more.is_empty() { None } else { Some(more) })
    }

    fn tidy_unpruned(&mut self, before: &Arc<Requirements>) -> Result<Arc<Requirements>, Halt> {
        let mut keep = self.go_and_toolchain(before);
        let mut kept: HashSet<PathId> = keep.iter().map(|module| module.path()).collect();
        let mut base = Vec::new();
        // Modules that were looked at in vain must not come back at a lower version: their zips would be missing.
        let mut others: HashMap<PathId, NodeId> = HashMap::new();
        for package in self.packages.order().iter().map(|id| self.packages.get(*id)) {
            let Some(module) = self.world.external(package) else { continue };
            if kept.insert(module.path()) {
                keep.push(module);
                if before.direct().contains(&module.path()) {
                    base.push(module.path());
                }
            }
            others.extend(package.other_modules.iter().map(|other| (other.path(), *other)));
        }
        let main = self.world.main.first();
        let mut minimal = self.minimal(main, &keep, &base)?;
        let mut source = WithRoots { world: self.world, roots: keep.clone().into() };
        let list = build_list(&mut source, &[main]).map_err(|stop| self.world.stopped(stop))?;
        let lowered = list.iter().filter_map(|module| {
            let other = *others.get(&module.path())?;
            compare(self.world.nodes(), *module, other).is_lt().then_some(other)
        });
        let lowered: Vec<_> = lowered.filter(|other| self.world.main.find(other.path()).is_none()).collect();
        if !lowered.is_empty() {
            keep.extend(lowered);
            minimal = self.minimal(main, &keep, &base)?;
        }
        let direct = before.direct().clone();
        Ok(Requirements::new(self.world.nodes(), Pruning::Unpruned, minimal, direct))
    }

    fn minimal(&mut self, main: NodeId, keep: &[NodeId], base: &[PathId]) -> Result<Vec<NodeId>, Halt> {
        let mut source = WithRoots { world: self.world, roots: keep.into() };
        minimal_requirements(&mut source, main, base).map_err(|stop| self.world.stopped(stop))
    }
}
