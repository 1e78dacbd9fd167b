//! How long does it take to know the h1 of a large zip, beside the Go that go itself uses?
//!
//! The zip holds Go's own source four times: about 100 MB, 40 000 files. It is made once, under the target folder.

#![allow(missing_docs, reason = "criterion makes a public function")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use modkeep_conformance::go::Go;
use modkeep_harness::judge::Judge;
use modkeep_harness::place::kept_folder;
use modkeep_module::ModuleVersion;
use modkeep_module::dirhash::hash_zip;
use modkeep_module::zip::{Archive, Kind, Source, check_files, create, prove_zip};
use serde_json::json;

const COPIES: [&str; 4] = ["a", "b", "c", "d"];

fn h1(criterion: &mut Criterion) {
    let module = ModuleVersion::parse("example.com/large", "v1.0.0").expect("a module version");
    let (Ok(go), Ok(mut judge)) = (Go::specification(), Judge::start()) else {
        // Without Go there is neither the zip nor the rival.
        return;
    };
    let path = large_zip(&go, &module);
    let file = File::open(&path).expect("the zip is there");
    let length = file.metadata().expect("the zip is there").len();
    let ask = |judge: &mut Judge, operation| judge.ask(operation, json!([path])).expect("Go reads the zip");

    let archive = Archive::open(&file, length).expect("a zip");
    let ours = hash_zip(&archive).expect("a zip").to_string();
    assert_eq!(json!(ours), ask(&mut judge, "dirhash.HashZip"));

    let mut group = criterion.benchmark_group("h1 of a large zip");
    group.sample_size(10).throughput(Throughput::Bytes(length));
    group.bench_function("go", |bencher| {
        bencher.iter_custom(|times| {
            let once = |_| ask(&mut judge, "dirhash.Time").as_u64().expect("nanoseconds");
            Duration::from_nanos((0..times).map(once).sum())
        });
    });
    group.bench_function("modkeep", |bencher| {
        bencher.iter(|| {
            let archive = Archive::open(&file, length).expect("a zip");
            black_box(hash_zip(&archive).expect("a zip"))
        });
    });
    group.bench_function("modkeep, with all checks", |bencher| {
        bencher.iter(|| black_box(prove_zip(&file, length, &module).expect("a module zip")));
    });
    group.finish();
}

fn large_zip(go: &Go, module: &ModuleVersion) -> PathBuf {
    let kept = kept_folder().join("large.zip");
    if kept.exists() {
        return kept;
    }
    fs::create_dir_all(kept_folder()).expect("the target folder can be written");
    let unfinished = kept.with_extension("unfinished");
    let files = sources(&go.root().join("src"));
    let valid: HashSet<_> = check_files(&files).valid.into_iter().collect();
    let files: Vec<_> = files.into_iter().filter(|file| valid.contains(&file.name)).collect();
    let out = BufWriter::new(File::create(&unfinished).expect("the target folder can be written"));
    create(out, module, &files).expect("valid files make a zip");
    #[allow(clippy::disallowed_methods, reason = "a zip that is lost is made again")]
    fs::rename(unfinished, &kept).expect("the target folder can be written");
    kept
}

/// A file of Go's source in one of the copies.
struct Copied {
    name: Vec<u8>,
    path: PathBuf,
    length: u64,
}

impl Source for Copied {
    fn path(&self) -> &[u8] {
        &self.name
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

fn sources(root: &Path) -> Vec<Copied> {
    let (mut files, mut pending) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in folder.read_dir().expect("Go's source can be read") {
            let path = entry.expect("Go's source can be read").path();
            let metadata = path.symlink_metadata().expect("Go's source can be read");
            if metadata.is_dir() {
                pending.push(path);
            } else if metadata.is_file() && path.file_name().is_some_and(|name| name != "go.mod") {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                let copy = |copy| Copied {
                    name: format!("{copy}/{name}").into_bytes(),
                    path: path.clone(),
                    length: metadata.len(),
                };
                files.extend(COPIES.map(copy));
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

criterion_group!(benches, h1);
criterion_main!(benches);
