//! Builds on several machines that share a cache: the second compiles nothing, and nothing that the cache holds makes a wrong
//! program. The machines are folders: GOCACHE, HOME and sources of their own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod bucket;
mod host;
mod seen;
mod silent;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_conformance::go::Go;
use modkeep_harness::http::raw;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use modkeep_harness::tree;
use modkeep_harness::txtar::Txtar;
use modkeep_store::Digest;

const PROGRAM: &str = env!("CARGO_BIN_EXE_modkeep");
const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- cmd/hello/main.go --
package main

import \"example.com/m/lib\"

var word = \"hello\"

func main() { println(word, lib.Answer()) }
-- lib/lib.go --
package lib

//go:noinline
func Answer() int { return 42 }
";
const BUILD: &[&str] = &["build", "-x", "-trimpath", "-o", "out", "./cmd/hello"];

/// A machine with its own caches and sources.
struct Machine {
    home: PathBuf,
    go: Go,
    variables: Vec<(&'static str, String)>,
    /// Whether files are for their owner only.
    is_private: bool,
}

impl Machine {
    fn new(all: &Path, name: &str, go: &Go) -> Self {
        Self::with_sources(all, name, go, FILES)
    }

    fn with_sources(all: &Path, name: &str, go: &Go, sources: &str) -> Self {
        let home = all.join(name);
        Txtar::parse(sources.as_bytes()).extract(&home.join("src")).unwrap();
        Self { home, go: go.clone(), variables: Vec::new(), is_private: false }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    fn command(&self, mut command: Command) -> Command {
        let folder = self.home.join("src");
        command.current_dir(&folder).env("PWD", &folder);
        command.env("HOME", &self.home).env("GOPATH", self.home.join("gopath")).env("GOENV", "off");
        command
            .env("GOCACHE", self.home.join("gocache"))
            .env("GOTOOLCHAIN", "local")
            .env("GOROOT", self.go.root());
        command.env("GOPROXY", "off").env("GOFLAGS", "").env("GOWORK", "off").env("GOCACHEPROG", "");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn modkeep(&self, words: &[&str]) -> Output {
        let program = if self.is_private { "sh" } else { PROGRAM };
        let mut command = self.command(Modkeep::command(Path::new(program), &self.home));
        if self.is_private {
            command.args(["-c", r#"umask 077 && exec "$0" "$@""#, PROGRAM]);
        }
        command.args(words);
        Modkeep::output(command)
    }

    fn go(&self, words: &[&str]) -> Output {
        let mut command = self.command(self.go.command());
        command.args(words).output().unwrap()
    }

    /// Builds, and gives the program and what was said.
    fn build(&self) -> (Vec<u8>, String) {
        said(&self.modkeep(BUILD)).map(|said| (self.program(), said)).unwrap()
    }

    fn program(&self) -> Vec<u8> {
        std::fs::read(self.home.join("src/out")).unwrap()
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.home.join("src").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        write(&path, text.replace(old, new).as_bytes());
    }
}

/// What a command said when it succeeded, or all of it.
fn said(output: &Output) -> Result<String, String> {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(text) }
}

fn compiles(script: &str) -> usize {
    script.lines().filter(|line| line.contains("/compile -o ") || line.contains("/compile\" -o ")).count()
}

fn links(script: &str) -> usize {
    script.lines().filter(|line| line.contains("/link -o ") || line.contains("/link\" -o ")).count()
}

#[allow(clippy::disallowed_methods, reason = "files of the test")]
fn write(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
}

/// Gives all sources a time of long ago.
fn make_old(folder: &Path) {
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for file in tree::files(folder) {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_times(std::fs::FileTimes::new().set_modified(long_ago)).unwrap();
    }
}

/// Turns a bit of every file, in its middle, or cuts it off there.
fn damage(files: &[PathBuf]) {
    for (number, file) in files.iter().enumerate() {
        let mut content = std::fs::read(file).unwrap();
        let middle = content.len() / 2;
        match (content.get_mut(middle), number % 4) {
            (Some(_), 3) => content.truncate(middle),
            (Some(byte), _) => *byte ^= 1,
            (None, _) => continue,
        }
        write(file, &content);
    }
}

fn serve(home: &Path, folder: &Path) -> Modkeep {
    let digest = |token: &str| Digest::of(token.as_bytes()).to_string();
    let mut command = Modkeep::command(Path::new(PROGRAM), home);
    command
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--offline",
            "--sumdb",
            "off",
            "--access-log=false",
            "--cache-folder",
        ])
        .arg(folder);
    command.args(["--cache-writers", &digest("may write"), "--cache-readers", &digest("may read")]);
    Modkeep::start(command)
}

#[test]
fn what_one_machine_made_the_others_have() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("remote", &missing),
    };
    let all = tempfile::tempdir().unwrap();
    let shelf = all.path().join("shelf");
    let server = serve(all.path(), &shelf);
    let url = server.url().to_owned();
    let machine = |name: &str, token: &str| {
        let machine = Machine::new(all.path(), name, &go).with("MODKEEP_REMOTE", &url);
        machine.with("MODKEEP_REMOTE_TOKEN", token)
    };
    let first = machine("first", "may write").with("MODKEEP_REMOTE_MODE", "rw");
    let (program, script) = first.build();
    assert!(compiles(&script) > 10, "{script}");
    let reference = said(&first.go(&["build", "-x", "-trimpath", "-o", "of-go", "./cmd/hello"])).unwrap();
    assert_eq!(compiles(&reference), 0, "go finds all of it:\n{reference}");
    assert!(std::fs::read(first.home.join("src/of-go")).unwrap() == program, "and links the same");

