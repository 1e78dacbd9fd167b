//! `list -m -major`: newer major versions, which are modules of their own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::upstream::{Module, Reply, Tree, Upstream};

const GO_MOD: &str = "module example.com/m

go 1.27

require (
\tex.com/big v3.2.0+incompatible
\tex.com/last v1.0.0
\tex.com/many v1.0.0
\tex.com/refused v1.0.0
\tex.com/taken/v2 v2.0.0
\tgopkg.in/x.v1 v1.0.0
)
";

/// What `list -m` with these words prints in the module, beside a registry that some majors can be had from.
fn listed(words: &[&str]) -> String {
    let mut tree = Tree::default();
    for (path, version) in [
        ("ex.com/big", "v3.2.0+incompatible"),
        ("ex.com/big/v4", "v4.0.1"),
        ("ex.com/last", "v1.0.0"),
        ("ex.com/last", "v1.1.0"),
        ("ex.com/many", "v1.0.0"),
        ("ex.com/many/v2", "v2.0.0"),
        ("ex.com/many/v5", "v5.0.0"),
        ("ex.com/many/v5", "v5.1.0"),
        ("ex.com/many/v9", "v9.0.0"),
        ("ex.com/refused", "v1.0.0"),
        ("ex.com/taken/v2", "v2.0.0"),
        ("ex.com/taken/v3", "v3.0.0"),
        ("gopkg.in/x.v1", "v1.0.0"),
        ("gopkg.in/x.v2", "v2.0.0"),
    ] {
        tree.add(Module::new(path, version).at("2024-05-06T07:08:09Z"));
    }
    tree.add(
        Module::new("ex.com/taken/v3", "v3.0.1")
            .with_go_mod("module ex.com/taken/v3\nretract [v3.0.0, v3.0.1]\n"),
    );
    let upstream = Upstream::start(tree);
    for major in 2..5 {
        upstream
            .change(&format!("/ex.com/refused/v{major}/@v/list"), |_| Reply::new(403).text("not for you"));
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("go.mod");
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    std::fs::write(file, GO_MOD).unwrap();
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home.path());
    command.current_dir(home.path()).env("PWD", home.path()).args(["list", "-m"]).args(words);
    command.env("GOPROXY", upstream.url()).env("GOSUMDB", "off").env("GOFLAGS", "-mod=mod");
    command.env("GOPATH", home.path().join("gopath")).env("GOTOOLCHAIN", "go1.27.3").env("GOENV", "off");
    let output = Modkeep::output(command);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_newest_major_that_is_not_retracted_stands_beside_the_update() {
    assert_eq!(
        listed(&["-u", "-major", "all"]),
        "example.com/m
ex.com/big v3.2.0+incompatible [ex.com/big/v4 v4.0.1]
ex.com/last v1.0.0 [v1.1.0]
ex.com/many v1.0.0 [ex.com/many/v5 v5.1.0]
ex.com/refused v1.0.0
ex.com/taken/v2 v2.0.0
gopkg.in/x.v1 v1.0.0 [gopkg.in/x.v2 v2.0.0]
"
    );
}

#[test]
fn json_has_all_of_them() {
    let text = listed(&["-major", "-json=Path,Majors", "ex.com/many"]);
    assert_eq!(
        text,
        r#"{
	"Path": "ex.com/many",
	"Majors": [
		{
			"Path": "ex.com/many/v2",
			"Version": "v2.0.0",
			"Time": "2024-05-06T07:08:09Z"
		},
		{
			"Path": "ex.com/many/v5",
			"Version": "v5.1.0",
			"Time": "2024-05-06T07:08:09Z"
		}
	]
}
"#
    );
    assert_eq!(
        listed(&["-major", "-f", "{{range .Majors}}{{.Path}} {{end}}", "ex.com/many"]),
        "ex.com/many/v2 ex.com/many/v5 \n"
    );
}

#[test]
fn what_go_prints_does_not_change_without_the_flag() {
    assert_eq!(listed(&["-json=Majors", "ex.com/many"]), "{}\n");
}
