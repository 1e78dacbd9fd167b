//! `modkeep store forget`: what is remembered or kept of one module, or of one version.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use modkeep_module::path::ModulePath;
use modkeep_module::version::Version;
use modkeep_proxy::Clock;
use modkeep_store::Store;

use crate::report;
use crate::report::Failure;

pub(super) fn command() -> Command {
    let module = Arg::new("module").value_name("MODULE[@VERSION]").required(true);
    let files = Arg::new("files").long("files").action(ArgAction::SetTrue);
    Command::new("forget")
        .about("Forget what is remembered of a module, so that the next request asks anew")
        .arg(module.help("The module, or one version of it"))
        .arg(files.help(
            "Forget the files that are kept as well, and free their room; a running server lets go of them within ten seconds",
        ))
}

/// A module, and one version of it if one was named.
pub(super) struct Target {
    module: ModulePath,
    version: Option<Version>,
    files: bool,
}

impl Target {
    pub(super) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = matches.get_one::<String>("module").expect("clap requires it");
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text.as_str(), None),
        };
        let module = ModulePath::parse(path).map_err(Failure::usage)?;
        let version = version.map(Version::parse).transpose().map_err(Failure::usage)?;
        Ok(Self { module, version, files: matches.get_flag("files") })
    }
}

pub(super) async fn run(store: Arc<dyn Store>, target: Target) -> Result<(), Failure> {
    let Target { module, version, files } = target;
    let clock = Clock::system();
    let forgotten = modkeep_proxy::forget(store, &module, version.as_ref(), files, &clock).await;
    let forgotten = forgotten.map_err(Failure::of)?;
    report::out(&format!("answers {}\nfiles {}\n", forgotten.answers, forgotten.files))?;
    match files {
        true => report::out(&format!("freed {} bytes {}\n", forgotten.freed.blobs, forgotten.freed.bytes)),
        false => Ok(()),
    }
}
