//! What lies on disk when a zip has been unpacked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use modkeep_harness::hostile::genuine;
use modkeep_harness::raw_zip::{Part, RawZip};
use modkeep_module::ModuleVersion;
use modkeep_module::hash::H1;
use modkeep_module::zip::{ExtractError, extract};

fn unpack(zip: &RawZip, target: &Path) -> Result<H1, ExtractError> {
    let module = ModuleVersion::parse("example.com/m", "v1.0.0").unwrap();
    let zip = zip.bytes();
    extract(zip.as_slice(), zip.len() as u64, &module, target)
}

#[test]
fn every_entry_becomes_a_regular_file_that_nobody_may_write() {
    let place = tempfile::tempdir().unwrap();
    let link =
        Part::new("example.com/m@v1.0.0/link", "/etc/passwd").but(|part| part.external = 0o120777 << 16);
    let program =
        Part::new("example.com/m@v1.0.0/run.sh", "#!/bin/sh\n").but(|part| part.external = 0o104777 << 16);
    let folder = Part::new("example.com/m@v1.0.0/empty/", "");
    let zip = genuine("example.com/m", "v1.0.0").but(|zip| zip.parts.extend([link, program, folder]));
    let target = place.path().join("not/there/yet");
    unpack(&zip, &target).unwrap();
    for name in ["go.mod", "LICENSE", "a.go", "sub/b.go", "link", "run.sh"] {
        let metadata = target.join(name).symlink_metadata().unwrap();
        assert!(metadata.is_file(), "{name}");
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o444, "{name}");
    }
    assert_eq!(fs::read(target.join("link")).unwrap(), b"/etc/passwd");
    assert!(!target.join("empty").exists());
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let zip = genuine("example.com/m", "v1.0.0");
    unpack(&zip, place.path()).unwrap();
    let error = unpack(&zip, place.path()).unwrap_err().to_string();
    assert_eq!(error, format!("target directory {} exists and is not empty", place.path().display()));
}

#[test]
fn a_zip_that_breaks_a_rule_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let bad = Part::new("example.com/m@v1.0.0/../evil.go", "");
    let target = place.path().join("m");
    let error = unpack(&genuine("example.com/m", "v1.0.0").but(|zip| zip.parts.push(bad)), &target);
    assert_eq!(
        error.unwrap_err().to_string(),
        r#"example.com/m@v1.0.0/../evil.go: malformed file path "../evil.go": invalid path element "..""#
    );
    assert_eq!(place.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_cannot_be_written_is_named() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::File::create_new(&file).unwrap();
    let error = unpack(&genuine("example.com/m", "v1.0.0"), &file.join("below")).unwrap_err();
    assert!(matches!(&error, ExtractError::Write { path, .. } if path.starts_with(&file)), "{error}");
}
