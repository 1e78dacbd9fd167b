//! Random universes with packages: `mod tidy`, `mod why`, `mod vendor`, `get` and `work sync` by us and by
//! the real go command.
//!
//! What is said, the go.mod and the lines of go.sum left behind, and vendor/modules.txt. A universe that differs is
//! printed; its number and `MODKEEP_SEED` bring it back: `MODKEEP_UNIVERSES=47..48`. Go's side is a resident go command,
//! and for some of the universes the program itself, which must say the same.

mod ask;
mod chosen;
mod generate;
mod tell;
mod zip;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use generate::{Module, Universe};
use modkeep_harness::place::{quick_folder, skip, tell as say};
use modkeep_harness::resident::{Call, Resident, Said};
use modkeep_harness::universes::{compare, numbers};
use tell::Start;

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

/// In one of so many universes the program itself is asked too.
const CONFIRMED: usize = 10;

#[test]
fn every_universe_of_packages_is_loaded_as_go_loads_it() {
    let test = "every_universe_of_packages_is_loaded_as_go_loads_it";
    let succeeded = AtomicUsize::new(0);
    let compared = compare(test, numbers(80, 1_000), |go, number, dice| {
        let universe = Universe::throw(dice);
        difference(go, number.is_multiple_of(CONFIRMED), &universe, &succeeded)
    });
    match compared {
        Ok(compared) => {
            let succeeded = succeeded.into_inner();
            say(&format!("universes with packages: {succeeded} commands succeeded"));
            compared.expect_none("universes with packages");
            assert!(succeeded > compared.count, "universes in which hardly anything succeeds show nothing");
        }
        Err(missing) => skip(test, &missing),
    }
}

#[test]
fn what_chance_hardly_throws_is_loaded_as_go_loads_it() {
    let test = "what_chance_hardly_throws_is_loaded_as_go_loads_it";
    let universes = chosen::universes();
    let succeeded: Vec<AtomicUsize> = universes.iter().map(|_| AtomicUsize::default()).collect();
    let compared = compare(test, 0..universes.len(), |go, number, _| {
        difference(go, true, &universes[number], &succeeded[number])
    });
    match compared {
        Ok(compared) => {
            compared.expect_none("chosen universes with packages");
            let shows = |succeeded: AtomicUsize| succeeded.into_inner() > 0;
            assert!(succeeded.into_iter().all(shows), "where nothing succeeds nothing is shown");
        }
        Err(missing) => skip(test, &missing),
    }
}

fn difference(
    go: &mut Resident,
    is_confirmed: bool,
    universe: &Universe,
    succeeded: &AtomicUsize,
) -> Option<String> {
    let folder = quick_folder("packages-");
    build(folder.path(), universe);
    let plain = folder.path().to_str().expect("temporary folders have plain names");
    for command in &universe.commands {
        let mut start = Start { go_mod: universe.main.go_mod.clone(), go_sum: None };
        if command.contains(&"vendor".to_owned()) {
            // What is vendored has to be tidy.
            let tidy = ["mod".to_owned(), "tidy".to_owned()];
            let Some(tidy) = theirs(go, folder.path(), universe, &start, &tidy) else { continue };
            let go_sum = std::fs::read_to_string(folder.path().join("m/go.sum")).unwrap_or_default();
            start = Start { go_mod: tidy.go_mod, go_sum: Some(go_sum) };
        }
        let theirs = theirs(go, folder.path(), universe, &start, command);
        if is_confirmed {
            let confirmed =
                ask_go(go.root(), folder.path(), universe, &start, command, |call| go.confirm(call));
            if theirs != confirmed {
                return Some(format!("{command:?}\n--- resident go\n{theirs:#?}\n--- go\n{confirmed:#?}"));
            }
        }
        let Some(theirs) = theirs else { continue };
        let ours = ask::us(universe, plain, &start, command);
        succeeded.fetch_add(usize::from(theirs.succeeded), Ordering::Relaxed);
        // After a `get`, go.sum depends on all that was read on the way; what only looks leaves it as it is.
        let changes_sums = matches!(command[1].as_str(), "tidy");
        let theirs = if changes_sums { theirs } else { Outcome { sums: BTreeSet::new(), ..theirs } };
        let ours = if changes_sums { ours } else { Outcome { sums: BTreeSet::new(), ..ours } };
        if ours != theirs {
            return Some(format!("{command:?}\n--- go\n{theirs:#?}\n--- we\n{ours:#?}\n{}", shown(universe)));
        }
    }
    None
}

fn theirs(
    go: &mut Resident,
    folder: &Path,
    universe: &Universe,
    start: &Start,
    command: &[String],
) -> Option<Outcome> {
    let root = go.root().to_owned();
    ask_go(&root, folder, universe, start, command, |call| go.ask(call))
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
fn ask_go(
    root: &Path,
    folder: &Path,
    universe: &Universe,
    start: &Start,
    arguments: &[String],
    ask: impl FnOnce(&Call<'_>) -> Option<Said>,
) -> Option<Outcome> {
    let main = folder.join("m");
    put(&main.join("go.mod"), start.go_mod.as_bytes());
    put(&main.join("go.sum"), start.go_sum.as_deref().unwrap_or_default().as_bytes());
    if main.join("vendor").exists() {
        std::fs::remove_dir_all(main.join("vendor")).expect("a folder of the test's own");
    }
    let (gopath, workspace) = (folder.join("gopath"), folder.join("go.work"));
    let is_workspace = arguments[0] == "work";
    if let Some(second) = universe.second.as_ref().filter(|_| is_workspace) {
        put(&folder.join("m2/go.mod"), second.go_mod.as_bytes());
        put(&workspace, tell::WORKSPACE.as_bytes());
    }
    let said = ask(&Call {
        folder: &main,
        gopath: &gopath,
        goproxy: &format!("file://{}/px", folder.display()),
        gowork: if is_workspace { workspace.to_str()? } else { "off" },
        goflags: if is_workspace { "-modcacherw" } else { "-modcacherw -mod=mod" },
        arguments: arguments.iter().map(String::as_str).collect(),
    })?;
    let left = |name: &str| std::fs::read_to_string(main.join(name)).ok();
    let sums = left("go.sum").unwrap_or_default();
    let lines = sums.lines().filter_map(|line| line.rsplit_once(' '));
    Some(Outcome {
        succeeded: said.succeeded,
        stdout: said.stdout,
        // The standard library stands in `/src`, as far as we know.
        stderr: messages(&said.stderr.replace(root.to_str().expect("a plain name"), "")),
        go_mod: left("go.mod").expect("go leaves a go.mod")
            + &left(if is_workspace { "../m2/go.mod" } else { "none" }).unwrap_or_default(),
        sums: lines.map(|(subject, _)| subject.to_owned()).collect(),
        vendored: left("vendor/modules.txt"),
    })
}

/// Messages with the lines that continue them; what tells of downloads is left out.
pub(crate) fn messages(stderr: &str) -> BTreeSet<String> {
    let mut messages: Vec<String> = Vec::new();
    let told = stderr.lines().filter(|line| !line.starts_with("go: downloading "));
    let mut lines = told.peekable();
    while let Some(line) = lines.next() {
        let begins_internal_error =
            line.is_empty() && lines.peek().is_some_and(|next| next.starts_with("go: internal error: "));
        match messages.last_mut() {
            _ if begins_internal_error => {
                messages.push(format!("\n{}", lines.next().unwrap_or_default()));
            }
            Some(last) if !line.starts_with("go: ") && !line.starts_with("unused ") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => messages.push(line.to_owned()),
        }
    }
    messages.into_iter().collect()
}
