//! Go's rules for the flags of go verbs: `-json`, `--json`, `-mod=mod`, `-mod mod`, all before the first other word.
//!
//! A flag acts where it stands, as in Go: a value that its verb refuses ends the program before later words are looked
//! at. GOFLAGS come first and only as far as the verb has them.
//! Sources of the rules: `flag/flag.go:parseOne`, `cmd/go/internal/base/goflags.go:SetFromGOFLAGS`.

mod goflags;

use crate::report::Failure;

pub(crate) use goflags::GoFlags;

/// The flags that all verbs about modules share, and those of one verb.
macro_rules! module_flags {
    ($($own:expr),* $(,)?) => {
        &[
            ("modcacherw", crate::flags::Kind::Bool),
            ("modfile", crate::flags::Kind::Text),
            ("overlay", crate::flags::Kind::Text),
            $($own),*
        ]
    };
}
pub(crate) use module_flags;

/// The flags of building that go's verbs share, also those that build nothing, and those of one verb.
macro_rules! go_build_flags {
    ($($own:expr),* $(,)?) => {
        crate::flags::module_flags![
            ("a", crate::flags::Kind::Bool),
            ("asan", crate::flags::Kind::Bool),
            ("asmflags", crate::flags::Kind::Text),
            ("buildmode", crate::flags::Kind::Text),
            ("buildvcs", crate::flags::Kind::Optional),
            ("compiler", crate::flags::Kind::Text),
            ("gccgoflags", crate::flags::Kind::Text),
            ("gcflags", crate::flags::Kind::Text),
            ("installsuffix", crate::flags::Kind::Text),
            ("ldflags", crate::flags::Kind::Text),
            ("linkshared", crate::flags::Kind::Bool),
            ("msan", crate::flags::Kind::Bool),
            ("n", crate::flags::Kind::Bool),
            ("p", crate::flags::Kind::Text),
            ("pgo", crate::flags::Kind::Text),
            ("pkgdir", crate::flags::Kind::Text),
            ("race", crate::flags::Kind::Bool),
            ("tags", crate::flags::Kind::Text),
            ("toolexec", crate::flags::Kind::Text),
            ("trimpath", crate::flags::Kind::Bool),
            ("v", crate::flags::Kind::Bool),
            ("work", crate::flags::Kind::Bool),
            ("x", crate::flags::Kind::Bool),
            $($own),*
        ]
    };
}
pub(crate) use go_build_flags;

/// How a flag takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None, or `=true` and `=false`.
    Bool,
    /// One, in the same word or the next.
    Text,
    /// None, or any text behind `=`; comes as `true` without one.
    Optional,
}

/// What the first of some words is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum First<'w> {
    /// A flag and its value.
    Flag(&'static str, String),
    /// A flag that the verb doesn't have.
    Unknown { name: &'w str, has_value: bool },
    /// A word that is no flag.
    Word,
    /// `---x`, `-=x`.
    Bad,
    /// `--`, or no word.
    End,
    /// `-h`, `-help`.
    Help,
}

/// The flags of one verb.
pub(crate) struct Usage {
    /// The verb's words, such as `mod edit`.
    pub(crate) name: &'static str,
    /// How it is used, after `usage: `.
    pub(crate) line: &'static str,
    /// Its flags, those that all verbs of its kind share included.
    pub(crate) flags: &'static [(&'static str, Kind)],
}

/// Why a `-C` is refused that is found where flags are parsed.
const C_STANDS_FIRST: &str = "-C flag must be first flag on command line";

