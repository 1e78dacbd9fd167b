//! A module with every kind of package, and every kind of mistake, that the loader knows.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use modkeep_builder::build::{Build, Stamp};
use modkeep_builder::load::{Loader, Options, Scans};
use modkeep_conformance::go::Go;
use modkeep_module::quote::unquote;

use super::compare;
use super::modules::Listed;

const FILES: &[(&str, &str)] = &[
    (
        "demo/go.mod",
        "module example.com/demo\n\ngo 1.21\n\ngodebug panicnil=1\n\nrequire (\n\texample.org/dep \
         v1.2.0\n\texample.org/other/v2 v2.0.1\n)\n\nreplace (\n\texample.org/dep v1.2.0 => ../dep\n\texample.org/other/v2 => \
         ../other\n)\n\nignore ./skipped\n\ntool example.org/dep/cmd/tool\n",
    ),
    ("dep/go.mod", "module example.org/dep\n\ngo 1.20\n"),
    ("dep/dep.go", "// Package dep is needed.\npackage dep\n\nimport _ \"example.org/other/v2\"\n"),
    ("dep/cmd/tool/main.go", "package main\n\nfunc main() {}\n"),
    ("dep/internal/secret/s.go", "package secret\n"),
    ("other/go.mod", "module example.org/other/v2\n"),
    ("other/other.go", "package other\n"),
    (
        "demo/cmd/app/main.go",
        "//go:debug http2client=0\n//go:debug default=go1.20\n\n// Command app\npackage main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/demo/lib\"\n\t_ \
         \"example.org/dep\"\n)\n\nfunc main() { fmt.Println(lib.X) }\n",
    ),
    (
        "demo/lib/lib.go",
        "package lib\n\nimport _ \"embed\"\n\n//go:embed data all:more *.txt\nvar X string\n",
    ),
    ("demo/lib/a.txt", "a"),
    ("demo/lib/data/b", "b"),
    ("demo/lib/data/.hidden", "h"),
    ("demo/lib/more/.hidden", "h"),
    ("demo/lib/lib_windows.go", "package lib\n\nimport _ \"golang.org/x/sys/windows\"\n"),
    (
        "demo/lib/lib_test.go",
        "package lib\n\nimport \"testing\"\n\nfunc TestMain(m *testing.M) {}\nfunc TestX(t *testing.T) {}\n",
    ),
    (
        "demo/lib/out_test.go",
        "package lib_test\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/demo/lib\"\n\t_ \"example.com/demo/user\"\n)\n\nfunc Example() \
         {\n\tfmt.Println(lib.X)\n\t// Unordered output:\n\t// x\n}\n",
    ),
    ("demo/user/user.go", "package user\n\nimport _ \"example.com/demo/lib\"\n"),
    (
        "demo/c/c.go",
        "package c\n\n// #cgo CFLAGS: -DX -I${SRCDIR}/include\n// #cgo linux LDFLAGS: -lm\nimport \"C\"\n\nimport _ \"fmt\"\n",
    ),
    ("demo/c/c.c", "int x;\n"),
    ("demo/c/nocgo.go", "//go:build !cgo\n\npackage c\n"),
    ("demo/asm/a.go", "package asm\n"),
    ("demo/asm/a_amd64.s", ""),
    ("demo/asm/a_arm64.s", ""),
    ("demo/skipped/s.go", "package skipped\n"),
    ("demo/testdata/t.go", "package testdata\n"),
    ("demo/bad/cycle/a/a.go", "package a\n\nimport _ \"example.com/demo/bad/cycle/b\"\n"),
    ("demo/bad/cycle/b/b.go", "package b\n\nimport _ \"example.com/demo/bad/cycle/c\"\n"),
    ("demo/bad/cycle/c/c.go", "package c\n\nimport _ \"example.com/demo/bad/cycle/a\"\n"),
    ("demo/bad/self/s.go", "package self\n\nimport _ \"example.com/demo/bad/self\"\n"),
    (
        "demo/bad/internal/i.go",
        "package internal\n\nimport (\n\t_ \"example.org/dep/internal/secret\"\n\t_ \"internal/abi\"\n)\n",
    ),
    ("demo/bad/missing/m.go", "package missing\n\nimport (\n\t_ \"example.net/none\"\n\t_ \"fmt\"\n)\n"),
    ("demo/bad/missing2/m.go", "package missing2\n\nimport (\n\t\"example.net/none\"\n)\n"),
    ("demo/bad/program/p.go", "package program\n\nimport _ \"example.com/demo/cmd/app\"\n"),
    ("demo/bad/two/a.go", "package a\n"),
    ("demo/bad/two/b.go", "package b\n\nimport _ \"fmt\"\n"),
    ("demo/bad/syntax/s.go", "package syntax\n\nimport \"fmt\n"),
    ("demo/bad/nopackage/s.go", "pakcage p\n"),
    ("demo/bad/excluded/e_plan9.go", "package excluded\n"),
    (
        "demo/bad/user/u.go",
        "package user\n\nimport (\n\t_ \"example.com/demo/bad/excluded\"\n\t_ \"example.com/demo/bad/syntax\"\n)\n",
    ),
    ("demo/bad/onlytests/o_test.go", "package onlytests\n"),
    ("demo/bad/cfiles/c.go", "package cfiles\n"),
    ("demo/bad/cfiles/x.c", ""),
    ("demo/bad/cfiles/x.f", ""),
    ("demo/bad/case/a.go", "package cases\n\nimport _ \"example.com/demo/Lib\"\n"),
    ("demo/bad/case/B.go", "package cases\n"),
    ("demo/bad/case/b.go", "package cases\n"),
    ("demo/Lib/l.go", "package lib\n"),
    ("demo/bad/embed/e.go", "package e\n\nimport _ \"embed\"\n\n//go:embed none\nvar x string\n"),
    ("demo/bad/embed2/e.go", "package e\n\nimport _ \"embed\"\n\n//go:embed ../x\nvar x string\n"),
    ("demo/bad/embed3/e.go", "package e\n\nimport _ \"embed\"\n\n//go:embed d\nvar x string\n"),
    ("demo/bad/embed3/d/_x", ""),
    ("demo/bad/local/l.go", "package local\n\nimport _ \"./sub\"\n"),
    ("demo/bad/vendored/v.go", "package vendored\n\nimport _ \"example.com/demo/vendor/x\"\n"),
    ("demo/bad/condition/c.go", "//go:build a b\n\npackage condition\n"),
    ("demo/bad/cgotest/c.go", "package cgotest\n"),
    ("demo/bad/cgotest/c_test.go", "package cgotest\n\nimport \"C\"\n"),
    ("demo/bad/testcycle/t.go", "package testcycle\n"),
    ("demo/bad/testcycle/t_test.go", "package testcycle\n\nimport _ \"example.com/demo/bad/testcycle/u\"\n"),
    ("demo/bad/testcycle/u/u.go", "package u\n\nimport _ \"example.com/demo/bad/testcycle\"\n"),
    ("demo/bad/signature/s_test.go", "package signature\n\nfunc TestX(x int) {}\n"),
    ("demo/bad/version/v.go", "package version\n\nimport _ \"example.org/dep@v1\"\n"),
    ("demo/bad/cgoflags/c.go", "package cgoflags\n\n// #cgo NOFLAGS: x\nimport \"C\"\n"),
];

