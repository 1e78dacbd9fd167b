//! Whether Go's assembler reads of a package only what the package's key names.
//!
//! A key has the assembly and the headers of the package's folder. The assembler includes any file all the same: one of another
//! folder, or one of this folder that is no header for the target.

use std::fs;
use std::path::Path;

use modkeep_module::file_path;

use crate::goal::Goal;
use crate::package::Package;

/// Whether every file that the package's assembly includes is in its key, is made for it, or is Go's own.
pub(crate) fn is_closed(package: &Package, goal: &Goal<'_>) -> bool {
    if package.standard || package.s_files.is_empty() {
        return true;
    }
    // They may name folders of headers.
    if !package.asmflags.is_empty() {
        return false;
    }
    let of_go = Path::new(&goal.build.toolchain.root).join("pkg/include");
    let is_named = |name: &str| {
        // Headers of one target are there under general names too.
        let is_made = name == "go_asm.h" || name.contains("_GOOS") || name.contains("_GOARCH");
        let is_here = || Path::new(&package.dir).join(name).exists();
        let is_of_go = || !name.contains('/') && of_go.join(name).is_file();
        package.h_files.iter().any(|file| file == name) || (is_made || is_of_go()) && !is_here()
    };
    package.s_files.iter().chain(&package.h_files).all(|file| {
        let content = fs::read(file_path::join(&package.dir, file)).ok();
        content.is_some_and(|content| {
            included(&String::from_utf8_lossy(&content)).all(|name| name.is_some_and(is_named))
        })
    })
}

/// What a text includes; none for what names no file in quotes.
fn included(text: &str) -> impl Iterator<Item = Option<&str>> {
    text.split('#').skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches([' ', '\t']).strip_prefix("include")?;
        let quoted = rest.trim_start_matches([' ', '\t']).strip_prefix('"');
        Some(quoted.and_then(|quoted| quoted.split_once('"')).map(|(name, _)| name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_inclusion_is_found() {
        let check = |text: &str, expected: &[Option<&str>]| {
            assert_eq!(included(text).collect::<Vec<_>>(), expected, "{text}");
        };
        check("TEXT x(SB)\n#define A 1\n// includes nothing\n", &[]);
        check("#include \"textflag.h\"\n# \tinclude\t\"../x.h\"\n", &[Some("textflag.h"), Some("../x.h")]);
        check("#include <x.h>\n#include NAME\n#include \"open\n", &[None, None, None]);
        check("/**/#include \"a\"#include \"b\"", &[Some("a"), Some("b")]);
    }
}
