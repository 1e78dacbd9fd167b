//! Whether two paths of one module would be one on a file system that ignores case, or a file and a folder.
//!
//! Every path brings its parent folders with it (`golang.org/x/mod/zip.collisionChecker`). Each path seen is
//! kept as a keyed 128-bit hash of its folded text and a reference, and parents that were found well once are
//! not walked again, so that a million deep paths cost neither the memory nor the time of their texts.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, Hasher};

use super::{Fault, MAX_PATHS};
use crate::unicode::fold_char;

pub(super) struct Collisions<'a> {
    keys: [RandomState; 2],
    seen: HashMap<u128, Seen<'a>>,
    /// Whether a path was refused, so that the parents of a known folder may be bad too.
    refused: bool,
    /// The path and its parents, the path last: length of the text, and hash of what it folds to.
    steps: Vec<(usize, u128)>,
}

struct Seen<'a> {
    path: &'a str,
    is_directory: bool,
}

impl<'a> Collisions<'a> {
    pub(super) fn new() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            seen: HashMap::new(),
            refused: false,
            steps: Vec::new(),
        }
    }

    /// Adds a path, which must be clean and relative, and its parents; or says what it clashes with.
    pub(super) fn add(&mut self, path: &'a str, is_directory: bool) -> Result<(), Fault> {
        self.walk(path);
        let mut is_directory = is_directory;
        while let Some((length, hash)) = self.steps.pop() {
            let was_known = self.add_one(&path[..length], hash, is_directory).inspect_err(|_| {
                self.refused = true;
            })?;
            if was_known && !self.refused {
                break;
            }
            is_directory = true;
        }
        Ok(())
    }

    /// Adds one path; says whether it was known before, as the directory that it is now.
    fn add_one(&mut self, path: &'a str, hash: u128, is_directory: bool) -> Result<bool, Fault> {
        let is_full = self.seen.len() >= MAX_PATHS;
        let other = match self.seen.entry(hash) {
            Entry::Occupied(other) => other.into_mut(),
            Entry::Vacant(_) if is_full => return Err(Fault::TooManyPaths),
            Entry::Vacant(vacant) => {
                vacant.insert(Seen { path, is_directory });
                return Ok(false);
            }
        };
        if other.path != path {
            return Err(Fault::CaseCollision { first: other.path.to_owned(), second: path.to_owned() });
        }
        if other.is_directory != is_directory {
            return Err(Fault::FileAndDirectory(path.to_owned()));
        }
        if !is_directory {
            return Err(Fault::Duplicate(path.to_owned()));
        }
        Ok(true)
    }

    /// Fills `steps` with the path and its parents.
    fn walk(&mut self, path: &str) {
        let mut hashers = self.keys.each_ref().map(RandomState::build_hasher);
        let hash = |hashers: &[_; 2]| {
            let [high, low] = hashers.each_ref().map(Hasher::finish);
            u128::from(high) << 64 | u128::from(low)
        };
        self.steps.clear();
        for (at, c) in path.char_indices() {
            if c == '/' {
                self.steps.push((at, hash(&hashers)));
            }
            for hasher in &mut hashers {
                hasher.write_u32(fold_char(c) as u32);
            }
        }
        self.steps.push((path.len(), hash(&hashers)));
    }
}
