//! Verbs that build, beside the real go command: the same words in the same folder leave the same output, exit status
//! and files, byte for byte. Both have one build cache, which go fills, so that the second of them compiles little.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use modkeep_harness::beside::{BOTH, Ground, Outcome, Who, differences};
use modkeep_harness::tree;
use modkeep_harness::upstream::{Module, Tree};
use regex::Regex;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- cmd/hello/main.go --
package main

import \"example.com/m/lib\"

var word = \"hello\"

func main() { println(word, lib.Answer()) }
-- cmd/two/main.go --
package main

func main() { panic(\"two\") }
-- lib/lib.go --
package lib

func Answer() int { return 42 }
-- lib/lib_test.go --
package lib

import \"testing\"

func TestAnswer(t *testing.T) {
	if Answer() != 42 {
		t.Fatal(Answer())
	}
}
-- fail/fail_test.go --
package fail

import \"testing\"

func TestNo(t *testing.T) { t.Fatal(\"no\") }
-- odd/odd_test.go --
package odd

import (
	\"os\"
	\"testing\"
)

func TestOdd(t *testing.T) { os.Stdout.WriteString(\"a\\xffb\\xf0\\x90c\\ufffd<\\n\") }
-- syntax/syntax.go --
package syntax

func F() { return 1 + }
-- broken/broken.go --
package broken

func F() int { return \"x\" + undefined }
-- user/user.go --
package user

import _ \"example.com/m/broken\"
-- lost/lost.go --
package lost

import _ \"example.com/nowhere/p\"
-- only/only_windows.go --
package only
-- two/a.go --
package a
-- two/b.go --
package b
";

/// What each leaves.
const LINES: [&str; 69] = [
    "build -trimpath -o out/hello ./cmd/hello",
    "build -o out/plain ./cmd/hello",
    "build ./cmd/hello",
    "build ./cmd/... ./lib",
    "build -o bin/ ./cmd/...",
    "build -o x ./cmd/hello ./cmd/two",
    "build -ldflags=-X=main.word=bye -o out/bye ./cmd/hello",
    "run ./cmd/hello a b",
    "run ./cmd/two",
    "run ./lib",
    "install ./cmd/two",
    "install ex.com/tool@v1.0.0",
    "run ex.com/tool@v1.0.0 a",
    "install ex.com/untidy@v1.0.0",
    "install ex.com/tool/...@v1.0.0",
    "install ex.com/tool@v1.9.0",
    "install ex.com/tool/none@v1.0.0",
    "test ./lib ./cmd/two",
    "test ./lib",
    "test -run=Nothing ./lib",
    "test -v ./lib",
    "test ./fail ./lib",
    "test -C fail",
    "test ./broken",
    "test -json ./lib",
    "test -json -run=Nothing ./lib",
    "test -json ./fail",
    "test -json ./broken",
    "test -json ./cmd/two",
    "test -c -o out/lib.test ./lib",
    "test -c ./cmd/two",
    "test -c ./broken",
    "test -c -o out/ ./broken ./lib ./cmd/two",
    "test -c -json ./cmd/two",
    "test -c -json ./broken",
    "test -json ./odd",
    "test -v=test2json ./fail",
    "test -o out/again.test ./lib",
    "test -o out/again.test ./lib",
    "test -vet=off -cover ./syntax",
    "test -vet=off -p=1 -coverpkg=./lib,./broken ./lib ./broken ./cmd/two",
    "test -json -vet=off -p=1 -coverpkg=./lib,./broken ./lib ./broken",
    "test -vet=off -cover ./lib ./cmd/two ./cmd/hello ./fail",
    "test -vet=off -p=1 -coverprofile=out.profile ./lib ./cmd/...",
    "test -vet=off -p=1 -coverprofile=again.profile ./lib ./cmd/...",
    "test -vet=off -p=1 -covermode=count -coverpkg=./lib,./cmd/...,./nothing -coverprofile=all ./lib ./cmd/two",
    "test -vet=off -p=1 -covermode=count -coverpkg=./lib,./cmd/...,./nothing -coverprofile=all ./lib ./cmd/two",
    "test -C lib -vet=off -cover",
    "test -c -covermode=atomic -o out/covered.test ./lib",
    "test -covermode=some ./lib",
    "test -fuzz=Some ./lib ./fail",
    "test -fuzz=Some -coverprofile=out.profile ./lib",
    "test -fuzz=Some strings",
    "test -cpuprofile=cpu ./lib ./fail",
    "test -count=many ./lib",
    "test -c -of-the-program ./lib",
    "sh: touch lib/lib.test lib/x.o cmd/hello/hello",
    "clean -n ./lib ./cmd/hello",
    "clean -x ./lib",
    "clean -r -n -i ./cmd/two",
    "list -f '{{0x10}} {{1_000}} {{0b11}} {{017}} {{-3}} {{len .GoFiles | printf \"%03d\"}}' ./lib",
    "list -f '{{printf \"%q %#v %v\" .GoFiles .GoFiles .GoFiles}}' ./lib",
    "list -f '{{printf \"%8.3s|%-6q|%c|%U|%s|%+d|%x\" \"abcdef\" .Name 65 65 3 4 .Name}}' ./lib",
    "build ./broken ./user",
    "build ./lost",
    "build ./only",
    "build ./two",
    "build ./nowhere",
    "build -gcflags=-x=y=z -nope ./lib",
];

#[test]
fn what_is_built_and_said_is_what_go_builds_and_says() {
    let Some(ground) = Ground::new("building", Path::new(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    let cache = ground.home().join("gocache");
    let mut ground = ground.sharing(&cache);
    ground.variables.push(("GOBIN", ground.place().join("installed").display().to_string()));
    let tool = "package main\n\nimport \"ex.com/word\"\n\nfunc main() { println(word.Word) }\n";
    let word = "package word\n\nconst Word = \"word\"\n";
    Tree::default()
        .with(Module::new("ex.com/tool", "v1.0.0").requires("ex.com/word", "v1.0.0").file("main.go", tool))
        .with(Module::new("ex.com/untidy", "v1.0.0").file("main.go", tool))
        .with(Module::new("ex.com/word", "v1.0.0").file("word.go", word))
        .write_to(&ground.home().join("proxy"));
    let [theirs, ours] = BOTH.map(|who| ground.all(who, FILES, &LINES));
    let differences = differences(&LINES, &theirs, &ours);
    assert!(differences.is_empty(), "{differences}");
    // The build cache is warm.
    check_programs_come_back(&ground, &cache);
    check_graphs(&ground);
    check_coverage(&ground);
    check_fuzzing(&ground, &cache);
}

/// A program that is gone, or of another branch, is what go links, whether or not what is kept of it is whole.
#[allow(clippy::disallowed_methods, reason = "files of a test need not be durable")]
fn check_programs_come_back(ground: &Ground, cache: &Path) {
    ground.lay(FILES);
    // What was written just now is not remembered.
    ground.run(Who::Go, "sh: find . -type f -exec touch -d '1 hour ago' {} +");
    let (program, main) = (ground.place().join("out"), ground.place().join("cmd/hello/main.go"));
    let build = |who| {
        let Outcome { stdout, stderr, status, .. } = ground.run(who, "build -trimpath -o out ./cmd/hello");
        assert_eq!((stdout.as_str(), stderr.as_str(), status), ("", "", Some(0)), "{who:?}");
        std::fs::read(&program).unwrap()
    };
    let of_go = build(Who::Go);
    std::fs::remove_file(&program).unwrap();
    for what in ["linked", "taken", "and again"] {
        assert!(build(Who::Modkeep) == of_go, "{what}");
        std::fs::remove_file(&program).unwrap();
    }
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("hello", "other")).unwrap();
    assert!(build(Who::Modkeep) != of_go, "another branch");
    std::fs::write(&main, &text).unwrap();
    assert!(build(Who::Modkeep) == of_go, "the branch is back");

    std::fs::remove_file(&program).unwrap();
    let results = tree::files(&cache.join("modkeep-results")).into_iter();
    let kept: Vec<PathBuf> = results.filter(|file| std::fs::read(file).unwrap() == of_go).collect();
    assert!(!kept.is_empty(), "a program that was linked is kept");
    for file in kept {
        let mut damaged = of_go.clone();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(&file, damaged).unwrap();
    }
    assert!(build(Who::Modkeep) == of_go, "linked again, since what was kept is damaged");
    assert!(build(Who::Go) == of_go);

    // What the linker writes beside the program is there each time.
    for _ in 0..2 {
        let said = ground.run(Who::Modkeep, "build -ldflags=-cpuprofile=linked -o profiled ./cmd/two");
        assert_eq!(said.status, Some(0), "{said:?}");
        for name in ["linked", "profiled"] {
            std::fs::remove_file(ground.place().join(name)).unwrap();
        }
    }
}

const FUZZED: &str = "\
-- go.mod --
module example.com/fuzzed

go 1.26
-- f_test.go --
package fuzzed

import \"testing\"

func FuzzNo(f *testing.F) {
	f.Add(uint8(3))
	f.Fuzz(func(t *testing.T, number uint8) {
		if number != 3 {
			t.Fatal(\"no\")
		}
	})
}
";

/// What fuzzing finds is kept beside the test, and the program is that of go.
fn check_fuzzing(ground: &Ground, cache: &Path) {
    let [theirs, ours] = BOTH.map(|who| ground.all(who, FUZZED, &["test -c -fuzz=No"]));
    assert_eq!(ours, theirs, "the programs");

    let run = |line| ground.run(Who::Modkeep, line);
    let Outcome { stdout, stderr, status, left } = run("test -vet=off -fuzz=No -fuzztime=1000x .");
    assert_eq!(status, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("Failing input written to testdata/fuzz/FuzzNo/"), "{stdout}");
    let is_found = |file: &&PathBuf| left[*file] != "a folder" && file.starts_with("w/testdata/fuzz/FuzzNo");
    assert_eq!(left.keys().filter(is_found).count(), 1, "{left:?}");
    let again = run("test -vet=off .").stdout;
    assert!(again.contains("--- FAIL: FuzzNo/"), "what was found is tried again: {again}");
    std::fs::remove_dir_all(ground.place().join("testdata")).unwrap();
    let nothing = run("test -vet=off -fuzz=Nothing -fuzztime=1x .").stdout;
    assert!(!nothing.contains("(cached)") && nothing.contains("no fuzz tests to fuzz"), "{nothing}");

    let corpus = cache.join("fuzz");
    std::fs::create_dir_all(corpus.join("example.com/fuzzed/FuzzNo")).unwrap();
    assert_eq!(run("clean -fuzzcache").status, Some(0));
    assert!(!corpus.exists());
}

/// The actions of a graph, each with those that it needs, by mode and package.
fn actions(file: &Path) -> BTreeSet<(String, BTreeSet<String>)> {
    let list: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let list = list.as_array().unwrap();
    // Go's folders have other names.
    let work = Regex::new(r"/\S*/go-build\d+/b\d+/").unwrap();
    let name = |action: &serde_json::Value| {
        let text = |field: &str| action[field].as_str().unwrap().to_owned();
        format!("{} {}", work.replace(&text("Mode"), "FOLDER"), text("Package"))
    };
    let is_done = |action: &serde_json::Value| {
        let time = |field: &str| action[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        time("TimeReady") <= time("TimeStart") && time("TimeStart") <= time("TimeDone")
    };
    list.iter()
        .map(|action| {
            assert!(is_done(action), "{action}");
            let needs = action["Deps"].as_array().into_iter().flatten();
            let needs = needs.map(|need| name(&list[usize::try_from(need.as_u64().unwrap()).unwrap()]));
            (name(action), needs.collect())
        })
        .collect()
}

/// The graph of a build has the actions of go.
fn check_graphs(ground: &Ground) {
    ground.lay(FILES);
    for line in [
        "build -o out/hello ./cmd/hello",
        "build ./cmd/hello ./lib",
        "install ./cmd/two",
        "run ./cmd/hello",
        "build -cover ./cmd/...",
        "vet ./lib ./cmd/hello",
        "test ./lib ./cmd/two",
        "test -c -o out/ ./lib",
    ] {
        let (verb, rest) = line.split_once(' ').unwrap();
        let graphs = BOTH.map(|who| {
            let line = format!("{verb} -debug-actiongraph={who:?}.json {rest}");
            let Outcome { stderr, status, .. } = ground.run(who, &line);
            assert_eq!(status, Some(0), "{line}: {stderr}");
            actions(&ground.place().join(format!("{who:?}.json")))
        });
        assert_eq!(graphs[1], graphs[0], "{line}");
    }
}

/// Where no test is run, nothing is compiled for what would be counted in it.
fn check_coverage(ground: &Ground) {
    let files = FILES.replace("return 42", "return 40 + 2");
    let counts = BOTH.map(|who| {
        ground.lay(&files);
        let outcome = ground.run(who, "test -c -n -coverpkg=./lib ./lib");
        let is_compiled = |line: &&str| line.contains("/compile -o ") && line.contains("/m/lib ");
        (outcome.stdout.clone() + &outcome.stderr).lines().filter(is_compiled).count()
    });
    assert_eq!(counts, [1, 1]);
}
