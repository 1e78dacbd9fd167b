//! What versions are: `.info` documents, lists and `@latest`, kept in the module cache as go keeps them.
//!
//! Source of the rules: `cmd/go/internal/modfetch` (`cache.go:Stat`, `proxy.go`).

use std::sync::Arc;

use jiff::Timestamp;
use modkeep_module::info::{Info, Origin};
use modkeep_module::quote::quote;
use modkeep_module::{ModulePath, ModuleVersion, Resource, pseudo, semver};
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::node::Node;
use modkeep_store::Stamp;
use serde::Serialize;

use super::source::Source;
use crate::gojson;

/// The document as go writes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: &'a str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginDocument<'a>>,
}

/// Where a version came from, as JSON shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OriginDocument<'a> {
    #[serde(rename = "VCS", skip_serializing_if = "str::is_empty")]
    vcs: &'a str,
    #[serde(rename = "URL", skip_serializing_if = "str::is_empty")]
    url: &'a str,
    #[serde(rename = "Subdir", skip_serializing_if = "str::is_empty")]
    subdir: &'a str,
    #[serde(rename = "Hash", skip_serializing_if = "str::is_empty")]
    hash: &'a str,
    #[serde(rename = "TagPrefix", skip_serializing_if = "str::is_empty")]
    tag_prefix: &'a str,
    #[serde(rename = "TagSum", skip_serializing_if = "str::is_empty")]
    tag_sum: &'a str,
    #[serde(rename = "Ref", skip_serializing_if = "str::is_empty")]
    reference: &'a str,
    #[serde(rename = "RepoSum", skip_serializing_if = "str::is_empty")]
    repo_sum: &'a str,
}

impl<'a> OriginDocument<'a> {
    /// That of an origin.
    pub(crate) fn of(origin: &'a Origin) -> Self {
        Self {
            vcs: &origin.vcs,
            url: &origin.url,
            subdir: &origin.subdir,
            hash: &origin.hash,
            tag_prefix: &origin.tag_prefix,
            tag_sum: &origin.tag_sum,
            reference: &origin.reference,
            repo_sum: &origin.repo_sum,
        }
    }
}

/// A time as go shows it after reading it.
pub(crate) fn shown_time(time: Option<&str>) -> String {
    let Some(time) = time else { return "0001-01-01T00:00:00Z".to_owned() };
    let (clock, zone) = match time.rfind(['Z', '+']).or_else(|| time.rfind('-').filter(|at| *at > 10)) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let clock = match clock.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        },
        None => clock.to_owned(),
    };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    format!("{clock}{zone}")
}

/// What is kept of a document: what a version does not depend on is left out (`writeDiskStat`).
fn document(info: &Info) -> Option<String> {
    let mut origin = info.origin.clone();
    if let Some(origin) = &mut origin {
        origin.tag_sum.clear();
        origin.tag_prefix.clear();
        origin.repo_sum.clear();
        if pseudo::is_pseudo_version(&info.version) {
            origin.reference.clear();
        }
    }
    as_read(info, origin.as_ref())
}

fn as_read(info: &Info, origin: Option<&Origin>) -> Option<String> {
    let document = Document {
        version: &info.version,
        time: shown_time(info.time.as_deref()),
        origin: origin.map(OriginDocument::of),
    };
    gojson::compact(&document).ok()
}

impl Source {
    /// The kept `.info` of a version.
    pub(super) fn kept_info(&self, module: &ModuleVersion) -> Option<Arc<Info>> {
        self.kept_info_with_stamp(module, false).map(|(info, _)| info)
    }

    /// The same with the stamp of the file, if it is wanted and the file is as it has to be.
    pub(super) fn kept_info_with_stamp(
        &self,
        module: &ModuleVersion,
        with_stamp: bool,
    ) -> Option<(Arc<Info>, Option<Stamp>)> {
        let found = self.cache.quick_info(module, with_stamp).ok()??;
        let is_as_written = |data: &[u8], info: &Info| {
            as_read(info, info.origin.as_ref()).is_none_or(|text| text.as_bytes() == data)
        };
        match Info::parse(&found.data) {
            Ok(info) if is_as_written(&found.data, &info) => {
                return Some((Arc::new(info), found.stamp));
            }
            Err(_) if found.is_whole => return None,
            _ => {}
        }
        let data = self.cache.info(module).ok()??;
        let info = Info::parse(&data).ok()?;
        // Files of early releases have fields that later ones leave out.
        if let Some(text) = as_read(&info, info.origin.as_ref()).filter(|text| text.as_bytes() != data) {
            self.keep(self.cache.keep_info(module, text.as_bytes()), "stat");
        }
        Some((Arc::new(info), None))
    }

    /// What a revision is.
    pub(crate) async fn info(&self, path: &str, revision: &str) -> Result<Arc<Info>, ModuleError> {
        let node = Node::new(path, revision);
        if let Ok(module) = ModuleVersion::parse(path, revision)
            && let Some(info) = self.kept_info(&module)
        {
            return Ok(info);
        }
        if self.is_off()
            && let Some(info) = self.info_by_hash(path, revision)
        {
            return Ok(info);
        }
        let resource = Resource::info(module_path(path)?, revision).map_err(|error| {
            let text = error.to_string();
            let prefix = format!("version {} invalid: ", quote(revision));
            let text = text.strip_prefix(&prefix).unwrap_or(&text).to_owned();
            ModuleError { module: Some(node.clone()), invalid: Some("version"), text, kind: Fault::Other }
        })?;
        let data = self.read(&resource, &node).await?;
        let info = Info::parse(&data)
            .map_err(|error| ModuleError::of_source(node, error.to_string(), Fault::Other))?;
        self.keep_info(path, &info);
        Ok(Arc::new(info))
    }

