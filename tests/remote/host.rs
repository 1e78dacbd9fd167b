//! Packages of anybody that have C: shared between machines whose compilers, headers and libraries are the same, and with no
//! other.

use std::path::Path;
use std::process::Command;

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{kept_folder, skip};

use super::{Machine, PROGRAM, said, write};

const SOURCES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- main.go --
package main

import (
	\"example.com/m/closed\"
	\"example.com/m/open\"
)

func main() { println(closed.Length(), open.Length()) }
-- closed/closed.go --
package closed

// #cgo LDFLAGS: -lm
// #include \"own.h\"
import \"C\"

func Length() int { return int(C.own_length()) }
-- closed/own.h --
#include <string.h>
int own_length(void);
-- closed/own.c --
#include \"own.h\"
int own_length(void) { return (int)strlen(\"seven..\"); }
-- open/open.go --
package open

// #include \"in/open.h\"
import \"C\"

func Length() int { return C.LENGTH }
-- open/in/open.h --
#define LENGTH 3
";
const BUILD: [&str; 5] = ["build", "-x", "-trimpath", "-o", "out"];
/// Has another file in the place of a header, for one program and all that it starts.
const OTHER_HEADER: &str = r#"mount --bind "$0" /usr/include/string.h && exec "$@""#;

fn compiled(script: &str, package: &str) -> bool {
    let path = format!("-importpath example.com/m/{package} ");
    script.lines().any(|line| line.contains("/cgo ") && line.contains(&path))
}

fn build(machine: &Machine, package: &str) -> String {
    said(&machine.modkeep(&[&BUILD[..], &[package]].concat())).unwrap()
}

#[test]
fn c_of_anybody_is_shared_where_the_host_is_the_same() {
    let test = "C that machines share";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    if Command::new("gcc").arg("--version").output().is_err() {
        return skip(test, &"no gcc here");
    }
    let all = tempfile::tempdir().unwrap();
    let shelf = all.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let machine = |name: &str| {
        let machine = Machine::with_sources(all.path(), name, &go, SOURCES).with("CGO_ENABLED", "1");
        machine
            .with("MODKEEP_REMOTE", shelf.to_str().unwrap())
            .with("MODKEEP_REMOTE_MODE", "rw")
            .with("CC", "gcc")
    };
    // Of this one's cache the standard library stays from run to run.
    let first = machine("first").with("GOCACHE", kept_folder().join("beside-cache").to_str().unwrap());
    let script = build(&first, ".");
    assert!(script.contains("bytes sent"), "{script}");

    let second = machine("second");
    let script = build(&second, ".");
    assert!(!compiled(&script, "closed"), "the same host has it:\n{script}");
    assert!(compiled(&script, "open"), "what a key doesn't tell is shared with nobody:\n{script}");
    let run = Command::new(second.home.join("src/out")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stderr), "7 3\n");
    let third = machine("third");
    third.edit("closed/own.h", "int own_length(void);", "int  own_length(void);");
    let script = build(&third, "./closed");
    assert!(compiled(&script, "closed"), "a header of its own is another:\n{script}");

    // A compiler that is no known program may do anything: what the first makes with it the second doesn't take.
    let compiler = all.path().join("cc");
    write(&compiler, b"#!/bin/sh\nexec gcc \"$@\"\n");
    make_executable(&compiler);
    for name in ["fourth", "fourth-again"] {
        let script = build(&machine(name).with("CC", compiler.to_str().unwrap()), "./closed");
        assert!(compiled(&script, "closed"), "{name}: {script}");
    }
    // A file that nobody includes could be included.
    let fifth = machine("fifth");
    write(&fifth.home.join("src/closed/own_windows.h"), b"");
    let script = build(&fifth, "./closed");
    assert!(compiled(&script, "closed"), "{script}");

    check_other_header(&machine("sixth"), all.path());
}

/// A host of which one header has one blank more is another host.
fn check_other_header(machine: &Machine, all: &Path) {
    let header = Path::new("/usr/include/string.h");
    let Ok(mut text) = std::fs::read(header) else {
        return skip("C on a host with another header", &"no /usr/include/string.h");
    };
    text.push(b'\n');
    let other = all.join("string.h");
    write(&other, &text);
    let mut command = machine.command(Modkeep::command(Path::new("unshare"), &machine.home));
    command.args(["--map-root-user", "--mount", "sh", "-c", OTHER_HEADER]).arg(&other).arg(PROGRAM);
    command.args(BUILD).arg("./closed");
    let output = Modkeep::output(command);
    let script = said(&output).unwrap_or_else(|text| text);
    if script.contains("unshare:") || script.contains("mount:") {
        return skip("C on a host with another header", &script);
    }
    assert!(output.status.success() && compiled(&script, "closed"), "{script}");
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
