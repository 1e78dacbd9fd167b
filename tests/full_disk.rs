//! A disk that is full: nothing is kept by half, what was kept is served, and room that is made is used.
//!
//! The disk is a small file system in memory, mounted where only the server sees it; the test looks at it through `/proc`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use modkeep_harness::dice::Dice;
use modkeep_harness::http::{Answer, get};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use modkeep_harness::upstream::{Module, Tree, Upstream};

const PROGRAM: &str = env!("CARGO_BIN_EXE_modkeep");
/// Mounts 6 MiB and becomes the server.
const MOUNT: &str = r#"mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@""#;

fn module(name: &str, bytes: usize) -> Module {
    let dice = &mut Dice::of("full_disk");
    let noise: Vec<u8> = (0..bytes / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
    Module::new(&format!("example.com/{name}"), "v1.0.0").file("content", noise)
}

/// Whether a user may mount things that nobody else sees.
fn can_mount(folder: &Path) -> bool {
    let mut mount = Command::new("unshare");
    mount.args(["--map-root-user", "--mount", "sh", "-c", MOUNT]).arg(folder).arg("true");
    mount.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_full_disk_keeps_nothing_by_half_and_serves_on() {
    let home = tempfile::tempdir().unwrap();
    let disk = home.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    if !can_mount(&disk) {
        return skip(
            "a_full_disk_keeps_nothing_by_half_and_serves_on",
            &"no file system may be mounted here",
        );
    }
    let tree = Tree::default().with(module("small", 1 << 20)).with(module("large", 20 << 20));
    let upstream = Upstream::start(tree.with(module("other", 1 << 20)));
    // the settings of the test's own command line, and the program behind unshare and sh
    let plain = Modkeep::command(Path::new(PROGRAM), home.path());
    let mut command = Modkeep::command(Path::new("unshare"), home.path());
    command.args(["--map-root-user", "--mount", "sh", "-c", MOUNT]).arg(&disk).arg(plain.get_program());
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--upstream", &upstream.url()]);
    command.args(["--free-space", "0", "--store"]).arg(&disk);
    let modkeep = Modkeep::start(command);
    let zip = |name: &str| -> Answer {
        get(&format!("{}/example.com/{name}/@v/v1.0.0.zip", modkeep.url())).unwrap()
    };
    let seen = format!("/proc/{}/root{}", modkeep.id(), disk.display());
    let store = |words: &[&str]| {
        let mut command = Modkeep::command(Path::new(PROGRAM), home.path());
        command.arg("store").args(words).args(["--store", &seen]);
        Modkeep::output(command)
    };

    let small = zip("small");
    assert_eq!(small.status, 200, "{}", small.text());
    for _ in 0..2 {
        let large = zip("large");
        let whole = upstream_length(&large);
        assert!(large.status == 503 || large.body.len() < whole, "{} {}", large.status, large.body.len());
    }
    assert!(zip("small").body == small.body, "what was kept is served");
    let check = store(&["check"]);
    assert!(check.status.success() && text(&check).contains("zip 1\n"), "{}", text(&check));
    assert_eq!(zip("other").status, 200, "there is room for a smaller one");

    // filled to the last byte by somebody else
    let filler = Path::new(&seen).join("filler");
    let mut filling = std::fs::File::create(&filler).unwrap();
    let fill = std::io::copy(&mut std::io::repeat(7), &mut filling).unwrap_err();
    assert_eq!(fill.kind(), std::io::ErrorKind::StorageFull, "{fill}");
    upstream.add(module("late", 3000));
    let late = zip("late");
    assert_eq!((late.status, late.header("retry-after").is_some()), (503, true), "{}", late.text());
    assert!(zip("small").body == small.body, "what was kept is served on a full disk");
    drop(filling);
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(zip("late").status, 200, "and there is room again");
    let check = store(&["check"]);
    assert!(check.status.success() && text(&check).contains("zip 3\n"), "{}", text(&check));
    assert_eq!(modkeep.stop().0.code(), Some(0));
}

/// How long the reply said it would be.
fn upstream_length(answer: &Answer) -> usize {
    answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(usize::MAX)
}
