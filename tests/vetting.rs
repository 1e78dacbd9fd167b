//! Vetting beside the real go command: the same words in the same folder find the same, with the same exit status, and what
//! one has vetted the other does not vet again. Both have one build cache, which go fills.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_harness::beside::{BOTH, Ground, Outcome, Who, differences};

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
    let Some(ground) = Ground::new("vetting", Path::new(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    let cache = ground.home().join("cache");
    let ground = ground.sharing(&cache);
    std::fs::copy(vet_tool(ground.go().root()), ground.home().join("other")).unwrap();
    let [theirs, ours] = BOTH.map(|who| {
        let outcomes = ground.all(who, FILES, &LINES);
        outcomes.into_iter().map(Outcome::sorted).collect::<Vec<_>>()
    });
    let differences = differences(&LINES, &theirs, &ours);
    assert!(differences.is_empty(), "{differences}");

    ground.lay(FILES);
    for (first, second, flag) in [(Who::Go, Who::Modkeep, "-assign"), (Who::Modkeep, Who::Go, "-bools")] {
        let [first, second] = [first, second].map(|who| {
            let Outcome { stderr, status, .. } = ground.run(who, &format!("vet -x {flag} ./wrap"));
            assert_eq!(status, Some(0), "{who:?}: {stderr}");
            stderr.lines().filter(|line| line.contains("vet.cfg") && line.starts_with("TERM=")).count()
        });
        assert!(first > 10 && second == 0, "{flag}: the first vets {first}, the second {second}");
    }
}

/// The toolchain's vet tool, for the platform that it runs on.
fn vet_tool(root: &Path) -> std::path::PathBuf {
    let tools = std::fs::read_dir(root.join("pkg/tool")).unwrap();
    tools.map(|folder| folder.unwrap().path().join("vet")).find(|file| file.exists()).unwrap()
}
