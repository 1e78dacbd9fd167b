//! A server that takes a request and never answers: who stops the build does not wait for it.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::Duration;

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use rustix::process::{Pid, Signal, kill_process};

use super::{Machine, PROGRAM};

/// Less than a server may be silent, and more than a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(45);

const SOURCES: &str = "\
-- go.mod --
module example.com/m

go 1.26
-- m.go --
package m
";

#[test]
fn an_interrupt_ends_a_build_that_waits_for_a_silent_server() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("a silent server", &missing),
    };
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine::with_sources(folder.path(), "machine", &go, SOURCES);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let (connects, connected) = mpsc::channel();
    std::thread::spawn(move || connects.send(server.accept().map(|(connection, _)| connection)));

    let mut command = machine.command(Modkeep::command(Path::new(PROGRAM), &machine.home));
    command.args(["build", "-remote", &url, "."]);
    let mut process = command.spawn().unwrap();
    let id = Pid::from_child(&process);
    let (ends, ended) = mpsc::channel();
    let connection = connected.recv_timeout(PATIENCE);
    kill_process(id, Signal::INT).unwrap();
    std::thread::spawn(move || ends.send(process.wait()));
    let status = ended.recv_timeout(PATIENCE);
    if status.is_err() {
        let _ = kill_process(id, Signal::KILL);
    }
    assert!(connection.is_ok_and(|connection| connection.is_ok()), "the server is asked");
    let by_interrupt = |status: ExitStatus| status.signal() == Some(2) || status.code() == Some(130);
    assert!(
        status.as_ref().is_ok_and(|status| status.as_ref().is_ok_and(|status| by_interrupt(*status))),
        "{status:?}"
    );
}
