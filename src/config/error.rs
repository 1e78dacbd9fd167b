//! What can be wrong with settings; each names the place where the wrong one stands.

use std::io;
use std::path::PathBuf;

use super::layers::Origin;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("reading `{}`", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("`{}` is not TOML: {}", file.display(), source.message())]
    NotToml { file: PathBuf, source: Box<toml::de::Error>, line: usize },
    #[error("unknown key `{key}` in `{}`", file.display())]
    UnknownKey { file: PathBuf, key: String, known: Vec<&'static str> },
    #[error("unknown variable `{name}`")]
    UnknownVariable { name: String, known: Vec<String> },
    #[error("{origin}: `{value}` is not {expected}")]
    Value { origin: Origin, value: String, expected: &'static str },
    #[error("{origin}: {problem}")]
    Unusable { origin: Origin, problem: String },
    #[error("there is no home folder to keep files in")]
    NoHome,
}

impl ConfigError {
    /// What to try next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { key, known, .. } => {
                Some(known_or_near(key.rsplit_once('.').map_or(key, |(_, key)| key), known))
            }
            Self::UnknownVariable { name, known } => Some(known_or_near(name, known)),
            Self::NotToml { line, .. } => Some(format!("look at line {line}")),
            Self::NoHome => Some("say where with --store DIR".to_owned()),
            Self::Unreadable { .. } | Self::Value { .. } | Self::Unusable { .. } => None,
        }
    }
}

fn known_or_near<T: AsRef<str>>(wrong: &str, known: &[T]) -> String {
    let names: Vec<_> = known.iter().map(AsRef::as_ref).collect();
    match names.iter().find(|name| differs_by_one(wrong, name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", names.join(", ")),
    }
}

/// Whether one letter was changed, added or left out.
fn differs_by_one(a: &str, b: &str) -> bool {
    let same_start = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let same_end = a.bytes().rev().zip(b.bytes().rev()).take_while(|(x, y)| x == y).count();
    let longer = a.len().max(b.len());
    a.len().abs_diff(b.len()) <= 1 && same_start + same_end + 1 >= longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_one_letter_is_seen() {
        for (wrong, right) in [("listn", "listen"), ("lissten", "listen"), ("lasten", "listen")] {
            assert_eq!(known_or_near(wrong, &[right]), format!("did you mean `{right}`?"), "{wrong}");
        }
        assert_eq!(known_or_near("port", &["listen", "store"]), "known are listen, store");
    }
}
