//! Machines that have nothing in common but the toolchain: the same program on each, byte for byte.
//!
//! They differ in folders, HOME, TMPDIR, GOPATH, user and host name (in namespaces of their own), umask, language, time zone, clock
//! and in the times of their files. The other clock is what the C library says to modkeep and to C compilers; Go's tools, which
//! are linked without it, have the machine's.
//! In every run a small program with assembly, its standard library compiled on both; in a full one the demo with cgo, and a
//! program of tests.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use modkeep_conformance::go::Go;
use modkeep_harness::place::{full_run, program, skip, tell};
use modkeep_harness::txtar::Txtar;
use modkeep_harness::{modkeep::Modkeep, tree};

const SMALL: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- main.go --
package main

import \"example.com/m/sum\"

func main() { println(sum.Of(40, 2)) }
-- sum/sum.go --
package sum

func Of(a, b int) int
-- sum/sum_amd64.s --
#include \"textflag.h\"

TEXT ·Of(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ AX, ret+16(FP)
	RET
-- sum/sum_arm64.s --
#include \"textflag.h\"

TEXT ·Of(SB), NOSPLIT, $0-24
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	ADD R1, R0
	MOVD R0, ret+16(FP)
	RET
";

/// Becomes another user of a host with another name, and then the program.
const STRANGER: &str = r#"echo stranger > /proc/sys/kernel/hostname && umask 077 \
&& exec unshare --user --map-user=4321 --map-group=4321 "$0" "$@""#;
/// Only the umask, where there are no namespaces to be had.
const PRIVATE: &str = r#"umask 077 && exec "$0" "$@""#;

/// A clock that is twenty years slow, laid over that of the C library.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

enum { LATE = 20 * 365 * 24 * 3600 };

int clock_gettime(clockid_t clock, struct timespec *now) {
	int (*next)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int status = next(clock, now);
	if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec -= LATE;
	return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
	int (*next)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
	int status = next(now, zone);
	if (status == 0)
		now->tv_sec -= LATE;
	return status;
}

time_t time(time_t *where) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (where)
		*where = now.tv_sec;
	return now.tv_sec;
}
"#;

struct Machine {
    home: PathBuf,
    sources: PathBuf,
    /// What a shell does before the program; nothing on a machine as it is.
    shell: Option<(&'static str, Vec<&'static str>)>,
    variables: Vec<(&'static str, String)>,
}

impl Machine {
    fn built(&self, go: &Go, words: &[&str]) -> Vec<u8> {
        let tested = program(env!("CARGO_BIN_EXE_modkeep"));
        let mut command = match &self.shell {
            None => Modkeep::command(&tested, &self.home),
            Some((script, before)) => {
                let line: Vec<&str> = before.iter().copied().chain(["sh", "-c", script]).collect();
                let mut command = Modkeep::command(Path::new(line[0]), &self.home);
                command.args(&line[1..]).arg(&tested);
                command
            }
        };
        let output = self.home.join("out");
        command.current_dir(&self.sources).env("PWD", &self.sources).env("GOROOT", go.root());
        command.env("GOCACHE", self.home.join("build cache")).env("GOPATH", self.home.join("go"));
        command.env("GOENV", "off").env("GOFLAGS", "").env("GOWORK", "off").env("GOPROXY", "off");
        command.env("GOTOOLCHAIN", "local").env("GIT_CEILING_DIRECTORIES", &self.home);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(words).arg("-o").arg(&output).args(if words[0] == "test" {
            ["./lib/calc"]
        } else {
            ["."]
        });
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
        fs::read(output).unwrap()
    }
}

/// The other clock as a library that programs can be made to load first; none where it can't be made.
fn slow_clock(folder: &Path) -> Option<String> {
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    fs::write(&source, CLOCK).unwrap();
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").output();
    if !made.is_ok_and(|made| made.status.success()) {
        return None;
    }
    let year = |preload: &str| {
        let told = Command::new("date").args(["-u", "+%Y"]).env("LD_PRELOAD", preload).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().parse::<i32>().unwrap()
    };
    let library = library.to_str().unwrap().to_owned();
    assert!(year("") - year(&library) >= 19, "the clock is slow");
    Some(library)
}

/// Whether programs can be given users and host names of their own here.
fn has_namespaces() -> bool {
    let words = ["--uts", "--map-root-user", "sh", "-c", STRANGER, "true"];
    Command::new("unshare").args(words).output().is_ok_and(|ended| ended.status.success())
}

fn lay(sources: &Path) {
    if full_run() {
        tree::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("builder/tests/demo"), sources).unwrap();
    } else {
        Txtar::parse(SMALL.as_bytes()).extract(sources).unwrap();
    }
}

