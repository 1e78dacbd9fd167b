//! The graph of what is to be done, for all targets together: packages to compile, programs to link, results to put in place.
//!
//! Source: `cmd/go/internal/work:action.go` (`CompileAction`, `LinkAction`, `installAction`, `VetAction`).

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::action_id::ActionId;
use crate::goal::Goal;
use crate::package::{Package, PackageId};
use crate::vet::Vetting;

/// The number of a node.
pub(crate) type NodeId = usize;

/// What has to be done.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(crate) goals: &'a [Goal<'a>],
    pub(crate) nodes: Vec<Node>,
    known: HashMap<(usize, Kind), NodeId>,
    folders: usize,
    work: String,
    probes: HashMap<NodeId, Probe>,
    pub(crate) vetting: Vetting,
    asked: Vec<NodeId>,
    pub(crate) tests: Vec<TestRun>,
}

/// The test of a package, which is run by whoever made the plan; it stands in the graph of what was done.
#[derive(Clone, Debug)]
pub struct TestRun {
    /// The import path of the package.
    pub package: String,
    /// The program, or the package where it has no tests.
    pub built: usize,
    /// Whether there are tests.
    pub has_tests: bool,
    /// Whether it is run.
    pub is_run: bool,
    /// What puts the program in place.
    pub installed: Option<usize>,
    /// What vets the package and its tests.
    pub vets: Vec<usize>,
    /// The folder for its files; empty where that isn't known before it is made.
    pub folder: String,
}

/// Says of a program's key whether the program is needless after all.
struct Probe(Box<dyn Fn(&ActionId) -> bool + Send + Sync>);

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// One thing to do.
#[derive(Debug)]
pub(crate) struct Node {
    /// Which of the goals it is for.
    pub(crate) goal: usize,
    pub(crate) package: Option<PackageId>,
    pub(crate) work: Work,
    /// The nodes whose results it uses, in order.
    pub(crate) needs: Vec<NodeId>,
    /// More nodes that must be done before.
    pub(crate) after: Vec<NodeId>,
    /// The folder for its files, with a slash behind it.
    pub(crate) folder: String,
    /// How urgent it is: the length of the longest way from it to the end.
    pub(crate) rank: u64,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing: the compiler knows the package.
    BuiltIn,
    /// Compile a package. If it is the main package of a program and of nothing else, that program. Where only its key is
    /// wanted, because it is vetted, there need not be an archive.
    Compile { program: Option<NodeId>, is_wanted: bool },
    /// Vet the package of the first need, with the facts about its imports that the others have found; unless the likely
    /// mistakes are asked for, only for the facts about itself.
    Vet { is_asked: bool },
    /// Make the sources that are generated of the package of the need.
    Sources,
    /// Link the program of the first need, with the others.
    Link { name: String, target: Option<String>, is_kept: bool },
    /// Put the result of the need in place.
    Install { target: String },
    /// Make the compiler's form of a profile.
    Profile { path: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Compile(PackageId),
    Link(PackageId),
    Vet(PackageId),
    Profile(String),
}

/// A program to link.
#[derive(Clone, Debug, Default)]
pub struct Linking<'s> {
    /// Where what is there may be up to date; empty for nowhere.
    pub target: &'s str,
    /// Whether the result is put there.
    pub installs: bool,
    /// What it is called in the work folder; empty for `a.out`.
    pub name: &'s str,
    /// Whether the build cache keeps it, as for `run`.
    pub is_kept: bool,
}

