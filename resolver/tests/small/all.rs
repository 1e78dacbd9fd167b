//! What belongs to `all`: with each generation of the go line, other tests count.

use std::sync::Arc;

use modkeep_resolver::error::Halt;
use modkeep_resolver::known::{Directory, Folder, Need, Scan};
use modkeep_resolver::packages::Pattern;
use modkeep_resolver::requirements::Load;

use crate::registry::world;

/// The package in the root of each module: what it imports, and what its tests import.
const PACKAGES: [(&str, &str, &str); 5] = [
    ("ex.com/m", "ex.com/a", "ex.com/t"),
    ("ex.com/a", "", "ex.com/b"),
    ("ex.com/b", "", "ex.com/c"),
    ("ex.com/c", "", ""),
    ("ex.com/t", "", ""),
];

fn folder(path: &str) -> Folder {
    let package = PACKAGES.iter().find(|(package, ..)| *package == path);
    let Some((_, imports, tests)) = package else { return Folder::default() };
    let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let any = Scan { imports: list(imports), test_imports: list(tests), error: None };
    Folder { has_go_files: true, shown: format!("/{path}"), target: any.clone(), any }
}

/// Why the main module, with that go line, needs a package.
fn way(go: &str, package: &str) -> Option<Vec<String>> {
    let requires = ["a", "b", "c", "t"].map(|name| format!("require ex.com/{name} v1.0.0\n")).concat();
    let mut world = world(&format!("module ex.com/m\ngo {go}\n{requires}"));
    let patterns = || vec![Pattern::Path(package.to_owned())];
    loop {
        let answer = world.attempt(|world| {
            let requirements: Arc<_> = world.load(&Load::default())?;
            world.why_packages(&requirements, patterns(), false)
        });
        let needs = match answer {
            Ok(mut reasons) => return reasons.remove(0).way,
            Err(Halt::Error(error)) => panic!("{error}"),
            Err(Halt::Need(needs)) => needs,
        };
        for need in needs {
            match &need {
                Need::GoMod(node) => {
                    let text = format!("module {}\ngo 1.15\n", node.path);
                    world.known.tell_go_mod(node, "go.mod", Ok(text.as_bytes()));
                }
                Need::Folder { module, directory } => {
                    let path = if directory.is_empty() { &*module.path } else { "nothing" };
                    world.known.tell_folder(module, directory, Ok(folder(path)));
                }
                Need::Directories(module) => world.known.tell_directories(
                    module,
                    Ok(vec![Directory { path: String::new(), has_go_files: true }]),
                ),
                Need::Download(module) => world.known.tell_download(module, Ok(())),
                other => panic!("nobody asks a source about named versions: {other:?}"),
            }
        }
    }
}

#[test]
fn before_1_16_the_tests_of_dependencies_count_and_theirs_too() {
    let want = ["ex.com/m", "ex.com/a", "ex.com/a.test", "ex.com/b", "ex.com/b.test", "ex.com/c"];
    assert_eq!(way("1.15", "ex.com/c"), Some(want.map(str::to_owned).into()));
}

#[test]
fn from_1_16_on_the_tests_of_what_only_tests_of_dependencies_import_count_no_more() {
    for go in ["1.16", "1.17", "1.27"] {
        for (package, way_to) in [
            ("ex.com/t", Some(&["ex.com/m", "ex.com/m.test", "ex.com/t"][..])),
            ("ex.com/b", Some(&["ex.com/m", "ex.com/a", "ex.com/a.test", "ex.com/b"])),
            ("ex.com/c", None),
        ] {
            let want = way_to.map(|way| way.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>());
            assert_eq!(way(go, package), want, "go {go}: {package}");
        }
    }
}
