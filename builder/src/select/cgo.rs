//! The flags in `#cgo` lines: which of them are for a target, how they are split, and which are refused.

use std::path::{Component, Path, PathBuf};

use crate::constraint;
use crate::tags::Tags;

/// Flags for the C toolchain, each list in the order of files and lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgoFlags {
    /// For the C compiler.
    pub c: Vec<String>,
    /// For the preprocessor.
    pub preprocessor: Vec<String>,
    /// For the C++ compiler.
    pub cxx: Vec<String>,
    /// For the Fortran compiler.
    pub fortran: Vec<String>,
    /// For the linker.
    pub linker: Vec<String>,
    /// Packages that pkg-config is asked for.
    pub packages: Vec<String>,
}

/// A `#cgo` line that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CgoError {
    /// The line has another form.
    #[error("invalid #cgo line: {0}")]
    Line(String),
    /// The line sets what there isn't.
    #[error("invalid #cgo verb: {0}")]
    Verb(String),
    /// An argument holds a character that isn't safe.
    #[error("malformed #cgo argument: {0}")]
    Argument(String),
}

impl CgoFlags {
    /// Adds the flags of the lines that are for the target (`go/build/build.go:saveCgo`).
    ///
    /// # Errors
    /// For the first malformed line; the flags of the lines above it stay.
    pub(super) fn add(&mut self, lines: &[String], directory: &Path, tags: &Tags) -> Result<(), CgoError> {
        lines.iter().try_for_each(|line| self.add_line(line, directory, tags))
    }

    fn add_line(&mut self, line: &str, directory: &Path, tags: &Tags) -> Result<(), CgoError> {
        let refuse = || CgoError::Line(line.to_owned());
        let Some(rest) = line.trim().strip_prefix("#cgo").filter(|rest| rest.starts_with([' ', '\t'])) else {
            return Ok(());
        };
        if let [_, "nocallback" | "noescape", _] = line.split_whitespace().collect::<Vec<_>>()[..] {
            return Ok(());
        }
        let (head, arguments) = rest.split_once(':').ok_or_else(refuse)?;
        let words: Vec<&str> = head.split_whitespace().collect();
        let (verb, conditions) = words.split_last().ok_or_else(refuse)?;
        if !conditions.is_empty() && !conditions.iter().any(|condition| holds(condition, tags)) {
            return Ok(());
        }
        let directory = directory.to_string_lossy();
        let mut arguments = split(arguments).ok_or_else(refuse)?;
        for argument in &mut arguments {
            *argument = in_directory(argument, &directory)?;
        }
        let list = match *verb {
            "CFLAGS" => &mut self.c,
            "CPPFLAGS" => &mut self.preprocessor,
            "CXXFLAGS" => &mut self.cxx,
            "FFLAGS" => &mut self.fortran,
            "LDFLAGS" => &mut self.linker,
            "pkg-config" => {
                self.packages.extend(arguments);
                return Ok(());
            }
            _ => return Err(CgoError::Verb(line.to_owned())),
        };
        make_absolute(&mut arguments, Path::new(&*directory));
        list.extend(arguments);
        Ok(())
    }
}

/// A condition may be in either language of constraints (`go/build/build.go:matchAuto`).
fn holds(condition: &str, tags: &Tags) -> bool {
    let prefix = if condition.contains(['&', '|', '(', ')']) { "//go:build" } else { "// +build" };
    constraint::parse(&format!("{prefix} {condition}")).is_ok_and(|x| x.eval(&|tag| tags.holds(tag)))
}

/// Splits at blanks outside quotes; a backslash keeps what follows it. `None` where a quote or escape stays open.
fn split(text: &str) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut argument: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => argument.get_or_insert_default().push(characters.next()?),
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                argument.get_or_insert_default();
            }
            _ if quote.is_none() && c.is_whitespace() => arguments.extend(argument.take()),
            _ => argument.get_or_insert_default().push(c),
        }
    }
    arguments.extend(argument);
    quote.is_none().then_some(arguments)
}

