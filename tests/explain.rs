//! What go knows and does not say: why a version, what changed, what would change, and pictures of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(clippy::disallowed_methods, reason = "files of a test need not be durable")]

use std::path::Path;
use std::process::Command;

use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::upstream::{Module, Tree, Upstream};
use tempfile::TempDir;

const BEFORE: &str = "module example.com/m

go 1.21

require (
	ex.com/a v1.0.0
	ex.com/b v1.0.0
)

require ex.com/c v1.1.0 // indirect
";

/// A module beside a registry.
struct Place {
    home: TempDir,
    upstream: Upstream,
}

impl Place {
    fn new() -> Self {
        let tree = Tree::default()
            .with(Module::new("ex.com/a", "v1.0.0").requires("ex.com/c", "v1.1.0"))
            .with(
                Module::new("ex.com/a", "v1.2.0")
                    .requires("ex.com/c", "v1.2.0")
                    .requires("ex.com/d", "v0.1.0"),
            )
            .with(Module::new("ex.com/b", "v1.0.0").requires("ex.com/c", "v1.0.0"))
            .with(Module::new("ex.com/c", "v1.0.0"))
            .with(Module::new("ex.com/c", "v1.1.0"))
            .with(Module::new("ex.com/c", "v1.2.0"))
            .with(Module::new("ex.com/d", "v0.1.0"));
        let place = Self { home: tempfile::tempdir().unwrap(), upstream: Upstream::start(tree) };
        std::fs::create_dir(place.folder()).unwrap();
        place.write("go.mod", BEFORE);
        place
    }

    fn folder(&self) -> std::path::PathBuf {
        self.home.path().join("m")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap_or_default()
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.folder()).env("GIT_CONFIG_GLOBAL", "/dev/null").args(["-c", "user.name=n"]);
        let output = git.args(["-c", "user.email=e@example.com"]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Status, stdout and stderr of the program in the module.
    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), self.home.path());
        command.current_dir(self.folder()).env("PWD", self.folder()).args(words);
        command.env("GOPROXY", self.upstream.url()).env("GOSUMDB", "off").env("GOFLAGS", "-mod=mod");
        command.env("GOPATH", self.home.path().join("gopath")).env("GOTOOLCHAIN", "go1.27.3");
        command.env("GOWORK", "off");
        let output = Modkeep::output(command);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    fn check(&self, words: &[&str], want: &str) {
        let (status, stdout, stderr) = self.run(words);
        assert_eq!((status, stdout.as_str()), (0, want), "{words:?}: {stderr}");
    }
}

#[test]
fn a_version_has_its_reasons_and_a_way_out() {
    let place = Place::new();
    place.check(
        &["explain", "ex.com/c"],
        "ex.com/c@v1.1.0
required at this version by way of
	example.com/m → ex.com/c@v1.1.0
	example.com/m → ex.com/a@v1.0.0 → ex.com/c@v1.1.0
without them ex.com/c@v1.0.0 would be selected, required by way of
	example.com/m → ex.com/b@v1.0.0 → ex.com/c@v1.0.0
to drop it, these have to go or to require less:
	ex.com/a@v1.0.0
	ex.com/b@v1.0.0
	ex.com/c@v1.1.0
",
    );
    let (status, stdout, stderr) = place.run(&["explain", "ex.com/none", "ex.com/b"]);
    assert_eq!(status, 1, "{stderr}");
    assert_eq!(stderr, "go: module ex.com/none: not a known dependency\n");
    assert!(stdout.starts_with("ex.com/b@v1.0.0\n"), "{stdout}");
    let (_, stdout, _) = place.run(&["explain", "-json", "ex.com/c"]);
    let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["Module"], "ex.com/c@v1.1.0");
    assert_eq!(document["Next"], "ex.com/c@v1.0.0");
    assert_eq!(document["RaisedBy"].as_array().unwrap().len(), 2);
}

