//! What of this machine results follow from that a C compiler or the machine's linker had a hand in.
//!
//! Go's keys name a C compiler by the line with its version, and headers, libraries and the linker not at all. That is enough
//! for a cache that one machine has; for results that machines share, the key gets the *identity of the host*: of what is linked,
//! the compiler, the programs that it calls and the libraries that Go's own packages name; of what is compiled, every header in
//! the compiler's own folders too.
//!
//! What compilers have read of a package they say, and what they looked for in vain they don't, so that no list of that makes
//! a key. Go's own packages read nothing else than what the identity has. Of anybody else's those are shared of which that can
//! be seen ([`closed`]); then the compiler itself has to be one that is known, no script that calls another, and the libraries
//! that it and what it calls are loaded with are in the identity too. All others, and the programs that have them, are shared with
//! nobody. So is all that a flag or a variable may lead elsewhere.
//!
//! The compiler is asked in every run, since what it answers follows from which folders there are. Only the digest of many files
//! is remembered, under all of their stamps.

pub(crate) mod assembly;
mod closed;
mod loaded;

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use modkeep_store::{Digest, Hasher, Stamp};
use parking_lot::Mutex;

use crate::action::{Action, Variables};
use crate::action_id::{ActionId, digest_of};
use crate::build::Build;
use crate::cgo::{Language, compiler};
use crate::goal::Goal;
use crate::package::Package;
use crate::shop::Shop;
use crate::target::Target;

const CONTENTS: &str = "modkeep host contents 3\n";
/// Programs that a C compiler calls.
const PROGRAMS: [&str; 7] = ["cc1", "as", "collect2", "ld", "lto-wrapper", "liblto_plugin.so", "specs"];
/// Files that the linker takes for a program of Go's, and those of the C library, which anybody's may ask for.
const LIBRARIES: [&str; 29] = [
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
    "libm.so",
    "libm.a",
    "libdl.so",
    "libdl.a",
    "librt.so",
    "librt.a",
    "libpthread.a",
    "libpthread.so",
    "libresolv.so",
    "libresolv.a",
    "libgcc.a",
    "libgcc_s.so",
    "libgcc_s.so.1",
    "libgcc_eh.a",
    "specs",
];
/// Variables that lead a compiler, or what it calls, elsewhere.
const LEADING: [&str; 14] = [
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "LD_RUN_PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LDEMULATION",
    "GNUTARGET",
    "SDKROOT",
    "CCC_OVERRIDE_OPTIONS",
];
/// Files above which a machine is not described.
const MOST_FILES: usize = 50_000;
/// A library of fewer bytes may be a text that names others.
const MOST_SCRIPT: u64 = 4096;

/// What a result follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the linker reads.
    Linking,
    /// That, and headers.
    Compiling,
    /// That, and what the compiler and its programs are loaded with: whatever packages of anybody follow from.
    Foreign,
}

/// Identities by compiler command, as far as they were asked for, and which packages' folders are closed for which target:
/// flags and files are those of one.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    known: Mutex<Vec<Known>>,
    closed: Mutex<HashMap<(String, Target), bool>>,
}

type Known = (Vec<String>, Part, Option<Digest>);

/// The key under which others find what this machine makes of an action; none for what is shared with nobody.
pub(crate) fn key(shop: &Shop, goal: &Goal<'_>, part: Part, action: &ActionId) -> Option<ActionId> {
    let identity = identity(shop, goal, part)?;
    Some(ActionId::of("modkeep host 3\n", &format!("{action}\n{identity}\n")))
}

/// Whether all that C compilers do for a package follows from its key and the host's identity.
pub(crate) fn describes(shop: &Shop, package: &Package, goal: &Goal<'_>) -> bool {
    let others = [&package.cxx_files, &package.f_files, &package.m_files];
    let is_closed = || {
        let key = (package.dir.clone(), goal.build.target.clone());
        let known = shop.hosts.closed.lock().get(&key).copied();
        known.unwrap_or_else(|| {
            let is_closed = closed::is_closed(package);
            shop.hosts.closed.lock().insert(key, is_closed);
            is_closed
        })
    };
    others.iter().all(|files| files.is_empty())
        && !package.uses_swig()
        && goal.build.c_variables.values().flat_map(|value| value.split_whitespace()).all(leads_nowhere)
        && (package.standard || is_closed())
}

