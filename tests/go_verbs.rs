//! Go's verbs, beside the real go command: the same words in the same folder leave the same output, exit status and
//! files.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_harness::beside::Ground;
use modkeep_harness::upstream::{Module, Tree, Upstream};

/// Files, and lines of words: after each line everything must be equal.
fn check(test: &str, files: &str, lines: &[&str]) {
    check_beside(test, "off", files, lines);
}

/// The same with a registry, whose modules are in no checksum database.
fn check_beside(test: &str, goproxy: &str, files: &str, lines: &[&str]) {
    let Some(mut ground) = Ground::new(test, Path::new(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    // The folder's own go.work counts.
    ground.variables.extend([("GOPROXY", goproxy.to_owned()), ("GOWORK", String::new())]);
    ground.without_modules().check(files, lines);
}

const MODULE: &str = "-- go.mod --
// about
module example.com/m // m

go 1.20

require (
\texample.com/b v1.0.0 // indirect
\texample.com/a v1.2.3
)
exclude example.com/x v1.0.0
replace example.com/a => ./a
retract [v1.0.0, v1.1.0] // <bad> & ugly
-- sub/x.go --
package x
";

#[test]
fn a_go_mod_is_edited_as_go_edits_it() {
    check(
        "mod edit",
        MODULE,
        &[
            "mod edit -json",
            "mod edit -print -require=example.com/c@master",
            "mod edit -require example.com/c@v1.0.0 -droprequire=example.com/b",
            "mod edit -exclude=example.com/x@v1.1.0 -dropexclude=example.com/x@v1.0.0 -go=1.27rc1",
            "mod edit -replace=example.com/q@v1.0.0=example.com/r@v2.0.0 -dropreplace=example.com/a",
            "mod edit -retract=[v1.2.0,v1.3.0] -retract=v1.9.0 -dropretract=[v1.0.0,v1.1.0]",
            "mod edit -tool=example.com/a/t -ignore=./x -godebug=http2client=0 -toolchain=go1.27.3",
            "mod edit --json",
            "mod edit -module=example.com/n -go=none -toolchain none -droptool=example.com/a/t",
            "mod edit -dropignore=./x -dropgodebug=http2client -fmt",
            "mod edit -C=sub -fmt",
            "mod edit -C sub -module=example.com/o",
            "mod edit -json go.mod",
        ],
    );
    let files = "-- go.mod --\nmodule m\nrequire (\n\ta.b/c v1.0.0\n";
    check("a block without end", files, &["mod edit -json", "list -m", "work init ."]);
    let files = "-- go.mod --\nmodule m\ngo 1.20\n";
    check("what can't be downloaded", files, &["mod download go", "mod download -json go@1.21"]);
}

#[test]
fn what_mod_edit_refuses_is_refused_in_gos_words() {
    check(
        "mod edit refused",
        MODULE,
        &[
            "mod edit",
            "mod edit -json -print",
            "mod edit -fmt a b",
            "mod edit -fmt nowhere.mod",
            "mod edit -fmt sub/x.go",
            "mod edit -nope",
            "mod edit -json=maybe",
            "mod edit -go",
            "mod edit -go=1.x",
            "mod edit -toolchain=1.20",
            "mod edit -module=a@b",
            "mod edit -module=go",
            "mod edit -require=a",
            "mod edit -require=a@-x",
            "mod edit -require=a@(",
            "mod edit -require=a..@v1",
            "mod edit -droprequire=a@v1",
            "mod edit -exclude=example.com/e@v1",
            "mod edit -exclude=example.com/e@v2.0.0",
            "mod edit -replace=a",
            "mod edit -replace=a=>b",
            "mod edit -replace=a=b",
            "mod edit -replace=a@(=./b",
            "mod edit -retract=[v1",
            "mod edit -retract=v1",
            "mod edit -godebug=a",
            "mod edit -fmt -C sub",
            "mod edit -C nowhere -fmt",
            "mod nope",
        ],
    );
}

#[test]
fn a_module_is_begun_as_go_begins_it() {
    check("mod init", "-- x.go --\npackage x // import \"example.com/x\"\n", &["mod init", "mod init"]);
    check("mod init", "-- sub/x.go --\npackage x // import \"example.com/x/sub\"\n", &["mod init"]);
    check(
        "mod init",
        "-- readme --\n",
        &[
            "mod init",
            "mod init a b",
            "mod init ./x",
            "mod init go",
            "mod init example.com/m/v1",
            "mod init example.com/m/v02",
            "mod init gopkg.in/m",
            "mod init -modfile=other x",
            "mod init -modfile=other.mod x",
            "mod init example.com/m/v2",
        ],
    );
    check("mod init", "-- go.mod --\n", &["mod init m"]);
}

#[test]
fn a_workspace_is_kept_as_go_keeps_it() {
    let modules = "-- a/go.mod --\nmodule a\ngo 1.20\n-- b/go.mod --\nmodule b\ngo 1.27.3\n-- c/d/go.mod --\nmodule d\n\
                   -- f --\n-- bad/go.mod --\nmodul bad\n-- new/go.mod --\nmodule new\ngo 1.99\n-- none/go.mod --\n";
    check(
        "work",
        modules,
        &[
            "work use a",
            "work init a ./b",
            "work init",
            "work use -r c",
            "work use f",
            "work use nowhere",
            "work use bad",
            "work use new",
            "work use none",
            "work use",
            "work edit -json",
            "work edit -go=1.21 -toolchain=go1.22.0 -godebug=a=b -use=./x -dropuse=./a -replace=a=./b",
            "work use",
            "work edit -print -replace=q@v1.0.0=r@v1.0.0 -dropreplace=a",
            "work edit -dropuse=./x -go=1.21",
            "work use b",
            "work edit -go=x",
            "work edit",
            "work edit -json -print",
            "work edit -replace=./a=b",
            "work edit -json nowhere",
            "work edit -json f a",
            "work use -C a .",
            "work nope",
        ],
    );
}

/// A module with a dependency in a folder, a program, tests, an embedded file and mistakes.
const PACKAGES: &str = "\
-- m/go.mod --
module ex.com/m

go 1.24

require ex.com/dep v1.0.0

replace ex.com/dep v1.0.0 => ../dep
-- m/cmd/app/main.go --
// Command app is a program.
package main

import _ \"ex.com/m/lib\"

func main() {}
-- m/lib/lib.go --
// Package lib uses [fmt] and <others> & more.
package lib

import (
	_ \"embed\"
	_ \"ex.com/dep\"
)

//go:embed lib.go
var x string
-- m/lib/lib_test.go --
package lib

import _ \"testing\"
-- m/lib/x_windows.go --
package lib
-- m/bad/bad.go --
package bad

import (
	_ \"ex.com/none\"
	_ \"ex.com/m/empty\"
)
-- m/empty/x_plan9.go --
package empty
-- dep/go.mod --
module ex.com/dep

go 1.20
-- dep/dep.go --
package dep
-- dep/internal/i.go --
package internal
";

const FIELDS: &str = "-json=Dir,ImportPath,Name,Doc,Target,Root,Module,Match,Goroot,Standard,DepOnly,Incomplete,DefaultGODEBUG,\
                      GoFiles,IgnoredGoFiles,EmbedPatterns,EmbedFiles,Imports,ImportMap,Deps,Error,DepsErrors,TestGoFiles,TestImports";

#[test]
fn packages_are_listed_as_go_lists_them() {
    check(
        "packages_are_listed_as_go_lists_them",
        PACKAGES,
        &[
            "list -C m ./...",
            "list -C m -e ./... ex.com/dep/... fmt",
            &format!("list -C m -e {FIELDS} ./..."),
            &format!("list -C m -e -deps {FIELDS} ./bad ./lib"),
            "list -C m -deps -f {{.ImportPath}}:{{.Dir}}:{{with.Module}}{{.Path}}{{end}} ./cmd/app",
            "list -C m -f {{.Name}}{{.Deps}}{{.Standard}} ./lib",
            "list -C m -find -json=Imports,GoFiles ./lib",
            "list -C m ./bad",
            "list -C m ./nowhere",
            "list -C m ex.com/none",
            "list -C m -test ./lib",
            "list -C m -deps -find ./lib",
            "list -C m -u ./lib",
            "list ./m/lib",
        ],
    );
}

#[test]
fn packages_come_from_vendor_folders_and_workspaces() {
    let files = format!(
        "{PACKAGES}-- m/vendor/modules.txt --\n# ex.com/dep v1.0.0 => ../dep\n## explicit; go 1.20\nex.com/dep\n-- \
         m/vendor/ex.com/dep/dep.go --\npackage dep\n-- w/go.work --\ngo 1.24\n\nuse (\n\t../m\n\t./a\n)\n-- w/a/go.mod \
         --\nmodule ex.com/a\n\ngo 1.23\n-- w/a/a.go --\npackage a\n\nimport _ \"ex.com/m/lib\"\n"
    );
    check(
        "packages_come_from_vendor_folders_and_workspaces",
        &files,
        &[
            &format!("list -C m -e -deps {FIELDS} ./lib ./bad"),
            "list -C m ex.com/dep",
            "list -C m -mod=mod -f {{.Dir}} ex.com/dep",
            &format!("list -C w/a -e -deps {FIELDS} ./... ex.com/m/lib"),
            "list -C w work",
        ],
    );
}

#[test]
fn vendored_modules_have_the_go_version_that_modules_txt_says() {
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.20\nrequire (\n\texample.com/c v1.0.0\n\texample.com/d v1.1.0\n)\n\
                 replace example.com/d => example.com/e v1.2.0\n\
                 -- m.go --\npackage m\nimport (\n\t_ \"example.com/c\"\n\t_ \"example.com/d\"\n)\n\
                 -- vendor/example.com/c/c.go --\npackage c\n-- vendor/example.com/d/d.go --\npackage d\n\
                 -- vendor/modules.txt --\n# example.com/c v1.0.0\n## explicit; go 1.18\nexample.com/c\n\
                 # example.com/d v1.1.0 => example.com/e v1.2.0\n## explicit; go 1.19\nexample.com/d\n\
                 # example.com/d => example.com/e v1.2.0\n";
    check(
        "list vendored",
        files,
        &["list -m -json example.com/c example.com/d", "list -m all", "list -deps ./..."],
    );
    // Before 1.17 go.mod files were vendored too.
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.16\nrequire example.com/c v1.0.0\n\
                 -- m.go --\npackage m\nimport (\n\t_ \"example.com/c\"\n\t_ \"example.com/c/d\"\n)\n\
                 -- vendor/example.com/c/go.mod --\nmodule example.com/c\n-- vendor/example.com/c/c.go --\npackage c\n\
                 -- vendor/example.com/c/d/d.go --\npackage d\n\
                 -- vendor/modules.txt --\n# example.com/c v1.0.0\n## explicit\nexample.com/c\nexample.com/c/d\n";
    let lines = ["list -deps ./...", "list example.com/...", "mod why -vendor example.com/c/d"];
    check("list vendored go.mod files", files, &lines);
}

#[test]
fn a_missing_go_line_is_no_difference_that_tidying_makes() {
    let files = "-- go.mod --\nmodule example.com/m\n\nrequire example.com/a v1.0.0\n\nreplace example.com/a => ./a\n\
                 -- m.go --\npackage m\nimport _ \"example.com/a\"\n\
                 -- a/go.mod --\nmodule example.com/a\n-- a/a.go --\npackage a\n";
    check("tidy -diff", files, &["mod tidy -diff", "mod tidy -diff -go=1.16", "mod tidy", "mod tidy -diff"]);
}

#[test]
fn a_workspace_is_synced_with_the_sums_that_go_writes() {
    let mut tree = Tree::default();
    for version in ["v1.0.0", "v1.2.0"] {
        tree.add(Module::new("example.com/dep", version).file("dep.go", "package dep\n"));
    }
    let upstream = Upstream::start(tree);
    let files = "-- go.work --\ngo 1.21\nuse (\n\t./a\n\t./b\n)\n\
                 -- a/go.mod --\nmodule example.com/a\ngo 1.19\nrequire example.com/dep v1.0.0\n\
                 -- a/a.go --\npackage a\nimport _ \"example.com/dep\"\n\
                 -- b/go.mod --\nmodule example.com/b\ngo 1.21\nrequire example.com/dep v1.2.0\n\
                 -- b/b.go --\npackage b\nimport _ \"example.com/dep\"\n";
    // Go reads a go.mod once in its life, and tells only the go.sum of whoever was first.
    check_beside("work sync", &upstream.url(), files, &["work sync", "list -m all", "work sync"]);
    let lines = ["list -m example.com/dep@", "mod download example.com/dep@", "get -C a example.com/dep@"];
    check_beside("no version", &upstream.url(), files, &lines);
}

#[test]
fn files_that_nobody_needs_stop_nobody() {
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.21\n-- go.sum --\nbad\n-- m.go --\npackage m\n";
    let lines = ["list -m", "list ./...", "mod graph", "mod verify", "get ./...", "mod tidy", "list -m"];
    check("a malformed go.sum", files, &lines);
    let needed = files.replace("-- go.sum", "require example.com/a v1.0.0\n-- go.sum");
    check("a malformed go.sum that is needed", &needed, &["list -m", "list -m all", "mod graph", "get -u"]);
    for go_work in ["foo ./a", "go abc", "use ./m\nuse m", "use ./m\ngodebug foo=1", "use ./m\nuse ./bad"] {
        let files = format!(
            "-- go.work --\ngo 1.21\n{go_work}\n-- m/go.mod --\nmodule example.com/m\ngo 1.20\n-- m/m.go --\n\
             package m\n-- bad/go.mod --\nmodul bad\n"
        );
        check("get in an unusable workspace", &files, &["get -C m go@1.22.0", "list -C m", "get -C m ."]);
    }
    let files = "-- go.work --\ngo 1.99\nuse ./m\n-- m/go.mod --\nmodule example.com/m\ngo 1.20\n";
    check("get in a workspace of a newer release", files, &["get -C m go@1.22.0"]);
    let files = "-- go.work --\ngo 1.21\nuse ./m.go\n-- m.go --\npackage m\n";
    check("a file in a workspace", files, &["list -m", "work sync"]);
}

#[test]
fn a_module_without_a_go_line_raises_its_workspace() {
    let files =
        "-- go.work --\ngo 1.21\nuse ./m\n-- m/go.mod --\nmodule example.com/m\n-- m/m.go --\npackage m\n";
    check("work sync without a go line", files, &["work sync", "list -m all"]);
}

#[test]
fn what_a_vendor_folder_holds_is_found_as_go_finds_it() {
    let files = |go: &str| {
        format!(
            "-- go.mod --\nmodule example.com/m\ngo {go}\nrequire example.com/c v1.0.0\n\
             -- m.go --\npackage m\nimport (\n\t_ \"example.com/c\"\n\t_ \"example.com/c/d\"\n\t_ \"errors\"\n)\n\
             -- vendor/example.com/c/c.go --\npackage c\nimport _ \"sort\"\n\
             -- vendor/example.com/c/d/d.go --\npackage d\n\
             -- vendor/modules.txt --\n# example.com/c v1.0.0\n## explicit; go 1.17\nexample.com/c\n"
        )
    };
    for go in ["1.22", "1.24"] {
        check(
            "vendored packages",
            &files(go),
            &[
                "list all",
                "list -deps -f {{.ImportPath}}:{{.Dir}}:{{with.Module}}{{.Path}}{{end}} ./...",
                "list example.com/c/d",
                "list ./vendor/example.com/c",
                "list ./vendor/example.com/c/d",
                "list -C vendor/example.com/c",
                "mod why ./vendor/example.com/c ./vendor/example.com/c/d",
                "build -o /dev/null ./...",
                "list -m -retracted all",
                "list -m -mod=vendor -retracted all",
            ],
        );
    }
    let newer = files("1.22").replace("go 1.17", "go 1.99");
    check(
        "a vendored module of a newer release",
        &newer,
        &["list ./...", "list -m example.com/c", "mod graph"],
    );
    let folder = files("1.22").replace("modules.txt", "modules.txt/x");
    check("modules.txt is a folder", &folder, &["list ./...", "list -mod=vendor ./..."]);
    check("nothing to vendor", "-- go.mod --\nmodule m\ngo 1.22\n", &["mod vendor -v"]);
}

#[test]
fn all_holds_what_it_needs_of_the_standard_library() {
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.24\n-- m.go --\npackage m\n\nimport _ \"net\"\n\
                 -- m_test.go --\npackage m\n\nimport _ \"embed\"\n";
    check(
        "list all",
        files,
        &["list all", "list -tags=netgo all", "list -e all fmt", "list -f {{.Match}} all"],
    );
}

#[test]
fn a_root_that_an_older_release_selects_otherwise_ends_tidying() {
    let upstream = Upstream::start(
        Tree::default()
            .with(
                Module::new("example.com/a", "v1.0.0")
                    .file("go.mod", "module example.com/a\n\ngo 1.21\n\nrequire example.com/b v1.0.0\n")
                    .file("a.go", "package a\n"),
            )
            .with(Module::new("example.com/b", "v1.0.0").file("go.mod", "module example.com/b\n\ngo 1.22\n")),
    );
    let files = "-- go.mod --\nmodule example.com/m\n\ngo 1.21\n\nrequire example.com/a v1.0.0\n\
                 -- m.go --\npackage m\nimport _ \"example.com/a\"\n";
    let lines = ["mod tidy -compat=1.16", "mod tidy -e -compat=1.16"];
    check_beside("tidy -compat", &upstream.url(), files, &lines);
}

#[test]
fn registries_that_are_none_are_told_of_in_gos_words() {
    // Nobody listens there.
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.21\n";
    for goproxy in
        ["http://127.0.0.1:1/x", "http://127.0.0.1:1/x,off", "off,http://127.0.0.1:1/x", "file:///nowhere"]
    {
        let lines =
            ["mod download example.com/a@v1.0.0", "list -m example.com/a@latest", "get example.com/a@v1.0.0"];
        check_beside("no registry", goproxy, files, &lines);
    }
}

#[test]
fn what_needs_a_newer_release_is_told_with_the_rest() {
    let mut tree = Tree::default();
    for version in ["v1.0.0", "v1.1.0"] {
        let go_mod = "module example.com/future\n\ngo 1.999\n";
        let module = Module::new("example.com/future", version).with_go_mod(go_mod);
        tree.add(module.file("future.go", "package future\n"));
    }
    tree.add(Module::new("example.com/dep", "v1.0.0").file("dep.go", "package dep\n"));
    let upstream = Upstream::start(tree);
    let files = "-- go.mod --\nmodule example.com/m\ngo 1.21\n-- m.go --\npackage m\n";
    let lines = [
        "get example.com/future@latest",
        "get example.com/future@v1.0.0 example.com/dep@v9",
        "get example.com/dep@patch example.com/future",
        "get example.com/future@>=v1.0.0 example.com/future@v1.1.0 example.com/dep",
    ];
    check_beside("get of a newer release", &upstream.url(), files, &lines);
}

#[test]
fn wildcards_of_folders_stop_at_other_modules() {
    let files = "-- m/go.mod --\nmodule example.com/m\ngo 1.22\nrequire example.com/dep v1.0.0\n\
                 replace example.com/dep => ../dep\n-- m/m.go --\npackage m\nimport _ \"example.com/dep/in\"\n\
                 -- dep/go.mod --\nmodule example.com/dep\n-- dep/in/in.go --\npackage in\n\
                 -- m/other/go.mod --\nmodule example.com/other\n-- m/other/other.go --\npackage other\n";
    let patterns = ["./...", "./other/...", "./nowhere/...", "../dep/...", "../dep/in", "../..."];
    let lines: Vec<String> = ["mod why -C m", "list -C m"]
        .iter()
        .flat_map(|verb| patterns.map(|word| format!("{verb} {word}")))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check("wildcards of folders", files, &lines);
}
