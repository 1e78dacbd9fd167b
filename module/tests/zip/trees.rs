//! Random file lists and folders: sorted out, hashed and packed as Go does.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::{Answer, Judge};
use modkeep_module::ModuleVersion;
use modkeep_module::dirhash::{dir_files, hash_dir};
use modkeep_module::zip::{
    CheckedFiles, CreateError, Kind, Source, check_dir, check_files, create, create_from_dir, prove, strict,
};
use serde_json::{Value, json};

use crate::verdict::go_text;

/// Elements that make paths with something to leave out, or to refuse.
const ELEMENTS: &[&str] = &[
    "a.go",
    "b.go",
    "A.go",
    "vendor",
    "vendor",
    "x",
    "y",
    "sub",
    "SUB",
    "go.mod",
    "GO.MOD",
    "go.sum",
    "modules.txt",
    "LICENSE",
    ".git",
    ".hg",
    ".bzr",
    ".svn",
    ".hg_archival.txt",
    "aux",
    "é.go",
    "É.go",
    "bad'",
    "..",
    ".",
    "",
];

/// Contents of a go.mod, for one of the two rules about vendored packages or neither.
const GO_MODS: &[&str] = &[
    "module example.com/m\n",
    "module example.com/m\n\ngo 1.23\n",
    "module example.com/m\n\ngo 1.23.7\n",
    "module example.com/m\n\ngo 1.24\n",
    "module example.com/m\n\ngo 1.24rc1\n",
    "module example.com/m\n\ngo 1.24.0rc1\n",
    "module example.com/m\n\ngo 1.25.1\n",
    "module example.com/m\n\ngo v1.24.x\n",
    "module example.com/m\n\ngo 1.x\n",
    "no go.mod at all (",
    "",
];

fn module() -> ModuleVersion {
    ModuleVersion::parse("example.com/m", "v1.0.0").unwrap()
}

/// A file that says of itself whatever it likes.
#[derive(Debug)]
struct Made {
    path: Vec<u8>,
    kind: Kind,
    length: u64,
    /// As many zeros as the length says where there is none.
    content: Option<Vec<u8>>,
}

impl Made {
    fn question(&self) -> Value {
        let kind = match self.kind {
            Kind::File => "file",
            Kind::Directory => "directory",
            Kind::Symlink => "symlink",
            Kind::Irregular => "irregular",
        };
        json!({
            "name": BASE64.encode(&self.path),
            "kind": kind,
            "length": self.length as i64,
            "data": self.content.as_ref().map(|content| BASE64.encode(content)),
        })
    }
}

impl Source for Made {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match &self.content {
            Some(content) => Ok(Box::new(content.as_slice())),
            None => Ok(Box::new(io::repeat(0).take(self.length))),
        }
    }
}

fn made(path: &str, length: u64) -> Made {
    Made { path: path.into(), kind: Kind::File, length, content: None }
}

fn random_path(dice: &mut Dice) -> Vec<u8> {
    let elements: Vec<_> = (0..=dice.below(4)).map(|_| dice.pick(ELEMENTS).as_bytes()).collect();
    let mut path = elements.join(&b'/');
    if dice.once_in(100) {
        path.push(dice.bits() as u8);
    }
    path
}

fn random_file(dice: &mut Dice) -> Made {
    let path = if dice.once_in(8) { b"go.mod".to_vec() } else { random_path(dice) };
    let kind = match dice.below(30) {
        0 => Kind::Directory,
        1 => Kind::Symlink,
        2 => Kind::Irregular,
        _ => Kind::File,
    };
    let content = random_content(&path, dice).into_bytes();
    let length = match dice.below(60) {
        0 => u64::MAX - dice.below(3) as u64,
        1 => (500 << 20) - 1 + dice.below(3) as u64,
        2 => (16 << 20) - 1 + dice.below(3) as u64,
        3 => content.len().saturating_sub(1) as u64,
        4 => content.len() as u64 + 1,
        _ => content.len() as u64,
    };
    Made { path, kind, length, content: Some(content) }
}

fn random_content(path: &[u8], dice: &mut Dice) -> String {
    match path.ends_with(b"go.mod") {
        true => dice.pick(GO_MODS).to_owned(),
        false => dice.text(&["package a\n", "// x\n", "\0"], 40),
    }
}

/// Our report in the form of the judge's.
fn report(checked: &CheckedFiles) -> Value {
    let texts = |paths: &[Vec<u8>]| paths.iter().map(|path| go_text(path)).collect::<Vec<_>>();
    let error = checked.verdict().err().map(|error| error.to_string());
    json!({
        "valid": texts(&checked.valid),
        "omitted": checked.omitted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "invalid": checked.invalid.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "verdict": { "hash": "", "error": error },
    })
}

