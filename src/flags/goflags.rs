//! GOFLAGS: flags that a verb takes if it has them.

use super::{C_STANDS_FIRST, Kind, Usage, boolean, quote};
use crate::report::Failure;

/// Every flag that some verb of the go command has; GOFLAGS may name no other.
/// (`base/goflags.go:InitGOFLAGS` finds them in the flag sets of the verbs.)
const KNOWN: &[&str] = &[
    "C",
    "a",
    "artifacts",
    "asan",
    "asmflags",
    "bench",
    "benchmem",
    "benchtime",
    "blockprofile",
    "blockprofilerate",
    "buildmode",
    "buildvcs",
    "c",
    "cache",
    "changed",
    "compat",
    "compiled",
    "compiler",
    "count",
    "cover",
    "covermode",
    "coverpkg",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "d",
    "debug-actiongraph",
    "debug-runtime-trace",
    "debug-trace",
    "deps",
    "diff",
    "dropexclude",
    "dropgodebug",
    "dropignore",
    "dropreplace",
    "droprequire",
    "dropretract",
    "droptool",
    "dropuse",
    "e",
    "exclude",
    "exec",
    "export",
    "f",
    "failfast",
    "find",
    "fix",
    "fixtool",
    "fmt",
    "fullpath",
    "fuzz",
    "fuzzcache",
    "fuzzminimizetime",
    "fuzztime",
    "gccgoflags",
    "gcflags",
    "go",
    "godebug",
    "i",
    "ignore",
    "insecure",
    "installsuffix",
    "json",
    "ldflags",
    "linkshared",
    "list",
    "m",
    "memprofile",
    "memprofilerate",
    "mod",
    "modcache",
    "modcacherw",
    "modfile",
    "module",
    "msan",
    "mutexprofile",
    "mutexprofilefraction",
    "n",
    "o",
    "outputdir",
    "overlay",
    "p",
    "parallel",
    "pgo",
    "pkgdir",
    "print",
    "r",
    "race",
    "replace",
    "require",
    "retract",
    "retracted",
    "reuse",
    "run",
    "short",
    "shuffle",
    "skip",
    "t",
    "tags",
    "test",
    "testcache",
    "timeout",
    "tool",
    "toolchain",
    "toolexec",
    "trace",
    "trimpath",
    "u",
    "use",
    "v",
    "vcs",
    "vendor",
    "versions",
    "vet",
    "vettool",
    "w",
    "work",
    "x",
];

/// The words of GOFLAGS, each a flag that some verb has.
#[derive(Clone, Debug, Default)]
pub(crate) struct GoFlags(Vec<String>);

impl GoFlags {
    /// Takes the variable's value apart.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Self::parse_with(text, &[])
    }

    /// The same where the verb has more flags than are known.
    pub(crate) fn parse_with(text: &str, more: &[&str]) -> Result<Self, Failure> {
        let refuse = |problem: String| Failure::go(format!("parsing $GOFLAGS: {problem}"));
        let words = split(text).map_err(refuse)?;
        for word in &words {
            let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).unwrap_or_default();
            if name.is_empty() || name.starts_with(['-', '=']) {
                return Err(refuse(format!("non-flag {}", quote(word))));
            }
            let name = name.split('=').next().unwrap_or(name);
            // Flags of test programs have that name, too.
            if !KNOWN.contains(&name.strip_prefix("test.").unwrap_or(name)) && !more.contains(&name) {
                return Err(refuse(format!("unknown flag -{name}")));
            }
        }
        Ok(Self(words))
    }

    /// The names of all and the values behind them.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|word| match single_dash(word)[1..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&single_dash(word)[1..], None),
        })
    }

    /// Those that the verb has, and their values.
    pub(crate) fn of(&self, usage: &Usage) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut found = Vec::new();
        for (name, value) in self.words() {
            let dashed = format!("-{name}");
            let Some((name, kind)) = usage.flag(name) else { continue };
            let value = match (kind, value) {
                (Kind::Bool, value) => {
                    let value = value.unwrap_or("true");
                    let is_set = boolean(value).ok_or_else(|| {
                        usage.refuse(&format!(
                            "go: invalid boolean value {} for flag {dashed} (from $GOFLAGS): parse error",
                            quote(value)
                        ))
                    })?;
                    is_set.to_string()
                }
                (Kind::Optional, value) => value.unwrap_or("true").to_owned(),
                (Kind::Text, Some(value)) if name == "C" => {
                    let value = quote(value);
                    return Err(usage.refuse(&format!(
                        "go: invalid value {value} for flag {dashed} (from $GOFLAGS): {C_STANDS_FIRST}"
                    )));
                }
                (Kind::Text, Some(value)) => value.to_owned(),
                (Kind::Text, None) => {
                    return Err(
                        usage.refuse(&format!("go: flag needs an argument: {dashed} (from $GOFLAGS)"))
                    );
                }
            };
            found.push((name, value));
        }
        Ok(found)
    }
}

fn single_dash(word: &str) -> &str {
    if word.starts_with("--") { &word[1..] } else { word }
}

/// Words at white space; one that begins with a quote ends at the next such quote (`cmd/internal/quoted.Split`).
fn split(text: &str) -> Result<Vec<String>, String> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (word, behind) = if matches!(first, '"' | '\'') {
            let (word, behind) =
                rest[1..].split_once(first).ok_or_else(|| format!("unterminated {first} string"))?;
            (word, behind)
        } else {
            rest.split_at(rest.find(is_space).unwrap_or(rest.len()))
        };
        words.push(word.to_owned());
        rest = behind.trim_start_matches(is_space);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_flags_are_refused_in_gos_words() {
        for (text, expected) in [
            ("-x 'a", "go: parsing $GOFLAGS: unterminated ' string"),
            ("-x mod", "go: parsing $GOFLAGS: non-flag \"mod\""),
            ("--", "go: parsing $GOFLAGS: non-flag \"--\""),
            ("---x", "go: parsing $GOFLAGS: non-flag \"---x\""),
            ("-nope=1", "go: parsing $GOFLAGS: unknown flag -nope"),
        ] {
            assert_eq!(GoFlags::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
