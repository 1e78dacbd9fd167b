//! The tests, benchmarks, fuzz targets and examples in the files of a package (`loadTestFuncs`).

use std::io::Write;
use std::process::{Command, Stdio};

use modkeep_module::file_path;

use crate::load::scans::system_words;
use crate::overlay::Overlay;
use crate::package::Package;
use crate::scan::{Function, functions, is_well_formed};

/// What a program of a test runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) tests: Vec<Runnable>,
    pub(super) benchmarks: Vec<Runnable>,
    pub(super) fuzz_targets: Vec<Runnable>,
    pub(super) examples: Vec<Runnable>,
    /// `TestMain`.
    pub(super) main: Option<Runnable>,
    /// Whether the program imports the package with its tests, and whether it calls something there.
    pub(super) imports_inner: bool,
    pub(super) needs_inner: bool,
    /// The same for the package beside it.
    pub(super) imports_outer: bool,
    pub(super) needs_outer: bool,
}

/// A function that the program calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runnable {
    /// `_test` or `_xtest`.
    pub(super) package: &'static str,
    pub(super) name: String,
    /// What an example prints.
    pub(super) output: String,
    /// Whether the lines of that may be in any order.
    pub(super) is_unordered: bool,
}

/// Why tests can't be found; the words are go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestSourceError {
    /// A file can't be read.
    #[error("open {path}: {text}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        text: String,
    },
    /// A file is not Go.
    #[error("{path}:{line}: {text}")]
    Syntax {
        /// The file, or the one that it was made of.
        path: String,
        /// Where in it.
        line: u32,
        /// Where in the line, in bytes; none where the file that it was made of is named by lines.
        column: Option<u32>,
        /// What is wrong.
        text: String,
    },
    /// A test has other parameters than tests have.
    #[error("{path}:{line}:{column}: wrong signature for {name}, {rule}")]
    Signature {
        /// The file.
        path: String,
        /// Where in it.
        line: u32,
        /// Where in the line, in bytes.
        column: u32,
        /// The function.
        name: String,
        /// How it must be.
        rule: String,
    },
    /// There are two functions of the name.
    #[error("multiple definitions of TestMain")]
    TwoMains,
}

/// What stands in the test files, and what is wrong with the first of them where something is.
///
/// `parser` is the program that knows Go's words for what is not Go: `gofmt`.
pub(super) fn functions_of(
    package: &Package,
    seen: &Overlay,
    parser: &str,
) -> (Found, Option<TestSourceError>) {
    let mut found = Found::default();
    let mut first = None;
    let inner = package.test_go_files.iter().map(|file| (file, false));
    let outer = package.x_test_go_files.iter().map(|file| (file, true));
    for (file, is_outer) in inner.chain(outer) {
        let path = file_path::join(&package.dir, file);
        if let Err(error) = found.read(seen, parser, &path, is_outer) {
            first.get_or_insert(error);
        }
    }
    (found, first)
}

/// What Go's parser finds first in a file; nothing where all is well, or the parser can't be had.
fn parse(parser: &str, path: &str, text: &[u8]) -> Option<TestSourceError> {
    let mut command = Command::new(parser);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    // It reads all before it says anything, and says no more than ten lines.
    let written = child.stdin.take()?.write_all(text);
    let output = child.wait_with_output().ok()?;
    written.ok()?;
    if output.status.success() {
        return None;
    }
    mistake(path, String::from_utf8_lossy(&output.stderr).lines().next()?)
}

/// What a line of the parser's says about the file that it read.
fn mistake(path: &str, said: &str) -> Option<TestSourceError> {
    let (place, text) = said.split_once(": ")?;
    let split = |place: &str| -> Option<(String, u32)> {
        let (rest, number) = place.rsplit_once(':')?;
        Some((rest.to_owned(), number.parse().ok()?))
    };
    let (rest, last) = split(place)?;
    let (file, line, column) = match split(&rest) {
        Some((file, line)) => (file, line, Some(last)),
        None => (rest, last, None),
    };
    let path = match (file.as_str(), file_path::parent(path)) {
        ("<standard input>", _) => path.to_owned(),
        // A `//line` directive names it, from the folder of the file on.
        (file, Some(folder)) if !file.starts_with('/') => file_path::join(folder, file),
        _ => file,
    };
    Some(TestSourceError::Syntax { path, line, column, text: text.to_owned() })
}

