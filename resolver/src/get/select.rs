//! Deciding on versions: which alternative it is, and what the build list becomes.
//!
//! Source of the rules: `cmd/go/internal/modget/get.go` (`resolveQueries`, `disambiguate`, `chooseArbitrarily`,
//! `resolve`, `updateBuildList`).

use super::query::conflict;
use super::{Getter, PathSet, Reason};
use crate::edit::{Conflict, Edit};
use crate::error::{Error, Halt};
use crate::node::{Node, NodeId};
use crate::world::World;

impl Getter<'_> {
    /// Decides what can be decided; whether the build list changed. If nothing is clear any more, one of the unclear
    /// alternatives is taken.
    pub(super) fn resolve_queries(&mut self, world: &mut World, queries: &[usize]) -> Result<bool, Halt> {
        let mut resolved = 0;
        loop {
            if world.may_switch {
                self.stop_if_too_new(queries)?;
            }
            let before = resolved;
            for &query in queries {
                resolved += self.resolve_clear(world, query);
            }
            self.exit_if_errors()?;
            if resolved == before {
                break;
            }
        }
        if resolved > 0 && self.update_build_list(world, Vec::new())? {
            return Ok(true);
        }
        let mut arbitrarily = 0;
        for &query in queries {
            for set in std::mem::take(&mut self.queries[query].candidates) {
                let (is_package, module) = self.choose(world, &set);
                self.queries[query].matches_packages |= is_package;
                if let Some(module) = module {
                    self.resolve(world, query, module);
                    arbitrarily += 1;
                }
                self.queries[query].candidates.push(set);
            }
        }
        if arbitrarily > 0 { self.update_build_list(world, Vec::new()) } else { Ok(false) }
    }

    /// A newer release is asked for before anything else is reported.
    fn stop_if_too_new(&self, queries: &[usize]) -> Result<(), Halt> {
        let sets = queries.iter().flat_map(|query| &self.queries[*query].candidates);
        let errors: Vec<Error> = sets.filter_map(|set| set.error.clone()).collect();
        match errors.iter().any(|error| error.too_new().is_some()) {
            true => Err(Error::Several(errors).into()),
            false => Ok(()),
        }
    }

    /// Decides the alternatives of a query that leave no choice; how many.
    fn resolve_clear(&mut self, world: &mut World, query: usize) -> usize {
        let mut resolved = 0;
        let mut unclear = Vec::new();
        for mut set in std::mem::take(&mut self.queries[query].candidates) {
            if let Some(error) = set.error.take() {
                let error = self.queries[query].told(error);
                self.errors.push(error);
                resolved += 1;
                continue;
            }
            let (is_package, module) = match self.disambiguate(world, &set) {
                Err(filtered) => {
                    unclear.push(PathSet { path: set.path, ..*filtered });
                    continue;
                }
                // Nothing fits: one is taken all the same, so that the conflict is reported.
                Ok((_, None)) => self.choose(world, &set),
                Ok(clear) => clear,
            };
            self.queries[query].matches_packages |= is_package;
            if let Some(module) = module {
                self.resolve(world, query, module);
            }
            resolved += 1;
        }
        self.queries[query].candidates = unclear;
        resolved
    }

    /// The one alternative that agrees with what was decided, and whether it has the package; or those that are left.
    pub(super) fn disambiguate(
        &self,
        world: &World,
        set: &PathSet,
    ) -> Result<(bool, Option<NodeId>), Box<PathSet>> {
        let mut left = Box::<PathSet>::default();
        for &module in &set.providers {
            let node = world.nodes().node(module);
            if self.none_for(&node.path).is_some() {
                continue;
            }
            if Self::is_main(world, module.path()) {
                if node.version.is_empty() {
                    return Ok((true, Some(module)));
                }
                continue;
            }
            match self.resolved.get(&module.path()) {
                None => left.providers.push(module),
                // Any other would make the package ambiguous.
                Some(reason) if reason.version == module => return Ok((true, Some(module))),
                Some(_) => {}
            }
        }
        if let Some(module) = set.module {
            let reason = self.resolved.get(&module.path());
            if reason.is_none_or(|reason| reason.version == module) {
                left.module = Some(module);
            }
        }
        match left.providers[..] {
            [module] if left.module.is_none_or(|other| other == module) => Ok((true, Some(module))),
            [] => Ok((false, left.module)),
            _ => Err(left),
        }
    }

    /// One alternative: rather a module that was there before, else the one with the longest path.
    pub(super) fn choose(&self, world: &World, set: &PathSet) -> (bool, Option<NodeId>) {
        let was_there = |module: &&NodeId| {
            let path = &world.nodes().node(**module).path;
            self.initially(world, path) != "none"
        };
        match set.providers.iter().find(was_there).or(set.providers.first()) {
            Some(&module) => (true, Some(module)),
            None => (false, set.module),
        }
    }

    /// Decides on a version, unless another was decided on.
    fn resolve(&mut self, world: &World, query: usize, module: NodeId) {
        let node = world.nodes().node(module).clone();
        if Self::is_main(world, module.path()) && !node.version.is_empty() {
            let error = self.of_main(world, query, &node.path);
            let error = self.queries[query].told(error);
            return self.errors.push(error);
        }
        match self.resolved.get(&module.path()) {
            Some(before) if before.version != module => {
                let before = *before;
                self.report_conflict(world, query, &node, before);
            }
            _ => {
                self.resolved.insert(module.path(), Reason { version: module, query });
                self.queries[query].has_resolved = true;
            }
        }
    }

    fn report_conflict(&mut self, world: &World, query: usize, node: &Node, before: Reason) {
        if std::mem::replace(&mut self.queries[query].has_conflict, true) {
            return;
        }
        let version = world.nodes().version(before.version);
        let mut proposed = (&self.queries[query], &*node.version);
        let mut other = (&self.queries[before.query], version);
        if proposed.0.is_wildcard() && !other.0.is_wildcard() {
            std::mem::swap(&mut proposed, &mut other);
        }
        let error = conflict(&node.path, proposed, other);
        let error = self.queries[query].told(error);
        self.errors.push(error);
    }

    /// Makes the build list agree with what was decided, and tries to add others; whether it changed.
    pub(super) fn update_build_list(
        &mut self,
        world: &mut World,
        additions: Vec<NodeId>,
    ) -> Result<bool, Halt> {
        let decided = self.resolved.values().map(|reason| reason.version);
        let mut select: Vec<_> = decided.filter(|module| !Self::is_main(world, module.path())).collect();
        world.nodes().sort(&mut select);
        let edit = Edit { upgrade: additions, select, is_verbose: self.options.is_verbose };
        match world.edit(&self.requirements.clone(), &edit) {
            Ok((_, false)) => Ok(false),
            Ok((requirements, true)) => {
                self.requirements = requirements;
                self.read_build_list(world)?;
                Ok(true)
            }
            Err(Halt::Error(error)) => {
                let Error::Constraint(constraint) = *error else { return Err(Halt::Error(error)) };
                if self.options.is_verbose {
                    world.notes.extend(constraint.conflicts.iter().map(Conflict::to_string));
                }
                let errors: Vec<_> =
                    constraint.conflicts.iter().map(|conflict| self.explain(world, conflict)).collect();
                self.errors.extend(errors);
                self.exit_if_errors()?;
                Ok(false)
            }
            Err(need) => Err(need),
        }
    }

    /// A conflict between modules in terms of the arguments.
    fn explain(&self, world: &World, conflict: &Conflict) -> Error {
        let reason = |node: &Node| {
            let path = world.nodes().find_path(&node.path);
            match path.and_then(|path| self.resolved.get(&path)) {
                Some(reason) => self.queries[reason.query].resolved_text(world.nodes().node(reason.version)),
                None => format!("(INTERNAL ERROR: no reason found for {node})"),
            }
        };
        let how = if conflict.path.len() > 2 { "indirectly " } else { "" };
        let ([first, ..], [.., last]) = (&conflict.path[..], &conflict.path[..]) else {
            return Error::Text(conflict.to_string());
        };
        let first = reason(first);
        Error::Text(match (conflict.cause(), &conflict.constraint) {
            (Some(cause), _) => format!("{first} {how}requires {last}: {cause}"),
            (None, Some(constraint)) => format!("{first} {how}requires {last}, not {}", reason(constraint)),
            (None, None) => format!("{first} {how}requires {last}"),
        })
    }
}