/// The hash of what was created, which must be strict, or the error without what only Go puts before it.
fn created(zip: Vec<u8>, result: Result<(), CreateError>) -> Answer {
    result.map_err(|error| error.to_string())?;
    strict(zip.as_slice(), zip.len() as u64).unwrap();
    Ok(json!(prove(zip.as_slice(), zip.len() as u64, &module()).unwrap().h1.to_string()))
}

fn without_prefix(answer: Answer) -> Answer {
    answer.map_err(|error| match error.strip_prefix("create zip") {
        Some(rest) => rest.split_once(": ").unwrap().1.to_owned(),
        None => error,
    })
}

#[test]
fn random_files_are_sorted_out_and_packed_as_go_does() {
    let Some(mut judge) = Judge::start_or_skip("random_files_are_sorted_out_and_packed_as_go_does") else {
        return;
    };
    let mut dice = Dice::of("random_files_are_sorted_out_and_packed_as_go_does");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("go.zip");
    let names = ["example.com/m", "v1.0.0"].map(|text| BASE64.encode(text.as_bytes()));
    let mut packed = 0;
    for _ in 0..cases() / 100 {
        let lists: Vec<Vec<Made>> =
            (0..100).map(|_| (0..dice.below(9)).map(|_| random_file(&mut dice)).collect()).collect();
        let asked: Vec<Vec<Value>> =
            lists.iter().map(|files| files.iter().map(Made::question).collect()).collect();
        let questions: Vec<_> = asked.iter().map(|files| ("zip.CheckFiles", json!([files]))).collect();
        for (files, answer) in lists.iter().zip(judge.ask_all(&questions)) {
            assert_eq!(Ok(report(&check_files(files))), answer, "left is ours, of {files:?}");
        }
        let questions: Vec<_> =
            asked.iter().map(|files| ("zip.Create", json!([names[0], names[1], files, file]))).collect();
        for (files, answer) in lists.iter().zip(judge.ask_all(&questions)) {
            let mut zip = Cursor::new(Vec::new());
            let result = create(&mut zip, &module(), files);
            packed += usize::from(result.is_ok());
            assert_eq!(
                created(zip.into_inner(), result),
                without_prefix(answer),
                "left is ours, of {files:?}"
            );
        }
    }
    assert!(packed > cases() / 20, "only {packed} packed");
}

