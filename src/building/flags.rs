//! The flags of building, as they are given.
//!
//! Source of the rules: `cmd/go/internal/work:build.go` (`AddBuildFlags`), `init.go` (`BuildInit`, `instrumentInit`).

use modkeep_builder::build::{BuildMode, Profile, Stamp};
use modkeep_builder::package_flags::{PackageFlags, split};
use modkeep_builder::platform::{has_mode, is_pie_by_default};
use modkeep_builder::tags::Instrument;
use modkeep_builder::target::{self, Target};
use modkeep_store::remote::Mode;

use super::remote;
use crate::flags::{Usage, integer};
use crate::goenv::GoEnv;
use crate::report::Failure;
use crate::session::ModFlags;

/// What was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildFlags {
    pub(crate) forces: bool,
    pub(crate) dry: bool,
    pub(crate) shows: bool,
    pub(crate) names: bool,
    pub(crate) keeps_work: bool,
    pub(crate) json: bool,
    pub(crate) parallel: Option<usize>,
    pub(crate) trimpath: bool,
    pub(crate) instrument: Option<Instrument>,
    pub(crate) cover: bool,
    pub(crate) cover_mode: String,
    pub(crate) cover_packages: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) asmflags: PackageFlags,
    pub(crate) gcflags: PackageFlags,
    pub(crate) ldflags: PackageFlags,
    pub(crate) mode: BuildMode,
    pub(crate) vcs: Stamp,
    pub(crate) profile: Profile,
    pub(crate) wrapper: Vec<String>,
    /// `-debug-actiongraph`: the file for the graph of what was done; empty for none.
    pub(crate) graph_file: String,
    /// `-targets`: more than one platform, or another than that of the environment.
    pub(crate) targets: Vec<Target>,
    pub(crate) of_modules: ModFlags,
    /// `-remote`: where results of other machines are; nothing asks the environment, an empty text nobody.
    pub(crate) remote: Option<String>,
    /// `-remote-mode`
    pub(crate) remote_mode: Option<Mode>,
    /// `-cache-verify`
    pub(crate) verified_part: f64,
    /// `-debug-cache`
    pub(crate) tells_reasons: bool,
    /// Nothing is made: `explain -rebuild`.
    pub(crate) only_tells_reasons: bool,
}

