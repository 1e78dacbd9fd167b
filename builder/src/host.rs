//! What of this machine results follow from that a C compiler or the machine's linker had a hand in.
//!
//! Go's keys name a C compiler by the line with its version, and headers, libraries and the linker not at all. That is enough
//! for a cache that one machine has; for results that machines share, the key gets the *identity of the host*: what the
//! compiler and all that it calls are, every header that it finds by itself, and the libraries that Go's own packages link.
//! What may read more than that (flags that name folders, further libraries, other languages) has no identity and is shared
//! with nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use modkeep_store::{Digest, Hasher};
use parking_lot::Mutex;

use crate::action::{Action, Variables};
use crate::action_id::ActionId;
use crate::cgo::{Language, compiler};
use crate::goal::Goal;
use crate::package::Package;
use crate::shop::Shop;

const PROBES: &str = "modkeep host probes 1\n";
const CONTENTS: &str = "modkeep host contents 1\n";
/// Programs that a C compiler calls.
const PROGRAMS: [&str; 4] = ["cc1", "as", "collect2", "ld"];
/// Files that the linker takes for a program of Go's.
const FILES: [&str; 22] = [
    "crt1.o",
    "Scrt1.o",
    "rcrt1.o",
    "crti.o",
    "crtn.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtbeginT.o",
    "crtend.o",
    "crtendS.o",
    "libc.so",
    "libc.so.6",
    "libc.a",
    "libc_nonshared.a",
    "libpthread.a",
    "libpthread.so",
    "libresolv.so",
    "libresolv.a",
    "libgcc.a",
    "libgcc_s.so",
    "libgcc_s.so.1",
    "libgcc_eh.a",
];
/// Variables that lead a compiler elsewhere.
const LEADING: [&str; 9] = [
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "LD_RUN_PATH",
    "SDKROOT",
];
/// Headers above which a machine is not described.
const MAX_HEADERS: usize = 50_000;
/// Flags that lead a compiler nowhere.
const HARMLESS: [&str; 7] = ["-O", "-g", "-D", "-U", "-std=", "-pthread", "-pedantic"];
/// Flags that look harmless and are not.
const HARMFUL: [&str; 8] =
    ["-fplugin", "-Wl,", "-Wa,", "-Wp,", "-fprofile", "-fuse-ld", "-flto", "-fsanitize"];

/// Identities by compiler command, as far as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<Vec<(Vec<String>, Option<Digest>)>>);

/// The key under which others find what this machine makes of an action; none for what is shared with nobody.
pub(crate) fn key(shop: &Shop, goal: &Goal<'_>, action: &ActionId) -> Option<ActionId> {
    let identity = identity(shop, goal)?;
    Some(ActionId::of("modkeep host 1\n", &format!("{action}\n{identity}\n")))
}

/// Whether all that C compilers do for a package follows from its key and the host's identity.
pub(crate) fn describes(package: &Package, goal: &Goal<'_>) -> bool {
    let others = [&package.cxx_files, &package.f_files, &package.m_files];
    if others.iter().any(|files| !files.is_empty()) || package.uses_swig() {
        return false;
    }
    let flags = &package.cgo_flags;
    let own = [&flags.c, &flags.preprocessor, &flags.linker];
    let leads_elsewhere = |flag: &String| {
        let is_harmless = HARMLESS.iter().any(|word| flag.starts_with(word))
            || flag.starts_with("-f")
            || flag.starts_with("-W");
        !is_harmless || HARMFUL.iter().any(|word| flag.starts_with(word))
    };
    let of_variables = goal.build.c_variables.values().flat_map(|value| value.split_whitespace());
    let variables_lead = of_variables.map(str::to_owned).any(|flag| leads_elsewhere(&flag));
    !variables_lead
        && (package.standard
            || flags.packages.is_empty()
                && flags.linker.is_empty()
                && !own.into_iter().flatten().any(leads_elsewhere)
                && !includes_from_elsewhere(package))
}

/// Whether a source has a header of another folder, which go's key doesn't name.
fn includes_from_elsewhere(package: &Package) -> bool {
    let lists = [&package.cgo_files, &package.c_files, &package.h_files, &package.s_files];
    lists.into_iter().flatten().any(|file| {
        let Ok(text) = fs::read(Path::new(&package.dir).join(file)) else {
            return true;
        };
        text.split(|&byte| byte == b'\n').any(|line| {
            let line = line.trim_ascii();
            let rest = line.strip_prefix(b"#").map(<[u8]>::trim_ascii_start);
            let rest = rest.and_then(|rest| rest.strip_prefix(b"include")).map(<[u8]>::trim_ascii_start);
            rest.is_some_and(|rest| {
                !rest.starts_with(b"<") && (!rest.starts_with(b"\"") || rest.contains(&b'/'))
            })
        })
    })
}

/// The digest of what C compilers and the linker are and read; none where that can't be told.
fn identity(shop: &Shop, goal: &Goal<'_>) -> Option<Digest> {
    let command = compiler(shop, goal, Language::C).ok()?;
    if command.len() > 1 {
        return None;
    }
    let mut known = shop.hosts.0.lock();
    if let Some((_, identity)) = known.iter().find(|(other, _)| *other == command) {
        return *identity;
    }
    let identity = find(shop, &command);
    known.push((command, identity));
    identity
}