#[test]
fn random_folders_are_sorted_out_hashed_and_packed_as_go_does() {
    let test = "random_folders_are_sorted_out_hashed_and_packed_as_go_does";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let place = tempfile::tempdir().unwrap();
    let go_zip = place.path().join("go.zip");
    let names = ["example.com/m", "v1.0.0"].map(|text| BASE64.encode(text.as_bytes()));
    for at in 0..cases() / 10 {
        let folder = place.path().join(at.to_string());
        random_folder(&folder, &mut dice);
        let answers = judge.ask_all(&[
            ("zip.CheckDir", json!([folder])),
            ("zip.CreateFromDir", json!([names[0], names[1], folder, go_zip])),
            ("dirhash.DirFiles", json!([folder, "m@v1"])),
            ("dirhash.HashDir", json!([folder, "m@v1"])),
        ]);
        let [checked, packed, listed, hashed] = answers.try_into().unwrap();

        let below = |path: &[u8]| [folder.to_str().unwrap().as_bytes(), b"/", path].concat();
        let mut ours = check_dir(&folder).unwrap();
        ours.valid.iter_mut().for_each(|path| *path = below(path));
        ours.omitted.iter_mut().for_each(|file| file.path = below(&file.path));
        ours.invalid.iter_mut().for_each(|file| file.path = below(&file.path));
        assert_eq!(Ok(report(&ours)), checked, "left is ours, of {}", show(&folder));

        let mut zip = Cursor::new(Vec::new());
        let result = create_from_dir(&mut zip, &module(), &folder);
        assert_eq!(created(zip.into_inner(), result), without_prefix(packed), "of {}", show(&folder));

        let files: Vec<_> = dir_files(&folder, "m@v1").unwrap().iter().map(|name| go_text(name)).collect();
        assert_eq!(Ok(json!(files)), listed, "of {}", show(&folder));
        // A link that leads nowhere, or to a folder, cannot be read by either.
        match (hash_dir(&folder, "m@v1"), hashed) {
            (Ok(ours), theirs) => assert_eq!(Ok(json!(ours.to_string())), theirs, "of {}", show(&folder)),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{ours:?} is ours, {theirs:?} is Go's, of {}", show(&folder)),
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
fn random_folder(folder: &Path, dice: &mut Dice) {
    fs::create_dir(folder).unwrap();
    for _ in 0..dice.below(14) {
        let path = if dice.once_in(8) { b"go.mod".to_vec() } else { random_path(dice) };
        let Ok(name) = String::from_utf8(path) else { continue };
        let path = folder.join(&name);
        // The system refuses what is a file and a folder; what leaves the folder is not wanted.
        if name.split('/').any(|element| element == "..") || name.starts_with('/') {
            continue;
        }
        if path.parent().is_none_or(|parent| fs::create_dir_all(parent).is_err()) || path.exists() {
            continue;
        }
        match dice.below(12) {
            0 => drop(fs::create_dir(&path)),
            1 => drop(std::os::unix::fs::symlink(dice.pick(&["a.go", "nowhere", ".", "go.mod"]), &path)),
            _ => drop(fs::write(&path, random_content(name.as_bytes(), dice))),
        }
    }
}

/// The paths in a folder, for whoever must understand a failure.
fn show(folder: &Path) -> String {
    let mut pending: Vec<PathBuf> = vec![folder.to_owned()];
    let mut shown = String::new();
    while let Some(path) = pending.pop() {
        shown += &format!("{}\n", path.display());
        if path.is_dir() && !path.is_symlink() {
            pending.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    shown
}

#[test]
fn a_link_to_a_folder_and_a_folder_named_vendor_are_what_go_takes_them_for() {
    let empty = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let check = |folder: &Path, want: &str| {
        let mut zip = Cursor::new(Vec::new());
        let result = create_from_dir(&mut zip, &module(), folder);
        assert_eq!(created(zip.into_inner(), result), Ok(json!(want)));
    };
    let place = tempfile::tempdir().unwrap();
    let vendor = place.path().join("vendor");
    fs::create_dir(&vendor).unwrap();
    check(place.path(), empty);
    std::os::unix::fs::symlink(place.path(), place.path().join("link")).unwrap();
    check(place.path(), empty);
    check(&place.path().join("link"), empty);
    #[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
    fs::write(vendor.join("go.mod"), "module example.com/m\n\ngo 1.13\n").unwrap();
    check(&vendor, "h1:XduFAgX/GaspZa8Jv4pfzoGEzNaU/r88PiCunijw5ok=");
}

#[test]
fn sizes_are_limited_as_in_the_tests_of_x_mod() {
    const MAX: u64 = 500 << 20;
    const TREE: &str = "module source tree too large (max size is 524288000 bytes)";
    let check = |files: &[Made], want: &str| {
        let error = check_files(files).verdict().err().map_or(String::new(), |error| error.to_string());
        assert_eq!(error, want, "{files:?}");
    };
    check(&[made("large.go", MAX)], "");
    check(&[made("large.go", MAX + 1)], TREE);
    check(&[made("small.go", 10), made("large.go", MAX - 10)], "");
    check(&[made("small.go", 10), made("large.go", MAX - 9)], TREE);
    check(&[made("negative.go", 1 << 63)], TREE);
    check(&[made("go.mod", 16 << 20)], "");
    check(&[made("go.mod", (16 << 20) + 1)], "go.mod: go.mod file too large (max size is 16777216 bytes)");
    check(&[made("LICENSE", 16 << 20)], "");
    check(&[made("LICENSE", (16 << 20) + 1)], "LICENSE: LICENSE file too large (max size is 16777216 bytes)");

    let lie = Made { content: Some(b"package large".to_vec()), ..made("lie.go", 1) };
    let error = create(io::Cursor::new(Vec::new()), &module(), &[lie]).unwrap_err();
    assert_eq!(error.to_string(), "file \"lie.go\" is larger than declared size");
}

#[test]
fn a_zip_of_more_than_500_mib_is_refused_before_it_is_read() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("large.zip");
    let large = File::create_new(&path).unwrap();
    for (length, want) in [
        (500 << 20, "zip: not a valid zip file"),
        ((500 << 20) + 1, "module zip file is too large (524288001 bytes; limit is 524288000 bytes)"),
    ] {
        large.set_len(length).unwrap();
        let zip = File::open(&path).unwrap();
        assert_eq!(prove(&zip, length, &module()).unwrap_err().to_string(), want);
    }
}
