//! What compilers say of packages that they compile all the same.

use modkeep_harness::beside::{BOTH, Outcome};

use crate::ground;

const FILES: &str = "\
-- go.mod --
module ex.com/m

go 1.26
-- dep/dep.go --
package dep

/*
#warning \"said by the C compiler\"
static int one(void) { return 1; }
*/
import \"C\"

func One() int { return int(C.one()) }
-- main.go --
package main

import \"ex.com/m/dep\"

func main() { println(dep.One()) }
";

/// What was said of the folder.
fn warned(outcome: &Outcome) -> Vec<&str> {
    outcome.stderr.lines().filter(|line| line.contains("#warning")).collect()
}

#[test]
fn a_c_compiler_warns_when_it_compiles_and_not_again() {
    let Some(ground) = ground("warnings of C compilers") else { return };
    let ground = ground.with_caches();
    let lines = [
        "build -o x .",
        "build -o x .",
        "build ./dep",
        "vet ./...",
        "sh: rm x",
        "build -o x .",
        "build -o y -ldflags=-s .",
        "sh: echo // >>dep/dep.go",
        "build ./...",
        "run .",
    ];
    let [theirs, ours] = BOTH.map(|who| ground.all(who, FILES, &lines));
    for ((line, theirs), ours) in lines.iter().zip(&theirs).zip(&ours) {
        assert_eq!((warned(ours), ours.status), (warned(theirs), theirs.status), "{line}");
    }
    assert!(!warned(&theirs[0]).is_empty() && warned(&theirs[1]).is_empty(), "{theirs:?}");
}
