//! `-overlay`: what is built, run, tested and listed through it, and that it leaves nothing behind.

use modkeep_harness::place::full_run;

use modkeep_harness::beside::Who;

use crate::ground;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- o.json --
{\"Replace\": {
	\"cmd/app/main.go\": \"laid/app_main\",
	\"lib/lib.go\": \"laid/lib\",
	\"lib/gone.go\": \"\",
	\"lib/data/a.txt\": \"laid/a\",
	\"lib/lib_test.go\": \"laid/test\",
	\"new/deep/deep.go\": \"laid/deep\",
	\"asm/add_amd64.s\": \"laid/add\",
	\"asm/add_arm64.s\": \"laid/add_arm\",
	\"c/c.go\": \"laid/cgo\",
	\"c/say.c\": \"laid/say\",
	\"c/say.h\": \"laid/say_header\"
}}
-- twice.json --
{\"Replace\": {\"./lib/lib.go\": \"laid/lib\", \"lib/lib.go\": \"laid/lib\"}}
-- cmd/app/about.txt --
The program is in the overlay.
-- laid/app_main --
package main

import (
	\"runtime\"

	\"example.com/m/asm\"
	\"example.com/m/lib\"
	\"example.com/m/new/deep\"
)

func main() {
	_, file, line, _ := runtime.Caller(0)
	println(lib.Word, deep.Word, lib.Data(), asm.Add(40, 2), file, line)
}
-- lib/lib.go --
package lib

const Word = \"on disk\"
-- lib/gone.go --
package lib

import \"example.com/none\"
-- lib/data/b.txt --
bee
-- laid/lib --
package lib

import _ \"embed\"

const Word = \"laid\"

//go:embed data/*.txt
var files string

//go:embed data/a.txt
var file string

func Data() string { return file }
-- laid/a --
laid a
-- laid/test --
package lib

import \"testing\"

func TestWord(t *testing.T) {
	if Word != \"laid\" {
		t.Fatal(Word)
	}
}
-- laid/deep --
package deep

const Word = \"deep\"
-- asm/asm.go --
package asm

func Add(a, b int) int
-- laid/add --
TEXT ·Add(SB),4,$0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ AX, ret+16(FP)
	RET
-- laid/add_arm --
TEXT ·Add(SB),4,$0-24
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	ADD R1, R0, R0
	MOVD R0, ret+16(FP)
	RET
-- c/other.h --
#define OTHER 1
-- laid/cgo --
package main

// #include \"say.h\"
// #include \"other.h\"
import \"C\"

func main() { println(int(C.say()), int(C.OTHER)) }
-- laid/say --
#include \"say.h\"
int say(void) { return 42; }
-- laid/say_header --
int say(void);
";

const LINES: [&str; 25] = [
    "list -overlay o.json ./...",
    "list -overlay o.json -e -json=Dir,ImportPath,GoFiles,CgoFiles,CFiles,HFiles,SFiles,Imports,Error ./...",
    "list -overlay o.json -json=EmbedFiles,TestGoFiles ./lib",
    "list -overlay o.json -test ./lib",
    "list -overlay o.json example.com/m/new/...",
    "list -e -overlay=twice.json ./lib",
    "list -f {{.GoFiles}} ./lib",
    "build -overlay none.json ./lib",
    "build -overlay twice.json ./lib",
    "build -overlay o.json ./lib",
    "sh: sed -i 's/files string/files [2]string/' laid/lib",
    "build -overlay o.json ./lib",
    "sh: sed -i -e '/files/d' -e '/data.[*]/d' laid/lib",
    "build -overlay o.json ./lib ./asm ./new/deep",
    "build -overlay o.json -o out/app ./cmd/app",
    "sh: out/app",
    "build -overlay o.json -o out/trimmed -trimpath ./cmd/app",
    "sh: out/trimmed",
    "build -overlay o.json -o out/files cmd/app/main.go",
    "run -overlay o.json ./cmd/app",
    "build -overlay o.json -o out/c ./c",
    "sh: out/c",
    "sh: rm lib/gone.go; echo 'package lib' > lib/more.go",
    "build -o out/disk ./lib",
    "list -compiled -f {{.CompiledGoFiles}} ./lib",
];

#[test]
fn what_is_laid_over_the_disk_is_built_as_go_builds_it() {
    let Some(ground) = ground("overlay") else { return };
    ground.with_caches().check(FILES, &LINES);
}

/// Compiles what every test needs, which is a lot.
#[test]
fn what_is_laid_over_the_disk_is_tested_as_go_tests_it() {
    if !full_run() {
        return;
    }
    let Some(ground) = ground("overlay in tests") else { return };
    ground
        .check(FILES, &["test -overlay o.json -v ./lib", "test -overlay o.json -list=. ./lib", "test ./lib"]);
}

#[test]
fn files_of_the_module_cache_are_not_replaced() {
    let Some(ground) = ground("overlay of the module cache") else { return };
    let modules = ground.home().join("modules/example.com/x@v1.0.0/x.go");
    let files = format!(
        "-- go.mod --\nmodule m\n-- m.go --\npackage m\n-- o.json --\n{{\"Replace\": {{\"{}\": \"m.go\"}}}}\n",
        modules.display()
    );
    ground.check(&files, &["build -overlay o.json .", "list -overlay o.json ."]);
}

/// Go instruments what is on disk there, and keeps it under the key of what is laid over it.
#[test]
fn files_that_are_laid_over_others_are_not_instrumented() {
    let Some(ground) = ground("overlay with coverage") else { return };
    let files = "-- go.mod --\nmodule m\n-- m.go --\npackage m\n-- laid --\npackage m\n\nfunc F() {}\n-- o.json --\n{\"Replace\": {\"m.go\": \"laid\"}}\n";
    let outcome = ground.all(Who::Modkeep, files, &["build -cover -overlay o.json ."]).remove(0);
    assert_eq!(outcome.status, Some(1));
    let told = outcome.stderr;
    assert!(told.contains("m.go: a file of -overlay can't be instrumented"), "{told}");
}
