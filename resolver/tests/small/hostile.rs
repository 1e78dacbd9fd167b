//! Files that nobody should write: an answer or an error, but neither a panic nor a resolution without end.

use modkeep_harness::dice::{Dice, cases};
use modkeep_module::GoMod;
use modkeep_resolver::error::{Fault, Halt, ModuleError};
use modkeep_resolver::known::Need;
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::node::Node;
use modkeep_resolver::requirements::Load;
use modkeep_resolver::world::{LocalGo, Mode, World};

/// The build list's length, or the error.
fn list(main: &str, go_mod: impl Fn(&Node) -> Option<String>) -> Result<usize, String> {
    let file = GoMod::parse("go.mod", main.as_bytes()).map_err(|error| error.to_string())?;
    let main = MainModule { file, was_fixed: false, directory: "/m".to_owned(), shown: ".".to_owned() };
    let local = LocalGo { version: "1.27.3".to_owned(), explain: String::new() };
    let mut world = World::new(vec![main], None, Mode::Mod, local).map_err(|error| error.to_string())?;
    let mut told = 0;
    loop {
        let expanded = world.attempt(|world| {
            let requirements = world.load(&Load::default())?;
            world.expand(&requirements)
        });
        let needs = match expanded {
            Ok(expanded) => {
                let length = expanded.graph.build_list(world.nodes()).len();
                return expanded.error.map_or(Ok(length), |error| Err(error.to_string()));
            }
            Err(Halt::Error(error)) => return Err(error.to_string()),
            Err(Halt::Need(needs)) => needs,
        };
        told += needs.len();
        assert!(told < 1_000_000, "asks without end");
        for need in needs {
            let Need::GoMod(node) = need else { panic!("a graph needs only go.mod files: {need:?}") };
            let missing = || ModuleError::of_source(node.clone(), "not found", Fault::NotExist);
            let text = go_mod(&node).ok_or_else(missing);
            world.known.tell_go_mod(
                &node,
                "go.mod",
                text.as_ref().map(String::as_bytes).map_err(Clone::clone),
            );
        }
    }
}

fn plain(node: &Node) -> String {
    format!("module {}\n", node.path)
}

#[test]
fn a_hundred_thousand_requirements_are_many_but_not_too_many() {
    for go in ["1.16", "1.21"] {
        let requires = (0..100_000).map(|number| format!("\tex.com/m{number} v1.0.0\n"));
        let main = format!("module ex.com/m\ngo {go}\nrequire (\n{})\n", requires.collect::<String>());
        let length = list(&main, |node| Some(plain(node)));
        assert!(length.is_ok_and(|length| length > 100_000), "go {go}");
    }
}

#[test]
fn a_chain_is_followed_however_long_it_is() {
    let next = |node: &Node| {
        let number: usize = node.path.strip_prefix("ex.com/m")?.parse().ok()?;
        let rest =
            if number < 3_000 { format!("require ex.com/m{} v1.0.0\n", number + 1) } else { String::new() };
        Some(plain(node) + &rest)
    };
    let main = "module ex.com/m\ngo 1.16\nrequire ex.com/m0 v1.0.0\n";
    assert_eq!(list(main, next), Ok(3_003));
}

#[test]
fn circles_end() {
    let next = |node: &Node| {
        let other = if &*node.path == "ex.com/a" { "ex.com/b" } else { "ex.com/a" };
        Some(format!(
            "{}require {other} v1.0.0\nrequire {} {}\nrequire ex.com/m v1.0.0\n",
            plain(node),
            node.path,
            node.version
        ))
    };
    for go in ["1.13", "1.17", "1.24"] {
        let main = format!("module ex.com/m\ngo {go}\nrequire ex.com/a v1.0.0\nrequire ex.com/m v0.1.0\n");
        assert!(list(&main, next).is_ok_and(|length| length >= 3), "go {go}");
    }
}

#[test]
fn versions_of_any_length_are_compared() {
    let long = "9".repeat(5_000);
    let main = format!("module ex.com/m\ngo 1.16\nrequire ex.com/a v0.{long}.0\nrequire ex.com/b v1.0.0\n");
    let next = |node: &Node| match &*node.path {
        "ex.com/b" => Some(format!("module ex.com/b\nrequire ex.com/a v0.{long}9.0\n")),
        _ => Some(plain(node)),
    };
    assert_eq!(list(&main, next), Ok(4));
}

#[test]
fn what_can_not_be_read_is_an_error_with_the_way_to_it() {
    for (text, want) in [
        ("module ex.com/other\n", "module declares its path as: ex.com/other"),
        ("", "missing module line"),
        ("module ex.com/a\nrequire ex.com/b master\n", "must be of the form v1.2.3"),
        ("module ex.com/a\nrequire ex.com/b v2.0.0\n", "should be v0 or v1, not v2"),
        ("module ex.com/a\nrequire (\n", "parsing go.mod"),
        ("module ex.com/a\0\n", "parsing go.mod"),
        ("module ex.com/a\ngo 1.999\n", "requires go >= 1.999"),
        ("module \"ex.com/a\n", "parsing go.mod"),
    ] {
        let main = "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\n";
        let error = list(main, |_| Some(text.to_owned())).expect_err(text);
        assert!(error.contains(want), "{text:?}: {error}");
    }
}

#[test]
fn lines_may_end_anyhow() {
    for text in ["module ex.com/a\r\nrequire ex.com/b v1.0.0\r\n", "module ex.com/a\nrequire ex.com/b v1.0.0"]
    {
        let next = |node: &Node| Some(if &*node.path == "ex.com/a" { text.to_owned() } else { plain(node) });
        assert_eq!(list("module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\n", next), Ok(4), "{text:?}");
    }
}

#[test]
fn spoiled_files_give_an_answer_or_an_error() {
    const PIECES: [&str; 16] = [
        "(",
        ")",
        "\n",
        "require",
        "go 1.17\n",
        "v1.0.0",
        "v0",
        "none",
        "// indirect",
        "\"",
        "`",
        "ex.com/a",
        "exclude",
        "replace",
        "=>",
        "\0",
    ];
    let mut dice = Dice::of("spoiled_files_give_an_answer_or_an_error");
    let main = "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\nexclude ex.com/b v1.1.0\nreplace ex.com/c => ex.com/b v1.0.0\n";
    let other = "module ex.com/a\ngo 1.21\nrequire (\n\tex.com/b v1.1.0\n\tex.com/c v1.0.0 // indirect\n)\n";
    let mut answered = 0;
    for _ in 0..cases() {
        let (main, other) = (dice.spoil(main, &PIECES), dice.spoil(other, &PIECES));
        answered += usize::from(
            list(&main, |node| match &*node.path {
                "ex.com/a" => Some(other.clone()),
                _ => Some(plain(node)),
            })
            .is_ok(),
        );
    }
    assert!(answered > 0, "files that are all wrong show nothing");
}
