//! The door of modkeep: one file a verb. It parses, calls a room and prints.

mod building;
mod cacheprog;
mod cli;
mod completions;
mod config;
mod conformance;
mod difference;
mod envcmd;
mod explain;
mod flags;
mod get;
mod goenv;
mod gojson;
mod goverbs;
mod home;
mod list;
mod locked;
mod logs;
mod modcmd;
mod release;
mod report;
mod serve;
mod session;
mod store;
mod template;
mod version;
mod workcmd;

use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = config::Environment::of_process();
    let words = std::env::args_os().skip(1).collect();
    match cli::run(words, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::failure(&failure);
            ExitCode::from(failure.status)
        }
    }
}
