//! go.sum: the hashes that a module's dependencies must have.
//!
//! One line is `path version hash`, or `path version/go.mod hash` for the go.mod alone; a version may have several hashes.
//! The specification is `cmd/go/internal/modfetch/fetch.go` (`readGoSum`, `tidyGoSum`). Which lines are kept when the
//! file is written is the resolver's matter. Lines are bytes, because Go keeps what is no UTF-8.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::quote::lossy;
use crate::{semver, space};

/// The hash of a go.mod without content. Old go commands wrote it for what is no module; Go drops it on reading.
const EMPTY_GO_MOD: &[u8] = b"h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// The lines of a go.sum file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoSum {
    /// The lines of each module path, in order of reading.
    modules: BTreeMap<Vec<u8>, Vec<Sum>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
    /// With `/go.mod` where the hash is that of the go.mod.
    version: Vec<u8>,
    hash: Vec<u8>,
}

/// A line that isn't three fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed go.sum:\n{file_name}:{line}: wrong number of fields {fields}")]
pub struct GoSumError {
    /// As given.
    pub file_name: String,
    /// From 1.
    pub line: usize,
    /// How many there are.
    pub fields: usize,
}

impl GoSum {
    /// Reads a go.sum file. `file_name` stands in the error.
    pub fn parse(file_name: &str, data: &[u8]) -> Result<Self, GoSumError> {
        let mut sums = Self::default();
        for (index, line) in data.split(|byte| *byte == b'\n').enumerate() {
            sums.read_line(line).map_err(|fields| GoSumError {
                file_name: file_name.to_owned(),
                line: index + 1,
                fields,
            })?;
        }
        Ok(sums)
    }

    /// Reads a go.sum file and skips malformed lines, as `go mod tidy` does to repair it; how many those were.
    pub fn parse_repairing(data: &[u8]) -> (Self, usize) {
        let mut sums = Self::default();
        let malformed =
            data.split(|byte| *byte == b'\n').filter(|line| sums.read_line(line).is_err()).count();
        (sums, malformed)
    }

    /// The hashes of a version, or of its go.mod if `version` ends in `/go.mod`.
    pub fn hashes(&self, path: &str, version: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let sums = self.modules.get(path.as_bytes()).into_iter().flatten();
        sums.filter(move |sum| sum.version == version.as_bytes()).map(|sum| lossy(&sum.hash))
    }

    /// Whether all hashes are of the known kind, `h1:`.
    pub fn has_known_hashes_only(&self) -> bool {
        self.modules.values().flatten().all(|sum| sum.hash.starts_with(b"h1:"))
    }

    /// Adds a line, unless it is there; whether it wasn't.
    pub fn insert(&mut self, path: &str, version: &str, hash: &str) -> bool {
        let sum = Sum { version: version.as_bytes().to_vec(), hash: hash.as_bytes().to_vec() };
        let sums = self.modules.entry(path.as_bytes().to_vec()).or_default();
        let is_new = !sums.contains(&sum);
        if is_new {
            sums.push(sum);
        }
        is_new
    }

    /// Takes away the lines for which `keep`, given path, version and hash, says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str, &str) -> bool) {
        self.modules.retain(|path, sums| {
            let path = lossy(path);
            sums.retain(|sum| keep(&path, &lossy(&sum.version), &lossy(&sum.hash)));
            !sums.is_empty()
        });
    }

    /// The lines as path, version and hash, in the order of [`format`](Self::format).
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>, Cow<'_, str>)> {
        self.sorted().map(|(path, sum)| (lossy(path), lossy(&sum.version), lossy(&sum.hash)))
    }

    /// The file's text: by path, then version, then the version's go.mod, then hash; no line twice.
    ///
    /// Versions of equal precedence, as `v1.0.0+a` and `v1.0.0+b`, go by their text; Go leaves them in any order.
    pub fn format(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (path, sum) in self.sorted() {
            text.extend_from_slice(&[path, &sum.version, &sum.hash].join(&b' '));
            text.push(b'\n');
        }
        text
    }

    fn sorted(&self) -> impl Iterator<Item = (&[u8], &Sum)> {
        self.modules.iter().flat_map(|(path, sums)| {
            let mut sums: Vec<&Sum> = sums.iter().collect();
            sums.sort_by(|a, b| order(a, b));
            sums.dedup();
            sums.into_iter().map(move |sum| (path.as_slice(), sum))
        })
    }

    /// Reads one line; the number of its fields if that is wrong.
    fn read_line(&mut self, line: &[u8]) -> Result<(), usize> {
        let mut fields = space::fields(line);
        let (path, version, hash) = match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => return Ok(()),
            (Some(path), Some(version), Some(hash)) => (path, version, hash),
            (_, second, _) => return Err(if second.is_none() { 1 } else { 2 }),
        };
        let more = fields.count();
        if more > 0 {
            return Err(3 + more);
        }
        if hash != EMPTY_GO_MOD {
            let sum = Sum { version: version.to_vec(), hash: hash.to_vec() };
            match self.modules.get_mut(path) {
                Some(sums) => sums.push(sum),
                None => {
                    self.modules.insert(path.to_vec(), vec![sum]);
                }
            }
        }
        Ok(())
    }
}

