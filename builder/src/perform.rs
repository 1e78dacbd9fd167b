//! Carrying out a plan.
//!
//! A result is taken from where it is nearest: the build cache, the [remote](crate::remote) one, an archive that differs in its
//! ID only; else it is made. What a cache has is believed as far as its bytes are what their name says, which is looked at when
//! a tool is about to read them ([`bytes`]).

mod bytes;
mod known;
mod outcome;
mod profile;
mod publish;
mod stale;
mod verify;
mod vet;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use modkeep_store::{Digest, Hasher};
use parking_lot::Mutex;

use crate::action_graph::Made;
use crate::action_id::ActionId;
use crate::buildid::BuildId;
use crate::compile::{Compiled, Unit};
use crate::goal::Goal;
use crate::install;
use crate::link::{Linked, Origin, Program};
use crate::package::{Package, PackageId};
use crate::plan::{Node, NodeId, Plan, Work};
use crate::schedule::{self, Graph};
use crate::shop::{Shop, StepError};
use crate::tier::ExportKey;

pub use outcome::Outcome;
use outcome::Product;
pub use stale::{Before, Reasons};

impl Plan<'_> {
    /// Does all of it, and tells what fails.
    pub fn perform(mut self, shop: &Shop) -> Outcome {
        let of_first = |node: &Node| node.package.filter(|_| node.goal == 0);
        let packages: Vec<Option<PackageId>> = self.nodes.iter().map(of_first).collect();
        let graph_file = &shop.flags.graph_file;
        if graph_file.is_empty()
            && let Some(products) = Run::new(&self, shop).known_products()
        {
            let (coverage, culprits) = (HashMap::new(), HashMap::new());
            return Outcome { succeeded: true, is_cut_short: false, packages, products, coverage, culprits };
        }
        let is_script = shop.flags.dry;
        self.rank(is_script);
        let run = Run::new(&self, shop);
        let mut succeeded = schedule::run(&run, if is_script { 1 } else { shop.flags.parallel });
        if succeeded {
            shop.memory().mark_used(run.sum());
        }
        run.publish();
        if !graph_file.is_empty()
            && let Err(error) = shop.notes.write(graph_file, &self, &shop.flags.verb, &|node| run.made(node))
        {
            shop.transcript.tell("", &format!("go: writing action graph: {error}\n"));
            succeeded = false;
        }
        let culprits = if succeeded { HashMap::new() } else { run.culprits(&packages) };
        let is_cut_short = run.has_ended.load(Ordering::Relaxed);
        let products = run.products.into_iter().map(OnceLock::into_inner).collect();
        Outcome { succeeded, is_cut_short, packages, products, coverage: run.coverage.into_inner(), culprits }
    }
}

struct Run<'a> {
    plan: &'a Plan<'a>,
    shop: &'a Shop,
    products: Vec<OnceLock<Product>>,
    /// Held while the archive of a node is made a second time.
    again: Vec<Mutex<()>>,
    coverage: Mutex<HashMap<NodeId, String>>,
    /// Whether something has failed that all depends on.
    has_ended: AtomicBool,
    /// What is verified in this run is another part than in the last.
    seed: u64,
}

