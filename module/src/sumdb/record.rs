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

#[cfg(test)]
mod tests {
    use super::Record;

    const TEXT: &str = "example.com/a v1.0.0 h1:zip=\nexample.com/a v1.0.0/go.mod h1:mod=\n";

    #[test]
    fn a_reply_is_a_number_a_text_and_the_rest() {
        let reply = format!("17\n{TEXT}\nnote");
        let (record, rest) = Record::parse(reply.as_bytes()).unwrap();
        assert_eq!((record.id, record.text.as_str(), rest), (17, TEXT, &b"note"[..]));
        assert_eq!(record.format().unwrap() + "note", reply);
        assert_eq!(Record::parse(format!("0\n{TEXT}\n").as_bytes()).unwrap().1, b"");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for reply in [
            "",
            "17",
            "17\n",
            "17\n\n",
            "17\n\nnote",
            "17\ntext\n",
            "x\ntext\n\n",
            "+17\ntext\n\n",
            "017\ntext\n\n",
            "-1\ntext\n\n",
            "9223372036854775808\ntext\n\n",
            "17\ntext\twith control\n\n",
        ] {
            assert!(Record::parse(reply.as_bytes()).is_err(), "{reply:?}");
        }
        assert!(Record::parse(b"17\n\xff\n\n").is_err());
        for text in ["", "no end", "blank\n\nline\n", "bell\x07\n"] {
            assert!(Record { id: 1, text: text.to_owned() }.format().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_line_about_exactly_this_version_is_its_checksum() {
        #[track_caller]
        fn check(text: &str, path: &str, version: &str, checksum: Option<&str>) {
            let record = Record { id: 0, text: text.to_owned() };
            assert_eq!(record.checksum(path, version), checksum, "{path} {version} in {text:?}");
        }
        check(TEXT, "example.com/a", "v1.0.0", Some("h1:zip="));
        check(TEXT, "example.com/a", "v1.0.0/go.mod", Some("h1:mod="));
        check(TEXT, "example.com/a", "v1.0.1", None);
        check(TEXT, "example.com/a", "v1.0", None);
        check(TEXT, "example.com", "v1.0.0", None);
        check("a v1 h2:x\na v1 h1:y\na v1 h1:z\n", "a", "v1", Some("h1:y"));
        check("a v1 h2:x\n", "a", "v1", None);
        check("  a v1 h1:x\na  v1 h1:x\n", "a", "v1", None);
    }
}
