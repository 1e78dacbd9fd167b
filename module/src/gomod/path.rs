//! The module path of a go.mod, and nothing else of it.

use crate::quote::{lossy, unquote};
use crate::space;

/// The module path that a go.mod names, whatever else is wrong with the file; `None` where there is none.
/// (`modfile.ModulePath`)
pub fn module_path(data: &[u8]) -> Option<String> {
    let path = data.split(|byte| *byte == b'\n').find_map(|line| {
        let code = &line[..line.windows(2).position(|pair| pair == b"//").unwrap_or(line.len())];
        let rest = space::trim(code).strip_prefix(b"module")?;
        let path = space::trim(rest);
        (path.len() < rest.len() && !path.is_empty()).then_some(path)
    })?;
    let path = match path[0] {
        b'"' => unquote(path)?,
        b'`' => {
            let inner = path[1..].strip_suffix(b"`").filter(|inner| !inner.contains(&b'`'))?;
            inner.iter().copied().filter(|byte| *byte != b'\r').collect()
        }
        _ => path.to_vec(),
    };
    (!path.is_empty()).then(|| lossy(&path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_found_in_any_file_that_names_one() {
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"module rsc.io/quote", Some("rsc.io/quote")),
            (b"// c\n\tmodule  \"rsc.io/q\\x75ote\" // c\r\nbroken (", Some("rsc.io/quote")),
            (b"module `a\rb`\n", Some("ab")),
            (b"modulex\nmodule\nmodule //\nmodule a b\n", Some("a b")),
            (b"module \"a\nmodule b\n", None),
            (b"module \"\"\n", None),
            (b"", None),
            (b"module\xc2\xa0\xff\n", Some("\u{fffd}")),
        ];
        for (data, path) in cases {
            assert_eq!(module_path(data).as_deref(), *path, "{}", lossy(data));
        }
    }
}
