//! Records: what a database says about one version of one module, and the reply that carries it.
//!
//! A record is the two go.sum lines of a version. A lookup's reply is the record's number, its text, a blank line, and
//! a signed head: `ID\nPATH VERSION h1:…\nPATH VERSION/go.mod h1:…\n\nNOTE`.
//! Only the text is hashed into the log. What else a reply says is no checksum (CVE-2026-56864), and a record that
//! does not speak of the version asked for is no answer (CVE-2026-42501).

use super::tlog::Hash;

/// A reply that is no record, or a text that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed record data")]
pub struct RecordError;

/// A record as a reply claims it: nothing is proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number in the log.
    pub id: u64,
    /// The lines, each with its end. UTF-8 without control characters and blank lines.
    pub text: String,
}

impl Record {
    /// Reads a record at the start of a reply and answers also with what follows its blank line (`tlog.ParseRecord`;
    /// stricter: the number is written in decimal digits, without sign and leading zeros).
    pub fn parse(reply: &[u8]) -> Result<(Record, &[u8]), RecordError> {
        let end = reply.iter().position(|&byte| byte == b'\n').ok_or(RecordError)?;
        let (number, rest) = (&reply[..end], &reply[end + 1..]);
        let end = rest.windows(2).position(|pair| pair == b"\n\n").ok_or(RecordError)?;
        let (text, rest) = (&rest[..=end], &rest[end + 2..]);
        let record = Record { id: parse_number(number)?, text: parse_text(text)?.to_owned() };
        Ok((record, rest))
    }

    /// Writes number, text and blank line, to be followed by a note (`tlog.FormatRecord`).
    pub fn format(&self) -> Result<String, RecordError> {
        parse_text(self.text.as_bytes())?;
        Ok(format!("{}\n{}\n", self.id, self.text))
    }

    /// The hash that the log holds of this record.
    pub fn hash(&self) -> Hash {
        Hash::of_record(self.text.as_bytes())
    }

    /// The checksum of `path` at `version`, which ends in `/go.mod` where the checksum of the go.mod file is wanted.
    /// As in the go command, the first line that has one counts; none where no line is about exactly this.
    pub fn checksum(&self, path: &str, version: &str) -> Option<&str> {
        self.text
            .lines()
            .filter_map(|line| {
                line.strip_prefix(path)?.strip_prefix(' ')?.strip_prefix(version)?.strip_prefix(' ')
            })
            .find(|checksum| checksum.starts_with("h1:"))
    }
}

fn parse_number(digits: &[u8]) -> Result<u64, RecordError> {
    let digits = std::str::from_utf8(digits).map_err(|_| RecordError)?;
    let number: i64 = digits.parse().map_err(|_| RecordError)?;
    if number < 0 || number.to_string() != digits {
        return Err(RecordError);
    }
    Ok(number as u64)
}

fn parse_text(text: &[u8]) -> Result<&str, RecordError> {
    let text = std::str::from_utf8(text).map_err(|_| RecordError)?;
    let has_control = text.contains(|c| c < ' ' && c != '\n');
    if has_control || text.contains("\n\n") || !text.ends_with('\n') {
        return Err(RecordError);
    }
    Ok(text)
}
