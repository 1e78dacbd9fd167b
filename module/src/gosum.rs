//! go.sum: the hashes that a module's dependencies must have.
//!
//! One line is `path version hash`, or `path version/go.mod hash` for the go.mod alone; a version may have several hashes.
//! The specification is `cmd/go/internal/modfetch/fetch.go` (`readGoSum`, `tidyGoSum`). Which lines are kept when the
//! file is written is the resolver's matter. Lines are bytes, because Go keeps what is no UTF-8.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::quote::lossy;
use crate::{semver, space};

/// The hash of a go.mod without content. Old go commands wrote it for what is no module; Go drops it on reading.
const EMPTY_GO_MOD: &[u8] = b"h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// What stands after the version where the hash is that of the go.mod.
const OF_GO_MOD: &[u8] = b"/go.mod";

/// The lines of a go.sum file.
///
/// Nearly all uses read a file and ask about lines of it, so those stay where they were read.
#[derive(Debug, Clone, Default)]
pub struct GoSum {
    read: Read,
    /// The lines of each module path that came later, in their order.
    added: BTreeMap<Vec<u8>, Vec<Sum>>,
}

/// The lines of a file.
#[derive(Debug, Clone, Default)]
struct Read {
    text: Vec<u8>,
    /// Those of one path stand together, in order of reading.
    lines: Vec<Line>,
    /// For each path its first line.
    paths: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

/// Where the fields of a line are.
#[derive(Debug, Clone)]
struct Line {
    path: Range<usize>,
    version: Range<usize>,
    hash: Range<usize>,
}

/// The fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fields<'a> {
    path: &'a [u8],
    /// With `/go.mod` where the hash is that of the go.mod.
    version: &'a [u8],
    hash: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
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
    pub fn parse(file_name: &str, data: impl Into<Vec<u8>>) -> Result<Self, GoSumError> {
        let (sums, malformed) = Self::read(data.into());
        match malformed.first() {
            None => Ok(sums),
            Some(&(line, fields)) => Err(GoSumError { file_name: file_name.to_owned(), line, fields }),
        }
    }

    /// Reads a go.sum file and skips malformed lines, as `go mod tidy` does to repair it; how many those were.
    pub fn parse_repairing(data: impl Into<Vec<u8>>) -> (Self, usize) {
        let (sums, malformed) = Self::read(data.into());
        (sums, malformed.len())
    }

    /// What the file says; the numbers of malformed lines, and of their fields.
    fn read(data: Vec<u8>) -> (Self, Vec<(usize, usize)>) {
        // A line is seldom shorter: a path, a version and a hash of 47 characters.
        let (mut lines, mut malformed) = (Vec::with_capacity(data.len() / 64), Vec::new());
        let mut begin = 0;
        for (index, end) in memchr::memchr_iter(b'\n', &data).chain([data.len()]).enumerate() {
            match read_line(&data, begin..end) {
                Ok(line) => lines.extend(line.filter(|line| data[line.hash.clone()] != *EMPTY_GO_MOD)),
                Err(fields) => malformed.push((index + 1, fields)),
            }
            begin = end + 1;
        }
        (Self { read: Read::of(data, lines), added: BTreeMap::new() }, malformed)
    }

    /// The hashes of a version, or of its go.mod if `version` ends in `/go.mod`.
    pub fn hashes(&self, path: &str, version: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let found = self.of_path(path.as_bytes());
        found.filter(move |line| line.version == version.as_bytes()).map(|line| lossy(line.hash))
    }

