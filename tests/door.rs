//! The door as its users meet it: verbs, settings and their order, exit statuses, what goes to which stream.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_harness::http::{self, get};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{skip, wants_bucket};
use tempfile::TempDir;

/// A user with an empty home folder.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), self.home.path());
        command.args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        Modkeep::output(self.command(words))
    }

    /// `serve` on a free port, with modules from a folder where nobody vouches for anything.
    fn serve(&self, words: &[&str]) -> Command {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--sumdb", "off"]);
        command.args(words);
        command
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.home.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        fs::write(&file, text).unwrap();
        file
    }

    /// A GOPROXY folder whose one module has one version.
    fn modules(&self, folder: &str, version: &str) -> String {
        self.file(&format!("{folder}/example.com/m/@v/list"), &format!("{version}\n"));
        format!("file://{}", self.home.path().join(folder).display())
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn listed(modkeep: &Modkeep) -> String {
    get(&format!("{}/example.com/m/@v/list", modkeep.url())).unwrap().text().trim().to_owned()
}

#[test]
fn words_that_cannot_be_meant_end_with_status_2_and_name_what_is_wrong() {
    let user = User::new();
    let unknown_key = user.file("unknown.toml", "listn = '127.0.0.1:0'\n");
    let no_toml = user.file("no.toml", "\n\nlisten =\n");
    let unknown_key = unknown_key.to_str().unwrap();
    let no_toml = no_toml.to_str().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["serv"], &["serv"]),
        (&["serve", "--lissten", "x"], &["--lissten"]),
        (&["serve", "--listen", "nowhere"], &["--listen", "`nowhere`", "HOST:PORT"]),
        (&["serve", "--base-path", "/a/../b"], &["--base-path", "`/a/../b`"]),
        (&["serve", "--log-format", "xml"], &["--log-format", "`xml`", "text or json"]),
        (&["serve", "--log-level", "loud"], &["--log-level", "`loud`"]),
        (&["serve", "--offline=maybe"], &["--offline", "`maybe`"]),
        (&["serve", "--freshness-list", "soon"], &["--freshness-list", "`soon`", "60s"]),
        (&["serve", "--free-space", "much"], &["--free-space", "`much`", "GiB"]),
        (&["serve", "--upstream", "ftp://example.com"], &["--upstream", "ftp"]),
        (&["serve", "--sumdb", "sum.corp.example"], &["--sumdb", "malformed verifier id"]),
        (&["serve", "--config", unknown_key], &["`listn`", unknown_key, "did you mean `listen`?"]),
        (&["serve", "--config", no_toml], &[no_toml, "line 3"]),
        (&["serve", "--config", "/nowhere.toml"], &["/nowhere.toml", "No such file"]),
        (&["store"], &["store"]),
        (&["store", "forget"], &["MODULE"]),
        (&["store", "forget", "not a module"], &["not a module"]),
        (&["fix", "./..."], &["`fix`", "go fix"]),
        (&["help", "fix"], &["`fix`", "go fix"]),
        (&["completions", "tcl"], &["tcl"]),
    ];
    for (words, named) in cases {
        let output = user.run(words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert_eq!(stdout(&output), "", "{words:?}");
        assert!(said.starts_with("modkeep: "), "{words:?}: {said}");
        for word in *named {
            assert!(said.contains(word), "{words:?}: `{word}` is not in: {said}");
        }
    }
}

#[test]
fn an_unknown_variable_of_ours_is_refused_by_name() {
    let user = User::new();
    let mut command = user.command(&["serve"]);
    command.env("MODKEEP_LISTN", "127.0.0.1:0");
    let output = Modkeep::output(command);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`MODKEEP_LISTN`"), "{}", stderr(&output));
    assert!(stderr(&output).contains("MODKEEP_LISTEN"), "{}", stderr(&output));
}

