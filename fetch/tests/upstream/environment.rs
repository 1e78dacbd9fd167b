//! Where the settings come from: what `go env` says in the same world.

use std::path::{Path, PathBuf};
use std::process::Command;

use modkeep_conformance::go::Go;
use modkeep_fetch::environment::{Environment, GoSettings, Provenance, Setting};
use tempfile::TempDir;

/// A home folder with go's user file in one of its places.
struct World {
    home: TempDir,
    variables: Vec<(String, String)>,
}

impl World {
    fn new(go: &Path) -> Self {
        let home = TempDir::with_prefix("modkeep-settings-").unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let variables =
            vec![("HOME".to_owned(), text(home.path())), ("PATH".to_owned(), text(go.parent().unwrap()))];
        Self { home, variables }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let value = value.replace("HOME", self.home.path().to_str().unwrap());
        self.variables.push((name.to_owned(), value));
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        write(&self.home.path().join(path), text);
        self
    }

    fn settings(&self) -> GoSettings {
        GoSettings::find(&Environment::given(self.variables.clone()))
    }

    /// GOPROXY, GOSUMDB, GONOPROXY and GONOSUMDB.
    fn ours(&self) -> [String; 4] {
        let found = self.settings();
        let value = |setting: Option<Setting>| setting.map(|setting| setting.value).unwrap_or_default();
        [value(found.goproxy), value(found.gosumdb), found.private.no_proxy, found.private.no_sumdb]
    }

    fn theirs(&self, go: &Path) -> [String; 4] {
        let output = Command::new(go)
            .args(["env", "GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB"])
            .env_clear()
            .env("GOTOOLCHAIN", "local")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut lines = said.split('\n').map(str::to_owned);
        [(); 4].map(|()| lines.next().unwrap())
    }
}

fn write(file: &Path, text: &str) {
    use std::io::Write;
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::File::create(file).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn settings_are_those_of_go_env() {
    let go = Go::specification().unwrap().tool();
    let world = || World::new(&go);
    let user = ".config/go/env";
    for (name, world) in [
        ("nothing is set", world()),
        ("variables", world().with("GOPROXY", "https://a.example|off").with("GOSUMDB", "off")),
        ("an empty variable", world().with("GOPROXY", "").with("GOSUMDB", "")),
        ("GOPRIVATE is the default of two others", world().with("GOPRIVATE", "*.corp,x.example/y")),
        ("one of them is set", world().with("GOPRIVATE", "*.corp").with("GONOPROXY", "none")),
        ("the other", world().with("GOPRIVATE", "*.corp").with("GONOSUMDB", "other").with("GONOPROXY", "")),
        ("the user file", world().file(user, "GOPROXY=https://u.example\nGOPRIVATE=u.example\n")),
        (
            "a variable before it",
            world().file(user, "GOPROXY=https://u.example").with("GOPROXY", "https://v.example"),
        ),
        ("an empty variable does not hide it", world().file(user, "GOSUMDB=off\n").with("GOSUMDB", "")),
        ("an empty line hides go.env", world().file(user, "GOSUMDB=\n")),
        (
            "odd lines",
            world().file(
                user,
                "# GOPROXY=a\n GOPROXY=b\nGOPROXY\ngoproxy=c\n=d\nGONOPROXY=e=f \nGOSUMDB=off\r\n",
            ),
        ),
        ("the last of two", world().file(user, "GOPROXY=https://1.example\nGOPROXY=https://2.example\n")),
        (
            "GOENV names a file",
            world().file("mine", "GOPROXY=https://m.example\n").with("GOENV", "HOME/mine"),
        ),
        ("GOENV names none", world().file(user, "GOPROXY=https://u.example\n").with("GOENV", "HOME/none")),
        ("GOENV=off", world().file(user, "GOPROXY=https://u.example\n").with("GOENV", "off")),
        (
            "another folder",
            world().file("x/go/env", "GOPROXY=https://x.example\n").with("XDG_CONFIG_HOME", "HOME/x"),
        ),
        (
            "a relative one",
            world().file("x/go/env", "GOPROXY=https://x.example\n").with("XDG_CONFIG_HOME", "x"),
        ),
    ] {
        assert_eq!(world.ours(), world.theirs(&go), "{name}");
    }
}

#[test]
fn each_setting_says_where_it_was_found() {
    let go = Go::specification().unwrap();
    let world =
        World::new(&go.tool()).file(".config/go/env", "GOSUMDB=off\n").with("GOPROXY", "https://v.example");
    let found = world.settings();
    assert_eq!(found.goproxy.unwrap().from, Provenance::Environment("GOPROXY"));
    let user: PathBuf = world.home.path().join(".config/go/env");
    assert_eq!(found.gosumdb.unwrap().from, Provenance::File(user));

    let found = World::new(&go.tool()).settings();
    let root = go.root().canonicalize().unwrap().join("go.env");
    assert_eq!(found.goproxy.unwrap().from, Provenance::File(root.clone()));

    let elsewhere =
        World::new(Path::new("/nowhere/go")).with("GOROOT", go.root().to_str().unwrap()).settings();
    assert_eq!(elsewhere.goproxy.unwrap().from, Provenance::File(go.root().join("go.env")));
}

#[test]
fn without_a_go_command_and_without_a_setting_there_is_none() {
    let found = World::new(Path::new("/nowhere/go")).settings();
    assert_eq!(found, GoSettings::default());
}

#[cfg(unix)]
#[test]
fn a_go_command_without_a_go_env_file_is_asked() {
    let script = |text: &str| {
        let world = World::new(Path::new("/bin/sh"));
        let go = world.home.path().join("go");
        // Written by another process: one that this process forks meanwhile would hold it open, and it could not run.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$2\" && chmod +x \"$2\"";
        let written = Command::new("/bin/sh").args(["-c", write, "sh", text]).arg(&go).status().unwrap();
        assert!(written.success());
        let path = format!("{}:/bin:/usr/bin", go.parent().unwrap().display());
        (world.with("PATH", &path).settings(), go)
    };
    let (found, go) = script("echo https://said.example; echo off");
    assert_eq!(
        found.goproxy.unwrap(),
        Setting { value: "https://said.example".into(), from: Provenance::Command(go) }
    );
    assert_eq!(found.gosumdb.unwrap().value, "off");
    for text in ["echo https://said.example; exit 1", "", "exit 3"] {
        assert_eq!(script(text).0, GoSettings::default(), "{text}");
    }
}
