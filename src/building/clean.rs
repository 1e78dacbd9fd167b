//! `modkeep clean`: what builds have left in the caches and in folders of packages.
//!
//! Source of the rules: `cmd/go/internal/clean/clean.go`.

mod packages;

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use modkeep_builder::test_result::EXPIRY;

use self::packages::Cleaner;
use super::settings::cache_folder;
use super::{BuildFlags, build_flags};
use crate::flags::{Kind, Usage};
use crate::goenv::{GoEnv, words as system_words};
use crate::report::{self, Failure};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "clean",
    line: "go clean [-i] [-r] [-cache] [-testcache] [-modcache] [-fuzzcache] [build flags] [packages]",
    flags: build_flags![
        ("cache", Kind::Bool),
        ("fuzzcache", Kind::Bool),
        ("i", Kind::Bool),
        ("modcache", Kind::Bool),
        ("r", Kind::Bool),
        ("testcache", Kind::Bool),
    ],
};

#[derive(Default)]
struct Asked {
    cache: bool,
    tests: bool,
    modules: bool,
    fuzzing: bool,
    installed: bool,
    recursive: bool,
}

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let mut asked = Asked::default();
    let patterns = USAGE.parse(words, go.goflags(), |name, value| {
        let is_set = value == "true";
        match name {
            "cache" => asked.cache = is_set,
            "testcache" => asked.tests = is_set,
            "modcache" => asked.modules = is_set,
            "fuzzcache" => asked.fuzzing = is_set,
            "i" => asked.installed = is_set,
            "r" => asked.recursive = is_set,
            name => return flags.set(&USAGE, go, name, value).map(|_| ()),
        }
        Ok(())
    })?;
    let of_caches = [
        ("-cache", asked.cache),
        ("-fuzzcache", asked.fuzzing),
        ("-modcache", asked.modules),
        ("-testcache", asked.tests),
    ];
    let of_cache = of_caches.iter().find(|(_, is_set)| *is_set).map(|(flag, _)| *flag);
    if let Some(flag) = of_cache.filter(|_| !patterns.is_empty()) {
        return Err(Failure::go(format!("clean {flag} cannot be used with package arguments")));
    }
    let names_packages = !patterns.is_empty() || asked.installed || asked.recursive;
    let mut cleaned = Ok(());
    if names_packages || of_cache.is_none() && is_among_packages(go)? {
        cleaned = Cleaner::new(&flags, asked.installed, asked.recursive).clean(go, &patterns);
        // What was told of a file keeps nothing else.
        if cleaned.as_ref().is_err_and(|failure| !failure.to_string().is_empty()) {
            return cleaned;
        }
    }
    let shows = flags.dry || flags.shows;
    if asked.cache {
        clean_cache(&cache_folder(go)?, &flags, shows)?;
    }
    if asked.tests && !asked.cache && !flags.dry {
        expire_tests(&cache_folder(go)?)?;
    }
    if asked.modules {
        let folder = go.module_cache().filter(|folder| !folder.is_empty());
        let folder = folder.ok_or_else(|| Failure::go("cannot clean -modcache without a module cache"))?;
        if shows {
            report::out(&format!("rm -rf {folder}\n"))?;
        }
        if !flags.dry {
            remove_read_only(Path::new(&folder))?;
        }
    }
    if asked.fuzzing {
        let folder = cache_folder(go)?.join("fuzz");
        if shows {
            report::out(&format!("rm -rf {}\n", folder.display()))?;
        }
        if !flags.dry {
            remove(&folder)?;
        }
    }
    cleaned
}

/// Whether the current folder is one that packages are looked for in.
fn is_among_packages(go: &GoEnv) -> Result<bool, Failure> {
    Ok(!go.uses_modules()? || go.module_root().is_some() || go.go_work()?.is_some())
}

/// Removes entries and outputs, and nothing else that may be in the folder.
fn clean_cache(folder: &Path, flags: &BuildFlags, shows: bool) -> Result<(), Failure> {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut folders: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.len() == 2 && name.chars().all(is_hex))
        .collect();
    folders.sort();
    let shown: Vec<String> = folders.iter().map(|name| folder.join(name).display().to_string()).collect();
    if shows && !shown.is_empty() {
        report::out(&format!("rm -rf {}\n", shown.join(" ")))?;
    }
    if flags.dry {
        return Ok(());
    }
    shown.iter().try_for_each(|path| remove(Path::new(path)))?;
    // What go knows nothing of.
    modkeep_builder::gocache::PRIVATE.iter().try_for_each(|name| remove(&folder.join(name)))?;
    remove(&folder.join("log.txt"))
}

/// Results of tests from before now count no more.
fn expire_tests(folder: &Path) -> Result<(), Failure> {
    let file = folder.join(EXPIRY);
    let failed =
        |error: std::io::Error| Failure::go(format!("open {}: {}", file.display(), system_words(&error)));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut to =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file).map_err(failed)?;
    to.lock().map_err(failed)?;
    #[allow(clippy::disallowed_methods, reason = "go compares the machine's time with this")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut before = String::new();
    let _ = to.read_to_string(&mut before);
    // Never earlier than before, whatever the clock does.
    let now = now.max(before.trim().parse().unwrap_or(0));
    let text = format!("{now}\n");
    to.seek(SeekFrom::Start(0)).map_err(failed)?;
    to.write_all(text.as_bytes()).map_err(failed)?;
    to.set_len(text.len() as u64).map_err(failed)
}

fn remove(path: &Path) -> Result<(), Failure> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(|error| Failure::go(format!("unlinkat {}: {}", path.display(), system_words(&error))))
}

/// Removes the module cache, whose folders may not be written to.
fn remove_read_only(path: &Path) -> Result<(), Failure> {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            continue;
        }
        make_writable(&folder);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(entries.map(|entry| entry.path()));
    }
    remove(path)
}

#[cfg(unix)]
fn make_writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // What can't be changed can't be removed either, and that is said.
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o777));
}

#[cfg(not(unix))]
fn make_writable(_: &Path) {}
