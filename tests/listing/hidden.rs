//! Modules whose packages lie where another module has folders.

use crate::ground;

#[test]
fn a_folder_hides_a_module_of_its_name_whatever_it_holds() {
    let Some(ground) = ground("hidden modules") else { return };
    ground.check(
        "-- go.mod --\nmodule ex.com/m\n\ngo 1.21\n\nrequire (\n\tex.com/m/sub v1.0.0\n\tex.com/m/tests v1.0.0\n)\n\nreplace (\n\
         \tex.com/m/sub => ./nested/sub\n\tex.com/m/tests => ./nested/tests\n)\n\
         -- m.go --\npackage m\n\nimport _ \"ex.com/m/sub\"\nimport _ \"ex.com/m/tests\"\n\
         -- sub/notes.txt --\nno package\n-- sub/deep/er/notes.txt --\nnone either\n\
         -- tests/ignored.go --\n//go:build ignore\n\npackage tests\n\
         -- nested/sub/go.mod --\nmodule ex.com/m/sub\n\ngo 1.21\n-- nested/sub/sub.go --\npackage sub\n\
         -- nested/sub/deep/deep.go --\npackage deep\n-- nested/sub/deep/er/er.go --\npackage er\n\
         -- nested/sub/own/own.go --\npackage own\n\
         -- nested/tests/go.mod --\nmodule ex.com/m/tests\n\ngo 1.21\n-- nested/tests/tests.go --\npackage tests\n\
         -- nested/tests/own/own.go --\npackage own\n",
        &[
            "list ex.com/m/...",
            "list -deps ex.com/m/sub/... ex.com/m/tests/...",
            "list ...er",
            "list ./...",
            "list all",
            "list ex.com/m/sub ex.com/m/sub/deep",
            "mod why ex.com/m/sub/...",
        ],
    );
}