/// Puts the directory where `${SRCDIR}` stands (`go/build/build.go:expandSrcDir`).
fn in_directory(argument: &str, directory: &str) -> Result<String, CgoError> {
    let parts: Vec<&str> = argument.split("${SRCDIR}").collect();
    let whole = parts.join(directory);
    let safe = parts.iter().all(|part| part.chars().all(is_safe));
    if whole.is_empty() || !safe || parts.len() > 1 && !directory.chars().all(is_safe) {
        return Err(CgoError::Argument(whole));
    }
    Ok(whole)
}

fn is_safe(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || "+-.,/=_:$@%! ~^".contains(c)
}

/// Paths after `-I` and `-L` are relative to the package (`go/build/build.go:makePathsAbsolute`).
fn make_absolute(arguments: &mut [String], directory: &Path) {
    let absolute = |path: &str| {
        if path.starts_with('/') { path.to_owned() } else { cleaned(&directory.join(path)) }
    };
    let mut is_path = false;
    for argument in arguments {
        if is_path {
            *argument = absolute(argument);
            is_path = false;
        } else if let Some(path) = argument.strip_prefix("-I").or_else(|| argument.strip_prefix("-L")) {
            if path.is_empty() {
                is_path = true;
            } else {
                let flag = &argument[..2];
                *argument = format!("{flag}{}", absolute(path));
            }
        }
    }
}

/// `filepath.Clean` of an absolute path.
fn cleaned(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Release;
    use crate::tags::Settings;

    fn flags(line: &str) -> Result<CgoFlags, String> {
        let settings = Settings {
            release: Release::Go1_27,
            os: "linux",
            arch: "amd64",
            cgo: true,
            level: "",
            experiments: "",
            tags: &[],
            instrument: None,
        };
        let tags = Tags::new(&settings).unwrap();
        let mut flags = CgoFlags::default();
        flags.add(&[line.to_owned()], Path::new("/src/p"), &tags).map_err(|error| error.to_string())?;
        Ok(flags)
    }

    #[test]
    fn arguments_are_split_and_made_absolute() {
        let cases: &[(&str, &[&str])] = &[
            ("#cgo CFLAGS: -O2  -g", &["-O2", "-g"]),
            ("#cgo CFLAGS: a b:\"c d\" 'e''f'", &["a", "b:c d", "ef"]),
            ("#cgo CFLAGS: -I. -I ../x -I/abs/./y", &["-I/src/p", "-I", "/src/x", "-I/abs/./y"]),
            ("#cgo CFLAGS: -I${SRCDIR}/include", &["-I/src/p/include"]),
            ("#cgo windows CFLAGS: -O2", &[]),
            ("#cgo windows linux,amd64 CFLAGS: -O2", &["-O2"]),
            ("#cgo (linux&&!arm) CFLAGS: -O2", &["-O2"]),
            ("#cgo noescape f", &[]),
            ("#cgoCFLAGS: -O2", &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(flags(line).unwrap().c, *expected, "{line}");
        }
    }

    #[test]
    fn malformed_lines_are_refused_in_the_words_of_go() {
        let cases = [
            ("#cgo CFLAGS -O2", "invalid #cgo line: #cgo CFLAGS -O2"),
            ("#cgo : -O2", "invalid #cgo line: #cgo : -O2"),
            ("#cgo CFLAGS: \"x", "invalid #cgo line: #cgo CFLAGS: \"x"),
            ("#cgo CFLAGS: x\\", "invalid #cgo line: #cgo CFLAGS: x\\"),
            ("#cgo FLAGS: x", "invalid #cgo verb: #cgo FLAGS: x"),
            ("#cgo LDFLAGS: -Wl,`ls`", "malformed #cgo argument: -Wl,`ls`"),
        ];
        for (line, expected) in cases {
            assert_eq!(flags(line), Err(expected.to_owned()), "{line}");
        }
    }
}
