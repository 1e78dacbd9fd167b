//! A store in a bucket, through the program: opened, refused, looked after, and the same after a restart.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use modkeep_harness::bucket::{Bucket, Sin};
use modkeep_harness::http::get;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, skip};
use modkeep_harness::s3::{Gateway, Negligent, settings};
use modkeep_harness::upstream::{Module, Tree, Upstream};
use tempfile::TempDir;

const FILES: [&str; 4] = ["list", "v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"];

fn command(home: &TempDir, endpoint: &str, words: &[&str]) -> Command {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home.path());
    command.envs(settings(endpoint, "some/where")).args(words);
    command
}

fn run(home: &TempDir, endpoint: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Modkeep::output(command(home, endpoint, words));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

fn serve(home: &TempDir, endpoint: &str, words: &[&str]) -> Modkeep {
    let mut command = command(home, endpoint, &["serve", "--listen", "127.0.0.1:0", "--sumdb", "off"]);
    command.args(words);
    Modkeep::start(command)
}

fn read_all(modkeep: &Modkeep) -> Vec<Vec<u8>> {
    let read = |file: &&str| {
        let answer = get(&format!("{}/example.com/m/@v/{file}", modkeep.url())).unwrap();
        assert_eq!(answer.status, 200, "{file}: {}", answer.text());
        answer.body
    };
    FILES.iter().map(read).collect()
}

#[test]
fn what_one_server_keeps_in_a_bucket_another_serves_offline() {
    let test = "what_one_server_keeps_in_a_bucket_another_serves_offline";
    let Some(gateway) = Gateway::start_or_skip(test, "modkeep") else { return };
    let endpoint = gateway.endpoint();
    let home = tempfile::tempdir().unwrap();
    let (status, _, stderr) = run(&home, &endpoint, &["store", "stats"]);
    assert_eq!((status, stderr.trim()), (Some(1), "modkeep: there is no store in `s3://modkeep/some/where`"));
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let upstream = Upstream::start(Tree::default().with(module));
    let first = serve(&home, &endpoint, &["--upstream", &upstream.url()]);
    let second = serve(&home, &endpoint, &["--upstream", &upstream.url()]);
    let served = read_all(&first);
    let asked = upstream.paths().len();
    assert_eq!(read_all(&second), served);
    assert_eq!(upstream.paths().len(), asked, "the second server found what the first had kept");
    let counts = "info 1\nmod 1\nzip 1\n";
    let (status, stdout, stderr) = run(&home, &endpoint, &["store", "check"]);
    assert!(status == Some(0) && stdout.contains(counts), "{stdout}{stderr}");
    for modkeep in [first, second] {
        assert_eq!(modkeep.stop().0.code(), Some(0));
    }
    drop(upstream);
    let offline = serve(&home, &endpoint, &["--offline"]);
    assert_eq!(read_all(&offline), served);
    let (status, stdout, _) = run(&home, &endpoint, &["store", "forget", "example.com/m"]);
    assert_eq!((status, &*stdout), (Some(0), "answers 1\nfiles 0\n"));
    let (status, stdout, _) = run(&home, &endpoint, &["store", "stats"]);
    assert!(status == Some(0) && stdout.contains(counts) && stdout.contains("answers 0"), "{stdout}");
    let kept = gateway.folder().join("modkeep/some/where/blobs");
    assert!(kept.is_dir(), "everything is under the prefix");
}

#[test]
fn what_killed_servers_left_is_swept_once_it_is_old_enough() {
    let test = "what_killed_servers_left_is_swept_once_it_is_old_enough";
    let Some(gateway) = Gateway::start_or_skip(test, "modkeep") else { return };
    let (endpoint, home) = (gateway.endpoint(), tempfile::tempdir().unwrap());
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let upstream = Upstream::start(Tree::default().with(module));
    let modkeep = serve(&home, &endpoint, &["--upstream", &upstream.url()]);
    let served = read_all(&modkeep);
    // as between the upload of a segment and the manifest that names it
    let values = gateway.folder().join("modkeep/some/where/values");
    let manifest = std::fs::read(values.join("manifest")).unwrap();
    let stray = values.join(format!("segment-{:032x}", 7));
    std::fs::File::create(&stray).unwrap().write_all(b"stray").unwrap();
    for (age, cleared) in
        [("1h", "cleared 0 bytes 0\n"), ("0", "cleared 1 bytes 5\n"), ("0", "cleared 0 bytes 0\n")]
    {
        let (status, stdout, stderr) = run(&home, &endpoint, &["store", "sweep", "--older-than", age]);
        assert_eq!((status, &*stdout), (Some(0), &*format!("freed 0 bytes 0\n{cleared}")), "{stderr}");
    }
    assert!(!stray.exists());
    assert_ne!(
        std::fs::read(values.join("manifest")).unwrap(),
        manifest,
        "who is late with a segment is told"
    );
    assert_eq!(read_all(&modkeep), served);
    let (status, _, stderr) = run(&home, &endpoint, &["store", "check"]);
    assert_eq!(status, Some(0), "{stderr}");
}

#[test]
fn below_the_floor_of_the_disk_no_file_begins_and_what_is_small_goes_into_the_bucket() {
    let bucket = Bucket::start(Sin::None);
    let home = tempfile::tempdir().unwrap();
    let scratch = home.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let upstream = Upstream::start(Tree::default().with(module));
    let start = |floor: &str| {
        let words = ["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--upstream", &upstream.url()];
        let mut command = command(&home, &bucket.endpoint(), &words);
        command.args(["--free-space", floor]).env("TMPDIR", &scratch);
        Modkeep::start(command)
    };
    let full = start("1000000TiB");
    let get =
        |modkeep: &Modkeep, file: &str| get(&format!("{}/example.com/m/@v/{file}", modkeep.url())).unwrap();
    assert_eq!(get(&full, "v1.0.0.mod").status, 200);
    let zip = get(&full, "v1.0.0.zip");
    assert_eq!((zip.status, zip.header("retry-after").is_some()), (503, true), "{}", zip.text());
    assert!(zip.text().contains("no room for anything new"), "{}", zip.text());
    drop(full);
    let roomy = start("0");
    assert_eq!(get(&roomy, "v1.0.0.zip").status, 200);
    assert_eq!(upstream.count("v1.0.0.mod"), 1, "it was kept");
    let own = std::fs::read_dir(&scratch).unwrap().next().unwrap().unwrap().path();
    let folders =
        || std::fs::read_dir(&own).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders(), 1, "what the killed server left is gone");
    assert_eq!(roomy.stop().0.code(), Some(0));
    assert_eq!(folders(), 0);
}

