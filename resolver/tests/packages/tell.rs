//! The caller's part: needs answered from a universe.

use std::collections::BTreeSet;
use std::sync::Arc;

use modkeep_module::{GoMod, GoSum, GoWork};
use modkeep_resolver::error::{DirtyReason, Error, Fault, Halt, ModuleError};
use modkeep_resolver::known::{Directory, Folder, Need, Revision, Scan, ScanError};
use modkeep_resolver::main_modules::{MainModule, Workspace};
use modkeep_resolver::node::Node;
use modkeep_resolver::world::{LocalGo, Mode, World};

use crate::generate::{File, Module, STANDARD, Universe};

/// Rounds of needs before a resolution counts as one that never ends.
const MOST_ROUNDS: usize = 1_000;

/// The go.work of universes with two main modules.
pub(crate) const WORKSPACE: &str = "go 1.27.3\n\nuse (\n\t./m\n\t./m2\n)\n";

/// What a main module begins with.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) go_mod: String,
    /// For commands that may change nothing.
    pub(crate) go_sum: Option<String>,
}

/// Who asks, and what was looked up on the way.
pub(crate) struct Caller<'a> {
    pub(crate) universe: &'a Universe,
    pub(crate) folder: &'a str,
    pub(crate) world: World,
    /// The lines of go.sum that were looked up: `path version` and `path version/go.mod`.
    pub(crate) read: BTreeSet<String>,
}

/// The world of a universe that stands in `folder`.
fn world(folder: &str, start: &Start) -> World {
    let name = if start.go_mod.starts_with("module ex.com/m2\n") { "m2" } else { "m" };
    let main = main_module(folder, name, &start.go_mod);
    let mode = if start.go_sum.is_some() { Mode::Readonly(DirtyReason::default()) } else { Mode::Mod };
    let mut world = World::new(vec![main], None, mode, local()).expect("one main module");
    let parse = |text: &String| GoSum::parse("go.sum", text.as_bytes()).expect("go wrote it");
    world.required_sums = start.go_sum.as_ref().map(|text| Arc::new(parse(text)));
    know_standard(&mut world);
    world
}

/// The world of both main modules; `None` where their replacements contradict each other.
fn workspace(folder: &str, mains: [&Start; 2]) -> Option<World> {
    let file = GoWork::parse("go.work", WORKSPACE.as_bytes()).expect("a go.work");
    let modules =
        vec![main_module(folder, "m", &mains[0].go_mod), main_module(folder, "m2", &mains[1].go_mod)];
    let workspace = Workspace { file, directory: folder.to_owned() };
    let mut world = World::new(modules, Some(workspace), Mode::Mod, local()).ok()?;
    know_standard(&mut world);
    Some(world)
}

fn know_standard(world: &mut World) {
    world.standard.packages = STANDARD.map(str::to_owned).into();
    world.standard.directory = "/src".to_owned();
    world.here = Some(world.main.first());
}

fn local() -> LocalGo {
    LocalGo { version: "1.27.3".to_owned(), explain: "; GOTOOLCHAIN=local".to_owned() }
}

fn main_module(folder: &str, name: &str, go_mod: &str) -> MainModule {
    let file = GoMod::parse("go.mod", go_mod.as_bytes()).expect("main modules are well-formed");
    let directory = format!("{folder}/{name}");
    MainModule { file, was_fixed: false, directory, shown: ".".to_owned() }
}

impl<'a> Caller<'a> {
    pub(crate) fn new(universe: &'a Universe, folder: &'a str, start: &Start) -> Self {
        Self { universe, folder, world: world(folder, start), read: BTreeSet::new() }
    }

    pub(crate) fn of_workspace(universe: &'a Universe, folder: &'a str, mains: [&Start; 2]) -> Option<Self> {
        Some(Self { universe, folder, world: workspace(folder, mains)?, read: BTreeSet::new() })
    }

    /// Answers needs until there is an answer.
    pub(crate) fn resolve<T>(
        &mut self,
        mut ask: impl FnMut(&mut World) -> Result<T, Halt>,
    ) -> Result<T, Box<Error>> {
        for _ in 0..MOST_ROUNDS {
            match self.world.attempt(&mut ask) {
                Ok(answer) => return Ok(answer),
                Err(Halt::Error(error)) => return Err(error),
                Err(Halt::Need(needs)) => {
                    assert!(!needs.is_empty(), "halted without a need");
                    for need in &needs {
                        tell(self.universe, self.folder, &mut self.world, need);
                        self.read.extend(line(need));
                    }
                }
            }
        }
        panic!("no answer after {MOST_ROUNDS} rounds of needs");
    }
}

