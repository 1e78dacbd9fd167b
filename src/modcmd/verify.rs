//! `modkeep mod verify`: whether zips and folders in the module cache are what they were when they came.
//!
//! Source of the rules: `cmd/go/internal/modcmd/verify.go`.

use modkeep_fetch::modcache::{Folder, ModCache};
use modkeep_module::ModuleVersion;
use modkeep_module::dirhash::{hash_dir, hash_zip};
use modkeep_module::zip::Archive;
use modkeep_resolver::node::Node;

use crate::flags::{Usage, module_flags};
use crate::goenv::{GoEnv, words};
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage { name: "mod verify", line: "go mod verify", flags: module_flags![] };

/// Looks at all modules of the build list that are in the cache.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| flags.set(name, value).map(|_| ()))?;
    if !words.is_empty() {
        return Err(Failure::go("verify takes no arguments"));
    }
    let wanted = Wanted { verb: "mod verify", needs_root: true, flags, ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    let graph = session.answer(|world| world.module_graph(None))?;
    let world = &session.world;
    let mains = world.main.ids();
    let list = graph.build_list(world.nodes()).iter();
    let modules: Vec<Node> = list
        .filter(|node| mains.iter().all(|main| main.path() != node.path()))
        .map(|node| world.nodes().node(*node).clone())
        .filter(|node| !modkeep_resolver::order::is_toolchain(&node.path))
        .collect();
    let problems: Vec<String> = look_at_all(&session.source.cache, &modules);
    if problems.is_empty() {
        return report::out("all modules verified\n");
    }
    problems.iter().for_each(|problem| report::tell(problem));
    Err(Failure::told(1))
}

/// Several at a time; what is wrong, in order.
fn look_at_all(cache: &ModCache, modules: &[Node]) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = modules.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let look = |modules: &'_ [Node]| -> Vec<String> {
            modules.iter().flat_map(|module| look_at(cache, module)).collect()
        };
        let shares: Vec<_> =
            modules.chunks(share).map(|modules| scope.spawn(move || look(modules))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect()
    })
}

fn look_at(cache: &ModCache, node: &Node) -> Vec<String> {
    let Node { path, version } = node;
    // A module that a directory replaces, or at a version that no cache has, left nothing behind.
    let Ok(module) = ModuleVersion::parse(path, version) else { return Vec::new() };
    let fail = |text: String| vec![format!("{path} {version}: {text}")];
    let zip = cache.file(&module, "zip");
    let folder = cache.folder(&module);
    let hash_file = cache.file(&module, "ziphash");
    let hash = match std::fs::read_to_string(&hash_file) {
        Ok(hash) => hash.trim().to_owned(),
        Err(error) => {
            let is_absent = !zip.exists() && matches!(folder, Ok(Folder::Absent(_) | Folder::Partial(..)));
            return match is_absent {
                true => Vec::new(),
                false => fail(format!("missing ziphash: open {}: {}", hash_file.display(), words(&error))),
            };
        }
    };
    let mut problems = Vec::new();
    if zip.exists() {
        match hash_of_zip(&zip) {
            Err(text) => return fail(text),
            Ok(found) if found != hash => {
                problems.extend(fail(format!("zip has been modified ({})", zip.display())));
            }
            Ok(_) => {}
        }
    }
    if let Ok(Folder::Complete(folder)) = folder {
        match hash_dir(&folder, &format!("{path}@{version}")) {
            Err(error) => problems.extend(fail(error.to_string())),
            Ok(found) if found.to_string() != hash => {
                problems.extend(fail(format!("dir has been modified ({})", folder.display())));
            }
            Ok(_) => {}
        }
    }
    problems
}

fn hash_of_zip(zip: &std::path::Path) -> Result<String, String> {
    let file =
        std::fs::File::open(zip).map_err(|error| format!("open {}: {}", zip.display(), words(&error)))?;
    let length = file.metadata().map_err(|error| words(&error))?.len();
    let archive = Archive::open(&file, length).map_err(|error| error.to_string())?;
    hash_zip(&archive).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}
