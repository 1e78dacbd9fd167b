//! The command line: which verbs there are, and which file a verb's words go to.
//!
//! Exit statuses: 0 when done, 1 for a failure, 2 for words that can't be meant; `tool` and
//! `run` end as their programs do.

use std::ffi::OsString;

use clap::{ArgMatches, Command};

use crate::config::Environment;
use crate::report::Failure;
use crate::{cacheprog, completions, conformance, goverbs, report, serve, store};

/// A verb of our own: its flags and help, and what it does.
struct Verb {
    command: fn() -> Command,
    run: fn(&ArgMatches, &Environment) -> Result<(), Failure>,
}

const VERBS: &[Verb] = &[
    Verb { command: serve::command, run: serve::run },
    Verb { command: store::command, run: store::run },
    Verb { command: cacheprog::command, run: cacheprog::run },
    Verb { command: conformance::command, run: conformance::run },
    Verb { command: completions::command, run: completions::run },
];

/// All of the command line, for help and completions.
pub(crate) fn command() -> Command {
    Command::new("modkeep")
        .about("Keeps an organization's Go modules")
        .disable_version_flag(true)
        .subcommand_required(true)
        .after_help(after_help())
        .subcommands(VERBS.iter().map(|verb| (verb.command)()))
}

fn after_help() -> String {
    let verbs: Vec<_> = goverbs::help::names().collect();
    format!(
        "Verbs of the go command, with its own flags and words (`modkeep help mod edit`): {}",
        verbs.join(", ")
    )
}

/// Does what the words say.
pub(crate) fn run(words: Vec<OsString>, environment: &Environment) -> Result<(), Failure> {
    if let Some(done) = goverbs::run(&words, environment) {
        return done;
    }
    if let Some(text) = goverbs::help::help(&words) {
        return report::out(&text);
    }
    goverbs::refuse(&words)?;
    let program = [OsString::from("modkeep")];
    let matches = match command().try_get_matches_from(program.into_iter().chain(words)) {
        Ok(matches) => matches,
        Err(error) if error.exit_code() == 0 => return report::out(&error.render().to_string()),
        Err(error) => return Err(usage(&error)),
    };
    let (name, matches) = matches.subcommand().expect("clap requires a verb");
    let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == name);
    (verb.expect("clap knows only verbs of the table").run)(matches, environment)
}

fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    Failure::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
