//! What `install` would do something for, without doing it.
//!
//! Keys are made as for a build, and what is in its place or in the build cache is looked for. What is missing is not made:
//! it counts with the placeholder that stands for its content until it is known, so that all that is built with it is
//! missing too. Source: `cmd/go/internal/work:buildid.go:useCache`, with `IsCmdList`.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Product, Run, built_in};
use crate::action_id::ActionId;
use crate::buildid::{self, BuildId};
use crate::compile::{Archive, Compiled};
use crate::package::{Graph, Package, PackageId};
use crate::plan::{Node, NodeId, Plan, Work};
use crate::shop::{Shop, StepError};

const IN_CACHE: &str = "not installed but available in build cache";
const MISMATCH: &str = "build ID mismatch";
const DEPENDENCY: &str = "stale dependency: ";

/// Why packages are stale; what is up to date has no reason.
pub type Reasons = HashMap<PackageId, String>;

/// What is known before it is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// Whether archives are wanted for themselves, so that an up-to-date program doesn't stand for its package.
    pub exports: bool,
    /// Packages that were compiled just now, which therefore were missing.
    pub made: Option<&'a HashSet<PackageId>>,
}

impl Plan<'_> {
    /// Why what the plan has compiled and linked for its first target is stale.
    ///
    /// # Errors
    /// When a tool can't say what it is.
    pub fn stale(&self, shop: &Shop, before: Before<'_>) -> Result<Reasons, StepError> {
        let run = Run::new(self, shop);
        let mut reasons = Reasons::new();
        // What a node needs has a lower number.
        for (id, node) in self.nodes.iter().enumerate() {
            let product = match (&node.work, node.package) {
                (Work::BuiltIn, _) => Product::Compiled(built_in()),
                (Work::Profile { path }, _) => Product::Profile(run.known_profile(node, path)?),
                (Work::Compile { program, .. }, Some(package)) => {
                    let program = program.filter(|_| !before.exports);
                    let (compiled, reason) = run.look(id, node, program, &reasons, before)?;
                    note(&mut reasons, package, reason);
                    Product::Compiled(compiled)
                }
                (Work::Link { .. }, Some(package)) => {
                    let reason = run.look_at_program(id, node, &reasons)?;
                    note(&mut reasons, package, reason);
                    continue;
                }
                _ => continue,
            };
            // Each is looked at once.
            let _ = run.products[id].set(product);
        }
        Ok(reasons)
    }
}

fn note(reasons: &mut Reasons, package: PackageId, reason: Option<String>) {
    if let Some(reason) = reason {
        reasons.insert(package, reason);
    }
}

impl Run<'_> {
    fn look(
        &self,
        id: NodeId,
        node: &Node,
        program: Option<NodeId>,
        reasons: &Reasons,
        before: Before<'_>,
    ) -> Result<(Compiled, Option<String>), StepError> {
        self.with_unit(id, node, |unit| {
            let (package, shop) = (unit.package, self.shop);
            let (action, preimage) = unit.key()?;
            let product = |build_id| Compiled {
                action,
                preimage: preimage.clone(),
                build_id,
                archive: None,
                is_cached: true,
            };
            let missing = product(BuildId::of_package(&action.short()));
            if shop.flags.forces {
                return Ok((missing, Some("build -a flag in use".to_owned())));
            }
            if let Some(found) = self.in_place(package, &action) {
                return Ok((product(found), None));
            }
            if let Some(link) = program.filter(|_| !package.target.is_empty())
                && let Some(found) = self.main_of_current_program(link, &action)?
            {
                return Ok((product(found), None));
            }
            let graph = self.goal(node).graph;
            let is_new = before.made.zip(node.package).is_some_and(|(made, id)| made.contains(&id));
            // The program of a test is listed with a file that goes by another name.
            let cached = if package.testmain.is_some() { None } else { self.in_cache(&action) };
            match cached {
                Some(found) if is_new => Ok((product(found), Some(mismatch(graph, package, reasons)))),
                Some(found) => {
                    let is_elsewhere = !package.target.is_empty();
                    Ok((product(found), is_elsewhere.then(|| IN_CACHE.to_owned())))
                }
                None => Ok((missing, Some(mismatch(graph, package, reasons)))),
            }
        })
    }

    /// Why a program is stale whose package isn't, or for another reason.
    fn look_at_program(
        &self,
        id: NodeId,
        node: &Node,
        reasons: &Reasons,
    ) -> Result<Option<String>, StepError> {
        let Some(program) = self.program(id, None) else { return Ok(None) };
        if self.shop.flags.forces {
            return Ok(None);
        }
        let (action, _) = program.key(&program.packages[0].1.build_id)?;
        if self.in_place(program.package, &action).is_some() {
            return Ok(None);
        }
        let is_known = node.package.is_some_and(|package| reasons.contains_key(&package));
        match self.in_cache(&action) {
            Some(_) => Ok((!program.package.target.is_empty()).then(|| IN_CACHE.to_owned())),
            None if is_known => Ok(None),
            None => Ok(Some(mismatch(self.goal(node).graph, program.package, reasons))),
        }
    }

    /// The build ID of what is where the package is installed, if it was made under that key.
    fn in_place(&self, package: &Package, action: &ActionId) -> Option<BuildId> {
        if package.target.is_empty() {
            return None;
        }
        let found = buildid::read(Path::new(&package.target)).ok()??;
        (found.action() == action.short() && found.as_str().contains('/')).then_some(found)
    }

    fn in_cache(&self, action: &ActionId) -> Option<BuildId> {
        let (file, _) = self.shop.cache.file(action)?;
        buildid::read(&file).ok()?
    }

    /// The compiler's form of a profile if it was made before.
    fn known_profile(&self, node: &Node, path: &str) -> Result<Archive, StepError> {
        let id = self.profile_key(node, path)?;
        let found = self.shop.cache.file(&id);
        let missing = || format!("{}pgo.preprofile", node.folder);
        let path = found.map_or_else(missing, |(file, _)| file.to_string_lossy().into_owned());
        Ok(Archive { path, content: None })
    }
}

/// That a key leads to nothing, or the first of its imports of which that is so.
fn mismatch(graph: &Graph, package: &Package, reasons: &Reasons) -> String {
    let mut reason = MISMATCH.to_owned();
    for import in &package.imported {
        let Some(of_import) = reasons.get(import) else { continue };
        if of_import.starts_with(DEPENDENCY) {
            return of_import.clone();
        }
        if reason.starts_with(MISMATCH) {
            reason = format!("{DEPENDENCY}{}", graph[*import].import_path);
        }
    }
    reason
}
