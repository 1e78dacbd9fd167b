//! The module path that the code in a folder seems to have: from import comments, or from its place in GOPATH
//! (`modload/init.go:findModulePath`).

use modkeep_module::path::check_import_path;
use modkeep_module::quote::unquote;

use crate::goenv::{GoEnv, paths};
use crate::report::Failure;

pub(super) fn module_path(go: &GoEnv) -> Result<String, Failure> {
    if let Some(path) = from_comments(go.folder()) {
        return Ok(path);
    }
    let mut reason = "outside GOPATH, module path must be specified".to_owned();
    for folder in go.gopath() {
        let Some(path) = below(go.folder(), &paths::join(&folder, "src")) else { continue };
        match check_import_path(&path) {
            Ok(()) => return Ok(path),
            Err(error) => {
                reason = format!("bad module path inferred from directory in GOPATH: {error}");
                break;
            }
        }
    }
    Err(Failure::go(format!(
        "cannot determine module path for source directory {} ({reason})\n\nExample usage:\n\
         \t'go mod init example.com/m' to initialize a v0 or v1 module\n\
         \t'go mod init example.com/m/v2' to initialize a v2 module\n\n\
         Run 'go help mod init' for more information.",
        go.folder()
    )))
}

/// The way from one folder down to another, links followed if that helps.
fn below(path: &str, folder: &str) -> Option<String> {
    let down = |path: &str, folder: &str| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some(rest.to_owned()).filter(|rest| !rest.is_empty())
    };
    let real = |path: &str| Some(std::fs::canonicalize(path).ok()?.to_string_lossy().into_owned());
    down(path, folder).or_else(|| down(&real(path)?, &real(folder)?))
}

/// Go files of the folder itself come first, then those of the folders in it.
fn from_comments(folder: &str) -> Option<String> {
    let entries = names(folder);
    let files = entries.iter().filter(|(name, kind)| kind.is_file() && name.ends_with(".go"));
    if let Some(path) = files.into_iter().find_map(|(name, _)| comment_of(&paths::join(folder, name))) {
        return Some(path);
    }
    entries.iter().filter(|(_, kind)| kind.is_dir()).find_map(|(name, _)| {
        let inner = paths::join(folder, name);
        let path = names(&inner)
            .iter()
            .filter(|(name, kind)| kind.is_file() && name.ends_with(".go"))
            .find_map(|(name, _)| comment_of(&paths::join(&inner, name)))?;
        Some(paths::parent(&path).unwrap_or(".").to_owned())
    })
}

/// What is in a folder, by name; nothing if it can't be read.
fn names(folder: &str) -> Vec<(String, std::fs::FileType)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let named = |entry: std::fs::DirEntry| {
        Some((entry.file_name().to_string_lossy().into_owned(), entry.file_type().ok()?))
    };
    let mut names: Vec<_> = entries.flatten().filter_map(named).collect();
    names.sort_by(|(a, _), (b, _)| a.cmp(b));
    names
}

fn comment_of(file: &str) -> Option<String> {
    import_comment(&String::from_utf8_lossy(&std::fs::read(file).ok()?))
}

/// The path in the first line of the form `package name // import "path"`.
fn import_comment(text: &str) -> Option<String> {
    let blank = |c: char| matches!(c, ' ' | '\t');
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).find_map(|line| {
        let behind_name = after_blanks(line.strip_prefix("package")?)?
            .trim_start_matches(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n' | '/'));
        let comment = after_blanks(after_blanks(behind_name)?.strip_prefix("//")?)?.strip_prefix("import")?;
        let literal = after_blanks(comment)?.trim_end_matches(['\n']);
        let literal = literal.strip_suffix('\r').unwrap_or(literal).trim_end_matches(blank);
        let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
        if inner.is_empty() || inner.contains('"') {
            return None;
        }
        String::from_utf8(unquote(literal.as_bytes())?).ok()
    })
}

/// The text behind one or more blanks.
fn after_blanks(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches([' ', '\t']);
    (rest.len() < text.len()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_comment_names_the_package() {
        for (text, expected) in [
            ("// x\npackage m // import \"example.com/m\"\n", Some("example.com/m")),
            ("package\tm \t//\timport\t\"a/b\"\t\r\n", Some("a/b")),
            ("package m// import \"a\"\n", None),
            ("package m //import \"a\"\n", None),
            ("package m // import \"a\"", None),
            ("package m // import a\n", None),
            ("package m // import \"a\" // b\n", None),
        ] {
            assert_eq!(import_comment(text).as_deref(), expected, "{text:?}");
        }
    }
}
