//! Files of one's own that can't be read: what is said of them, and under which name.

use crate::ground;

/// A module that depends on a folder.
const USER: &str = "module ex.com/r\n\ngo 1.21\n\nrequire ex.com/d v1.0.0\n\nreplace ex.com/d => ../d\n";

/// Ways to spoil a go.mod.
const SPOILED: [&str; 28] = [
    "",
    "\n",
    "module ex.com/m\n\ngo 1.21\n\nrequire (\n\tex.com/x v1.0.0\n",
    "module (\n\tex.com/m\n",
    "module ex.com/m\0\n",
    "module ex.com/m\nrequire ex.com/d v1.0.0\0\n",
    "module \"ex.com/m\n",
    "module ex.com/m\n)\n",
    "module ex.com/m\nrequire (\n) x\n",
    "module ex.com/m /* comment */\n",
    "module ex.com/m\nunknown directive\n",
    "module ex.com/m\nunknown (\n\tx\n)\n",
    "module ex.com/m\nmodule ex.com/m\n",
    "module ex.com/m\ngo 1.20\ngo 1.21\n",
    "module ex.com/m\ngo 1.20.x\n",
    "module ex.com/m\ngo 99999999999999999999.1\n",
    "module ex.com/m\ngo 1.99999999999999999999\n",
    "module ex.com/m\nrequire ex.com/d v2.0.0\n",
    "module ex.com/m\nrequire ex.com/d v01.0.0\nrequire ex.com/d v1\n",
    "module ex.com/m\nrequire ex.com/d\nreplace ex.com/d\nexclude ex.com/d\n",
    "module ex.com/m\nrequire ../d v1.0.0\n",
    "module ex.com/m\nreplace ex.com/d => d\n",
    "module ex.com/m\nreplace ex.com/d => ./d\nreplace ex.com/d => ./e\n",
    "module ex.com/m\nretract [v1.0.0\n",
    "module ex.com/m\nrequire ex.com/m v9.9.9\n",
    "module go\n",
    "module ex.com/m\r\n\r\ngo 1.21\r\nrequire ex.com/d v1.0.0\r\nreplace ex.com/d => ./none\r\n",
    "\u{feff}module ex.com/m",
];

#[test]
fn a_main_module_is_refused_as_go_refuses_it() {
    let Some(ground) = ground("spoiled main modules") else { return };
    for text in SPOILED {
        let lines = ["list -m all", "mod tidy", "mod edit -json", "list ./..."];
        ground.check(&format!("-- go.mod --\n{text}"), &lines);
    }
}

#[test]
fn a_block_without_end_is_told_with_the_name_that_the_file_was_opened_by() {
    let Some(mut ground) = ground("blocks without end") else { return };
    ground.variables.push(("GOWORK", String::new()));
    let block = "\n\ngo 1.21\n\nrequire (\n\tex.com/x v1.0.0\n";
    let good = "\n\ngo 1.21\n";
    ground.check(
        &format!(
            "-- m/go.mod --\nmodule ex.com/m{block}-- d/go.mod --\nmodule ex.com/d{block}\
             -- r/go.mod --\n{USER}-- r/r.go --\npackage r\n\
             -- w/go.work --\ngo 1.21\n\nuse (\n\t./a\n-- w/a/go.mod --\nmodule ex.com/a{good}\
             -- w2/go.work --\ngo 1.21\n\nuse ./a\n-- w2/a/go.mod --\nmodule ex.com/a{block}\
             -- w3/go.work --\ngo 1.21\n\nuse ./a\n-- w3/a/go.mod --\nmodule ex.com/a{good}\
             -- w3/b/go.mod --\nmodule ex.com/b{block}-- init/x --\n"
        ),
        &[
            "list -C m -m all",
            "build -C m ./...",
            "get -C m ex.com/x",
            "mod edit -C m -json",
            "mod edit -C m -json ../m/go.mod",
            "list -C m -modfile=../d/go.mod -m all",
            "list -C r -m all",
            "list -C r ./...",
            "mod graph -C r",
            "list -C w -m all",
            "work use -C w ./a",
            "list -C w2 -m all",
            "work sync -C w2",
            "work use -C w2 ./b",
            "work use -C w3 ./b",
            "work init -C init ../d",
        ],
    );
}
