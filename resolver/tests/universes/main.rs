//! Random universes of modules, resolved by us and by the real go command: the same output, the same files left.
//!
//! `list -m all`, `mod graph` with the order of its lines, errors with their paths, and the bytes of the go.mod left
//! behind. A universe that differs is printed; its number and `MODKEEP_SEED` bring it back.
//!
//! What must make this test fail, checked by hand at times: pruning from 1.18 on; the edge to `go` from 1.23 on; the
//! inherited unpruned context lost; excludes ignored; `minimal_requirements` walking forwards; 1.21 equal to 1.21.0; the
//! edge to `go` first; wildcard replacements before exact ones; the workspace's reloading left out; roots not raised;
//! the indirect mark of a raised root lost.

mod generate;
mod tell;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use generate::Universe;
use modkeep_harness::dice::Dice;
use modkeep_harness::go::Go;
use modkeep_harness::place::{full_run, skip, tell as say};
use modkeep_resolver::error::DirtyReason;
use modkeep_resolver::requirements::{Expanded, Load};
use modkeep_resolver::world::{Mode, World};
use modkeep_resolver::written::Change;
use tempfile::TempDir;

/// What a command prints and how it ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    graph: String,
    list: String,
    /// The end of what is said on stderr, by `mod graph` and by `list -m all`.
    errors: [String; 2],
    go_mod: String,
}

#[test]
fn every_universe_resolves_as_go_resolves_it() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("every_universe_resolves_as_go_resolves_it", &missing),
    };
    let count = if full_run() { 10_000 } else { 300 };
    let mut dice = Dice::of("every_universe_resolves_as_go_resolves_it");
    let universes: Vec<_> = (0..count).map(|_| Universe::throw(&mut dice)).collect();
    let (first, second) = universes.split_at(count / 2);
    let differing = |from: usize, universes: &[Universe]| -> Vec<usize> {
        let numbered = universes.iter().enumerate().map(|(at, universe)| (from + at, universe));
        numbered
            .filter(|(number, universe)| differs(&go, *number, universe))
            .map(|(number, _)| number)
            .collect()
    };
    let differences = std::thread::scope(|scope| {
        let other = scope.spawn(|| differing(count / 2, second));
        let mut differences = differing(0, first);
        differences.extend(other.join().expect("the other half runs to its end"));
        differences
    });
    say(&format!("universes: {} of {count} as go", count - differences.len()));
    assert!(differences.is_empty(), "universes that differ: {differences:?}");
}

fn differs(go: &Go, number: usize, universe: &Universe) -> bool {
    let folder = TempDir::with_prefix("universe-").expect("a folder for the universe");
    for (name, content) in &universe.files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("files stand in folders")).unwrap();
        #[allow(clippy::disallowed_methods, reason = "a file of the test's own")]
        std::fs::write(file, content).unwrap();
    }
    let theirs = ask_go(go, folder.path(), universe);
    let ours = ask_us(universe, folder.path().to_str().expect("temporary folders have plain names"));
    if ours == theirs {
        return false;
    }
    let without_registry: BTreeMap<_, _> =
        universe.files.iter().filter(|(name, _)| !name.ends_with(".info")).collect();
    println!("universe {number}\n--- go\n{theirs:#?}\n--- we\n{ours:#?}\n--- files\n{without_registry:#?}");
    true
}

