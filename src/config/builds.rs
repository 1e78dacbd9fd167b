//! What builds share on the server, and who may.

use std::path::PathBuf;

use modkeep_proxy::BuildRules;
use modkeep_store::Digest;
use modkeep_store::remote::MAX_BLOB;

use super::{ConfigError, Layers, units};

/// What the size of a blob looks like.
const BLOB: &str = "a size of at most 1GiB, such as 500MB";

/// What `serve` was told about the cache of builds.
#[derive(Debug)]
pub(crate) struct BuildsConfig {
    /// Where it lies.
    pub(crate) folder: PathBuf,
    /// What may be put there, and by whom.
    pub(crate) rules: BuildRules,
}

impl BuildsConfig {
    /// Nothing where no folder is set; the other settings are then refused, for they mean nothing.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        let usual = BuildRules::default();
        let size = |name| layers.parsed(name, units::SIZE, units::size);
        let rules = BuildRules {
            readers: tokens(layers, "cache-readers")?,
            writers: tokens(layers, "cache-writers")?,
            size: size("cache-size")?.unwrap_or(usual.size),
            max_blob: layers.parsed("cache-max-blob", BLOB, blob)?.unwrap_or(usual.max_blob),
        };
        if let Some((folder, _)) = layers.text("cache-folder") {
            return Ok(Some(Self { folder: folder.into(), rules }));
        }
        let others = ["cache-readers", "cache-writers", "cache-size", "cache-max-blob"];
        match others.iter().find_map(|name| layers.texts(name)) {
            Some((_, origin)) => {
                Err(ConfigError::Unusable { origin, problem: "needs --cache-folder as well".to_owned() })
            }
            None => Ok(None),
        }
    }
}

/// Clients take no longer one, whatever a server keeps.
fn blob(text: &str) -> Option<u64> {
    units::size(text).filter(|size| *size <= MAX_BLOB)
}

fn tokens(layers: &Layers, name: &'static str) -> Result<Vec<Digest>, ConfigError> {
    let Some((texts, origin)) = layers.texts(name) else { return Ok(Vec::new()) };
    let digest = |text: &String| {
        Digest::parse(text).map_err(|_| ConfigError::Value {
            origin: origin.clone(),
            // It may be the token itself, which is nobody's business.
            value: "it".to_owned(),
            expected: "the SHA-256 of a token, in lower-case hexadecimal",
        })
    };
    texts.iter().map(digest).collect()
}
