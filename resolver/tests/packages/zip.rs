//! Zips of module versions with their files.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Result};

use modkeep_module::ModuleVersion;
use modkeep_module::zip::{Kind, Source, create};

struct File<'a> {
    name: &'a str,
    content: &'a str,
}

impl Source for File<'_> {
    fn path(&self) -> &[u8] {
        self.name.as_bytes()
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn length(&self) -> u64 {
        self.content.len() as u64
    }

    fn open(&self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.content.as_bytes()))
    }
}

/// The zip of a module version.
pub(crate) fn of(path: &str, version: &str, files: &BTreeMap<String, String>) -> Vec<u8> {
    let module = ModuleVersion::parse(path, version).expect("versions of universes fit their paths");
    let files: Vec<_> = files.iter().map(|(name, content)| File { name, content }).collect();
    let mut zip = Cursor::new(Vec::new());
    create(&mut zip, &module, &files).expect("a few small files may be in a zip");
    zip.into_inner()
}
