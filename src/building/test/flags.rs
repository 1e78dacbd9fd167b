//! The flags of `test`: those of building, those of the program, and the packages between them.
//!
//! Source of the rules: `cmd/go/internal/test/testflag.go:testFlags`.

mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use super::USAGE;
use super::vetted::Wanted;
use super::wait::Limits;
use crate::building::BuildFlags;
use crate::flags::{First, boolean};
use crate::goenv::GoEnv;
use crate::report::Failure;

pub(super) use values::duration_words;

/// How long a test may take when nobody says.
const TIMEOUT: &str = "10m0s";

/// Flags that the program of a test gets, with `test.` before their names (`passFlagToTest`).
const PASSED: [&str; 29] = [
    "artifacts",
    "bench",
    "benchmem",
    "benchtime",
    "blockprofile",
    "blockprofilerate",
    "count",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "failfast",
    "fullpath",
    "fuzz",
    "fuzzminimizetime",
    "fuzztime",
    "list",
    "memprofile",
    "memprofilerate",
    "mutexprofile",
    "mutexprofilefraction",
    "outputdir",
    "parallel",
    "run",
    "short",
    "shuffle",
    "skip",
    "timeout",
    "trace",
    "v",
];

/// Those of them that ask for the profile of one package.
const PROFILES: [&str; 5] = ["blockprofile", "cpuprofile", "memprofile", "mutexprofile", "trace"];

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
    /// `-fuzz`
    pub(super) fuzzes: bool,
    /// `-coverprofile`
    pub(super) cover_profile: String,
    /// `-outputdir`, absolute
    output_folder: String,
    /// `-vet`
    pub(super) vet: Wanted,
    timeout: String,
    /// The flags of [`PROFILES`] that are set.
    profiles: Vec<&'static str>,
    makes_artifacts: bool,
}

/// What becomes of the output of a program while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Printing {
    /// It is passed on, and not looked at.
    Through,
    /// It is passed on and kept.
    ThroughAndKept,
    /// It is kept until the end.
    Kept,
}

impl TestFlags {
    pub(super) fn parse(go: &GoEnv, words: &[String]) -> Result<Self, Failure> {
        let mut flags = Self::default();
        let mut implied = BTreeMap::new();
        for (name, value) in go.goflags().of(&USAGE)? {
            let value = flags.set(go, name, &value)?;
            if PASSED.contains(&name) {
                implied.insert(name, value);
            }
        }
        let (mut explicit, mut unknown) = (Vec::new(), None);
        // There is a list of packages once one was named, or can't come any more.
        let mut packages: Option<Vec<String>> = None;
        let (mut in_list, mut after_unknown) = (false, false);
        let mut rest = words;
        while let Some(word) = rest.first() {
            let may_be_value = std::mem::take(&mut after_unknown);
            let (first, behind) = match word.trim_start_matches('-') {
                "v=test2json" | "test.v=test2json" if word.starts_with('-') => {
                    (First::Flag("v", "test2json".to_owned()), &rest[1..])
                }
                flag if word.starts_with('-') && is_bad_verbosity(flag) => {
                    let value = flag.split_once('=').map_or("", |(_, value)| value);
                    let quoted = modkeep_module::quote::quote(value);
                    let reason = format!("invalid flag -test.v={value}");
                    return Err(USAGE.refuse(&format!("invalid boolean value {quoted} for -v: {reason}")));
                }
                _ => USAGE.first(rest)?,
            };
            match first {
                First::Help => return Err(Failure::exact(2, USAGE.text())),
                First::End => {
                    explicit.extend_from_slice(rest);
                    break;
                }
                First::Word | First::Bad if !in_list && packages.is_some() => {
                    if !may_be_value {
                        explicit.extend_from_slice(rest);
                        break;
                    }
                    explicit.push(word.clone());
                    rest = &rest[1..];
                    continue;
                }
                First::Word | First::Bad => {
                    in_list = true;
                    packages.get_or_insert_default().push(word.clone());
                    rest = &rest[1..];
                    continue;
                }
                First::Unknown { .. } if matches!(word.as_str(), "-args" | "--args") => {
                    explicit.extend_from_slice(behind);
                    break;
                }
                First::Unknown { has_value, .. } => {
                    packages.get_or_insert_default();
                    unknown.get_or_insert(word);
                    explicit.push(word.clone());
                    after_unknown = !has_value;
                }
                First::Flag(name, value) => {
                    let value = flags.set(go, name, &value)?;
                    if PASSED.contains(&name) {
                        explicit.push(format!("-test.{name}={value}"));
                        implied.remove(name);
                    }
                }
            }
            in_list = false;
            rest = behind;
        }
        if let Some(word) = unknown.filter(|_| flags.only_compiles) {
            return Err(USAGE.refuse(&format!("go: unknown flag {word} cannot be used with -c")));
        }
        flags.packages = packages.unwrap_or_default();
        flags.inject(go, implied, &explicit);
        flags.arguments.append(&mut explicit);
        Ok(flags)
    }

