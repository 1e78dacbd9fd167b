//! One byte range of a stored file (RFC 9110 §14).
//!
//! Several ranges in one request are answered with the whole file, as is allowed; so is a range that isn't in bytes.

use http::HeaderValue;

/// What a `Range` header asks of a file of a known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// From a first byte up to and without another.
    Part { start: u64, end: u64 },
    /// Nothing that the file has.
    Nothing,
}

/// Reads a `Range` header against a file of `length` bytes.
pub(crate) fn wanted(header: Option<&HeaderValue>, length: u64) -> Wanted {
    let Some(spec) =
        header.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("bytes="))
    else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Bound::At(start), Bound::Open) if start < length => Wanted::Part { start, end: length },
        (Bound::At(start), Bound::At(last)) if start <= last && start < length => {
            Wanted::Part { start, end: last.saturating_add(1).min(length) }
        }
        (Bound::At(start), Bound::At(last)) if start > last => Wanted::Whole,
        (Bound::Open, Bound::At(suffix)) if suffix > 0 && length > 0 => {
            Wanted::Part { start: length.saturating_sub(suffix), end: length }
        }
        (Bound::Open, Bound::Open) | (Bound::Bad, _) | (_, Bound::Bad) => Wanted::Whole,
        _ => Wanted::Nothing,
    }
}

enum Bound {
    Open,
    At(u64),
    Bad,
}

fn number(text: &str) -> Bound {
    match text {
        "" => Bound::Open,
        _ if !text.bytes().all(|b| b.is_ascii_digit()) => Bound::Bad,
        _ => Bound::At(text.parse().unwrap_or(u64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_as_the_standard_says() {
        #[track_caller]
        fn check(text: &str, length: u64, want: Wanted) {
            let header = HeaderValue::from_str(text).unwrap();
            assert_eq!(wanted(Some(&header), length), want, "{text} of {length}");
        }
        let part = |start, end| Wanted::Part { start, end };
        assert_eq!(wanted(None, 10), Wanted::Whole);
        check("bytes=0-3", 10, part(0, 4));
        check("bytes=0-", 10, part(0, 10));
        check("bytes=9-", 10, part(9, 10));
        check("bytes=10-", 10, Wanted::Nothing);
        check("bytes=10-12", 10, Wanted::Nothing);
        check("bytes=4-99999999999999999999999", 10, part(4, 10));
        check("bytes=99999999999999999999999-", 10, Wanted::Nothing);
        check("bytes=-3", 10, part(7, 10));
        check("bytes=-30", 10, part(0, 10));
        check("bytes=-0", 10, Wanted::Nothing);
        check("bytes=-1", 0, Wanted::Nothing);
        check("bytes=0-", 0, Wanted::Nothing);
        check("bytes=5-2", 10, Wanted::Whole);
        check("bytes=-", 10, Wanted::Whole);
        check("bytes=a-2", 10, Wanted::Whole);
        check("bytes=+1-2", 10, Wanted::Whole);
        check("bytes=0-1,4-5", 10, Wanted::Whole);
        check("lines=0-1", 10, Wanted::Whole);
    }
}
