//! Verbs that build, beside the real go command: the same words in the same folder leave the same output, exit status
//! and files, byte for byte. Both have one build cache, which go fills, so that the second of them compiles little.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use modkeep_harness::tree;
use modkeep_harness::txtar::Txtar;
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
const LINES: [&str; 48] = [
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
    "build ./broken ./user",
    "build ./lost",
    "build ./only",
    "build ./two",
    "build ./nowhere",
    "build -gcflags=-x=y=z -nope ./lib",
];

#[test]
fn what_is_built_and_said_is_what_go_builds_and_says() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("building", &missing),
    };
    let home = tempfile::tempdir().unwrap();
    let tool = "package main\n\nimport \"ex.com/word\"\n\nfunc main() { println(word.Word) }\n";
    let word = "package word\n\nconst Word = \"word\"\n";
    Tree::default()
        .with(Module::new("ex.com/tool", "v1.0.0").requires("ex.com/word", "v1.0.0").file("main.go", tool))
        .with(Module::new("ex.com/untidy", "v1.0.0").file("main.go", tool))
        .with(Module::new("ex.com/word", "v1.0.0").file("word.go", word))
        .write_to(&home.path().join("proxy"));
    // Written before all else, so that its files are old enough to be remembered in the end.
    let old = home.path().join("old");
    Txtar::parse(FILES.as_bytes()).extract(&old).unwrap();
    // Both work in a folder of the same name, one after the other, so that absolute paths are equal too.
    let outcomes = ["go", "modkeep"].map(|who| {
        let place = home.path().join("w");
        Txtar::parse(FILES.as_bytes()).extract(&place).unwrap();
        let outcomes = LINES.map(|line| {
            let command = if who == "go" { go.command() } else { modkeep(&go, home.path()) };
            run(command, &place, home.path(), line)
        });
        std::fs::remove_dir_all(&place).unwrap();
        outcomes
    });
    let [theirs, ours] = outcomes;
    let mut differences = String::new();
    for ((line, theirs), ours) in LINES.iter().zip(theirs).zip(ours) {
        if ours != theirs {
            differences.push_str(&format!("{line}\n  go {theirs:?}\n  we {ours:?}\n"));
        }
    }
    assert!(differences.is_empty(), "{differences}");
    check_programs_come_back(&go, home.path(), &old);
    // The build cache is warm.
    check_graphs(&go, home.path());
    check_coverage(&go, home.path());
    check_fuzzing(&go, home.path());
}

/// A program that is gone, or of another branch, is what go links, whether or not what is kept of it is whole.
#[allow(clippy::disallowed_methods, reason = "files of a test need not be durable")]
fn check_programs_come_back(go: &Go, home: &Path, place: &Path) {
    let (program, main) = (place.join("out"), place.join("cmd/hello/main.go"));
    let build = |who: &str| {
        let command = if who == "go" { go.command() } else { modkeep(go, home) };
        let (stdout, stderr, status, _) = run(command, place, home, "build -trimpath -o out ./cmd/hello");
        assert_eq!((stdout.as_str(), stderr.as_str(), status), ("", "", Some(0)), "{who}");
        std::fs::read(&program).unwrap()
    };
    let of_go = build("go");
    std::fs::remove_file(&program).unwrap();
    for what in ["linked", "taken", "and again"] {
        assert!(build("modkeep") == of_go, "{what}");
        std::fs::remove_file(&program).unwrap();
    }
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("hello", "other")).unwrap();
    assert!(build("modkeep") != of_go, "another branch");
    std::fs::write(&main, &text).unwrap();
    assert!(build("modkeep") == of_go, "the branch is back");

    std::fs::remove_file(&program).unwrap();
    let results = tree::files(&home.join("gocache/modkeep-results")).into_iter();
    let kept: Vec<PathBuf> = results.filter(|file| std::fs::read(file).unwrap() == of_go).collect();
    assert!(!kept.is_empty(), "a program that was linked is kept");
    for file in kept {
        let mut damaged = of_go.clone();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(&file, damaged).unwrap();
    }
    assert!(build("modkeep") == of_go, "linked again, since what was kept is damaged");
    assert!(build("go") == of_go);
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
fn check_fuzzing(go: &Go, home: &Path) {
    let place = home.join("fuzzed");
    Txtar::parse(FUZZED.as_bytes()).extract(&place).unwrap();
    let run = |who, line: &str| {
        let command = if who == "go" { go.command() } else { modkeep(go, home) };
        run(command, &place, home, line)
    };
    let program = place.join("fuzzed.test");
    let compiled = ["go", "modkeep"].map(|who| {
        run(who, "test -c -fuzz=No");
        let program_bytes = std::fs::read(&program).unwrap();
        std::fs::remove_file(&program).unwrap();
        program_bytes
    });
    assert!(compiled[0] == compiled[1], "the programs differ");

    let (stdout, stderr, status, files) = run("modkeep", "test -vet=off -fuzz=No -fuzztime=1000x .");
    assert_eq!(status, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("Failing input written to testdata/fuzz/FuzzNo/"), "{stdout}");
    let found = place.join("testdata/fuzz/FuzzNo");
    assert_eq!(files.keys().filter(|file| file.starts_with(&found)).count(), 1, "{files:?}");
    let (stdout, ..) = run("modkeep", "test -vet=off .");
    assert!(stdout.contains("--- FAIL: FuzzNo/"), "what was found is tried again: {stdout}");
    std::fs::remove_dir_all(place.join("testdata")).unwrap();
    let (stdout, ..) = run("modkeep", "test -vet=off -fuzz=Nothing -fuzztime=1x .");
    assert!(!stdout.contains("(cached)") && stdout.contains("no fuzz tests to fuzz"), "{stdout}");

    let corpus = home.join("gocache/fuzz");
    std::fs::create_dir_all(corpus.join("example.com/fuzzed/FuzzNo")).unwrap();
    assert_eq!(run("modkeep", "clean -fuzzcache").2, Some(0));
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
fn check_graphs(go: &Go, home: &Path) {
    let place = home.join("graphs");
    Txtar::parse(FILES.as_bytes()).extract(&place).unwrap();
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
        let graphs = ["go", "modkeep"].map(|who| {
            let command = if who == "go" { go.command() } else { modkeep(go, home) };
            let line = format!("{verb} -debug-actiongraph={who}.json {rest}");
            let (_, stderr, status, _) = run(command, &place, home, &line);
            assert_eq!(status, Some(0), "{line}: {stderr}");
            actions(&place.join(format!("{who}.json")))
        });
        assert_eq!(graphs[1], graphs[0], "{line}");
    }
}