fn order(a: &Sum, b: &Sum) -> Ordering {
    let split = |sum: &'_ Sum| sum.version.iter().position(|byte| *byte == b'/').unwrap_or(sum.version.len());
    let (version_a, file_a) = a.version.split_at(split(a));
    let (version_b, file_b) = b.version.split_at(split(b));
    semver::compare(&lossy(version_a), &lossy(version_b))
        .then_with(|| version_a.cmp(version_b))
        .then_with(|| file_a.cmp(file_b))
        .then_with(|| a.hash.cmp(&b.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_by_path_version_file_and_hash() {
        let given = "\
            rsc.io/quote v1.10.0 h1:b\n\
            \r\n\
            rsc.io/quote   v1.9.0/go.mod\th1:a\r\n\
            a.b v1.0.0 h1:z\n\
            rsc.io/quote v1.10.0/go.mod h1:c\n\
            rsc.io/quote v1.9.0 h2:y\n\
            rsc.io/quote v1.9.0 h1:y\n\
            rsc.io/quote v1.9.0 h1:y";
        let sums = GoSum::parse("go.sum", given.as_bytes()).unwrap();
        let sorted = "\
            a.b v1.0.0 h1:z\n\
            rsc.io/quote v1.9.0 h1:y\n\
            rsc.io/quote v1.9.0 h2:y\n\
            rsc.io/quote v1.9.0/go.mod h1:a\n\
            rsc.io/quote v1.10.0 h1:b\n\
            rsc.io/quote v1.10.0/go.mod h1:c\n";
        assert_eq!(String::from_utf8(sums.format()).unwrap(), sorted);
        assert_eq!(sums.hashes("rsc.io/quote", "v1.9.0").collect::<Vec<_>>(), ["h2:y", "h1:y", "h1:y"]);
        assert_eq!(sums.hashes("rsc.io/quote", "v1.9.1").count(), 0);
    }

    #[test]
    fn the_hash_of_an_empty_go_mod_is_dropped() {
        let line = "a.b v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n";
        assert_eq!(GoSum::parse("go.sum", line.as_bytes()), Ok(GoSum::default()));
    }

    #[test]
    fn a_malformed_line_is_an_error_except_for_repair() {
        for (line, fields) in [("a", 1), ("a b", 2), ("a b c d", 4), ("<<<<<<< HEAD", 2)] {
            let text = format!("a.b v1.0.0 h1:z\n\n{line}\nc.d v1.0.0 h1:y\n");
            let error = GoSum::parse("go.sum", text.as_bytes()).unwrap_err();
            let expected = format!("malformed go.sum:\ngo.sum:3: wrong number of fields {fields}");
            assert_eq!(error.to_string(), expected);
            let (sums, malformed) = GoSum::parse_repairing(text.as_bytes());
            assert_eq!(sums.iter().count(), 2);
            assert_eq!(malformed, 1);
        }
    }

    #[test]
    fn lines_come_and_go() {
        let mut sums = GoSum::default();
        assert!(sums.insert("a.b", "v1.0.0", "h1:z"));
        assert!(!sums.insert("a.b", "v1.0.0", "h1:z"));
        assert!(sums.insert("a.b", "v1.0.0", "h1:y"));
        sums.retain(|_, _, hash| hash != "h1:z");
        assert_eq!(sums.format(), b"a.b v1.0.0 h1:y\n");
        sums.retain(|path, _, _| path != "a.b");
        assert_eq!(sums, GoSum::default());
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let line = b"a.b v1.0.0\xff h1:\xfe\n";
        assert_eq!(GoSum::parse("go.sum", line).unwrap().format(), line);
    }
}
