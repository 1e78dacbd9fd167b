//! Names and literals, of which the tokens only know how far they reach.

use modkeep_module::quote;

/// Letters and digits, in whatever script.
pub(super) fn is_name(word: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(word) else { return false };
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && letters.all(|c| c == '_' || c.is_alphanumeric())
}

/// A string literal.
pub(super) fn is_text(word: &[u8]) -> bool {
    word.starts_with(b"`") || quote::unquote(word).is_some()
}

/// One character between single quotes.
pub(super) fn is_rune(word: &[u8]) -> bool {
    let inner = &word[1..word.len() - 1];
    match inner {
        [b'\\', b'\'' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\'] => true,
        // The rest of the escapes are those of texts.
        [b'\\', b'"', ..] => false,
        [b'\\', ..] => {
            let length = match inner[1] {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 4,
            };
            inner.len() == length && quote::unquote(&[b"\"", inner, b"\""].concat()).is_some()
        }
        inner => std::str::from_utf8(inner).is_ok_and(|inner| inner.chars().count() == 1),
    }
}

/// A number without a sign; one whose exponent has a sign ends before that, and the exponent's letter comes last.
pub(super) fn is_number(word: &[u8], ends_before_sign: bool) -> bool {
    let word = word.to_ascii_lowercase();
    let (body, is_imaginary) = match word.strip_suffix(b"i") {
        Some(body) => (body, true),
        None => (&word[..], false),
    };
    let (digits, base, exponent): (&[u8], u32, u8) = match body {
        [b'0', b'x', digits @ ..] => (digits, 16, b'p'),
        [b'0', b'b', digits @ ..] => return is_digits(digits, 2, true),
        [b'0', b'o', digits @ ..] => return is_digits(digits, 8, true),
        digits => (digits, 10, b'e'),
    };
    let (mantissa, power) = match digits.iter().position(|&b| b == exponent) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let is_power = match power {
        None => !ends_before_sign,
        Some(power) if ends_before_sign => power.is_empty() && !is_imaginary,
        Some(power) => is_digits(power, 10, false),
    };
    let mut parts = mantissa.splitn(2, |&b| b == b'.');
    let (whole, fraction) = (parts.next().unwrap_or_default(), parts.next());
    let is_whole = whole.is_empty() && fraction.is_some_and(|fraction| !fraction.is_empty())
        || is_digits(whole, base, base == 16);
    let is_fraction = fraction.is_none_or(|fraction| fraction.is_empty() || is_digits(fraction, base, false));
    // A leading zero makes whole numbers octal.
    let is_octal = base == 10 && whole.len() > 1 && whole[0] == b'0';
    let is_plain = fraction.is_none() && power.is_none() && !is_imaginary;
    let is_good_octal = !(is_octal && is_plain) || is_digits(&whole[1..], 8, true);
    is_power
        && is_whole
        && is_fraction
        && is_good_octal
        && (base != 16 || fraction.is_none() || power.is_some())
}

/// Digits, with single underscores between them, or behind a prefix.
fn is_digits(digits: &[u8], base: u32, may_begin: bool) -> bool {
    let mut may_separate = may_begin;
    for &digit in digits {
        match digit {
            b'_' if may_separate => may_separate = false,
            digit if char::from(digit).is_digit(base) => may_separate = true,
            _ => return false,
        }
    }
    may_separate && digits.iter().any(|&b| b != b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_go() {
        for good in [
            "0", "12", "017", "1_000", "0x1F", "0x_1", "0b10", "0o7", "1.5", "1.", "1e5", "1.5e3i",
            "0x1.8p3", "09.5", "08i",
        ] {
            assert!(is_number(good.as_bytes(), false), "{good}");
        }
        for bad in ["08", "1__0", "1_", "0x", "0b2", "1e", "0x1.8", "1.2.3", "1x", "0xg", "1e5e5"] {
            assert!(!is_number(bad.as_bytes(), false), "{bad}");
        }
        assert!(is_number(b"1.5e", true) && is_number(b"0x1p", true) && !is_number(b"15", true));
    }

    #[test]
    fn runes_are_one_character() {
        for good in ["'a'", "'\\n'", "'\\''", "'ä'", "'\\x41'", "'\\u00e4'", "'\\101'", "'\"'"] {
            assert!(is_rune(good.as_bytes()), "{good}");
        }
        for bad in ["''", "'ab'", "'\\q'", "'\\x4'", "'\\\"'", "'\\ud800'"] {
            assert!(!is_rune(bad.as_bytes()), "{bad}");
        }
    }
}
