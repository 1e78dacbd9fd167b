//! The shared libraries that a compiler and the programs that it calls are loaded with: arithmetic of constants is theirs.
//!
//! The loader of the GNU C library itself is asked, which says what it would load and runs nothing; with another one nothing is
//! known, since it would run the program. Its answer is remembered under the stamps of the programs and of the loader's own list.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use modkeep_store::Stamp;

use crate::action::{Action, Variables};
use crate::action_id::ActionId;
use crate::shop::Shop;

const LOADED: &str = "modkeep host libraries 1\n";
/// Where the loader has its list of libraries.
const LIST: &str = "/etc/ld.so.cache";
/// Bytes at the beginning of a program in which the name of its loader stands.
const HEAD: u64 = 4096;

/// What a program is.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Loaded by a loader that can be asked.
    Dynamic,
    /// Loaded with nothing, or a library itself.
    Plain,
    /// A script, of another system, or loaded by another loader.
    Unknown,
}

/// The libraries of all programs, the first of which is the compiler; nothing where that can't be told.
pub(super) fn libraries(shop: &Shop, programs: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let compiler = programs.first()?;
    if !is_known_compiler(compiler) {
        return None;
    }
    let mut text = String::new();
    let mut is_settled = true;
    let list = Path::new(LIST);
    for file in programs.iter().map(PathBuf::as_path).chain(list.exists().then_some(list)) {
        let stamp = Stamp::of(file)?;
        is_settled &= shop.memory().trusts(&stamp);
        text.push_str(&format!("{} {stamp}\n", file.display()));
    }
    let id = ActionId::of(LOADED, &text);
    let known = if is_settled { shop.tiers.bytes(&id) } else { None };
    if let Some(known) = known.and_then(|known| String::from_utf8(known).ok()) {
        return Some(known.lines().map(PathBuf::from).collect());
    }
    let mut found = Vec::new();
    for program in programs {
        match kind(program)? {
            Kind::Dynamic => found.extend(ask(shop, program)?),
            Kind::Plain => {}
            // What it reads is in the identity itself.
            Kind::Unknown if program.file_name().is_some_and(|name| name == "specs") => {}
            Kind::Unknown => return None,
        }
    }
    found.sort();
    found.dedup();
    if is_settled {
        let lines: String = found.iter().map(|file| format!("{}\n", file.display())).collect();
        shop.keep(shop.tiers.put_bytes(&id, lines.as_bytes()));
    }
    Some(found)
}

/// Whether it is the compiler itself, and not one that calls another by the same name, as caches of compilers do.
fn is_known_compiler(compiler: &Path) -> bool {
    let real = std::fs::canonicalize(compiler).unwrap_or_default();
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_named = name.contains("gcc") || name.contains("clang");
    is_named && !name.contains("cache") && matches!(kind(compiler), Some(Kind::Dynamic | Kind::Plain))
}

fn kind(program: &Path) -> Option<Kind> {
    let mut head = Vec::new();
    File::open(program).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    if !head.starts_with(b"\x7fELF") {
        return Some(Kind::Unknown);
    }
    let names_any = |loaders: &[&str]| {
        loaders.iter().any(|loader| memchr::memmem::find(&head, loader.as_bytes()).is_some())
    };
    Some(if names_any(&["/ld-linux", "/ld64.so"]) {
        Kind::Dynamic
    } else if names_any(&["/ld-", "/ld.so"]) {
        Kind::Unknown
    } else {
        Kind::Plain
    })
}

/// What the loader says that it would load.
fn ask(shop: &Shop, program: &Path) -> Option<Vec<PathBuf>> {
    let variables = [("LD_TRACE_LOADED_OBJECTS", "1"), ("LC_ALL", "C")];
    let action = Action {
        program: program.to_string_lossy().into_owned(),
        arguments: Vec::new(),
        folder: shop.folder.clone(),
        environment: Variables::Inherited(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let outcome = shop.machine.run(&action);
    outcome.ended.ok()?;
    let text = String::from_utf8(outcome.output).ok()?;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let (name, place) = line.split_once(" => ").unwrap_or(("", line));
        let path = place.split(" (0x").next().unwrap_or_default();
        match path.starts_with('/') {
            true => found.push(PathBuf::from(path)),
            // The kernel has one of its own.
            false if name.is_empty() && path.starts_with("linux-") => {}
            false => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loader_that_can_be_asked_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        for (content, expected) in [
            ("\x7fELF\0/lib64/ld-linux-x86-64.so.2\0", Kind::Dynamic),
            ("\x7fELF\0/lib/ld-linux.so.2\0", Kind::Dynamic),
            ("\x7fELF\0/lib64/ld64.so.2\0", Kind::Dynamic),
            ("\x7fELF\0/lib/ld-musl-x86_64.so.1\0", Kind::Unknown),
            ("\x7fELF\0/libexec/ld-elf.so.1\0", Kind::Unknown),
            ("\x7fELF\0/lib/ld.so.1\0", Kind::Unknown),
            ("\x7fELF\0nothing", Kind::Plain),
            ("#!/lib64/ld-linux-x86-64.so.2", Kind::Unknown),
        ] {
            crate::shop::write_throwaway(file.to_str().unwrap(), content.as_bytes()).unwrap();
            assert_eq!(kind(&file), Some(expected), "{content:?}");
        }
    }
}
