//! Hostile zips: what an upstream could send in the place of a module's zip.
//!
//! Each has a name, a verdict and bytes, made when asked for. The verdict says what Go does and what modkeep must do;
//! tests let golang.org/x/mod confirm it. A test that tampers with a whole proxy uses the same zips: those whose files
//! are the genuine ones may be served, all others never.

mod contents;
mod limits;
mod names;
mod structure;

use crate::raw_zip::{Part, RawZip};

/// What must become of a zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go reads the genuine files in it: the hash is that of [`genuine`].
    Same,
    /// A module zip by all rules, with other files: only its hash can tell.
    Other,
    /// Go refuses it.
    Refused,
    /// Go accepts it and modkeep does not; the text says which written rule is stricter.
    Stricter(&'static str),
}

/// One hostile zip.
pub struct Hostile {
    /// What is wrong with it.
    pub name: String,
    /// What must become of it.
    pub verdict: Verdict,
    make: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
}

impl Hostile {
    /// The bytes.
    pub fn zip(&self) -> Vec<u8> {
        (self.make)()
    }
}

/// The honest zip of a module version that the hostile ones stand in for: a go.mod, a LICENSE and two packages.
pub fn genuine(path: &str, version: &str) -> RawZip {
    let of = Of { prefix: format!("{path}@{version}/") };
    RawZip::new([
        Part::new(of.name("go.mod"), format!("module {path}\n")),
        Part::deflated(of.name("LICENSE"), "Do as you like.\n".repeat(100)),
        Part::deflated(of.name("a.go"), "package a // a genuine file\n").with_descriptor(),
        Part::deflated(of.name("sub/b.go"), "package sub\n\nfunc B() int { return 42 }\n").with_descriptor(),
    ])
}

/// All hostile zips for a module version; the small ones come first.
pub fn hostile_zips(path: &str, version: &str) -> Vec<Hostile> {
    let of = Of { prefix: format!("{path}@{version}/") };
    let genuine = genuine(path, version);
    let mut corpus = Corpus { of, genuine, zips: Vec::new() };
    names::add(&mut corpus);
    structure::add(&mut corpus);
    contents::add(&mut corpus);
    limits::add(&mut corpus);
    corpus.zips
}

/// The module version whose names all entries have.
#[derive(Clone)]
struct Of {
    prefix: String,
}

impl Of {
    fn name(&self, file: impl AsRef<[u8]>) -> Vec<u8> {
        [self.prefix.as_bytes(), file.as_ref()].concat()
    }
}

struct Corpus {
    of: Of,
    genuine: RawZip,
    zips: Vec<Hostile>,
}

impl Corpus {
    /// The genuine zip with something changed.
    fn changed(&mut self, name: impl Into<String>, verdict: Verdict, change: impl FnOnce(&mut RawZip)) {
        let zip = self.genuine.clone().but(change);
        self.made(name, verdict, move || zip.bytes());
    }

    /// The genuine zip with more entries.
    fn with(&mut self, name: impl Into<String>, verdict: Verdict, parts: impl IntoIterator<Item = Part>) {
        self.changed(name, verdict, |zip| zip.parts.extend(parts));
    }

    /// Bytes as they are.
    fn bytes(&mut self, name: impl Into<String>, verdict: Verdict, bytes: Vec<u8>) {
        self.made(name, verdict, move || bytes.clone());
    }

    /// Bytes that are made when asked for.
    fn made(
        &mut self,
        name: impl Into<String>,
        verdict: Verdict,
        make: impl Fn() -> Vec<u8> + Send + Sync + 'static,
    ) {
        self.zips.push(Hostile { name: name.into(), verdict, make: Box::new(make) });
    }
}
