//! The line that names an action's output.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use modkeep_store::Digest;

use crate::action_id::ActionId;

/// Bytes of an entry: `v1 ACTION OUTPUT SIZE TIME` with two hashes in hexadecimal and two numbers of 20 columns.
pub(super) const LENGTH: usize = 2 + 1 + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1;

/// What the cache says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The digest of the output.
    pub output: Digest,
    /// The size of the output in bytes.
    pub size: u64,
    /// When it was put.
    pub time: SystemTime,
}

impl Entry {
    /// Reads the whole text of an entry; `None` if it isn't one of this action.
    pub(super) fn parse(text: &[u8], id: &ActionId) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() == LENGTH && text.is_ascii())?;
        let (version, rest) = text.split_at(3);
        let (action, rest) = rest.split_at(64);
        let (output, rest) = rest.split_at(65);
        let (size, rest) = rest.split_at(21);
        let (time, end) = rest.split_at(21);
        if version != "v1 " || end != "\n" || !action.eq_ignore_ascii_case(&id.to_string()) {
            return None;
        }
        let output = Digest::parse(&output.strip_prefix(' ')?.to_ascii_lowercase()).ok()?;
        let nanoseconds = number(time)?;
        let time = UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))?;
        Some(Self { output, size: number(size)?, time })
    }

    /// The whole text of the entry.
    pub(super) fn to_text(self, id: &ActionId) -> String {
        let since = self.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("v1 {id} {} {:>20} {:>20}\n", self.output, self.size, since.as_nanos())
    }
}

/// A decimal number behind blanks, as go reads it: what its 64 signed bits can't hold is none.
fn number(columns: &str) -> Option<u64> {
    let digits = columns.strip_prefix(' ')?.trim_start_matches(' ');
    digits.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (ActionId, Entry) {
        let time = UNIX_EPOCH + Duration::from_nanos(1_790_000_000_123_456_789);
        (ActionId::from([7; 32]), Entry { output: Digest::of(b"x"), size: 1, time })
    }

    #[test]
    fn what_is_written_is_read() {
        let (id, entry) = sample();
        let text = entry.to_text(&id);
        assert_eq!(text.len(), LENGTH);
        assert_eq!(Entry::parse(text.as_bytes(), &id), Some(entry));
    }

    #[test]
    fn any_other_text_is_no_entry() {
        let (id, entry) = sample();
        let text = entry.to_text(&id);
        let mut broken = vec![text[1..].to_owned(), format!("{text}\n"), String::new()];
        broken.push(text.replace("v1", "v2"));
        broken.push(text.replace('\n', " "));
        broken.push(text.replacen("                   1", "                  -1", 1));
        broken.push(text.replacen("                   1", "                   x", 1));
        broken.push(text.replacen("                   1", "99999999999999999999", 1));
        for text in broken {
            assert_eq!(Entry::parse(text.as_bytes(), &id), None, "{text:?}");
        }
        assert_eq!(Entry::parse(text.as_bytes(), &ActionId::from([8; 32])), None);
    }
}
