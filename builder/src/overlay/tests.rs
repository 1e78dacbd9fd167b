use std::path::Path;

use super::*;

const JSON: &[u8] = br#"{"Replace": {"a/new.go": "src", "a.go": "/abs", "gone": "", "deep/x/gone.go": ""}}"#;

#[test]
fn files_are_seen_where_they_are_laid_and_folders_above_them() {
    let overlay = Overlay::parse(JSON, "/w").unwrap();
    for (place, want) in [
        ("/w/a/new.go", Seen::File("/w/src".to_owned())),
        ("/w/./a.go", Seen::File("/abs".to_owned())),
        ("/w/a", Seen::Folder),
        ("/", Seen::Folder),
        ("/w/a/new.go/inner", Seen::Nothing),
        ("/w/gone", Seen::Nothing),
        ("/w/gone/inner", Seen::Nothing),
        ("/w/deep/x", Seen::Folder),
        ("/w/b", Seen::Disk),
        ("/w/a.", Seen::Disk),
    ] {
        assert_eq!(overlay.look(place), want, "{place}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_in_gos_words() {
    for (json, want) in [
        (r#"{"Replace": {"": "x"}}"#, "empty string key in overlay map"),
        (r#"{"Replace": {"./a": "x", "a": "y"}}"#, "duplicate paths ./a and a in overlay map"),
        (r#"{"Replace": {"a": "x", "a/b": "y"}}"#, "inconsistent files /w/a and /w/a/b in overlay map"),
    ] {
        assert_eq!(Overlay::parse(json.as_bytes(), "/w").unwrap_err().to_string(), want);
    }
    assert!(Overlay::parse(br#"{"Replace": {"a": "", "a/b": "y"}}"#, "/w").is_ok());
    assert!(Overlay::parse(b"{}", "/w").unwrap().is_empty());
    assert!(Overlay::parse(b"[", "/w").is_err());
    let missing = Overlay::read("none.json", "/nowhere").unwrap_err().to_string();
    assert_eq!(missing, "reading overlay: open none.json: no such file or directory");
}

fn put(path: &Path) {
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    fs::write(path, "on disk").unwrap();
}

#[test]
fn a_folder_holds_what_the_disk_has_and_what_is_laid_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for name in ["kept.go", "hidden.go", "laid"] {
        put(&folder.path().join(name));
    }
    let json = r#"{"Replace": {"hidden.go": "", "new.go": "laid", "inner/x.go": "laid", "y.go": "none",
        "sub/gone.go": ""}}"#;
    let overlay = Overlay::parse(json.as_bytes(), root).unwrap();
    let entries: Vec<_> =
        overlay.entries(root).unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect();
    let want = [
        ("inner", EntryKind::Folder),
        ("kept.go", EntryKind::File),
        ("laid", EntryKind::File),
        ("new.go", EntryKind::File),
        ("sub", EntryKind::Folder),
        ("y.go", EntryKind::Other),
    ];
    assert_eq!(entries, want.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(overlay.content(&format!("{root}/inner/x.go")).unwrap(), b"on disk");
    assert!(overlay.content(&format!("{root}/hidden.go")).is_err());
    assert!(overlay.is_folder(&format!("{root}/inner")) && overlay.is_file(&format!("{root}/new.go")));
    assert!(overlay.replaces(&format!("{root}/hidden.go")) && !overlay.replaces(&format!("{root}/kept.go")));
    assert!(overlay.check(&format!("{root}/hidden.go")).is_err());
    for (name, want) in [
        ("kept.go", Some(EntryKind::File)),
        ("new.go", Some(EntryKind::File)),
        ("inner", Some(EntryKind::Folder)),
        ("hidden.go", None),
        ("y.go", None),
    ] {
        assert_eq!(overlay.kind(&format!("{root}/{name}")).ok(), want, "{name}");
    }
    for (folder, want) in [
        ("sub", Some("sub/gone.go")),
        ("new.go/x", Some("new.go")),
        ("hidden.go", Some("hidden.go")),
        ("laid", None),
    ] {
        let want = want.map(|place| format!("{root}/{place}"));
        assert_eq!(overlay.touched(&format!("{root}/{folder}")), want, "{folder}");
    }
    assert_eq!(overlay.entries(&format!("{root}/inner")).unwrap().len(), 1);
    assert!(overlay.entries(&format!("{root}/none")).is_err());
}