#[test]
fn results_go_to_stdout_and_end_with_status_0() {
    let user = User::new();
    let cases: &[(&[&str], &str)] = &[
        (&["--help"], "Usage: modkeep"),
        (&["help"], "Usage: modkeep"),
        (&["help", "serve"], "MODKEEP_BASE_PATH"),
        (&["help", "store", "check"], "--store"),
        (&["version"], "go version go1."),
        (&["version", "-modkeep"], "modkeep version 0.1.0\n"),
        (&["version", "--modkeep"], "modkeep version 0.1.0\n"),
        (&["help"], "Verbs of the go command"),
        (&["help", "mod", "edit"], "usage: go mod edit"),
        (&["help", "work"], "work use"),
        (&["help", "store", "scrub"], "quarantine"),
        (&["help", "store", "synthesize"], "NUMBER"),
        (&["completions", "bash"], "modkeep"),
        (&["completions", "zsh"], "--droprequire"),
        (&["completions", "fish"], "scrub"),
    ];
    for (words, expected) in cases {
        let output = user.run(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
        assert!(stdout(&output).contains(expected), "{words:?}: {}", stdout(&output));
        assert_eq!(stderr(&output), "", "{words:?}");
    }
}

#[test]
fn a_setting_is_taken_from_the_first_layer_that_has_it() {
    let user = User::new();
    let file = user.file("settings.toml", "base-path = '/file'\naccess-log = false\n");
    let file = file.to_str().unwrap();
    let upstream = user.modules("modules", "v1.0.0");
    let cases: &[(&[&str], Option<&str>, &str)] = &[
        (&["--base-path", "/flag", "--config", file], Some("/variable"), "/flag"),
        (&["--config", file], Some("/variable"), "/variable"),
        (&["--config", file], None, "/file"),
        (&[], None, ""),
    ];
    for (words, variable, path) in cases {
        let mut command = user.serve(words);
        command.args(["--upstream", &upstream]).envs(variable.map(|value| ("MODKEEP_BASE_PATH", value)));
        let modkeep = Modkeep::start(command);
        assert_eq!(http::split(modkeep.url()).1, *path, "{words:?} {variable:?}");
        assert_eq!(listed(&modkeep), "v1.0.0");
    }
}

#[test]
fn the_upstream_is_a_setting_of_ours_or_else_the_go_commands() {
    let user = User::new();
    let [flag, variable, go, go_file] =
        ["v1.0.1", "v1.0.2", "v1.0.3", "v1.0.4"].map(|version| user.modules(version, version));
    let env_file = user.file("go-env", &format!("GOPROXY={go_file}\n"));
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (&["--upstream", &flag], &[("MODKEEP_UPSTREAM", &variable), ("GOPROXY", &go)], "v1.0.1"),
        (&[], &[("MODKEEP_UPSTREAM", &variable), ("GOPROXY", &go)], "v1.0.2"),
        (&[], &[("GOPROXY", &go), ("GOENV", env_file.to_str().unwrap())], "v1.0.3"),
        (&[], &[("GOENV", env_file.to_str().unwrap())], "v1.0.4"),
    ];
    for (words, variables, version) in cases {
        // A store of its own, or the next run would remember the answer of the one before.
        let store = tempfile::tempdir().unwrap();
        let mut command = user.serve(words);
        command.arg("--store").arg(store.path()).envs(variables.iter().copied());
        let modkeep = Modkeep::start(command);
        assert_eq!(listed(&modkeep), *version);
    }
}

#[test]
fn without_an_upstream_it_serves_what_is_kept_and_says_how_to_set_one() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let before = Modkeep::start(user.serve(&["--upstream", &upstream]));
    assert_eq!(listed(&before), "v1.0.0");
    before.stop();
    let mut command = user.serve(&[]);
    command.env("PATH", "/nowhere");
    let modkeep = Modkeep::start(command);
    assert_eq!(listed(&modkeep), "v1.0.0");
    let unknown = get(&format!("{}/example.com/other/@v/list", modkeep.url())).unwrap();
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("this server has no upstream"), "{}", unknown.text());
    let (status, log) = modkeep.stop();
    assert_eq!(status.code(), Some(0));
    for word in ["warning: no upstream", "--upstream", "GOPROXY"] {
        assert!(log.contains(word), "{word} is not in: {log}");
    }
}

