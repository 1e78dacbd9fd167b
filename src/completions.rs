//! `modkeep completions SHELL`: a script that completes verbs and flags.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::config::Environment;
use crate::report::Failure;
use crate::{cli, goverbs, report};

/// The verb and its flags.
pub(crate) fn command() -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell));
    Command::new("completions").about("Print a completion script for a shell").arg(shell)
}

/// Prints the script.
pub(crate) fn run(matches: &ArgMatches, _: &Environment) -> Result<(), Failure> {
    let shell = *matches.get_one::<Shell>("shell").expect("clap requires a shell");
    let mut script = Vec::new();
    let mut all = cli::command().subcommands(goverbs::help::commands());
    clap_complete::generate(shell, &mut all, "modkeep", &mut script);
    report::out(&String::from_utf8_lossy(&script))
}