impl Usage {
    /// Gives the flags to `set` one by one, those of GOFLAGS first, and returns the words behind them. A flag without
    /// a value comes as `true`, every Bool as `true` or `false`.
    pub(crate) fn parse(
        &self,
        words: &[String],
        goflags: &GoFlags,
        mut set: impl FnMut(&'static str, &str) -> Result<(), Failure>,
    ) -> Result<Vec<String>, Failure> {
        for (name, value) in goflags.of(self)? {
            set(name, &value).map_err(|failure| failure.of_goflags(name))?;
        }
        let mut rest = words;
        while !rest.is_empty() {
            let (first, behind) = self.first(rest)?;
            match first {
                First::Flag(name, value) => set(name, &value)?,
                First::Word => break,
                First::End => {
                    rest = behind;
                    break;
                }
                First::Bad => return Err(self.refuse(&format!("bad flag syntax: {}", rest[0]))),
                First::Help => return Err(Failure::exact(2, self.text())),
                First::Unknown { name, .. } => {
                    return Err(self.refuse(&format!("flag provided but not defined: -{name}")));
                }
            }
            rest = behind;
        }
        Ok(rest.to_vec())
    }

    /// What the first of some words is, and the words behind it and its value (`cmd/go/internal/cmdflag:ParseOne`).
    pub(crate) fn first<'w>(&self, words: &'w [String]) -> Result<(First<'w>, &'w [String]), Failure> {
        let Some((word, rest)) = words.split_first() else {
            return Ok((First::End, words));
        };
        if word.len() < 2 || !word.starts_with('-') {
            return Ok((First::Word, words));
        }
        if word == "--" {
            return Ok((First::End, rest));
        }
        let text = word.strip_prefix("--").unwrap_or(&word[1..]);
        if text.is_empty() || text.starts_with(['-', '=']) {
            return Ok((First::Bad, rest));
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some((known, kind)) = self.flag(name) else {
            let is_help = matches!(name, "help" | "h");
            let unknown = First::Unknown { name, has_value: value.is_some() };
            return Ok((if is_help { First::Help } else { unknown }, rest));
        };
        let (value, rest) = match (kind, value, rest) {
            (Kind::Bool, value, _) => {
                let value = value.unwrap_or("true");
                let is_set = boolean(value).ok_or_else(|| {
                    self.refuse(&format!("invalid boolean value {} for -{name}: parse error", quote(value)))
                })?;
                (is_set.to_string(), rest)
            }
            (Kind::Optional, value, _) => (value.unwrap_or("true").to_owned(), rest),
            (Kind::Text, Some(value), _) => (value.to_owned(), rest),
            (Kind::Text, None, [value, rest @ ..]) => (value.clone(), rest),
            (Kind::Text, None, []) => {
                return Err(self.refuse(&format!("flag needs an argument: -{name}")));
            }
        };
        if kind == Kind::Text {
            self.check_place(known, &value)?;
        }
        Ok((First::Flag(known, value), rest))
    }

    fn flag(&self, name: &str) -> Option<(&'static str, Kind)> {
        let shared = [("C", Kind::Text)];
        // The flags of test programs have two names.
        let name = if self.name == "test" { name.strip_prefix("test.").unwrap_or(name) } else { name };
        self.flags.iter().chain(&shared).find(|(other, _)| *other == name).copied()
    }

    /// `-C` is taken off the command line before flags are parsed; one that is still there stands too late.
    fn check_place(&self, name: &str, value: &str) -> Result<(), Failure> {
        if name != "C" {
            return Ok(());
        }
        Err(self.refuse(&format!("invalid value {} for flag -C: {C_STANDS_FIRST}", quote(value))))
    }

    /// The words can't be meant: what is wrong, and how the verb is used.
    pub(crate) fn refuse(&self, problem: &str) -> Failure {
        Failure::exact(2, format!("{problem}\n{}", self.text()))
    }

    /// How the verb is used, and where more is said.
    pub(crate) fn text(&self) -> String {
        let more = if self.name == "test" { " and 'go help testflag'" } else { "" };
        format!("usage: {}\nRun 'go help {}'{more} for details.", self.line, self.name)
    }
}

/// As `strconv.ParseBool`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn quote(text: &str) -> String {
    modkeep_module::quote::quote(text)
}

