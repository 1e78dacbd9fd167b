//! What is known of each module: versions, updates, retractions, and its files in the cache (`modload/build.go`).

use std::sync::Arc;

use modkeep_fetch::modcache::Folder;
use modkeep_module::ModuleVersion;
use modkeep_resolver::error::{Error, Fault, Halt, ModuleError};
use modkeep_resolver::gather::Gather;
use modkeep_resolver::go_version;
use modkeep_resolver::known::Need;
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::order;
use modkeep_resolver::query::{Allowed, Query, QueryError};
use modkeep_resolver::requirements::Requirements;
use modkeep_resolver::retraction::Retraction;
use modkeep_resolver::world::{Mode as Permission, World};

use super::select::Selected;
use super::{Mode, majors};
use crate::goenv::paths;
use crate::list::public::{ModuleFault, ModulePublic};
use crate::session::{Ground, Session, shown_time};

/// Where the main modules are, for those who may not look.
pub(super) struct Place {
    folder: String,
    go_mod: Option<String>,
    go_line: String,
    has_root: bool,
}

/// A module and how it was found.
pub(crate) struct Described {
    module: ModulePublic,
    /// Whether go.sum has to vouch for what is told of its files.
    is_selected: bool,
    has_origin: bool,
}

impl Session<'_> {
    pub(super) fn place(&self) -> Place {
        let go_mod = match &self.ground {
            Ground::Module { root, go_mod } if *go_mod != paths::join(root, "go.mod") => Some(go_mod.clone()),
            _ => None,
        };
        let adds_go_line =
            self.world.mode == Permission::Mod && !self.only_looks() && !self.ground.is_workspace();
        let go_line = match (adds_go_line, self.ground.is_workspace()) {
            (true, _) => self.go.release(),
            (false, true) => "",
            (false, false) => go_version::DEFAULT_GO_MOD,
        };
        Place {
            folder: self.ground.folder().unwrap_or_default().to_owned(),
            go_mod,
            go_line: go_line.to_owned(),
            has_root: self.has_main(),
        }
    }

    /// With where it came from, and with what the module cache and go.sum have of it if that is told.
    pub(super) fn completed(&self, described: Described, tells_files: bool) -> ModulePublic {
        let Described { mut module, is_selected, has_origin } = described;
        let is_vendored = matches!(self.world.mode, Permission::Vendor(..));
        if module.main || module.path.is_empty() {
            return module;
        }
        if let Some(replace) = &mut module.replace {
            if !is_vendored && tells_files {
                self.add_files(replace, is_selected);
                module.dir.clone_from(&replace.dir);
                module.go_mod.clone_from(&replace.go_mod);
            }
            return module;
        }
        if has_origin {
            let revision = if module.query.is_empty() { &module.version } else { &module.query };
            module.origin = self.origin_of(&module.path, revision);
        }
        if tells_files && !(is_vendored && is_selected) {
            self.add_files(&mut module, is_selected);
        }
        module
    }

    fn add_files(&self, module: &mut ModulePublic, is_selected: bool) {
        let Ok(version) = ModuleVersion::parse(&module.path, &module.version) else { return };
        let sums = self.source.sums.lock();
        let has = |version: &str| !is_selected || !self.must_have_sums() || sums.has(&module.path, version);
        let of_go_mod = format!("{}/go.mod", module.version);
        let (knows_go_mod, knows_zip) = (has(&of_go_mod), has(&module.version));
        if knows_go_mod {
            let file = self.source.cache.file(&version, "mod");
            if file.is_file() {
                module.go_mod = file.display().to_string();
            }
            module.go_mod_sum = sums.recorded(&module.path, &of_go_mod).unwrap_or_default();
        }
        if knows_zip {
            if let Ok(Folder::Complete(folder)) = self.source.cache.folder(&version) {
                module.dir = folder.display().to_string();
            }
            module.sum = sums.recorded(&module.path, &module.version).unwrap_or_default();
        }
    }
}