    let second =
        machine("second", "may read").with("TMPDIR", all.path().to_str().unwrap()).with("LANG", "tr_TR");
    let (same, script) = second.build();
    assert_eq!((compiles(&script), links(&script)), (0, 0), "{script}");
    assert!(same == program);
    let archives = tree::files(&second.home.join("gocache")).len();
    assert!(archives < 60, "{archives} files: what nobody reads is not fetched");

    let third = machine("third", "may read");
    third.edit("cmd/hello/main.go", "\"hello\"", "\"bye\"");
    let (other, script) = third.build();
    assert_eq!((compiles(&script), links(&script)), (1, 1), "only what was edited:\n{script}");
    first.edit("cmd/hello/main.go", "\"hello\"", "\"bye\"");
    assert!(first.build().0 == other);

    check_go_has_the_same(&machine("fourth", "may read"), &program, all.path());
    check_rules(&server, &machine("fifth", "nobody's"));
    check_reasons(&first);
    check_verification(&first);
    // All of this one's own: nothing of it may be seen in what it builds.
    let odd = machine("sixth", "may read").with("LC_ALL", "tr_TR.UTF-8").with("TZ", "Asia/Kathmandu");
    let odd = Machine { is_private: true, ..odd.with("TMPDIR", shelf.to_str().unwrap()) };
    make_old(&odd.home);
    check_poison(&odd, &shelf, &program);
    assert_eq!(server.stop().0.code(), Some(0));
    check_silence(&machine("seventh", "may read"), &first);
}

/// Stock go with GOCACHEPROG, and modkeep with what that put on a shelf.
fn check_go_has_the_same(machine: &Machine, program: &[u8], all: &Path) {
    let prog = |words: &str| format!("{PROGRAM} cacheprog {words}");
    let go = |machine: &Machine, prog: &str| {
        let mut command = machine.command(machine.go.command());
        command.env("GOCACHEPROG", prog).args(BUILD);
        said(&command.output().unwrap()).unwrap()
    };
    let script = go(machine, &prog(""));
    assert_eq!(compiles(&script), 0, "{script}");
    assert!(machine.program() == program);
    // All that go asks for is in GOCACHE now; it is shared with the next.
    let shelf = all.join("other shelf");
    std::fs::create_dir(&shelf).unwrap();
    let link = all.join("shelf-of-go");
    std::os::unix::fs::symlink(&shelf, &link).unwrap();
    std::fs::remove_file(machine.home.join("src/out")).unwrap();
    go(machine, &prog(&format!("--remote {} --remote-mode rw", link.display())));
    let next = Machine::new(all, "next", &machine.go).with("MODKEEP_REMOTE", link.to_str().unwrap());
    let (same, script) = next.build();
    assert_eq!(compiles(&script), 0, "{script}");
    assert!(same == program);
    let last = Machine::new(all, "last", &machine.go);
    let script = go(&last, &prog(&format!("--remote {}", link.display())));
    assert_eq!(compiles(&script), 0, "{script}");
    assert!(last.program() == program);
}

