//! `tool`: tools of the toolchain and of go.mod.

use modkeep_harness::beside::Who;

use crate::ground;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26

tool example.com/m/cmd/say
tool example.com/m/a/two
tool example.com/m/b/two
-- cmd/say/main.go --
package main

import \"embed\"

var _ embed.FS

func main() { println(\"said\"); panic(1) }
-- a/two/main.go --
package main

func main() {}
-- b/two/main.go --
package main

func main() {}
";

#[test]
fn tools_are_found_and_run_as_go_does() {
    let Some(ground) = ground("tool") else { return };
    ground.with_caches().check(
        FILES,
        &[
            "tool",
            "tool compile -V",
            "tool -n compile -V=full",
            "tool asm -nope",
            "tool dist list",
            "tool dist list -json -broken",
            "tool nonsense",
            "tool Nonsense",
            "tool say",
            "tool example.com/m/cmd/say",
            "tool example.com/m/a/two",
            "tool -nope",
            "build -o out/two ./a/two",
            "sh: rm go.mod",
            "tool say",
        ],
    );
}

#[test]
fn the_build_id_of_a_program_is_told() {
    let Some(ground) = ground("tool buildid") else { return };
    let program = ground.go().root().join("bin/go");
    let outcome = ground.all(Who::Modkeep, "-- x --\n", &[&format!("tool buildid {}", program.display())]);
    let told = outcome[0].stdout.trim_end();
    assert_eq!(told.split('/').count(), 4, "{told}");
    assert_eq!(outcome[0].status, Some(0));
}
