//! The flags of `test`: those of building, those of the program, and the packages between them.
//!
//! Source of the rules: `cmd/go/internal/test/testflag.go:testFlags`.

use std::time::Duration;

use super::USAGE;
use super::wait::Limits;
use crate::building::BuildFlags;
use crate::goenv::GoEnv;
use crate::report::Failure;

/// How long a test may take when nobody says.
const TIMEOUT: &str = "10m0s";

/// What was given.
#[derive(Debug, Default)]
pub(super) struct TestFlags {
    pub(super) build: BuildFlags,
    /// As they were given; none means the current folder.
    pub(super) packages: Vec<String>,
    /// The arguments of the program.
    pub(super) arguments: Vec<String>,
    /// `-c`
    pub(super) only_compiles: bool,
    /// `-o`
    pub(super) output: String,
    /// `-exec`
    pub(super) wrapper: Vec<String>,
    /// `-failfast`
    pub(super) fails_fast: bool,
    /// Whether what passing tests print is shown.
    pub(super) shows_passes: bool,
    /// `-bench`
    pub(super) benchmarks: bool,
    timeout: String,
}

impl TestFlags {
    pub(super) fn parse(go: &GoEnv, words: &[String]) -> Result<Self, Failure> {
        let mut flags = Self::default();
        let end = words.iter().position(|word| word == "-args" || word == "--args");
        let (words, own) = words.split_at(end.unwrap_or(words.len()));
        let mut rest = USAGE.parse(words, go.goflags(), |name, value| flags.set(go, name, value))?;
        let is_flag = |word: &String| word.starts_with('-') && word.len() > 1;
        let count = rest.iter().position(is_flag).unwrap_or(rest.len());
        let after = rest.split_off(count);
        flags.packages = rest;
        let none = crate::flags::GoFlags::parse("")?;
        let left = USAGE.parse(&after, &none, |name, value| flags.set(go, name, value))?;
        if flags.timeout.is_empty() {
            flags.arguments.insert(0, format!("-test.timeout={TIMEOUT}"));
        }
        flags.arguments.extend(left);
        flags.arguments.extend(own.iter().skip(1).cloned());
        if flags.build.cover {
            return Err(Failure::usage("coverage of tests is not supported")
                .with_hint("the go command has it: go test -cover"));
        }
        if flags.build.json {
            // Marked, so that the events are sure of what is progress.
            flags.arguments.insert(0, "-test.v=test2json".to_owned());
        }
        Ok(flags)
    }

    fn set(&mut self, go: &GoEnv, name: &'static str, value: &str) -> Result<(), Failure> {
        let is_set = value == "true";
        match name {
            "c" => self.only_compiles = is_set,
            "o" => value.clone_into(&mut self.output),
            "exec" => {
                self.wrapper = modkeep_builder::package_flags::split(value).map_err(|error| {
                    USAGE.refuse(&format!("invalid value {value:?} for flag -exec: {error}"))
                })?;
            }
            "vet" => {}
            "bench" | "benchmem" | "benchtime" | "count" | "cpu" | "failfast" | "fullpath" | "list"
            | "parallel" | "run" | "short" | "shuffle" | "skip" | "timeout" => {
                match name {
                    "failfast" => self.fails_fast = is_set,
                    "bench" => self.benchmarks = true,
                    "list" => self.shows_passes = true,
                    "timeout" => value.clone_into(&mut self.timeout),
                    _ => {}
                }
                self.arguments.push(format!("-test.{name}={value}"));
            }
            "v" => {
                self.shows_passes = is_set;
                self.arguments.push(format!("-test.v={value}"));
            }
            name => {
                self.build.set(&USAGE, go, name, value)?;
            }
        }
        Ok(())
    }

    /// Where a program goes that is kept; empty if none is.
    pub(super) fn target(&self, folder: &str, name: &str) -> String {
        match (self.output.as_str(), self.only_compiles) {
            ("/dev/null", _) | ("", false) => String::new(),
            ("", true) => format!("{folder}/{name}"),
            (output, _) => {
                let path =
                    if output.starts_with('/') { output.to_owned() } else { format!("{folder}/{output}") };
                let is_folder =
                    output.ends_with('/') || std::fs::metadata(&path).is_ok_and(|found| found.is_dir());
                if is_folder { format!("{}/{name}", path.trim_end_matches('/')) } else { path }
            }
        }
    }

    /// The arguments that a result depends on; none where it can't be remembered (`tryCacheWithID`).
    pub(super) fn remembered_arguments(&self) -> Option<Vec<String>> {
        const REMEMBERED: [&str; 11] = [
            "benchtime",
            "cpu",
            "list",
            "parallel",
            "run",
            "short",
            "skip",
            "timeout",
            "failfast",
            "v",
            "fullpath",
        ];
        if self.packages.is_empty() || !self.wrapper.is_empty() {
            return None;
        }
        let is_remembered = |argument: &String| {
            let name = argument.strip_prefix("-test.").and_then(|rest| rest.split_once('='));
            name.is_some_and(|(name, _)| REMEMBERED.contains(&name))
        };
        self.arguments.iter().all(is_remembered).then(|| self.arguments.clone())
    }

    /// How long a program is waited for that does not end by itself; for ever if its own time has no end.
    pub(super) fn limits(&self) -> Option<Limits> {
        let text = if self.timeout.is_empty() { TIMEOUT } else { &self.timeout };
        let time = duration(text)?;
        let delay = (time / 10).max(Duration::from_secs(5));
        let quits_after = time + delay.max(Duration::from_secs(60));
        (!time.is_zero() && !self.benchmarks).then_some(Limits { quits_after, delay })
    }
}

/// A duration such as `1h10m0.5s`; nothing for another text, which the program refuses.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = if rest == "0" { 0.0 } else { rest[..digits].parse().ok()? };
        rest = &rest[digits..];
        let (unit, seconds) =
            [("ms", 0.001), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
                .into_iter()
                .find(|(unit, _)| rest.starts_with(unit))
                .or((rest.is_empty() && number == 0.0).then_some(("", 1.0)))?;
        rest = &rest[unit.len()..];
        total += Duration::try_from_secs_f64(number * seconds).ok()?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_a_minute_or_a_tenth_more_than_its_own_time() {
        for (timeout, benchmarks, expected) in [
            ("", false, Some((660, 60))),
            ("10s", false, Some((70, 5))),
            ("1h", false, Some((3960, 360))),
            ("0", false, None),
            ("10s", true, None),
        ] {
            let flags = TestFlags { timeout: timeout.to_owned(), benchmarks, ..TestFlags::default() };
            let limits = flags.limits().map(|limits| (limits.quits_after.as_secs(), limits.delay.as_secs()));
            assert_eq!(limits, expected, "{timeout} {benchmarks}");
        }
    }

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
        ] {
            assert_eq!(duration(text).map(|time| time.as_secs_f64()), expected, "{text}");
        }
    }
}