/// Tells of each module what the resolver knows.
pub(super) fn describe(
    world: &mut World,
    place: &Place,
    selected: &[Selected],
    requirements: &Arc<Requirements>,
    mode: &Mode,
) -> Result<Vec<Described>, Halt> {
    let mut gather = Gather::default();
    let mut described = Vec::new();
    for one in selected {
        let mut is_selected = false;
        let mut has_origin = false;
        let mut module = match one {
            Selected::Module(node) => {
                is_selected = true;
                of_requirements(world, place, *node, requirements, mode, &mut gather)
            }
            Selected::Queried { node, query, has_origin: origin } => {
                has_origin = *origin;
                let mut module = ModulePublic {
                    path: node.path.to_string(),
                    version: node.version.to_string(),
                    ..ModulePublic::default()
                };
                let id = world.nodes().find_path(&node.path);
                if node.version.is_empty() && id.is_some_and(|id| world.main.find(id).is_some()) {
                    let id = world.id(&node.path, "");
                    module = of_requirements(world, place, id, requirements, mode, &mut gather);
                } else {
                    complete(world, &mut module, false, mode, &mut gather);
                }
                module.query.clone_from(query);
                module
            }
            Selected::Bare(path) => ModulePublic { path: path.clone(), ..ModulePublic::default() },
            Selected::Failed { path, version, error } => {
                let error = Some(ModuleFault { err: error.clone() });
                let (path, version) = (path.clone(), version.clone());
                ModulePublic { path, version, error, ..ModulePublic::default() }
            }
        };
        let is_failed = matches!(one, Selected::Failed { .. });
        add(world, &mut module, mode, is_failed, &mut gather);
        if mode.majors && !module.main && !is_failed {
            majors::add(world, &mut module, &mut gather);
        }
        if let Some(replace) = &mut module.replace {
            add(world, replace, mode, is_failed, &mut gather);
        }
        described.push(Described { module, is_selected, has_origin });
    }
    gather.finish()?;
    Ok(described)
}

