//! What is looked at when the versions are decided: are the packages whole, is anything retracted or deprecated.
//!
//! In a workspace the packages are looked at in the workspace, so this is a question of its own.
//! Source of the rules: `cmd/go/internal/modget/get.go:checkPackageProblems`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{GetOptions, Getter};
use crate::error::{Error, Halt};
use crate::import::ImportError;
use crate::known::ScanError;
use crate::node::{Node, NodeId};
use crate::packages::{Loaded, PackageOptions, Pattern, Silence, Tags};
use crate::requirements::Requirements;
use crate::retraction::{Retraction, short_message};
use crate::world::World;

/// What has to be looked at before a `get` is done.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The packages that were named; in the order of the arguments.
    pub patterns: Vec<Pattern>,
    /// The versions that were decided on.
    pub decided: Vec<Node>,
    /// Whether tests count.
    pub with_tests: bool,
    /// The modules whose zips have to be there, because go.sum had a line for the version before: which, instead of
    /// which, and how errors begin.
    downloads: Vec<(Node, String)>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The packages, if any were named; errors of theirs are notes.
    pub loaded: Option<Loaded>,
    /// Whether `get` fails.
    pub has_failed: bool,
    /// Lines to print after the notes, without `go: `.
    pub warnings: Vec<String>,
}

/// Modules by path and version, and why they matter.
type RelevantModules = BTreeMap<(Arc<str>, Arc<str>), (NodeId, Relevance)>;

/// Why a module matters.
#[derive(Clone, Copy, Debug, Default)]
struct Relevance {
    is_decided: bool,
    is_named: bool,
    has_package: bool,
}

impl Getter<'_> {
    /// What has to be looked at.
    pub(super) fn check(&self, world: &mut World) -> Result<Check, Halt> {
        let decided = self.resolved.values().map(|reason| world.nodes().node(reason.version).clone());
        let mut decided: Vec<_> = decided.collect();
        decided.sort();
        Ok(Check {
            patterns: self.package_patterns(world)?,
            decided,
            with_tests: self.options.with_tests,
            downloads: self.downloads(world, self.options),
        })
    }

    fn downloads(&self, world: &mut World, options: &GetOptions) -> Vec<(Node, String)> {
        let mut downloads = Vec::new();
        for &module in &self.build_list {
            let Some(&old) = self.initial.get(&module.path()) else { continue };
            if world.nodes().version(old).is_empty() {
                continue;
            }
            let (actual, old_actual) = (world.actual(module), world.actual(old));
            let nodes = world.nodes();
            let before = nodes.node(old_actual);
            let had_sum = options.go_sum.hashes(&before.path, &before.version).next().is_some();
            let actual_node = nodes.node(actual).clone();
            if actual == old_actual || actual_node.version.is_empty() || !had_sum {
                continue;
            }
            if crate::order::is_toolchain(&actual_node.path) {
                continue;
            }
            let is_lower = crate::requirements::compare(nodes, module, old).is_lt();
            let verb = if is_lower { "downgraded" } else { "upgraded" };
            let replaced = match actual == module {
                true => String::new(),
                false => format!(" (replaced by {actual_node})"),
            };
            let Node { path, version } = nodes.node(module);
            let (old, version) = (nodes.version(old), version);
            let text =
                format!("{verb} {path} {old} => {version}{replaced}: error finding sum for {actual_node}");
            downloads.push((actual_node, text));
        }
        downloads
    }
}

impl World {
    /// Looks at packages and versions: in the world of a `get`, or in that of the workspace around it.
    ///
    /// # Errors
    /// When something isn't known yet, or packages can't be loaded at all.
    pub fn check_packages(
        &mut self,
        requirements: &Arc<Requirements>,
        check: &Check,
    ) -> Result<Checked, Halt> {
        let mut relevant: RelevantModules = BTreeMap::new();
        for node in &check.decided {
            let id = self.id(&node.path, &node.version);
            let entry = relevant.entry((node.path.clone(), node.version.clone()));
            entry.or_insert((id, Relevance::default())).1.is_decided = true;
        }
        let mut has_failed = false;
        let mut loaded = None;
        let mut requirements = Arc::clone(requirements);
        if !check.patterns.is_empty() {
            let options = PackageOptions {
                patterns: check.patterns.clone(),
                tags: Tags::Target,
                loads_tests: check.with_tests,
                allows_errors: true,
                silence: Silence { no_go: true, ..Silence::default() },
                ..PackageOptions::default()
            };
            let found = self.load_packages(&requirements, &options)?;
            has_failed |= found.matches.iter().any(|found| !found.errors.is_empty());
            has_failed |= self.mark_packages(&found, &mut relevant);
            requirements = Arc::clone(&found.requirements);
            loaded = Some(found);
        }
        let warnings = self.warnings(&requirements, &relevant)?;
        Ok(Checked { loaded, has_failed, warnings })
    }