impl BuildFlags {
    /// Takes a flag; false if it is none of building's.
    pub(crate) fn set(
        &mut self,
        usage: &Usage,
        go: &GoEnv,
        name: &str,
        value: &str,
    ) -> Result<bool, Failure> {
        let is_set = value == "true";
        let refuse = |reason: &dyn std::fmt::Display| {
            let quoted = modkeep_module::quote::quote(value);
            Err(usage.refuse(&format!("invalid value {quoted} for flag -{name}: {reason}")))
        };
        match name {
            "a" => self.forces = is_set,
            "n" => self.dry = is_set,
            "x" => self.shows = is_set,
            "v" => self.names = is_set,
            "work" => self.keeps_work = is_set,
            "json" => self.json = is_set,
            "trimpath" => self.trimpath = is_set,
            "race" => return self.instrument(Instrument::Race, is_set),
            "msan" => return self.instrument(Instrument::Memory, is_set),
            "asan" => return self.instrument(Instrument::Address, is_set),
            "cover" => self.cover = is_set,
            "covermode" => {
                if !matches!(value, "set" | "count" | "atomic") {
                    return refuse(&"valid modes are \"set\", \"count\", or \"atomic\"");
                }
                self.cover = true;
                value.clone_into(&mut self.cover_mode);
            }
            "coverpkg" => {
                self.cover = true;
                let patterns = value.split(',').filter(|_| !value.is_empty());
                self.cover_packages = patterns.map(str::to_owned).collect();
            }
            "p" => match integer(value) {
                Ok(number) if number <= 0 => {
                    return Err(Failure::exact(1, format!("go: -p must be a positive integer: {number}")));
                }
                Ok(number) => self.parallel = usize::try_from(number).ok(),
                Err(error) => return refuse(&error),
            },
            "tags" => match tags(value) {
                Ok(tags) => self.tags = tags,
                Err(error) => return refuse(&error),
            },
            "asmflags" | "gcflags" | "ldflags" => {
                let list = match name {
                    "asmflags" => &mut self.asmflags,
                    "gcflags" => &mut self.gcflags,
                    _ => &mut self.ldflags,
                };
                if let Err(error) = list.add(value, go.folder()) {
                    return refuse(&error);
                }
            }
            "buildmode" => {
                self.mode = match value {
                    "default" => BuildMode::Default,
                    "exe" => BuildMode::Executable,
                    "pie" => BuildMode::Pie,
                    "archive" => BuildMode::Archive,
                    "c-archive" => BuildMode::Lacking("c-archive"),
                    "c-shared" => BuildMode::Lacking("c-shared"),
                    "shared" => BuildMode::Lacking("shared"),
                    "plugin" => BuildMode::Lacking("plugin"),
                    _ => return Err(Failure::exact(1, format!("buildmode={value} not supported"))),
                }
            }
            "buildvcs" => {
                self.vcs = match value {
                    "auto" | "" => Stamp::Auto,
                    "1" | "t" | "T" | "TRUE" | "true" | "True" => Stamp::Always,
                    "0" | "f" | "F" | "FALSE" | "false" | "False" => Stamp::Never,
                    _ => {
                        let quoted = modkeep_module::quote::quote(value);
                        let reason = "value is neither 'auto' nor a valid bool";
                        return Err(
                            usage.refuse(&format!("invalid boolean value {quoted} for -buildvcs: {reason}"))
                        );
                    }
                }
            }
            "pgo" => {
                self.profile = match value {
                    "auto" | "" => Profile::Auto,
                    "off" => Profile::Off,
                    file => Profile::File(go.absolute(file)),
                }
            }
            "toolexec" => {
                self.wrapper = match split(value) {
                    Ok(words) => words,
                    Err(error) => return refuse(&error),
                }
            }
            "targets" => {
                self.targets = target::parse_list(value).map_err(|error| usage.refuse(&error.to_string()))?;
            }
            "remote" => self.remote = Some(value.to_owned()),
            "remote-mode" => match remote::mode(value) {
                Some(mode) => self.remote_mode = Some(mode),
                None => return refuse(&remote::MODES),
            },
            "cache-verify" => match part(value) {
                Some(part) => self.verified_part = part,
                None => return refuse(&"it is a part such as 0.1, or 10%"),
            },
            "debug-cache" => self.tells_reasons = is_set,
            "mod" | "modfile" | "modcacherw" | "overlay" => return self.of_modules.set(name, value),
            "compiler" if value == "gc" => {}
            "compiler" if value == "gccgo" => return Err(not_here("-compiler=gccgo")),
            "compiler" => {
                return refuse(&format!("unknown compiler {}", modkeep_module::quote::quote(value)));
            }
            "linkshared" if is_set => return Err(not_here("-linkshared")),
            "debug-actiongraph" if value.ends_with(".go") => {
                return Err(Failure::go(format!("refusing to write action graph to {value}")));
            }
            "debug-actiongraph" => self.graph_file = value.to_owned(),
            "pkgdir" | "installsuffix" if !value.is_empty() => {
                return Err(not_here(&format!("-{name}")));
            }
            "linkshared" | "gccgoflags" | "pkgdir" | "installsuffix" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Fails for a build mode that doesn't go with the targets (`buildModeInit`).
    pub(crate) fn check_mode(&self, targets: &[Target]) -> Result<(), Failure> {
        let is_race = self.instrument == Some(Instrument::Race);
        let pie = targets.iter().filter(|_| is_race && self.mode == BuildMode::Pie);
        match pie.into_iter().find(|target| !is_pie_by_default(target, true)) {
            Some(Target { os, arch }) => Err(Failure::exact(
                1,
                format!("-buildmode=pie not supported when -race is enabled on {os}/{arch}"),
            )),
            None => self.check_platforms(targets),
        }
    }

    fn check_platforms(&self, targets: &[Target]) -> Result<(), Failure> {
        let mode = match self.mode {
            BuildMode::Pie => "pie",
            BuildMode::Lacking(mode) => mode,
            _ => return Ok(()),
        };
        match targets.iter().find(|target| !has_mode(target, mode)) {
            Some(Target { os, arch }) => {
                Err(Failure::exact(1, format!("-buildmode={mode} not supported on {os}/{arch}")))
            }
            None => Ok(()),
        }
    }

    fn instrument(&mut self, wanted: Instrument, is_set: bool) -> Result<bool, Failure> {
        let word = |instrument: Instrument| match instrument {
            Instrument::Race => "-race",
            Instrument::Memory => "-msan",
            Instrument::Address => "-asan",
        };
        match self.instrument {
            Some(other) if other != wanted && is_set => {
                let order = ["-race", "-msan", "-asan"];
                let mut words = [word(other), word(wanted)];
                words.sort_by_key(|word| order.iter().position(|other| other == word));
                let text = format!("may not use {} and {} simultaneously", words[0], words[1]);
                return Err(Failure::exact(2, format!("go: {text}")));
            }
            Some(other) if other == wanted && !is_set => self.instrument = None,
            _ if is_set => self.instrument = Some(wanted),
            _ => {}
        }
        Ok(true)
    }
}

/// A part of 1: `0.25` or `25%`.
fn part(text: &str) -> Option<f64> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let part = number.parse::<f64>().ok()? / whole;
    (0.0..=1.0).contains(&part).then_some(part)
}

fn not_here(flag: &str) -> Failure {
    Failure::usage(format!("{flag} is not supported")).with_hint("the go command has it")
}

/// Words between commas, or between blanks as in old times (`tagsFlag`).
fn tags(value: &str) -> Result<Vec<String>, String> {
    if value.contains([' ', '\'']) {
        let tags = split(value).map_err(|error| error.to_string())?;
        return Ok(tags);
    }
    Ok(value.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_number_up_to_one_or_percent() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("0.25", Some(0.25)),
            ("1", Some(1.0)),
            ("25%", Some(0.25)),
            ("100%", Some(1.0)),
            ("2", None),
            ("-1", None),
            ("NaN", None),
            ("", None),
            ("%", None),
        ] {
            assert_eq!(part(text), expected, "{text}");
        }
    }
}
