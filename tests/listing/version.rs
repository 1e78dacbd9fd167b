//! `version`: what programs tell about how they were built, and what is said of files that are none.

use crate::ground;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- main.go --
package main

func main() {}
-- text --
none
-- runs.exe --
none that is longer than sixteen bytes
";

#[test]
fn what_programs_tell_is_what_go_reads() {
    let Some(ground) = ground("version") else { return };
    let testdata = format!("{}/src/debug", ground.go().root().display());
    let below =
        ["elf", "pe", "macho", "buildinfo", "plan9obj"].map(|kind| format!("{testdata}/{kind}/testdata"));
    let files = format!("version -v -m {}", below.join(" "));
    let tool = format!(
        "version -m -json {}/bin/go {}/bin/gofmt",
        ground.go().root().display(),
        ground.go().root().display()
    );
    ground.with_caches().check(
        FILES,
        &[
            "build -o out/a .",
            "build -o out/sub/b -ldflags=-s -trimpath .",
            "version out/a",
            "version -m out/a out/sub/b",
            "version -m -json out/a",
            "version -m .",
            "version -v out text",
            "version -m text",
            "version runs.exe nowhere out/a",
            "version -m",
            "version -v",
            "version -json",
            "version -json out/a",
            "version -x",
            "version",
            "sh: ln -s a out/link; ln -s nowhere out/lost; chmod +x text",
            "version out",
            "version -v out",
            "version text",
            &files,
            &tool,
        ],
    );
}