impl Graph for Run<'_> {
    fn len(&self) -> usize {
        self.plan.nodes.len()
    }

    fn needs(&self, node: usize) -> Vec<usize> {
        let Node { needs, after, .. } = &self.plan.nodes[node];
        needs.iter().chain(after).copied().collect()
    }

    fn rank(&self, node: usize) -> u64 {
        self.plan.nodes[node].rank
    }

    fn run(&self, node: usize, waiting: usize) -> bool {
        self.shop.tools.note_waiting(waiting);
        let begun = jiff::Timestamp::now();
        let stepped = self.step(node);
        self.shop.notes.ran(node, begun);
        match stepped {
            Ok(product) => {
                // A node is run once.
                let _ = self.products[node].set(product);
                true
            }
            Err(error) => {
                self.tell_failure(node, error);
                false
            }
        }
    }

    fn can_do_without(&self, node: usize) -> bool {
        // What is wrong with imports is told with them.
        matches!(self.plan.nodes[node].work, Work::Vet { .. })
    }

    fn is_stopped(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed) || self.shop.machine.children().is_stopped()
    }
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan<'a>, shop: &'a Shop) -> Self {
        let products = plan.nodes.iter().map(|_| OnceLock::new()).collect();
        let again = plan.nodes.iter().map(|_| Mutex::default()).collect();
        Self {
            plan,
            shop,
            products,
            again,
            coverage: Mutex::default(),
            has_ended: AtomicBool::new(false),
            seed: verify::seed(),
        }
    }

    /// What names the keys of all that was done.
    fn sum(&self) -> Digest {
        let mut hasher = Hasher::default();
        for product in self.products.iter().filter_map(OnceLock::get) {
            match product {
                Product::Compiled(compiled) => hasher.update(compiled.action.as_bytes()),
                Product::Linked(linked) => hasher.update(linked.action.as_bytes()),
                Product::Vetted(_) | Product::Profile(_) | Product::Installed => {}
            }
        }
        hasher.digest()
    }

    fn culprits(&self, packages: &[Option<PackageId>]) -> HashMap<NodeId, PackageId> {
        let mut culprits = HashMap::new();
        // What a node needs has a lower number.
        for (id, node) in self.plan.nodes.iter().enumerate() {
            if self.products[id].get().is_none() {
                let of_need = node.needs.iter().find_map(|need| culprits.get(need).copied());
                culprits.extend(of_need.or(packages[id]).map(|package| (id, package)));
            }
        }
        culprits
    }

    fn goal(&self, node: &Node) -> &'a Goal<'a> {
        &self.plan.goals[node.goal]
    }

    fn package(&self, node: &Node) -> Option<&'a Package> {
        node.package.map(|id| &self.goal(node).graph[id])
    }

    fn compiled(&self, node: NodeId) -> Option<&Compiled> {
        match self.products[node].get() {
            Some(Product::Compiled(compiled)) => Some(compiled),
            _ => None,
        }
    }

    /// What is told of a node in the graph of the build.
    fn made(&self, node: NodeId) -> Made {
        match (self.products[node].get(), &self.plan.nodes[node].work) {
            (_, Work::Install { target }) => {
                let of_need = self.plan.nodes[node].needs.first().map(|&need| self.made(need));
                Made { action: String::new(), file: target.clone(), ..of_need.unwrap_or_default() }
            }
            (Some(Product::Compiled(compiled)), Work::Compile { .. }) => Made {
                action: compiled.action.short(),
                build_id: compiled.build_id.as_str().to_owned(),
                file: compiled.archive.as_ref().map(|archive| archive.path.clone()).unwrap_or_default(),
            },
            (Some(Product::Linked(linked)), _) => Made {
                action: linked.action.short(),
                build_id: linked.build_id.as_str().to_owned(),
                file: linked.path.clone(),
            },
            (Some(Product::Profile(archive)), _) => Made { file: archive.path.clone(), ..Made::default() },
            _ => Made::default(),
        }
    }

    fn tell_failure(&self, node: NodeId, error: StepError) {
        if self.is_stopped() {
            return;
        }
        let is_fatal = matches!(error, StepError::Fatal(_));
        if is_fatal && self.has_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let node = &self.plan.nodes[node];
        let package = self.package(node).filter(|_| !is_fatal);
        let text = match (error, package) {
            (StepError::Plain(text), Some(package)) => format!("{}: {text}", package.import_path),
            (error, _) => error.to_string(),
        };
        let description = package.map(Package::description).unwrap_or_default();
        self.shop.transcript.fail(&description, &text);
    }

    fn step(&self, id: NodeId) -> Result<Product, StepError> {
        let node = &self.plan.nodes[id];
        match &node.work {
            Work::BuiltIn => Ok(Product::Compiled(built_in())),
            Work::Profile { path } => self.profile(node, path).map(Product::Profile),
            Work::Compile { is_wanted: false, .. } => self.key_of(id, node).map(Product::Compiled),
            Work::Compile { program, .. } => self.compile(id, node, *program).map(Product::Compiled),
            Work::Sources => self.sources(node).map(|()| Product::Installed),
            Work::Vet { is_asked } => self.vet(node, *is_asked).map(Product::Vetted),
            Work::Link { .. } => self.link(id).map(Product::Linked),
            Work::Install { target } => self.install(node, target).map(|()| Product::Installed),
        }
    }

    fn compile(&self, id: NodeId, node: &Node, program: Option<NodeId>) -> Result<Compiled, StepError> {
        self.with_unit(id, node, |unit| {
            let (action, preimage) = unit.key()?;
            if let Some(link) = program
                && let Some(build_id) = self.main_of_current_program(link, &action)?
            {
                unit.retell(&action, "stdout");
                unit.retell(&action, "link-stdout");
                return Ok(Compiled { action, preimage, build_id, archive: None, is_cached: true });
            }
            let note_coverage = || {
                let file = crate::cover::meta_of(unit, &action)?;
                self.coverage.lock().extend(file.map(|file| (id, file)));
                Ok::<_, StepError>(())
            };
            let cached = unit.cached(action, &preimage).or_else(|| unit.found_remotely(action, &preimage));
            if let Some(cached) = cached {
                note_coverage()?;
                if self.is_sampled(&action) {
                    self.verify_archive(unit, node, &cached)?;
                }
                if !unit.retell(&action, "stdout") {
                    self.shop.memory().note_result(&action, cached.build_id.content());
                    ExportKey::learn(unit, &cached);
                }
                return Ok(cached);
            }
            let built = unit.build(action, preimage, &|| self.ensure(&node.needs))?;
            note_coverage()?;
            // An archive that differs in its ID only was found by what its makers read.
            if built.is_cached && self.is_sampled(&action) {
                self.verify_archive(unit, node, &built)?;
            }
            Ok(built)
        })
    }

    /// Has the sources of a package made and kept.
    fn sources(&self, node: &Node) -> Result<(), StepError> {
        let compile = *node.needs.first().ok_or_else(no_package)?;
        let Some(compiled) = self.compiled(compile) else { return Ok(()) };
        self.with_unit(compile, &self.plan.nodes[compile], |unit| unit.sources(&compiled.action).map(drop))
    }

    /// The key of a package whose archive nobody reads, and what the cache has under it.
    fn key_of(&self, id: NodeId, node: &Node) -> Result<Compiled, StepError> {
        self.with_unit(id, node, |unit| {
            let (action, preimage) = unit.key()?;
            if let Some(cached) = unit.cached(action, &preimage) {
                return Ok(cached);
            }
            unit.check()?;
            let build_id = BuildId::of_package(&action.short());
            Ok(Compiled { action, preimage, build_id, archive: None, is_cached: false })
        })
    }

    /// Does something with a package to compile.
    fn with_unit<T>(
        &self,
        id: NodeId,
        node: &Node,
        work: impl FnOnce(&Unit<'_>) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        let imports: Vec<(&Package, &Compiled)> = node
            .needs
            .iter()
            .filter_map(|&need| Some((self.package(&self.plan.nodes[need])?, self.compiled(need)?)))
            .collect();
        let profile = node.after.iter().find_map(|&need| match self.products[need].get() {
            Some(Product::Profile(archive)) => Some(archive.clone()),
            _ => None,
        });
        let system_objects = || self.plan.system_objects(id);
        work(&Unit {
            shop: self.shop,
            goal: self.goal(node),
            package: self.package(node).ok_or_else(no_package)?,
            imports,
            profile,
            system_objects: &system_objects,
            folder: &node.folder,
        })
    }

    /// The build ID of a main package, read from its program, if that is up to date: then nobody needs the archive.
    fn main_of_current_program(&self, link: NodeId, action: &ActionId) -> Result<Option<BuildId>, StepError> {
        // A package that others need too is wanted for itself.
        let placeholder = Compiled {
            action: *action,
            preimage: String::new(),
            build_id: BuildId::of_package(&action.short()),
            archive: None,
            is_cached: false,
        };
        let Some(program) = self.program(link, Some(&placeholder)) else {
            return Ok(None);
        };
        let Some(found) = program.found_at_target() else {
            return Ok(None);
        };
        let Some([of_link, of_main, content, _]) = found.of_main() else {
            return Ok(None);
        };
        if of_main != action.short() {
            return Ok(None);
        }
        let main = BuildId::found(format!("{of_main}/{content}"));
        let (expected, _) = program.key(&main)?;
        if expected.short() != of_link {
            return Ok(None);
        }
        Ok(Some(main))
    }

    /// The program that a node links; `main` stands for its first package before that is compiled.
    fn program<'r>(&'r self, link: NodeId, main: Option<&'r Compiled>) -> Option<Program<'r>> {
        let node = &self.plan.nodes[link];
        let Work::Link { name, target, is_kept } = &node.work else {
            return None;
        };
        let mut packages = Vec::with_capacity(node.needs.len());
        for (index, &need) in node.needs.iter().enumerate() {
            let package = self.package(&self.plan.nodes[need])?;
            let compiled = match main {
                Some(main) if index == 0 => main,
                _ => self.compiled(need)?,
            };
            packages.push((package, compiled));
        }
        Some(Program {
            shop: self.shop,
            goal: self.goal(node),
            package: self.package(node)?,
            packages,
            folder: &node.folder,
            name,
            target: target.as_deref(),
            is_kept: *is_kept,
        })
    }

    fn link(&self, id: NodeId) -> Result<Linked, StepError> {
        let program = self.program(id, None).ok_or_else(no_package)?;
        let (action, preimage) = program.key(&program.packages[0].1.build_id)?;
        if self.plan.is_needless(id, &action) {
            let build_id = BuildId::of_program(&action.short(), &program.packages[0].1.build_id);
            let (path, origin) = (String::new(), Origin::Target);
            return Ok(Linked { action, preimage, build_id, path, origin });
        }
        let needs = &self.plan.nodes[id].needs;
        let linked = program.link(action, preimage, &|| self.ensure(needs))?;
        if linked.origin != Origin::Made && self.is_sampled(&action) {
            self.verify_program(&program, needs, &linked)?;
        }
        Ok(linked)
    }

    fn install(&self, node: &Node, target: &str) -> Result<(), StepError> {
        let package = self.package(node).ok_or_else(no_package)?;
        self.ensure(&node.needs)?;
        let (path, is_program) = match self.products[node.needs[0]].get() {
            Some(Product::Linked(linked)) => (linked.path.clone(), true),
            Some(Product::Compiled(compiled)) => {
                (compiled.archive.as_ref().map(|archive| archive.path.clone()).unwrap_or_default(), false)
            }
            _ => return Err(no_package()),
        };
        let file = install::Installed { path: &path, target, is_program, folder: &node.folder };
        install::install(self.shop, package, &file).map_err(|error| {
            StepError::Plain(format!("go {} {}: {error}", self.shop.flags.verb, package.import_path))
        })
    }
}

fn built_in() -> Compiled {
    Compiled {
        action: ActionId::from([0; 32]),
        preimage: String::new(),
        build_id: BuildId::found(String::new()),
        archive: None,
        is_cached: true,
    }
}

fn no_package() -> StepError {
    StepError::Plain("a result that the plan foresees is missing".to_owned())
}
