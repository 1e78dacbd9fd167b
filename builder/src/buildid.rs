//! Build IDs: read from archives and programs, and given to them once their content is known.
//!
//! A package's ID is `ACTION/CONTENT`, a program's `ACTION(link)/ACTION(main)/CONTENT(main)/CONTENT`, 20 characters each. The
//! tools are run with the action's half in the place of the content's; then the content is hashed with the ID, and all that
//! follows from it, taken as zeros, and the real ID is written over the first.
//! Source of the rules: `cmd/internal/buildid`, `cmd/go/internal/work:buildid.go`.

mod elf;
mod macho;
mod read;

use std::fmt;
use std::ops::Range;

use memchr::memmem;
use modkeep_store::{Digest, Hasher};

use crate::action_id::short;
use crate::codesign;

pub use read::{ReadError, read, read_archive};

/// A build ID.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BuildId(String);

impl BuildId {
    /// The ID of a package while its content is not known; `action` stands for both halves.
    pub fn of_package(action: &str) -> Self {
        Self(format!("{action}/{action}"))
    }

    /// The ID of a program while its content is not known.
    pub fn of_program(action: &str, main: &BuildId) -> Self {
        Self(format!("{action}/{main}/{action}"))
    }

    /// What an archive or a program says of itself.
    pub fn found(text: String) -> Self {
        Self(text)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first slash.
    pub fn action(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The part behind the last slash; the whole text without one (`contentID`).
    pub fn content(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The four parts of a program's ID; `None` for another.
    pub fn of_main(&self) -> Option<[&str; 4]> {
        let parts: Vec<&str> = self.0.split('/').collect();
        parts.try_into().ok()
    }

    /// The same with another content.
    #[must_use]
    pub fn with_content(&self, content: &Digest) -> Self {
        let before = self.0.rfind('/').map_or("", |slash| &self.0[..=slash]);
        Self(format!("{before}{}", short(content.as_bytes())))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({})", self.0)
    }
}

/// Where a build ID stands in a file, and what the file's content is apart from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrences {
    /// Offsets in bytes.
    pub places: Vec<usize>,
    /// The digest of the content.
    pub content: Digest,
}

/// Finds `id` in a file (`buildid.FindAndHash`).
///
/// What follows from the ID counts as zeros too: the GNU build ID or the UUID that the linker made of it, and the code
/// signature.
pub fn find(file: &[u8], id: &BuildId) -> Occurrences {
    let signature = macho::signature(file);
    let of_linker = elf::gnu_build_id(file).or_else(|| macho::uuid(file));
    let excluded: Vec<Range<usize>> =
        signature.into_iter().chain(of_linker).map(|range| clamped(range, file.len())).collect();
    let is_excluded = |place: usize| {
        excluded.iter().any(|range| place < range.end && range.start < place + id.as_str().len())
    };
    let places: Vec<usize> =
        memmem::find_iter(file, id.as_str().as_bytes()).filter(|&place| !is_excluded(place)).collect();
    let mut zeros = excluded;
    zeros.extend(places.iter().map(|&place| place..place + id.as_str().len()));
    Occurrences { places, content: digest_with_zeros(file, zeros) }
}

/// Writes `id` to the places and signs the file anew if it was signed (`buildid.Rewrite`).
///
/// The new ID has the length of the one that was found.
pub fn rewrite(file: &mut [u8], occurrences: &Occurrences, id: &BuildId) {
    for &place in &occurrences.places {
        file[place..place + id.as_str().len()].copy_from_slice(id.as_str().as_bytes());
    }
    // A signature of another size is none of the linker's, and stays.
    let Some(range) = macho::signature(file).filter(|range| range.end <= file.len()) else {
        return;
    };
    if codesign::size(range.start) != range.len() {
        return;
    }
    if let Some(text) = macho::text(file)
        && let Some(signature) = codesign::sign(&file[..range.start], text)
    {
        file[range].copy_from_slice(&signature);
    }
}

fn clamped(range: Range<usize>, end: usize) -> Range<usize> {
    range.start.min(end)..range.end.min(end)
}

fn digest_with_zeros(file: &[u8], mut zeros: Vec<Range<usize>>) -> Digest {
    const ZEROS: [u8; 4096] = [0; 4096];
    zeros.sort_by_key(|range| range.start);
    let mut hasher = Hasher::default();
    let mut at = 0;
    for range in zeros {
        if range.end <= at {
            continue;
        }
        let start = range.start.max(at);
        hasher.update(&file[at..start]);
        let mut rest = range.end - start;
        while rest > 0 {
            let length = rest.min(ZEROS.len());
            hasher.update(&ZEROS[..length]);
            rest -= length;
        }
        at = range.end;
    }
    hasher.update(&file[at..]);
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_hashed_with_the_id_as_zeros() {
        let id = BuildId::of_package("AAAA");
        let file = b"xxAAAA/AAAAyyAAAA/AAAA".to_vec();
        let found = find(&file, &id);
        assert_eq!(found.places, [2, 13]);
        assert_eq!(found.content, Digest::of(b"xx\0\0\0\0\0\0\0\0\0yy\0\0\0\0\0\0\0\0\0"));
        let mut file = file;
        rewrite(&mut file, &found, &BuildId::found("AAAA/BBBB".into()));
        assert_eq!(file, b"xxAAAA/BBBByyAAAA/BBBB");
    }

    #[test]
    fn the_parts_of_an_id_are_told_apart() {
        let main = BuildId::found("a/b".into());
        let program = BuildId::of_program("l", &main);
        assert_eq!(program.as_str(), "l/a/b/l");
        assert_eq!((program.action(), program.content()), ("l", "l"));
        assert_eq!(program.of_main(), Some(["l", "a", "b", "l"]));
        assert_eq!(main.of_main(), None);
        let content = Digest::of(b"");
        assert_eq!(main.with_content(&content).as_str(), "a/47DEQpj8HBSa-_TImW-5");
    }
}
