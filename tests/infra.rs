//! What the server is run with: the files of `infra/` pass their linters, the alerts name metrics that there are, and
//! the image's root and the unit's restrictions are enough for the program.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use modkeep_harness::authority::Authority;
use modkeep_harness::http;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{skip, tell};
use modkeep_harness::upstream::{Module, Tree, Upstream};
use regex::Regex;

const PROGRAM: &str = env!("CARGO_BIN_EXE_modkeep");

fn infra() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/infra"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(infra().join(file)).unwrap()
}

#[test]
fn every_file_passes_its_linter() {
    let output = Command::new(infra().join("check")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines().filter(|line| line.starts_with("skipped ")) {
        tell(line);
    }
    assert!(output.status.success(), "{said}");
}

#[test]
fn alerts_name_metrics_that_there_are_and_sections_of_the_runbook() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new(home.path());
    authority.install(&authority.sign());
    let certificates = modkeep_proxy::Certificates::load(&authority.certificate(), &authority.key()).unwrap();
    let there_are = modkeep_proxy::metric_names(Some(certificates));
    let (alerts, runbook) = (read("prometheus/alerts.yml"), read("RUNBOOK.md"));
    let named = Regex::new(r"modkeep_[a-z_]+").unwrap();
    for text in [&alerts, &runbook] {
        let used: BTreeSet<_> = named.find_iter(text).map(|found| found.as_str()).collect();
        assert!(used.len() > 3, "{used:?}");
        for name in used {
            assert!(there_are.contains(name), "{name} is not among {there_are:?}");
        }
    }
    let alert = Regex::new(r"(?m)alert: (\w+)").unwrap();
    for name in alert.captures_iter(&alerts).map(|found| found[1].to_owned()) {
        assert!(runbook.contains(&format!("## {name}\n")), "the runbook has no {name}");
        assert!(alerts.contains(&format!("RUNBOOK.md#{}\n", name.to_lowercase())), "{name} leads nowhere");
    }
}

#[test]
fn the_settings_that_the_files_name_are_settings() {
    let home = tempfile::tempdir().unwrap();
    let mut help = Modkeep::command(Path::new(PROGRAM), home.path());
    help.args(["help", "serve"]);
    let help = String::from_utf8(Modkeep::output(help).stdout).unwrap();
    let named = Regex::new(r"MODKEEP_[A-Z0-9_]+").unwrap();
    for file in ["container/Containerfile", "systemd/modkeep.service", "compose/compose.yaml"] {
        for name in named.find_iter(&read(file)) {
            assert!(help.contains(&format!("[{}]", name.as_str())), "{file}: {}", name.as_str());
        }
    }
}

/// As the container does and as much of the unit as the kernel does without systemd: the image's root and nothing
/// else, nobody's user, no capabilities, no new ones.
#[test]
fn the_program_serves_from_the_images_root_as_nobody() {
    if !rustix::process::geteuid().is_root() {
        return skip("the image's root", &"only root may change the root");
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        return skip("the image's root", &"there is no setpriv");
    }
    let root = tempfile::Builder::new().permissions(open_to_all()).tempdir().unwrap();
    let made = Command::new(infra().join("container/rootfs")).arg(PROGRAM).arg(root.path()).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::chown(root.path().join("data"), Some(65532), Some(65532)).unwrap();
    let mut command = Modkeep::command(Path::new("setpriv"), Path::new("/data"));
    command.args([
        "--no-new-privs",
        "--bounding-set=-all,+sys_chroot,+setuid,+setgid",
        "--inh-caps=-all",
        "chroot",
    ]);
    command.args(["--userspec=65532:65532", "--groups="]).arg(root.path());
    command.args(["/modkeep", "serve", "--listen", "127.0.0.1:0", "--store", "/data", "--sumdb", "off"]);
    command.args(["--upstream", "http://127.0.0.1:9"]);
    let modkeep = Modkeep::start(command);
    assert_eq!(http::get(&format!("{}/readyz", modkeep.url())).unwrap().status, 200);
    let status = std::fs::read_to_string(format!("/proc/{}/status", modkeep.id())).unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap();
    assert_eq!(line("Uid:").split_whitespace().next(), Some("65532"), "{status}");
    assert_eq!((line("CapEff:"), line("NoNewPrivs:")), ("0000000000000000", "1"), "{status}");
    let (status, log) = modkeep.stop();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// The unit's own restrictions of system calls, put in force by seccomp where systemd doesn't run.
#[test]
fn the_program_serves_under_the_restrictions_of_the_unit() {
    let confined = |program: &Path, home: &Path| {
        let mut command = Modkeep::command(&infra().join("systemd/confine"), home);
        command.arg(infra().join("systemd/modkeep.service")).arg(program);
        command
    };
    let home = tempfile::tempdir().unwrap();
    for (forbidden, what) in [
        ("import os; os.setpriority(os.PRIO_PROCESS, 0, 10)", "a call of @resources"),
        ("import mmap; mmap.mmap(-1, 4096, prot=7)", "memory to write and to run"),
        ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "another family of addresses"),
    ] {
        let mut control = confined(Path::new("python3"), home.path());
        control.args(["-c", forbidden]);
        let output = Modkeep::output(control);
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) {
            return skip("the unit's restrictions", &said.trim());
        }
        assert!(!output.status.success() && said.contains("PermissionError"), "{what}: {said}");
    }
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let upstream = Upstream::start(Tree::default().with(module));
    let mut command = confined(Path::new(PROGRAM), home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--upstream", &upstream.url()]);
    let modkeep = Modkeep::start(command);
    for path in ["/example.com/m/@v/list", "/example.com/m/@v/v1.0.0.zip", "/metrics"] {
        for round in 0..2 {
            let answer = http::get(&format!("{}{path}", modkeep.url())).unwrap();
            assert_eq!(answer.status, 200, "{path}, {round}: {}", answer.text());
        }
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", modkeep.id())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"), "{status}");
    let (status, log) = modkeep.stop();
    assert!(status.code() == Some(0) && !log.contains("ERROR"), "{log}");
}

fn open_to_all() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o755)
}
