//! What the cover tool knows of a package before any of it runs: which statements there are to cover.
//!
//! Packages without tests have nothing else to tell. All numbers are little-endian.
//! Source of the form: `internal/coverage/defs.go`; of the texts: `internal/coverage/cformat`, `cmd/covdata` (`percent`,
//! `textfmt`).

use std::collections::BTreeSet;

/// The statements of some packages, none of which has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    mode: &'static str,
    /// By import path.
    packages: Vec<(String, BTreeSet<Unit>)>,
}

/// Statements that run together; in the order of profiles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    file: String,
    first_line: u64,
    last_line: u64,
    first_column: u64,
    last_column: u64,
    statements: u64,
    function: String,
    is_literal: bool,
}

/// A file of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed coverage meta-data file")]
pub struct BadMeta;

const MAGIC: &[u8] = b"\0cvm";
const VERSION: u32 = 1;
/// Bytes before the functions of a package.
const PACKAGE_HEADER: usize = 44;
const MODES: [&str; 6] = ["", "set", "count", "atomic", "regonly", "testmain"];

impl Meta {
    /// Reads a file that the cover tool wrote.
    ///
    /// # Errors
    /// For bytes of another form, or of a later version of it.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadMeta> {
        let mut head = Reader { bytes, at: 0 };
        if head.take(4)? != MAGIC || head.u32()? > VERSION {
            return Err(BadMeta);
        }
        let _length = head.u64()?;
        let count = usize::try_from(head.u64()?).map_err(|_| BadMeta)?;
        // The hash of the whole, and where its texts are.
        head.take(16 + 8)?;
        let mode = *MODES.get(usize::from(head.take(1)?[0])).ok_or(BadMeta)?;
        head.take(7)?;
        if count > bytes.len() / 16 {
            return Err(BadMeta);
        }
        let offsets = (0..count).map(|_| head.u64()).collect::<Result<Vec<_>, _>>()?;
        let lengths = (0..count).map(|_| head.u64()).collect::<Result<Vec<_>, _>>()?;
        let mut packages = Vec::with_capacity(count);
        for (offset, length) in offsets.into_iter().zip(lengths) {
            let begin = usize::try_from(offset).map_err(|_| BadMeta)?;
            let end = begin.checked_add(usize::try_from(length).map_err(|_| BadMeta)?).ok_or(BadMeta)?;
            packages.push(package(bytes.get(begin..end).ok_or(BadMeta)?)?);
        }
        packages.sort();
        Ok(Self { mode, packages })
    }

    /// How much is covered: nothing.
    pub fn percent(&self) -> String {
        let mut text = String::new();
        for (path, units) in &self.packages {
            text.push_str(&format!("\t{path}\t\t"));
            if units.iter().any(|unit| unit.statements > 0) {
                text.push_str("coverage: 0.0% of statements\n");
            }
        }
        text
    }

    /// The profile in its textual form.
    pub fn profile(&self) -> String {
        let mut text = format!("mode: {}\n", self.mode);
        for unit in self.packages.iter().flat_map(|(_, units)| units) {
            text.push_str(&format!(
                "{}:{}.{},{}.{} {} 0\n",
                unit.file,
                unit.first_line,
                unit.first_column,
                unit.last_line,
                unit.last_column,
                unit.statements
            ));
        }
        text
    }
}

fn package(bytes: &[u8]) -> Result<(String, BTreeSet<Unit>), BadMeta> {
    let mut head = Reader { bytes, at: 0 };
    head.take(8)?;
    let path = head.u32()?;
    head.take(4 + 16 + 4 + 4)?;
    let functions = usize::try_from(head.u32()?).map_err(|_| BadMeta)?;
    if functions > bytes.len() / 4 {
        return Err(BadMeta);
    }
    let offsets = (0..functions).map(|_| head.u32()).collect::<Result<Vec<_>, _>>()?;
    let count = head.number()?;
    let mut texts = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(head.number()?).map_err(|_| BadMeta)?;
        texts.push(String::from_utf8_lossy(head.take(length)?).into_owned());
    }
    let text = |index: u64| {
        let index = usize::try_from(index).ok()?;
        texts.get(index).cloned()
    };
    let mut units = BTreeSet::new();
    for offset in offsets {
        let at = usize::try_from(offset).map_err(|_| BadMeta)?;
        if at < PACKAGE_HEADER {
            return Err(BadMeta);
        }
        let mut rest = Reader { bytes, at };
        let count = rest.number()?;
        let function = text(rest.number()?).ok_or(BadMeta)?;
        let file = text(rest.number()?).ok_or(BadMeta)?;
        let mut own = Vec::new();
        for _ in 0..count {
            let [first_line, first_column, last_line, last_column, statements] =
                [rest.number()?, rest.number()?, rest.number()?, rest.number()?, rest.number()?];
            own.push([first_line, last_line, first_column, last_column, statements]);
        }
        let is_literal = rest.number()? != 0;
        units.extend(own.into_iter().map(
            |[first_line, last_line, first_column, last_column, statements]| {
                let (file, function) = (file.clone(), function.clone());
                Unit {
                    file,
                    first_line,
                    last_line,
                    first_column,
                    last_column,
                    statements,
                    function,
                    is_literal,
                }
            },
        ));
    }
    Ok((text(u64::from(path)).ok_or(BadMeta)?, units))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], BadMeta> {
        let end = self.at.checked_add(length).ok_or(BadMeta)?;
        let taken = self.bytes.get(self.at..end).ok_or(BadMeta)?;
        self.at = end;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, BadMeta> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| BadMeta)
    }

    fn u64(&mut self) -> Result<u64, BadMeta> {
        self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| BadMeta)
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<u64, BadMeta> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BadMeta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package `p` with a function of two units, the second of which stands first in the file.
    fn file() -> Vec<u8> {
        let mut package = Vec::new();
        package.extend([0; 4]);
        package.extend(0_u32.to_le_bytes());
        package.extend(0_u32.to_le_bytes());
        package.extend([0; 4 + 16 + 4]);
        package.extend(1_u32.to_le_bytes());
        package.extend(1_u32.to_le_bytes());
        let texts = b"\x03\x01p\x06p/p.go\x01f";
        let at = u32::try_from(PACKAGE_HEADER + 4 + texts.len()).unwrap();
        package.extend(at.to_le_bytes());
        package.extend(texts);
        package.extend([2, 2, 1, 0x81, 1, 2, 0x82, 1, 3, 1, 5, 6, 7, 8, 2, 0]);
        let mut bytes = b"\0cvm\x01\0\0\0".to_vec();
        bytes.extend([0; 8]);
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend([0; 16 + 8]);
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend((56_u64 + 16).to_le_bytes());
        bytes.extend(u64::try_from(package.len()).unwrap().to_le_bytes());
        bytes.extend(package);
        bytes
    }

    #[test]
    fn statements_are_told_in_the_order_of_the_source() {
        let meta = Meta::parse(&file()).unwrap();
        assert_eq!(meta.percent(), "\tp\t\tcoverage: 0.0% of statements\n");
        assert_eq!(meta.profile(), "mode: count\np/p.go:5.6,7.8 2 0\np/p.go:129.2,130.3 1 0\n");
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_refused() {
        let bytes = file();
        for end in 0..bytes.len() {
            assert_eq!(Meta::parse(&bytes[..end]), Err(BadMeta), "{end}");
        }
    }
}
