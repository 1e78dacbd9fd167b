//! Base64 as Go's `encoding/base64.StdEncoding` reads it: line ends are skipped and the unused bits of the last
//! character may be anything. Keys, signatures and hashes of checksum databases are written in it.

use std::sync::LazyLock;

use data_encoding::{BASE64, Encoding, Specification};

static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut rules = Specification::new();
    rules.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    rules.padding = Some('=');
    rules.check_trailing_bits = false;
    rules.encoding().expect("64 distinct symbols and a padding make an encoding")
});

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    // The library takes several padded texts in a row for one.
    let data = symbols.len().saturating_sub(2);
    if symbols[..data].contains(&b'=') {
        return None;
    }
    LENIENT.decode(&symbols).ok()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn reads_what_go_reads() {
        #[track_caller]
        fn check(text: &str, bytes: Option<&[u8]>) {
            assert_eq!(decode(text).as_deref(), bytes, "{text:?}");
        }
        check("", Some(b""));
        check("QQ==", Some(b"A"));
        check("QR==", Some(b"A"));
        check("Q\nQ=\r=", Some(b"A"));
        check("QUI=", Some(b"AB"));
        check("QQ", None);
        check("QQ=", None);
        check("Q===", None);
        check("====", None);
        check("QQ=A", None);
        check("QQ==QQ==", None);
        check("QQ==QUJD", None);
        check("QU-_", None);
        check(" QQ==", None);
    }
}
