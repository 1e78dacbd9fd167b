//! The end of a verb: go.mod and go.sum as they have to be (`modload/init.go:commitRequirements`).

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};

use modkeep_resolver::error::DirtyReason;
use modkeep_resolver::node::Node;
use modkeep_resolver::requirements::Requirements;
use modkeep_resolver::sums::LoadedPackages;
use modkeep_resolver::world::Mode;
use modkeep_resolver::written::{Change, Written};

use super::{Ground, Session};
use crate::locked;
use crate::report::Failure;

const IN_OVERLAY: &str =
    "updates to go.mod needed, but go.mod is part of the overlay specified with -overlay";

impl Session<'_> {
    /// Whether go.sum must have a line for everything that is used (`mustHaveSums`).
    pub(crate) fn must_have_sums(&self) -> bool {
        matches!(self.ground, Ground::Module { .. }) && matches!(self.world.mode, Mode::Readonly(_))
    }

    pub(super) fn require_sums(&mut self) -> Result<(), Failure> {
        if self.must_have_sums() {
            self.world.required_sums = self.source.sums.lock().required();
        }
        Ok(())
    }

    /// Writes what changed, or fails if nothing may change.
    pub(crate) fn commit(
        &mut self,
        requirements: &Requirements,
        change: &Change,
        loaded: Option<&LoadedPackages>,
    ) -> Result<(), Failure> {
        if self.ground.is_workspace() {
            return self.write_sums(requirements, loaded);
        }
        let written =
            self.world.written(requirements, change).map_err(|error| Failure::go(error.to_string()))?;
        let Some(written) = written else { return Ok(()) };
        if written.is_dirty && self.world.mode != Mode::Mod {
            let reason = match &self.world.mode {
                Mode::Mod => DirtyReason::default(),
                Mode::Readonly(reason) | Mode::Vendor(reason, _) => reason.clone(),
            };
            return Err(Failure::go(format!("updates to go.mod needed{reason}")));
        }
        if written.is_dirty || self.verb == "mod tidy" {
            match &self.ground {
                Ground::Module { go_mod, .. } if self.go.seen().replaces(go_mod) => {
                    return if written.is_dirty { Err(Failure::go(IN_OVERLAY)) } else { Ok(()) };
                }
                _ => self.write_go_mod(&written)?,
            }
        }
        self.write_sums(requirements, loaded)
    }

    /// Drops all lines of go.sum but those to keep, and writes it (`mod tidy`).
    pub(crate) fn trim_sums(&mut self, keep: &BTreeSet<Node>) -> Result<(), Failure> {
        let mut sums = self.source.sums.lock();
        sums.trim(keep);
        sums.write(keep, false, || self.side_lock()).map_err(Failure::go)
    }

    fn write_go_mod(&mut self, written: &Written) -> Result<(), Failure> {
        let Ground::Module { go_mod, .. } = &self.ground else { return Ok(()) };
        let _lock = self.side_lock();
        let fail = |text: String| Failure::go(format!("updating go.mod: {text}"));
        if self.go_mod_data != written.after {
            locked::change(go_mod, &self.go_mod_data, &written.after).map_err(|error| match error {
                locked::LockedError::Changed => fail("existing contents have changed since last read".into()),
                error => fail(error.to_string()),
            })?;
        }
        self.go_mod_data.clone_from(&written.after);
        Ok(())
    }

    fn write_sums(
        &mut self,
        requirements: &Requirements,
        loaded: Option<&LoadedPackages>,
    ) -> Result<(), Failure> {
        // In a workspace the search itself can find a fault: modules that are replaced in different ways.
        if !self.ground.is_workspace() && !self.source.sums.lock().may_change() {
            return Ok(());
        }
        let keep = self.answer(|world| world.kept_sums(requirements, loaded, true))?;
        let is_readonly = self.world.mode != Mode::Mod && !self.ground.is_workspace();
        self.source.sums.lock().write(&keep, is_readonly, || self.side_lock()).map_err(Failure::go)
    }

    /// The lock that go commands before 1.12 took, as far as it can be had.
    fn side_lock(&self) -> Option<File> {
        let path = self.source.cache.root().join("cache/lock");
        fs::create_dir_all(path.parent()?).ok()?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).ok()?;
        file.lock().ok()?;
        Some(file)
    }
}
