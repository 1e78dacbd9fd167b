//! `modkeep mod download`: modules into the module cache, all at the same time.
//!
//! Source of the rules: `cmd/go/internal/modcmd/download.go`.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use modkeep_module::info::Origin;
use modkeep_resolver::error::{Error, Fault, ModuleError};
use modkeep_resolver::requirements::{Load, Requirements};
use modkeep_resolver::world::Mode as Permission;
use modkeep_resolver::written::Change;
use modkeep_resolver::{go_version, order};
use serde::Serialize;

use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::GoEnv;
use crate::gojson;
use crate::list::modules::{Listing, Mode};
use crate::report::{self, Failure};
use crate::session::{Ground, ModFlags, OriginDocument, Session, Source, Stop, Wanted, end};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "mod download",
    line: "go mod download [-x] [-json] [-reuse=old.json] [modules]",
    flags: module_flags![("json", Kind::Bool), ("reuse", Kind::Text), ("x", Kind::Bool),],
};

/// Downloads that are in the air at the same time.
const AT_ONCE: usize = 32;

/// What became of one module.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Downloaded {
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    query: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    info: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go_mod: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    zip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sum: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go_mod_sum: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "origin")]
    origin: Option<Origin>,
}

fn origin<S: serde::Serializer>(origin: &Option<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    origin.as_ref().map(OriginDocument::of).serialize(serializer)
}

/// Downloads.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let (mut is_json, mut tells_requests, mut reuse) = (false, false, String::new());
    let named = USAGE.parse(words, go.goflags(), |name, value| {
        match name {
            "json" => is_json = value == "true",
            "x" => tells_requests = value == "true",
            "reuse" => value.clone_into(&mut reuse),
            _ => drop(flags.set(name, value)?),
        }
        Ok(())
    })?;
    let wanted = Wanted { verb: "mod download", tells_requests, flags, ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    let is_workspace = session.ground.is_workspace();
    let requirements = session.answer(|world| world.load(&Load::default()))?;
    let (arguments, requirements) = match named.is_empty() {
        false => {
            skip_mains(&session, &named);
            (named.clone(), requirements)
        }
        true => default_arguments(&mut session, requirements)?,
    };
    if arguments.is_empty() {
        return match session.has_main() {
            true => {
                report::tell("go: no module dependencies to download");
                Ok(())
            }
            false => Err(Failure::go("no modules specified (see 'go help mod download')")),
        };
    }
    if !reuse.is_empty() && session.has_main() {
        return Err(Failure::exact(1, "go mod download -reuse cannot be used inside a module"));
    }
    let mode = Mode { reuse, ..Mode::default() };
    let Listing { modules, error, requirements } =
        session.list_modules_of(requirements, &arguments, &mode)?;
    if let Some(failure) = session.switch(error.as_slice()) {
        return Err(failure);
    }
    if named.is_empty() && !is_workspace {
        session.commit(&requirements, &Change::default(), None)?;
    }
    let mut wanted = Vec::new();
    for module in modules {
        let module = module.replace.clone().map_or(module, |replace| *replace);
        if module.version.is_empty() && module.error.is_none() {
            continue;
        }
        wanted.push(Downloaded {
            path: module.path,
            version: module.version,
            query: module.query,
            error: module.error.map(|error| error.err).unwrap_or_default(),
            origin: module.origin,
            ..Downloaded::default()
        });
    }
    let (downloaded, too_new) = download_all(&session.source, wanted)?;
    if (!named.is_empty() || is_workspace)
        && let Some(failure) = session.switch(&too_new)
    {
        return Err(failure);
    }
    let mut has_failed = false;
    let mut text = String::new();
    for module in &downloaded {
        has_failed |= !module.error.is_empty();
        if is_json {
            text.push_str(&gojson::indented(module)?);
        } else if !module.error.is_empty() {
            session.fail(&module.error);
        }
    }
    report::out(&text)?;
    session.exit_if_failed()?;
    if !named.is_empty() || is_workspace {
        session.commit(&requirements, &Change::default(), None)?;
    }
    if let Some(error) = error {
        session.fail(&error.to_string());
    }
    session.exit_if_failed()?;
    if has_failed { Err(Failure::told(1)) } else { Ok(()) }
}

