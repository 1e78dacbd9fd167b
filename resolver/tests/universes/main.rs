//! Random universes of modules, resolved by us and by the real go command: the same output, the same files left.
//!
//! `list -m all`, `mod graph` with the order of its lines, errors with their paths, and the bytes of the go.mod left
//! behind; what `list -m` answers to queries, and the go.mod that `get` leaves. Go's side is a resident go command, and
//! for some of the universes the program itself, which must say the same. A universe that differs is printed; its number
//! and `MODKEEP_SEED` bring it back: `MODKEEP_UNIVERSES=4711..4712`.
//!
//! What must make this test fail: the mutations of `resolver/tests/mutations.sh`.

mod generate;
mod ours;
mod tell;
mod theirs;
mod zip;

use std::collections::BTreeMap;
use std::path::Path;

use generate::{REGISTRY, Universe};
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{quick_folder, skip};
use modkeep_harness::resident::Resident;
use modkeep_harness::universes::{compare, numbers};

/// In one of so many universes the program itself is asked too: of the first thousand, and of all others.
const CONFIRMED: [usize; 2] = [25, 500];

/// What a command prints and how it ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) graph: String,
    pub(crate) list: String,
    /// The end of what is said on stderr, by `mod graph` and by `list -m all`.
    pub(crate) errors: [String; 2],
    pub(crate) go_mod: String,
    /// What the lines of go.sum are about, when `list -m all` succeeds outside of a workspace.
    pub(crate) sums: Vec<String>,
    /// The answers to the questions of a universe, errors among them.
    pub(crate) answers: Vec<String>,
    /// The go.mod that `get` leaves behind; nothing when it fails.
    pub(crate) got: Option<String>,
}

#[test]
fn every_universe_resolves_as_go_resolves_it() {
    let test = "every_universe_resolves_as_go_resolves_it";
    match compare(test, numbers(1_000, 10_000), difference) {
        Ok(compared) => compared.expect_none("universes"),
        Err(missing) => skip(test, &missing),
    }
}

/// What differs in a universe, and the universe.
fn difference(go: &mut Resident, number: usize, dice: &mut Dice) -> Option<String> {
    let universe = Universe::throw(dice);
    let folder = quick_folder("universe-");
    lay(folder.path(), &universe);
    let theirs = theirs::outcome(folder.path(), &universe, |call| go.ask(call));
    if number.is_multiple_of(CONFIRMED[usize::from(number >= 1_000)]) {
        std::fs::remove_dir_all(folder.path()).expect("a folder of the test's own");
        lay(folder.path(), &universe);
        let confirmed = theirs::outcome(folder.path(), &universe, |call| go.confirm(call));
        if theirs != confirmed {
            return Some(format!("--- resident go\n{theirs:#?}\n--- go\n{confirmed:#?}"));
        }
    }
    // What a panic of its would have said is not known.
    let theirs = theirs?;
    let ours = ours::outcome(&universe, folder.path().to_str().expect("temporary folders have plain names"));
    if ours == theirs {
        return None;
    }
    let files: BTreeMap<_, _> = universe.files.iter().filter(|(name, _)| !name.ends_with(".info")).collect();
    let Universe { questions, wanted, .. } = universe;
    Some(format!("--- go\n{theirs:#?}\n--- we\n{ours:#?}\n--- files\n{files:#?}\n{questions:?}\n{wanted:?}"))
}

/// Makes the files of a universe.
fn lay(folder: &Path, universe: &Universe) {
    for (name, content) in &universe.files {
        put(&folder.join(name), content.as_bytes());
    }
    // What replaces a wanted version may be any other.
    for (path, _) in &universe.wanted {
        for version in &universe.versions {
            let name = format!("{REGISTRY}/{path}/@v/{version}");
            if universe.files.contains_key(&format!("{name}.mod")) {
                put(&folder.join(format!("{name}.zip")), &zip::without_packages(path, version));
            }
        }
    }
}

pub(crate) fn put(file: &Path, content: &[u8]) {
    std::fs::create_dir_all(file.parent().expect("files stand in folders"))
        .expect("a folder of the test's own");
    #[allow(clippy::disallowed_methods, reason = "a file of the test's own")]
    std::fs::write(file, content).expect("a file of the test's own");
}

/// Of contradicting replacements, go tells every time it meets them, in no fixed order.
pub(crate) fn without_names(error: &str) -> String {
    match error.split_once(" found for ") {
        Some((beginning, _)) => beginning.to_owned(),
        None => error.to_owned(),
    }
}
