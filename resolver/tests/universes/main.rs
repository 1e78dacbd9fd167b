//! Random universes of modules, resolved by us and by the real go command: the same output, the same files left.
//!
//! `list -m all`, `mod graph` with the order of its lines, errors with their paths, and the bytes of the go.mod left
//! behind. A universe that differs is printed; its number and `MODKEEP_SEED` bring it back.
//!
//! What must make this test fail: the mutations of `resolver/tests/mutations.sh`.

mod generate;
mod tell;
mod zip;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use generate::Universe;
use modkeep_conformance::go::Go;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, skip, tell as say};
use modkeep_resolver::edit::Edit;
use modkeep_resolver::error::{DirtyReason, Error, ModuleError};
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::query::{Allowed, Query, QueryError, is_revision_query};
use modkeep_resolver::requirements::{Expanded, Load};
use modkeep_resolver::world::{Mode, Pruning, World};
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
    /// What the lines of go.sum are about, when `list -m all` succeeds outside of a workspace.
    sums: Vec<String>,
    /// The answers to the questions of a universe, errors among them.
    answers: Vec<String>,
    /// The go.mod that `get` leaves behind; nothing when it fails.
    got: Option<String>,
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
    let differing = |from: usize, universes: &[Universe]| -> Vec<String> {
        let numbered = universes.iter().enumerate().map(|(at, universe)| (from + at, universe));
        numbered.filter_map(|(number, universe)| difference(&go, number, universe)).collect()
    };
    let differences = std::thread::scope(|scope| {
        let other = scope.spawn(|| differing(count / 2, second));
        let mut differences = differing(0, first);
        differences.extend(other.join().expect("the other half runs to its end"));
        differences
    });
    say(&format!("universes: {} of {count} as go", count - differences.len()));
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// What differs in a universe, and the universe.
fn difference(go: &Go, number: usize, universe: &Universe) -> Option<String> {
    let folder = TempDir::with_prefix("universe-").expect("a folder for the universe");
    for (name, content) in &universe.files {
        put(&folder.path().join(name), content.as_bytes());
    }
    // What replaces a wanted version may be any other.
    for (path, _) in &universe.wanted {
        for version in &universe.versions {
            let name = format!("px/{path}/@v/{version}");
            if universe.files.contains_key(&format!("{name}.mod")) {
                put(&folder.path().join(format!("{name}.zip")), &zip::without_packages(path, version));
            }
        }
    }
    let theirs = ask_go(go, folder.path(), universe);
    let ours = ask_us(universe, folder.path().to_str().expect("temporary folders have plain names"));
    if ours == theirs {
        return None;
    }
    let files: BTreeMap<_, _> = universe.files.iter().filter(|(name, _)| !name.ends_with(".info")).collect();
    let Universe { questions, wanted, .. } = universe;
    Some(format!(
        "\nuniverse {number}\n--- go\n{theirs:#?}\n--- we\n{ours:#?}\n--- files\n{files:#?}\n{questions:?}\n{wanted:?}"
    ))
}

fn put(file: &Path, content: &[u8]) {
    std::fs::create_dir_all(file.parent().expect("files stand in folders"))
        .expect("a folder of the test's own");
    #[allow(clippy::disallowed_methods, reason = "a file of the test's own")]
    std::fs::write(file, content).expect("a file of the test's own");
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
    let file = folder.join(&universe.mains[0]).join("go.mod");
    outcome.go_mod = left(&file);
    if succeeded && !universe.is_workspace {
        let sums = std::fs::read_to_string(file.with_file_name("go.sum")).unwrap_or_default();
        let lines = sums.lines().filter_map(|line| line.rsplit_once(' '));
        outcome.sums = lines.map(|(subject, _)| subject.to_owned()).collect();
        outcome.sums.sort();
    }
    put(&file, universe.files["m0/go.mod"].as_bytes());
    let questions: Vec<_> =
        universe.questions.iter().map(|(path, query)| format!("{path}@{query}")).collect();
    let template = "{{.Path}} {{.Version}} {{with .Error}}{{.Err}}{{end}}";
    let mut arguments = vec!["list", "-m", "-e", "-f", template];
    arguments.extend(questions.iter().map(String::as_str));
    let (stdout, _, succeeded) = command(&arguments, true);
    outcome.answers = if succeeded { stdout.lines().map(str::to_owned).collect() } else { Vec::new() };
    put(&file, universe.files["m0/go.mod"].as_bytes());
    if !universe.is_workspace && !universe.wanted.is_empty() {
        let wanted: Vec<_> =
            universe.wanted.iter().map(|(path, version)| format!("{path}@{version}")).collect();
        let mut arguments = vec!["get"];
        arguments.extend(wanted.iter().map(String::as_str));
        let (_, _, succeeded) = command(&arguments, true);
        outcome.got = succeeded.then(|| left(&file));
    }
    outcome
}

