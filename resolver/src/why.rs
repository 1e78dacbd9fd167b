//! Why a package or a module is needed: a shortest way of imports from a main module.
//!
//! Source of the rules: `cmd/go/internal/modcmd/why.go`.

use std::fmt;
use std::sync::Arc;

use crate::error::Halt;
use crate::packages::{PackageOptions, Packages, Pattern, Silence, Tags};
use crate::requirements::Requirements;
use crate::world::World;

/// A stanza of `mod why`: its text ends with a newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The package or the module.
    pub subject: String,
    /// Whether a module was asked about.
    pub is_module: bool,
    /// Whether only what a vendor directory would hold counts.
    pub for_vendor: bool,
    /// The import paths on the way, tests ending in `.test`; `None` if nothing needs it.
    pub way: Option<Vec<String>>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}", self.subject)?;
        match &self.way {
            Some(way) => way.iter().try_for_each(|step| writeln!(f, "{step}")),
            None => {
                let vendor = if self.for_vendor { " to vendor" } else { "" };
                let noun = if self.is_module { "module" } else { "package" };
                writeln!(f, "(main module does not need{vendor} {noun} {})", self.subject)
            }
        }
    }
}

impl World {
    /// Why packages are needed (`mod why`, with `-vendor`).
    ///
    /// # Errors
    /// When something isn't known yet, or the module graph can't be had.
    pub fn why_packages(
        &mut self,
        requirements: &Arc<Requirements>,
        patterns: Vec<Pattern>,
        for_vendor: bool,
    ) -> Result<Vec<Reason>, Halt> {
        let named = self.load_packages(requirements, &options(patterns, for_vendor))?;
        let loaded = self.load_packages(&named.requirements, &options(all(), for_vendor))?;
        let paths = named.matches.iter().flat_map(|found| &found.packages);
        let reason = |path: &String| Reason {
            subject: path.clone(),
            is_module: false,
            for_vendor,
            way: way(&loaded.packages, path),
        };
        Ok(paths.map(reason).collect())
    }

    /// Why modules are needed (`mod why -m`); the modules are those that `list -m` names.
    ///
    /// # Errors
    /// As [`World::why_packages`].
    pub fn why_modules(
        &mut self,
        requirements: &Arc<Requirements>,
        modules: &[String],
        for_vendor: bool,
    ) -> Result<Vec<Reason>, Halt> {
        let loaded = self.load_packages(requirements, &options(all(), for_vendor))?;
        let packages = &loaded.packages;
        let reason = |module: &String| {
            let path = self.nodes().find_path(module);
            let is_of =
                |package: &&str| packages.module(package).is_some_and(|module| Some(module.path()) == path);
            let depth = |package: &&str| packages.find(package).map(|id| packages.stack(id).len());
            let nearest = packages.paths().into_iter().filter(is_of).min_by_key(depth);
            let way = nearest.and_then(|package| way(packages, package));
            Reason { subject: module.clone(), is_module: true, for_vendor, way }
        };
        Ok(modules.iter().map(reason).collect())
    }
}

fn all() -> Vec<Pattern> {
    vec![Pattern::Path("all".to_owned())]
}

fn options(patterns: Vec<Pattern>, for_vendor: bool) -> PackageOptions {
    PackageOptions {
        patterns,
        tags: Tags::Any,
        loads_tests: !for_vendor,
        uses_vendor_all: for_vendor,
        silence: Silence { package_errors: true, ..Silence::default() },
        ..PackageOptions::default()
    }
}

fn way(packages: &Packages, path: &str) -> Option<Vec<String>> {
    let text = packages.why(path)?;
    Some(text.lines().map(str::to_owned).collect())
}
