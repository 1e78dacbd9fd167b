//! What a program tells about how it was built, and its text in the binary.
//!
//! Source of the format: `runtime/debug/mod.go:BuildInfo.String`.

use std::fmt;

use modkeep_module::quote;

/// What is written into a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The path of its main package.
    pub path: String,
    /// The module of that; an empty path for none.
    pub main: BuildModule,
    /// The other modules that give packages to the program.
    pub deps: Vec<BuildModule>,
    /// The settings of the build, in order.
    pub settings: Vec<(String, String)>,
}

/// A module of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildModule {
    /// Its path.
    pub path: String,
    /// Its version; `(devel)` without one.
    pub version: String,
    /// Its checksum; empty where there is none.
    pub sum: String,
    /// What stands in its place.
    pub replace: Option<Box<BuildModule>>,
}

impl fmt::Display for BuildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            writeln!(f, "path\t{}", self.path)?;
        }
        if self.main != BuildModule::default() {
            self.main.write(f, "mod")?;
        }
        self.deps.iter().try_for_each(|module| module.write(f, "dep"))?;
        for (key, value) in &self.settings {
            writeln!(f, "build\t{}={}", quoted(key, quotes_key), quoted(value, quotes_value))?;
        }
        Ok(())
    }
}

impl BuildModule {
    fn write(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        write!(f, "{word}\t{}\t{}", self.path, self.version)?;
        match &self.replace {
            None => writeln!(f, "\t{}", self.sum),
            // A replacement ends its own line, and then this one ends once more.
            Some(replace) => {
                writeln!(f)?;
                replace.write(f, "=>")?;
                writeln!(f)
            }
        }
    }
}

fn quoted(text: &str, needs: fn(&str) -> bool) -> String {
    if needs(text) { quote::quote(text) } else { text.to_owned() }
}

fn quotes_key(key: &str) -> bool {
    key.is_empty() || key.contains('=') || quotes_value(key)
}

fn quotes_value(value: &str) -> bool {
    value.contains([' ', '\t', '\r', '\n', '"', '`'])
}
