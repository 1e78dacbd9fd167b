//! Where things are when nobody says where.

use std::path::PathBuf;

use super::{ConfigError, Environment, Layers};

/// The folder of the store: as set, else `modkeep` in the user's data folder.
pub(crate) fn store(layers: &Layers, environment: &Environment) -> Result<PathBuf, ConfigError> {
    match layers.text("store") {
        Some((folder, _)) => Ok(PathBuf::from(folder)),
        None => data_folder(environment).map(|folder| folder.join("modkeep")).ok_or(ConfigError::NoHome),
    }
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
}
