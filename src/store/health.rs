//! `modkeep store check|scrub|stats`: whether the store is whole, mending it, and what is in it.

use clap::Command;
use modkeep_proxy::upkeep::{self, Damage, Inventory};
use modkeep_store::{Store, StoreError};

use crate::report;
use crate::report::Failure;

pub(super) fn check() -> Command {
    let about = "Read everything that is kept and name what is damaged [exit status 1]";
    Command::new("check").about(about)
}

pub(super) fn scrub() -> Command {
    Command::new("scrub")
        .about("Check, and put what is damaged into quarantine, so that a server fetches it anew [exit status 1 if there was any]")
        .after_help(
            "May run beside a server, which asks its upstream for what is in quarantine. Damaged zips and files of small values lie in \
             the folder `quarantine` of the store afterwards.",
        )
}

pub(super) fn stats() -> Command {
    Command::new("stats").about("Count what is kept")
}

pub(super) async fn run_check(store: &dyn Store) -> Result<(), Failure> {
    let mut printer = Printer::default();
    let told = upkeep::check(store, |damage| printer.print(&damage)).await;
    printer.end(
        told,
        "damaged",
        "`store scrub` puts it into quarantine, and what the upstream still has is fetched anew",
    )
}

pub(super) async fn run_scrub(store: &dyn Store) -> Result<(), Failure> {
    let mut printer = Printer::default();
    let told = upkeep::scrub(store, |damage| printer.print(&damage)).await;
    printer.end(
        told,
        "damaged and put away",
        "what the upstream still has is fetched anew when it is asked for",
    )
}

pub(super) async fn run_stats(store: &dyn Store) -> Result<(), Failure> {
    report::out(&table(&upkeep::inventory(store).await.map_err(Failure::of)?))
}

/// Prints damage as it is found.
#[derive(Default)]
struct Printer {
    damaged: u64,
    failure: Option<Failure>,
}

impl Printer {
    fn print(&mut self, damage: &Damage) {
        self.damaged += 1;
        if let Err(failure) = report::out(&format!("damaged {damage}\n")) {
            self.failure.get_or_insert(failure);
        }
    }

    fn end(self, told: Result<Inventory, StoreError>, what: &str, hint: &str) -> Result<(), Failure> {
        let inventory = told.map_err(Failure::of)?;
        self.failure.map_or(Ok(()), Err)?;
        report::out(&table(&inventory))?;
        match self.damaged {
            0 => Ok(()),
            damaged => Err(Failure::of(format!("{damaged} {what}")).with_hint(hint)),
        }
    }
}

fn table(inventory: &Inventory) -> String {
    let files = inventory.files.iter().map(|(kind, count)| format!("{kind} {count}\n"));
    files.chain([format!("bytes {}\nanswers {}\n", inventory.bytes, inventory.answers)]).collect()
}
