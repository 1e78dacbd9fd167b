//! What to call a module whose path ends in no major version that it could have.

/// A path with `/vN`, where N is the number that the path ends in, or 2.
pub(super) fn for_others(path: &str) -> String {
    let (front, number) = split_number(path);
    let front = trim(trim(front, "/v"), "/");
    match number.split('.').find(|digits| !digits.is_empty()).unwrap_or_default().trim_start_matches('0') {
        "" | "1" => format!("{front}/v2"),
        number => format!("{front}/v{number}"),
    }
}

/// A path with `.vN`, where N is the first number in it, or 1.
pub(super) fn for_gopkg_in(path: &str) -> String {
    let (front, _) = split_number(path);
    let front = trim(trim(trim(front, ".v"), "/v"), "/");
    let mut numbers = path.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    match numbers.next().unwrap_or_default().trim_start_matches('0') {
        "" => format!("{front}.v1"),
        number => format!("{front}.v{number}"),
    }
}

fn split_number(path: &str) -> (&str, &str) {
    path.split_at(path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len())
}

fn trim<'a>(text: &'a str, end: &str) -> &'a str {
    text.strip_suffix(end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_the_path_becomes_its_major_version() {
        for (path, expected) in [
            ("example.com/m/v1", "example.com/m/v2"),
            ("example.com/m/v02", "example.com/m/v2"),
            ("example.com/m/v3.1", "example.com/m/v3"),
            ("example.com/m.", "example.com/m/v2"),
        ] {
            assert_eq!(for_others(path), expected);
        }
        for (path, expected) in [
            ("gopkg.in/m", "gopkg.in/m.v1"),
            ("gopkg.in/m/v3", "gopkg.in/m.v3"),
            ("gopkg.in/m.v02", "gopkg.in/m.v2"),
        ] {
            assert_eq!(for_gopkg_in(path), expected);
        }
    }
}