#[test]
fn two_commits_are_compared_by_what_they_select() {
    let place = Place::new();
    place.git(&["init", "-q"]);
    place.git(&["add", "."]);
    place.git(&["commit", "-q", "-m", "before"]);
    place.write("go.mod", &BEFORE.replace("a v1.0.0", "a v1.2.0").replace("\tex.com/b v1.0.0\n", ""));
    let want = "raised ex.com/a v1.0.0 => v1.2.0
	example.com/m → ex.com/a@v1.2.0
removed ex.com/b v1.0.0
	example.com/m → ex.com/b@v1.0.0
raised ex.com/c v1.1.0 => v1.2.0
	example.com/m → ex.com/a@v1.2.0 → ex.com/c@v1.2.0
added ex.com/d v0.1.0
	example.com/m → ex.com/a@v1.2.0 → ex.com/d@v0.1.0
";
    place.check(&["explain", "-diff", "HEAD", "."], want);
    place.check(&["explain", "-diff", "HEAD", "go.mod"], want);
    place.check(&["explain", "-diff", "HEAD", "HEAD"], "");
    let (status, _, stderr) = place.run(&["explain", "-diff", "no-such-thing", "."]);
    assert_eq!(status, 1);
    assert!(stderr.starts_with("go: no-such-thing: neither a file, a folder nor a commit: "), "{stderr}");
}

#[test]
fn a_plan_is_shown_and_nothing_is_written() {
    let place = Place::new();
    let (status, stdout, stderr) = place.run(&["get", "-diff", "ex.com/a@v1.2.0"]);
    // As `mod tidy -diff` where there is a difference.
    assert_eq!(status, 1, "{stderr}");
    for line in ["-\tex.com/a v1.0.0", "+\tex.com/a v1.2.0", "+require ex.com/c v1.2.0 // indirect"] {
        assert!(stdout.lines().any(|shown| shown.starts_with(line)), "{line} in\n{stdout}");
    }
    assert_eq!(place.read("go.mod"), BEFORE);
    assert_eq!(place.read("go.sum"), "");
}

#[test]
fn a_graph_can_be_looked_at() {
    let place = Place::new();
    place.check(
        &["mod", "graph", "-tree", "-selected"],
        "example.com/m
  ex.com/a@v1.0.0
    ex.com/c@v1.1.0
      go@1.21
        toolchain@go1.21
    go@1.21 …
  ex.com/b@v1.0.0
    ex.com/c@v1.1.0 …
    go@1.21 …
  ex.com/c@v1.1.0 …
  go@1.21 …
",
    );
    place.check(
        &["mod", "graph", "-dot"],
        "digraph {
	rankdir=LR;
	node [shape=box];
	\"ex.com/a@v1.0.0\" [style=solid];
	\"ex.com/b@v1.0.0\" [style=solid];
	\"ex.com/c@v1.0.0\" [style=dotted];
	\"ex.com/c@v1.1.0\" [style=solid];
	\"example.com/m\" [style=solid];
	\"go@1.21\" [style=solid];
	\"toolchain@go1.21\" [style=solid];
	\"example.com/m\" -> \"ex.com/a@v1.0.0\";
	\"example.com/m\" -> \"ex.com/b@v1.0.0\";
	\"example.com/m\" -> \"ex.com/c@v1.1.0\";
	\"example.com/m\" -> \"go@1.21\";
	\"ex.com/a@v1.0.0\" -> \"ex.com/c@v1.1.0\";
	\"ex.com/a@v1.0.0\" -> \"go@1.21\";
	\"ex.com/b@v1.0.0\" -> \"ex.com/c@v1.0.0\";
	\"ex.com/b@v1.0.0\" -> \"go@1.21\";
	\"ex.com/c@v1.1.0\" -> \"go@1.21\";
	\"go@1.21\" -> \"toolchain@go1.21\";
}
",
    );
    let (status, picture, stderr) = place.run(&["mod", "graph", "-svg"]);
    assert_eq!(status, 0, "{stderr}");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    let count = |text: &str| picture.matches(text).count();
    assert_eq!(
        (count("<rect "), count("<path"), count("class=\"other\""), count("class=\"more\"")),
        (7, 10, 1, 4)
    );
    assert!(picture.contains("<title>required by\nexample.com/m\nex.com/a@v1.0.0</title>"), "{picture}");
}