fn skip_mains(session: &Session<'_>, named: &[String]) {
    let world = &session.world;
    for main in world.main.ids() {
        let path = &world.nodes().node(main).path;
        for argument in named {
            let is_main = **argument == **path
                || argument.strip_prefix(&**path).is_some_and(|rest| matches!(rest, "@upgrade" | "@patch"));
            if is_main && session.has_main() {
                report::tell(&format!(
                    "go: skipping download of {argument} that resolves to the main module"
                ));
            }
        }
    }
}

/// What is downloaded when nothing is named: what go.mod requires, or all if it does not say everything.
fn default_arguments(
    session: &mut Session<'_>,
    requirements: Arc<Requirements>,
) -> Result<(Vec<String>, Arc<Requirements>), Failure> {
    let all = vec!["all".to_owned()];
    match session.ground {
        Ground::Open => return Ok((Vec::new(), requirements)),
        Ground::Workspace { .. } => return Ok((all, requirements)),
        Ground::Module { .. } => {}
    }
    let main = session.world.main.first();
    let Some(module) = session.world.main.module(main) else { return Ok((Vec::new(), requirements)) };
    let required: Vec<String> = module.file.requires().iter().map(|require| require.path.clone()).collect();
    let missing = (session.world.mode == Permission::Mod).then(|| session.go.release().to_owned());
    let go = module.file.go().map(|line| line.version.clone()).or(missing);
    if go.is_none_or(|go| go_version::compare(&go, go_version::EXPLICIT_INDIRECT).is_lt()) {
        return Ok((if required.is_empty() { Vec::new() } else { all }, requirements));
    }
    // All that is needed to look at the graph comes along.
    let expanded = session.answer(|world| {
        let expanded = world.expand(&requirements)?;
        match expanded.error {
            Some(error) => Err(error.into()),
            None => Ok(expanded.requirements),
        }
    })?;
    Ok((required, expanded))
}

/// What became of all of them, and the errors.
fn download_all(
    source: &Arc<Source>,
    wanted: Vec<Downloaded>,
) -> Result<(Vec<Downloaded>, Vec<Error>), Failure> {
    let done = source.block_on(async {
        let download = |module: Downloaded| async move {
            if !module.error.is_empty() {
                return Ok((module, None));
            }
            let mut done = module;
            match download(source, &mut done).await {
                Ok(()) => Ok((done, None)),
                Err(Stop::Error(error)) => {
                    done.error = error.to_string();
                    Ok((done, Some(Error::Module(error))))
                }
                Err(stop) => Err(stop),
            }
        };
        stream::iter(wanted.into_iter().map(download)).buffered(AT_ONCE).collect::<Vec<_>>().await
    });
    let (mut downloaded, mut errors) = (Vec::new(), Vec::new());
    for one in done {
        let (module, error) = one.map_err(end)?;
        downloaded.push(module);
        errors.extend(error);
    }
    Ok((downloaded, errors))
}

async fn download(source: &Arc<Source>, module: &mut Downloaded) -> Result<(), Stop> {
    if order::is_toolchain(&module.path) {
        let text = "internal error: invalid operation on toolchain module".to_owned();
        return Err(Stop::Error(ModuleError { module: None, invalid: None, text, kind: Fault::Other }));
    }
    let version = crate::session::module_version(&module.path, &module.version)?;
    let file = |suffix: &str| source.cache.file(&version, suffix).display().to_string();
    source.info(&module.path, &module.version).await?;
    module.info = file("info");
    let go_mod = source.go_mod(&version).await?;
    module.go_mod = file("mod");
    module.go_mod_sum = modkeep_module::dirhash::hash_mod(&go_mod).to_string();
    module.zip = source.zip(&version).await?.display().to_string();
    module.sum =
        source.cache.zip_hash(&version).ok().flatten().map(|hash| hash.to_string()).unwrap_or_default();
    module.dir = source.folder(&version).await?.display().to_string();
    Ok(())
}
