//! `modkeep store fork`: checksum databases that were caught with two histories, their proof, and the ways on.

use clap::{Arg, ArgMatches, Command};
use modkeep_fetch::sumdb::forks;
use modkeep_proxy::Clock;
use modkeep_store::Store;

use crate::report;
use crate::report::Failure;

pub(super) fn command() -> Command {
    let name = |flag: &'static str| Arg::new(flag).long(flag).value_name("DATABASE+HASH");
    Command::new("fork")
        .about("Show which checksum databases were caught with two histories, with the proof [exit status 1 if any]")
        .after_help(
            "Nothing new is believed of a database that was caught, what was proved before is served on. Look at the proof, and ask \
             who runs the database. Then accept it, and the history that is known stays: a database that goes on with the other one \
             is caught again. Or adopt the other history: all that was proved by the dropped one is asked for anew, but files that are \
             kept stay as they are; `modkeep store forget --files` those you doubt. The proof stays in the store.",
        )
        .arg(name("accept").help("Show the proof of this one and believe it again, as far as it goes on with the history that is known"))
        .arg(
            name("adopt")
                .conflicts_with("accept")
                .help("Show the proof of this one, drop the history that is known, and believe the other one"),
        )
}

/// What becomes of a database that was caught.
pub(super) enum Verdict {
    /// The history that is known goes on.
    Accept(String),
    /// The other one does.
    Adopt(String),
}

impl Verdict {
    /// As the flags say; none where the marks are only to be shown.
    pub(super) fn of(matches: &ArgMatches) -> Option<Self> {
        let named = |flag: &str| matches.get_one::<String>(flag).cloned();
        named("accept").map(Self::Accept).or_else(|| named("adopt").map(Self::Adopt))
    }
}

pub(super) async fn run(store: &dyn Store, verdict: Option<Verdict>) -> Result<(), Failure> {
    let marked = forks::forks(store).await.map_err(Failure::of)?;
    let Some(verdict) = verdict else {
        for fork in &marked {
            report::out(&shown(fork))?;
        }
        return match marked.len() {
            0 => report::out("no checksum database was caught\n"),
            caught => Err(Failure::of(format!("{caught} caught with two histories"))
                .with_hint("`modkeep store fork --accept DATABASE+HASH` once the proof was looked at; `--adopt` for the other history")),
        };
    };
    let (Verdict::Accept(name) | Verdict::Adopt(name)) = &verdict;
    let Some(fork) = marked.iter().find(|fork| fork.database == *name) else {
        let names: Vec<_> = marked.iter().map(|fork| fork.database.as_str()).collect();
        let hint = if names.is_empty() { "none is".to_owned() } else { names.join(", ") };
        return Err(Failure::of(format!("`{name}` is not marked")).with_hint(format!("marked: {hint}")));
    };
    report::out(&shown(fork))?;
    let now = Clock::system().now().0 / 1000;
    match verdict {
        Verdict::Accept(_) => {
            forks::accept(store, fork, now).await.map_err(Failure::of)?;
            report::out(&format!("{} is believed again\n", fork.database))
        }
        Verdict::Adopt(_) => {
            let adopted = forks::adopt(store, fork, now).await.map_err(not_adopted)?;
            let (records, tiles, head) = (adopted.records, adopted.tiles, adopted.head.trim_end());
            report::out(&format!("dropped records {records}\ndropped tiles {tiles}\n"))?;
            report::out(&format!("{} is believed again, from this head on:\n{head}\n", fork.database))
        }
    }
}

fn not_adopted(error: forks::ForkError) -> Failure {
    let hint = match error {
        forks::ForkError::Unclear => {
            "accept it; if it goes on with the other history it is caught again, with the head that is known now"
        }
        forks::ForkError::Contended => "once more",
        _ => return Failure::of(error),
    };
    Failure::of(error).with_hint(hint)
}

fn shown(fork: &forks::Fork) -> String {
    format!("{} signed two histories:\n{}\n", fork.database, fork.evidence.trim_end())
}
