//! The ways a program is built in: what a flag changes in compiling, assembling, linking, and in tests.

use std::path::PathBuf;

use super::demo::older;
use super::yard::Row;

/// The profile of the compiler, which comes with a release: functions of the runtime and of std are hot in it.
pub(crate) fn profile() -> PathBuf {
    older().root().join("src/cmd/compile/default.pgo")
}

/// All of them for a program; `tested` is a package with tests, `pattern` names all of the module, `guide` is `-pgo`.
pub(crate) fn variants<'a>(row: &Row<'a>, tested: &'a str, pattern: &'a str, guide: &'a str) -> Vec<Row<'a>> {
    let plain = |name: &'a str, flags: &[&'a str]| Row { name, ..row.clone() }.with(flags);
    let test = |name: &'a str, flags: &[&'a str]| Row { package: tested, ..plain(name, flags) }.for_tests();
    let untrimmed = |row: Row<'a>| Row { flags: Vec::new(), ..row };
    let narrow: &str = format!("-gcflags={pattern}=-N -l").leak();
    vec![
        untrimmed(plain("without -trimpath", &[])),
        untrimmed(plain("without -trimpath, cgo", &[])).with_cgo(),
        plain("-ldflags -s -w -X", &["-ldflags=-s -w -X main.version=1.2.3 -X 'main.text=two words'"]),
        untrimmed(plain("-ldflags -X, not trimmed", &[])).with(&["-ldflags=-X main.version=1.2.3"]),
        plain("-ldflags -buildid=", &["-ldflags=-buildid="]),
        plain("-buildmode=pie", &["-buildmode=pie"]),
        plain("-gcflags", &["-gcflags=-l"]),
        plain("-gcflags of a pattern", &[narrow]),
        plain("-asmflags", &["-asmflags=all=-D NAMED"]),
        plain("-tags", &["-tags=a,b"]),
        plain("-cover", &["-cover"]),
        plain("-cover, atomic", &["-cover", "-covermode=atomic"]),
        plain("-cover -coverpkg", &["-cover", "-coverpkg=./...,io"]),
        plain("-pgo", &[guide]),
        plain("-pgo=off", &["-pgo=off"]),
        plain("-race", &["-race"]).with_cgo(),
        plain("-race -cover", &["-race", "-cover"]).with_cgo(),
        test("test -c", &[]),
        untrimmed(test("test -c, not trimmed", &[])),
        test("test -c -race", &["-race"]).with_cgo(),
        test("test -c -cover", &["-cover"]),
        test("test -c -coverpkg", &["-cover", "-coverpkg=./..."]),
        test("test -c -pgo", &[guide]),
        test("test -c -ldflags", &["-ldflags=-s -w"]),
    ]
}