/// Writes the files into a folder whose name has no links.
fn write(folder: &Path) {
    for (name, text) in FILES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // Of files that are younger than two seconds go sometimes speaks otherwise.
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
}

fn demo_build(go: &Go, folder: &Path, target: &str, cgo: bool) -> Build {
    let (os, arch) = target.split_once('/').unwrap();
    let mut build = compare::build(go, os, arch, folder.join("demo").to_str().unwrap());
    build.cgo = cgo;
    build.gopath = folder.join("gopath").to_str().unwrap().to_owned();
    build
}

fn check(what: &str, differences: &[String]) {
    assert!(differences.is_empty(), "{what}: {} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn a_module_and_its_mistakes_are_loaded_as_go_loads_them() {
    let go = Go::specification().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().canonicalize().unwrap();
    write(&folder);
    let modules = Listed::of(&go, &folder.join("demo"), &[]);
    let scans = Scans::default();
    for (target, cgo) in [("linux/amd64", true), ("linux/arm64", false)] {
        let build = demo_build(&go, &folder, target, cgo);
        for patterns in [
            &["./..."][..],
            &["./lib", "example.com/demo/bad/..."],
            &["all"],
            &["tool", "work"],
            &["./none", "./bad", "./bad/cycle/b", "none.com/x"],
        ] {
            let of_go = compare::listed_by_go(&go, &build, patterns);
            let ours = compare::listed(&build, &modules, &scans, patterns);
            check(&format!("{target} {patterns:?}"), &compare::differences(&of_go, &ours));
        }
        let of_go = compare::listed_by_go(&go, &build, &["-test", "./..."]);
        let ours = compare::listed_with_tests(&build, &modules, &scans, &["./..."]);
        check(&format!("{target} with tests"), &compare::differences(&of_go, &ours));
    }
}

/// What `build -n` writes into the program.
fn stamp_of_go(go: &Go, build: &Build, arguments: &[&str]) -> String {
    let mut command = go.command();
    command.args(["build", "-n"]).args(arguments).current_dir(&build.folder);
    let output = command.env("CGO_ENABLED", "0").env("GOPATH", &build.gopath).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("modinfo ")).unwrap();
    let data = unquote(line.as_bytes()).unwrap();
    String::from_utf8(data[16..data.len() - 16].to_vec()).unwrap()
}

