//! The real go command as the client, with the checksum database on.

use std::path::Path;
use std::process::Output;

use modkeep_conformance::go::{Go, machine_setting};
use modkeep_harness::checksumdb::{Log, Server};
use modkeep_harness::go::Client;
use modkeep_harness::place::skip;
use modkeep_harness::upstream::{Module, Tree, refusing_address};

use crate::verdicts::sums;
use crate::world::{Wishes, World, store_of};

const NAME: &str = "sum.corp.example/go";

/// A few modules that need each other, one with upper case in its path.
fn modules() -> Vec<(&'static str, &'static str, Module)> {
    let new =
        |path, version, module: fn(Module) -> Module| (path, version, module(Module::new(path, version)));
    vec![
        new("example.com/Upper", "v1.2.0", |module| {
            module
                .requires("example.com/lower/v2", "v2.1.0-rc.1")
                .file("upper.go", "package Upper\n\nimport \"example.com/lower/v2\"\n\nvar Say = lower.Say\n")
        }),
        new("example.com/lower/v2", "v2.1.0-rc.1", |module| {
            module.file("lower.go", "package lower\n\nconst Say = \"genuine\"\n")
        }),
    ]
}

struct Project {
    client: Client,
}

impl Project {
    fn new(go: &Go, world: &World, key: &str) -> Self {
        let client = Client::new(go, &format!("http://{}", world.address)).unwrap().with("GOSUMDB", key);
        // The standard library need not be compiled by every client.
        let client = client.with("GOCACHE", &machine_setting("GOCACHE").unwrap());
        let project = Self { client };
        project.write("go.mod", "module example.com/main\n\ngo 1.21\n");
        project.write(
            "main.go",
            "package main\n\nimport \"example.com/Upper\"\n\nfunc main() { println(Upper.Say) }\n",
        );
        project
    }

    #[allow(clippy::disallowed_methods, reason = "a source file of a test need not be durable")]
    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.folder()).unwrap();
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn folder(&self) -> std::path::PathBuf {
        self.client.home().join("work")
    }

    fn go(&self, arguments: &[&str]) -> Output {
        self.client.run(Path::new(&self.folder()), arguments).unwrap()
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.go(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "go {}:\n{stderr}", arguments.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
    }
}

#[test]
fn a_build_is_proved_for_the_first_client_and_possible_for_the_third_with_everything_else_gone() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("the go command through the proxy", &missing),
    };
    let mut log = Log::of_modules(NAME, 7, 700);
    let mut tree = Tree::default();
    for (path, version, module) in modules() {
        let (zip, go_mod) = sums(&module, path, version);
        log.add_sums(path, version, &zip, &go_mod);
        tree.add(module);
    }
    let database = Server::start(log);
    let key = database.log(|log| log.verifier().to_string());
    let folder = tempfile::tempdir().unwrap();
    let open = |tree, upstream| {
        let store = store_of(folder.path());
        let databases = vec![format!("{key} {}", database.url())];
        World::with(tree, Wishes { store, databases, upstream, ..Wishes::default() })
    };

    let world = open(tree, None);
    for client in ["first", "second"] {
        let project = Project::new(&go, &world, &key);
        project.succeeds(&["get", "example.com/Upper@latest"]);
        assert_eq!(project.succeeds(&["run", "."]), "genuine\n", "{client}");
        project.succeeds(&["mod", "verify"]);
        let files = [".info", ".mod", ".zip", "/list"].map(|kind| world.upstream.count(kind));
        if client == "first" {
            assert!(files.iter().all(|count| *count > 0), "{files:?}");
        } else {
            assert_eq!(files, [0; 4], "the second client costs the upstream nothing");
        }
        world.upstream.forget();
    }
    drop(world);

    database.tamper(|_, _| modkeep_harness::checksumdb::Reply::Refusal(503, "gone".to_owned()));
    let gone = open(Tree::default(), Some(format!("http://{}", refusing_address())));
    gone.clock.advance(std::time::Duration::from_secs(86_400));
    let third = Project::new(&go, &gone, &key);
    third.succeeds(&["get", "example.com/Upper@latest"]);
    assert_eq!(third.succeeds(&["run", "."]), "genuine\n");
    assert!(third.folder().join("go.sum").is_file());
}

#[test]
fn a_changed_zip_is_refused_with_the_reason_on_the_users_terminal() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("the go command through the proxy", &missing),
    };
    let mut log = Log::of_modules(NAME, 7, 700);
    let mut tree = Tree::default();
    for (path, version, module) in modules() {
        let (zip, go_mod) = sums(&module, path, version);
        log.add_sums(path, version, &zip, &go_mod);
        tree.add(module);
    }
    tree.add(
        Module::new("example.com/lower/v2", "v2.1.0-rc.1")
            .file("lower.go", "package lower\n\nconst Say = \"forged\"\n"),
    );
    let database = Server::start(log);
    let key = database.log(|log| log.verifier().to_string());
    let databases = vec![format!("{key} {}", database.url())];
    let world = World::with(tree, Wishes { databases, ..Wishes::default() });
    let project = Project::new(&go, &world, &key);
    let output = project.go(&["get", "example.com/Upper@v1.2.0"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for line in [
        "403 Forbidden\n\tserver response:\n\texample.com/lower/v2@v2.1.0-rc.1: verifying module: checksum mismatch\n",
        "\tSECURITY ERROR\n\tThis download does NOT match the one reported by the checksum server.",
    ] {
        assert!(stderr.contains(line), "{line:?} is not in\n{stderr}");
    }
}
