//! Putting results in place.
//!
//! Source: `cmd/go/internal/work:exec.go:BuildInstallFunc`, `shell.go:moveOrCopyFile`.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::load::system_words;
use crate::package::Package;
use crate::shop::{Shop, StepError};

/// A result and where it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installed<'a> {
    /// Where it is.
    pub(crate) path: &'a str,
    /// Where it goes.
    pub(crate) target: &'a str,
    /// Whether it is a program.
    pub(crate) is_program: bool,
    /// The folder of its parts, which goes.
    pub(crate) folder: &'a str,
}

/// What a file may begin with to be overwritten (`objectMagic`).
const OBJECTS: [&[u8]; 15] = [
    b"!<arch>\n",
    b"<bigaf>\n",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\x4d\x5a\x90\x00\x03\x00",
    b"\x4d\x5a\x78\x00\x01\x00",
    b"\x00\x00\x01\xeb",
    b"\x00\x00\x8a\x97",
    b"\x00\x00\x06\x47",
    b"\x00\x61\x73\x6d",
    b"\x01\xdf",
    b"\x01\xf7",
];

/// Puts a result in place.
pub(crate) fn install(shop: &Shop, package: &Package, file: &Installed<'_>) -> Result<(), StepError> {
    let bench = shop.bench(package);
    if file.path == file.target {
        // It was up to date; its time says that it was asked for.
        if shop.flags.dry {
            bench.show("", &format!("touch {}", file.target));
        } else {
            touch(file.target);
        }
        return Ok(());
    }
    bench.make_folder(file.folder)?;
    if let Some((folder, _)) = file.target.rsplit_once('/') {
        bench.make_folder(&format!("{folder}/"))?;
    }
    if shop.flags.dry {
        bench.show("", &format!("mv {} {}", file.path, file.target));
    } else {
        put(shop, &bench, file)?;
    }
    if !shop.flags.keeps_work {
        bench.show("", &format!("rm -rf {}", file.folder));
        if !shop.flags.dry {
            // The whole work folder goes in the end.
            let _ = fs::remove_dir_all(file.folder);
        }
    }
    Ok(())
}

fn put(shop: &Shop, bench: &crate::shop::Bench<'_>, file: &Installed<'_>) -> Result<(), StepError> {
    let Installed { path, target, .. } = *file;
    check_target(target)?;
    let mode = if file.is_program { 0o777 } else { 0o666 };
    let is_in_cache = Path::new(path).starts_with(shop.cache.folder());
    let parent =
        target.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    if !is_in_cache && !passes_group_on(parent) && move_file(path, target, mode).is_ok() {
        bench.show_done(&format!("mv {path} {target}"));
        return Ok(());
    }
    bench.show_done(&format!("cp {path} {target}"));
    copy(path, target, mode)
        .map_err(|error| StepError::Plain(format!("copying {path}: open {target}: {}", system_words(&error))))
}

fn check_target(target: &str) -> Result<(), StepError> {
    let quoted = modkeep_module::quote::quote(target);
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => {
            Err(StepError::Plain(format!("build output {quoted} already exists and is a directory")))
        }
        Ok(metadata) if metadata.is_file() && metadata.len() > 0 && !is_object(target) => {
            Err(StepError::Plain(format!("build output {quoted} already exists and is not an object file")))
        }
        _ => Ok(()),
    }
}

fn is_object(path: &str) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    read.is_ok() && OBJECTS.iter().any(|magic| head.starts_with(magic))
}

/// Moves a file, with the mode that a new file there would have.
fn move_file(path: &str, target: &str, mode: u32) -> io::Result<()> {
    set_mode(path, created_mode(target, mode)?)?;
    rename(path, target)
}

#[allow(
    clippy::disallowed_methods,
    reason = "go moves programs so; one that a loss of power takes is built again"
)]
fn rename(path: &str, target: &str) -> io::Result<()> {
    fs::rename(path, target)
}

fn copy(path: &str, target: &str, mode: u32) -> io::Result<()> {
    let mut from = File::open(path)?;
    // What runs can't be written to, but it can be replaced.
    if fs::symlink_metadata(target).is_ok_and(|metadata| metadata.is_file()) {
        let _ = fs::remove_file(target);
    }
    let mut to = create(target, mode, false)?;
    match io::copy(&mut from, &mut to) {
        Ok(_) => Ok(()),
        Err(error) => {
            let _ = fs::remove_file(target);
            Err(error)
        }
    }
}

/// The mode of a new file, which the umask has a say in.
fn created_mode(target: &str, mode: u32) -> io::Result<u32> {
    let probe = format!("{target}-go-tmp-umask");
    let file = create(&probe, mode, true)?;
    let found = file.metadata().map(|metadata| mode_of(&metadata, mode));
    let _ = fs::remove_file(&probe);
    found
}

#[cfg(unix)]
fn create(path: &str, mode: u32, is_new: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).create_new(is_new).truncate(true).mode(mode).open(path)
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata, _: u32) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &str, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn passes_group_on(folder: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o2000 != 0)
}

#[cfg(not(unix))]
fn create(path: &str, _: u32, is_new: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).create_new(is_new).truncate(true).open(path)
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata, mode: u32) -> u32 {
    mode
}

#[cfg(not(unix))]
fn set_mode(_: &str, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn passes_group_on(_: &str) -> bool {
    false
}

#[allow(clippy::disallowed_methods, reason = "a file's time is the machine's")]
fn touch(path: &str) {
    let now = SystemTime::now();
    // Best effort, as in go: the content is right in any case.
    let _ = File::open(path)
        .and_then(|file| file.set_times(FileTimes::new().set_accessed(now).set_modified(now)));
}
