//! The text that says which results a shelf has: one line for each action.
//!
//! ```text
//! modkeep cache 1
//! ACTION OUTPUT SIZE ID blob DIGEST LENGTH
//! ACTION OUTPUT SIZE ID here CONTENT
//! ```
//! ACTION is a key of the build cache, OUTPUT the SHA-256 of what is under it and SIZE its bytes; ID is the build ID in it, or
//! a hyphen. It lies packed in the blob with that DIGEST and LENGTH, or is so small that it stands here, in Base64.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use modkeep_store::Digest;

use crate::action_id::ActionId;
use crate::buildid::BuildId;

const HEAD: &str = "modkeep cache 1";
/// The longest output that stands in the manifest itself, in bytes.
pub(super) const MAX_HERE: usize = 1024;
/// The longest build ID: four parts of 20 characters, with room.
const MAX_ID: usize = 200;

/// What a shelf has under an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The action.
    pub action: ActionId,
    /// The digest of its output.
    pub output: Digest,
    /// The bytes of its output.
    pub size: u64,
    /// The build ID that stands in the output, where it has one and whoever put it there knew.
    pub build_id: Option<BuildId>,
    pub(super) source: Source,
}

/// Where an output is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Here(Vec<u8>),
    Blob { digest: Digest, length: u64 },
}

/// The text of a manifest.
pub(super) fn text<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> String {
    let mut text = format!("{HEAD}\n");
    for entry in entries {
        let id = entry.build_id.as_ref().map_or("-", BuildId::as_str);
        // Writing to a string can't fail.
        let _ = write!(text, "{} {} {} {id} ", entry.action, entry.output, entry.size);
        let _ = match &entry.source {
            Source::Here(content) => writeln!(text, "here {}", BASE64.encode(content)),
            Source::Blob { digest, length } => writeln!(text, "blob {digest} {length}"),
        };
    }
    text
}

/// The entries of a manifest; nothing for any other text. What stands in it is what it says.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split('\n');
    (lines.next()? == HEAD).then(|| lines.map(entry).collect())?
}

fn entry(line: &str) -> Option<Entry> {
    let words: Vec<&str> = line.split(' ').collect();
    let [action, output, size, id, rest @ ..] = words.as_slice() else {
        return None;
    };
    let action: [u8; 32] = HEXLOWER.decode(action.as_bytes()).ok()?.try_into().ok()?;
    let output = Digest::parse(output).ok()?;
    let size = number(size)?;
    let build_id = match *id {
        "-" => None,
        id if id.len() <= MAX_ID && id.contains('/') => Some(BuildId::found(id.to_owned())),
        _ => return None,
    };
    let source = match rest {
        ["here", content] => {
            let content = BASE64.decode(content.as_bytes()).ok()?;
            if content.len() as u64 != size || Digest::of(&content) != output {
                return None;
            }
            Source::Here(content)
        }
        ["blob", digest, length] => {
            Source::Blob { digest: Digest::parse(digest).ok()?, length: number(length)? }
        }
        _ => return None,
    };
    Some(Entry { action: ActionId::from(action), output, size, build_id, source })
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Entry> {
        let entry = |content: &[u8], id: Option<&str>, source| Entry {
            action: ActionId::of("salt", "text"),
            output: Digest::of(content),
            size: content.len() as u64,
            build_id: id.map(|id| BuildId::found(id.to_owned())),
            source,
        };
        let blob = Source::Blob { digest: Digest::of(b"packed"), length: 6 };
        vec![
            entry(b"archive", Some("A/C"), blob),
            entry(b"", None, Source::Here(Vec::new())),
            entry(b"a\nb", None, Source::Here(b"a\nb".to_vec())),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let text = text(&sample());
        assert_eq!(parse(text.as_bytes()), Some(sample()));
        assert_eq!(parse(super::text([]).as_bytes()), Some(Vec::new()));
    }

    #[test]
    fn any_other_text_is_no_manifest() {
        let good = text(&sample());
        assert_eq!(parse(&good.as_bytes()[..good.len() - 1]), None, "cut");
        for (old, new) in [
            ("cache 1", "cache 2"),
            (" blob ", " blog "),
            (" 7 ", " -7 "),
            (" 7 ", " +7 "),
            (" 3 ", " 4 "),
            ("A/C", "AC"),
            ("YQpi", "YQpj"),
            (" 6\n", " 6 6\n"),
            ("\n", "\n\n"),
        ] {
            let bad = good.replacen(old, new, 1);
            assert_ne!(bad, good, "{old}");
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
