//! Packages that are named with the version of their module: which are refused, and in which words.

use modkeep_harness::upstream::{Module, Tree};

use crate::ground;

#[test]
fn what_is_named_with_a_version_is_refused_as_go_refuses_it() {
    let Some(ground) = ground("path@version") else { return };
    let main = "package main\n\nfunc main() {}\n";
    let go_mod = |path: &str, more: &str| format!("module {path}\n\ngo 1.20\n{more}");
    let module = |path: &str, more: &str| {
        Module::new(path, "v1.0.0")
            .file("go.mod", go_mod(path, more))
            .file("a/main.go", main)
            .file("main.go", main)
    };
    Tree::default()
        .with(module("ex.com/plain", ""))
        .with(module("ex.com/other", ""))
        .with(module("ex.com/replaces", "replace ex.com/x => ./x\n"))
        .with(module("ex.com/excludes", "exclude ex.com/x v1.0.0\n"))
        .with(
            Module::new("ex.com/old", "v1.0.0")
                .file("go.mod", "// Deprecated: use a new one.\nmodule ex.com/old\n\ngo 1.20\n")
                .file("main.go", main),
        )
        .write_to(&ground.home().join("proxy"));
    ground.with_caches().check(
        "-- go.mod --\nmodule m\n\ngo 1.20\n-- x.mod --\nmodule m\n\ngo 1.20\n",
        &[
            "install ex.com/plain@v1.0.0 ex.com/plain/a@v1.0.0",
            "install ex.com/replaces@v1.0.0",
            "install ex.com/excludes/a@v1.0.0",
            "install ex.com/old@v1.0.0",
            "install ex.com/plain@v1.0.0 ex.com/other@v1.0.0",
            "install ex.com/plain@v1.0.0 ex.com/plain/a",
            "install fmt@v1.0.0",
            "install std@v1.0.0",
            "install ./a@v1.0.0",
            "install -modfile=x.mod ex.com/plain@v1.0.0",
            "run ex.com/old@v1.0.0",
            "install ex.com/plain/...@v1.0.0",
            "install ex.com/plain/...@latest",
            "install ex.com/pl...@v1.0.0",
            "install ex.com/plain@v1.9.0",
            "install ex.com/plain@none",
            "install ex.com/plain@patch",
            "install ex.com/plain/nowhere@v1.0.0",
            "install ex.com/nowhere@latest",
            "install ...@v1.0.0",
            "run ex.com/plain/...@v1.0.0",
        ],
    );
}

#[test]
fn outside_of_modules_it_is_told_what_is_lacking() {
    let Some(ground) = ground("no module around") else { return };
    ground.with_caches().check(
        "-- x --\n",
        &[
            "build ex.com/plain",
            "list ex.com/plain",
            "list -deps ex.com/plain",
            "vet ex.com/plain",
            "run ex.com/plain",
            "test ex.com/plain",
            "install ex.com/plain",
            "install ex.com/plain fmt/nowhere",
            "install ex.com/plain ./x",
            "install fmt",
            "list ./...",
            "list /...",
            "test ./...",
        ],
    );
}