fn make_old(folder: &Path) {
    let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => make_old(&entry.path()),
            false => {
                let file = File::options().write(true).open(entry.path()).unwrap();
                file.set_times(FileTimes::new().set_modified(long_ago)).unwrap();
            }
        }
    }
}

#[test]
fn machines_that_differ_in_everything_else_build_the_same() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("machines", &missing),
    };
    let all = tempfile::tempdir().unwrap();
    let usual = all.path().join("usual");
    let plain = Machine {
        sources: usual.join("src"),
        home: usual,
        shell: None,
        variables: vec![("LC_ALL", "C".to_owned()), ("TZ", "UTC".to_owned()), ("USER", "usual".to_owned())],
    };
    let home = all.path().join("another home, of another length");
    let temporary = home.join("temporary files");
    let shell = match has_namespaces() {
        true => (STRANGER, vec!["unshare", "--uts", "--map-root-user"]),
        false => {
            skip("machines: another user and host name", &"no namespaces here");
            (PRIVATE, Vec::new())
        }
    };
    let clock = slow_clock(all.path());
    if clock.is_none() {
        skip("machines: another clock", &"no C compiler here");
    }
    let mut odd = Machine {
        sources: home.join("a/deep/folder/with some blanks"),
        shell: Some(shell),
        variables: vec![
            ("LC_ALL", "tr_TR.UTF-8".to_owned()),
            ("LANG", "tr_TR.UTF-8".to_owned()),
            ("TZ", "Asia/Kathmandu".to_owned()),
            ("USER", "stranger".to_owned()),
            ("LOGNAME", "stranger".to_owned()),
            ("HOSTNAME", "stranger".to_owned()),
            ("TMPDIR", temporary.to_str().unwrap().to_owned()),
            ("GOMAXPROCS", "1".to_owned()),
            ("SOURCE_DATE_EPOCH", "1".to_owned()),
            ("EDITOR", "ed".to_owned()),
        ],
        home,
    };
    odd.variables.extend(clock.map(|library| ("LD_PRELOAD", library)));
    for machine in [&plain, &odd] {
        lay(&machine.sources);
    }
    fs::create_dir(&temporary).unwrap();
    make_old(&odd.sources);
    let rows: &[&[&str]] = match full_run() {
        true => &[
            &["build", "-C", "cmd/app", "-trimpath"],
            &["build", "-C", "cmd/plus", "-trimpath", "-buildmode=pie"],
            &["test", "-c", "-trimpath"],
        ],
        false => &[&["build", "-trimpath"]],
    };
    for words in rows {
        let [first, second] = [&plain, &odd].map(|machine| machine.built(&go, words));
        assert!(first == second, "{words:?}: {} and {} bytes", first.len(), second.len());
        let name = memchr::memmem::find(&second, b"stranger")
            .or_else(|| memchr::memmem::find(&second, b"deep/folder"));
        assert_eq!(name, None, "{words:?}: nothing of the machine is in it");
        tell(&format!("{}: {} bytes, the same on both machines", words.join(" "), first.len()));
    }
    assert!(fs::read_dir(&temporary).unwrap().next().is_none(), "nothing is left in TMPDIR");
}