    fn keep_info(&self, path: &str, info: &Info) {
        if let (Ok(module), Some(text)) = (ModuleVersion::parse(path, &info.version), document(info)) {
            self.keep(self.cache.keep_info(&module, text.as_bytes()), "stat");
        }
    }

    /// The highest kept pseudo-version of a commit, where nobody may be asked (`readDiskStatByHash`).
    fn info_by_hash(&self, path: &str, revision: &str) -> Option<Arc<Info>> {
        let is_hex = revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let suffix = format!("-{}.info", revision.get(..12).filter(|_| is_hex)?);
        let path = ModulePath::parse(path).ok()?;
        let folder = self.cache.root().join("cache/download").join(path.escaped()).join("@v");
        let mut highest = String::new();
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let Some(version) = name.strip_suffix(".info").filter(|_| name.ends_with(&suffix)) else {
                continue;
            };
            if pseudo::is_pseudo_version(version) && semver::compare(version, &highest).is_gt() {
                version.clone_into(&mut highest);
            }
        }
        self.kept_info(&ModuleVersion::parse(path.as_str(), &highest).ok()?)
    }

    async fn list(&self, path: &str) -> Result<String, ModuleError> {
        let resource = Resource::List(module_path(path)?);
        let data = self.read(&resource, &Node::new(path, "")).await?;
        Ok(String::from_utf8_lossy(&data).into_owned())
    }

    /// The tagged versions of a module.
    pub(super) async fn versions(&self, path: &str) -> Result<Vec<String>, ModuleError> {
        let list = self.list(path).await?;
        let versions = list.lines().filter_map(|line| line.split_whitespace().next());
        let versions = versions.filter(|v| semver::is_valid(v) && !pseudo::is_pseudo_version(v));
        Ok(versions.map(str::to_owned).collect())
    }

    /// The latest version by the source's own opinion.
    pub(super) async fn latest(&self, path: &str) -> Result<Arc<Info>, ModuleError> {
        let node = Node::new(path, "");
        match self.read(&Resource::Latest(module_path(path)?), &node).await {
            Ok(data) => {
                let info = Info::parse(&data)
                    .map_err(|error| ModuleError::of_source(node, error.to_string(), Fault::Other))?;
                let module = ModuleVersion::parse(path, &info.version).ok();
                if module.is_some_and(|module| self.kept_info(&module).is_none()) {
                    self.keep_info(path, &info);
                }
                Ok(Arc::new(info))
            }
            Err(error) if error.kind == Fault::NotExist => {
                let list = self.list(path).await?;
                match latest_of(&list) {
                    Some(version) => self.info(path, version).await,
                    None => Err(ModuleError::of_source(node, "no commits", Fault::NotExist)),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// The line of a list with the latest time; tagged versions without one don't count (`latestFromList`).
fn latest_of(list: &str) -> Option<&str> {
    let mut best: Option<(Timestamp, &str)> = None;
    for line in list.lines() {
        let mut fields = line.split_whitespace();
        let Some(version) = fields.next().filter(|version| semver::is_valid(version)) else { continue };
        let time = match fields.next() {
            Some(time) => time.parse().ok(),
            None => pseudo::pseudo_version_time(version)
                .ok()
                .and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time).ok()),
        };
        if let Some(time) = time
            && best.is_none_or(|(before, _)| before < time)
        {
            best = Some((time, version));
        }
    }
    best.map(|(_, version)| version)
}

/// A path that can be asked for.
pub(super) fn module_path(path: &str) -> Result<ModulePath, ModuleError> {
    ModulePath::parse(path).map_err(|error| ModuleError {
        module: None,
        invalid: None,
        text: error.to_string(),
        kind: Fault::InvalidPath,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_go_reads_them() {
        for (time, want) in [
            (None, "0001-01-01T00:00:00Z"),
            (Some("2019-01-29T23:31:27Z"), "2019-01-29T23:31:27Z"),
            (Some("2019-01-29T23:31:27.500Z"), "2019-01-29T23:31:27.5Z"),
            (Some("2019-01-29T23:31:27.000+01:00"), "2019-01-29T23:31:27+01:00"),
            (Some("2019-01-29T23:31:27-07:00"), "2019-01-29T23:31:27-07:00"),
            (Some("2019-01-29T23:31:27+00:00"), "2019-01-29T23:31:27Z"),
        ] {
            assert_eq!(shown_time(time), want);
        }
    }

    #[test]
    fn the_latest_of_a_list_is_the_youngest_pseudo_version() {
        let list =
            "v1.0.0\nv0.0.0-20180101000000-aaaaaaaaaaaa\nv0.0.0-20190101000000-bbbbbbbbbbbb\nnonsense\n";
        assert_eq!(latest_of(list), Some("v0.0.0-20190101000000-bbbbbbbbbbbb"));
        assert_eq!(latest_of("v1.0.0 2020-01-01T00:00:00Z\n"), Some("v1.0.0"));
        assert_eq!(latest_of("v1.0.0\n"), None);
    }
}
