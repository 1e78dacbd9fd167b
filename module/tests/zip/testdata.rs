//! The testdata of golang.org/x/mod/zip, read from that module's source.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use modkeep_harness::judge::x_mod_folder;
use modkeep_harness::place::skip;
use modkeep_harness::raw_zip::{Part, RawZip};
use modkeep_harness::txtar::Txtar;
use modkeep_module::ModuleVersion;
use modkeep_module::dirhash::hash_dir;
use modkeep_module::zip::{
    Archive, CheckError, CheckedFiles, FileFault, MemoryFile, check, check_dir, check_files, create,
    create_from_dir, extract, prove,
};

/// One file of testdata: `key = value` lines, then a file tree.
struct Case {
    name: String,
    path: String,
    version: String,
    want_error: Option<String>,
    want_hash: Option<String>,
    files: Txtar,
}

impl Case {
    fn read(path: &Path) -> Self {
        let files = Txtar::read(path).unwrap();
        let name = path.display().to_string();
        let mut case = Self {
            name,
            path: String::new(),
            version: String::new(),
            want_error: None,
            want_hash: None,
            files: Txtar::default(),
        };
        for line in String::from_utf8_lossy(&files.comment).lines() {
            let line = line.split('#').next().unwrap();
            match line.split_once('=').map(|(key, value)| (key.trim(), value.trim().to_owned())) {
                Some(("path", value)) => case.path = value,
                Some(("version", value)) => case.version = value,
                Some(("wantErr", value)) => case.want_error = Some(value),
                Some(("hash", value)) => case.want_hash = Some(value),
                other => assert!(other.is_none() && line.trim().is_empty(), "{}: {line}", case.name),
            }
        }
        case.files = files;
        case
    }

    fn module(&self) -> Result<ModuleVersion, String> {
        ModuleVersion::parse(&self.path, &self.version).map_err(|error| error.to_string())
    }

    /// The files as sources.
    fn sources(&self) -> Vec<MemoryFile> {
        let source = |(path, content): &(String, Vec<u8>)| MemoryFile {
            path: path.as_bytes().to_vec(),
            content: content.clone(),
        };
        self.files.files.iter().map(source).collect()
    }

    /// The files as a zip.
    fn zip(&self) -> Vec<u8> {
        RawZip::new(self.files.files.iter().map(|(name, content)| Part::deflated(name, content))).bytes()
    }

    /// The hash or the error must be the one that is wanted.
    fn expect(&self, got: Result<String, String>) {
        match (&self.want_error, got) {
            (None, Ok(hash)) => assert_eq!(Some(&hash), self.want_hash.as_ref(), "{}", self.name),
            (Some(want), Err(error)) => assert!(
                error.contains(want) || self.is_about_types(want, &error),
                "{}: `{error}` has no `{want}`",
                self.name
            ),
            (want, got) => panic!("{}: {got:?}, wanted {want:?}", self.name),
        }
    }

    /// Two of the errors cannot be met, because a module version with such a path or version cannot be made: the text
    /// is that of the type.
    fn is_about_types(&self, want: &str, error: &str) -> bool {
        let is_path = want.contains("invalid UTF-8") && error.contains("malformed module path");
        let is_version = want.contains("is not canonical") && error.contains(&self.version);
        is_path || is_version
    }
}

/// Runs `test` on all cases of one folder of testdata, or says why there are none.
fn each(test: &str, folder: &str, check: impl Fn(Case)) {
    let source = match x_mod_folder() {
        Ok(source) => source,
        Err(missing) => return skip(test, &missing),
    };
    let folder = source.join("zip/testdata").join(folder);
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths.sort();
    paths.iter().for_each(|path| check(Case::read(path)));
}

/// The report of x/mod's own tests.
fn report(valid: Vec<String>, omitted: &[FileFault], invalid: &[FileFault]) -> String {
    let lines = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let faults = |faults: &[FileFault]| lines(faults.iter().map(ToString::to_string).collect());
    format!("valid:\n{}\nomitted:\n{}\ninvalid:\n{}", lines(valid), faults(omitted), faults(invalid))
}

