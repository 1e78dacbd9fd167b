//! Whether C compilers read of anybody's package only what its key names, what cgo makes of that, and the host's own headers.
//!
//! A key has the package's Go files, C files and headers. A compiler looks for what they include in the work folder, in the
//! package's folder and in its own folders, and so it does for what its own headers include. So nothing that might be a header
//! may lie in the folder, or below it, beside what the key has; and sources that read files in any way which isn't an
//! inclusion by name are taken for open. This is about honest sources: who writes them to deceive deceives those who build them
//! by the sources themselves.

use std::fs;
use std::path::Path;

use modkeep_module::file_path;

use super::leads_nowhere;
use crate::package::Package;

/// What the linker may be asked for: these are of the C library, and so in the identity.
const LINKED: [&str; 6] = ["-lc", "-lm", "-lpthread", "-ldl", "-lrt", "-pthread"];
/// What a source may read a file by, or the clock, other than an inclusion.
const DARK: [&str; 17] = [
    "asm",
    "##",
    "incbin",
    "%:",
    "??",
    "__has_include",
    "__has_embed",
    "_Pragma",
    "__DATE__",
    "__TIME",
    "include_next",
    // White space behind a `#` is any of these too, and blanks may stand where lines are joined.
    "\x0b",
    "\x0c",
    "\0",
    "\\ ",
    "\\\t",
    "\\\r",
];
/// `#pragma` words that name no file.
const PRAGMAS: [&str; 5] = ["once", "pack", "STDC", "GCC diagnostic", "GCC visibility"];
/// Endings that no header has which another header names.
const HARMLESS: [&str; 22] = [
    "go", "mod", "sum", "work", "md", "txt", "json", "yaml", "yml", "toml", "sh", "py", "html", "css", "js",
    "png", "svg", "proto", "golden", "xml", "csv", "pem",
];
/// Files below a folder above which it isn't looked at.
const MOST_FILES: usize = 4096;

/// Whether it is so.
pub(super) fn is_closed(package: &Package) -> bool {
    let flags = &package.cgo_flags;
    let are_plain = flags.c.iter().chain(&flags.preprocessor).all(|flag| leads_nowhere(flag))
        && flags.linker.iter().all(|flag| LINKED.contains(&flag.as_str()))
        && [&flags.packages, &package.s_files, &package.syso_files].iter().all(|list| list.is_empty());
    let sources = package.cgo_files.iter().chain(&package.c_files).chain(&package.h_files);
    are_plain
        && sources.into_iter().all(|file| is_source_closed(package, file))
        && is_folder_closed(package, Path::new(&package.dir), &mut 0)
}

fn is_source_closed(package: &Package, file: &str) -> bool {
    let Ok(content) = fs::read(file_path::join(&package.dir, file)) else {
        return false;
    };
    let Some(names) = included(&String::from_utf8_lossy(&content)) else {
        return false;
    };
    names.iter().all(|name| {
        let is_plain = !name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
        let is_here = || fs::symlink_metadata(file_path::join(&package.dir, name)).is_ok();
        is_plain && (package.h_files.contains(name) || package.c_files.contains(name) || !is_here())
    })
}

/// What a text includes by name; nothing where it may read more.
fn included(text: &str) -> Option<Vec<String>> {
    let text = text.replace("\\\r\n", "").replace("\\\n", "");
    if DARK.iter().any(|word| text.contains(word)) {
        return None;
    }
    let mut names = Vec::new();
    for rest in text.split('#').skip(1) {
        let rest = rest.trim_start_matches([' ', '\t']);
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let behind = rest[word.len()..].trim_start_matches([' ', '\t']);
        match word {
            "include" => {
                let (name, _) = match behind.strip_prefix('"') {
                    Some(quoted) => quoted.split_once('"')?,
                    None => behind.strip_prefix('<')?.split_once('>')?,
                };
                names.push(name.to_owned());
            }
            "pragma" if PRAGMAS.iter().any(|known| behind.starts_with(known)) => {}
            "import" | "embed" | "pragma" => return None,
            // A comment may stand before the word.
            "" if rest.starts_with('/') => return None,
            _ => {}
        }
    }
    Some(names)
}

