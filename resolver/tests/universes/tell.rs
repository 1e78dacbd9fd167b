//! The caller's part: main modules read from a universe, needs answered from its files.

use modkeep_module::{GoMod, GoWork};
use modkeep_resolver::error::{Error, Fault, Halt, ModuleError};
use modkeep_resolver::known::{Need, Revision};
use modkeep_resolver::main_modules::{MainModule, Workspace};
use modkeep_resolver::node::Node;
use modkeep_resolver::world::{LocalGo, Mode, World};

use crate::generate::{REGISTRY, Universe};

/// Rounds of needs before a resolution counts as one that never ends.
const MOST_ROUNDS: usize = 1_000;

/// The world of a universe that stands in `folder`.
pub(crate) fn world(universe: &Universe, folder: &str, mode: Mode) -> Result<World, Error> {
    let file = |name: &str| universe.files[name].as_bytes();
    let main = |main: &String| MainModule {
        file: GoMod::parse("go.mod", file(&format!("{main}/go.mod"))).expect("main modules are well-formed"),
        was_fixed: false,
        directory: format!("{folder}/{main}"),
        shown: if *main == universe.mains[0] { ".".to_owned() } else { format!("../{main}") },
    };
    let mains: Vec<_> = universe.mains.iter().map(main).collect();
    let workspace = universe.is_workspace.then(|| Workspace {
        file: GoWork::parse("go.work", file("go.work")).expect("workspaces are well-formed"),
        directory: folder.to_owned(),
    });
    let local = LocalGo { version: "1.27.3".to_owned(), explain: "; GOTOOLCHAIN=local".to_owned() };
    if let Some(error) = workspace.iter().flat_map(|workspace| workspace.too_old_for(&mains)).last() {
        return Err(error);
    }
    World::new(mains, workspace, mode, local)
}

/// Answers needs until there is an answer.
pub(crate) fn resolve<T>(
    universe: &Universe,
    folder: &str,
    world: &mut World,
    mut ask: impl FnMut(&mut World) -> Result<T, Halt>,
) -> Result<T, Box<Error>> {
    for _ in 0..MOST_ROUNDS {
        match world.attempt(&mut ask) {
            Ok(answer) => return Ok(answer),
            Err(Halt::Error(error)) => return Err(error),
            Err(Halt::Need(needs)) => {
                assert!(!needs.is_empty(), "halted without a need");
                needs.iter().for_each(|need| tell(universe, folder, world, need));
            }
        }
    }
    panic!("no answer after {MOST_ROUNDS} rounds of needs");
}

fn tell(universe: &Universe, folder: &str, world: &mut World, need: &Need) {
    let known = &mut world.known;
    match need {
        Need::GoMod(node) if node.version.is_empty() => {
            let name = node.path.trim_start_matches("../").trim_start_matches("./");
            known.tell_go_mod(node, "go.mod", Ok(universe.files[&format!("{name}/go.mod")].as_bytes()));
        }
        Need::GoMod(node) => {
            let data = read(universe, folder, node, &format!("{}.mod", node.version));
            known.tell_go_mod(node, "go.mod", data.map(str::as_bytes));
        }
        Need::Versions(path) => {
            let list = read(universe, folder, &Node::new(path.as_str(), ""), "list");
            known.tell_versions(path, list.map(|list| list.lines().map(str::to_owned).collect()));
        }
        Need::Revision { path, revision } => {
            let info = read(
                universe,
                folder,
                &Node::new(path.as_str(), revision.as_str()),
                &format!("{revision}.info"),
            );
            let time = |info: &str| info.split("\"Time\":\"").nth(1).map(|rest| rest[..20].to_owned());
            let answer = info.map(|info| Revision { version: revision.clone(), time: time(info) });
            known.tell_revision(path, revision, answer);
        }
        Need::Latest(path) => {
            let text = "the registry of a universe has no opinion";
            let error = ModuleError::of_source(Node::new(path.as_str(), ""), text, Fault::NotExist);
            known.tell_latest(path, Err(error));
        }
        Need::Folder { .. } | Need::Directories(_) | Need::Download(_) => {
            panic!("universes have no packages: {need:?}")
        }
    }
}

fn read<'a>(universe: &'a Universe, folder: &str, node: &Node, name: &str) -> Result<&'a str, ModuleError> {
    let file = format!("{REGISTRY}/{}/@v/{name}", node.path);
    let text = format!("reading file://{folder}/{file}: no such file or directory");
    let missing = || ModuleError::of_source(node.clone(), text, Fault::NotExist);
    universe.files.get(&file).map(String::as_str).ok_or_else(missing)
}
