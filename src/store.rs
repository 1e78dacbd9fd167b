//! `modkeep store …`: looking after what is kept, beside a running server or without one.
//!
//! The words are read whole before the store is opened.

mod forget;
mod fork;
mod health;
mod sweep;
mod synthesize;

use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use modkeep_store::Store;

use crate::config::setting::{STORE, Setting};
use crate::config::{Environment, Layers, places};
use crate::home;
use crate::report::Failure;
use forget::Target;

/// The verbs and their flags.
pub(crate) fn command() -> Command {
    let verbs = [
        health::check(),
        health::scrub(),
        health::stats(),
        forget::command(),
        sweep::command(),
        fork::command(),
        synthesize::command(),
    ];
    Command::new("store")
        .about("Look after what is kept")
        .subcommand_required(true)
        .subcommands(verbs.map(|verb| verb.args(STORE.iter().map(Setting::argument))))
}

/// What is to be done.
enum Task {
    Check,
    Scrub,
    Stats,
    Forget(Target),
    Sweep(Duration),
    Fork(Option<fork::Verdict>),
}

impl Task {
    fn of(verb: &str, matches: &ArgMatches) -> Result<Self, Failure> {
        Ok(match verb {
            "check" => Self::Check,
            "scrub" => Self::Scrub,
            "stats" => Self::Stats,
            "forget" => Self::Forget(Target::of(matches)?),
            "sweep" => Self::Sweep(sweep::age(matches)?),
            _ => Self::Fork(fork::Verdict::of(matches)),
        })
    }

    async fn run(self, store: Arc<dyn Store>) -> Result<(), Failure> {
        match self {
            Self::Check => health::run_check(&*store).await,
            Self::Scrub => health::run_scrub(&*store).await,
            Self::Stats => health::run_stats(&*store).await,
            Self::Forget(target) => forget::run(store, target).await,
            Self::Sweep(age) => sweep::run(&*store, age).await,
            Self::Fork(verdict) => fork::run(&*store, verdict).await,
        }
    }
}

/// Does what the verb says.
pub(crate) fn run(matches: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    let (verb, matches) = matches.subcommand().expect("clap requires a verb");
    let layers = Layers::gather(STORE, matches, environment)?;
    let place = places::store(&layers, environment)?;
    if verb == "synthesize" {
        return synthesize::run(&place, matches);
    }
    let task = Task::of(verb, matches)?;
    runtime()?.block_on(async { task.run(home::open_existing(place).await?).await })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::of(format!("starting: {error}")))
}
