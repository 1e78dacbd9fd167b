//! Which module provides a package, and what has to be looked at to know.

use modkeep_resolver::known::Need;
use modkeep_resolver::requirements::Load;

use crate::registry::{Registry, resolve, world};

const REGISTRY: Registry = &[
    (
        "ex.com/a@v1.0.0",
        "go 1.17\nrequire ex.com/b v1.0.0\nrequire ex.com/a/sub v1.0.0\n",
        &["", "sub", "deep/er"],
    ),
    ("ex.com/a/sub@v1.0.0", "go 1.17\n", &[""]),
    ("ex.com/b@v1.0.0", "go 1.17\n", &["p"]),
];

const MAIN: &str = "module ex.com/m\ngo 1.20\nrequire ex.com/a v1.0.0\n";

/// The module that provides a package, or the error; and whether the go.mod of something behind the roots was read.
fn import(main: &str, path: &str) -> (String, bool) {
    let (mut world, mut met) = (world(main), Vec::new());
    let found = resolve(&mut world, REGISTRY, &mut met, |world| {
        let requirements = world.load(&Load::default())?;
        world.find_import(path, &requirements, None, false)
    });
    let looks_behind =
        met.iter().any(|need| matches!(need, Need::Folder { module, .. } if &*module.path == "ex.com/b"));
    let text = match found {
        Ok(import) => import.module.map_or("std".to_owned(), |module| world.nodes().node(module).to_string()),
        Err(error) => error.to_string(),
    };
    (text, looks_behind)
}

#[test]
fn the_roots_are_asked_first() {
    assert_eq!(import(MAIN, "ex.com/a"), ("ex.com/a@v1.0.0".to_owned(), false));
    assert_eq!(import(MAIN, "ex.com/a/deep/er"), ("ex.com/a@v1.0.0".to_owned(), false));
    assert_eq!(import(MAIN, "ex.com/b/p"), ("ex.com/b@v1.0.0".to_owned(), true));
}

#[test]
fn a_module_behind_the_roots_makes_nothing_ambiguous_that_a_root_has() {
    assert_eq!(import(MAIN, "ex.com/a/sub").0, "ex.com/a@v1.0.0");
    let both = format!("{MAIN}require ex.com/a/sub v1.0.0\n");
    let want = "ambiguous import: found package ex.com/a/sub in multiple modules:\
                \n\tex.com/a v1.0.0 (/cache/ex.com/a@v1.0.0/sub)\
                \n\tex.com/a/sub v1.0.0 (/cache/ex.com/a/sub@v1.0.0/)";
    assert_eq!(import(&both, "ex.com/a/sub").0, want);
}

#[test]
fn what_no_module_has_is_missing_only_after_the_whole_graph() {
    let missing = "cannot find module providing package ex.com/b/q";
    assert_eq!(import(MAIN, "ex.com/b/q"), (missing.to_owned(), true));
}

#[test]
fn texts_that_are_no_import_paths_are_told_apart() {
    for (path, want) in [
        ("ex.com/a@v1.0.0", "import path \"ex.com/a@v1.0.0\" should not have @version"),
        ("./a", "\"./a\" is relative, but relative import paths are not supported in module mode"),
        ("/a", "\"/a\" is not a package path; see 'go help packages'"),
        ("all", "\"all\" is not an importable package; see 'go help packages'"),
        ("C", "std"),
    ] {
        assert_eq!(import(MAIN, path).0, want, "{path}");
    }
}
