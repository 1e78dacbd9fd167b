//! `modkeep work sync`: the versions that a workspace selects, written back to its modules.
//!
//! Source of the rules: `cmd/go/internal/workcmd/sync.go`.

use std::collections::{BTreeMap, HashSet};

use modkeep_resolver::go_version;
use modkeep_resolver::node::Node;
use modkeep_resolver::written::Change;

use super::{file, uses};
use crate::flags::{Usage, module_flags};
use crate::goenv::GoEnv;
use crate::report::Failure;
use crate::session::{Ground, ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage { name: "work sync", line: "go work sync", flags: module_flags![] };

/// Raises the modules of the workspace to what it selects.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    USAGE.parse(words, go.goflags(), |name, value| flags.set(name, value).map(|_| ()))?;
    let path = file::in_force(go)?;
    let wanted = Wanted { verb: "work sync", flags, ..Wanted::default() };
    let mut around = Session::start(go, &wanted)?;
    around.tell_standard(false);
    let versions = around.answer_each(|world| world.versions_to_sync())?;
    let world = &around.world;
    let folders: BTreeMap<String, String> = world
        .main
        .ids()
        .into_iter()
        .filter_map(|id| {
            Some((world.nodes().node(id).path.to_string(), world.main.module(id)?.directory.clone()))
        })
        .collect();
    let mut read: HashSet<Node> = around.world.known.go_mods().cloned().collect();
    let mut changed = Vec::new();
    let mut line = String::new();
    for (main, versions) in &versions {
        let Some(folder) = folders.get(&*main.path) else { continue };
        let mut session = Session::start_on(go, &wanted, Ground::of_module(folder))?;
        session.goes_on_after(&read);
        let loaded = sync(&mut session, versions)?;
        read.extend(session.world.known.go_mods().cloned());
        let go = go_line(&session);
        if go_version::compare(&go, &line).is_gt() {
            line = go;
        }
        if let Some(loaded) = loaded {
            changed.push((session, loaded));
        }
    }
    let twice = Change { lays_out_twice: true, ..Change::default() };
    for (session, loaded) in &mut changed {
        session.commit(&loaded.requirements, &twice, Some(&loaded.sums))?;
    }
    let mut workspace = file::read(go, &path, false).map_err(Failure::go)?;
    file::raise(&mut workspace, &line)?;
    uses::name_modules(go, &mut workspace);
    file::write(&path, &mut workspace)
}

/// The go line of a module; one that has none gets that of the release at hand, though it is only written with others.
fn go_line(session: &Session<'_>) -> String {
    let world = &session.world;
    let line = world.main.module(world.main.first()).and_then(|module| module.file.go());
    line.map_or_else(|| world.local.version.clone(), |line| line.version.clone())
}

fn sync(
    session: &mut Session<'_>,
    versions: &[Node],
) -> Result<Option<modkeep_resolver::packages::Loaded>, Failure> {
    session.tell_standard(false);
    let loaded = session.answer_each(|world| world.sync_module(versions))?;
    if let Some(loaded) = &loaded {
        if let Some(keep) = &loaded.kept_sums {
            session.trim_sums(keep)?;
        }
        let written = session.world.written(&loaded.requirements, &Change::default());
        written.map_err(|error| Failure::go(error.to_string()))?;
    }
    Ok(loaded)
}