/// Who may what, and what is believed of a client.
fn check_rules(server: &Modkeep, stranger: &Machine) {
    let address = server.url().strip_prefix("http://").unwrap().parse().unwrap();
    let (right, wrong) = (Digest::of(b"content"), Digest::of(b"another"));
    let ask = |method: &str, name: &str, token: &str, body: &str| {
        let head = format!(
            "{method} /cache/v1/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        raw(address, head.as_bytes()).unwrap().status
    };
    let blob = |digest: Digest| format!("blob/{digest}");
    for (method, name, token, body, expected) in [
        ("GET", blob(right), "nobody's", "", 401),
        ("PUT", blob(right), "nobody's", "content", 401),
        ("PUT", blob(right), "may read", "content", 403),
        ("GET", blob(right), "may read", "", 404),
        ("PUT", blob(wrong), "may write", "content", 400),
        ("GET", blob(wrong), "may write", "", 404),
        ("PUT", blob(right), "may write", "content", 204),
        ("PUT", blob(right), "may write", "content", 204),
        ("HEAD", blob(right), "may read", "", 200),
        ("GET", blob(right), "may read", "", 200),
        ("DELETE", blob(right), "may write", "", 405),
        ("GET", "blob/../../x".to_owned(), "may read", "", 404),
        ("PUT", "secret/x".to_owned(), "may write", "", 404),
    ] {
        assert_eq!(ask(method, &name, token, body), expected, "{method} {name} {token}");
    }
    let output = stranger.modkeep(&["build", "./lib"]);
    let text = said(&output).unwrap();
    assert!(
        text.contains("modkeep: warning: the remote cache is not used: ") && text.contains("401"),
        "{text}"
    );
    assert_eq!(text.matches("warning").count(), 1, "{text}");
}

/// Why something is made again is the line of its key that has changed.
fn check_reasons(machine: &Machine) {
    let ask = |words: &[&str]| said(&machine.modkeep(words)).unwrap();
    let explain = ["explain", "-rebuild", "-trimpath", "./lib", "./cmd/hello"];
    assert_eq!(
        ask(&explain),
        "example.com/m/lib: nothing would be made\nexample.com/m/cmd/hello: nothing would be made\n"
    );
    machine.edit("lib/lib.go", "42", "43");
    let text = ask(&explain);
    assert!(text.starts_with("example.com/m/lib is not cached:\n\t- file lib.go "), "{text}");
    assert!(text.contains("\n\t+ file lib.go "), "{text}");
    assert!(
        text.ends_with("example.com/m/lib: would be made\nexample.com/m/cmd/hello: would be made\n"),
        "{text}"
    );
    let text = ask(&["build", "-debug-cache", "-trimpath", "-o", "out", "./cmd/hello"]);
    assert!(text.contains("example.com/m/lib is not cached:\n\t- file lib.go "), "{text}");
    assert!(text.contains("example.com/m/cmd/hello (program) is not cached:\n"), "{text}");
    machine.edit("lib/lib.go", "43", "42");
}

/// A wrong result under a right key is found, and put right.
fn check_verification(machine: &Machine) {
    let verify = || machine.modkeep(&["build", "-trimpath", "-cache-verify", "100%", "./lib"]);
    said(&machine.modkeep(&["build", "-trimpath", "./lib"])).unwrap();
    assert!(said(&verify()).is_ok(), "what is right passes");
    let listed = machine.go(&["list", "-trimpath", "-export", "-f", "{{.Export}}", "./lib"]);
    let archive = PathBuf::from(String::from_utf8(listed.stdout).unwrap().trim());
    let mut content = std::fs::read(&archive).unwrap();
    let (before, last) = (Digest::of(&content), content.len() - 1);
    content[last] ^= 1;
    let after = Digest::of(&content);
    let cache = machine.home.join("gocache");
    write(&cache.join(&after.to_string()[..2]).join(format!("{after}-d")), &content);
    let entries = tree::files(&cache).into_iter().filter(|file| file.to_string_lossy().ends_with("-a"));
    let mut planted = 0;
    for entry in entries {
        let text = std::fs::read_to_string(&entry).unwrap();
        if text.contains(&before.to_string()) {
            write(&entry, text.replace(&before.to_string(), &after.to_string()).as_bytes());
            planted += 1;
        }
    }
    assert!(planted > 0);
    let found = said(&verify()).unwrap_err();
    assert!(
        found.contains("modkeep: example.com/m/lib: a cache had ") && found.contains(&after.to_string()),
        "{found}"
    );
    assert!(said(&verify()).is_ok(), "it was put right");
}

/// A cache that gives other bytes than it says is made up for; so is one here that was damaged at rest.
fn check_poison(machine: &Machine, shelf: &Path, program: &[u8]) {
    damage(&tree::files(&shelf.join("blob")));
    let (same, script) = machine.build();
    assert!(compiles(&script) > 10, "{script}");
    assert!(script.contains("modkeep: warning: the remote cache gave something else"), "{script}");
    assert!(same == program, "made here, whatever others say");
    let outputs: Vec<PathBuf> = tree::files(&machine.home.join("gocache"))
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with("-d") && file.metadata().unwrap().len() > 5000)
        .collect();
    damage(&outputs);
    std::fs::remove_file(machine.home.join("src/out")).unwrap();
    // A damaged ID may have been believed before the damage was seen; then the build says so and the next one is right.
    let mut built = said(&machine.modkeep(BUILD));
    if let Err(text) = &built {
        assert!(text.contains("what was made from that is given up; build again"), "{text}");
        built = said(&machine.modkeep(BUILD));
    }
    assert!(built.is_ok() && machine.program() == program, "{built:?}");
}

/// A server that is gone holds nobody up.
fn check_silence(machine: &Machine, other: &Machine) {
    let cache = other.home.join("gocache");
    let (home, go, variables) = (machine.home.clone(), machine.go.clone(), machine.variables.clone());
    let machine = Machine { home, go, variables, is_private: false };
    let output = machine.with("GOCACHE", cache.to_str().unwrap()).modkeep(&["build", "./lib"]);
    let text = said(&output).unwrap();
    assert_eq!(text.matches("the remote cache is not used").count(), 1, "{text}");
}
