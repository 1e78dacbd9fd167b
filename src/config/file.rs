//! The settings file: TOML whose keys are the names of the flags, those of a section in a table of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::ConfigError;
use super::layers::Origin;
use super::setting::{SECTIONS, Setting, Shape};

/// The values of a file, as texts.
#[derive(Debug, Default)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    values: BTreeMap<&'static str, Vec<String>>,
}

impl SettingsFile {
    /// Reads the whole file; a key that is not in `known` is refused.
    pub(crate) fn read(path: &Path, known: &[Setting]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
        let table: Table = text.parse().map_err(|source| not_toml(path, &text, source))?;
        let mut values = BTreeMap::new();
        for (key, value) in &table {
            match (SECTIONS.iter().find(|section| *section == key), value) {
                (Some(section), Value::Table(inner)) => {
                    for (key, value) in inner {
                        let setting = setting(path, Some(section), key, known)?;
                        values.insert(setting.name, texts(path, setting, value)?);
                    }
                }
                _ => {
                    let setting = setting(path, None, key, known)?;
                    values.insert(setting.name, texts(path, setting, value)?);
                }
            }
        }
        Ok(Self { path: path.to_owned(), values })
    }

    pub(crate) fn get(&self, name: &'static str) -> Option<(&[String], Origin)> {
        let values = self.values.get(name)?;
        Some((values, Origin::File { key: name, file: self.path.clone() }))
    }
}

/// The setting of a key in a table of the file, or above all tables.
fn setting<'a>(
    path: &Path,
    section: Option<&str>,
    key: &str,
    known: &'a [Setting],
) -> Result<&'a Setting, ConfigError> {
    let is_meant = |setting: &&Setting| setting.place() == (section, key) && setting.name != "config";
    known.iter().find(is_meant).ok_or_else(|| unknown_key(path, section, key, known))
}

fn texts(path: &Path, setting: &Setting, value: &Value) -> Result<Vec<String>, ConfigError> {
    let own = |text: &Value| text.as_str().map(str::to_owned);
    let (found, expected) = match setting.shape {
        Shape::One(_) => (own(value).map(|text| vec![text]), "a text"),
        Shape::Number(_) => {
            let number = value.as_integer().map(|number| number.to_string());
            (number.or_else(|| own(value)).map(|text| vec![text]), "a number")
        }
        Shape::Switch => (value.as_bool().map(|switch| vec![switch.to_string()]), "true or false"),
        Shape::Many(_) => match value {
            Value::Array(list) => (list.iter().map(own).collect(), "a list of texts"),
            single => (own(single).map(|text| vec![text]), "a text or a list of texts"),
        },
    };
    let origin = || Origin::File { key: setting.name, file: path.to_owned() };
    found.ok_or_else(|| ConfigError::Value { origin: origin(), value: value.to_string(), expected })
}

fn not_toml(path: &Path, text: &str, source: toml::de::Error) -> ConfigError {
    let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    ConfigError::NotToml { file: path.to_owned(), source: Box::new(source), line }
}

fn unknown_key(path: &Path, section: Option<&str>, key: &str, known: &[Setting]) -> ConfigError {
    let of_section =
        known.iter().map(Setting::place).filter(|(own, key)| *own == section && *key != "config");
    let known = of_section.map(|(_, key)| key).chain(SECTIONS.iter().copied().filter(|_| section.is_none()));
    let key = section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}"));
    ConfigError::UnknownKey { file: path.to_owned(), key, known: known.collect() }
}
