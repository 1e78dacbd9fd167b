//! What a build cache of go's holds.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// What is wrong with a build cache: entries whose output is not there whole, and files that are of no entry's kind.
///
/// # Panics
/// When the folder can't be read.
pub fn halves(cache: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in fs::read_dir(cache).expect("the cache is there").flatten() {
        let name = folder.file_name();
        if name.len() != 2 || !folder.path().is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path()).expect("a folder of the cache").flatten() {
            let path = file.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_whole = match name.rsplit_once('-') {
                Some((_, "a")) => entry_is_whole(cache, &path),
                Some((digest, "d")) if path.is_file() => {
                    fs::read(&path).is_ok_and(|content| self::digest(&content) == digest)
                }
                // A folder holds a program under its name.
                Some((_, "d")) => true,
                _ => false,
            };
            if !is_whole {
                wrong.push(path.display().to_string());
            }
        }
    }
    wrong
}

/// Whether the output that an entry names has the size that it says.
fn entry_is_whole(cache: &Path, entry: &Path) -> bool {
    let text = fs::read_to_string(entry).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["v1", _, output, size, _] = words.as_slice() else { return false };
    let file = cache.join(&output[..2]).join(format!("{output}-d"));
    // Outputs may be trimmed before entries are; what is there is whole.
    match fs::metadata(&file) {
        Ok(found) => found.is_dir() || found.len().to_string() == *size,
        Err(_) => true,
    }
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