fn ask_go(go: &Go, folder: &Path, universe: &Universe) -> Outcome {
    let command = |arguments: &[&str], is_changing: bool| {
        let mut command: Command = go.command();
        command.current_dir(folder.join(&universe.mains[0])).args(arguments);
        command.env("GOPROXY", format!("file://{}/px", folder.display())).env("GOSUMDB", "off");
        command.env("GOPATH", folder.join("gopath")).env("GOFLAGS", "-modcacherw");
        if universe.is_workspace {
            command.env("GOWORK", folder.join("go.work"));
        } else if is_changing {
            command.env("GOFLAGS", "-modcacherw -mod=mod");
        }
        let output = command.output().expect("go runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("go prints text");
        (text(output.stdout), text(output.stderr), output.status.success())
    };
    let mut outcome = Outcome::default();
    let (stdout, stderr, succeeded) = command(&["mod", "graph"], false);
    (outcome.graph, outcome.errors[0]) =
        (stdout, if succeeded { String::new() } else { last_error(&stderr) });
    let (stdout, stderr, succeeded) = command(&["list", "-m", "all"], true);
    // Of a graph with an error, go prints what it has, and an error for every module without .info.
    outcome.list = if succeeded { stdout } else { String::new() };
    outcome.errors[1] = if succeeded { String::new() } else { last_error(&stderr) };
    outcome.go_mod = std::fs::read_to_string(folder.join(&universe.mains[0]).join("go.mod")).unwrap();
    outcome
}

/// The last message on stderr, with the lines that continue it.
fn last_error(stderr: &str) -> String {
    let at = stderr.rfind("\ngo: ").map_or(0, |at| at + 1);
    without_names(&stderr[at..])
}

/// Of contradicting replacements, go tells every time it meets them, in no fixed order.
fn without_names(error: &str) -> String {
    match error.split_once(" found for ") {
        Some((beginning, _)) => beginning.to_owned(),
        None => error.to_owned(),
    }
}

fn ask_us(universe: &Universe, folder: &str) -> Outcome {
    let mut outcome = Outcome { go_mod: universe.files["m0/go.mod"].clone(), ..Outcome::default() };
    let message = |error: &dyn std::fmt::Display| format!("go: {error}\n");
    let mut world = match tell::world(universe, folder, Mode::Mod) {
        Ok(world) => world,
        Err(error) => {
            outcome.errors = [message(&error), message(&error)];
            return outcome;
        }
    };
    if let Some(error) = world.main.too_new_for_workspace().last() {
        outcome.errors = [message(error), message(error)];
        return outcome;
    }
    match tell::resolve(universe, folder, &mut world, |world| world.module_graph(None)) {
        Ok(graph) => {
            let nodes = world.nodes();
            let edges = graph.edges(nodes).into_iter();
            outcome.graph = edges.map(|(a, b)| format!("{} {}\n", nodes.node(a), nodes.node(b))).collect();
        }
        Err(error) => outcome.errors[0] = message(&error),
    }
    if let Some(fault) = world.faults.last() {
        outcome.errors = [without_names(fault), without_names(fault)];
        return outcome;
    }
    let mode = if universe.is_workspace { Mode::Readonly(DirtyReason::default()) } else { Mode::Mod };
    let mut world = tell::world(universe, folder, mode).expect("it was read before");
    let expanded = tell::resolve(universe, folder, &mut world, |world| {
        let requirements = world.load(&Load::default())?;
        world.expand(&requirements)
    });
    match expanded {
        Ok(Expanded { error: Some(error), .. }) => outcome.errors[1] = message(&error),
        Ok(Expanded { requirements, graph, error: None }) => {
            let list = graph.build_list(world.nodes()).iter();
            outcome.list = list.filter_map(|node| line(&world, *node)).collect();
            match world.written(&requirements, &Change::default()) {
                Ok(Some(written)) if written.is_dirty => {
                    outcome.go_mod = String::from_utf8(written.after).expect("go.mod is text");
                }
                Ok(_) => {}
                Err(error) => outcome.errors[1] = message(&error),
            }
        }
        Err(error) => outcome.errors[1] = message(&error),
    }
    outcome
}

/// A line of `list -m all`; `go` and `toolchain` have none.
fn line(world: &World, node: modkeep_resolver::node::NodeId) -> Option<String> {
    let node = world.nodes().node(node);
    let words = |node: &modkeep_resolver::node::Node| node.to_string().replace('@', " ");
    let replacement = world.main.replacement(node).map(|new| format!(" => {}", words(&new)));
    let is_module = !modkeep_resolver::order::is_toolchain(&node.path);
    is_module.then(|| format!("{}{}\n", words(node), replacement.unwrap_or_default()))
}
