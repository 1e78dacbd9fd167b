//! `modkeep store synthesize`: a store of made-up versions, to measure a server on. Not in the list of verbs.

use clap::{Arg, ArgMatches, Command, value_parser};
use modkeep_proxy::upkeep::synthetic::{self, Synthetic};
use modkeep_store::{Disk, Folder, Options};

use crate::config::places::Place;
use crate::report;
use crate::report::Failure;

pub(super) fn command() -> Command {
    let number = |name: &'static str| Arg::new(name).value_name("NUMBER").value_parser(value_parser!(u64));
    Command::new("synthesize")
        .about("Make a new store of made-up versions, to measure a server on; nothing in it is synced")
        .hide(true)
        .arg(number("versions").required(true).help("How many versions"))
        .arg(
            number("zips")
                .long("zips")
                .help("How many of them have their zip, the first ones [default: all]"),
        )
}

pub(super) fn run(place: &Place, matches: &ArgMatches) -> Result<(), Failure> {
    let Place::Folder(folder) = place else {
        return Err(Failure::of(format!("`{place}` is no folder, and only folders are filled up")));
    };
    let versions = *matches.get_one::<u64>("versions").expect("clap requires it");
    let zips = matches.get_one::<u64>("zips").map_or(versions, |zips| versions.min(*zips));
    if folder.exists() {
        return Err(Failure::of(format!("`{}` is there already", folder.display()))
            .with_hint("say where with --store DIR; a store that is used is never filled up"));
    }
    let options = Options { disk: Disk::hasty(), ..Options::default() };
    let store = Folder::open(folder, options).map_err(Failure::of)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(format!("starting threads: {error}")))?;
    let filled = synthetic::fill(&store, Synthetic { versions, zips });
    runtime.block_on(filled).map_err(Failure::of)?;
    report::out(&format!("versions {versions}\nzips {zips}\n"))
}