fn is_refused(endpoint: &str) {
    let home = tempfile::tempdir().unwrap();
    for words in [&["serve", "--offline", "--listen", "127.0.0.1:0"][..], &["store", "check"]] {
        let (status, stdout, stderr) = run(&home, endpoint, words);
        assert_eq!((status, &*stdout), (Some(1), ""), "{stderr}");
        // which race is lost first is the machine's to say
        let plain = "modkeep: bucket `modkeep` does not keep the condition `If-";
        assert!(stderr.starts_with(plain) && stderr.contains("it cannot be a store"), "{stderr}");
    }
}

#[test]
fn a_server_that_does_not_keep_its_conditions_is_refused_in_plain_words() {
    for sin in [Sin::IgnoresConditions, Sin::ChecksThenWrites] {
        is_refused(&Bucket::start(sin).endpoint());
    }
}

#[test]
fn a_real_server_that_does_not_keep_its_conditions_is_refused_in_plain_words() {
    let test = "a_real_server_that_does_not_keep_its_conditions_is_refused_in_plain_words";
    if !full_run() {
        return skip(test, &"s3s-fs takes minutes to build: set MODKEEP_FULL=1");
    }
    match Negligent::start("modkeep") {
        Ok(server) => is_refused(&server.endpoint()),
        Err(missing) => skip(test, &missing),
    }
}

#[test]
fn a_bucket_that_is_not_there_or_not_named_is_said_so() {
    let home = tempfile::tempdir().unwrap();
    if let Some(gateway) = Gateway::start_or_skip("a bucket that is not there", "other") {
        let (status, stdout, stderr) = run(&home, &gateway.endpoint(), &["serve", "--offline"]);
        assert_eq!((status, &*stdout), (Some(1), ""), "{stderr}");
        assert_eq!(stderr, "modkeep: there is no bucket `modkeep`\n");
    }
    let gone = Bucket::start(Sin::None).endpoint();
    let (status, stdout, stderr) = run(&home, &gone, &["serve", "--offline", "--listen", "127.0.0.1:0"]);
    assert_eq!((status, &*stdout), (Some(1), ""), "{stderr}");
    for (variable, value, words) in [
        ("MODKEEP_STORE", "s3://", "MODKEEP_STORE: `s3://` is not a folder or s3://BUCKET/PREFIX"),
        ("MODKEEP_STORE", "gs://bucket", "`gs://bucket` is not a folder or s3://BUCKET/PREFIX"),
        ("MODKEEP_S3_ENDPOINT", "127.0.0.1:9", "MODKEEP_S3_ENDPOINT: `127.0.0.1:9` is not a URL"),
    ] {
        let mut command = command(&home, &gone, &["store", "stats"]);
        command.env(variable, value);
        let output = Modkeep::output(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(words), "{stderr}");
    }
}
