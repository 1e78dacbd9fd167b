//! The releases of Go as versions of the modules `go` and `toolchain` (`cmd/go/internal/modfetch/toolchain.go`).

use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::known::Revision;
use modkeep_resolver::{go_version, order};

use super::source::Source;

/// The module in which releases are published.
const PUBLISHED: &str = "golang.org/toolchain";

impl Source {
    /// All releases, the local one among them.
    pub(super) async fn releases(&self, path: &str) -> Result<Vec<String>, ModuleError> {
        let prefix = if path == "toolchain" { "go" } else { "" };
        let published = self.versions(PUBLISHED).await?;
        let mut versions: Vec<String> = Vec::new();
        for release in published.iter().filter_map(|version| of_published(version)) {
            let version = format!("{prefix}{release}");
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        let local = format!("{prefix}{}", self.release);
        if !versions.contains(&local) {
            versions.push(local);
        }
        versions.sort_by(|a, b| order::compare(path, a, b));
        Ok(versions)
    }

    /// One release, if anybody has to be asked.
    pub(super) async fn release(&self, path: &str, revision: &str) -> Result<Revision, ModuleError> {
        match self.release_now(path, revision) {
            Some(answer) => answer,
            None => {
                let version = revision.strip_prefix("go").unwrap_or(revision);
                let info = self.info(PUBLISHED, &format!("v0.0.1-go{version}.linux-amd64")).await?;
                let prefix = if path == "toolchain" { "go" } else { "" };
                Ok(Revision { version: format!("{prefix}{version}"), time: info.time.clone() })
            }
        }
    }

    /// One release, where nobody has to be asked: all up to the local one.
    pub(super) fn release_now(&self, path: &str, revision: &str) -> Option<Result<Revision, ModuleError>> {
        let error = |text: String| {
            Some(Err(ModuleError { module: None, invalid: None, text, kind: Fault::Other }))
        };
        let version = revision.strip_prefix("go").unwrap_or(revision);
        if !go_version::is_valid(version) {
            return error(format!("invalid {path} version {revision}"));
        }
        let (prefix, is_local) = match path {
            "toolchain" => ("go", version == self.release),
            _ => ("", go_version::compare(version, &self.release).is_le()),
        };
        if is_local {
            return Some(Ok(Revision { version: format!("{prefix}{version}"), time: None }));
        }
        if go_version::language(version) == version {
            return error(format!("go language version {revision} is not a toolchain version"));
        }
        None
    }

    /// The newest release.
    pub(super) async fn latest_release(&self, path: &str) -> Result<Revision, ModuleError> {
        let versions = self.releases(path).await?;
        let newest = versions.last().cloned().unwrap_or_default();
        self.release(path, &newest).await
    }
}

/// The release in `v0.0.1-go1.22.3.linux-amd64`.
fn of_published(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('-')?;
    let (release, system) = rest.rsplit_once('.')?;
    let release = system.contains('-').then_some(release)?;
    Some(release.strip_prefix("go").unwrap_or(release))
}

#[cfg(test)]
mod tests {
    use super::of_published;

    #[test]
    fn releases_are_found_in_what_is_published() {
        for (version, want) in [
            ("v0.0.1-go1.22.3.linux-amd64", Some("1.22.3")),
            ("v0.0.1-go1.23rc1.windows-arm64", Some("1.23rc1")),
            ("v0.0.1", None),
            ("v0.0.1-go1.22", None),
        ] {
            assert_eq!(of_published(version), want);
        }
    }
}
