//! Flags such as `-gcflags`, which may be for some packages only: `-gcflags=pattern=flags`.
//!
//! Source of the rules: `cmd/go/internal/load/flag.go`, `search.go`.

use modkeep_module::file_path;
use modkeep_resolver::wildcard::Wildcard;

use crate::package::Package;

/// All uses of one flag on the command line.
#[derive(Clone, Debug, Default)]
pub struct PackageFlags {
    last: String,
    is_present: bool,
    values: Vec<(PackagePattern, Vec<String>)>,
}

/// Which packages are meant.
#[derive(Clone, Debug)]
pub enum PackagePattern {
    /// Those named on the command line.
    Named,
    /// Those in a folder.
    Folder(String),
    /// Those below a folder, their paths from there matching.
    Below(String, Wildcard),
    /// All of them.
    All,
    /// The standard library, commands included.
    Standard,
    /// The commands of the distribution.
    Commands,
    /// Those of main modules.
    Work,
    /// Those of `tool` lines.
    Tool,
    /// Those whose paths match.
    Path(Wildcard),
}

/// A value that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Neither a flag nor a pattern.
    #[error("missing =<value> in <pattern>=<value>")]
    NoValue,
    /// Nothing before the `=`.
    #[error("missing <pattern> in <pattern>=<value>")]
    NoPattern,
    /// A quote where a pattern should begin.
    #[error("parameter may not start with quote character {0}")]
    Quote(char),
    /// A quote stays open.
    #[error("unterminated {0} string")]
    Open(char),
}

impl PackageFlags {
    /// Adds one use of the flag.
    ///
    /// # Errors
    /// For a value of another form.
    pub fn add(&mut self, value: &str, folder: &str) -> Result<(), FlagError> {
        value.clone_into(&mut self.last);
        self.is_present = true;
        let value = value.trim();
        let (pattern, flags) = if value.is_empty() || value.starts_with('-') {
            (PackagePattern::Named, value)
        } else {
            let (pattern, flags) = value.split_once('=').ok_or(FlagError::NoValue)?;
            if pattern.is_empty() {
                return Err(FlagError::NoPattern);
            }
            if let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) {
                return Err(FlagError::Quote(quote));
            }
            (PackagePattern::new(pattern.trim(), folder), flags)
        };
        self.values.push((pattern, split(flags)?));
        Ok(())
    }

    /// The last value as it was given.
    pub fn as_str(&self) -> &str {
        &self.last
    }

    /// Whether the flag was given.
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// The flags for a package: those of the last use that means it.
    pub fn of(&self, package: &Package) -> Vec<String> {
        self.with_tools(package, false)
    }

    /// The same where it is known whether a `tool` line names the package.
    pub fn with_tools(&self, package: &Package, is_tool: bool) -> Vec<String> {
        let is_meant = |pattern: &PackagePattern| match pattern {
            PackagePattern::Tool => is_tool,
            pattern => pattern.matches(package),
        };
        let last = self.values.iter().rev().find(|(pattern, _)| is_meant(pattern));
        last.map_or_else(Vec::new, |(_, flags)| flags.clone())
    }
}

impl PackagePattern {
    /// Reads a pattern, relative ones from a folder (`MatchPackage`).
    pub fn new(pattern: &str, folder: &str) -> Self {
        match pattern {
            _ if is_relative(pattern) => match pattern.find("...") {
                None => Self::Folder(file_path::join(folder, pattern)),
                Some(at) => {
                    let slash = pattern[..at].rfind('/').unwrap_or(0);
                    let below = file_path::join(folder, &pattern[..slash]);
                    Self::Below(below, Wildcard::new(&pattern[slash + 1..]))
                }
            },
            "all" => Self::All,
            "std" => Self::Standard,
            "cmd" => Self::Commands,
            "work" => Self::Work,
            "tool" => Self::Tool,
            _ => Self::Path(Wildcard::new(pattern)),
        }
    }

    /// Whether it means the package.
    pub fn matches(&self, package: &Package) -> bool {
        match self {
            Self::Named => package.cmdline_package || package.cmdline_files,
            Self::Folder(folder) => package.dir == *folder,
            Self::Below(folder, pattern) => {
                let way = file_path::relative(folder, &package.dir);
                way.is_some_and(|way| way != ".." && !way.starts_with("../") && pattern.matches(&way))
            }
            Self::All => true,
            Self::Tool => false,
            Self::Standard => package.standard,
            Self::Commands => package.standard && package.import_path.starts_with("cmd/"),
            Self::Work => package.module.as_ref().is_some_and(|module| module.main),
            Self::Path(pattern) => pattern.matches(&package.import_path),
        }
    }
}

/// Whether a pattern means folders (`search.IsRelativePath`).
pub fn is_relative(pattern: &str) -> bool {
    matches!(pattern, "." | "..") || pattern.starts_with("./") || pattern.starts_with("../")
}

/// Splits at blanks, with quotes around whole words only (`cmd/internal/quoted.Split`).
///
/// # Errors
/// For a quote that stays open.
pub fn split(text: &str) -> Result<Vec<String>, FlagError> {
    let is_blank = [' ', '\t', '\n', '\r'];
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let word = if matches!(first, '\'' | '"') {
            let end = rest[1..].find(first).ok_or(FlagError::Open(first))?;
            let word = &rest[1..=end];
            rest = &rest[end + 2..];
            word
        } else {
            let (word, after) = rest.split_at(rest.find(is_blank).unwrap_or(rest.len()));
            rest = after;
            word
        };
        words.push(word.to_owned());
        rest = rest.trim_start_matches(is_blank);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(path: &str, dir: &str, cmdline_package: bool) -> Package {
        Package { import_path: path.into(), dir: dir.into(), cmdline_package, ..Package::default() }
    }

    #[test]
    fn the_last_value_that_means_a_package_counts() {
        let mut flags = PackageFlags::default();
        for value in ["-a", "x.com/...=-b '-c d'", "./sub=-e", "x.com/none="] {
            flags.add(value, "/w").unwrap();
        }
        assert_eq!(flags.of(&package("p", "/w", true)), ["-a"]);
        assert_eq!(flags.of(&package("x.com/p", "/w/p", true)), ["-b", "-c d"]);
        assert_eq!(flags.of(&package("x.com/sub", "/w/sub", false)), ["-e"]);
        assert!(flags.of(&package("x.com/none", "/n", true)).is_empty());
        assert!(flags.of(&package("p", "/w", false)).is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_go_s_words() {
        for (value, expected) in [
            ("x", "missing =<value> in <pattern>=<value>"),
            ("=x", "missing <pattern> in <pattern>=<value>"),
            ("'-a'=x", "parameter may not start with quote character '"),
            ("-a 'b", "unterminated ' string"),
        ] {
            let error = PackageFlags::default().add(value, "/").unwrap_err();
            assert_eq!(error.to_string(), expected, "{value}");
        }
    }
}
