//! Who may import what: internal and vendored packages, and programs.

use std::fs;

use modkeep_module::file_path;

use super::{Loader, Mode, PackageError, Problem};
use crate::package::{Package, PackageId};
use crate::package_flags::is_relative;
use crate::path_prefix::has_path_prefix;

/// The package that code is rewritten to use where it imports `simd`.
pub(super) const SIMD_BRIDGE: &str = "simd/internal/bridge";

impl Loader<'_> {
    /// Why the importer may not import the package as `path`.
    pub(super) fn refusal(
        &self,
        id: PackageId,
        path: &str,
        parent: Option<PackageId>,
        mode: Mode,
    ) -> Option<PackageError> {
        let package = &self.graph[id];
        let importer = &self.graph[parent?];
        let is_bridge = mode.allows_bridge && path == SIMD_BRIDGE;
        if !is_bridge && self.is_hidden_inside(package, importer) {
            let problem = Problem::Internal(package.import_path.clone());
            return Some(PackageError { always_shows_stack: true, ..self.error(problem) });
        }
        if mode.resolves {
            if is_vendored_elsewhere(package, importer) {
                return Some(self.error(Problem::Vendored));
            }
            if let Some(at) = vendor_element(path) {
                let short = path[at + "vendor/".len()..].to_owned();
                return Some(self.error(Problem::MustBeImportedAs { path: path.to_owned(), short }));
            }
        }
        if package.name == "main" && importer.dir != package.dir {
            return Some(self.error(Problem::Program(path.to_owned())));
        }
        let is_local = is_relative(path) && !importer.cmdline_files && importer.local_prefix.is_empty();
        is_local.then(|| self.error(Problem::Local(path.to_owned())))
    }

    pub(super) fn error(&self, problem: Problem) -> PackageError {
        PackageError::new(problem, &self.stack)
    }

    /// Whether the package is internal to another tree than the importer's (`disallowInternal`).
    fn is_hidden_inside(&self, package: &Package, importer: &Package) -> bool {
        let (path, from) = (package.import_path.as_str(), importer.import_path.as_str());
        if package.error.is_some() || has_path_prefix(path, "testing/internal") && from == "testmain" {
            return false;
        }
        let Some(at) = internal_element(path) else {
            return false;
        };
        let at = at.saturating_sub(1);
        if has_path_prefix(from, "crypto") && has_path_prefix(path, "crypto/internal/fips140") {
            return false;
        }
        if has_path_prefix(from, "crypto/internal/fips140") {
            return !has_path_prefix(path, "crypto/internal");
        }
        if package.module.is_some() {
            let from = match importer.cmdline_files {
                true => self.source.path_of_folder(&importer.dir),
                false => from.to_owned(),
            };
            return !has_path_prefix(&from, &path[..at]);
        }
        let Some(length) = (at + package.dir.len()).checked_sub(path.len()) else {
            return true;
        };
        !is_inside(&importer.dir, &package.dir[..length])
    }
}

/// `disallowVendorVisibility`
fn is_vendored_elsewhere(package: &Package, importer: &Package) -> bool {
    let Some(at) = vendor_element(&package.import_path) else {
        return false;
    };
    match (at.saturating_sub(1) + package.dir.len()).checked_sub(package.import_path.len()) {
        Some(length) if length <= package.dir.len() => !is_inside(&importer.dir, &package.dir[..length]),
        _ => false,
    }
}

/// Whether a folder lies in a tree, by name or after links are followed.
fn is_inside(folder: &str, tree: &str) -> bool {
    let real = |path: &str| match fs::canonicalize(path) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    };
    has_path_prefix(&file_path::clean(folder), &file_path::clean(tree))
        || has_path_prefix(&real(folder), &real(tree))
}

/// Where the last element `internal` is (`findInternal`).
fn internal_element(path: &str) -> Option<usize> {
    if path.ends_with("/internal") {
        Some(path.len() - "internal".len())
    } else if let Some(at) = path.rfind("/internal/") {
        Some(at + 1)
    } else {
        (path == "internal" || path.starts_with("internal/")).then_some(0)
    }
}

/// Where the last element `vendor` is that something follows (`FindVendor`).
pub(super) fn vendor_element(path: &str) -> Option<usize> {
    match path.rfind("/vendor/") {
        Some(at) => Some(at + 1),
        None => path.starts_with("vendor/").then_some(0),
    }
}