    /// Arguments of the program that nobody wrote on the command line.
    fn inject(&mut self, go: &GoEnv, mut implied: BTreeMap<&'static str, String>, explicit: &[String]) {
        if self.build.json {
            // Marked, so that the events are sure of what is progress.
            self.arguments.push("-test.v=test2json".to_owned());
            implied.remove("v");
        }
        self.arguments.extend(implied.iter().map(|(name, value)| format!("-test.{name}={value}")));
        if self.timeout.is_empty() {
            self.arguments.push(format!("-test.timeout={TIMEOUT}"));
        }
        if (self.profile().is_some() || self.makes_artifacts) && self.output_folder.is_empty() {
            self.arguments.push(format!("-test.outputdir={}", go.absolute(".")));
        }
        let before_end = explicit.iter().take_while(|word| *word != "--");
        let is_help = |word: &String| matches!(word.as_str(), "-h" | "-help" | "--help");
        self.shows_passes |= before_end.into_iter().any(is_help);
    }

    /// Takes a flag; gives its value in go's spelling.
    fn set(&mut self, go: &GoEnv, name: &'static str, value: &str) -> Result<String, Failure> {
        let is_set = value == "true";
        let quoted = || modkeep_module::quote::quote(value);
        let refuse =
            |reason: String| USAGE.refuse(&format!("invalid value {} for flag -{name}: {reason}", quoted()));
        match name {
            "c" => self.only_compiles = is_set,
            "o" => value.clone_into(&mut self.output),
            "exec" => {
                self.wrapper = modkeep_builder::package_flags::split(value)
                    .map_err(|error| refuse(error.to_string()))?;
            }
            "vet" => self.vet = Wanted::parse(value).map_err(|error| refuse(error.to_string()))?,
            "failfast" => self.fails_fast = is_set,
            "artifacts" => self.makes_artifacts = is_set,
            "bench" => self.benchmarks = !value.is_empty(),
            "fuzz" => self.fuzzes = !value.is_empty(),
            "list" => self.shows_passes |= !value.is_empty(),
            "coverprofile" => {
                self.build.cover = true;
                value.clone_into(&mut self.cover_profile);
            }
            "outputdir" => {
                self.output_folder = if value.is_empty() { String::new() } else { go.absolute(value) };
                return Ok(self.output_folder.clone());
            }
            "count" | "parallel" => return values::number(value).map_err(refuse),
            "shuffle" => return values::shuffle(value).map_err(refuse),
            "timeout" => {
                self.timeout = values::time(value).map_err(refuse)?;
                return Ok(self.timeout.clone());
            }
            "v" if value == "test2json" => self.shows_passes = true,
            "v" => {
                self.shows_passes = is_set;
            }
            name if PROFILES.contains(&name) => {
                self.profiles.retain(|other| *other != name);
                self.profiles.extend((!value.is_empty()).then_some(name));
            }
            name if PASSED.contains(&name) => {}
            name => {
                self.build.set(&USAGE, go, name, value)?;
            }
        }
        Ok(value.to_owned())
    }

