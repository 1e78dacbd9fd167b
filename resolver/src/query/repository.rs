//! What a module's source says, with what main modules replace added: a module that only a replacement knows exists.
//!
//! Source of the rules: `cmd/go/internal/modload/query.go` (`lookupRepo`, `replacementRepo`).

use std::sync::Arc;

use modkeep_module::path::major::{check_path_major, split_path_version};
use modkeep_module::path::{PathKind, check_path};
use modkeep_module::{pseudo, semver, version};

use crate::error::{Error, Fault, Halt, ModuleError};
use crate::known::Revision;
use crate::node::Node;
use crate::order;
use crate::world::World;

pub(super) type Answer = Result<Arc<Revision>, ModuleError>;

impl World {
    /// Refuses what can't be a module's path, unless something replaces it.
    pub(super) fn check_path(&self, path: &str) -> Result<(), Halt> {
        match invalid_path(path) {
            Some(error) if self.main.highest_replaced(path).is_none() => Err(Error::from(error).into()),
            _ => Ok(()),
        }
    }

    /// The versions that begin with `prefix`, lowest first.
    pub(crate) fn repository_versions(&mut self, path: &str, prefix: &str) -> Result<Vec<String>, Halt> {
        let listed = match invalid_path(path) {
            Some(_) => Ok(Arc::default()),
            None if order::is_toolchain(path) => self.toolchain_versions(path)?,
            None => {
                let told = self.known.versions(path);
                self.known.or_halt(told)?
            }
        };
        let is_replaced = self.main.highest_replaced(path).is_some();
        let mut versions: Vec<String> = match listed {
            Ok(listed) => listed.to_vec(),
            Err(error) if is_replaced && error.kind == Fault::NotExist => Vec::new(),
            Err(error) => return Err(Error::from(error).into()),
        };
        if is_replaced {
            let replaced = self.main.replaced_versions(path).filter(|v| !pseudo::is_pseudo_version(v));
            versions.extend(replaced.map(str::to_owned));
        }
        if !order::is_toolchain(path) {
            versions.retain(|version| version.starts_with(prefix));
        }
        versions.sort_by(|a, b| order::compare(path, a, b).then_with(|| a.cmp(b)));
        versions.dedup();
        Ok(versions)
    }

    /// What a revision is.
    pub(crate) fn repository_revision(&mut self, path: &str, revision: &str) -> Result<Answer, Halt> {
        let answer = match invalid_path(path) {
            Some(error) => Err(error),
            None if order::is_toolchain(path) => self.toolchain_revision(path, revision)?,
            None => {
                let told = self.known.revision(path, revision);
                self.known.or_halt(told)?
            }
        };
        let is_replaced = self.main.highest_replaced(path).is_some() && self.main.has_replacements();
        let is_canonical = version::canonical_version(revision).as_deref() == Some(revision);
        if answer.is_ok() || !is_replaced || !is_canonical {
            return Ok(answer);
        }
        let mut version = revision.to_owned();
        let is_plain = split_path_version(path).is_some_and(|(_, major)| major.is_empty());
        if is_plain && check_path_major(&version, "").is_err() && semver::build(&version).is_empty() {
            version.push_str("+incompatible");
        }
        match self.main.replacement(&Node::new(path, version.as_str())) {
            Some(_) => Ok(Ok(replaced(&version))),
            None => Ok(answer),
        }
    }

    /// The latest version by the source's opinion, or the highest one that is replaced.
    pub(crate) fn repository_latest(&mut self, path: &str) -> Result<Answer, Halt> {
        let answer = match invalid_path(path) {
            Some(error) => Err(error),
            None if order::is_toolchain(path) => self.latest_toolchain(path)?,
            None => {
                let told = self.known.latest(path);
                self.known.or_halt(told)?
            }
        };
        let Some(highest) = self.main.highest_replaced(path) else { return Ok(answer) };
        let highest = match highest {
            // Below every real version, so that whoever uses the main module can upgrade to any.
            "" => {
                let major = split_path_version(path).map_or("", |(_, major)| major);
                pseudo::zero_pseudo_version(major.get(1..).unwrap_or_default())
            }
            version => version.to_owned(),
        };
        match &answer {
            Ok(latest) if order::compare(path, &highest, &latest.version).is_le() => Ok(answer),
            _ => Ok(Ok(replaced(&highest))),
        }
    }
}

fn invalid_path(path: &str) -> Option<ModuleError> {
    if order::is_toolchain(path) {
        return None;
    }
    let mut error = check_path(path).err()?;
    error.kind = PathKind::Module;
    Some(ModuleError { module: None, invalid: None, text: error.to_string(), kind: Fault::InvalidPath })
}

/// A version that only a replacement knows.
fn replaced(version: &str) -> Arc<Revision> {
    let time = pseudo::pseudo_version_time(version).ok();
    Arc::new(Revision { version: version.to_owned(), time: time.map(|time| format!("{time}Z")) })
}
