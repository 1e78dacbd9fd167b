//! How a store of many versions behaves: `cargo run --release -p modkeep-store --example scale -- VERSIONS [FOLDER]`.
//!
//! Makes the store if the folder is new (three values a version, as a proxy keeps them), then starts this program again on it,
//! so that the figures are those of a process that made nothing: milliseconds until ready, resident memory when ready and
//! after 100 000 random gets, microseconds of CPU a get, files.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use modkeep_store::{Folder, Key, Options, Store, put_all};

const GETS: u64 = 100_000;
/// Versions of one module.
const VERSIONS_PER_MODULE: u64 = 16;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "the figures are what the program is for")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let versions: u64 = words.next().ok_or("how many versions?")?.parse()?;
    let scratch = tempfile::tempdir()?;
    let folder = words.next().map_or_else(|| scratch.path().join("store"), PathBuf::from);
    if words.next().is_some() {
        return measure(&folder, versions).await;
    }
    if !folder.exists() {
        let begun = Instant::now();
        let store = Folder::open(&folder, Options::default())?;
        let made = put_all(&store, (0..versions).flat_map(version)).await?;
        println!("made {made} values in {:.1} s", begun.elapsed().as_secs_f64());
        drop(store);
    }
    let status = Command::new(std::env::current_exe()?)
        .arg(versions.to_string())
        .arg(&folder)
        .arg("measure")
        .status()?;
    if status.success() { Ok(()) } else { Err("the measuring process failed".into()) }
}

/// The three values of a version.
fn version(n: u64) -> [(Key, Bytes); 3] {
    ["info", "mod", "zip"].map(|kind| (key(n, kind), value(n, kind)))
}

fn key(n: u64, kind: &str) -> Key {
    let (module, minor) = (n / VERSIONS_PER_MODULE, n % VERSIONS_PER_MODULE);
    let text = format!(
        "github.com/organization-{:04}/module-{module:07}/@v/v1.{minor}.0.{kind}",
        scramble(module) % 5000
    );
    Key::parse(&text).expect("made of allowed characters")
}

fn value(n: u64, kind: &str) -> Bytes {
    match kind {
        "info" => format!("{{\"Version\":\"v1.{n}.0\",\"Time\":\"2026-11-21T10:11:12Z\",\"Origin\":{{\"VCS\":\"git\",\"Hash\":\"{n:040x}\"}}}}").into(),
        "mod" => {
            let requirement = |n: u64| format!("\texample.com/dependency-{:05}/v2 v2.{}.0\n", scramble(n) % 99_991, n % 40);
            let requirements: String = (0..1 + n % 12).map(|at| requirement(n + at)).collect();
            format!("module example.com/m{n}\n\ngo 1.24\n\nrequire (\n{requirements})\n").into()
        }
        _ => format!("{:064x} 123456 h1:{:043x}=", scramble(n), scramble(n + 1)).into(),
    }
}

/// A fixed scramble, so that the same store is made on every machine.
fn scramble(n: u64) -> u64 {
    let mixed = (n ^ 0x5851_f42d_4c95_7f2d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

#[allow(clippy::print_stdout, reason = "the figures are what the program is for")]
async fn measure(folder: &Path, versions: u64) -> Result<(), Failure> {
    let before = resident()?;
    let begun = Instant::now();
    let store = Folder::open(folder, Options::default())?;
    let ready = begun.elapsed();
    let after_open = resident()?;
    let begun = spent()?;
    for get in 0..GETS {
        let n = scramble(get) % versions;
        for (key, expected) in version(n).into_iter().take(1 + (get % 3) as usize).skip((get % 3) as usize) {
            if store.get(&key).await? != Some(expected) {
                return Err(format!("`{key}` is not what was put").into());
            }
        }
    }
    let gets = spent()? - begun;
    let begun = spent()?;
    for get in 0..GETS {
        if store.get(&key(versions + get, "info")).await?.is_some() {
            return Err("a version that was never put".into());
        }
    }
    let misses = spent()? - begun;
    let stats = store.stats().await?;
    println!(
        "versions {versions}, rows {}, {} files, {:.1} MB",
        stats.rows,
        stats.files,
        stats.row_bytes as f64 / 1e6
    );
    println!("ready after {:.1} ms", ready.as_secs_f64() * 1e3);
    println!(
        "resident {:.1} MB before, {:.1} MB ready, {:.1} MB after {GETS} gets",
        before,
        after_open,
        resident()?
    );
    println!(
        "{:.2} us CPU a random get, {:.2} us an absent one",
        gets.as_secs_f64() * 1e6 / GETS as f64,
        misses.as_secs_f64() * 1e6 / GETS as f64
    );
    Ok(())
}

/// CPU time of the main thread, where the gets run as long as they need not wait for the disk.
fn spent() -> Result<Duration, Failure> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().ok_or("no schedstat")?.parse()?))
}

/// Resident memory of this process, in megabytes.
fn resident() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1e3)
}