fn find(shop: &Shop, command: &[String]) -> Option<Digest> {
    let variables = shop.machine.variables();
    if LEADING.iter().any(|name| variables.get(*name).is_some_and(|value| !value.is_empty())) {
        return None;
    }
    let program = shop.machine.find(&command[0]).ok()?;
    let stamp = stamp(Path::new(&program))?;
    // The assembler and the linker are found on it.
    let path = variables.get("PATH").map(String::as_str).unwrap_or_default();
    let id = ActionId::of(PROBES, &format!("{stamp}\n{path}\n{}\n", command.join("\n")));
    let places = match shop.tiers.bytes(&id).and_then(|text| String::from_utf8(text).ok()) {
        Some(places) => places,
        None => {
            let places = probe(shop, command, &program)?;
            shop.keep(shop.tiers.put_bytes(&id, places.as_bytes()));
            places
        }
    };
    let mut files = Vec::new();
    for place in places.lines() {
        walk(Path::new(place), &mut files)?;
    }
    files.sort();
    files.dedup();
    let stamps: Option<Vec<String>> = files.iter().map(|file| self::stamp(file)).collect();
    let id = ActionId::of(CONTENTS, &stamps?.join("\n"));
    if let Some(known) = shop.tiers.bytes(&id).and_then(|text| String::from_utf8(text).ok()) {
        return Digest::parse(&known).ok();
    }
    let mut hasher = Hasher::default();
    for file in &files {
        let digest = shop.hashes.of(file).ok()?;
        hasher.update(format!("{} {digest}\n", file.display()).as_bytes());
    }
    let digest = hasher.digest();
    shop.keep(shop.tiers.put_bytes(&id, digest.to_string().as_bytes()));
    Some(digest)
}

/// Folders of headers and files, a line each, as the compiler names them.
fn probe(shop: &Shop, command: &[String], program: &str) -> Option<String> {
    let ask = |words: &[&str]| {
        let arguments = command[1..].iter().map(String::as_str).chain(words.iter().copied());
        let action = Action {
            program: command[0].clone(),
            arguments: arguments.map(str::to_owned).collect(),
            folder: shop.folder.clone(),
            environment: Variables::Inherited(vec![("LC_ALL".to_owned(), "C".to_owned())]),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let outcome = shop.machine.run(&action);
        outcome.ended.ok()?;
        String::from_utf8(outcome.output).ok()
    };
    let mut places = vec![program.to_owned()];
    let said = ask(&["-v", "-E", "-x", "c", "/dev/null"])?;
    let (_, folders) = said.split_once("search starts here:\n#include <...> search starts here:\n")?;
    let (folders, _) = folders.split_once("End of search list.")?;
    places.extend(folders.lines().map(|line| line.trim().to_owned()));
    for name in PROGRAMS {
        let said = ask(&[&format!("-print-prog-name={name}")])?;
        let said = said.trim();
        // A name alone is one that is looked up in PATH.
        places.extend(shop.machine.find(said).ok().filter(|path| Path::new(path).is_file()));
    }
    for name in FILES {
        let said = ask(&[&format!("-print-file-name={name}")])?;
        places.extend(Some(said.trim().to_owned()).filter(|path| path.starts_with('/')));
    }
    Some(places.join("\n"))
}

/// All files below a place, which may be one; nothing if there are too many.
fn walk(place: &Path, files: &mut Vec<PathBuf>) -> Option<()> {
    let Ok(found) = fs::metadata(place) else {
        return Some(());
    };
    if found.is_file() {
        files.push(place.to_owned());
        return (files.len() <= MAX_HEADERS).then_some(());
    }
    for entry in fs::read_dir(place).ok()?.flatten() {
        let is_link_to_folder =
            entry.file_type().is_ok_and(|kind| kind.is_symlink()) && entry.path().is_dir();
        if !is_link_to_folder {
            walk(&entry.path(), files)?;
        }
    }
    Some(())
}

/// What a look at a file shows.
fn stamp(file: &Path) -> Option<String> {
    let found = fs::metadata(file).ok()?;
    let time = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", file.display(), found.len(), time.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Build;
    use crate::package::Graph;
    use crate::release::Release;
    use crate::target::Target;
    use crate::toolchain::Toolchain;

    #[test]
    fn what_flags_lead_elsewhere_is_described_by_nothing() {
        let host = Target { os: "linux".to_owned(), arch: "amd64".to_owned() };
        let toolchain = Toolchain {
            root: "/go".to_owned(),
            version: "go1.27.3".to_owned(),
            release: Release::Go1_27,
            host: host.clone(),
        };
        let check = |own: &[&str], linker: &[&str], variable: &str, expected: bool| {
            let mut build = Build::new(toolchain.clone(), host.clone(), "/");
            build.c_variables.insert("CGO_CFLAGS".to_owned(), variable.to_owned());
            let graph = Graph::default();
            let mut package = Package::default();
            package.cgo_flags.c = own.iter().map(|&flag| flag.to_owned()).collect();
            package.cgo_flags.linker = linker.iter().map(|&flag| flag.to_owned()).collect();
            assert_eq!(
                describes(&package, &Goal::new(&build, &graph)),
                expected,
                "{own:?} {linker:?} {variable}"
            );
        };
        check(&[], &[], "", true);
        check(&["-O2", "-Wall", "-DX=1", "-std=gnu11", "-fno-strict-aliasing"], &[], "-g -O1", true);
        check(&["-I/opt/include"], &[], "", false);
        check(&["-include", "x.h"], &[], "", false);
        check(&["-fplugin=x.so"], &[], "", false);
        check(&[], &["-lm"], "", false);
        check(&[], &[], "-I/opt/include", false);
        check(&[], &[], "-O2 -isystem /x", false);
    }
}