impl<'a> Plan<'a> {
    /// Nothing to do yet, for these targets, with files in a work folder.
    pub fn new(goals: &'a [Goal<'a>], work: &str) -> Self {
        Self {
            goals,
            nodes: Vec::new(),
            known: HashMap::new(),
            folders: 0,
            work: work.to_owned(),
            probes: HashMap::new(),
            vetting: Vetting::default(),
            asked: Vec::new(),
            tests: Vec::new(),
        }
    }

    /// Notes a test for the graph of what was done.
    pub fn note_test(&mut self, test: TestRun) {
        let folder = if test.folder.is_empty() { self.next_folder() } else { test.folder.clone() };
        self.tests.push(TestRun { folder, ..test });
    }

    fn package(&self, goal: usize, id: PackageId) -> &'a Package {
        &self.goals[goal].graph[id]
    }

    /// What programs of a target end in.
    pub fn program_suffix(&self, goal: usize) -> &'static str {
        self.goals[goal].program_suffix()
    }

    /// The folder for the files of a node, with a slash behind it.
    pub fn folder(&self, node: usize) -> &str {
        &self.nodes[node].folder
    }

    /// The package of a node.
    pub(crate) fn package_of(&self, node: &Node) -> Option<&'a Package> {
        node.package.map(|id| self.package(node.goal, id))
    }

    /// What was asked for, in order.
    pub(crate) fn asked(&self) -> &[NodeId] {
        &self.asked
    }

    fn ask(&mut self, node: NodeId) -> NodeId {
        if !self.asked.contains(&node) {
            self.asked.push(node);
        }
        node
    }

    /// Has a package compiled.
    pub fn compile(&mut self, goal: usize, id: PackageId) -> usize {
        let node = self.add_compiles(goal, id);
        self.want(node);
        self.ask(node)
    }

    /// Has only the sources of a package made, those that cgo makes among them; gives the node with its key.
    pub fn sources(&mut self, goal: usize, id: PackageId) -> usize {
        let compile = self.add_compiles(goal, id);
        let folder = self.nodes[compile].folder.clone();
        let is_built_in = self.nodes[compile].work == Work::BuiltIn;
        if !is_built_in {
            let (package, work) = (Some(id), Work::Sources);
            let needs = vec![compile];
            self.nodes.push(Node { goal, package, work, needs, after: Vec::new(), folder, rank: 0 });
            self.ask(self.nodes.len() - 1);
        }
        compile
    }

    /// A package's archive is wanted, not only its key.
    fn want(&mut self, node: NodeId) {
        if let Work::Compile { is_wanted, .. } = &mut self.nodes[node].work {
            *is_wanted = true;
        }
    }

    /// Adds a package and all that it needs, of which the archives are wanted.
    fn add_compiles(&mut self, goal: usize, id: PackageId) -> NodeId {
        // Iterative, for graphs are deep: a package is finished once its imports are. Folders are numbered when it is begun.
        let mut path: Vec<(PackageId, usize, String)> = Vec::new();
        let mut is_open = HashSet::new();
        let begin =
            |plan: &mut Self, path: &mut Vec<_>, id: PackageId| path.push((id, 0, plan.next_folder()));
        if let Some(&node) = self.known.get(&(goal, Kind::Compile(id))) {
            return node;
        }
        is_open.insert(id);
        begin(self, &mut path, id);
        while let Some((id, next, _)) = path.last_mut() {
            let package = self.package(goal, *id);
            match package.imported.get(*next).copied() {
                Some(import) => {
                    *next += 1;
                    let is_new = !self.known.contains_key(&(goal, Kind::Compile(import)));
                    // A cycle is said where the package is loaded; here it only must end.
                    if is_new && is_open.insert(import) {
                        begin(self, &mut path, import);
                    }
                }
                None => {
                    if let Some((id, _, folder)) = path.pop() {
                        self.add_compile(goal, id, folder);
                    }
                }
            }
        }
        self.known[&(goal, Kind::Compile(id))]
    }

    fn add_compile(&mut self, goal: usize, id: PackageId, folder: String) {
        let package = self.package(goal, id);
        let mut needs: Vec<NodeId> = package
            .imported
            .iter()
            .filter_map(|&import| self.known.get(&(goal, Kind::Compile(import))).copied())
            .collect();
        let is_built_in = package.is_built_in();
        let mut after = Vec::new();
        if let Some(path) = &package.pgo_profile {
            after.push(self.profile(goal, path));
        }
        needs.iter().for_each(|&need| self.want(need));
        let work = if is_built_in {
            needs.clear();
            Work::BuiltIn
        } else {
            Work::Compile { program: None, is_wanted: false }
        };
        let node = Node { goal, package: Some(id), work, needs, after, folder, rank: 0 };
        self.nodes.push(node);
        self.known.insert((goal, Kind::Compile(id)), self.nodes.len() - 1);
    }

    fn profile(&mut self, goal: usize, path: &str) -> NodeId {
        // All targets share it.
        let key = (usize::MAX, Kind::Profile(path.to_owned()));
        if let Some(&node) = self.known.get(&key) {
            return node;
        }
        let folder = self.next_folder();
        let work = Work::Profile { path: path.to_owned() };
        let node = Node { goal, package: None, work, needs: Vec::new(), after: Vec::new(), folder, rank: 0 };
        self.nodes.push(node);
        self.known.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Has a program linked, and put in place if that is wanted.
    pub fn link(&mut self, goal: usize, id: PackageId, linking: &Linking<'_>) -> usize {
        let key = (goal, Kind::Link(id));
        let node = match self.known.get(&key) {
            Some(&node) => node,
            None => {
                let node = self.add_link(goal, id, linking);
                self.known.insert(key, node);
                node
            }
        };
        let node = self.ask(node);
        if linking.installs { self.install(node, linking.target) } else { node }
    }

    fn add_link(&mut self, goal: usize, id: PackageId, linking: &Linking<'_>) -> NodeId {
        let main = self.add_compiles(goal, id);
        let needs = self.linked_with(main);
        let target = (!linking.target.is_empty()).then(|| linking.target.to_owned());
        let name = if linking.name.is_empty() { "a.out" } else { linking.name }.to_owned();
        let link = self.nodes.len();
        // The main package comes last, so that the program's key is known when its own is.
        self.nodes[main].after.extend(&needs[1..]);
        self.nodes[main].work = Work::Compile { program: Some(link), is_wanted: true };
        let folder = self.nodes[main].folder.clone();
        let work = Work::Link { name, target, is_kept: linking.is_kept };
        self.nodes.push(Node { goal, package: Some(id), work, needs, after: Vec::new(), folder, rank: 0 });
        link
    }

    /// Has one thing done only after another.
    pub fn wait(&mut self, node: usize, before: usize) {
        self.nodes[node].after.push(before);
    }

    /// Has a program linked only if `is_needless` says no to its key: what it would be run for may be known already.
    pub fn link_unless(
        &mut self,
        node: usize,
        is_needless: impl Fn(&ActionId) -> bool + Send + Sync + 'static,
    ) {
        self.probes.insert(node, Probe(Box::new(is_needless)));
    }

    pub(crate) fn is_needless(&self, node: NodeId, id: &ActionId) -> bool {
        self.probes.get(&node).is_some_and(|probe| (probe.0)(id))
    }

    /// Whether all that is wanted are programs in their places.
    pub(crate) fn is_of_programs(&self) -> bool {
        let mut is_wanted = vec![true; self.nodes.len()];
        for node in &self.nodes {
            node.needs.iter().chain(&node.after).for_each(|&need| is_wanted[need] = false);
        }
        let is_installed_program = |node: &Node| match (&node.work, node.needs.as_slice()) {
            (Work::Install { .. }, [need]) => matches!(self.nodes[*need].work, Work::Link { .. }),
            _ => false,
        };
        self.probes.is_empty()
            && self
                .nodes
                .iter()
                .zip(is_wanted)
                .all(|(node, is_wanted)| !is_wanted || is_installed_program(node))
    }

    /// Has the result of a node put in place.
    pub fn install(&mut self, node: usize, target: &str) -> usize {
        let Node { goal, package, folder, .. } = &self.nodes[node];
        let (goal, package, folder) = (*goal, *package, folder.clone());
        let work = Work::Install { target: target.to_owned() };
        self.nodes.push(Node { goal, package, work, needs: vec![node], after: Vec::new(), folder, rank: 0 });
        // It is wanted in its place.
        self.asked.retain(|&asked| asked != node);
        self.ask(self.nodes.len() - 1)
    }

    /// Says how packages are vetted.
    pub fn vet_by(&mut self, vetting: Vetting) {
        self.vetting = vetting;
    }

    /// Has a package vetted, and what it needs vetted for facts.
    pub fn vet(&mut self, goal: usize, id: PackageId) -> usize {
        self.add_compiles(goal, id);
        let mut last = 0;
        for id in self.goals[goal].graph.with_dependencies(&[id]) {
            last = self.add_vet(goal, id);
        }
        if let Work::Vet { is_asked } = &mut self.nodes[last].work {
            *is_asked = true;
        }
        self.ask(last)
    }

    /// The node that vets a package whose imports have theirs.
    fn add_vet(&mut self, goal: usize, id: PackageId) -> NodeId {
        if let Some(&node) = self.known.get(&(goal, Kind::Vet(id))) {
            return node;
        }
        let compile = self.known[&(goal, Kind::Compile(id))];
        let imported = &self.package(goal, id).imported;
        let of_imports = imported.iter().filter_map(|&import| self.known.get(&(goal, Kind::Vet(import))));
        let needs = std::iter::once(compile).chain(of_imports.copied()).collect();
        let folder = self.nodes[compile].folder.clone();
        let work = Work::Vet { is_asked: false };
        self.nodes.push(Node { goal, package: Some(id), work, needs, after: Vec::new(), folder, rank: 0 });
        self.known.insert((goal, Kind::Vet(id)), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// A main package and all that its program consists of, breadth first, each path once (`addTransitiveLinkDeps`).
    fn linked_with(&self, main: NodeId) -> Vec<NodeId> {
        let path_of = |node: NodeId| {
            let node = &self.nodes[node];
            node.package.map_or("", |id| self.package(node.goal, id).import_path.as_str())
        };
        let mut list = vec![main];
        let mut have = HashSet::from([path_of(main)]);
        let mut next = 0;
        while let Some(&node) = list.get(next) {
            next += 1;
            for &need in &self.nodes[node].needs {
                if self.nodes[need].work != Work::BuiltIn && have.insert(path_of(need)) {
                    list.push(need);
                }
            }
        }
        list
    }

    /// Object files of a package and all below it, sorted (`gatherSyso`).
    pub(crate) fn system_objects(&self, node: NodeId) -> Vec<String> {
        let mut seen = HashSet::from([node]);
        let mut path = vec![node];
        let mut objects = Vec::new();
        while let Some(node) = path.pop() {
            let node = &self.nodes[node];
            if let Some(id) = node.package {
                let package = self.package(node.goal, id);
                let files = package.syso_files.iter();
                objects.extend(files.map(|file| modkeep_module::file_path::join(&package.dir, file)));
            }
            path.extend(node.needs.iter().copied().filter(|&need| seen.insert(need)));
        }
        objects.sort();
        objects.dedup();
        objects
    }

    /// Ranks nodes by the longest way to the end, by what each is likely to cost; or in go's own order, for a script.
    pub(crate) fn rank(&mut self, is_script: bool) {
        let order = self.order();
        if is_script {
            for (index, &node) in order.iter().enumerate() {
                self.nodes[node].rank = (order.len() - index) as u64;
            }
            return;
        }
        for &node in order.iter().rev() {
            let rank = self.nodes[node].rank + self.cost(node);
            self.nodes[node].rank = rank;
            let Node { needs, after, .. } = &self.nodes[node];
            for need in needs.iter().chain(after).copied().collect::<Vec<_>>() {
                let of_need = &mut self.nodes[need].rank;
                *of_need = (*of_need).max(rank);
            }
        }
    }

    /// All nodes, each behind what it needs.
    fn order(&self) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut list = Vec::with_capacity(self.nodes.len());
        // Results first, so that the order is that of a walk from them.
        let mut roots = vec![true; self.nodes.len()];
        for node in &self.nodes {
            node.needs.iter().chain(&node.after).for_each(|&need| roots[need] = false);
        }
        for root in (0..self.nodes.len()).filter(|&node| roots[node]) {
            let mut path = vec![(root, 0)];
            seen[root] = true;
            while let Some((node, next)) = path.last_mut() {
                let Node { needs, after, .. } = &self.nodes[*node];
                match needs.iter().chain(after).nth(*next).copied() {
                    Some(need) => {
                        *next += 1;
                        if !std::mem::replace(&mut seen[need], true) {
                            path.push((need, 0));
                        }
                    }
                    None => {
                        list.push(*node);
                        path.pop();
                    }
                }
            }
        }
        list
    }

    /// What a node is likely to cost, in files to compile.
    fn cost(&self, node: NodeId) -> u64 {
        const A_LINK: u64 = 60;
        let Node { work, package, goal, .. } = &self.nodes[node];
        match (work, package) {
            (Work::Compile { .. }, Some(id)) => {
                let package = self.package(*goal, *id);
                let of_c = 4 * (package.cgo_files.len() + package.c_files.len() + package.cxx_files.len());
                2 + (package.go_files.len() + of_c) as u64
            }
            (Work::Link { .. }, _) => A_LINK,
            (Work::Vet { .. }, _) => 2,
            _ => 1,
        }
    }

    fn next_folder(&mut self) -> String {
        self.folders += 1;
        format!("{}/b{:03}/", self.work, self.folders)
    }
}
