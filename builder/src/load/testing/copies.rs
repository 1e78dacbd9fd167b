//! Copies of what stands between the program of a test and the tested package (`recompileForTest`).

use std::collections::{HashMap, VecDeque};

use crate::load::error::step;
use crate::load::{ImportStack, Importing, Loader, PackageError, Problem};
use crate::package::PackageId;

impl Loader<'_> {
    /// Replaces what the program needs by copies where it must see the tests. An error tells of a cycle.
    pub(super) fn copy_for_test(
        &mut self,
        main: PackageId,
        tested: PackageId,
        inner: PackageId,
        outer: Option<PackageId>,
    ) -> Option<PackageError> {
        let mut copies: HashMap<PackageId, PackageId> = HashMap::from([(tested, inner)]);
        let profile = self.graph[tested].pgo_profile.clone();
        for id in self.graph.with_dependencies(&[main]) {
            if id == tested {
                continue;
            }
            let is_own = id == main || id == inner || Some(id) == outer;
            let mut current = id;
            for index in 0..self.graph[id].imported.len() {
                let import = self.graph[current].imported[index];
                if let Some(&copy) = copies.get(&import).filter(|copy| **copy != import) {
                    if !is_own && current == id {
                        current = self.copy(id, tested, &mut copies);
                    }
                    self.graph[current].imported[index] = copy;
                }
            }
            let is_program = self.graph[id].name == "main" && id != main && id != inner;
            let lacks_profile = profile.is_some() && self.graph[current].pgo_profile.is_none();
            if (is_program || lacks_profile) && !is_own && current == id {
                self.copy(id, tested, &mut copies);
            }
        }
        self.cycle_of(inner)
    }

    fn copy(
        &mut self,
        id: PackageId,
        tested: PackageId,
        copies: &mut HashMap<PackageId, PackageId>,
    ) -> PackageId {
        let mut copy = self.graph[id].clone();
        copy.for_test.clone_from(&self.graph[tested].import_path);
        copy.target.clear();
        copy.build_info = None;
        copy.force_library = true;
        copy.pgo_profile.clone_from(&self.graph[tested].pgo_profile);
        let copy = self.add_finished(copy);
        copies.insert(id, copy);
        copy
    }

    /// The shortest way by which a package with its tests needs itself.
    fn cycle_of(&self, inner: PackageId) -> Option<PackageError> {
        let mut importers: HashMap<PackageId, PackageId> = HashMap::new();
        let mut pending: VecDeque<PackageId> = VecDeque::new();
        for &import in &self.graph[inner].imported {
            if importers.insert(import, inner).is_none() {
                pending.push_back(import);
            }
        }
        while let Some(id) = pending.pop_front() {
            if id == inner {
                let error = PackageError::new(Problem::TestCycle, &self.way_around(inner, &importers));
                return Some(PackageError { is_cycle: true, ..error });
            }
            for &import in &self.graph[id].imported {
                importers.entry(import).or_insert_with(|| {
                    pending.push_back(import);
                    id
                });
            }
        }
        None
    }

    fn way_around(&self, inner: PackageId, importers: &HashMap<PackageId, PackageId>) -> ImportStack {
        let path = |id: PackageId| self.graph[id].import_path.as_str();
        let mut stack = Vec::new();
        let mut id = inner;
        loop {
            let importer = importers[&id];
            let places = self.graph[importer].sources.imports.get(path(id));
            stack.push(step(path(id), places.map_or(&[], Vec::as_slice)));
            id = importer;
            if id == inner {
                break;
            }
        }
        stack.push(Importing { package: path(inner).to_owned(), file: None });
        stack.reverse();
        stack
    }
}
