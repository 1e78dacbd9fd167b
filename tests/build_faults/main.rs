//! One build cache under several programs, of which one is killed, and on a disk that is full: never a wrong program.
//!
//! Each round begins with a cache that has the standard library and nothing of the module, so that it costs little. A full run
//! has many rounds.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod planted;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use modkeep_conformance::go::Go;
use modkeep_harness::dice::Dice;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, skip};
use modkeep_harness::tree;

const PROGRAM: &str = env!("CARGO_BIN_EXE_modkeep");
const PACKAGES: usize = 12;
/// Mounts a file system of this size over a folder, fills it with the cache, and becomes the program.
const MOUNT: &str = r#"mount -t tmpfs -o size="$1" tmpfs "$0" && cp -a "$2/." "$0" && shift 2 && exec "$@""#;

struct World {
    folder: tempfile::TempDir,
    go: Go,
    program: Vec<u8>,
}

impl World {
    fn new(go: Go) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        write(&source.join("go.mod"), "module example.com/m\n\ngo 1.26\n");
        let (mut imports, mut sum) = (String::new(), String::new());
        for number in 0..PACKAGES {
            let below = if number % 4 == 0 {
                String::new()
            } else {
                format!("import \"example.com/m/p{}\"\n\n", number - 1)
            };
            let more = if below.is_empty() { String::new() } else { format!(" + p{}.Value()", number - 1) };
            let text = format!(
                "package p{number}\n\n{below}//go:noinline\nfunc Value() int {{ return {number}{more} }}\n"
            );
            write(&source.join(format!("p{number}/p.go")), &text);
            imports.push_str(&format!("\t\"example.com/m/p{number}\"\n"));
            sum.push_str(&format!(" + p{number}.Value()"));
        }
        write(
            &source.join("main.go"),
            &format!("package main\n\nimport (\n{imports})\n\nfunc main() {{ println(0{sum}) }}\n"),
        );
        let mut world = Self { folder, go, program: Vec::new() };
        let build = world.go_build("warm", "reference").output().unwrap();
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        world.program = world.read("reference");
        // What is of the module goes again: all that is newer than the standard library.
        let std = world.path("std");
        copy(&world.path("warm"), &std);
        let of_module: Vec<PathBuf> = tree::files(&std)
            .into_iter()
            .filter(|file| memchr::memmem::find(&std::fs::read(file).unwrap(), b"example.com/m").is_some())
            .collect();
        assert!(of_module.len() >= PACKAGES, "{of_module:?}");
        of_module.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn settled(&self, command: Command, cache: &str, output: &str) -> Command {
        let mut command = self.placed(command, cache);
        command.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(self.path(output)).arg(".");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// A command without words, in the folder of the sources.
    fn placed(&self, mut command: Command, cache: &str) -> Command {
        let source = self.path("src");
        command.current_dir(&source).env("PWD", &source).env("HOME", self.folder.path());
        command.env("GOCACHE", self.path(cache)).env("GOTOOLCHAIN", "local").env("GOROOT", self.go.root());
        command.env("GOENV", "off").env("GOFLAGS", "").env("GOWORK", "off").env("GOPROXY", "off");
        command.env("GOTMPDIR", self.folder.path()).env("CGO_ENABLED", "0");
        command
    }

    fn go_build(&self, cache: &str, output: &str) -> Command {
        self.settled(self.go.command(), cache, output)
    }

    fn our_build(&self, cache: &str, output: &str) -> Command {
        self.settled(Modkeep::command(Path::new(PROGRAM), self.folder.path()), cache, output)
    }

    /// Runs a build to its end, which has to be a success, and compares.
    fn check(&self, mut build: Command, output: &str) -> String {
        let ended = build.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{build:?}: {said}");
        assert!(self.read(output) == self.program, "{output} is another program: {said}");
        said
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    #[allow(clippy::disallowed_methods, reason = "files of the test")]
    std::fs::write(path, text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

#[test]
fn several_programs_share_a_cache_and_one_is_killed() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("build_faults", &missing),
    };
    let world = World::new(go);
    let rounds = if full_run() { 200 } else { 3 };
    let mut dice = Dice::of("build_faults");
    for round in 0..rounds {
        let cache = format!("cache{round}");
        copy(&world.path("std"), &world.path(&cache));
        let mut running: Vec<_> =
            [world.our_build(&cache, "one"), world.our_build(&cache, "two"), world.go_build(&cache, "three")]
                .into_iter()
                .map(|mut command| command.spawn().unwrap())
                .collect();
        // At any moment of its work, which takes longer where the machine is busy.
        std::thread::sleep(Duration::from_millis(dice.bits() % 1500));
        let killed = usize::try_from(dice.bits() % 3).unwrap();
        running[killed].kill().unwrap();
        for (number, process) in running.into_iter().enumerate() {
            let ended = process.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(number == killed || ended.status.success(), "{number} in round {round}: {said}");
            if number != killed || ended.status.success() {
                let output = ["one", "two", "three"][number];
                assert!(world.read(output) == world.program, "{output} in round {round} is another program");
            }
        }
        world.check(world.our_build(&cache, "ours"), "ours");
        world.check(world.go_build(&cache, "theirs"), "theirs");
        std::fs::remove_dir_all(world.path(&cache)).unwrap();
    }
    check_full_disk(&world, if full_run() { 20 } else { 1 });
    planted::check(&world);
}

/// What can't be kept is said once and used all the same; nothing of it is found later by half.
fn check_full_disk(world: &World, rounds: u64) {
    let disk = world.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let std = world.path("std");
    let enough: u64 =
        tree::files(&std).iter().map(|file| file.metadata().unwrap().len().next_multiple_of(4096)).sum();
    for round in 0..rounds {
        // Room for some of the archives and not for all.
        let size = enough + (256 << 10) + 24 * 1024 * (round + 1);
        let ours = world.our_build("disk", "full");
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", MOUNT])
            .arg(&disk)
            .arg(size.to_string())
            .arg(&std);
        command.arg(ours.get_program()).args(ours.get_args()).current_dir(world.path("src"));
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null());
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        if said.contains("unshare:") || said.contains("mount:") {
            return skip("build_faults: a full disk", &said);
        }
        assert!(ended.status.success(), "{said}");
        assert!(world.read("full") == world.program, "another program on a full disk: {said}");
        assert!(said.matches("modkeep: warning: results are not kept: ").count() <= 1, "{said}");
        if round == 0 {
            assert!(said.contains("No space left on device"), "{said}");
        }
    }
}
