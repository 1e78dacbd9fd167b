//! Writers that are killed in the middle: what they acknowledged is there, what they did not is there whole or not at all.
//!
//! The writer is this test program again, told by the environment which store to write to.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use modkeep_harness::place::full_run;
use modkeep_store::{Digest, Disk, Fault, Folder, Options, Plan, Put, Store, Swap, check};
use tokio::task::JoinSet;

use crate::suite::{key, noise};

const STORE: &str = "MODKEEP_TEST_FOLDER";
const WRITER: &str = "MODKEEP_TEST_WRITER";
const DIES_AT: &str = "MODKEEP_TEST_DIES_AT";
const LOG_FULL: u64 = 20_000;
/// Tasks that write at once in each writer.
const TASKS: u32 = 8;
/// Rounds of a writer that is not killed.
const ROUNDS: u32 = 2000;

fn value(writer: &str, n: u32) -> Bytes {
    noise(50 + writer.len() + n as usize % 700).into()
}

fn blob(writer: &str, n: u32) -> Bytes {
    [writer.as_bytes(), &n.to_le_bytes(), &noise(n as usize % 5000)].concat().into()
}

#[allow(clippy::disallowed_methods, reason = "this is how the test tells its own child what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Not a test of its own: what a child process does. Without being told to it does nothing.
#[test]
fn writer() {
    let (Some(path), Some(writer)) = (told(STORE), told(WRITER)) else { return };
    let plan = told(DIES_AT).map_or(Plan::Whole, |point| Plan::Once(point.parse().unwrap(), Fault::Die));
    let options = Options { log_full: LOG_FULL, disk: Disk::breaking(plan), ..Options::default() };
    let store = Arc::new(Folder::open(Path::new(&path), options).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (store, writer) = (store.clone(), writer.clone());
            tasks.spawn(async move {
                for n in (task..ROUNDS).step_by(TASKS as usize) {
                    write(&store, &writer, n).await;
                }
            });
        }
        tasks.join_all().await;
    });
}

async fn write(store: &Folder, writer: &str, n: u32) {
    let put = store.put_if_absent(&key(&format!("{writer}/{n}")), value(writer, n)).await.unwrap();
    assert_eq!(put, Put::Created);
    acknowledge("value", n);
    if n.is_multiple_of(5) {
        let mut incoming = store.begin().await.unwrap();
        incoming.write(blob(writer, n)).await.unwrap();
        store.keep(incoming).await.unwrap();
        acknowledge("blob", n);
    }
    let cell = store.cell(&key("count")).await.unwrap();
    let count: u32 =
        cell.as_ref().map_or(0, |cell| std::str::from_utf8(&cell.value).unwrap().parse().unwrap());
    let next = Bytes::from((count + 1).to_string());
    if let Swap::Done(_) =
        store.swap(&key("count"), cell.as_ref().map(|cell| &cell.revision), next).await.unwrap()
    {
        acknowledge("count", count + 1);
    }
}

/// One line that no other task's line can be mixed with.
fn acknowledge(what: &str, n: u32) {
    io::stdout().lock().write_all(format!("ack {what} {n}\n").as_bytes()).unwrap();
}

fn spawn(path: &Path, writer: &str, dies_at: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "kill::writer", "--nocapture", "--test-threads=1"])
        .env(STORE, path)
        .env(WRITER, writer);
    if let Some(point) = dies_at {
        command.env(DIES_AT, point.to_string());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Reads what a writer acknowledged until it ends.
fn acknowledgements(child: &mut Child) -> thread::JoinHandle<Vec<(String, u32)>> {
    let stdout = child.stdout.take().unwrap();
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let words = lines.filter_map(|line| line.strip_prefix("ack ").map(str::to_owned));
        let parsed =
            words.filter_map(|words| words.split_once(' ').map(|(what, n)| (what.to_owned(), n.parse())));
        parsed.map(|(what, n)| (what, n.unwrap())).collect()
    })
}

async fn verify(path: &Path, writer: &str, acknowledged: &[(String, u32)]) {
    let store = Folder::open(path, Options { log_full: LOG_FULL, ..Options::default() }).unwrap();
    let count = store.cell(&key("count")).await.unwrap();
    let count: u32 = count.map_or(0, |cell| std::str::from_utf8(&cell.value).unwrap().parse().unwrap());
    for (what, n) in acknowledged {
        match what.as_str() {
            "value" => {
                let found = store.get(&key(&format!("{writer}/{n}"))).await.unwrap();
                assert_eq!(found, Some(value(writer, *n)), "value {n} of writer {writer}");
            }
            "blob" => {
                let found = store.open(&Digest::of(&blob(writer, *n))).await.unwrap();
                assert!(found.is_some(), "blob {n} of writer {writer}");
            }
            _ => assert!(*n <= count, "the count went back from {n} to {count}"),
        }
    }
    for name in store.list(&format!("{writer}/"), None, usize::MAX).await.unwrap() {
        let n = name.as_str().rsplit_once('/').unwrap().1.parse().unwrap();
        assert_eq!(store.get(&name).await.unwrap(), Some(value(writer, n)), "`{name}`");
    }
}

async fn verify_all(path: &Path) {
    let store = Folder::open(path, Options::default()).unwrap();
    let report = check(&store).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_minus_nine_loses_no_acknowledgement() {
    let path = tempfile::tempdir().unwrap();
    let rounds = if full_run() { 300 } else { 100 };
    let mut total = 0;
    for round in 0_u64..rounds / 2 {
        let names = [format!("a{round}"), format!("b{round}")];
        let mut children = names.each_ref().map(|name| spawn(path.path(), name, None));
        let readers = children.each_mut().map(acknowledgements);
        // somewhere between opening and the middle of the work; the two are not killed together
        for (child, delay) in children.iter_mut().zip([round * 7919 % 97, round * 104_729 % 61]) {
            thread::sleep(Duration::from_millis(5 + delay));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for (name, reader) in names.iter().zip(readers) {
            let acknowledged = reader.join().unwrap();
            total += acknowledged.len();
            verify(path.path(), name, &acknowledged).await;
        }
        if round % 10 == 9 {
            verify_all(path.path()).await;
        }
    }
    verify_all(path.path()).await;
    eprintln!("{rounds} writers killed, {total} acknowledgements, none lost");
    assert!(total > rounds as usize, "the writers hardly wrote: {total}");
}

#[tokio::test(flavor = "multi_thread")]
async fn death_at_any_disk_step_loses_no_acknowledgement() {
    let path = tempfile::tempdir().unwrap();
    let deaths = if full_run() { 600 } else { 60 };
    for death in 0..deaths {
        // every step of opening, then ever farther apart
        let point = if death < 25 { death } else { 25 + (death - 25) * 7 };
        let writer = format!("w{death}");
        let mut child = spawn(path.path(), &writer, Some(point));
        let reader = acknowledgements(&mut child);
        let status = child.wait().unwrap();
        let acknowledged = reader.join().unwrap();
        assert!(!status.success(), "step {point} was not reached");
        verify(path.path(), &writer, &acknowledged).await;
    }
    verify_all(path.path()).await;
}