/// The line of go.sum that is looked at for a need.
fn line(need: &Need) -> Option<String> {
    match need {
        Need::GoMod(node) => Some(format!("{} {}/go.mod", node.path, node.version)),
        Need::Folder { module: node, .. } | Need::Directories(node) | Need::Download(node) => {
            Some(format!("{} {}", node.path, node.version))
        }
        _ => None,
    }
}

fn tell(universe: &Universe, folder: &str, world: &mut World, need: &Need) {
    let known = &mut world.known;
    match need {
        Need::GoMod(node) => {
            let name = if node.version.is_empty() { "../d1/go.mod" } else { "go.mod" };
            let module = find(universe, folder, node, "mod");
            known.tell_go_mod(node, name, module.map(|module| module.go_mod.as_bytes()));
        }
        Need::Versions(path) => {
            let mut versions = universe.registry.keys().filter(|(other, _)| other == path).peekable();
            let answer = match versions.peek() {
                Some(_) => Ok(versions.map(|(_, version)| version.clone()).collect()),
                None => Err(missing(folder, &Node::new(path.as_str(), ""), "list")),
            };
            known.tell_versions(path, answer);
        }
        Need::Revision { path, revision } => {
            let node = Node::new(path.as_str(), revision.as_str());
            let module = find(universe, folder, &node, "info");
            let time = Some("2020-01-01T00:00:00Z".to_owned());
            let answer = module.map(|_| Revision { version: revision.clone(), time });
            known.tell_revision(path, revision, answer);
        }
        Need::Latest(path) => {
            known.tell_latest(path, Err(missing(folder, &Node::new(path.as_str(), ""), "latest")));
        }
        Need::Folder { module: node, directory } => {
            let answer = find(universe, folder, node, "zip");
            let shown = match &*node.version {
                "" if node.path.starts_with('.') => {
                    format!("{folder}/{}", node.path.rsplit('/').next().unwrap_or_default())
                }
                "" => node.path.replace("ex.com", folder),
                _ => format!("{folder}/gopath/pkg/mod/{node}"),
            };
            let shown = format!("{shown}/{directory}").trim_end_matches('/').to_owned();
            let files = answer.map(|module| module.tree.get(directory).map_or(&[][..], |files| &files[..]));
            known.tell_folder(node, directory, files.map(|files| of_files(files, shown)));
        }
        Need::Directories(node) => {
            let answer = find(universe, folder, node, "zip");
            let directories = answer.map(|module| {
                // Files alone are written, and a zip has no directory without.
                let filled = module.tree.iter().filter(|(_, files)| !files.is_empty());
                let directory = |path: &String| Directory { path: path.clone(), has_go_files: true };
                filled.map(|(path, _)| directory(path)).collect()
            });
            known.tell_directories(node, directories);
        }
        Need::Download(node) => known.tell_download(node, find(universe, folder, node, "zip").map(|_| ())),
    }
}

fn of_files(files: &[File], shown: String) -> Folder {
    let scan = |tags: usize| {
        let counting: Vec<_> = files.iter().filter(|file| file.counts()[tags]).collect();
        let imports = |is_test: bool| {
            let files = counting.iter().filter(|file| file.is_test() == is_test);
            let mut imports: Vec<_> = files.flat_map(|file| file.imports.iter().cloned()).collect();
            imports.sort();
            imports.dedup();
            imports
        };
        let error = counting.is_empty().then_some(ScanError::NoGo);
        Scan { imports: imports(false), test_imports: imports(true), error }
    };
    Folder { has_go_files: !files.is_empty(), shown, any: scan(0), target: scan(1) }
}

fn find<'a>(
    universe: &'a Universe,
    folder: &str,
    node: &Node,
    kind: &str,
) -> Result<&'a Module, ModuleError> {
    match &*node.path {
        "ex.com/m" => return Ok(&universe.main),
        "ex.com/m2" => return Ok(universe.second.as_ref().expect("only workspaces speak of it")),
        _ => {}
    }
    if node.version.is_empty() {
        return Ok(&universe.directories[node.path.trim_start_matches("../").trim_start_matches("./")]);
    }
    let key = (node.path.to_string(), node.version.to_string());
    universe.registry.get(&key).ok_or_else(|| missing(folder, node, &format!("{}.{kind}", node.version)))
}

fn missing(folder: &str, node: &Node, name: &str) -> ModuleError {
    let text = format!("reading file://{folder}/px/{}/@v/{name}: no such file or directory", node.path);
    ModuleError::of_source(node.clone(), text, Fault::NotExist)
}