    /// The flag that asks for the profile of one package, if there is one.
    pub(super) fn profile(&self) -> Option<&'static str> {
        PROFILES.into_iter().find(|name| self.profiles.contains(name))
    }

    /// Whether the program is kept although it is run.
    pub(super) fn keeps_program(&self) -> bool {
        !self.output.is_empty() || self.profiles.iter().any(|name| *name != "trace")
    }

    /// Where the merged profile of coverage goes; empty if nowhere.
    pub(super) fn cover_profile_path(&self, go: &GoEnv) -> String {
        if self.cover_profile.is_empty() || self.only_compiles {
            return String::new();
        }
        let folder =
            if self.output_folder.is_empty() { go.absolute(".") } else { self.output_folder.clone() };
        match self.cover_profile.starts_with('/') {
            true => self.cover_profile.clone(),
            false => modkeep_module::file_path::join(&folder, &self.cover_profile),
        }
    }

    /// What becomes of the output of one of so many programs.
    pub(super) fn printing(&self, programs: usize) -> Printing {
        let is_alone = programs == 1 || self.build.parallel == Some(1);
        if self.packages.is_empty() || self.benchmarks || self.fuzzes {
            Printing::Through
        } else if self.build.json || (self.shows_passes && is_alone) {
            Printing::ThroughAndKept
        } else {
            Printing::Kept
        }
    }

    /// Where a program goes that is kept; empty if none is.
    pub(super) fn target(&self, folder: &str, name: &str) -> String {
        let is_kept = self.only_compiles || self.keeps_program();
        match (self.output.as_str(), is_kept) {
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
        // What these name changes nothing of what is printed.
        const IGNORED: [&str; 2] = ["coverprofile", "outputdir"];
        if self.packages.is_empty() || !self.wrapper.is_empty() {
            return None;
        }
        let mut remembered = Vec::new();
        for argument in &self.arguments {
            let (name, _) = argument.strip_prefix("-test.")?.split_once('=')?;
            if REMEMBERED.contains(&name) {
                remembered.push(argument.clone());
            } else if !IGNORED.contains(&name) {
                return None;
            }
        }
        Some(remembered)
    }

    /// How long a program is waited for that does not end by itself; for ever if its own time has no end.
    pub(super) fn limits(&self) -> Option<Limits> {
        let text = if self.timeout.is_empty() { TIMEOUT } else { &self.timeout };
        let time = values::duration(text)?;
        let delay = (time / 10).max(Duration::from_secs(5));
        let quits_after = time + delay.max(Duration::from_secs(60));
        let ends = !time.is_zero() && !self.benchmarks && !self.fuzzes;
        ends.then_some(Limits { quits_after, delay })
    }
}

/// Whether it is `-v` with a value that is none.
fn is_bad_verbosity(flag: &str) -> bool {
    let value = flag.strip_prefix("test.").unwrap_or(flag).strip_prefix("v=");
    value.is_some_and(|value| boolean(value).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_a_minute_or_a_tenth_more_than_its_own_time() {
        for (timeout, benchmarks, fuzzes, expected) in [
            ("", false, false, Some((660, 60))),
            ("10s", false, false, Some((70, 5))),
            ("1h", false, false, Some((3960, 360))),
            ("0s", false, false, None),
            ("10s", true, false, None),
            ("10s", false, true, None),
        ] {
            let timeout = timeout.to_owned();
            let flags = TestFlags { timeout, benchmarks, fuzzes, ..TestFlags::default() };
            let limits = flags.limits().map(|limits| (limits.quits_after.as_secs(), limits.delay.as_secs()));
            assert_eq!(limits, expected, "{flags:?}");
        }
    }

    #[test]
    fn results_with_a_profile_are_remembered_and_those_of_fuzzing_are_not() {
        let arguments = |words: &[&str]| TestFlags {
            packages: vec![".".to_owned()],
            arguments: words.iter().map(|&word| word.to_owned()).collect(),
            ..TestFlags::default()
        };
        let remembered = |words: &[&str]| arguments(words).remembered_arguments();
        let run = "-test.run=A".to_owned();
        assert_eq!(remembered(&["-test.run=A", "-test.coverprofile=x"]), Some(vec![run]));
        assert_eq!(remembered(&["-test.fuzz=A"]), None);
        assert_eq!(remembered(&["-test.run"]), None);
        assert_eq!(remembered(&["other"]), None);
    }
}
