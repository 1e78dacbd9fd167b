//! `modkeep store fork`: checksum databases that were caught with two histories, their proof, and the way on.

use clap::{Arg, Command};
use modkeep_fetch::sumdb::forks;
use modkeep_proxy::Clock;
use modkeep_store::Store;

use crate::report;
use crate::report::Failure;

pub(super) fn command() -> Command {
    let accept = Arg::new("accept").long("accept").value_name("DATABASE+HASH");
    Command::new("fork")
        .about("Show which checksum databases were caught with two histories, with the proof [exit status 1 if any]")
        .after_help(
            "Nothing new is believed of a database that was caught, what was proved before is served on. Look at the proof, and ask \
             who runs the database, before you accept it. The head that is known stays: a database that goes on with the other \
             history is caught again.",
        )
        .arg(accept.help("Show the proof of this one and believe it again; the proof stays in the store"))
}

pub(super) async fn run(store: &dyn Store, accepted: Option<String>) -> Result<(), Failure> {
    let marked = forks::forks(store).await.map_err(Failure::of)?;
    let Some(name) = accepted else {
        for fork in &marked {
            report::out(&shown(fork))?;
        }
        return match marked.len() {
            0 => report::out("no checksum database was caught\n"),
            caught => Err(Failure::of(format!("{caught} caught with two histories"))
                .with_hint("`modkeep store fork --accept DATABASE+HASH` once the proof was looked at")),
        };
    };
    let Some(fork) = marked.iter().find(|fork| fork.database == name) else {
        let names: Vec<_> = marked.iter().map(|fork| fork.database.as_str()).collect();
        let hint = if names.is_empty() { "none is".to_owned() } else { names.join(", ") };
        return Err(Failure::of(format!("`{name}` is not marked")).with_hint(format!("marked: {hint}")));
    };
    report::out(&shown(fork))?;
    forks::accept(store, fork, Clock::system().now().0 / 1000).await.map_err(Failure::of)?;
    report::out(&format!("{} is believed again\n", fork.database))
}

fn shown(fork: &forks::Fork) -> String {
    format!("{} signed two histories:\n{}\n", fork.database, fork.evidence.trim_end())
}