    /// The hashes of a version, or of its go.mod.
    pub fn hashes_of(
        &self,
        path: &str,
        version: &str,
        is_go_mod: bool,
    ) -> impl Iterator<Item = Cow<'_, str>> {
        let is_meant = move |line: &Fields<'_>| match is_go_mod {
            true => line.version.strip_suffix(OF_GO_MOD) == Some(version.as_bytes()),
            false => line.version == version.as_bytes(),
        };
        self.of_path(path.as_bytes()).filter(is_meant).map(|line| lossy(line.hash))
    }

    /// Whether all hashes are of the known kind, `h1:`.
    pub fn has_known_hashes_only(&self) -> bool {
        self.all().all(|line| line.hash.starts_with(b"h1:"))
    }

    /// Adds a line, unless it is there; whether it wasn't.
    pub fn insert(&mut self, path: &str, version: &str, hash: &str) -> bool {
        let [path, version, hash] = [path, version, hash].map(str::as_bytes);
        let is_new = !self.of_path(path).any(|line| line.version == version && line.hash == hash);
        if is_new {
            let sum = Sum { version: version.to_vec(), hash: hash.to_vec() };
            self.added.entry(path.to_vec()).or_default().push(sum);
        }
        is_new
    }

    /// Takes away the lines for which `keep`, given path, version and hash, says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str, &str) -> bool) {
        let text = std::mem::take(&mut self.read.text);
        let mut lines = std::mem::take(&mut self.read.lines);
        lines.retain(|line| {
            let Fields { path, version, hash } = line.fields(&text);
            keep(&lossy(path), &lossy(version), &lossy(hash))
        });
        self.read = Read::of(text, lines);
        self.added.retain(|path, sums| {
            let path = lossy(path);
            sums.retain(|sum| keep(&path, &lossy(&sum.version), &lossy(&sum.hash)));
            !sums.is_empty()
        });
    }

    /// The lines as path, version and hash, in the order of [`format`](Self::format).
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>, Cow<'_, str>)> {
        let lines = self.sorted().into_iter();
        lines.map(|line| (lossy(line.path), lossy(line.version), lossy(line.hash)))
    }

    /// The file's text: by path, then version, then the version's go.mod, then hash; no line twice.
    ///
    /// Versions of equal precedence, as `v1.0.0+a` and `v1.0.0+b`, go by their text; Go leaves them in any order.
    pub fn format(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for Fields { path, version, hash } in self.sorted() {
            text.extend_from_slice(&[path, version, hash].join(&b' '));
            text.push(b'\n');
        }
        text
    }

    fn sorted(&self) -> Vec<Fields<'_>> {
        let mut lines: Vec<_> = self.all().collect();
        lines.sort_by(|a, b| order(a, b));
        lines.dedup();
        lines
    }

    fn by_path(&self) -> Vec<Fields<'_>> {
        let mut lines: Vec<_> = self.all().collect();
        lines.sort_by_key(|line| line.path);
        lines
    }

    /// All lines, those of a path that came together in their order.
    fn all(&self) -> impl Iterator<Item = Fields<'_>> {
        let added = self.added.iter().flat_map(|(path, sums)| sums.iter().map(|sum| sum.fields(path)));
        self.read.lines.iter().map(|line| line.fields(&self.read.text)).chain(added)
    }

    /// The lines of a path, in their order.
    fn of_path(&self, path: &[u8]) -> impl Iterator<Item = Fields<'_>> {
        let added = if self.added.is_empty() { None } else { self.added.get_key_value(path) };
        let added = added.into_iter().flat_map(|(path, sums)| sums.iter().map(|sum| sum.fields(path)));
        self.read.of_path(path).iter().map(|line| line.fields(&self.read.text)).chain(added)
    }
}

/// The same lines, in the same order for each path.
impl PartialEq for GoSum {
    fn eq(&self, other: &Self) -> bool {
        self.by_path() == other.by_path()
    }
}

impl Eq for GoSum {}

impl Read {
    fn of(text: Vec<u8>, mut lines: Vec<Line>) -> Self {
        let path = |line: &Line| &text[line.path.clone()];
        if !lines.is_sorted_by_key(path) {
            lines.sort_by(|a, b| path(a).cmp(path(b)));
        }
        let (mut paths, hasher) = (HashTable::new(), DefaultHashBuilder::default());
        let mut first = 0;
        for group in lines.chunk_by(|a, b| path(a) == path(b)) {
            let hash = |first: &usize| hasher.hash_one(path(&lines[*first]));
            paths.insert_unique(hash(&first), first, hash);
            first += group.len();
        }
        Self { text, lines, paths, hasher }
    }

    /// The lines of a path.
    fn of_path(&self, path: &[u8]) -> &[Line] {
        let is_meant = |line: &Line| self.text[line.path.clone()] == *path;
        let first = self.paths.find(self.hasher.hash_one(path), |first| is_meant(&self.lines[*first]));
        let Some(&first) = first else { return &[] };
        let lines = &self.lines[first..];
        let end = lines.iter().position(|line| !is_meant(line));
        &lines[..end.unwrap_or(lines.len())]
    }
}

impl Line {
    fn fields<'a>(&self, text: &'a [u8]) -> Fields<'a> {
        let field = |place: &Range<usize>| &text[place.clone()];
        Fields { path: field(&self.path), version: field(&self.version), hash: field(&self.hash) }
    }
}

impl Sum {
    fn fields<'a>(&'a self, path: &'a [u8]) -> Fields<'a> {
        Fields { path, version: &self.version, hash: &self.hash }
    }
}

/// The fields of one line of a file, if it has any; their number if that is wrong.
fn read_line(data: &[u8], line: Range<usize>) -> Result<Option<Line>, usize> {
    let mut fields = space::fields(&data[line.clone()]);
    let (path, version, hash) = match (fields.next(), fields.next(), fields.next()) {
        (None, ..) => return Ok(None),
        (Some(path), Some(version), Some(hash)) => (path, version, hash),
        (_, second, _) => return Err(if second.is_none() { 1 } else { 2 }),
    };
    let more = fields.count();
    if more > 0 {
        return Err(3 + more);
    }
    let place = |field: &[u8]| {
        let begin = field.as_ptr().addr() - data.as_ptr().addr();
        begin..begin + field.len()
    };
    Ok(Some(Line { path: place(path), version: place(version), hash: place(hash) }))
}

fn order(a: &Fields<'_>, b: &Fields<'_>) -> Ordering {
    let split =
        |line: &Fields<'_>| line.version.iter().position(|byte| *byte == b'/').unwrap_or(line.version.len());
    let (version_a, file_a) = a.version.split_at(split(a));
    let (version_b, file_b) = b.version.split_at(split(b));
    a.path
        .cmp(b.path)
        .then_with(|| semver::compare(&lossy(version_a), &lossy(version_b)))
        .then_with(|| version_a.cmp(version_b))
        .then_with(|| file_a.cmp(file_b))
        .then_with(|| a.hash.cmp(b.hash))
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
