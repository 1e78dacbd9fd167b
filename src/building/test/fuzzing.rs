//! What fuzzing and profiles of one package ask for.
//!
//! Source: `cmd/go/internal/test/test.go:runTest`.

use modkeep_builder::build::Build;
use modkeep_builder::package::{Graph, PackageId};

use super::flags::TestFlags;
use crate::goenv::GoEnv;
use crate::report::Failure;

/// Fails where a test can't be fuzzed, or profiles of several packages would be one file.
pub(super) fn check(
    go: &GoEnv,
    flags: &TestFlags,
    build: &Build,
    graph: &Graph,
    named: &[PackageId],
) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::exact(1, text));
    if flags.fuzzes {
        let (os, arch) = (&build.target.os, &build.target.arch);
        if !build.can_fuzz() {
            return refuse(format!("-fuzz flag is not supported on {os}/{arch}"));
        }
        let [package] = named else {
            return refuse("cannot use -fuzz flag with multiple packages".to_owned());
        };
        if !flags.cover_profile.is_empty() {
            return refuse("cannot use -coverprofile flag with -fuzz flag".to_owned());
        }
        if let Some(name) = flags.profile() {
            return refuse(format!("cannot use -{name} flag with -fuzz flag"));
        }
        // What fuzzing finds is written beside the package.
        let package = &graph[*package];
        let is_outside = match &package.module {
            Some(module) => !module.main,
            None => package.standard && go.uses_modules()? && !is_of_standard_library(go, build),
        };
        if is_outside {
            return refuse("cannot use -fuzz flag on package outside the main module".to_owned());
        }
    }
    match flags.profile() {
        Some(name) if named.len() != 1 => refuse(format!("cannot use -{name} flag with multiple packages")),
        _ => Ok(()),
    }
}

/// Whether the main module is that of the standard library itself.
fn is_of_standard_library(go: &GoEnv, build: &Build) -> bool {
    let sources = format!("{}/src", build.toolchain.root);
    go.module_root().is_some_and(|root| root == sources || root == format!("{sources}/cmd"))
}
