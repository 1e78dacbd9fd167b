//! Tests are vetted before they run, as `-vet` says.
//!
//! Source of the rules: `cmd/go/internal/test` (`testflag.go:vetFlag`, `test.go:addTestVet`).

use std::collections::HashMap;

use modkeep_builder::load::TestPackages;
use modkeep_builder::package::{Graph, PackageId};
use modkeep_builder::perform::Outcome;
use modkeep_builder::plan::Plan;
use modkeep_builder::release::{Release, TEST_ANALYZERS};
use modkeep_builder::vet::Vetting;

/// `-vet`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What the release thinks is nearly always right.
    #[default]
    Usual,
    /// These analyzers; none means all.
    Named(Vec<String>),
    /// Nothing.
    Off,
}

/// What is wrong with `-vet`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VetFlagError {
    #[error("-vet argument cannot contain equal signs")]
    Equals,
    #[error("-vet argument is comma-separated list, cannot contain spaces")]
    Spaces,
    #[error("-vet argument contains empty list element")]
    Empty,
    #[error("-vet argument must be a supported analyzer or a distinguished value; found {0}")]
    Unknown(String),
    #[error("-vet does not accept {0:?} in a list with other analyzers")]
    Mixed(String),
}

impl Wanted {
    /// Reads the flag's value.
    pub(super) fn parse(value: &str) -> Result<Self, VetFlagError> {
        if value.is_empty() {
            return Ok(Self::Usual);
        }
        if value.contains('=') {
            return Err(VetFlagError::Equals);
        }
        if value.contains(' ') {
            return Err(VetFlagError::Spaces);
        }
        let mut wanted = Self::Named(Vec::new());
        let mut single = None;
        for word in value.split(',') {
            match word {
                "" => return Err(VetFlagError::Empty),
                "all" => (wanted, single) = (Self::Named(Vec::new()), Some(word)),
                "off" => (wanted, single) = (Self::Off, Some(word)),
                _ if !TEST_ANALYZERS.contains(&word) => return Err(VetFlagError::Unknown(word.to_owned())),
                _ => match &mut wanted {
                    Self::Named(names) => names.push(word.to_owned()),
                    Self::Usual | Self::Off => {}
                },
            }
        }
        match (wanted, single) {
            (Self::Named(names), Some(single)) if names.len() > 1 => {
                Err(VetFlagError::Mixed(single.to_owned()))
            }
            (wanted, _) => Ok(wanted),
        }
    }

    /// How packages are vetted; none if they aren't.
    pub(super) fn vetting(&self, release: Release) -> Option<Vetting> {
        let flags = match self {
            Self::Usual => release.test_vet_flags().iter().map(|&flag| flag.to_owned()).collect(),
            Self::Named(names) => names.iter().map(|name| format!("-{name}")).collect(),
            Self::Off => return None,
        };
        Some(Vetting { flags, is_explicit: *self != Self::Usual, is_test: true, ..Vetting::default() })
    }
}

/// The nodes that vet each tested package and its tests.
#[derive(Debug, Default)]
pub(super) struct Vets(HashMap<PackageId, Vec<(PackageId, usize)>>);

impl Vets {
    /// Has a package vetted, its tests instead if it has some; what it installs waits for that. Gives what does it.
    pub(super) fn add(
        &mut self,
        plan: &mut Plan<'_>,
        graph: &Graph,
        package: PackageId,
        tests: Option<&TestPackages>,
        installs: Option<usize>,
    ) -> Vec<usize> {
        let mut nodes = Vec::new();
        let has_files = |id: &PackageId| !graph[*id].go_files.is_empty() || !graph[*id].cgo_files.is_empty();
        let packages: Vec<PackageId> = match tests {
            None => vec![package],
            Some(tests) => Some(tests.inner).filter(has_files).into_iter().chain(tests.outer).collect(),
        };
        for id in packages {
            let node = plan.vet(0, id);
            self.0.entry(package).or_default().push((id, node));
            nodes.push(node);
            if let Some(installs) = installs {
                plan.wait(installs, node);
            }
        }
        nodes
    }

    /// What keeps a package's tests from being run.
    pub(super) fn failed(&self, outcome: &Outcome, package: PackageId) -> Option<PackageId> {
        let vets = self.0.get(&package)?;
        vets.iter().find(|(_, node)| outcome.vetted(*node).is_none()).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_analyzers_is_read_as_go_reads_it() {
        let named = |names: &[&str]| Ok(Wanted::Named(names.iter().map(|&name| name.to_owned()).collect()));
        for (value, expected) in [
            ("", Ok(Wanted::Usual)),
            ("off", Ok(Wanted::Off)),
            ("all", named(&[])),
            ("shift", named(&["shift"])),
            ("atomic,bools", named(&["atomic", "bools"])),
            ("a=b", Err(VetFlagError::Equals)),
            ("a b", Err(VetFlagError::Spaces)),
            ("atomic,", Err(VetFlagError::Empty)),
            ("bools,xyz", Err(VetFlagError::Unknown("xyz".to_owned()))),
            ("all,atomic,bools", Err(VetFlagError::Mixed("all".to_owned()))),
        ] {
            assert_eq!(Wanted::parse(value), expected, "{value}");
        }
    }
}
