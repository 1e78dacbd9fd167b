//! The text of the build info, read back (`runtime/debug/mod.go:ParseBuildInfo`).

use modkeep_module::quote::unquote;

use super::StampedError;
use crate::package::{BuildInfo, BuildModule};

/// Whose replacement a line may tell.
#[derive(Clone, Copy)]
enum Last {
    None,
    Main,
    Dep,
}

pub(super) fn parse(text: &str) -> Result<BuildInfo, StampedError> {
    let mut info = BuildInfo::default();
    let mut last = Last::None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let Some(line) = line.strip_suffix('\n') else { break };
        take(&mut info, &mut last, line)
            .map_err(|problem| StampedError::Text { line: index + 1, problem })?;
    }
    Ok(info)
}

fn take(info: &mut BuildInfo, last: &mut Last, line: &str) -> Result<(), String> {
    if let Some(path) = line.strip_prefix("path\t") {
        path.clone_into(&mut info.path);
    } else if let Some(words) = line.strip_prefix("mod\t") {
        info.main = module(words)?;
        *last = Last::Main;
    } else if let Some(words) = line.strip_prefix("dep\t") {
        info.deps.push(module(words)?);
        *last = Last::Dep;
    } else if let Some(words) = line.strip_prefix("=>\t") {
        let columns = words.split('\t').count();
        if columns != 3 {
            return Err(format!("expected 3 columns for replacement; got {columns}"));
        }
        let of = match std::mem::replace(last, Last::None) {
            Last::None => None,
            Last::Main => Some(&mut info.main),
            Last::Dep => info.deps.last_mut(),
        };
        let of = of.ok_or("replacement with no module on previous line")?;
        of.replace = Some(Box::new(module(words)?));
    } else if let Some(setting) = line.strip_prefix("build\t") {
        info.settings.push(self::setting(setting)?);
    }
    Ok(())
}

fn module(words: &str) -> Result<BuildModule, String> {
    let words: Vec<&str> = words.split('\t').collect();
    let (path, version, sum) = match words[..] {
        [path, version] => (path, version, ""),
        [path, version, sum] => (path, version, sum),
        _ => return Err(format!("expected 2 or 3 columns; got {}", words.len())),
    };
    Ok(BuildModule { path: path.to_owned(), version: version.to_owned(), sum: sum.to_owned(), replace: None })
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = match text.as_bytes().first() {
        None => return Err("build line missing '='".to_owned()),
        Some(b'=') => return Err("build line with missing key".to_owned()),
        Some(b'"' | b'`') => {
            let end = quoted_end(text).ok_or("invalid quoted key in build line")?;
            let rest = &text[end..];
            match rest.chars().next() {
                None => return Err("build line missing '=' after quoted key".to_owned()),
                Some('=') => {}
                Some(c) => return Err(format!("unexpected character after quoted key: {c:?}")),
            }
            (plain(&text[..end]).ok_or("invalid quoted key in build line")?, &rest[1..])
        }
        Some(_) => {
            let (key, value) = text.split_once('=').ok_or("build line missing '=' after key")?;
            if key.contains([' ', '\t', '\r', '\n', '"', '`']) {
                return Err(format!("unquoted key {} must be quoted", modkeep_module::quote::quote(key)));
            }
            (key.to_owned(), value)
        }
    };
    let value = match value.as_bytes().first() {
        Some(b'"' | b'`') => plain(value).ok_or("invalid quoted value in build line")?,
        _ if value.contains([' ', '\t', '\r', '\n', '"', '`']) => {
            return Err(format!("unquoted value {} must be quoted", modkeep_module::quote::quote(value)));
        }
        _ => value.to_owned(),
    };
    Ok((key, value))
}

/// Where the quoted text at the beginning ends.
fn quoted_end(text: &str) -> Option<usize> {
    let quote = *text.as_bytes().first()?;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if quote == b'"' => is_escaped = true,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn plain(literal: &str) -> Option<String> {
    match literal.strip_prefix('`') {
        Some(raw) => raw.strip_suffix('`').filter(|raw| !raw.contains('`')).map(|raw| raw.replace('\r', "")),
        None => String::from_utf8(unquote(literal.as_bytes())?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let module = |path: &str| BuildModule {
            path: path.to_owned(),
            version: "v1.0.0".to_owned(),
            sum: "h1:x=".to_owned(),
            replace: None,
        };
        let replaced =
            BuildModule { sum: String::new(), replace: Some(Box::new(module("r"))), ..module("b") };
        let info = BuildInfo {
            path: "a/cmd".to_owned(),
            main: module("a"),
            deps: vec![replaced, module("c")],
            settings: [("-compiler", "gc"), ("a key", "with \"quotes\""), ("empty", "")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
        };
        assert_eq!(parse(&info.to_string()).unwrap(), info);
    }

    #[test]
    fn what_is_wrong_is_said_in_gos_words() {
        for (text, want) in [
            ("mod\ta\n", "line 1: expected 2 or 3 columns; got 1"),
            ("path\tx\n=>\ta\tb\tc\n", "line 2: replacement with no module on previous line"),
            ("mod\ta\tv\n=>\ta\tb\n", "line 2: expected 3 columns for replacement; got 2"),
            ("build\t=x\n", "line 1: build line with missing key"),
            ("build\tx\n", "line 1: build line missing '=' after key"),
            ("build\t\"x\"y\n", "line 1: unexpected character after quoted key: 'y'"),
            ("build\tx=a b\n", "line 1: unquoted value \"a b\" must be quoted"),
        ] {
            let told = parse(text).unwrap_err().to_string();
            assert_eq!(told, format!("could not parse Go build info: {want}"), "{text}");
        }
        assert_eq!(parse("no line").unwrap(), BuildInfo::default());
    }
}
