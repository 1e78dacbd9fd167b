//! `work sync`: the versions that a workspace selects, written back to its modules.
//!
//! The world of the workspace says which versions the packages of each module come from; then each module, in a world
//! of its own, is raised to them. Source of the rules: `cmd/go/internal/workcmd/sync.go`.

use std::sync::Arc;

use crate::edit::Edit;
use crate::error::Halt;
use crate::node::Node;
use crate::packages::{Loaded, PackageOptions, Pattern, Silence, Tags, Tidy};
use crate::release;
use crate::requirements::{Expanded, Load};
use crate::world::World;

impl World {
    /// In the world of a workspace: for each main module the versions that its packages come from.
    ///
    /// # Errors
    /// When something isn't known yet, or the graph of the workspace can't be had.
    pub fn versions_to_sync(&mut self) -> Result<Vec<(Node, Vec<Node>)>, Halt> {
        let initial = self.load(&Load::default())?;
        let Expanded { requirements, error, .. } = self.expand(&initial)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        let mut requirements = requirements;
        let mut versions = Vec::new();
        for main in self.main.ids() {
            let mut options = options(None);
            options.silence.package_errors = true;
            options.silence.unmatched = true;
            options.main_module = Some(main);
            let loaded = self.load_packages(&requirements, &options)?;
            requirements = Arc::clone(&loaded.requirements);
            let packages = &loaded.packages;
            let modules = packages.order().iter().filter_map(|id| packages.get(*id).module);
            let mut modules: Vec<_> =
                modules.filter(|module| !self.nodes().version(*module).is_empty()).collect();
            modules.sort_unstable();
            modules.dedup();
            self.nodes().sort(&mut modules);
            versions.push((self.nodes().node(main).clone(), self.nodes().texts(&modules)));
        }
        Ok(versions)
    }

    /// In the world of one module: the requirements with those versions, tidy; `None` if nothing changes.
    ///
    /// # Errors
    /// When something isn't known yet, or the graph can't be had.
    pub fn sync_module(&mut self, versions: &[Node]) -> Result<Option<Loaded>, Halt> {
        let initial = self.load(&Load::default())?;
        let versions = versions.iter().map(|node| self.id(&node.path, &node.version)).collect();
        let edit = match release::sync_insists(&self.local.version) {
            true => Edit { select: versions, ..Edit::default() },
            false => Edit { upgrade: versions, ..Edit::default() },
        };
        let (requirements, is_changed) = self.edit(&initial, &edit)?;
        if !is_changed {
            return Ok(None);
        }
        self.load_packages(&requirements, &options(Some(Tidy::default()))).map(Some)
    }
}

fn options(tidy: Option<Tidy>) -> PackageOptions {
    PackageOptions {
        patterns: vec![Pattern::Path("all".to_owned())],
        tags: Tags::Any,
        silence: Silence { package_errors: true, missing_standard: tidy.is_some(), ..Silence::default() },
        tidy,
        loads_tests: true,
        allows_errors: true,
        ..PackageOptions::default()
    }
}