/// A whole number as Go's flags take it: with a sign, a prefix of its base, underscores (`strconv.ParseInt` of base 0).
pub(crate) fn integer(text: &str) -> Result<i64, NumberError> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.to_ascii_lowercase();
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)];
    let prefixed = bases.into_iter().find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, base)));
    let (rest, base) = prefixed.unwrap_or((&digits, 10));
    if rest.is_empty() && digits != "0" {
        return Err(NumberError::Syntax);
    }
    // An underscore stands behind a digit or the prefix, and before a digit.
    let mut may_separate = prefixed.is_some();
    let mut number: i128 = 0;
    for letter in rest.chars() {
        if letter == '_' && may_separate {
            may_separate = false;
            continue;
        }
        let digit = letter.to_digit(base).ok_or(NumberError::Syntax)?;
        number = number * i128::from(base) + i128::from(digit);
        if number > i128::from(u64::MAX) {
            return Err(NumberError::Range);
        }
        may_separate = true;
    }
    if !may_separate && !rest.is_empty() {
        return Err(NumberError::Syntax);
    }
    i64::try_from(if is_negative { -number } else { number }).map_err(|_| NumberError::Range)
}

/// Why a text is no whole number, in the words of Go's package `flag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    #[error("parse error")]
    Syntax,
    #[error("value out of range")]
    Range,
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage {
        name: "mod try",
        line: "go mod try [-json]",
        flags: &[("json", Kind::Bool), ("mod", Kind::Text)],
    };

    fn check(goflags: &str, words: &[&str], expected: Result<&str, &str>) {
        let goflags = GoFlags::parse(goflags).unwrap();
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut seen = Vec::new();
        let rest = USAGE.parse(&words, &goflags, |name, value| {
            seen.push(format!("{name}={value}"));
            Ok(())
        });
        let outcome = rest.map(|rest| {
            seen.push("|".to_owned());
            seen.extend(rest);
            seen.join(" ")
        });
        let text = outcome.map_err(|failure| {
            assert_eq!(failure.status, 2);
            failure.to_string().lines().next().unwrap_or_default().to_owned()
        });
        assert_eq!(text.as_deref().map_err(String::as_str), expected, "{words:?}");
    }

    #[test]
    fn numbers_are_those_of_go() {
        const SYNTAX: Result<i64, NumberError> = Err(NumberError::Syntax);
        const RANGE: Result<i64, NumberError> = Err(NumberError::Range);
        for (text, expected) in [
            ("0", Ok(0)),
            ("-7", Ok(-7)),
            ("+7", Ok(7)),
            ("010", Ok(8)),
            ("0x1F", Ok(31)),
            ("0b1_0", Ok(2)),
            ("0o_7", Ok(7)),
            ("1_000", Ok(1000)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", RANGE),
            ("08", SYNTAX),
            ("0x", SYNTAX),
            ("1__0", SYNTAX),
            ("_1", SYNTAX),
            ("1_", SYNTAX),
            ("99999999999999999999x", RANGE),
            ("1.5", SYNTAX),
            ("-", SYNTAX),
            ("", SYNTAX),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn flags_stand_before_the_first_other_word() {
        check("", &["-json", "--mod=mod", "a", "-x"], Ok("json=true mod=mod | a -x"));
        check("", &["-mod", "-json", "--", "-x"], Ok("mod=-json | -x"));
        check("", &["-json=F", "-", "-x"], Ok("json=false | - -x"));
        check("", &["-mod="], Ok("mod= |"));
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        check("", &["-json=x"], Err("invalid boolean value \"x\" for -json: parse error"));
        check("", &["-mod"], Err("flag needs an argument: -mod"));
        check("", &["--x=1"], Err("flag provided but not defined: -x"));
        check("", &["---x"], Err("bad flag syntax: ---x"));
        check("", &["-=x"], Err("bad flag syntax: -=x"));
        check("", &["-h"], Err("usage: go mod try [-json]"));
        check(
            "",
            &["-json", "-C", "d"],
            Err("invalid value \"d\" for flag -C: -C flag must be first flag on command line"),
        );
    }

    #[test]
    fn goflags_come_first_and_only_where_the_verb_has_them() {
        check(
            "-mod=vendor -ldflags=-w '-tags=a b' --json",
            &["-mod=mod"],
            Ok("mod=vendor json=true mod=mod |"),
        );
        check("-mod", &[], Err("go: flag needs an argument: -mod (from $GOFLAGS)"));
        check(
            "-json=x",
            &[],
            Err("go: invalid boolean value \"x\" for flag -json (from $GOFLAGS): parse error"),
        );
    }
}
