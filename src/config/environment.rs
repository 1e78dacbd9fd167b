//! The environment of the process, read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variables as they were when the program started; empty ones count as not set, as for the go command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable that is set.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable that is set to text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    /// One of go's settings: the variable, or else what go's own files say.
    pub(crate) fn go_setting(&self, name: &'static str) -> Option<String> {
        self.of_go().go_setting(name).map(|setting| setting.value)
    }

    /// The same environment, for the room that knows how go reads it.
    pub(crate) fn of_go(&self) -> modkeep_fetch::environment::Environment {
        modkeep_fetch::environment::Environment::given(&self.variables)
    }

    /// The same environment with another value of a variable.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut variables = self.variables.clone();
        variables.insert(name.into(), value.into());
        Self { variables }
    }

    /// The names of all variables that are text.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().filter_map(|name| name.to_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}
