//! `Stale` and `StaleReason`: what `install` would do something for, and why.

use crate::ground;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- cmd/app/main.go --
package main

import \"example.com/m/lib\"

func main() { println(lib.Word) }
-- cmd/other/main.go --
package main

func main() {}
-- lib/lib.go --
package lib

import \"example.com/m/lib/low\"

const Word = \"word\" + low.Word
-- lib/low/low.go --
package low

const Word = \"low\"
-- lib/low/low_test.go --
package low

import \"testing\"

func TestLow(t *testing.T) {}
-- broken/broken.go --
package broken

import \"example.com/none\"
-- cgo/cgo.go --
package cgo

import \"C\"
";

const LINES: [&str; 22] = [
    "list -e -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./...",
    "build ./lib",
    "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/... ./lib/... ./cgo",
    "install ./cmd/app",
    "list -json=ImportPath,Target,Stale,StaleReason ./cmd/... ./lib/...",
    "list -json=ImportPath ./cmd/app",
    "list -json=Stale -deps ./cmd/app",
    "list -find -json=Stale,StaleReason ./cmd/app ./lib",
    "list -test -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./lib/low",
    "list -trimpath -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib",
    "list -a -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib",
    "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' lib/lib.go",
    "sh: echo '// More.' >> lib/low/low.go",
    "list -deps -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app",
    "list -export -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib ./lib/low",
    "list -export -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib ./lib/low",
    "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib ./lib/low",
    "install ./cmd/app",
    "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib ./lib/low",
    "list -export -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' ./cmd/app ./lib ./lib/low",
    "sh: rm gopath/bin/app",
    "list -compiled -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}} {{.CompiledGoFiles}}' ./cmd/app ./lib",
];

#[test]
fn what_is_stale_and_why_is_what_go_says() {
    let Some(ground) = ground("stale") else { return };
    ground.with_caches().check(FILES, &LINES);
}

const IN_FOLDERS: &str = "\
-- gopath/src/lib/x.go --
package lib
-- gopath/src/lib/y.go --
package lib
-- gopath/src/lib/z.go --
// +build never

package lib
-- gopath/src/app/x.go --
package main

import _ \"lib\"

func main() {}
-- gopath/src/app/y.go --
package main
";

#[test]
fn what_is_stale_in_folders_is_what_go_says() {
    let Some(mut ground) = ground("stale without modules") else { return };
    ground.variables.push(("GO111MODULE", "off".to_owned()));
    ground.with_caches().check(
        IN_FOLDERS,
        &[
            "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' lib app",
            "install lib app",
            "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' lib app",
            "sh: rm gopath/src/lib/z.go",
            "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' lib app",
            "sh: rm gopath/src/lib/y.go gopath/pkg/*/lib.a",
            "list -f '{{.ImportPath}} {{.Stale}} {{.StaleReason}}' lib app",
        ],
    );
}
