//! Flag before variable before file: the first that says something is taken whole.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::file::SettingsFile;
use super::setting::{SERVE, Setting, Shape};
use super::{ConfigError, Environment};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(String),
    File {
        key: &'static str,
        file: PathBuf,
    },
    /// One of go's own settings; the text says where it was found.
    Go(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File { key, file } => write!(f, "`{key}` in `{}`", file.display()),
            Self::Go(place) => f.write_str(place),
        }
    }
}

/// All values that were given, by layer.
#[derive(Debug)]
pub(crate) struct Layers {
    flags: BTreeMap<&'static str, Vec<String>>,
    variables: BTreeMap<&'static str, (Vec<String>, String)>,
    file: SettingsFile,
}

impl Layers {
    /// Gathers the settings of a verb. The file is the one that flag or variable name, if any; it may hold any
    /// setting of `serve`, so that all verbs can share it.
    pub(crate) fn gather(
        settings: &[Setting],
        flags: &ArgMatches,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        refuse_unknown_variables(environment)?;
        let given = |setting: &Setting| {
            let values = flags.get_many::<String>(setting.name)?.cloned().collect();
            Some((setting.name, values))
        };
        let flags = settings.iter().filter_map(given).collect();
        let set = |setting: &Setting| {
            let value = environment.text(&setting.variable())?;
            Some((setting.name, (split(setting.shape, value), setting.variable())))
        };
        let variables = settings.iter().filter_map(set).collect();
        let mut layers = Self { flags, variables, file: SettingsFile::default() };
        if let Some((file, _)) = layers.text("config") {
            layers.file = SettingsFile::read(Path::new(file), SERVE)?;
        }
        Ok(layers)
    }

    /// The values of a setting and where they stand.
    pub(crate) fn texts(&self, name: &'static str) -> Option<(&[String], Origin)> {
        if let Some(values) = self.flags.get(name) {
            return Some((values, Origin::Flag(name)));
        }
        if let Some((values, variable)) = self.variables.get(name) {
            return Some((values, Origin::Variable(variable.clone())));
        }
        self.file.get(name)
    }

    /// The value of a setting that takes one.
    pub(crate) fn text(&self, name: &'static str) -> Option<(&str, Origin)> {
        let (values, origin) = self.texts(name)?;
        Some((values.last()?, origin))
    }

    /// The value of a switch.
    pub(crate) fn switch(&self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        let Some((value, origin)) = self.text(name) else { return Ok(None) };
        match value {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(ConfigError::Value { origin, value: value.to_owned(), expected: "true or false" }),
        }
    }

    /// The value of a setting, made by `parse`; `expected` says what it takes.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((value, origin)) = self.text(name) else { return Ok(None) };
        let wrong = || ConfigError::Value { origin, value: value.to_owned(), expected };
        parse(value).ok_or_else(wrong).map(Some)
    }
}

fn split(shape: Shape, value: &str) -> Vec<String> {
    match shape {
        Shape::Many(_) => value.split(',').map(|part| part.trim().to_owned()).collect(),
        Shape::One(_) | Shape::Number(_) | Shape::Switch => vec![value.to_owned()],
    }
}

/// What the tests of this repository are told by.
const TEST_VARIABLES: [&str; 3] = ["MODKEEP_FULL", "MODKEEP_SEED", "MODKEEP_TEST_STORE"];

/// What verbs that build are told by.
pub(crate) const BUILD_VARIABLES: [&str; 4] =
    ["MODKEEP_REMOTE", "MODKEEP_REMOTE_MODE", "MODKEEP_REMOTE_TOKEN", "MODKEEP_REMOTE_TOKEN_FILE"];

