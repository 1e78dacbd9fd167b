//! The name of a row: a key and which shelf it stands on.
//!
//! A value and a cell may have the same key. The shelf is written behind the key after a zero byte, which no key holds, so rows
//! sort as their keys do.

use crate::key::Key;

/// The two kinds of small things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    Cell,
    Value,
}

impl Shelf {
    fn mark(self) -> u8 {
        match self {
            Self::Cell => b'c',
            Self::Value => b'v',
        }
    }
}

/// The row name of `key` on `shelf`.
pub(crate) fn row_name(key: &Key, shelf: Shelf) -> Vec<u8> {
    let mut name = Vec::with_capacity(key.as_str().len() + 2);
    name.extend_from_slice(key.as_str().as_bytes());
    name.extend_from_slice(&[0, shelf.mark()]);
    name
}

/// The key and shelf that `name` stands for, if a key could have made it.
pub(crate) fn parse_row_name(name: &[u8]) -> Option<(Key, Shelf)> {
    let (key, shelf) = match name {
        [key @ .., 0, b'c'] => (key, Shelf::Cell),
        [key @ .., 0, b'v'] => (key, Shelf::Value),
        _ => return None,
    };
    Some((Key::parse(std::str::from_utf8(key).ok()?).ok()?, shelf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sort_as_their_keys_do() {
        let mut keys = ["a/b", "a", "a!b", "a/b/c", "a b", "b", "é"].map(|text| Key::parse(text).unwrap());
        let mut names = keys.clone().map(|key| row_name(&key, Shelf::Value));
        keys.sort();
        names.sort();
        assert_eq!(names.map(|name| parse_row_name(&name)), keys.map(|key| Some((key, Shelf::Value))));
    }

    #[test]
    fn a_name_that_no_key_made_is_none() {
        for name in [&b""[..], b"a", b"a\0", b"a\0x", b"\0v", b"/\0v", b"\xff\0v"] {
            assert_eq!(parse_row_name(name), None, "{name:?}");
        }
    }
}
