//! Zips of modules that have no packages, so that `get` finds the modules it is asked for and nothing else.

use std::io::{Cursor, Read, Result};

use modkeep_module::ModuleVersion;
use modkeep_module::zip::{Kind, Source, create};

struct Readme;

impl Source for Readme {
    fn path(&self) -> &[u8] {
        b"README"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn length(&self) -> u64 {
        0
    }

    fn open(&self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(std::io::empty()))
    }
}

/// The zip of a module version.
pub(crate) fn without_packages(path: &str, version: &str) -> Vec<u8> {
    let module = ModuleVersion::parse(path, version).expect("versions of universes fit their paths");
    let mut zip = Cursor::new(Vec::new());
    create(&mut zip, &module, &[Readme]).expect("an empty file may be in a zip");
    zip.into_inner()
}