/// What a package's result follows from.
pub(crate) fn part(package: &Package) -> Part {
    if package.standard { Part::Compiling } else { Part::Foreign }
}

/// Whether a flag of the user names no file and asks for nothing of this machine's processor.
fn leads_nowhere(flag: &str) -> bool {
    const WHOLE: [&str; 5] = ["-g", "-pthread", "-pedantic", "-Wall", "-Wextra"];
    // A value that follows as a word of its own is none of these.
    const BEGINNINGS: [&str; 6] = ["-O", "-D", "-U", "-std=", "-fno-", "-Wno-"];
    WHOLE.contains(&flag)
        || BEGINNINGS
            .iter()
            .any(|beginning| flag.strip_prefix(beginning).is_some_and(|rest| !rest.is_empty()))
        || flag.strip_prefix("-g").is_some_and(|level| matches!(level, "0" | "1" | "2" | "3"))
}

/// The digest of what C compilers and the linker are and read; none where that can't be told.
fn identity(shop: &Shop, goal: &Goal<'_>, part: Part) -> Option<Digest> {
    let Build { target, toolchain, .. } = goal.build;
    // Compilers of other systems read what they name in none of their answers; for another processor a compiler reads other
    // libraries than those that it names here.
    if target.os != "linux" || target.arch != toolchain.host.arch {
        return None;
    }
    let command = compiler(shop, goal, Language::C).ok()?;
    let [program] = command.as_slice() else {
        return None;
    };
    let mut known = shop.hosts.known.lock();
    if let Some((.., identity)) = known.iter().find(|(other, of, _)| *other == command && *of == part) {
        return *identity;
    }
    let identity = find(shop, program, part);
    known.push((command, part, identity));
    identity
}

fn find(shop: &Shop, compiler: &str, part: Part) -> Option<Digest> {
    let variables = shop.machine.variables();
    if LEADING.iter().any(|name| variables.get(*name).is_some_and(|value| !value.is_empty())) {
        return None;
    }
    let said = ask(shop, compiler, &["-print-search-dirs", "-v"])?;
    // It may hold any flags.
    if said.contains("Configuration file:") {
        return None;
    }
    let folders_of = |kind: &str| {
        let list = said.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(": ="))?;
        Some(list.split(':').map(str::to_owned).collect::<Vec<_>>())
    };
    let (mut for_programs, for_libraries) = (folders_of("programs")?, folders_of("libraries")?);
    // What is in none of them is looked up there.
    for_programs
        .extend(variables.get("PATH")?.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned));
    let headers = match part {
        Part::Linking => Vec::new(),
        Part::Compiling | Part::Foreign => folders_of_headers(shop, compiler)?,
    };
    let mut files = vec![PathBuf::from(shop.machine.find(compiler).ok()?)];
    files.extend(all_called(&for_programs, &PROGRAMS));
    if part == Part::Foreign {
        let loaded = loaded::libraries(shop, &files)?;
        files.extend(loaded);
    }
    let libraries = all_called(&for_libraries, &LIBRARIES);
    for library in &libraries {
        files.extend(named_by_script(library)?);
    }
    files.extend(libraries);
    for folder in &headers {
        walk(Path::new(folder), &mut Vec::new(), &mut files)?;
    }
    files.sort();
    files.dedup();
    // The order in which folders are searched is a part of what is found.
    let order = [for_programs, for_libraries, headers].map(|folders| folders.join("\n")).join("\n\n");
    digest(shop, &order, &files)
}

