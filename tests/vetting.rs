//! Vetting beside the real go command: the same words in the same folder find the same, with the same exit status, and what
//! one has vetted the other does not vet again. Both have one build cache, which go fills.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_conformance::go::Go;
use modkeep_harness::lines::{differences, run};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use modkeep_harness::txtar::Txtar;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- bare/bare.go --
package bare

func F(x int) int {
	x = x
	return x
}
-- broken/broken.go --
package broken

func F() int { return undefined }
-- fixable/fixable.go --
package fixable

import \"fmt\"

func F(s string) string { return fmt.Sprintf(s) }
-- inner/inner.go --
package inner
-- inner/inner_test.go --
package inner

import \"testing\"

func TestF(t *testing.T) { t.Logf(\"%d\", \"in\") }
-- lib/lib.go --
package lib

func F() int { return 1 }
-- lost/lost.go --
package lost

import _ \"example.com/nowhere/p\"
-- outer/outer.go --
package outer
-- outer/outer_test.go --
package outer_test

import \"testing\"

func TestF(t *testing.T) { t.Logf(\"%d\", \"out\") }
-- syntax/syntax.go --
package syntax

func F( {}
-- user/user.go --
package user

import \"example.com/m/wrap\"

func F() { wrap.Logf(\"%d\", \"x\") }
-- wrap/wrap.go --
package wrap

import \"fmt\"

func Logf(format string, args ...any) { fmt.Printf(format, args...) }
";

/// What each leaves; `../other` is a vet tool that is not the toolchain's.
const LINES: [&str; 31] = [
    "vet ./lib",
    "vet ./bare ./lib",
    "vet ./user",
    "vet ./inner",
    "vet ./outer",
    "vet -json ./user",
    "vet -c=1 ./user",
    "vet -assign=false ./bare",
    "vet -assign ./bare",
    "GOFLAGS=-assign=false vet ./bare",
    "GOFLAGS=-nope vet ./bare",
    "vet ./broken",
    "vet ./syntax",
    "vet ./lost",
    "vet ./nowhere",
    "vet -nope ./lib",
    "vet -c=x ./lib",
    "vet -json=maybe ./lib",
    "vet -p=x ./lib",
    "vet -h",
    "vet -diff ./lib",
    "vet -fix -diff ./fixable",
    "vet -fix ./fixable",
    "vet -vettool=../other ./bare",
    "vet -vettool=/nowhere ./bare",
    "test ./user",
    "test -json ./inner",
    "test -vet=off ./inner",
    "test -vet=bools,xyz ./lib",
    "test -vet=assign ./bare",
    "test -c -o out/ ./inner",
];

#[test]
fn what_is_found_is_what_go_finds_and_neither_vets_what_the_other_has_vetted() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("vetting", &missing),
    };
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("w");
    std::fs::copy(vet_tool(go.root()), home.path().join("other")).unwrap();
    let command = |who: &str| match who {
        "go" => go.command(),
        _ => {
            let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home.path());
            command.env("GOROOT", go.root());
            command
        }
    };
    // Both work in a folder of the same name, one after the other, so that absolute paths are equal too.
    let outcomes = ["go", "modkeep"].map(|who| {
        Txtar::parse(FILES.as_bytes()).extract(&place).unwrap();
        let outcomes = LINES.map(|line| run(command(who), home.path(), line));
        std::fs::remove_dir_all(&place).unwrap();
        outcomes
    });
    let [theirs, ours] = outcomes;
    let differences = differences(&LINES, &theirs, &ours);
    assert!(differences.is_empty(), "{differences}");

    Txtar::parse(FILES.as_bytes()).extract(&place).unwrap();
    for (first, second, flag) in [("go", "modkeep", "-assign"), ("modkeep", "go", "-bools")] {
        let [first, second] = [first, second].map(|who| {
            let (_, told, status, _) = run(command(who), home.path(), &format!("vet -x {flag} ./wrap"));
            assert_eq!(status, Some(0), "{who}: {told:?}");
            told.iter().filter(|line| line.contains("vet.cfg") && line.starts_with("TERM=")).count()
        });
        assert!(first > 10 && second == 0, "{flag}: the first vets {first}, the second {second}");
    }
}

/// The toolchain's vet tool, for the platform that it runs on.
fn vet_tool(root: &Path) -> std::path::PathBuf {
    let tools = std::fs::read_dir(root.join("pkg/tool")).unwrap();
    tools.map(|folder| folder.unwrap().path().join("vet")).find(|file| file.exists()).unwrap()
}
