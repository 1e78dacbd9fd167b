//! Universes that chance hardly throws, each for one rule.

use std::collections::BTreeMap;

use crate::generate::{File, Module, Tree, Universe};

/// A path with its version, what the go.mod says behind the module line, and directories with what they import; a
/// directory that ends in `_test` holds the tests of the other.
type Text = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

/// A main module, a registry, and words after `go`.
const CHOSEN: [(Text, &[Text], &[&str]); 2] = [
    // Only the tests of `a` need `b`, which is not looked behind: so what `b` needs has to be a root.
    (
        ("ex.com/m", "go 1.21\nrequire ex.com/a v1.0.0\n", &[("", &["ex.com/a"])]),
        &[
            (
                "ex.com/a v1.0.0",
                "go 1.21\nrequire ex.com/b v1.0.0\n",
                &[("", &["errors"]), ("_test", &["ex.com/b"])],
            ),
            ("ex.com/b v1.0.0", "go 1.21\nrequire ex.com/c v1.0.0\n", &[("", &["ex.com/c"])]),
            ("ex.com/c v1.0.0", "go 1.21\n", &[("", &[])]),
            ("ex.com/c v1.1.0", "go 1.21\n", &[("", &[])]),
        ],
        &["mod tidy", "mod tidy -v"],
    ),
    // Two modules have the package, and one of them shall go: so it is the other.
    (
        (
            "ex.com/m",
            "go 1.21\nrequire ex.com/c v1.0.0\nrequire ex.com/a/x/y v1.0.0\n",
            &[("", &["ex.com/a/x"]), ("p", &["ex.com/c"])],
        ),
        &[
            ("ex.com/a v1.0.0", "go 1.21\n", &[("x", &[])]),
            ("ex.com/a/x v1.0.0", "go 1.21\n", &[("", &[])]),
            ("ex.com/a/x/y v1.0.0", "go 1.21\n", &[("", &[])]),
            ("ex.com/c v1.0.0", "go 1.21\n", &[("", &[])]),
            ("ex.com/c v1.1.0", "go 1.21\nrequire ex.com/a v1.0.0\n", &[("", &["ex.com/a/x"])]),
        ],
        &[
            "get ex.com/a/x ex.com/a/x...@none",
            "get ex.com/a/x@v1.0.0 ex.com/a/x...@none",
            "get ex.com/a/x@v1.0.0 ex.com/a/x@none",
            "get -u ./p ex.com/a/x@none",
            "get -u ./p ex.com/a/x...@none",
            "get ex.com/a/x",
        ],
    ),
];

/// All of them.
pub(crate) fn universes() -> Vec<Universe> {
    let universe = |(main, registry, commands): &(Text, &[Text], &[&str])| {
        let versions = registry.iter().map(|text| {
            let (path, version) = text.0.split_once(' ').expect("a path and a version");
            ((path.to_owned(), version.to_owned()), module(text))
        });
        let words = |line: &&str| line.split(' ').map(str::to_owned).collect();
        Universe::of(module(main), versions.collect(), commands.iter().map(words).collect())
    };
    CHOSEN.iter().map(universe).collect()
}

fn module((name, go_mod, directories): &Text) -> Module {
    let path = name.split(' ').next().unwrap_or_default();
    let mut tree: Tree = BTreeMap::new();
    for (directory, imports) in *directories {
        let (directory, name) = match directory.strip_suffix("_test") {
            Some(directory) => (directory, "p_test.go"),
            None => (*directory, "p.go"),
        };
        let imports = imports.iter().map(|path| (*path).to_owned()).collect();
        tree.entry(directory.to_owned()).or_default().push(File { name, constraint: "", imports });
    }
    Module { go_mod: format!("module {path}\n\n{go_mod}"), tree }
}
