//! Where results of other machines are: flags, else variables.
//!
//! `-remote URL` or MODKEEP_REMOTE: a folder, `s3://BUCKET/PREFIX`, or a server's URL. `-remote-mode` or MODKEEP_REMOTE_MODE: `ro` or `rw`.
//! The token of a server is in the file that MODKEEP_REMOTE_TOKEN_FILE names, or in MODKEEP_REMOTE_TOKEN itself; it is no flag,
//! for those can be seen by everybody on the machine. A bucket takes the variables that `serve` takes for one.

use std::path::Path;

use modkeep_builder::action_id::ActionId;
use modkeep_builder::goal::Goal;
use modkeep_builder::remote::Remote;
use modkeep_store::S3Options;
use modkeep_store::remote::{BucketShelf, Client, FolderShelf, Mode, ServerShelf};

use super::BuildFlags;
use crate::goenv::{GoEnv, paths, words};
use crate::report::{self, Failure};

/// What `-remote-mode` takes.
pub(crate) const MODES: &str = "valid modes are \"ro\" and \"rw\"";

/// A mode by its name.
pub(crate) fn mode(text: &str) -> Option<Mode> {
    match text {
        "ro" => Some(Mode::ReadOnly),
        "rw" => Some(Mode::ReadWrite),
        _ => None,
    }
}

/// The remote cache of a build for these targets, if there is one.
pub(super) fn open(go: &GoEnv, flags: &BuildFlags, goals: &[Goal<'_>]) -> Result<Option<Remote>, Failure> {
    if flags.dry {
        return Ok(None);
    }
    let sets = goals.iter().flat_map(|goal| [goal.standard_set(), goal.own_set()]).collect();
    let around = Around { variable: &|name| go.get(name).map(str::to_owned), folder: go.folder() };
    around.connect(flags.remote.as_deref(), flags.remote_mode, sets)
}

/// What is around a program that uses a remote cache.
pub(crate) struct Around<'a> {
    /// A variable that is set.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The current folder.
    pub(crate) folder: &'a str,
}

impl Around<'_> {
    /// A remote cache as it is named, or else as the environment says.
    pub(crate) fn connect(
        &self,
        url: Option<&str>,
        mode: Option<Mode>,
        sets: Vec<ActionId>,
    ) -> Result<Option<Remote>, Failure> {
        let url = url.map(str::to_owned).or_else(|| (self.variable)("MODKEEP_REMOTE"));
        let Some(url) = url.filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let mode = match (mode, (self.variable)("MODKEEP_REMOTE_MODE")) {
            (Some(mode), _) => mode,
            (None, None) => Mode::ReadOnly,
            (None, Some(text)) => self::mode(&text)
                .ok_or_else(|| Failure::usage(format!("MODKEEP_REMOTE_MODE is {text:?}: {MODES}")))?,
        };
        Ok(Some(Remote::new(self.client(&url, mode)?, sets, Box::new(report::warning))))
    }

    fn client(&self, url: &str, mode: Mode) -> Result<Client, Failure> {
        let client = match url.split_once("://") {
            Some(("http" | "https", _)) => {
                let token = self.token()?;
                Client::new(mode, async || ServerShelf::new(url, token))
            }
            Some(("s3", _)) => {
                let options = self.bucket(url)?;
                Client::new(mode, async || Ok(BucketShelf::open(options).await))
            }
            Some(("file", folder)) if folder.starts_with('/') => {
                Client::new(mode, async || FolderShelf::open(Path::new(folder)))
            }
            Some(_) => {
                return Err(Failure::usage(format!("the remote cache {url} can't be reached")).with_hint(
                    "it is a folder, s3://BUCKET/PREFIX, or the http or https URL of modkeep serve",
                ));
            }
            None => Client::new(mode, async || FolderShelf::open(Path::new(&self.absolute(url)))),
        };
        client.map_err(Failure::of)
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { paths::join(self.folder, path) }
    }

    /// The token of a server; nothing for one that is open.
    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(file) = (self.variable)("MODKEEP_REMOTE_TOKEN_FILE") else {
            return Ok((self.variable)("MODKEEP_REMOTE_TOKEN"));
        };
        let text = std::fs::read_to_string(self.absolute(&file))
            .map_err(|error| Failure::of(format!("reading the token in {file}: {}", words(&error))))?;
        Ok(Some(text.trim().to_owned()))
    }

    fn bucket(&self, url: &str) -> Result<S3Options, Failure> {
        let named = S3Options::parse(url)
            .ok_or_else(|| Failure::usage(format!("{url} names no bucket: s3://BUCKET/PREFIX")))?;
        let endpoint = (self.variable)("MODKEEP_S3_ENDPOINT");
        let path_style = (self.variable)("MODKEEP_S3_PATH_STYLE");
        Ok(S3Options {
            endpoint: endpoint.map(|text| text.trim_end_matches('/').to_owned()),
            region: (self.variable)("MODKEEP_S3_REGION"),
            path_style: matches!(path_style.as_deref(), Some("true" | "1")),
            ..named
        })
    }
}
