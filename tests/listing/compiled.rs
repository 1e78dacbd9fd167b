//! Files that are compiled, where some can't be had.

use crate::ground;

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- broken/broken.go --
package broken

// int f(void) { return x; }
import \"C\"

func F() int { return int(C.f()) }
-- lib/lib.go --
package lib
-- lib/lib_test.go --
package lib

import \"testing\"

func TestLib(t *testing.T) {}
";

#[test]
fn what_is_compiled_is_listed_as_by_go_where_cgo_fails_and_for_tests() {
    let Some(ground) = ground("compiled files") else { return };
    ground.with_caches().check(
        FILES,
        &[
            "list -compiled -f '{{.ImportPath}} {{.CompiledGoFiles}}' ./broken",
            "list -e -compiled -f '{{.ImportPath}} {{.CompiledGoFiles}} {{.Error}}' ./broken",
            "list -e -compiled -json=ImportPath,Error,DepsErrors,Incomplete ./broken ./lib",
            "list -compiled -test -f '{{.ImportPath}} {{.CompiledGoFiles}}' ./lib",
        ],
    );
}
