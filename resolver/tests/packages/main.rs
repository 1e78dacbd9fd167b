//! Random universes with packages: `mod tidy`, `mod why`, `mod vendor`, `get` and `work sync` by us and by
//! the real go command.
//!
//! What is said, the go.mod and the lines of go.sum left behind, and vendor/modules.txt. A universe that differs is
//! printed; its number and `MODKEEP_SEED` bring it back.

mod ask;
mod generate;
mod tell;
mod zip;

use std::collections::BTreeSet;
use std::path::Path;

use generate::{Module, Universe};
use modkeep_conformance::go::Go;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, skip, tell as say};
use tell::Start;
use tempfile::TempDir;

/// What a command says and leaves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    /// The messages, in no order: go loads packages side by side.
    pub(crate) stderr: BTreeSet<String>,
    pub(crate) go_mod: String,
    /// What the lines of go.sum are about.
    pub(crate) sums: BTreeSet<String>,
    pub(crate) vendored: Option<String>,
}

#[test]
fn every_universe_of_packages_is_loaded_as_go_loads_it() {
    let test = "every_universe_of_packages_is_loaded_as_go_loads_it";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let count = if full_run() { 1_000 } else { 24 };
    let mut dice = Dice::of(test);
    let mut differences = Vec::new();
    let mut succeeded = 0;
    for number in 0..count {
        let universe = Universe::throw(&mut dice);
        differences.extend(difference(&go, number, &universe, &mut succeeded));
    }
    say(&format!(
        "universes with packages: {} of {count} as go; {succeeded} commands succeeded",
        count - differences.len()
    ));
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(succeeded > count, "universes in which hardly anything succeeds show nothing");
}

fn difference(go: &Go, number: usize, universe: &Universe, succeeded: &mut usize) -> Option<String> {
    let folder = TempDir::with_prefix("packages-").expect("a folder for the universe");
    build(folder.path(), universe);
    let plain = folder.path().to_str().expect("temporary folders have plain names");
    for command in &universe.commands {
        let mut start = Start { go_mod: universe.main.go_mod.clone(), go_sum: None };
        if let Some(second) = universe.second.as_ref().filter(|_| command[0] == "work") {
            put(&folder.path().join("m2/go.mod"), second.go_mod.as_bytes());
            put(&folder.path().join("go.work"), tell::WORKSPACE.as_bytes());
        }
        if command.contains(&"vendor".to_owned()) {
            // What is vendored has to be tidy.
            let tidy = ask_go(go, folder.path(), &start, &["mod".to_owned(), "tidy".to_owned()])?;
            let go_sum = std::fs::read_to_string(folder.path().join("m/go.sum")).unwrap_or_default();
            start = Start { go_mod: tidy.go_mod, go_sum: Some(go_sum) };
        }
        let Some(theirs) = ask_go(go, folder.path(), &start, command) else { continue };
        let ours = ask::us(universe, plain, &start, command);
        *succeeded += usize::from(theirs.succeeded);
        // After a `get`, go.sum depends on all that was read on the way; what only looks leaves it as it is.
        let changes_sums = matches!(command[1].as_str(), "tidy");
        let theirs = if changes_sums { theirs } else { Outcome { sums: BTreeSet::new(), ..theirs } };
        let ours = if changes_sums { ours } else { Outcome { sums: BTreeSet::new(), ..ours } };
        if ours != theirs {
            return Some(format!(
                "\nuniverse {number} {command:?}\n--- go\n{theirs:#?}\n--- we\n{ours:#?}\n{}",
                shown(universe)
            ));
        }
    }
    None
}

fn shown(universe: &Universe) -> String {
    let module = |name: String, module: &Module| {
        let directory = |(directory, files): (&String, &Vec<generate::File>)| {
            let files: Vec<_> =
                files.iter().map(|file| format!("{} {:?}", file.name, file.imports)).collect();
            format!("    {directory}: {}\n", files.join("; "))
        };
        let tree: String = module.tree.iter().map(directory).collect();
        format!("## {name}\n{}{tree}", module.go_mod)
    };
    let mut text = module("main".to_owned(), &universe.main);
    text.extend(universe.second.iter().map(|second| module("second".to_owned(), second)));
    for (name, directory) in &universe.directories {
        text.push_str(&module(name.clone(), directory));
    }
    for ((path, version), one) in &universe.registry {
        text.push_str(&module(format!("{path}@{version}"), one));
    }
    text
}

