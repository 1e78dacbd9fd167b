//! The end of the server: asked to stop under load it finishes what it has begun.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use modkeep_harness::http::get;
use modkeep_harness::modkeep::Modkeep;

/// Versions in the list that is asked for; long enough that a reply takes more than one write.
const VERSIONS: usize = 50_000;
const CLIENTS: usize = 8;

#[test]
fn no_reply_is_cut_short_by_a_stop_under_load() {
    let home = tempfile::tempdir().unwrap();
    let list: String = (0..VERSIONS).map(|patch| format!("v1.0.{patch}\n")).collect();
    let folder = home.path().join("modules/example.com/m/@v");
    fs::create_dir_all(&folder).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    fs::write(folder.join("list"), &list).unwrap();
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--access-log=false", "--upstream"]);
    command.arg(format!("file://{}", home.path().join("modules").display()));
    let modkeep = Modkeep::start(command);
    let url = format!("{}/example.com/m/@v/list", modkeep.url());

    let (served, replies) = mpsc::channel();
    let (status, log) = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (served, url, length) = (served.clone(), &url, list.len());
            scope.spawn(move || {
                // A connection that is refused or never answered was not begun; one that was must be whole.
                while let Ok(answer) = get(url) {
                    assert_eq!((answer.status, answer.body.len()), (200, length));
                    if served.send(()).is_err() {
                        break;
                    }
                }
            });
        }
        drop(served);
        for _ in 0..20 * CLIENTS {
            replies.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        let end = modkeep.stop();
        drop(replies);
        end
    });
    assert_eq!(status.code(), Some(0), "{log}");
}
