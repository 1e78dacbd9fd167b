//! Build targets: `GOOS/GOARCH` pairs as they are given to `-targets`.

/// One platform to build for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The operating system, in Go's words (`GOOS`).
    pub os: String,
    /// The processor architecture, in Go's words (`GOARCH`).
    pub arch: String,
}

/// A target list that can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The entry is not of the form `GOOS/GOARCH`.
    #[error("target `{0}` is not of the form GOOS/GOARCH")]
    Malformed(String),
    /// The entry stands twice in one list.
    #[error("target `{0}` is listed twice")]
    Twice(String),
}

/// Reads a comma-separated list such as `linux/amd64,darwin/arm64`.
///
/// # Errors
/// For an entry of another form and for one that is listed twice.
pub fn parse_list(list: &str) -> Result<Vec<Target>, TargetError> {
    let mut targets = Vec::new();
    for entry in list.split(',') {
        let target = parse(entry).ok_or_else(|| TargetError::Malformed(entry.to_owned()))?;
        if targets.contains(&target) {
            return Err(TargetError::Twice(entry.to_owned()));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn parse(entry: &str) -> Option<Target> {
    let (os, arch) = entry.split_once('/')?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (is_word(os) && is_word(arch)).then(|| Target { os: os.to_owned(), arch: arch.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order() {
        let targets = parse_list("linux/amd64,js/wasm").unwrap();
        let words: Vec<_> = targets.iter().map(|t| (t.os.as_str(), t.arch.as_str())).collect();
        assert_eq!(words, [("linux", "amd64"), ("js", "wasm")]);
    }

    #[test]
    fn what_is_no_target_is_named() {
        assert_eq!(parse_list("linux"), Err(TargetError::Malformed("linux".into())));
        assert_eq!(parse_list("linux/amd64,"), Err(TargetError::Malformed(String::new())));
        assert_eq!(parse_list("js/wasm,js/wasm"), Err(TargetError::Twice("js/wasm".into())));
    }
}