/// What a compiler says, in no language of the user's.
fn ask(shop: &Shop, compiler: &str, words: &[&str]) -> Option<String> {
    let action = Action {
        program: compiler.to_owned(),
        arguments: words.iter().map(|&word| word.to_owned()).collect(),
        folder: shop.folder.clone(),
        environment: Variables::Inherited(vec![("LC_ALL".to_owned(), "C".to_owned())]),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let outcome = shop.machine.run(&action);
    outcome.ended.ok()?;
    String::from_utf8(outcome.output).ok()
}

/// The folders that a compiler searches for headers by itself.
fn folders_of_headers(shop: &Shop, compiler: &str) -> Option<Vec<String>> {
    let said = ask(shop, compiler, &["-v", "-E", "-x", "c", "/dev/null"])?;
    let (_, folders) = said.split_once("search starts here:\n#include <...> search starts here:\n")?;
    let (folders, _) = folders.split_once("End of search list.")?;
    Some(folders.lines().map(|line| line.trim().to_owned()).collect())
}

/// Every file of these names, not only the first: which one is taken is the order's business.
fn all_called(folders: &[String], names: &[&str]) -> Vec<PathBuf> {
    let places = folders.iter().flat_map(|folder| names.iter().map(move |name| Path::new(folder).join(name)));
    places.filter(|place| place.is_file()).collect()
}

/// The files that a library names, if it is a text for the linker; nothing if that can't be told.
fn named_by_script(library: &Path) -> Option<Vec<PathBuf>> {
    if fs::metadata(library).ok()?.len() >= MOST_SCRIPT {
        return Some(Vec::new());
    }
    let content = fs::read(library).ok()?;
    let Ok(text) = String::from_utf8(content) else {
        return Some(Vec::new());
    };
    let words = text.split(|character: char| character.is_whitespace() || "(),;\"".contains(character));
    let named = words.filter(|word| word.starts_with('/') && !word.starts_with("/*")).map(PathBuf::from);
    Some(named.filter(|file| file.is_file()).collect())
}

/// All files below a folder, links followed; nothing if there are too many, or something else than files and folders.
///
/// A link back to a folder that it is in leads to what is there already under shorter names.
fn walk(place: &Path, above: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) -> Option<()> {
    let found = match fs::metadata(place) {
        Ok(found) => found,
        // A link may lead nowhere.
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(()),
        Err(_) => return None,
    };
    if found.is_file() {
        files.push(place.to_owned());
        return (files.len() <= MOST_FILES).then_some(());
    }
    let real = fs::canonicalize(place).ok()?;
    if !found.is_dir() {
        return None;
    }
    if above.contains(&real) {
        return Some(());
    }
    above.push(real);
    for entry in fs::read_dir(place).ok()? {
        walk(&entry.ok()?.path(), above, files)?;
    }
    above.pop();
    Some(())
}

/// The digest of files and of the order in which they are searched for; of what is as it was it is remembered.
fn digest(shop: &Shop, order: &str, files: &[PathBuf]) -> Option<Digest> {
    let mut text = format!("{order}\n");
    let mut is_settled = true;
    for file in files {
        let stamp = Stamp::of(file)?;
        is_settled &= shop.memory().trusts(&stamp);
        text.push_str(&format!("{} {stamp}\n", file.display()));
    }
    let id = ActionId::of(CONTENTS, &text);
    let known = if is_settled { shop.tiers.bytes(&id) } else { None };
    if let Some(known) = known.and_then(|text| String::from_utf8(text).ok()) {
        return Digest::parse(&known).ok();
    }
    let mut hasher = Hasher::default();
    hasher.update(format!("{order}\n").as_bytes());
    for file in files {
        let digest = digest_of(file).ok()?;
        hasher.update(format!("{} {digest}\n", file.display()).as_bytes());
    }
    let digest = hasher.digest();
    if is_settled {
        shop.keep(shop.tiers.put_bytes(&id, digest.to_string().as_bytes()));
    }
    Some(digest)
}

#[cfg(test)]
mod tests;
