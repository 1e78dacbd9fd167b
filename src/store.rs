//! `modkeep store check|stats|forget`: looking after what is kept, beside a running server or without one.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use modkeep_module::path::ModulePath;
use modkeep_module::version::Version;
use modkeep_proxy::upkeep::{self, Inventory};
use modkeep_store::{Folder, Options, Store};

use crate::config::setting::{STORE, Setting};
use crate::config::{Environment, Layers, places};
use crate::report;
use crate::report::Failure;

/// The verbs and their flags.
pub(crate) fn command() -> Command {
    let verb = |name, about| Command::new(name).about(about).args(STORE.iter().map(Setting::argument));
    let module = Arg::new("module").value_name("MODULE[@VERSION]").required(true);
    let files = Arg::new("files").long("files").action(ArgAction::SetTrue);
    Command::new("store")
        .about("Look after what is kept")
        .subcommand_required(true)
        .subcommand(verb("check", "Read everything that is kept and name what is damaged [exit status 1]"))
        .subcommand(verb("stats", "Count what is kept"))
        .subcommand(
            verb("forget", "Forget what is remembered of a module, so that the next request asks anew")
                .arg(module.help("The module, or one version of it"))
                .arg(files.help("Forget the files that are kept as well; a running server lets go of them within ten seconds")),
        )
}

/// Does what the verb says.
pub(crate) fn run(matches: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    let (verb, matches) = matches.subcommand().expect("clap requires a verb");
    let layers = Layers::gather(STORE, matches, environment)?;
    let target = if verb == "forget" { Some(target(matches)?) } else { None };
    let folder = places::store(&layers, environment)?;
    if !folder.is_dir() {
        return Err(Failure::of(format!("there is no store in `{}`", folder.display())));
    }
    let store: Arc<dyn Store> = Arc::new(Folder::open(&folder, Options::default()).map_err(Failure::of)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(format!("starting: {error}")))?;
    runtime.block_on(async {
        match (verb, target) {
            ("check", _) => check(&*store).await,
            ("stats", _) => report::out(&table(&upkeep::inventory(&*store).await.map_err(Failure::of)?)),
            (_, target) => forget(store, target.expect("forget has one"), matches.get_flag("files")).await,
        }
    })
}

async fn check(store: &dyn Store) -> Result<(), Failure> {
    let mut damaged = 0_u64;
    let mut lost = Ok(());
    let told = upkeep::check(store, |damage| {
        damaged += 1;
        lost = report::out(&format!("damaged {damage}\n"));
    });
    let inventory = told.await.map_err(Failure::of)?;
    lost?;
    report::out(&table(&inventory))?;
    match damaged {
        0 => Ok(()),
        _ => Err(Failure::of(format!("{damaged} damaged"))
            .with_hint("what the upstream still has is fetched anew when it is asked for; `store forget --files` drops it")),
    }
}

/// A module, and one version of it if one was named.
type Target = (ModulePath, Option<Version>);

fn target(matches: &ArgMatches) -> Result<Target, Failure> {
    let text = matches.get_one::<String>("module").expect("clap requires it");
    let (path, version) = match text.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (text.as_str(), None),
    };
    let path = ModulePath::parse(path).map_err(Failure::usage)?;
    let version = version.map(Version::parse).transpose().map_err(Failure::usage)?;
    Ok((path, version))
}

async fn forget(store: Arc<dyn Store>, (module, version): Target, files: bool) -> Result<(), Failure> {
    let forgotten =
        modkeep_proxy::forget(store, &module, version.as_ref(), files).await.map_err(Failure::of)?;
    report::out(&format!("answers {}\nfiles {}\n", forgotten.answers, forgotten.files))
}

fn table(inventory: &Inventory) -> String {
    let files = inventory.files.iter().map(|(kind, count)| format!("{kind} {count}\n"));
    files.chain([format!("bytes {}\nanswers {}\n", inventory.bytes, inventory.answers)]).collect()
}
