//! What only one machine sees is its own: files that `-overlay` shows to an assembler.

use modkeep_conformance::go::Go;
use modkeep_harness::place::{kept_folder, skip};
use modkeep_harness::tree;

use super::{Machine, compiles, said, write};

const SOURCES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- main.go --
package main

import \"example.com/m/sum\"

func main() { println(sum.Answer()) }
-- sum/sum.go --
package sum

func Answer() int
-- sum/answer.h --
#define ANSWER 42
-- sum/sum_amd64.s --
#include \"answer.h\"

TEXT ·Answer(SB), 7, $0-8
	MOVQ $ANSWER, ret+0(FP)
	RET
-- sum/sum_arm64.s --
#include \"answer.h\"

TEXT ·Answer(SB), 7, $0-8
	MOVD $ANSWER, R0
	MOVD R0, ret+0(FP)
	RET
";
const BUILD: [&str; 5] = ["build", "-x", "-trimpath", "-o", "out"];

fn answer(machine: &Machine) -> String {
    let run = std::process::Command::new(machine.home.join("src/out")).output().unwrap();
    String::from_utf8(run.stderr).unwrap()
}

#[test]
fn assembly_under_an_overlay_is_shared_with_nobody() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("assembly under an overlay", &missing),
    };
    let all = tempfile::tempdir().unwrap();
    let shelf = all.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let machine = |name: &str| {
        let machine = Machine::with_sources(all.path(), name, &go, SOURCES);
        machine.with("MODKEEP_REMOTE", shelf.to_str().unwrap()).with("MODKEEP_REMOTE_MODE", "rw")
    };
    let plain = [&BUILD[..], &["."]].concat();
    let overlaid = [&BUILD[..], &["-overlay=../overlay.json", "."]].concat();
    // What is seen as the assembly is the same everywhere; what that includes is each machine's own.
    let arch = std::env::consts::ARCH.replace("x86_64", "amd64").replace("aarch64", "arm64");
    let name = format!("sum/sum_{arch}.s");
    let lay = |machine: &Machine, header: &str| {
        write(&machine.home.join("near.h"), header.as_bytes());
        let text = std::fs::read_to_string(machine.home.join("src").join(&name)).unwrap();
        let other = machine.home.join("other.s");
        write(&other, text.replace("answer.h", "../../near.h").as_bytes());
        let overlay = format!(r#"{{"Replace": {{"{name}": "{}"}}}}"#, other.display());
        write(&machine.home.join("overlay.json"), overlay.as_bytes());
    };
    // Of this one's cache the standard library stays from run to run.
    let first = machine("first").with("GOCACHE", kept_folder().join("beside-cache").to_str().unwrap());
    lay(&first, "#define ANSWER 7\n");
    let script = said(&first.modkeep(&overlaid)).unwrap();
    assert_eq!(answer(&first), "7\n", "{script}");
    let of_sum =
        |script: &str| script.lines().filter(|line| line.contains("/asm ") && line.contains("/sum")).count();

    // The others have the same sources but for that header.
    let second = machine("second");
    lay(&second, "#define ANSWER 8\n");
    let script = said(&second.modkeep(&overlaid)).unwrap();
    assert_eq!(answer(&second), "8\n", "{script}");
    assert!(of_sum(&script) > 0, "assembled here:\n{script}");
    let third = machine("third");
    let script = said(&third.modkeep(&plain)).unwrap();
    assert_eq!(answer(&third), "42\n", "{script}");
    assert!(of_sum(&script) > 0, "assembled here:\n{script}");
    // Without one it is shared.
    let fourth = machine("fourth");
    let script = said(&fourth.modkeep(&plain)).unwrap();
    assert_eq!((answer(&fourth).as_str(), compiles(&script)), ("42\n", 0), "{script}");
    // Nor is there a word on the shelf of the folder that the overlay was in.
    let telling = tree::files(&shelf).into_iter().filter(|file| {
        let content = std::fs::read(file).unwrap();
        memchr::memmem::find(&content, b"near.h").is_some()
    });
    assert_eq!(telling.count(), 0);
}