fn left(file: &Path) -> String {
    std::fs::read_to_string(file).expect("go leaves a go.mod")
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
            if !universe.is_workspace {
                // Only what was read has a hash: no zip, no go.mod that can't be had.
                let kept = world.kept_sums(&requirements, None, true).expect("the graph is known");
                let is_read = |node: &&Node| {
                    let version = node.version.strip_suffix("/go.mod");
                    let file = version.map(|version| format!("px/{}/@v/{version}.mod", node.path));
                    file.is_some_and(|file| universe.files.contains_key(&file))
                };
                let kept = kept.iter().filter(is_read).map(|node| format!("{} {}", node.path, node.version));
                outcome.sums = kept.collect();
                outcome.sums.sort();
            }
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
    outcome.answers = answers(universe, folder, &mut world);
    if !universe.is_workspace && !universe.wanted.is_empty() {
        outcome.got = got(universe, folder);
    }
    outcome
}

/// What `list -m -e` answers; nothing if the graph that it needs can't be had.
fn answers(universe: &Universe, folder: &str, world: &mut World) -> Vec<String> {
    let Ok(loaded) = tell::resolve(universe, folder, world, |world| world.load(&Load::default())) else {
        return Vec::new();
    };
    let needs_graph = universe.questions.iter().any(|(path, query)| {
        let path = world.path(path);
        let is_root = loaded.root(world, path).is_some();
        matches!(query.as_str(), "upgrade" | "patch") && (!is_root || loaded.pruning() == Pruning::Unpruned)
    });
    let expanded = needs_graph.then(|| {
        tell::resolve(universe, folder, world, |world| world.expand(&loaded)).expect("needs are met")
    });
    let questions = universe.questions.iter().filter_map(|(path, text)| {
        let id = world.path(path);
        let current = match &expanded {
            Some(expanded) => expanded.graph.selected(id).map_or("none", |node| world.nodes().version(node)),
            None => loaded.root(world, id).map_or("", |node| world.nodes().version(node)),
        };
        let current = current.to_owned();
        let is_broken = expanded.as_ref().is_some_and(|expanded| expanded.error.is_some());
        if current == "none" && is_broken && matches!(text.as_str(), "upgrade" | "patch") {
            // Nobody knows what it would be an upgrade from.
            return None;
        }
        let is_free = is_revision_query(path, text);
        let allowed = if is_free { Allowed::Everything } else { Allowed::NotRetracted };
        let query = Query { path, query: text, current: &current, allowed };
        Some(match tell::resolve(universe, folder, world, |world| world.query(&query)) {
            Ok(revision) => format!("{path} {} ", revision.version),
            Err(error) => match *error {
                Error::Query(error @ QueryError::NoMatch { .. }) => {
                    format!("{path} {text} module {path}: {error}")
                }
                Error::Module(error @ ModuleError { module: Some(_), .. }) => {
                    format!("{path} {text} {error}")
                }
                error => format!("{path} {text} {path}@{text}: {error}"),
            },
        })
    });
    questions.collect()
}

/// The go.mod that `get` leaves behind.
fn got(universe: &Universe, folder: &str) -> Option<String> {
    let mut world = tell::world(universe, folder, Mode::Mod).ok()?;
    let edited = tell::resolve(universe, folder, &mut world, |world| {
        let loaded = world.load(&Load::default())?;
        let Expanded { requirements, error, .. } = world.expand(&loaded)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        let mut select = Vec::new();
        for (path, version) in &universe.wanted {
            let query = Query { path, query: version, current: "", allowed: Allowed::NotExcluded };
            if version != "none" {
                world.query(&query)?;
            }
            select.push(world.id(path, version));
        }
        world.edit(&requirements, &Edit { select, ..Edit::default() })
    });
    let (edited, _) = edited.ok()?;
    let change = Change { sets_go: true, is_get: true, ..Change::default() };
    let written = world.written(&edited, &change).ok()??;
    let before = || universe.files["m0/go.mod"].clone().into_bytes();
    let after = if written.is_dirty { written.after } else { before() };
    String::from_utf8(after).ok()
}

/// A line of `list -m all`; `go` and `toolchain` have none.
fn line(world: &World, node: NodeId) -> Option<String> {
    let node = world.nodes().node(node);
    let words = |node: &Node| node.to_string().replace('@', " ");
    let replacement = world.main.replacement(node).map(|new| format!(" => {}", words(&new)));
    let is_module = !modkeep_resolver::order::is_toolchain(&node.path);
    is_module.then(|| format!("{}{}\n", words(node), replacement.unwrap_or_default()))
}
