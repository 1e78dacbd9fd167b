//! Unusual words beside the real go command: the same line in the same folder says, leaves and ends the same.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use modkeep_harness::beside::{BOTH, Ground, Outcome, differences};
use modkeep_harness::place::{full_run, program};

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- cmd/one/main.go --
package main

import \"example.com/m/lib\"

func main() { println(lib.F()) }
-- cmd/two/a.go --
package main

func main() { println(b()) }
-- cmd/two/b.go --
package main

func b() int { return 2 }
-- cmd/two/two --
built
-- cmd/two/x.o --
an object
-- debug/debug.go --
//go:debug nope=1
package main

func main() {}
-- lib/lib.go --
// Package lib is small.
package lib

func F() int { return 1 }
-- lib/lib_test.go --
package lib

import \"testing\"

func TestF(t *testing.T) { t.Log(F()) }
-- lib/lib.test --
a test
-- half/half.go --
package half
-- half/half_test.go --
package half

func TestF() { x := := 1 }
-- marks/marks_test.go --
package marks

import (
	\"os\"
	\"path/filepath\"
	\"testing\"
)

func TestMark(t *testing.T) {
	t.Log(filepath.SplitList(os.Getenv(\"PATH\"))[0])
	if _, err := os.Stat(\"mark\"); err == nil {
		t.Fatal(\"the mark is there\")
	}
	os.WriteFile(\"mark\", nil, 0o666)
}
-- leaves/leaves_test.go --
package leaves

import (
	\"os\"
	\"os/exec\"
	\"testing\"
)

func TestLeaves(t *testing.T) {
	command := exec.Command(\"sleep\", \"3\")
	command.Stdout = os.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
}
-- typo/typo.go --
package typo
-- typo/typo_test.go --
package typo

ʕ◔ϖ◔ʔ
";

/// What is refused, listed or cleaned without building much.
const LINES: [&str; 103] = [
    "build -p 0 ./lib",
    "build -p=-1 ./lib",
    "build -p x ./lib",
    "build -p= ./lib",
    "build -p 1_0 ./lib",
    "build -p 0x2 ./lib",
    "build -p 99999999999999999999 ./lib",
    "build -tags 'a b,c' ./lib",
    "build -toolexec /nowhere/tool -a ./lib",
    "build cmd/one/main.go cmd/two/a.go",
    "build cmd/two/a.go lib",
    "build nowhere.go",
    "build ./debug",
    "build ./cmd/two -C .",
    "build lib/lib_test.go",
    "build -o out lib/lib_test.go",
    "install lib/lib_test.go",
    "build -toolexec /bin/false -json ./lib",
    "test -toolexec /bin/false ./lib",
    "test -toolexec /bin/false -json ./lib",
    "-C cmd/two list",
    "-C=lib list -f {{.Name}}",
    "-C /nowhere build",
    "GOBIN=rel install ./cmd/two",
    "run nowhere.go",
    "run ./lib",
    "run -exec /nowhere/wrapper ./cmd/two",
    "test -count=x ./lib",
    "test -count= ./lib",
    "test -count 1.5 ./lib",
    "test -count 99999999999999999999 ./lib",
    "test -parallel=x ./lib",
    "test -timeout=5 ./lib",
    "test -timeout=1d ./lib",
    "test -timeout=x ./lib",
    "test -shuffle=x ./lib",
    "test -shuffle=99999999999999999999 ./lib",
    "test -v=x ./lib",
    "test -short=x ./lib",
    "test -json=x ./lib",
    "test -failfast=2 ./lib",
    "test -benchmem=maybe ./lib",
    "test -vet=x ./lib",
    "test -covermode=x ./lib",
    "test -fuzz . ./lib ./half",
    "test -o out ./lib ./half",
    "test -c -unknown ./lib",
    "test ./nowhere",
    "test nowhere.go",
    "test ./half",
    "test -json ./half",
    "test ./typo ./half",
    "vet ./half ./typo",
    "list -test ./half",
    "list -find -json=Name,Imports,TestImports,XTestImports ./lib ./half",
    "list -e -export -toolexec /bin/false ./lib",
    "list -e -test -f '{{.ImportPath}} {{.Error}}' ./typo",
    "list -e -test -json=ImportPath,Error,Incomplete ./half",
    "list ''",
    "list -e ''",
    "list all",
    "list ...",
    "list vendor/golang.org/x/net/...",
    "list ./.../two",
    "list ./nowhere/...",
    "list ../nowhere/...",
    "list /nowhere/...",
    "list unsafe C builtin",
    "list -tags 'a b,c' ./lib",
    "list -f '{{context}}' ./lib",
    "list -f '{{context.ToolTags}} {{context.InstallSuffix}}' ./lib",
    "list -race -f '{{context.ToolTags}} {{context.InstallSuffix}}' ./lib",
    "list -f '{{context.Nope}}' ./lib",
    "list -f '{{module \"example.com/m\"}} {{module \"x\"}}{{with module \"x\"}} {{.Error.Err}}{{end}}' ./lib",
    "list -f '{{html .Dir}} {{js .Doc}} {{urlquery .Doc}} {{printf \"%T\" .ImportMap}}' ./lib",
    "list -f '{{define \"a\"}}<{{.}}>{{end}}{{template \"a\" .Name}}{{block \"b\" .Doc}}[{{.}}]{{end}}' ./lib",
    "list -f '{{template \"nope\"}}' ./lib",
    "list -f '{{range .GoFiles}}{{.}}{{break}}{{end}}{{break}}' ./lib",
    "list -f '{{call .Name}}' ./lib",
    "list -f '{{index .GoFiles 9}}' ./lib",
    "list -f '{{range $k, $v := .ImportMap}}{{$k}}={{$v}}{{end}} {{len .ImportMap}}' net ./lib",
    "list -f '{{.}}' ./lib",
    "list -e -f '{{.}}' ./nowhere",
    "list -f '{{nope}}' ./lib",
    "list -f '{{' ./lib",
    "clean -n ./...",
    "clean -n",
    "clean -n -i ./cmd/two",
    "clean -n -r ./cmd/one",
    "clean nowhere",
    "clean -cache ./lib",
    "list -reuse=x ./lib",
    "list -reuse=x -f x -json ./lib",
    "clean -nope",
    "clean -x ./cmd/two ./lib",
    "tool nowhere",
    "tool -nope",
    "tool compile -nope",
    "version /nowhere",
    "vet -c=99999999999999999999 ./lib",
    "GOFLAGS=-nope build ./lib",
    "GOFLAGS=-tags=x list -f {{context.BuildTags}} ./lib",
    "GO111MODULE=x list ./lib",
];

/// What builds and runs programs; the last leave something behind.
const BUILDING: [&str; 20] = [
    "run ./cmd/two",
    "test -v ./marks",
    "test ./marks",
    "test -run Nothing ./marks",
    "test -run Nothing ./marks",
    "clean -testcache",
    "test -run Nothing ./marks",
    "test -C leaves -timeout=1s",
    "run cmd/two/a.go cmd/two/b.go",
    "test -count=-1 ./lib",
    "test -parallel=0 ./lib",
    "test -benchtime=x ./lib",
    "test -benchtime=0x ./lib",
    "test -cpu 0 ./lib",
    "test -exec /nowhere/wrapper ./lib",
    "test -exec nowhere-wrapper -json ./lib",
    "test -v -count=1 ./lib ./half",
    "test ./lib -unknown",
    "test -c -o out/ ./lib",
    "build -o out/ ./cmd/one ./cmd/two",
];

#[test]
fn unusual_words_have_the_same_answers_and_leave_the_same_files() {
    let Some(ground) = Ground::new("command lines", &program(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    let cache = ground.home().join("cache");
    let ground = ground.sharing(&cache);
    let building = if full_run() { &BUILDING[..] } else { &BUILDING[..8] };
    let lines = [&LINES[..], building].concat();
    let [theirs, ours] = BOTH.map(|who| {
        let outcomes = ground.all(who, FILES, &lines);
        outcomes.into_iter().map(Outcome::sorted).collect::<Vec<_>>()
    });
    let differences = differences(&lines, &theirs, &ours);
    assert!(differences.is_empty(), "{differences}");
}
