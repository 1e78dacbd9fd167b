//! `modkeep version`: the Go release that modkeep acts as, in go's own line; `-modkeep` for our own.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::Environment;
use crate::report::Failure;
use crate::{release, report};

/// The verb and its flags.
pub(crate) fn command() -> Command {
    let own = Arg::new("modkeep").long("modkeep").action(ArgAction::SetTrue);
    Command::new("version")
        .about("Print the Go release that modkeep acts as")
        .arg(own.help("Print the version of modkeep itself; -modkeep works as well"))
}

/// Go's flags have one dash; where the verb is `version` ours may have one too.
pub(crate) fn with_go_flags(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.first().is_some_and(|verb| verb == "version") {
        for word in words.iter_mut().filter(|word| *word == "-modkeep") {
            *word = OsString::from("--modkeep");
        }
    }
    words
}

/// Prints one line.
pub(crate) fn run(matches: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    if matches.get_flag("modkeep") {
        return report::out(&format!("modkeep version {}\n", env!("CARGO_PKG_VERSION")));
    }
    let release = release::selected(environment)?;
    report::out(&format!("go version go{release} {}/{}\n", goos(), goarch()))
}

/// This system in Go's words.
pub(crate) fn goos() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// This processor in Go's words.
pub(crate) fn goarch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
