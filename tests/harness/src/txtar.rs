//! The text form in which Go's tests keep little file trees.
//!
//! A comment, then files: each begins with a line `-- NAME --` and ends where the next one does. Bytes, because some
//! tests are about what is no UTF-8.

use std::fs;
use std::io;
use std::path::Path;

/// A comment and files, in order. Names may be there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Txtar {
    /// What stands before the first file.
    pub comment: Vec<u8>,
    /// The files: names with `/`, and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Txtar {
    /// Takes the text apart. Never fails: what is no marker is content.
    pub fn parse(text: &[u8]) -> Self {
        let mut archive = Self::default();
        let mut current = &mut archive.comment;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            match marker(line) {
                Some(name) => {
                    end_line(current);
                    archive.files.push((name, Vec::new()));
                    let at = archive.files.len() - 1;
                    current = &mut archive.files[at].1;
                }
                None => current.extend_from_slice(line),
            }
        }
        end_line(current);
        archive
    }

    /// Reads a file and takes it apart.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&fs::read(path)?))
    }

    /// The content of the last file of this name.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().rfind(|(other, _)| other == name).map(|(_, content)| content.as_slice())
    }

    /// Takes the first file of this name out.
    pub fn remove(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self.files.iter().position(|(other, _)| other == name)?;
        Some(self.files.remove(at).1)
    }

    /// Writes the files below a folder.
    ///
    /// # Errors
    /// When a file or folder can't be made.
    pub fn extract(&self, folder: &Path) -> io::Result<()> {
        for (name, content) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            #[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
            fs::write(path, content)?;
        }
        Ok(())
    }
}

/// The name in a marker line.
fn marker(line: &[u8]) -> Option<String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let name = line.strip_prefix(b"-- ")?.strip_suffix(b" --")?.trim_ascii();
    if name.is_empty() { None } else { String::from_utf8(name.to_vec()).ok() }
}

/// A content that is not empty ends with a newline.
fn end_line(content: &mut Vec<u8>) {
    if content.last().is_some_and(|&byte| byte != b'\n') {
        content.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, comment: &str, files: &[(&str, &str)]) {
        let files = files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec()));
        let want = Txtar { comment: comment.as_bytes().to_vec(), files: files.collect() };
        assert_eq!(Txtar::parse(text.as_bytes()), want, "{text:?}");
    }

    #[test]
    fn files_begin_with_markers() {
        check("", "", &[]);
        check("hello", "hello\n", &[]);
        check("c\n-- a --\n1\n-- b/c --\n2", "c\n", &[("a", "1\n"), ("b/c", "2\n")]);
        check("-- a --\n-- a --\n", "", &[("a", ""), ("a", "")]);
        check("-- a b --\r\nx\n", "", &[("a b", "x\n")]);
        check("-- a\n--  --\n --a--\n-- --\n", "-- a\n--  --\n --a--\n-- --\n", &[]);
    }
}