/// A variable with our prefix that means nothing is a slip of the pen. Kubernetes sets some of its own for a service
/// named modkeep.
fn refuse_unknown_variables(environment: &Environment) -> Result<(), ConfigError> {
    let known: Vec<_> = SERVE.iter().map(Setting::variable).collect();
    let is_foreign = |name: &str| {
        TEST_VARIABLES.contains(&name)
            || BUILD_VARIABLES.contains(&name)
            || name.starts_with("MODKEEP_SERVICE_")
            || name.starts_with("MODKEEP_PORT")
    };
    let mut ours = environment.names().filter(|name| name.starts_with("MODKEEP_") && !is_foreign(name));
    match ours.find(|name| !known.iter().any(|variable| variable == name)) {
        Some(name) => Err(ConfigError::UnknownVariable { name: name.to_owned(), known }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn gather(flags: &[&str], variables: Variables<'_>, file: &str) -> Result<Layers, ConfigError> {
        let mut settings = tempfile::NamedTempFile::new().unwrap();
        settings.write_all(file.as_bytes()).unwrap();
        let command = clap::Command::new("serve").args(SERVE.iter().map(Setting::argument));
        let words = ["serve", "--config", settings.path().to_str().unwrap()];
        let matches = command.get_matches_from(words.iter().chain(flags));
        let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Layers::gather(SERVE, &matches, &environment)
    }

    #[test]
    fn the_first_layer_that_speaks_is_taken() {
        let cases: &[(&[&str], Variables<'_>, &str, &str)] = &[
            (&["--listen", "a:1"], &[("MODKEEP_LISTEN", "b:2")], "listen = 'c:3'", "a:1"),
            (&[], &[("MODKEEP_LISTEN", "b:2")], "listen = 'c:3'", "b:2"),
            (&[], &[("MODKEEP_LISTEN", "")], "listen = 'c:3'", "c:3"),
            (&[], &[], "listen = 'c:3'", "c:3"),
        ];
        for (flags, variables, file, expected) in cases {
            let layers = gather(flags, variables, file).unwrap();
            assert_eq!(layers.text("listen").unwrap().0, *expected);
        }
    }

    #[test]
    fn lists_are_repeated_flags_commas_in_variables_and_lists_in_files() {
        let expected = ["sum.golang.org", "corp+key https://sum.corp.example"].map(str::to_owned);
        let flags = gather(&["--sumdb", &expected[0], "--sumdb", &expected[1]], &[], "").unwrap();
        assert_eq!(flags.texts("sumdb").unwrap().0, expected);
        let variable = gather(&[], &[("MODKEEP_SUMDB", &expected.join(", "))], "").unwrap();
        assert_eq!(variable.texts("sumdb").unwrap().0, expected);
        let file =
            gather(&[], &[], "sumdb = ['sum.golang.org', 'corp+key https://sum.corp.example']").unwrap();
        assert_eq!(file.texts("sumdb").unwrap().0, expected);
    }

    #[test]
    fn a_number_in_the_file_may_be_one() {
        for file in ["absences = 1000", "absences = '1000'"] {
            assert_eq!(gather(&[], &[], file).unwrap().text("absences").unwrap().0, "1000");
        }
        assert!(gather(&[], &[], "absences = true").is_err());
    }

    #[test]
    fn a_section_of_the_file_is_a_table() {
        let layers =
            gather(&[], &[("MODKEEP_FRESHNESS_LATEST", "2s")], "[freshness]\nlist = '5s'\nlatest = '9s'");
        let layers = layers.unwrap();
        assert_eq!(layers.text("freshness-list").unwrap().0, "5s");
        assert_eq!(layers.text("freshness-latest").unwrap().0, "2s");
    }

    #[test]
    fn a_switch_can_be_turned_both_ways() {
        assert_eq!(gather(&["--offline"], &[], "").unwrap().switch("offline").unwrap(), Some(true));
        let layers = gather(&["--access-log=false"], &[], "access-log = true").unwrap();
        assert_eq!(layers.switch("access-log").unwrap(), Some(false));
        assert_eq!(layers.switch("offline").unwrap(), None);
    }

    #[test]
    fn wrong_settings_are_refused_by_their_name_and_place() {
        let cases: &[(Variables<'_>, &str, &str)] = &[
            (&[], "listn = 'a:1'", "unknown key `listn`"),
            (&[], "config = 'other.toml'", "unknown key `config`"),
            (&[], "listen = 3000", "`listen` in "),
            (&[], "sumdb = [1]", "`sumdb` in "),
            (&[], "[freshness]\nlst = '60s'", "unknown key `freshness.lst`"),
            (&[], "[freshness]\nlist = 60", "`freshness-list` in "),
            (&[], "[fresh]\nlist = '60s'", "unknown key `fresh`"),
            (&[], "freshness-list = '60s'", "unknown key `freshness-list`"),
            (&[], "freshness = '60s'", "unknown key `freshness`"),
            (&[], "listen = ", "is not TOML"),
            (&[("MODKEEP_LISTN", "a:1")], "", "unknown variable `MODKEEP_LISTN`"),
        ];
        for (variables, file, expected) in cases {
            let error = gather(&[], variables, file).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn variables_that_kubernetes_sets_are_no_slip() {
        let variables = [("MODKEEP_SERVICE_HOST", "10.0.0.1"), ("MODKEEP_PORT", "tcp://10.0.0.1:3000")];
        assert!(gather(&[], &variables, "").is_ok());
    }
}
