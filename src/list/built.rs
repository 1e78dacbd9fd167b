//! `list -export`, `-compiled`, and what is stale: packages are built first or looked at, and what that tells is shown.
//!
//! Source of the rules: `cmd/go/internal/list/list.go`, `work:exec.go` (`loadCachedCompiledGoFiles`, `AllowErrors`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use modkeep_builder::compile::Compiled;
use modkeep_builder::load::{Loader, PackageError, Problem};
use modkeep_builder::package::{Built, Package, PackageId};
use modkeep_builder::perform::Before;
use modkeep_builder::plan::{Linking, Plan};
use modkeep_builder::shop::Shop;
use modkeep_builder::transcript::Told;
use parking_lot::Mutex;

use super::packages::Asked;
use crate::building::Site;
use crate::report::Failure;

/// Builds the packages, looks what is stale, and notes in each what came of it.
pub(super) fn build(
    site: &Site<'_>,
    asked: &Asked,
    needs_stale: bool,
    loader: &mut Loader<'_>,
    list: &[PackageId],
) -> Result<(), Failure> {
    if needs_stale && !asked.exports {
        look_for_stale(site, loader, list, Before::default())?;
    }
    if asked.exports || asked.is_compiled {
        let made = make(site, asked, loader, list)?;
        if needs_stale && asked.exports {
            look_for_stale(site, loader, list, Before { exports: true, made: Some(&made) })?;
        }
    }
    Ok(())
}

/// Notes in each package why `install` would do something for it.
fn look_for_stale(
    site: &Site<'_>,
    loader: &mut Loader<'_>,
    list: &[PackageId],
    before: Before<'_>,
) -> Result<(), Failure> {
    let graph = loader.graph();
    let plan = |plan: &mut Plan<'_>| {
        for &id in list {
            let package = &graph[id];
            if package.go_files.is_empty() && package.cgo_files.is_empty() {
                continue;
            }
            match package.name == "main" {
                true => plan.link(0, id, &Linking { target: &package.target, ..Linking::default() }),
                false => plan.compile(0, id),
            };
        }
    };
    for (id, reason) in site.stale(graph, plan, before)? {
        loader.graph_mut()[id].stale = reason;
    }
    Ok(())
}

/// Compiles packages, and notes in each what that tells; gives those that were not found in caches.
fn make(
    site: &Site<'_>,
    asked: &Asked,
    loader: &mut Loader<'_>,
    list: &[PackageId],
) -> Result<HashSet<PackageId>, Failure> {
    let mut made = HashSet::new();
    let failures: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    let teller: Box<dyn Fn(Told<'_>) + Send + Sync> = match asked.is_lenient {
        false => site.teller(),
        true => {
            let (failures, teller) = (Arc::clone(&failures), site.teller());
            // What is of no package keeps everything from being built.
            Box::new(move |told| match told.is_failure && !told.package.is_empty() {
                true => drop(failures.lock().insert(told.package.to_owned(), told.text.to_owned())),
                false => teller(told),
            })
        }
    };
    let mut built: Vec<(PackageId, Built)> = Vec::new();
    let graph = loader.graph();
    let wanted = list.iter().copied().filter(|id| {
        let package = &graph[*id];
        let is_whole = package.error.is_none() && !package.incomplete;
        is_whole && (!package.go_files.is_empty() || !package.cgo_files.is_empty())
    });
    let wanted: Vec<PackageId> = wanted.collect();
    let nodes = std::cell::RefCell::new(Vec::new());
    let mut is_tried = false;
    let done = site.perform_on(
        &[graph],
        teller,
        |plan| {
            let one = |id: &PackageId| match asked.exports {
                true => (*id, plan.compile(0, *id)),
                false => (*id, plan.sources(0, *id)),
            };
            nodes.borrow_mut().extend(wanted.iter().map(one));
            Ok(())
        },
        |shop, outcome| {
            is_tried = true;
            made.extend(outcome.made());
            for (id, node) in nodes.borrow().iter() {
                if let Some(compiled) = outcome.compiled(*node) {
                    match of(shop, asked, &graph[*id], compiled) {
                        Ok(one) => built.push((*id, one)),
                        Err(failure) if asked.is_lenient => {
                            let mut failures = failures.lock();
                            failures.entry(graph[*id].description()).or_insert_with(|| failure.to_string());
                        }
                        // Why was told.
                        Err(_) if !outcome.succeeded => {}
                        Err(failure) => return Err(failure),
                    }
                }
            }
            Ok(())
        },
    );
    if !is_tried {
        return done.map(|()| made);
    }
    for (id, built) in built {
        loader.graph_mut()[id].built = Some(built);
    }
    let failures = failures.lock();
    for &id in list {
        let package = &mut loader.graph_mut()[id];
        if let Some(text) = failures.get(&package.description()) {
            let text = text.strip_prefix(&format!("{}: ", package.description())).unwrap_or(text);
            package.error.get_or_insert_with(|| PackageError::of_build(Problem::Build(text.to_owned())));
            package.incomplete = true;
        }
    }
    // With `-e` what fails to be built is told with its package.
    if asked.is_lenient { Ok(made) } else { done.map(|()| made) }
}

fn of(shop: &Shop, asked: &Asked, package: &Package, compiled: &Compiled) -> Result<Built, Failure> {
    let mut built = Built::default();
    if asked.exports {
        built.export = compiled.archive.as_ref().map(|archive| archive.path.clone()).unwrap_or_default();
        built.build_id = compiled.build_id.to_string();
    }
    if asked.is_compiled && !package.is_built_in() && package.testmain.is_none() {
        let list = shop.cache.bytes(&compiled.action.subkey("srcfiles"));
        if list.is_none() && !package.cgo_files.is_empty() {
            return Err(Failure::go(format!(
                "reading compiled files of {}: the build cache has no list of them",
                package.import_path
            )));
        }
        let list = list.unwrap_or_default();
        let list = String::from_utf8_lossy(&list).into_owned();
        let file = |name: &str| match name.strip_prefix("./") {
            Some(name) => Some(name.to_owned()),
            None => {
                shop.cache.file(&compiled.action.subkey(name)).map(|(file, _)| file.display().to_string())
            }
        };
        built.files = list.lines().filter(|name| name.ends_with(".go")).filter_map(file).collect();
        if built.files.is_empty() && package.cgo_files.is_empty() {
            built.files.clone_from(&package.go_files);
        }
    }
    Ok(built)
}
