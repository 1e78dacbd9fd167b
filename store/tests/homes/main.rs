//! What every home owes, asked of every home.
#![cfg(test)]

mod damage;
mod faults;
mod kill;
mod model;
mod suite;

use std::path::Path;

use modkeep_store::{Faulty, Folder, Memory, Options, Plan};
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
