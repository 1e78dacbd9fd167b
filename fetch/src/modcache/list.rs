//! `list`: the versions of a module that have a go.mod in the cache, one a line.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use modkeep_module::semver;
use modkeep_module::version::canonical_version;

use super::ModCacheError;

/// Makes the list fit the `.mod` files of the folder, under the lock of the list.
pub(super) fn rewrite(folder: &Path) -> Result<(), ModCacheError> {
    let path = folder.join("list");
    let fail = |action| ModCacheError::io(action, &path);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(&path).map_err(fail("open"))?;
    file.lock().map_err(fail("lock"))?;
    let text = versions(folder)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old).map_err(fail("read"))?;
    if old == text.as_bytes() {
        return Ok(());
    }
    // Zeros first: a write that is cut short can be told from a shorter list.
    file.set_len(0).and_then(|()| file.set_len(text.len() as u64)).map_err(fail("truncate"))?;
    file.seek(SeekFrom::Start(0)).map_err(fail("seek"))?;
    file.write_all(text.as_bytes()).map_err(fail("write"))
}

fn versions(folder: &Path) -> Result<String, ModCacheError> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder).map_err(ModCacheError::io("open", folder))? {
        let name = entry.map_err(ModCacheError::io("readdir", folder))?.file_name();
        let version = name.to_str().and_then(|name| name.strip_suffix(".mod"));
        versions.extend(
            version
                .filter(|v| canonical_version(v).is_some_and(|canonical| canonical == *v))
                .map(str::to_owned),
        );
    }
    semver::sort(&mut versions);
    Ok(versions.iter().map(|version| format!("{version}\n")).collect())
}
