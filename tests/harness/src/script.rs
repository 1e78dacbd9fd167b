//! Go's scripts run against any program: `go` is ours for the verbs it has and the real go command for all others.
//!
//! A script is a txtar file of cmd/go's testdata: commands in its comment, files below. The language is
//! `cmd/internal/script`; commands and conditions are those that the scripts about modules use. The scripts are read
//! from GOROOT when they run. Nothing is asked of the program but to be a go command.

mod commands;
mod compare;
mod conditions;
mod line;
mod process;
mod stage;
mod state;

pub use stage::{Outcome, Stage, Tally};

/// How a command ends that didn't do as it should, or ends the script.
enum End {
    /// Not as the script says.
    Failed(String),
    /// The words on stderr are others; counted apart from wrong answers.
    OtherWords(String),
    /// The script wants no more.
    Stopped,
    /// The script doesn't apply here.
    Skipped(String),
}

impl End {
    fn io(subject: &str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Failed(format!("{subject}: {error}"))
    }
}
