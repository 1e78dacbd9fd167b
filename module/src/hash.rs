//! The `h1:` hash: what go.sum and checksum databases say about a module's files.
//!
//! Only the value lives here; [`crate::dirhash`] says how it is computed.

use std::fmt;

use data_encoding::BASE64;

/// A hash of the form `h1:` + base64 of a SHA-256 (`golang.org/x/mod/sumdb/dirhash`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct H1([u8; 32]);

/// Text that is no `h1:` hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an h1: hash")]
pub struct H1Error(pub String);

impl H1 {
    /// The hash whose SHA-256 is `sum`.
    pub fn from_bytes(sum: [u8; 32]) -> Self {
        Self(sum)
    }

    /// Reads `h1:` and 44 characters of base64. Stricter than the go command, which compares texts: the
    /// unused bits of the last character must be zero, so that one hash has one spelling.
    pub fn parse(text: &str) -> Result<Self, H1Error> {
        let refuse = || H1Error(text.to_owned());
        let encoded = text.strip_prefix("h1:").ok_or_else(refuse)?;
        let sum = BASE64.decode(encoded.as_bytes()).map_err(|_| refuse())?;
        sum.try_into().map(Self).map_err(|_| refuse())
    }

    /// The SHA-256 itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"h1:00000000000000000000000000000000000000000000";
        BASE64.encode_mut(&self.0, &mut text[3..]);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_what_it_prints() {
        let empty = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(H1::parse(empty).unwrap().to_string(), empty);
        assert_eq!(H1::parse(empty).unwrap(), H1::from_bytes(*H1::parse(empty).unwrap().as_bytes()));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in [
            "",
            "h1:",
            "h2:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= ",
            "h1:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        ] {
            assert_eq!(H1::parse(text), Err(H1Error(text.to_owned())), "{text}");
        }
    }
}