fn our_stamp(build: &Build, modules: &Listed, pattern: &str) -> String {
    let scans = Scans::default();
    let options = Options { stamps: true, ..Options::default() };
    let mut loader = Loader::new(build, modules, &scans, options).unwrap();
    let roots = loader.load(&loader.matches(&[pattern.to_owned()]));
    loader.set_profiles(&roots);
    let package = &loader.graph()[roots[0]];
    assert_eq!(package.error.as_ref().map(ToString::to_string), None);
    package.build_info.as_ref().unwrap().to_string()
}

#[test]
fn programs_tell_how_they_were_built_as_go_tells_it() {
    let go = Go::specification().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().canonicalize().unwrap();
    write(&folder);
    let demo = folder.join("demo");
    let modules = Listed::of(&go, &demo, &[]);
    let mut build = demo_build(&go, &folder, "linux/amd64", false);
    let compared = |build: &Build, what: &str, arguments: &[&str]| {
        let of_go = stamp_of_go(&go, build, &[arguments, &["./cmd/app"]].concat());
        assert_eq!(our_stamp(build, &modules, "./cmd/app"), of_go, "{what}");
        of_go
    };
    compared(&build, "no repository", &["-pgo=off"]);

    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        command.env("GIT_COMMITTER_DATE", "1767323045 +0000").env("GIT_AUTHOR_DATE", "1767323045 +0000");
        assert!(command.current_dir(&demo).output().unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    compared(&build, "nothing committed", &["-pgo=off"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    compared(&build, "clean", &["-pgo=off"]);
    git(&["tag", "v0.3.0"]);
    git(&["tag", "v0.2.0"]);
    let tagged = compared(&build, "tagged", &["-pgo=off"]);
    assert!(tagged.contains("v0.3.0"), "{tagged}");
    fs::write(demo.join("cmd/app/default.pgo"), "").unwrap();
    compared(&build, "modified", &["-pgo=off"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "second"]);
    build.pgo = modkeep_builder::build::Profile::Auto;
    build.trimpath = true;
    build.tags = vec!["a".into(), "b".into()];
    build.ldflags.add("-s -w", &build.folder).unwrap();
    build.gcflags.add("all=-N", &build.folder).unwrap();
    let flags = ["-trimpath", "-tags=a,b", "-ldflags=-s -w", "-gcflags=all=-N"];
    compared(&build, "after a tag, with flags and a profile", &flags);
    build.vcs = Stamp::Never;
    compared(&build, "without a stamp", &[&flags[..], &["-buildvcs=false"]].concat());
}
