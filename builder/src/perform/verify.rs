//! Making again a part of what caches have, to see whether they are right.
//!
//! A cache that has a wrong result under a right key gives it for ever, and nothing in the result says so. What is found wrong
//! is put right in the build cache, and fails the build: whoever filled the cache has to be looked for.

use std::fs;

use modkeep_store::Digest;

use super::Run;
use crate::action_id::ActionId;
use crate::compile::{Compiled, Unit};
use crate::link::{Linked, Program};
use crate::plan::{Node, NodeId};
use crate::shop::StepError;
use crate::tier::ExportKey;

/// A number that other runs don't have.
pub(super) fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

impl Run<'_> {
    /// Whether a result that a cache has is made again in this run.
    pub(super) fn is_sampled(&self, action: &ActionId) -> bool {
        let part = self.shop.flags.verified_part;
        if part <= 0.0 || self.shop.flags.dry || self.shop.flags.only_tells_reasons {
            return false;
        }
        let text = [&self.seed.to_be_bytes()[..], action.as_bytes()].concat();
        let number =
            Digest::of(&text).as_bytes()[..4].iter().fold(0u32, |all, &byte| all << 8 | u32::from(byte));
        f64::from(number) < part * f64::from(u32::MAX)
    }

    /// Compiles a package that was cached, and compares.
    pub(super) fn verify_archive(
        &self,
        unit: &Unit<'_>,
        node: &Node,
        cached: &Compiled,
    ) -> Result<(), StepError> {
        let Some(archive) = &cached.archive else {
            return Ok(());
        };
        self.ensure(&node.needs)?;
        // It replaces what the caches have.
        let export_key = ExportKey::of(unit, &cached.preimage);
        let made = unit.build_afresh(cached.action, cached.preimage.clone(), export_key)?;
        let content = made.archive.as_ref().and_then(|archive| archive.content);
        if content == archive.content {
            return Ok(());
        }
        Err(wrong(&unit.package.import_path, archive.content, content))
    }

    /// Links a program that was there, and compares.
    pub(super) fn verify_program(
        &self,
        program: &Program<'_>,
        needs: &[NodeId],
        linked: &Linked,
    ) -> Result<(), StepError> {
        let failed = |path: &str, error: std::io::Error| StepError::system("open", path, &error);
        if linked.path.is_empty() || program.packages[0].1.archive.is_none() {
            // What it is made of was not looked for either.
            return Ok(());
        }
        let found = fs::read(&linked.path).map_err(|error| failed(&linked.path, error))?;
        self.ensure(needs)?;
        let made = program.link_afresh(linked.action, linked.preimage.clone())?;
        let content = fs::read(&made.path).map_err(|error| failed(&made.path, error))?;
        if content == found {
            return Ok(());
        }
        let name = format!("{} (program)", program.package.import_path);
        Err(wrong(&name, Some(Digest::of(&found)), Some(Digest::of(&content))))
    }
}

fn wrong(what: &str, had: Option<Digest>, made: Option<Digest>) -> StepError {
    let text =
        |digest: Option<Digest>| digest.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
    StepError::Reported(format!(
        "modkeep: {what}: a cache had {} where {} is made of the same inputs; it is put right here, what else was filled by \
         the same machine may be wrong too",
        text(had),
        text(made)
    ))
}
