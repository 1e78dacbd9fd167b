//! Which modules arguments mean, and what is known of each (`cmd/go/internal/modload/list.go`, `build.go`).

mod details;
mod majors;
mod select;

use std::sync::Arc;

use modkeep_resolver::error::Error;
use modkeep_resolver::node::NodeId;
use modkeep_resolver::requirements::{Load, Requirements};

use self::select::Selected;
use super::public::ModulePublic;
use crate::report::Failure;
use crate::session::Session;

/// What is asked of each module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mode {
    /// `-u`
    pub(crate) updates: bool,
    /// `-major`
    pub(crate) majors: bool,
    /// Whether retractions are told, and retracted versions may be named.
    pub(crate) retracted: bool,
    /// Whether deprecations are told.
    pub(crate) deprecated: bool,
    /// `-versions`
    pub(crate) versions: bool,
    /// Whether those versions are all, retracted ones too.
    pub(crate) retracted_versions: bool,
    /// Whether their files and sums are told.
    pub(crate) files: bool,
    /// `-reuse`: a file of an earlier listing; proxies never say that it still holds.
    pub(crate) reuse: String,
}

/// The modules, as far as they could be found.
pub(crate) struct Listing {
    pub(crate) modules: Vec<ModulePublic>,
    /// Why there may be more.
    pub(crate) error: Option<Error>,
    pub(crate) requirements: Arc<Requirements>,
}

impl Session<'_> {
    /// The modules that arguments mean: main modules without any.
    pub(crate) fn list_modules(&mut self, arguments: &[String], mode: &Mode) -> Result<Listing, Failure> {
        let load = Load { only_looks: self.only_looks(), go_version: None };
        let requirements = self.answer(|world| world.load(&load))?;
        self.list_modules_of(requirements, arguments, mode)
    }

    /// The same, with requirements that are known already.
    pub(crate) fn list_modules_of(
        &mut self,
        requirements: Arc<Requirements>,
        arguments: &[String],
        mode: &Mode,
    ) -> Result<Listing, Failure> {
        check_reuse(&mode.reuse)?;
        let needs_graph = self.needs_graph(&requirements, arguments, mode)?;
        let (selection, warnings) = {
            let is_vendored = matches!(self.world.mode, modkeep_resolver::world::Mode::Vendor(..));
            let select = select::Selector { arguments, mode, needs_graph, is_vendored };
            self.answer(|world| select.select(world, &requirements))?
        };
        for warning in warnings {
            crate::report::tell(&warning);
        }
        let select::Selection { selected, error, requirements } = selection;
        let modules = self.describe(&selected, &requirements, mode)?;
        Ok(Listing { modules, error, requirements })
    }

    /// What is told of modules of the build list.
    pub(crate) fn describe_nodes(
        &mut self,
        nodes: &[NodeId],
        requirements: &Arc<Requirements>,
    ) -> Result<Vec<ModulePublic>, Failure> {
        let selected: Vec<Selected> = nodes.iter().map(|node| Selected::Module(*node)).collect();
        self.describe(&selected, requirements, &Mode { files: true, ..Mode::default() })
    }

    fn describe(
        &mut self,
        selected: &[Selected],
        requirements: &Arc<Requirements>,
        mode: &Mode,
    ) -> Result<Vec<ModulePublic>, Failure> {
        let place = self.place();
        let modules = self.answer(|world| details::describe(world, &place, selected, requirements, mode))?;
        Ok(modules.into_iter().map(|module| self.completed(module, mode.files)).collect())
    }
}

/// The file must be readable, though it never helps.
fn check_reuse(file: &str) -> Result<(), Failure> {
    if file.is_empty() {
        return Ok(());
    }
    let data = std::fs::read(file)
        .map_err(|error| Failure::go(format!("open {file}: {}", crate::goenv::words(&error))))?;
    for value in serde_json::Deserializer::from_slice(&data).into_iter::<serde_json::Value>() {
        value.map_err(|error| Failure::go(format!("parsing {file}: {error}")))?;
    }
    Ok(())
}
