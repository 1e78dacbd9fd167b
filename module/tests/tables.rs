//! Go's own tables for versions, paths and globs, read from its source: each row holds here too.

use std::path::PathBuf;

use modkeep_conformance::go::Go;
use modkeep_harness::judge::x_mod_folder;
use modkeep_harness::place::skip;
use modkeep_harness::tables::rows;
use modkeep_module::path::major::{match_path_major, split_path_version};
use modkeep_module::path::{check_file_path, check_import_path, check_path};
use modkeep_module::{escape, glob, pseudo, quote, semver, version};

#[test]
fn the_tables_of_semver_hold() {
    let Some(source) = x_mod("the_tables_of_semver_hold", "semver/semver_test.go") else { return };
    let table: Vec<[String; 2]> = rows(&source, "var tests = ").iter().map(|row| texts(row)).collect();
    assert!(table.len() > 30, "{} rows", table.len());
    for (i, [v, canonical]) in table.iter().enumerate() {
        assert_eq!(semver::canonical(v).unwrap_or_default(), *canonical, "{v}");
        for (j, [w, other]) in table.iter().enumerate() {
            let want = if canonical == other { 0.cmp(&0) } else { i.cmp(&j) };
            assert_eq!(semver::compare(v, w), want, "{v} {w}");
        }
    }
}

#[test]
fn the_tables_of_paths_hold() {
    let Some(source) = x_mod("the_tables_of_paths_hold", "module/module_test.go") else { return };
    for row in rows(&source, "var checkTests = ") {
        let [path, v] = texts(&row);
        assert_eq!(version::check(&path, &v).is_ok(), flag(&row[2]), "{row:?}");
    }
    for row in rows(&source, "var checkPathTests = ") {
        let Some(path) = text(&row[0]) else {
            // No text, so no path of ours can hold it; Go refuses it in every role.
            assert_eq!(&row[1..], ["false"; 3], "{row:?}");
            continue;
        };
        let kinds = [check_path(&path), check_import_path(&path), check_file_path(&path)];
        assert_eq!(kinds.map(|kind| kind.is_ok().to_string()), row[1..], "{row:?}");
        if !flag(&row[1]) {
            assert!(escape::escape_path(&path).is_err() && escape::unescape_path(&path).is_err(), "{row:?}");
        }
    }
    for row in rows(&source, "var splitPathVersionTests = ") {
        let [prefix, major] = texts(&row);
        assert_eq!(split_path_version(&format!("{prefix}{major}")), Some((&*prefix, &*major)));
    }
    for row in rows(&source, "var escapeTests = ") {
        let path = text(&row[0]).unwrap();
        let escaped = row.get(1).map_or_else(|| path.clone(), |cell| text(cell).unwrap());
        assert_eq!(escape::escape_path(&path).as_deref(), Ok(&*escaped));
        assert_eq!(escape::unescape_path(&escaped).as_deref(), Ok(&*path));
    }
    for row in rows(&source, "var badUnescape = ") {
        assert!(escape::unescape_path(&text(&row[0]).unwrap()).is_err(), "{row:?}");
    }
    for row in rows(&source, "func TestMatchPathMajor(t *testing.T) {\n\tfor _, test := range ") {
        let [v, major] = texts(&row);
        assert_eq!(match_path_major(&v, &major), flag(&row[2]), "{row:?}");
    }
}

#[test]
fn the_tables_of_pseudo_versions_hold() {
    let Some(source) = x_mod("the_tables_of_pseudo_versions_hold", "module/pseudo_test.go") else { return };
    let time = "2006-01-02T15:04:05".parse().unwrap();
    for row in rows(&source, "var pseudoTests = ") {
        let [major, older, pseudo] = texts(&row);
        assert_eq!(pseudo::pseudo_version(&major, &older, time, "hash"), pseudo);
        assert!(pseudo::is_pseudo_version(&pseudo) && !pseudo::is_pseudo_version(&older));
        assert_eq!(pseudo::pseudo_version_time(&pseudo), Ok(time));
        assert_eq!(pseudo::pseudo_version_rev(&pseudo), Ok("hash"));
        assert_eq!(pseudo::pseudo_version_base(&pseudo).unwrap().unwrap_or_default(), older);
    }
    for row in rows(&source, "func TestInvalidPseudoVersionBase(t *testing.T) {\n\tfor _, in := range ") {
        assert!(pseudo::pseudo_version_base(&text(&row[0]).unwrap()).is_err(), "{row:?}");
    }
}

#[test]
fn the_tables_of_globs_hold() {
    let Some(source) = x_mod("the_tables_of_globs_hold", "module/module_test.go") else { return };
    for row in rows(&source, "func TestMatchPrefixPatterns(t *testing.T) {\n\tfor _, test := range ") {
        let [globs, path] = texts(&row);
        assert_eq!(glob::match_prefix_patterns(&globs, &path), flag(&row[2]), "{row:?}");
    }
    let go = Go::specification().expect("the source of x/mod came through it");
    let source = std::fs::read_to_string(go.root().join("src/path/match_test.go")).unwrap();
    let table = rows(&source, "var matchTests = ");
    assert!(table.len() > 50, "{} rows", table.len());
    for row in table {
        let [pattern, name] = texts(&row);
        let want = if row[3] == "nil" { Ok(flag(&row[2])) } else { Err(glob::BadPattern) };
        assert_eq!(glob::path_match(&pattern, &name), want, "{row:?}");
    }
}

/// A file of x/mod, or nothing where the machine can't have it.
fn x_mod(test: &str, file: &str) -> Option<String> {
    let folder: PathBuf = x_mod_folder().inspect_err(|missing| skip(test, missing)).ok()?;
    Some(std::fs::read_to_string(folder.join(file)).expect("a file of x/mod"))
}

/// The first cells of a row, which are texts.
fn texts<const N: usize>(row: &[String]) -> [String; N] {
    std::array::from_fn(|i| text(&row[i]).expect("UTF-8"))
}

/// The meaning of a string literal, where it is UTF-8.
fn text(cell: &str) -> Option<String> {
    let raw = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    let bytes = raw.map(|raw| raw.as_bytes().to_vec()).or_else(|| quote::unquote(cell.as_bytes()));
    String::from_utf8(bytes.expect("a string literal")).ok()
}

fn flag(cell: &str) -> bool {
    cell.parse().expect("true or false")
}