impl Found {
    fn read(
        &mut self,
        seen: &Overlay,
        parser: &str,
        path: &str,
        is_outer: bool,
    ) -> Result<(), TestSourceError> {
        let text = seen
            .content(path)
            .map_err(|error| TestSourceError::Read { path: path.to_owned(), text: system_words(&error) })?;
        if !is_well_formed(&text)
            && let Some(error) = parse(parser, path, &text)
        {
            return Err(error);
        }
        let functions = functions(&text);
        let package = if is_outer { "_xtest" } else { "_test" };
        for function in functions.iter().filter(|function| !function.is_method) {
            let name = function.name.as_str();
            let runnable =
                Runnable { package, name: name.to_owned(), output: String::new(), is_unordered: false };
            if name == "TestMain" {
                if function.takes_pointer_to("T") {
                    self.tests.push(runnable);
                } else {
                    check(path, function, "M")?;
                    if self.main.replace(runnable).is_some() {
                        return Err(TestSourceError::TwoMains);
                    }
                }
            } else if is_named(name, "Test") {
                check(path, function, "T")?;
                self.tests.push(runnable);
            } else if is_named(name, "Benchmark") {
                check(path, function, "B")?;
                self.benchmarks.push(runnable);
            } else if is_named(name, "Fuzz") {
                check(path, function, "F")?;
                self.fuzz_targets.push(runnable);
            } else {
                continue;
            }
            self.need(is_outer, true);
        }
        for function in functions.iter().filter(|function| is_example(function)) {
            let output = function.last_comment.as_deref().and_then(expected_output);
            self.need(is_outer, output.is_some());
            if let Some((output, is_unordered)) = output {
                self.examples.push(Runnable { package, name: function.name.clone(), output, is_unordered });
            }
        }
        Ok(())
    }

    /// The package is imported, run or not.
    fn need(&mut self, is_outer: bool, is_run: bool) {
        let (imports, needs) = match is_outer {
            true => (&mut self.imports_outer, &mut self.needs_outer),
            false => (&mut self.imports_inner, &mut self.needs_inner),
        };
        *imports = true;
        *needs |= is_run;
    }
}

fn is_example(function: &Function) -> bool {
    !function.is_method
        && function.has_body
        && is_named(&function.name, "Example")
        && function.parameters.is_empty()
        && !function.has_results
}

/// Whether a name begins with a word that doesn't go on.
fn is_named(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_lowercase))
}

fn check(path: &str, function: &Function, letter: &str) -> Result<(), TestSourceError> {
    let name = function.name.clone();
    let rule = if function.has_type_parameters {
        "test functions cannot have type parameters".to_owned()
    } else if !function.takes_pointer_to(letter) {
        format!("must be: func {name}({} *testing.{letter})", letter.to_lowercase())
    } else {
        return Ok(());
    };
    let (line, column) = (function.position.line, function.position.column);
    Err(TestSourceError::Signature { path: path.to_owned(), line, column, name, rule })
}

/// What an example's last comment says it prints, and whether in any order (`go/doc/example.go:exampleOutput`).
fn expected_output(comment: &str) -> Option<(String, bool)> {
    let text = comment.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let without = |text: &'_ str, word: &str| -> Option<usize> {
        text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(str::len)
    };
    let unordered = without(text, "unordered ");
    let text = &text[unordered.unwrap_or(0)..];
    let text = text[without(text, "output:")?..].trim_start_matches(' ');
    Some((text.strip_prefix('\n').unwrap_or(text).to_owned(), unordered.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_where_the_parser_says() {
        for (said, expected) in [
            ("<standard input>:3:7: expected ')', found '}'", Some(("/m/a_test.go", 3, Some(7)))),
            ("foo.y:10: missing ',' in parameter list", Some(("/m/foo.y", 10, None))),
            ("foo.y:10:30: missing ',' in parameter list", Some(("/m/foo.y", 10, Some(30)))),
            ("../x/foo.y:10: a: b", Some(("/x/foo.y", 10, None))),
            ("/x/foo.y:10: a", Some(("/x/foo.y", 10, None))),
            ("gofmt: no", None),
            ("no", None),
        ] {
            let expected = expected.map(|(path, line, column)| TestSourceError::Syntax {
                path: path.to_owned(),
                line,
                column,
                text: said.split_once(": ").unwrap().1.to_owned(),
            });
            assert_eq!(mistake("/m/a_test.go", said), expected, "{said}");
        }
    }

    #[test]
    fn an_examples_last_comment_tells_its_output() {
        for (comment, expected) in [
            ("Output: a\nb\n", Some(("a\nb\n", false))),
            ("Unordered output:\na\n", Some(("a\n", true))),
            (" OUTPUT:\n", Some(("", false))),
            ("prints a\n", None),
        ] {
            let expected = expected.map(|(text, is_unordered)| (text.to_owned(), is_unordered));
            assert_eq!(expected_output(comment), expected, "{comment}");
        }
    }
}