fn expect_report(case: &Case, want: &[u8], got: &str, checked: &CheckedFiles) {
    assert_eq!(got, String::from_utf8_lossy(want), "{}", case.name);
    let want = match checked.invalid.as_slice() {
        [] => Ok(()),
        invalid => Err(CheckError::Files(invalid.to_vec())),
    };
    assert_eq!(checked.verdict(), want, "{}", case.name);
}

#[test]
fn files_are_sorted_out_as_in_its_testdata() {
    each("files_are_sorted_out_as_in_its_testdata", "check_files", |mut case| {
        let want = case.files.remove("want").unwrap();
        let checked = check_files(&case.sources());
        let valid = checked.valid.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        expect_report(&case, &want, &report(valid, &checked.omitted, &checked.invalid), &checked);
    });
}

#[test]
fn folders_are_sorted_out_as_in_its_testdata() {
    each("folders_are_sorted_out_as_in_its_testdata", "check_dir", |mut case| {
        let want = case.files.remove("want").unwrap();
        let place = tempfile::tempdir().unwrap();
        case.files.extract(place.path()).unwrap();
        let checked = check_dir(place.path()).unwrap();
        // The testdata names files below the folder.
        let below = |path: &[u8]| [b"$work/", path].concat();
        let named = |faults: &[FileFault]| -> Vec<FileFault> {
            let name = |fault: &FileFault| FileFault { path: below(&fault.path), fault: fault.fault.clone() };
            faults.iter().map(name).collect()
        };
        let valid = checked.valid.iter().map(|path| String::from_utf8(below(path)).unwrap()).collect();
        let got = report(valid, &named(&checked.omitted), &named(&checked.invalid));
        expect_report(&case, &want, &got, &checked);
    });
}

#[test]
fn zips_are_judged_as_in_its_testdata() {
    each("zips_are_judged_as_in_its_testdata", "check_zip", |mut case| {
        let want = case.files.remove("want").unwrap();
        let zip = case.zip();
        let archive = Archive::open(zip.as_slice(), zip.len() as u64).unwrap();
        let checked = check(&archive, &case.module().unwrap());
        let name = |&index: &usize| String::from_utf8_lossy(archive.entry(index).name()).into_owned();
        let got = report(checked.valid.iter().map(name).collect(), &[], &checked.invalid);
        assert_eq!(got, String::from_utf8_lossy(&want), "{}", case.name);
        let invalid = checked.invalid.clone();
        match checked.verdict() {
            Ok(_) => assert_eq!(invalid, []),
            Err(error) => assert_eq!(error, CheckError::Files(invalid)),
        }
    });
}

#[test]
fn zips_are_unpacked_as_in_its_testdata() {
    each("zips_are_unpacked_as_in_its_testdata", "unzip", |case| {
        let unpack = || {
            let (module, zip) = (case.module()?, case.zip());
            let place = tempfile::tempdir().unwrap();
            let target = place.path().join("unpacked");
            let h1 =
                extract(zip.as_slice(), zip.len() as u64, &module, &target).map_err(|e| e.to_string())?;
            let of_folder = hash_dir(&target, &module.to_string()).unwrap();
            assert_eq!(h1, of_folder, "{}", case.name);
            Ok(h1.to_string())
        };
        case.expect(unpack());
    });
}

#[test]
fn zips_are_made_from_files_as_in_its_testdata() {
    each("zips_are_made_from_files_as_in_its_testdata", "create", |case| {
        let make = || {
            let (module, mut zip) = (case.module()?, Cursor::new(Vec::new()));
            create(&mut zip, &module, &case.sources()).map_err(|error| error.to_string())?;
            Ok(proved_hash(zip.get_ref(), &module))
        };
        case.expect(make());
    });
}

#[test]
fn zips_are_made_from_folders_as_in_its_testdata() {
    each("zips_are_made_from_folders_as_in_its_testdata", "create_from_dir", |case| {
        let place = tempfile::tempdir().unwrap();
        case.files.extract(place.path()).unwrap();
        let make = || {
            let (module, mut zip) = (case.module()?, Cursor::new(Vec::new()));
            create_from_dir(&mut zip, &module, place.path()).map_err(|error| error.to_string())?;
            Ok(proved_hash(zip.get_ref(), &module))
        };
        case.expect(make());
    });
}

fn proved_hash(zip: &[u8], module: &ModuleVersion) -> String {
    prove(zip, zip.len() as u64, module).unwrap().h1.to_string()
}