/// The go line of a go.mod that was read as such, no replacements applied (`rawGoVersion`).
fn go_line_of(world: &World, node: NodeId) -> String {
    match world.known.facts(node) {
        Some(Ok(facts)) => facts.go.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// A module of the build list (`moduleInfo`).
fn of_requirements(
    world: &mut World,
    place: &Place,
    node: NodeId,
    requirements: &Requirements,
    mode: &Mode,
    gather: &mut Gather,
) -> ModulePublic {
    let Node { path, version } = world.nodes().node(node).clone();
    let mut module =
        ModulePublic { path: path.to_string(), version: version.to_string(), ..ModulePublic::default() };
    if world.main.ids().contains(&node) {
        module.main = true;
        module.go_version = match world.main.module(node) {
            None => world.local.version.clone(),
            Some(main) => main.file.go().map_or(&place.go_line, |line| &line.version).clone(),
        };
        if let Some(main) = world.main.module(node).filter(|_| place.has_root) {
            module.dir.clone_from(&main.directory);
            module.go_mod = place.go_mod.clone().unwrap_or_else(|| paths::join(&main.directory, "go.mod"));
        }
        return module;
    }
    module.indirect = !requirements.direct().contains(&node.path());
    let is_vendored = matches!(world.mode, Permission::Vendor(..));
    let Some(replacement) = world.replacement(&Node::new(path, version)) else {
        if is_vendored {
            module.go_version = vendored_go_version(world, node);
        } else {
            complete(world, &mut module, true, mode, gather);
        }
        return module;
    };
    let mut replace = ModulePublic {
        path: replacement.path.to_string(),
        version: replacement.version.to_string(),
        // If the replaced go.mod was read, as what replaces another version, its go line is shown.
        go_version: go_line_of(world, node),
        ..ModulePublic::default()
    };
    if replace.version.is_empty() {
        replace.dir = match replace.path.starts_with('/') {
            true => replace.path.clone(),
            false => paths::join(&place.folder, &replace.path),
        };
        replace.go_mod = paths::join(&replace.dir, "go.mod");
    }
    if is_vendored {
        replace.go_version = vendored_go_version(world, node);
    } else {
        complete(world, &mut replace, true, mode, gather);
        module.dir.clone_from(&replace.dir);
        module.go_mod.clone_from(&replace.go_mod);
        module.retracted.clone_from(&replace.retracted);
    }
    module.go_version.clone_from(&replace.go_version);
    module.replace = Some(Box::new(replace));
    module
}

/// What modules.txt says.
fn vendored_go_version(world: &World, node: NodeId) -> String {
    let Permission::Vendor(_, vendored) = &world.mode else { return String::new() };
    let mark = vendored.marks.get(world.nodes().node(node));
    mark.and_then(|mark| mark.go.clone()).unwrap_or_default()
}

/// The time and the go version of a module (`completeFromModCache`).
fn complete(
    world: &mut World,
    module: &mut ModulePublic,
    is_selected: bool,
    mode: &Mode,
    gather: &mut Gather,
) {
    if order::is_toolchain(&module.path) && is_selected {
        return;
    }
    if !module.version.is_empty() {
        let id = world.id(&module.path, &module.version);
        match gather.take(world.version_of(id)) {
            None => {}
            Some(Ok(revision)) => {
                module.version.clone_from(&revision.version);
                module.time = Some(shown_time(revision.time.as_deref()));
            }
            Some(Err(error)) => module.error = Some(ModuleFault { err: error.to_string() }),
        }
    }
    if order::is_toolchain(&module.path) {
        return;
    }
    let lacks_sum =
        |sums: &modkeep_module::GoSum| sums.hashes_of(&module.path, &module.version, true).next().is_none();
    let is_unchecked =
        is_selected && !module.version.is_empty() && world.required_sums.as_deref().is_some_and(lacks_sum);
    if module.go_version.is_empty() && module.error.is_none() && !is_unchecked {
        let id = world.id(&module.path, &module.version);
        match world.known.facts(id) {
            Some(Ok(facts)) => module.go_version = facts.go.clone().unwrap_or_default(),
            Some(Err(_)) => {}
            None => gather.need(Need::GoMod(Node::new(module.path.as_str(), module.version.as_str()))),
        }
    }
    if mode.retracted && !module.version.is_empty() {
        add_retraction(world, module, gather);
    }
}

/// What `-u`, `-versions` and `-retracted` ask for.
fn add(world: &mut World, module: &mut ModulePublic, mode: &Mode, is_failed: bool, gather: &mut Gather) {
    if mode.updates && !module.version.is_empty() && !is_failed {
        add_update(world, module, gather);
    }
    if mode.versions {
        let allowed = if mode.retracted_versions { Allowed::NotExcluded } else { Allowed::NotRetracted };
        match gather.take(world.versions(&module.path, allowed)) {
            None => {}
            Some(Ok(versions)) => module.versions = versions,
            Some(Err(error)) => module.blame(error),
        }
    }
    if mode.retracted && !module.version.is_empty() {
        add_retraction(world, module, gather);
    }
    if mode.deprecated {
        add_deprecation(world, module, gather);
    }
}

fn add_update(world: &mut World, module: &mut ModulePublic, gather: &mut Gather) {
    let query = Query {
        path: &module.path,
        query: "upgrade",
        current: &module.version,
        allowed: Allowed::NotRetracted,
    };
    match gather.take(world.query(&query)) {
        None => {}
        Some(Ok(revision)) if order::compare(&module.path, &revision.version, &module.version).is_gt() => {
            module.update = Some(Box::new(ModulePublic {
                path: module.path.clone(),
                version: revision.version.clone(),
                time: Some(shown_time(revision.time.as_deref())),
                ..ModulePublic::default()
            }));
        }
        Some(Ok(_)) => {}
        Some(Err(error)) => {
            let is_quiet = match &error {
                Error::Query(QueryError::NoMatch { .. }) => true,
                Error::Module(error) => matches!(error.kind, Fault::NotExist | Fault::Disallowed),
                _ => false,
            };
            if !is_quiet {
                module.blame(error);
            }
        }
    }
}

fn add_retraction(world: &mut World, module: &mut ModulePublic, gather: &mut Gather) {
    let id = world.id(&module.path, &module.version);
    let Some(Ok(retraction)) = gather.take(world.retraction(id)) else { return };
    match retraction {
        Retraction::None => {}
        Retraction::Retracted(reasons) if reasons.is_empty() => {
            module.retracted = vec!["retracted by module author".to_owned()];
        }
        Retraction::Retracted(reasons) => module.retracted = reasons,
        Retraction::Unknown(error) if is_quiet(&error) => {}
        Retraction::Unknown(error) => {
            let node = Node::new(module.path.as_str(), module.version.as_str());
            module.blame(format!("loading module retractions for {node}: {error}"));
        }
    }
}

fn add_deprecation(world: &mut World, module: &mut ModulePublic, gather: &mut Gather) {
    let id = world.id(&module.path, &module.version);
    match gather.take(world.deprecation(id)) {
        Some(Ok(Ok(text))) => module.deprecated = text,
        Some(Ok(Err(error))) if !is_quiet(&error) => {
            module.blame(format!("loading deprecation for {}: {error}", module.path));
        }
        _ => {}
    }
}

fn is_quiet(error: &ModuleError) -> bool {
    error.kind == Fault::NotExist || error.text.starts_with("no matching versions for query")
}