/// Where no test is run, nothing is compiled for what would be counted in it.
fn check_coverage(go: &Go, home: &Path) {
    let place = home.join("covered");
    Txtar::parse(FILES.as_bytes()).extract(&place).unwrap();
    let counts = ["go", "modkeep"].map(|who| {
        let command = if who == "go" { go.command() } else { modkeep(go, home) };
        let (stdout, stderr, ..) = run(command, &place, home, "test -c -n -coverpkg=./lib ./lib");
        let is_compiled = |line: &&str| line.contains("/compile -o ") && line.contains("/m/lib ");
        (stdout + &stderr).lines().filter(is_compiled).count()
    });
    assert_eq!(counts, [1, 1]);
}

fn modkeep(go: &Go, home: &Path) -> Command {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.env("GOROOT", go.root());
    command
}

/// Output, status, and the sizes and digests of the files afterwards.
type Outcome = (String, String, Option<i32>, BTreeMap<PathBuf, String>);

fn run(mut command: Command, place: &Path, home: &Path, line: &str) -> Outcome {
    command.current_dir(place).env("PWD", place).args(line.split_whitespace());
    command.env("HOME", home).env("GOPATH", home.join("gopath")).env("GOENV", "off");
    command.env("GOCACHE", home.join("gocache")).env("GOBIN", place.join("installed"));
    command
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", format!("file://{}/proxy", home.display()))
        .env("GOSUMDB", "off")
        .env("GOFLAGS", "")
        .env("GOWORK", "off");
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // What the first has downloaded is there for the second.
    let is_told = |line: &&str| !line.starts_with("go: downloading ");
    let stderr = text(stderr).split_inclusive('\n').filter(is_told).collect();
    (untimed(&text(stdout)), stderr, status.code(), tree::contents(place))
}

/// The text with `TIME` where a test says how long it took, or an event when it was.
fn untimed(text: &str) -> String {
    let events = Regex::new(r#"("Time":)"[^"]*"|("Elapsed":)[0-9.e-]+|(\\t|\()[0-9.]+s"#).unwrap();
    if text.starts_with('{') {
        return events.replace_all(text, "$1$2${3}TIME").into_owned();
    }
    let is_time = |word: &str| {
        let number = word.trim_matches(['(', ')']).strip_suffix('s');
        number.is_some_and(|number| number.contains('.') && number.parse::<f64>().is_ok())
    };
    let words = text.split_inclusive(['\t', ' ', '\n']);
    words
        .map(|word| {
            let end = word.trim_end_matches(['\t', ' ', '\n']).len();
            if is_time(&word[..end]) { format!("TIME{}", &word[end..]) } else { word.to_owned() }
        })
        .collect()
}
