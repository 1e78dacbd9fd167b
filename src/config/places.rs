//! Where things are when nobody says where.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use modkeep_store::S3Options;

use super::{ConfigError, Environment, Layers};

/// Where a store is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(S3Options),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(bucket) => write!(f, "s3://{}/{}", bucket.bucket, bucket.prefix),
        }
    }
}

/// The place of the store: as set, else the folder `modkeep` in the user's data folder.
pub(crate) fn store(layers: &Layers, environment: &Environment) -> Result<Place, ConfigError> {
    match layers.text("store") {
        Some((text, _)) if text.contains("://") => bucket(layers).map(Place::Bucket),
        Some((folder, _)) => Ok(Place::Folder(PathBuf::from(folder))),
        None => data_folder(environment)
            .map(|folder| Place::Folder(folder.join("modkeep")))
            .ok_or(ConfigError::NoHome),
    }
}

/// What is not set the AWS SDK finds by itself: credentials in its own variables, files, or from the machine.
fn bucket(layers: &Layers) -> Result<S3Options, ConfigError> {
    let named = layers.parsed("store", "a folder or s3://BUCKET/PREFIX", S3Options::parse)?;
    Ok(S3Options {
        endpoint: layers.parsed("s3-endpoint", "a URL such as https://HOST:PORT", endpoint)?,
        region: layers.text("s3-region").map(|(region, _)| region.to_owned()),
        path_style: layers.switch("s3-path-style")?.unwrap_or(false),
        ..named.unwrap_or_default()
    })
}

fn endpoint(text: &str) -> Option<String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let is_host = !host.is_empty() && !host.starts_with('/') && !host.contains(['?', '#', '@', ' ']);
    is_host.then(|| text.trim_end_matches('/').to_owned())
}

/// The folder for what can be made again: `modkeep` in the user's cache folder.
pub(crate) fn cache(environment: &Environment) -> Result<PathBuf, ConfigError> {
    cache_of(|name| environment.get(name)).ok_or(ConfigError::NoHome)
}

/// The same, in an environment that is asked for its variables.
pub(crate) fn cache_of<'a, T: AsRef<OsStr> + ?Sized + 'a>(
    variable: impl Fn(&'static str) -> Option<&'a T>,
) -> Option<PathBuf> {
    let named = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let usual = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let folder = named.or_else(|| Some(PathBuf::from(variable("HOME")?).join(usual)));
    folder.map(|folder| folder.join("modkeep"))
}

/// XDG_DATA_HOME counts when it is absolute, as the XDG base directory specification says.
fn data_folder(environment: &Environment) -> Option<PathBuf> {
    let named = environment.get("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = environment.get("HOME").map(PathBuf::from);
    let usual = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    named.or_else(|| home.map(|home| home.join(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_data_folder_is_the_users() {
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let cases: &[Case<'_>] = &[
            (&[("HOME", "/home/a")], Some("/home/a/.local/share")),
            (&[("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")], Some("/data")),
            (&[("HOME", "/home/a"), ("XDG_DATA_HOME", "data")], Some("/home/a/.local/share")),
            (&[], None),
        ];
        for (variables, expected) in cases {
            let environment =
                variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(data_folder(&environment), expected.map(PathBuf::from));
        }
    }

    #[test]
    fn an_endpoint_is_a_plain_url() {
        for (text, expected) in [
            ("http://127.0.0.1:7070", Some("http://127.0.0.1:7070")),
            ("https://s3.corp.example/", Some("https://s3.corp.example")),
            ("s3.corp.example", None),
            ("https://", None),
            ("https://user:secret@s3.corp.example", None),
        ] {
            assert_eq!(endpoint(text).as_deref(), expected, "{text}");
        }
    }
}
