//! A GOPROXY tree on disk: small files, middle zips, big zips.

use std::fmt;
use std::path::Path;

use modkeep_harness::dice::Dice;
use modkeep_harness::upstream::Module;
use tempfile::TempDir;

/// What is asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Small,
    Middle,
    Big,
}

impl Set {
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Middle, Self::Big];
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small files (.mod, .info)",
            Self::Middle => "middle zips (20 kB to 1 MB)",
            Self::Big => "big zips (5 to 20 MB)",
        })
    }
}

/// Modules in a folder.
pub(crate) struct Tree {
    folder: TempDir,
    small: Vec<String>,
    middle: Vec<String>,
    big: Vec<String>,
}

impl Tree {
    pub(crate) fn make() -> Self {
        let folder = TempDir::with_prefix("modkeep-servers-").expect("a temporary folder can be made");
        let mut all = modkeep_harness::upstream::Tree::default();
        let (mut small, mut middle, mut big) = (Vec::new(), Vec::new(), Vec::new());
        let mut dice = Dice::of("servers");
        for number in 0..60 {
            let size = 20_000 + (number * number * 270) as usize;
            let name = format!("example.com/middle{number}");
            all.add(Module::new(&name, "v1.0.0").file("noise.bin", noise(&mut dice, size)));
            middle.push(format!("/{name}/@v/v1.0.0.zip"));
            small.push(format!("/{name}/@v/v1.0.0.mod"));
            small.push(format!("/{name}/@v/v1.0.0.info"));
        }
        for number in 0..4 {
            let name = format!("example.com/big{number}");
            all.add(
                Module::new(&name, "v1.0.0").file("noise.bin", noise(&mut dice, 5_000_000 * (number + 1))),
            );
            big.push(format!("/{name}/@v/v1.0.0.zip"));
        }
        all.write_to(folder.path());
        Self { folder, small, middle, big }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn paths(&self, set: Set) -> &[String] {
        match set {
            Set::Small => &self.small,
            Set::Middle => &self.middle,
            Set::Big => &self.big,
        }
    }

    pub(crate) fn all_paths(&self) -> impl Iterator<Item = &String> {
        self.small.iter().chain(&self.middle).chain(&self.big)
    }
}

/// Bytes that do not compress.
fn noise(dice: &mut Dice, size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(|| dice.bits().to_le_bytes()).take(size / 8 + 1).flatten().collect();
    bytes.truncate(size);
    bytes
}