/// Whether nothing in a folder might be a header that no key has. Hidden files are none.
fn is_folder_closed(package: &Package, folder: &Path, seen: &mut usize) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    for entry in entries {
        let Ok(entry) = entry else { return false };
        let Ok(name) = entry.file_name().into_string() else { return false };
        *seen += 1;
        if *seen > MOST_FILES {
            return false;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_top = folder == Path::new(&package.dir);
        let lists = [&package.c_files, &package.h_files, &package.embed_files];
        let is_in_key = is_top && lists.iter().any(|list| list.contains(&name));
        let is_closed = match name.rsplit_once('.') {
            _ if is_in_key || name.starts_with('.') => true,
            _ if is_folder => is_folder_closed(package, &entry.path(), seen),
            Some((_, ending)) => HARMLESS.contains(&ending),
            // A link may lead to a folder.
            None => entry.file_type().is_ok_and(|kind| kind.is_file()),
        };
        if !is_closed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_inclusion_is_found_and_what_may_read_more_is_seen() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            assert_eq!(included(text), expected, "{text}");
        };
        check("int f(void) { return 1; }", Some(&[]));
        check("// #include <stdio.h>\n// #include \"own.h\"\nimport \"C\"\n", Some(&["stdio.h", "own.h"]));
        check("#  include\t<sys/x.h>\n#define A(x) #x\n#ifdef A\n#endif\n", Some(&["sys/x.h"]));
        check("#inc\\\nlude \"split.h\"\n#pragma once\n#pragma GCC diagnostic push\n", Some(&["split.h"]));
        check("// #cgo LDFLAGS: -lm\n", Some(&[]));
        for dark in [
            "#include NAME",
            "#include /**/ \"x.h\"",
            "#/**/include \"x.h\"",
            "#import \"x.h\"",
            "#include_next <x.h>",
            "#pragma GCC dependency \"x\"",
            "#embed \"x\"",
            "#if __has_include(<x.h>)",
            "%:include \"x.h\"",
            "??=include \"x.h\"",
            "__asm__(\".incbin \\\"x\\\"\");",
            "#define P(a, b) a ## b",
            "const char *when = __DATE__;",
            "#\x0cinclude \"x.h\"",
            "#\x0binclude \"x.h\"",
            "#include\x0c\"x.h\"",
            "#\0include \"x.h\"",
            "#inc\\ \nlude \"x.h\"",
            "#inc\\\t\r\nlude \"x.h\"",
            "#inc\\\rlude \"x.h\"",
        ] {
            check(dark, None);
        }
    }

    #[test]
    fn what_a_header_may_be_found_by_opens_a_package() {
        let folder = tempfile::tempdir().unwrap();
        #[allow(clippy::disallowed_methods, reason = "files of the test")]
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a.go", "package a\n\n// #include \"own.h\"\n// #include <string.h>\nimport \"C\"\n");
        write("own.h", "int own(void);\n");
        write("own.c", "#include \"own.h\"\n#include \"_cgo_export.h\"\n");
        let list = |name: &str| vec![name.to_owned()];
        let package = Package {
            dir: folder.path().to_str().unwrap().to_owned(),
            cgo_files: list("a.go"),
            c_files: list("own.c"),
            h_files: list("own.h"),
            ..Package::default()
        };
        assert!(is_closed(&package));
        let with = |change: &dyn Fn(&mut Package)| {
            let mut changed = package.clone();
            change(&mut changed);
            is_closed(&changed)
        };
        assert!(with(&|package| package.cgo_flags.linker = list("-lm")));
        assert!(with(&|package| package.cgo_flags.c = list("-DX=1")));
        assert!(!with(&|package| package.cgo_flags.linker = list("-lz")));
        assert!(!with(&|package| package.cgo_flags.linker = list("-L/opt")));
        assert!(!with(&|package| package.cgo_flags.preprocessor = list("-I.")));
        assert!(!with(&|package| package.cgo_flags.packages = list("zlib")));
        assert!(!with(&|package| package.syso_files = list("x.syso")));
        assert!(!with(&|package| package.h_files = Vec::new()), "a header that no key has");
        for (name, is_open) in [
            ("README.md", false),
            ("LICENSE", false),
            (".git/config.h", false),
            ("testdata/words.txt", false),
            ("own_windows.h", true),
            ("own.h.gch", true),
            ("bits/types.h", true),
            ("deep/in/table.inc", true),
        ] {
            write(name, "");
            assert_eq!(is_closed(&package), !is_open, "{name}");
            if is_open {
                fs::remove_file(folder.path().join(name)).unwrap();
            }
        }
        write("sub/own.txt", "");
        write("own.c", "#include \"sub/own.txt\"\n");
        assert!(!is_closed(&package), "a file of another ending that is named");
        write("own.c", "#include \"../own.h\"\n");
        assert!(!is_closed(&package));
        write("own.c", "#include \"/etc/own.h\"\n");
        assert!(!is_closed(&package));
    }
}