#[test]
fn lifetimes_are_settings_in_a_section_of_the_file() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let file = user.file(
        "settings.toml",
        "[freshness]\nlist = '7m'\nlatest = '1m'\nquery = '2m'\nnot-found = '3m'\nnot-found-version = '4m'\n\
         refusal = '30s'\nmalformed = '5h'\nwait = '10ms'\n",
    );
    let mut command = user.serve(&["--upstream", &upstream, "--config", file.to_str().unwrap()]);
    command.env("MODKEEP_FRESHNESS_NOT_FOUND_VERSION", "11m");
    let modkeep = Modkeep::start(command);
    for (path, status, seconds) in [
        ("example.com/m/@v/list", 200, 420),
        ("example.com/m/@latest", 404, 180),
        ("example.com/m/@v/master.info", 404, 180),
        ("example.com/m/@v/v1.2.3.mod", 404, 660),
        ("example.com//m/@v/list", 404, 18_000),
    ] {
        let answer = get(&format!("{}/{path}", modkeep.url())).unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let cached = answer.header("cache-control").unwrap();
        let said = cached.split("max-age=").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
        // A busy machine may take some seconds from the fetch to the reply.
        let said: u64 = said.parse().unwrap();
        assert!(said <= seconds && said + 60 > seconds, "{path}: {cached}");
    }
}

#[test]
fn an_answer_of_no_lifetime_is_asked_for_each_time() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let modkeep = Modkeep::start(user.serve(&["--upstream", &upstream, "--freshness-list", "0"]));
    assert_eq!(listed(&modkeep), "v1.0.0");
    user.modules("modules", "v1.1.0");
    assert_eq!(listed(&modkeep), "v1.1.0");
}

#[test]
fn below_the_floor_nothing_new_is_kept_and_what_is_kept_is_served() {
    if wants_bucket() {
        return skip("below the floor", &"small values in a bucket need no room here");
    }
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let before = Modkeep::start(user.serve(&["--upstream", &upstream]));
    assert_eq!(listed(&before), "v1.0.0");
    before.stop();
    let modkeep = Modkeep::start(user.serve(&["--upstream", &upstream, "--free-space", "1000000TiB"]));
    assert_eq!(listed(&modkeep), "v1.0.0");
    let new = get(&format!("{}/example.com/other/@v/list", modkeep.url())).unwrap();
    assert_eq!((new.status, new.header("retry-after")), (503, Some("10")), "{}", new.text());
    assert!(new.text().contains("no room for anything new"), "{}", new.text());
}

#[test]
fn the_store_is_in_the_data_folder_of_the_user() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let modkeep = Modkeep::start(user.serve(&["--upstream", &upstream]));
    assert_eq!(listed(&modkeep), "v1.0.0");
    assert_eq!(modkeep.stop().0.code(), Some(0));
    assert!(Modkeep::store(user.home.path()).is_dir());
    let output = user.run(&["store", "check"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn an_address_that_is_taken_ends_with_status_1_and_is_named() {
    let user = User::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let upstream = user.modules("modules", "v1.0.0");
    let output = user.run(&["serve", "--sumdb", "off", "--upstream", &upstream, "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn listening_beyond_loopback_is_warned_of_whatever_the_level_of_the_log() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let words = ["--upstream", &upstream, "--listen", "0.0.0.0:0", "--log-level", "error"];
    let mut command = user.command(&["serve", "--sumdb", "off"]);
    command.args(words);
    let (status, log) = Modkeep::start(command).stop();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("warning") && log.contains("authentication"), "{log}");
}

#[test]
fn the_log_is_json_when_asked_for() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    let modkeep = Modkeep::start(user.serve(&["--upstream", &upstream, "--log-format", "json"]));
    assert_eq!(listed(&modkeep), "v1.0.0");
    let (_, log) = modkeep.stop();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["path"] == "/example.com/m/@v/list"), "{log}");
}

#[test]
fn a_private_name_is_refused_and_absent_only_if_that_is_set() {
    let user = User::new();
    let upstream = user.modules("modules", "v1.0.0");
    for (words, status) in [(&[][..], 403), (&["--private-absent"], 404)] {
        let mut command = user.serve(words);
        command.args(["--upstream", &upstream]).env("GOPRIVATE", "example.com/*");
        let modkeep = Modkeep::start(command);
        let answer = get(&format!("{}/example.com/m/@v/list", modkeep.url())).unwrap();
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}
