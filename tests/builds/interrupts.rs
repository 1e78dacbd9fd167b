//! Ctrl-C while tools, programs and tests run, beside the real go command: the same words and exit status, no process and no
//! file left, and nothing in the build cache by half.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use modkeep_harness::beside::{BOTH, Ground, Who};
use modkeep_harness::build_cache::halves;
use modkeep_harness::place::program;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

use super::failing::{CACHE, cache};

const FILES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- slow/slow.go --
package slow

const Word = \"slow\"
-- user/main.go --
package main

import \"example.com/m/slow\"

func main() { println(slow.Word) }
-- waits/main.go --
package main

import \"syscall\"

func main() {
	println(\"waits\")
	pid, _, _ := syscall.Syscall(syscall.SYS_GETPID, 0, 0, 0)
	var text []byte
	for ; pid > 0; pid /= 10 {
		text = append([]byte{'0' + byte(pid%10)}, text...)
	}
	file, _ := syscall.Open(\"../tells\", syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	syscall.Write(file, append(text, '\\n'))
	syscall.Close(file)
	syscall.Pause()
}
-- tests/waits_test.go --
package waits

import (
	\"fmt\"
	\"os\"
	\"testing\"
	\"time\"
)

func TestWaits(t *testing.T) {
	os.WriteFile(\"../../tells\", []byte(fmt.Sprintln(os.Getpid())), 0o644)
	time.Sleep(10 * time.Minute)
}
";

/// A tool of the toolchain, but the compiler of one package says who it is and waits.
const SLOW_TOOL: &str = r#"#!/bin/sh
case "$*" in
*-V=full*) exec "$@" ;;
esac
case "$1 $TOOLEXEC_IMPORTPATH" in
*/compile\ example.com/m/slow) echo $$ > "$TELLS"; exec sleep 600 ;;
esac
exec "$@"
"#;

/// How long anything may take to begin or to end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The process that says so in the file, once it does.
fn told(tells: &Path) -> Pid {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(tells).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n').and_then(|id| id.parse().ok()) {
            return Pid::from_raw(id).unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "nobody says that it waits");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether it is there and not only waits to be buried, which not every first process does.
fn runs(id: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).unwrap_or_default();
    let is_dead = stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"));
    !is_dead && rustix::process::test_kill_process(id).is_ok()
}

/// All that a command has started, ended with the test at the latest.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let _: Result<(), _> = kill_process_group(self.0, Signal::KILL);
    }
}

/// From now on a SIGINT ends this process by a handler, and what it runs does not ignore one that a shell told it to ignore,
/// as shells do for what they start behind them.
fn listen() {
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).unwrap();
            ready.send(()).unwrap();
            interrupt.recv().await;
            std::process::exit(130);
        });
    });
    is_ready.recv().unwrap();
}

/// Runs a command until somebody waits in it, and sends a SIGINT as a terminal does, or to the command alone.
fn interrupted(mut command: Command, tells: &Path, to_all: bool) -> Output {
    let _ = fs::remove_file(tells);
    command.process_group(0).env("TELLS", tells).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap();
    let id = Pid::from_child(&process);
    let _group = Group(id);
    let waits = told(tells);
    match to_all {
        true => kill_process_group(id, Signal::INT).unwrap(),
        false => kill_process(id, Signal::INT).unwrap(),
    }
    let output = process.wait_with_output().unwrap();
    let begun = Instant::now();
    // Who is orphaned is buried by another.
    while runs(waits) && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!runs(waits), "what ran is still there after {command:?}");
    output
}

#[test]
fn ctrl_c_ends_all_that_runs_as_with_go_and_leaves_nothing() {
    let Some(ground) = Ground::new("interrupts", &program(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    let ground = ground.sharing(&cache());
    listen();
    let _alone = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    // What a test that was killed has left.
    let before = halves(&cache());
    ground.lay(FILES);
    // Beside the folder, not in it: it is no result.
    let tells = ground.home().join("tells");
    let tool = slow_tool(&ground);
    let toolexec = format!("-toolexec={}", tool.display());
    // Nobody has compiled it before.
    let fresh = format!("package slow\n\nconst Word = \"{}\"\n", ground.home().display());
    write(&ground.place().join("slow/slow.go"), &fresh);
    let build = ["build", &toolexec, "-o", "out", "./user"];
    for words in [&build[..], &["run", "./waits"], &["test", "./tests"], &["test", "-json", "./tests"]] {
        let outcomes = BOTH.map(|who| {
            let mut command = ground.command(who);
            command.args(words);
            ground.outcome(|| interrupted(command, &tells, true))
        });
        let [mut theirs, mut ours] = outcomes;
        if words[0] == "test" {
            // Go is silent about a test that it was running; we tell how it ended.
            for outcome in [&mut theirs, &mut ours] {
                outcome.stdout.clear();
            }
        }
        // Go leaves its work folder where it is ended by the signal.
        theirs.left.retain(|name, _| !name.to_string_lossy().starts_with("tmp/go-build"));
        assert_eq!(ours, theirs, "{words:?}");
        assert!(ours.left.is_empty(), "{words:?}: {ours:?}");
        fs::remove_dir_all(ground.temporary()).unwrap();
        fs::create_dir(ground.temporary()).unwrap();
    }
    // Go waits for its tools, whoever told it to stop; ours are told too.
    let mut command = ground.command(Who::Modkeep);
    command.args(build);
    let alone = ground.outcome(|| interrupted(command, &tells, false));
    assert_eq!((alone.status, alone.left.len()), (None, 0), "ended by the signal: {alone:?}");
    assert_eq!(halves(&cache()), before, "nothing is in the cache by half");

    let programs = BOTH.map(|who| {
        let outcome = ground.run(who, "build -o out ./user");
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        fs::read(ground.place().join("out")).unwrap()
    });
    assert!(programs[0] == programs[1], "and then both build the same");
}

fn slow_tool(ground: &Ground) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let tool = ground.home().join("slow-tool");
    write(&tool, SLOW_TOOL);
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    tool
}

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}
