//! What every home owes, asked of every home.
#![cfg(test)]

mod damage;
mod faults;
mod kill;
mod model;
mod suite;

use std::path::Path;

use modkeep_store::{ErrorKind, Faulty, Folder, Memory, Options, Plan, Store};
use suite::check_home;

fn folder(path: &Path, log_full: u64) -> Folder {
    Folder::open(path, Options { log_full, ..Options::default() }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_a_home() {
    check_home(Memory::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_a_home() {
    let path = tempfile::tempdir().unwrap();
    check_home(folder(path.path(), 16 << 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_seals_all_the_time_is_a_home() {
    let path = tempfile::tempdir().unwrap();
    check_home(folder(path.path(), 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breakable_home_that_does_not_break_is_a_home() {
    check_home(Faulty::new(Memory::new(), Plan::Whole)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_on_a_file_system_in_memory_is_a_home() {
    if Path::new("/dev/shm").is_dir() {
        let path = tempfile::tempdir_in("/dev/shm").unwrap();
        check_home(folder(path.path(), 4096)).await;
    } else {
        eprintln!("skipped: no /dev/shm");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_free_space_floor_nothing_new_is_written_and_all_is_served() {
    let path = tempfile::tempdir().unwrap();
    let name = suite::key("kept");
    folder(path.path(), 1 << 20).put_if_absent(&name, "before".into()).await.unwrap();
    let full = Options { free_floor: u64::MAX, ..Options::default() };
    let store = Folder::open(path.path(), full).unwrap();
    let put = store.put_if_absent(&suite::key("new"), "after".into()).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(store.begin().await.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(store.get(&name).await.unwrap(), Some("before".into()));
    store.remove(&name).await.unwrap();
    assert_eq!(store.get(&name).await.unwrap(), None, "forgetting is how room is made");
}