    /// Marks the modules of packages; whether a package has an error that counts.
    fn mark_packages(&self, loaded: &Loaded, relevant: &mut RelevantModules) -> bool {
        let mut mark = |module: NodeId, is_named: bool| {
            let Node { path, version } = self.nodes().node(module).clone();
            let (_, relevance) = relevant.entry((path, version)).or_insert((module, Relevance::default()));
            match is_named {
                true => relevance.is_named = true,
                false => relevance.has_package = true,
            }
        };
        let mut has_failed = false;
        let packages = &loaded.packages;
        for id in packages.order() {
            let package = packages.get(*id);
            if package.is_test() {
                continue;
            }
            match package.error.as_deref() {
                Some(Error::Import(ImportError::Scan(ScanError::NoGo))) if package.directory.is_some() => {
                    continue;
                }
                Some(Error::Import(ImportError::Ambiguous { places, .. })) => {
                    has_failed = true;
                    for (node, _) in places {
                        let id = self.nodes().find(&node.path, &node.version);
                        id.into_iter().for_each(|id| mark(id, false));
                    }
                }
                Some(_) => has_failed = true,
                None => {}
            }
            package.module.into_iter().for_each(|module| mark(module, false));
        }
        for path in loaded.matches.iter().flat_map(|found| &found.packages) {
            packages.module(path).into_iter().for_each(|module| mark(module, true));
        }
        has_failed
    }

    /// The lines about deprecated and retracted modules.
    fn warnings(
        &mut self,
        requirements: &Requirements,
        relevant: &RelevantModules,
    ) -> Result<Vec<String>, Halt> {
        let (mut deprecated, mut retracted) = (Vec::new(), Vec::new());
        let mut is_missing = false;
        for ((path, _), &(module, relevance)) in relevant {
            let Relevance { is_decided, is_named, has_package } = relevance;
            if self.nodes().is_none(module) {
                continue;
            }
            match self.retraction(module) {
                Ok(Retraction::Retracted(_)) if is_decided || is_named || has_package => {
                    retracted.push(module);
                }
                Ok(_) => {}
                Err(Halt::Need(needs)) => {
                    self.known.put_back(needs);
                    is_missing = true;
                }
                Err(error) => return Err(error),
            }
            let is_direct = requirements.direct().contains(&module.path());
            if !(is_decided || is_named || (has_package && is_direct)) {
                continue;
            }
            match self.deprecation(module) {
                Ok(Ok(text)) if !text.is_empty() => {
                    let message = short_message(&text, "").to_owned();
                    if !message.is_empty() {
                        deprecated.push(format!("module {path} is deprecated: {message}"));
                    }
                }
                Ok(_) => {}
                Err(Halt::Need(needs)) => {
                    self.known.put_back(needs);
                    is_missing = true;
                }
                Err(error) => return Err(error),
            }
        }
        if is_missing {
            return Err(self.known.halt());
        }
        let mut warnings = deprecated;
        for &module in &retracted {
            let node = self.nodes().node(module).clone();
            if let Some(error) = self.retraction(module)?.disallows(&node) {
                warnings.push(format!("warning: {error}"));
            }
        }
        let paths: Vec<_> = retracted.iter().map(|module| self.nodes().path(module.path())).collect();
        if let Some(first) = paths.first() {
            let path = if paths.len() == 1 { first } else { "<module>" };
            warnings
                .push(format!("to switch to the latest unretracted version, run:\n\tgo get {path}@latest"));
        }
        Ok(warnings)
    }

    /// Asks for the zips of modules that had a line in go.sum at the version before; the errors where there is none.
    ///
    /// # Errors
    /// Only for what isn't known yet.
    pub fn check_sums(&mut self, check: &Check) -> Result<Vec<Error>, Halt> {
        let mut errors = Vec::new();
        let mut is_missing = false;
        for (node, text) in &check.downloads {
            let id = self.id(&node.path, &node.version);
            match self.known.download(id) {
                None => is_missing = true,
                Some(Ok(())) => {}
                Some(Err(error)) => errors.push(Error::Text(format!("{text}: {error}"))),
            }
        }
        if is_missing { Err(self.known.halt()) } else { Ok(errors) }
    }
}
