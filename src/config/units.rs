//! Times and sizes as people write them: a number and its unit.

use std::time::Duration;

/// What a time looks like, for who wrote another one.
pub(crate) const TIME: &str = "a time such as 500ms, 60s, 10m, 12h or 1d";
/// What a size looks like.
pub(crate) const SIZE: &str = "a size such as 0, 500MB or 2GiB";

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A whole number and one of `ms`, `s`, `m`, `h`, `d`; 0 needs none.
pub(crate) fn time(text: &str) -> Option<Duration> {
    of(text, TIMES).map(Duration::from_millis)
}

/// A whole number and a unit of bytes, decimal or binary; 0 needs none.
pub(crate) fn size(text: &str) -> Option<u64> {
    of(text, SIZES)
}

fn of(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<u64>().ok()?, text[end..].trim_start());
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => number.checked_mul(*factor),
        None => (unit.is_empty() && number == 0).then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_its_unit() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("60s", Some(60_000)),
            ("10m", Some(600_000)),
            ("12h", Some(43_200_000)),
            ("1d", Some(86_400_000)),
            ("1 d", Some(86_400_000)),
            ("0", Some(0)),
            ("60", None),
            ("-1s", None),
            ("1.5s", None),
            ("1w", None),
            ("s", None),
            ("", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(time(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_its_unit() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("500MB", Some(500_000_000)),
            ("2GiB", Some(2 << 30)),
            ("64 MiB", Some(64 << 20)),
            ("1B", Some(1)),
            ("5", None),
            ("2gb", None),
            ("20000000TiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
