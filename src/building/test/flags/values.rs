//! Values of flags that go gives to the program of a test in its own spelling.
//!
//! Source of the rules: `flag/flag.go`, `time/format.go`, `cmd/go/internal/test/testflag.go` (`shuffleFlag`).

use std::num::IntErrorKind;
use std::time::Duration;

use modkeep_module::quote::quote;

use crate::flags::integer;

/// A whole number, as go writes it.
pub(super) fn number(text: &str) -> Result<String, String> {
    integer(text).map(|number| number.to_string()).map_err(|error| error.to_string())
}

/// `on`, `off`, or a number to shuffle by.
pub(super) fn shuffle(text: &str) -> Result<String, String> {
    if matches!(text, "on" | "off") {
        return Ok(text.to_owned());
    }
    text.parse::<i64>().map(|seed| seed.to_string()).map_err(|error| {
        let reason = match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        let quoted = quote(text);
        format!(
            "-shuffle argument must be \"on\", \"off\", or an int64: strconv.ParseInt: parsing {quoted}: {reason}"
        )
    })
}

/// A time, in go's spelling: `90s` is `1m30s`.
pub(super) fn time(text: &str) -> Result<String, String> {
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => ("-", size),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let time = duration(size).ok_or_else(|| "parse error".to_owned())?;
    Ok(match time {
        Duration::ZERO => "0s".to_owned(),
        time if time < Duration::from_secs(1) => format!("{sign}{size}"),
        time => format!("{sign}{}", duration_words(time)),
    })
}

/// A duration without a sign, such as `1h10m0.5s`; nothing for another text, or beyond the nanoseconds of 64 bits.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    if text.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, seconds) =
            [("ms", 0.001), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
                .into_iter()
                .find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
    }
    Some(total).filter(|total| i64::try_from(total.as_nanos()).is_ok())
}

/// A time of a second or more as Go prints it: `11m0s`.
pub(in crate::building::test) fn duration_words(time: Duration) -> String {
    let (whole, part) = (time.as_secs(), format!("{:09}", time.subsec_nanos()));
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    let seconds = format!("{}{dot}{part}s", whole % 60);
    match (whole / 3600, whole / 60 % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, expected) in [
            ("10m0s", Some(600.0)),
            ("1h1m", Some(3660.0)),
            ("0", Some(0.0)),
            ("1.5s", Some(1.5)),
            ("100ms", Some(0.1)),
            ("5", None),
            ("x", None),
            ("", None),
            ("1h0", None),
            ("5000000000000000h", None),
            ("2000000h2000000h", None),
        ] {
            assert_eq!(duration(text).map(|time| time.as_secs_f64()), expected, "{text}");
        }
    }

    #[test]
    fn times_are_printed_as_go_prints_them() {
        for (milliseconds, expected) in [
            (5_000, "5s"),
            (61_500, "1m1.5s"),
            (660_000, "11m0s"),
            (3_600_000, "1h0m0s"),
            (3_661_050, "1h1m1.05s"),
        ] {
            assert_eq!(duration_words(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn values_are_spelled_as_go_spells_them() {
        assert_eq!(time("90s").as_deref(), Ok("1m30s"));
        assert_eq!(time("0").as_deref(), Ok("0s"));
        assert_eq!(number("+7").as_deref(), Ok("7"));
        assert_eq!(shuffle("on").as_deref(), Ok("on"));
        for refused in [time("soon"), number("x"), shuffle("x")] {
            assert!(refused.is_err());
        }
    }
}