fn build(folder: &Path, universe: &Universe) {
    for (name, content) in universe.main.files() {
        put(&folder.join("m").join(name), content.as_bytes());
    }
    for (name, module) in &universe.directories {
        for (file, content) in module.files() {
            put(&folder.join(name).join(file), content.as_bytes());
        }
    }
    for (name, content) in universe.second.iter().flat_map(|second| second.files()) {
        put(&folder.join("m2").join(name), content.as_bytes());
    }
    for ((path, version), module) in &universe.registry {
        let at = folder.join("px").join(path).join("@v");
        put(&at.join(format!("{version}.mod")), module.go_mod.as_bytes());
        let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2020-01-01T00:00:00Z\"}}");
        put(&at.join(format!("{version}.info")), info.as_bytes());
        put(&at.join(format!("{version}.zip")), &zip::of(path, version, &module.files()));
        let versions = universe.registry.keys().filter(|(other, _)| other == path);
        let list: String = versions.map(|(_, version)| format!("{version}\n")).collect();
        put(&at.join("list"), list.as_bytes());
    }
}

fn put(file: &Path, content: &[u8]) {
    std::fs::create_dir_all(file.parent().expect("files stand in folders"))
        .expect("a folder of the test's own");
    #[allow(clippy::disallowed_methods, reason = "a file of the test's own")]
    std::fs::write(file, content).expect("a file of the test's own");
}

/// What go says and leaves; `None` where it fails itself.
fn ask_go(go: &Go, folder: &Path, start: &Start, arguments: &[String]) -> Option<Outcome> {
    let main = folder.join("m");
    put(&main.join("go.mod"), start.go_mod.as_bytes());
    put(&main.join("go.sum"), start.go_sum.as_deref().unwrap_or_default().as_bytes());
    if main.join("vendor").exists() {
        std::fs::remove_dir_all(main.join("vendor")).expect("a folder of the test's own");
    }
    // A go command of this release can wait for itself for ever.
    let mut command = go.command_of(Path::new("timeout"));
    command.arg("20").arg(go.tool()).current_dir(&main).args(arguments);
    command.env("GOPROXY", format!("file://{}/px", folder.display())).env("GOSUMDB", "off");
    command.env("GOPATH", folder.join("gopath")).env("GOFLAGS", "-modcacherw -mod=mod").env("GOWORK", "off");
    let is_workspace = arguments[0] == "work";
    if is_workspace {
        command.env("GOWORK", folder.join("go.work")).env("GOFLAGS", "-modcacherw");
    }
    command.env("GOOS", "linux").env("GOARCH", "amd64");
    let output = command.output().expect("go runs");
    if output.status.code() == Some(124) {
        return None;
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("go prints text");
    let left = |name: &str| std::fs::read_to_string(main.join(name)).ok();
    let sums = left("go.sum").unwrap_or_default();
    let lines = sums.lines().filter_map(|line| line.rsplit_once(' '));
    let outcome = Outcome {
        succeeded: output.status.success(),
        stdout: text(output.stdout),
        // The standard library stands in `/src`, as far as we know.
        stderr: messages(&text(output.stderr).replace(go.root().to_str().expect("a plain name"), "")),
        go_mod: left("go.mod").expect("go leaves a go.mod")
            + &left(if is_workspace { "../m2/go.mod" } else { "none" }).unwrap_or_default(),
        sums: lines.map(|(subject, _)| subject.to_owned()).collect(),
        vendored: left("vendor/modules.txt"),
    };
    // Nor can a panic of its be told apart from what it would have said.
    let has_panicked = outcome.stderr.iter().any(|message| message.contains("panic: "));
    if has_panicked { None } else { Some(outcome) }
}

/// Messages with the lines that continue them; what tells of downloads is left out.
pub(crate) fn messages(stderr: &str) -> BTreeSet<String> {
    let mut messages: Vec<String> = Vec::new();
    for line in stderr.lines().filter(|line| !line.starts_with("go: downloading ")) {
        match messages.last_mut() {
            Some(last) if !line.starts_with("go: ") && !line.starts_with("unused ") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => messages.push(line.to_owned()),
        }
    }
    messages.into_iter().collect()
}
