//! Files that go's keys don't name: an assembler and a C compiler include headers of any folder. Go doesn't notice that one of them
//! changed; whatever compiles the package after that does, and so do we.

use modkeep_harness::beside::{BOTH, Who, differences};

use crate::ground;

const FILES: &str = "\
-- go.mod --
module ex.com/m

go 1.26
-- include/value.h --
#define VALUE 1
-- assembled/assembled.go --
package assembled

import \"ex.com/m/below\"

func value() int

func Value() int { return value() * 10 + below.One() }
-- assembled/value_amd64.s --
#include \"textflag.h\"
#include \"../include/value.h\"

TEXT ·value(SB),NOSPLIT,$0-8
	MOVQ $VALUE, ret+0(FP)
	RET
-- assembled/value_arm64.s --
#include \"textflag.h\"
#include \"../include/value.h\"

TEXT ·value(SB),NOSPLIT,$0-8
	MOVD $VALUE, R0
	MOVD R0, ret+0(FP)
	RET
-- cgo/cgo.go --
package cgo

/*
#include \"../include/value.h\"
static int value(void) { return VALUE; }
*/
import \"C\"

import \"ex.com/m/below\"

func Value() int { return int(C.value()) * 10 + below.One() }
-- below/below.go --
package below

//go:noinline
func One() int { return 1 }
-- main.go --
package main

import (
	\"ex.com/m/assembled\"
	\"ex.com/m/cgo\"
)

func main() { println(assembled.Value(), cgo.Value()) }
";

/// What is looked at more closely when it was written just now.
const AGE: &str = "sh: find . -type f -exec touch -d '1 hour ago' {} +";

#[test]
fn a_package_that_is_compiled_again_is_made_from_what_it_includes_now() {
    let Some(ground) = ground("files that no key names") else { return };
    let ground = ground.with_caches();
    let lines = [
        AGE,
        "build -o p .",
        "build -o p .",
        "sh: ./p",
        "sh: echo '#define VALUE 2' >include/value.h",
        AGE,
        "build -o p .",
        "sh: ./p",
        "sh: sed -i 's/return 1/return 3/' below/below.go",
        AGE,
        "build -o p .",
        "sh: ./p",
    ];
    let [theirs, ours] = BOTH.map(|who| ground.all(who, FILES, &lines));
    let differences = differences(&lines, &theirs, &ours);
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(ours[11].stderr, "23 23\n");

    // Somebody else compiles both packages again, with another header; the program is where it was.
    let lines = ["sh: echo '#define VALUE 4' >include/value.h", AGE, "build -o p .", "sh: ./p"];
    lines.iter().for_each(|line| drop(ground.run(Who::Modkeep, line)));
    let export = ground.run(Who::Modkeep, "list -export -f {{.Export}} ./assembled ./cgo").stdout;
    let cache = ground.home().join("cache-of-Modkeep");
    for archive in export.lines() {
        std::fs::remove_file(archive.replace("CACHE", &cache.display().to_string())).unwrap();
    }
    let by_go = ground.run(Who::Go, &format!("GOCACHE={} build -o by-go .", cache.display()));
    assert_eq!((by_go.status, by_go.stderr.as_str()), (Some(0), ""));
    for _ in 0..2 {
        ground.run(Who::Modkeep, "build -o p .");
        assert_eq!(ground.run(Who::Modkeep, "sh: ./p").stderr, "43 43\n");
    }
}
