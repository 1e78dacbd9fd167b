//! Where a package is when the vendor directory is all there is.
//!
//! Source of the rules: the vendor part of `cmd/go/internal/modload/import.go:importFromModules`.

use super::{Import, ImportError};
use crate::error::{Error, Halt};
use crate::go_version;
use crate::known::VENDOR;
use crate::node::NodeId;
use crate::wildcard::is_path_prefix;
use crate::world::World;

impl World {
    pub(super) fn find_vendored(&mut self, path: &str) -> Result<Import, Halt> {
        let mut found: Vec<(Option<NodeId>, Import)> = Vec::new();
        let mut failure = None;
        let mut is_missing = false;
        for main in self.main.ids() {
            let prefix = self.nodes().node(main).path.clone();
            if self.main.module(main).is_none() || !is_path_prefix(path, &prefix) {
                continue;
            }
            let directory = path[prefix.len()..].trim_start_matches('/').to_owned();
            match self.known.folder(main, &directory) {
                None => is_missing = true,
                Some(Err(error)) => {
                    failure.get_or_insert(error);
                }
                Some(Ok(folder)) if folder.has_go_files => {
                    let (directory, folder) = (Some(directory), Some(folder));
                    let import = Import { module: Some(main), directory, folder, others: Vec::new() };
                    found.push((Some(main), import));
                }
                Some(Ok(_)) => {}
            }
        }
        if self.has_main() {
            let vendor = self.id(VENDOR, "");
            match self.known.folder(vendor, path) {
                None => is_missing = true,
                Some(Ok(folder)) if folder.has_go_files => {
                    if let Some(module) = self.vendored_module(path) {
                        let (directory, folder) = (Some(path.to_owned()), Some(folder));
                        found.push((module, Import { module, directory, folder, others: Vec::new() }));
                    }
                }
                Some(_) => {}
            }
        }
        if is_missing {
            return Err(self.known.halt());
        }
        if found.len() > 1 {
            let shown = |(_, import): &(_, Import)| import.folder.as_ref().map(|folder| folder.shown.clone());
            let directories = found.iter().filter_map(shown).collect();
            return Err(Error::from(ImportError::AmbiguousDirectories {
                path: path.to_owned(),
                directories,
            })
            .into());
        }
        if let Some(error) = failure {
            return Err(Error::from(error).into());
        }
        match found.pop() {
            Some((_, import)) => Ok(import),
            None => {
                let mut missing = self.missing_import(path);
                missing.is_standard = false;
                missing.has_no_main = false;
                Err(Error::from(ImportError::from(missing)).into())
            }
        }
    }

    /// The module of a package in the vendor directory; `None` if the package has to be ignored.
    fn vendored_module(&mut self, path: &str) -> Option<Option<NodeId>> {
        let listed = self.vendored()?.packages.get(path).cloned();
        let go = self.main.go_version(&self.local.version);
        let is_lenient = go_version::compare(go, go_version::LISTED_VENDORED).is_lt();
        match listed {
            Some(module) => Some(Some(self.id(&module.path, &module.version))),
            None if is_lenient => Some(None),
            None => {
                let verb = if self.main.is_workspace() { "work" } else { "mod" };
                let note = format!(
                    "ignoring package {path} which exists in the vendor directory but is missing from vendor/modules.txt. To sync the vendor directory run go {verb} vendor."
                );
                if !self.lasting_notes.contains(&note) {
                    self.lasting_notes.push(note);
                }
                None
            }
        }
    }
}
