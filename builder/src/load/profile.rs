//! Profiles that guide the compiler: which packages are compiled with which.
//!
//! A profile counts for a program and everything in it, so that packages of several programs are copied where profiles
//! differ. Source: `cmd/go/internal/load/pkg.go:setPGOProfilePath`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use modkeep_module::file_path;

use super::Loader;
use crate::build::Profile;
use crate::package::{Package, PackageId};

impl Loader<'_> {
    /// Gives packages the profile that `-pgo` names, or those of their programs.
    pub fn set_profiles(&mut self, roots: &[PackageId]) {
        match &self.source.build.pgo {
            Profile::Off => {}
            Profile::Auto => {
                for &root in roots.iter().filter(|root| self.graph[**root].name == "main").collect::<Vec<_>>()
                {
                    let file = file_path::join(&self.graph[root].dir, "default.pgo");
                    if Path::new(&file).exists() {
                        self.spread_profile(root, &file, roots.len() > 1);
                    }
                }
            }
            Profile::File(file) => {
                let folder = &self.source.build.folder;
                let file = if file.starts_with('/') {
                    file_path::clean(file)
                } else {
                    file_path::join(folder, file)
                };
                for id in self.graph.with_dependencies(roots) {
                    set(&mut self.graph[id], &file, self.source.build.trimpath);
                }
            }
        }
    }

    /// Gives a program and all that it needs a profile; with other programs beside it, copies of what it needs.
    fn spread_profile(&mut self, main: PackageId, file: &str, copies: bool) {
        let trimpath = self.source.build.trimpath;
        let path = self.graph[main].import_path.clone();
        let mut replaced: HashMap<PackageId, PackageId> = HashMap::new();
        let order = self.graph.with_dependencies(&[main]);
        for id in order {
            let replacement = match copies && id != main {
                false => id,
                true => {
                    let mut copy = self.graph[id].clone();
                    copy.for_main = Some(path.clone());
                    self.add_finished(copy)
                }
            };
            replaced.insert(id, replacement);
            let package = &mut self.graph[replacement];
            set(package, file, trimpath);
            for import in &mut package.imported {
                if let Some(replacement) = replaced.get(import) {
                    *import = *replacement;
                }
            }
        }
    }
}

fn set(package: &mut Package, file: &str, trimpath: bool) {
    package.pgo_profile = Some(file.to_owned());
    if let Some(info) = &mut package.build_info {
        let info = Arc::make_mut(info);
        let shown = if trimpath { file.rsplit('/').next().unwrap_or(file) } else { file };
        info.settings.push(("-pgo".to_owned(), shown.to_owned()));
        info.settings.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
}
