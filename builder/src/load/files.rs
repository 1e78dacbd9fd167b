//! What is wrong with the files of a package, taken together.

use std::collections::HashMap;

use modkeep_module::unicode;

use super::Problem;
use crate::package::Package;

/// Why there is no Go file to build (`NoGoError`).
pub(super) fn no_go_files(package: &Package) -> Problem {
    let dir = package.dir.clone();
    if !package.ignored_go_files.is_empty() {
        Problem::AllExcluded { dir }
    } else if !package.test_go_files.is_empty() || !package.x_test_go_files.is_empty() {
        Problem::OnlyTests { dir }
    } else {
        Problem::NoGoFiles { dir }
    }
}

/// Names that can't stand beside each other, or in an argument.
pub(super) fn problem(package: &Package) -> Option<Problem> {
    let files = package.all_files();
    if let Some((a, b)) = same_but_for_case(&files) {
        return Some(Problem::FileCollision(a.to_owned(), b.to_owned()));
    }
    if let Some(file) = files.iter().find(|file| !is_safe_argument(file) || file.starts_with("_cgo_")) {
        return Some(Problem::FileName((*file).to_owned()));
    }
    let base = package.import_path.rsplit('/').next().unwrap_or_default();
    if !is_safe_argument(base) {
        return Some(Problem::DirectoryName(base.to_owned()));
    }
    package.dir.contains(['\r', '\n']).then(|| Problem::Directory(package.dir.clone()))
}

/// Files that only cgo can build, in a package without it.
pub(super) fn without_cgo(package: &Package) -> Option<Problem> {
    if package.uses_cgo() || package.uses_swig() {
        return None;
    }
    let languages = [
        ("C", &package.c_files),
        ("C++", &package.cxx_files),
        ("Objective-C", &package.m_files),
        ("Fortran", &package.f_files),
    ];
    let (language, files) = languages.into_iter().find(|(_, files)| !files.is_empty())?;
    Some(Problem::NoCgo { language, files: files.join(" ") })
}

/// Whether a text on a command line means nothing but itself (`SafeArg`).
pub(super) fn is_safe_argument(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/') || b >= 0x80)
}

fn same_but_for_case<'a>(files: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let mut seen = HashMap::new();
    for file in files {
        if let Some(other) = seen.insert(unicode::fold(file), *file) {
            return Some(if *file < other { (file, other) } else { (other, file) });
        }
    }
    None
}
