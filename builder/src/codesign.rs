//! Ad-hoc code signatures of Mach-O files, as Go's linker makes them.
//!
//! One blob in a super blob: a code directory with the identifier and the SHA-256 of each page of 4 KiB.
//! Source of the layout: `cmd/internal/codesign/codesign.go`.

use modkeep_store::Digest;

const PAGE_BITS: u8 = 12;
const PAGE: usize = 1 << PAGE_BITS;
const HEADERS: usize = 12 + 8;
const DIRECTORY: usize = 13 * 4 + 4 + 4 * 8;
/// What the linker calls every program that it signs.
const IDENTIFIER: &[u8] = b"a.out\0";

/// The size of the signature of code that is `code` bytes long.
pub(crate) fn size(code: usize) -> usize {
    HEADERS + DIRECTORY + IDENTIFIER.len() + code.div_ceil(PAGE) * 32
}

/// Where the text segment lies and what kind of file it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) is_program: bool,
}

/// The signature of `code`; `None` for code of 4 GiB and more, which the format can't sign.
pub(crate) fn sign(code: &[u8], text: Text) -> Option<Vec<u8>> {
    let total = u32::try_from(size(code.len())).ok()?;
    let pages = u32::try_from(code.len().div_ceil(PAGE)).ok()?;
    let limit = u32::try_from(code.len()).ok()?;
    let hashes = u32::try_from(DIRECTORY + IDENTIFIER.len()).ok()?;
    let mut out = Vec::with_capacity(size(code.len()));
    let mut words = |numbers: &[u32]| numbers.iter().for_each(|n| out.extend(n.to_be_bytes()));
    words(&[0xfade_0cc0, total, 1, 0, HEADERS as u32]);
    words(&[0xfade_0c02, total - HEADERS as u32, 0x20400, 0x20002]);
    words(&[hashes, DIRECTORY as u32, 0, pages, limit]);
    // 32 bytes of hash, SHA-256
    out.extend([32, 2, 0, PAGE_BITS]);
    out.extend([0; 16]);
    for number in [0, text.offset, text.size, u64::from(text.is_program)] {
        out.extend(number.to_be_bytes());
    }
    out.extend(IDENTIFIER);
    for page in code.chunks(PAGE) {
        out.extend(Digest::of(page).as_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_as_long_as_foretold() {
        for length in [0, 1, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE] {
            let code = vec![7; length];
            let text = Text { offset: 0, size: 1, is_program: true };
            let signature = sign(&code, text).unwrap();
            assert_eq!(signature.len(), size(length), "{length}");
            assert_eq!(signature[..4], 0xfade_0cc0u32.to_be_bytes());
            let total = u32::from_be_bytes(signature[4..8].try_into().unwrap());
            assert_eq!(total as usize, signature.len());
        }
    }
}
