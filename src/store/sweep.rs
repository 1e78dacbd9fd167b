//! `modkeep store sweep`: frees the zips that no version names any more, and what killed servers left.

use std::time::{Duration, SystemTime};

use clap::{Arg, ArgMatches, Command};
use modkeep_proxy::{Clock, upkeep};
use modkeep_store::Store;

use crate::config::units;
use crate::report;
use crate::report::Failure;

/// How young a zip is left alone when nobody says: what is being kept now has no name yet.
const AGE: &str = "1h";

pub(super) fn command() -> Command {
    let age = Arg::new("older-than").long("older-than").value_name("TIME").default_value(AGE);
    Command::new("sweep")
        .about(
            "Free the zips that no version names: those of forgotten versions, and what a crash left behind",
        )
        .after_help(
            "May run beside a server. `freed` counts zips, `cleared` what servers that were killed had left in a bucket. A store in which \
             `store check` finds damaged rows is not swept.",
        )
        .arg(age.help("Only what was kept longer ago than this"))
}

pub(super) fn age(matches: &ArgMatches) -> Result<Duration, Failure> {
    let text = matches.get_one::<String>("older-than").expect("there is a default");
    let wrong = || Failure::usage(format!("--older-than: `{text}` is not {}", units::TIME));
    units::time(text).ok_or_else(wrong)
}

pub(super) async fn run(store: &dyn Store, age: Duration) -> Result<(), Failure> {
    let now: SystemTime = Clock::system().now().into();
    let swept = upkeep::sweep(store, now - age).await.map_err(Failure::of)?;
    report::out(&format!("freed {} bytes {}\n", swept.blobs, swept.bytes))?;
    report::out(&format!("cleared {} bytes {}\n", swept.left.files, swept.left.bytes))
}
