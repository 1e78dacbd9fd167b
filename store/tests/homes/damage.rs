//! One bit turned anywhere at rest: never a wrong answer, always found, and healed by a scrub.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use modkeep_harness::place::full_run;
use modkeep_store::{Digest, ErrorKind, Folder, Options, Put, Store, Swap, check, scrub};

use crate::suite::{key, noise};

const VALUES: usize = 120;
const BLOBS: usize = 4;

fn value(n: usize) -> Bytes {
    noise(20 + 7 * n).into()
}

fn blob(n: usize) -> Vec<u8> {
    noise(3000 + n)
}

fn open(path: &Path, log_full: u64) -> Folder {
    Folder::open(path, Options { log_full, ..Options::default() })
        .expect("a store opens whatever bit is turned")
}

/// A store with segments, a log and blobs, at rest.
async fn fill(path: &Path) {
    let store = open(path, 8000);
    for n in 0..VALUES {
        assert_eq!(store.put_if_absent(&key(&format!("value/{n}")), value(n)).await.unwrap(), Put::Created);
        assert!(matches!(
            store.swap(&key(&format!("cell/{n}")), None, value(n)).await.unwrap(),
            Swap::Done(_)
        ));
    }
    for n in 0..BLOBS {
        let mut incoming = store.begin().await.unwrap();
        incoming.write(blob(n).into()).await.unwrap();
        store.keep(incoming).await.unwrap();
    }
    drop(store);
    // what the last process left is sealed by the next, and a log that is not full stays
    let store = open(path, 1 << 20);
    while fs::read_dir(path.join("values"))
        .unwrap()
        .filter(|file| name(file.as_ref().unwrap().path()).starts_with("log-"))
        .count()
        > 1
    {
        tokio::task::yield_now().await;
    }
    for n in 0..20 {
        store.put_if_absent(&key(&format!("late/{n}")), value(n)).await.unwrap();
    }
}

fn name(path: PathBuf) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// All files of the store that hold something.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(self::files(&entry.path()));
        } else if entry.metadata().unwrap().len() > 0 && name(entry.path()) != "modkeep-store" {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Every answer is right, an error that says so, or absent; says how many are not right.
async fn ask_everything(store: &Folder, context: &str) -> usize {
    let mut missing = 0;
    let keys =
        (0..VALUES).map(|n| (format!("value/{n}"), n)).chain((0..20).map(|n| (format!("late/{n}"), n)));
    for (name, n) in keys {
        match store.get(&key(&name)).await {
            Ok(Some(found)) => assert_eq!(found, value(n), "{context}: `{name}`"),
            Ok(None) => missing += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damaged, "{context}: {error}");
                missing += 1;
            }
        }
    }
    for n in 0..VALUES {
        match store.cell(&key(&format!("cell/{n}"))).await {
            Ok(Some(found)) => assert_eq!(found.value, value(n), "{context}: cell {n}"),
            Ok(None) => missing += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damaged, "{context}: {error}");
                missing += 1;
            }
        }
    }
    missing
}

async fn turn(path: &Path, file: &Path, bit: usize) {
    let context = format!("bit {bit} of `{}`", file.strip_prefix(path).unwrap().display());
    let mut bytes = fs::read(file).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::remove_file(file).unwrap();
    fs::File::create(file).unwrap().write_all(&bytes).unwrap();
    let store = open(path, 1 << 20);
    ask_everything(&store, &context).await;
    let found = check(&store).await.unwrap();
    let heals_itself = name(file.into()) == "slot";
    assert_eq!(found.is_clean(), heals_itself, "{context}: {found:?}");
    assert_eq!(scrub(&store).await.unwrap(), found, "{context}");
    let healed = check(&store).await.unwrap();
    assert!(healed.is_clean(), "{context}: {healed:?}");
    let missing = ask_everything(&store, &context).await;
    assert!(missing <= 120, "{context}: {missing} names are gone");
    for n in 0..VALUES {
        let put = store.put_if_absent(&key(&format!("value/{n}")), value(n)).await.unwrap();
        assert!(put == Put::Created || put == Put::Exists(value(n)), "{context}");
    }
    for n in 0..BLOBS {
        if store.open(&Digest::of(&blob(n))).await.unwrap().is_none() {
            let mut incoming = store.begin().await.unwrap();
            incoming.write(blob(n).into()).await.unwrap();
            store.keep(incoming).await.unwrap();
        }
    }
    drop(store);
    let store = open(path, 1 << 20);
    assert!(check(&store).await.unwrap().is_clean(), "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_bit_is_found_never_served_and_healed() {
    let origin = tempfile::tempdir().unwrap();
    fill(origin.path()).await;
    let store = open(origin.path(), 1 << 20);
    assert_eq!(ask_everything(&store, "untouched").await, 0);
    assert!(check(&store).await.unwrap().is_clean());
    drop(store);
    let rounds = if full_run() { 400 } else { 12 };
    for file in files(origin.path()) {
        let bits = fs::metadata(&file).unwrap().len() as usize * 8;
        for round in 0..rounds.min(bits) {
            let copied = tempfile::tempdir().unwrap();
            copy(origin.path(), copied.path());
            let file = copied.path().join(file.strip_prefix(origin.path()).unwrap());
            // spread over the file, at another bit each time
            turn(copied.path(), &file, (round * bits / rounds + round * 3) % bits).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_cut_short_is_found_and_kept_again() {
    let path = tempfile::tempdir().unwrap();
    let store = open(path.path(), 1 << 20);
    let mut incoming = store.begin().await.unwrap();
    incoming.write(blob(1).into()).await.unwrap();
    let digest = store.keep(incoming).await.unwrap().digest;
    let hex = digest.to_string();
    let file = path.path().join("blobs").join(&hex[..2]).join(&hex[2..]);
    fs::File::options().write(true).open(&file).unwrap().set_len(100).unwrap();
    assert!(!check(&store).await.unwrap().is_clean());
    let mut incoming = store.begin().await.unwrap();
    incoming.write(blob(1).into()).await.unwrap();
    store.keep(incoming).await.unwrap();
    assert!(check(&store).await.unwrap().is_clean(), "keeping replaces what has the wrong length");
}
