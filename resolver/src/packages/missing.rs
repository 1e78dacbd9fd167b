//! Which module could be added for a package that none of the build has.
//!
//! Source of the rules: `cmd/go/internal/modload/import.go:queryImport`.

use modkeep_module::path::check_path;
use modkeep_module::path::major::split_path_version;
use modkeep_module::pseudo;

use crate::error::{DirtyReason, Error, Halt};
use crate::import::{ImportError, MissingImport, NotInModule, is_standard_path};
use crate::node::NodeId;
use crate::order;
use crate::query::{Allowed, Found, PatternQuery};
use crate::requirements::{Requirements, compare};
use crate::world::{Mode, World};

impl World {
    /// The module that has a package: what is replaced first, then what sources have.
    pub(super) fn query_import(&mut self, path: &str, requirements: &Requirements) -> Result<NodeId, Halt> {
        if let Some(module) = self.query_replaced(path, requirements)? {
            return Ok(module);
        }
        if is_standard_path(path) {
            return Err(missing(MissingImport { has_no_main: false, ..self.missing_import(path) }));
        }
        if !self.is_mod() && !self.allows_missing_imports {
            let query = self.lookup_disabled();
            return Err(missing(MissingImport { query, has_no_main: false, ..self.missing_import(path) }));
        }
        self.notes.push(format!("finding module for package {path}"));
        let graph = requirements.whole_graph(self)?;
        let query = PatternQuery { pattern: path, query: "latest", allowed: Allowed::NotRetracted };
        let found = self.query_packages(query, &|world, path| {
            let selected = world.nodes().find_path(path).and_then(|path| graph.selected(path));
            selected.map_or("none", |selected| world.nodes().version(selected)).to_owned()
        });
        let found = match found {
            Ok(found) => found,
            Err(Halt::Error(error)) if error.is_absence() => {
                let query = Some(error.to_string());
                return Err(missing(MissingImport {
                    query,
                    has_no_main: false,
                    ..self.missing_import(path)
                }));
            }
            Err(halt) => return Err(halt),
        };
        let selected = |module: &NodeId| graph.selected(module.path());
        let is_above = |module: &NodeId| {
            selected(module).is_some_and(|selected| compare(self.nodes(), selected, *module).is_gt())
        };
        if let Some(&module) = found.providers.iter().find(|module| !is_above(module)) {
            return Ok(module);
        }
        let first = found.providers[0];
        let newer = selected(&first).map(|selected| self.nodes().version(selected).to_owned());
        let module = Some(self.nodes().node(first).clone());
        Err(missing(MissingImport { module, newer, has_no_main: false, ..self.missing_import(path) }))
    }

    /// The modules that have packages which match; at least one (`QueryPackages`).
    pub(crate) fn query_packages(
        &mut self,
        query: PatternQuery<'_>,
        current: &dyn Fn(&World, &str) -> String,
    ) -> Result<Found, Halt> {
        let found = self.query_pattern(query, current)?;
        if !found.providers.is_empty() {
            return Ok(found);
        }
        let module = found.module_only.map(|module| self.nodes().node(module).clone());
        let replacement = module.as_ref().and_then(|module| self.main.replacement(module));
        let (query, pattern) = (query.query.to_owned(), query.pattern.to_owned());
        let error = NotInModule { mains: Vec::new(), module, replacement, query, pattern };
        Err(Error::from(ImportError::from(error)).into())
    }

    /// The highest replaced version of a module that is not selected and has the package.
    fn query_replaced(&mut self, path: &str, requirements: &Requirements) -> Result<Option<NodeId>, Halt> {
        let mut modules = Vec::new();
        let mut rest = Some(path);
        while let Some(prefix) = rest {
            rest = prefix.rsplit_once('/').map(|(before, _)| before);
            let version = match self.main.highest_replaced(prefix) {
                None => continue,
                Some("") => {
                    let major = split_path_version(prefix).map_or("", |(_, major)| major);
                    pseudo::zero_pseudo_version(
                        major.get(1..).filter(|major| !major.is_empty()).unwrap_or("v0"),
                    )
                }
                Some(version) => version.to_owned(),
            };
            let graph = requirements.whole_graph(self)?;
            let module = self.id(prefix, &version);
            let selected = graph.selected(module.path());
            let is_below = selected.is_none_or(|selected| {
                order::compare_with_main(prefix, self.nodes().version(selected), &version).is_lt()
            });
            if is_below {
                modules.push(module);
            }
        }
        for &module in &modules {
            if self.lacks_sum(module) {
                let path = path.to_owned();
                let error =
                    ImportError::MissingSums { path, modules: Vec::new(), is_found: false, importer: None };
                return Err(Error::from(error).into());
            }
            if self.has_directory(path, module)?.map_err(Halt::from)? {
                if matches!(self.mode, Mode::Readonly(_)) {
                    let replaced = Some(self.nodes().node(module).clone());
                    let is_standard = false;
                    let error = MissingImport { replaced, is_standard, ..self.missing_import(path) };
                    return Err(missing(MissingImport { has_no_main: false, ..error }));
                }
                return Ok(Some(module));
            }
        }
        match modules.first() {
            Some(&module) if check_path(path).is_err() => {
                let node = self.nodes().node(module).clone();
                let replacement = self.main.replacement(&node);
                let error = NotInModule {
                    mains: Vec::new(),
                    module: Some(node),
                    replacement,
                    query: "latest".to_owned(),
                    pattern: path.to_owned(),
                };
                Err(Error::from(ImportError::from(error)).into())
            }
            _ => Ok(None),
        }
    }

    /// Why nobody may be asked, if someone said so.
    fn lookup_disabled(&self) -> Option<String> {
        let (Mode::Readonly(reason) | Mode::Vendor(reason, _)) = &self.mode else { return None };
        let DirtyReason { mode, reason } = reason;
        let mode = mode.as_ref()?;
        let reason = reason.as_ref().map(|reason| format!("\n\t({reason})")).unwrap_or_default();
        Some(format!("import lookup disabled by -mod={mode}{reason}"))
    }
}

fn missing(missing: MissingImport) -> Halt {
    Error::from(ImportError::from(missing)).into()
}
