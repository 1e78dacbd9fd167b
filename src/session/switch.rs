//! Another release in the place of the local one, where something needs a newer one and GOTOOLCHAIN allows the change.
//!
//! Go downloads that release and runs it; modkeep begins the verb again and acts as that release. It must be to be had,
//! and the checksum database must vouch for it, as if it were run.
//! Source of the rules: `cmd/go/internal/toolchain/switch.go`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use modkeep_resolver::error::{Error, Fault, TooNew, newest};
use modkeep_resolver::go_version::{self, GoVersion};
use modkeep_resolver::query::{newer, releases};

use super::source::{Stop, TOOLCHAIN};
use super::{Session, end, module_version};
use crate::report::{self, Failure};
use crate::version;

/// The verbs that go begins again.
const VERBS: [&str; 6] = ["get", "mod download", "mod tidy", "work init", "work sync", "work use"];

impl Session<'_> {
    /// The end of this run, if it is to begin again as a newer release. Where that is allowed and there is no such
    /// release, this is told after the errors.
    pub(crate) fn switch(&mut self, errors: &[Error]) -> Option<Failure> {
        let too_new = newest(errors.iter().filter_map(Error::too_new))?.clone();
        self.switch_for(&too_new, |session| errors.iter().for_each(|error| session.fail_with(error)))
    }

    /// The same where it is known what needs the newer release.
    pub(crate) fn switch_for(
        &mut self,
        TooNew { what, version: needed, .. }: &TooNew,
        tell: impl FnOnce(&mut Self),
    ) -> Option<Failure> {
        let is_auto = self.way_to_switch()? == "auto";
        let release = match self.newer_release(needed, is_auto) {
            Ok(release) => release,
            Err(problem) => {
                tell(self);
                self.fail(&format!("switching to go >= {needed}: {problem}"));
                return Some(Failure::told(1));
            }
        };
        report::tell(&format!("go: {what} requires go >= {needed}; switching to go{release}"));
        Some(match self.prove_release(&release, is_auto) {
            Ok(()) => Failure::begin_again_as(release),
            Err(failure) => failure,
        })
    }

    /// `auto` or `path`, if the verb may begin again.
    pub(super) fn way_to_switch(&self) -> Option<&str> {
        let setting = self.go.get("GOTOOLCHAIN").unwrap_or("local");
        let way = setting.rsplit('+').next().filter(|_| VERBS.contains(&self.verb));
        way.filter(|way| matches!(*way, "auto" | "path"))
    }

    fn newer_release(&self, needed: &str, is_auto: bool) -> Result<String, String> {
        let local = self.go.release();
        let listed = match is_auto {
            true => self.source.block_on(self.source.versions(TOOLCHAIN)).map_err(|e| e.to_string())?,
            false => Vec::new(),
        };
        let on_path = self.releases_on_path();
        let mut releases = releases(&listed, local);
        if !is_auto {
            releases = on_path.keys().map(String::as_str).collect();
            releases.sort_by(|a, b| go_version::compare(a, b));
        }
        let found = newer(needed, &releases).map(str::to_owned);
        found.ok_or_else(|| format!("no releases found for go >= {needed}"))
    }

    /// The go commands on PATH that are called after their release, such as `go1.26.8`.
    fn releases_on_path(&self) -> BTreeMap<String, PathBuf> {
        let path = self.go.get("PATH").unwrap_or_default();
        let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        let mut found = BTreeMap::new();
        for file in files {
            let name = file.file_name().into_string().unwrap_or_default();
            let release = name.strip_prefix("go").filter(|release| GoVersion::parse(release).is_some());
            if let Some(release) =
                release.filter(|release| release.starts_with("1.") && is_program(&file.path()))
            {
                found.entry(release.to_owned()).or_insert_with(|| file.path());
            }
        }
        found
    }

    /// Whoever wants to act as a release must be able to have it.
    fn prove_release(&self, release: &str, is_auto: bool) -> Result<(), Failure> {
        if self.releases_on_path().contains_key(release) {
            return Ok(());
        }
        if !is_auto {
            return Err(Failure::go(format!("cannot find \"go{release}\" in PATH")));
        }
        let (os, arch) = (version::goos(), version::goarch());
        let module = module_version(TOOLCHAIN, &format!("v0.0.1-go{release}.{os}-{arch}"));
        let module = module.map_err(|error| Failure::go(error.to_string()))?;
        match self.source.block_on(self.source.go_mod(&module)) {
            Ok(_) => Ok(()),
            Err(Stop::Error(error)) if error.kind == Fault::NotExist => {
                Err(Failure::go(format!("download go{release} for {os}/{arch}: toolchain not available")))
            }
            Err(Stop::Error(error)) => Err(Failure::go(format!("download go{release}: {error}"))),
            Err(stop) => Err(end(stop)),
        }
    }
}

#[cfg(unix)]
fn is_program(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &std::path::Path) -> bool {
    file.is_file()
}
