//! Where GOPROXY, GOSUMDB and their like come from when nobody says: from where the go command takes them.
//!
//! In order: the process environment, go's user file (GOENV, or `go/env` in the user's configuration folder),
//! `$GOROOT/go.env`, and at last `go env` itself. The environment comes in as a value, read once from the
//! process; this is the only room that may run the go command.
//! Source of the rules: `cmd/go/internal/cfg/cfg.go` (`EnvFile`, `readEnvFile`, `findGOROOT`).

mod command;
mod files;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::http::Forward;
use crate::netrc::Netrc;
use crate::private::Private;
use crate::secret::Secret;

/// The variables of a process. A variable that is empty counts as not set.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    odd: HashMap<String, OsString>,
}

/// Go's own variables, each from the environment or else from go's files, which are read once.
pub struct GoVariables {
    environment: Environment,
    files: files::Files,
}

impl GoVariables {
    /// Those that the go command would see with these variables in its process.
    pub fn of(environment: Environment) -> Self {
        Self { files: files::Files::of(&environment), environment }
    }

    /// The value of a variable; one that is empty counts as not set (`cfg.Getenv`).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.environment.get(name).or_else(|| self.files.get(name))
    }

    /// The variables of the process.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What the `go.env` of the installation says of a variable.
    pub fn installed(&self, name: &str) -> Option<&str> {
        self.files.installed(name)
    }

    /// Whether one of go's files speaks of a variable, if only to say that it is empty.
    pub fn is_in_files(&self, name: &str) -> bool {
        self.files.has(name)
    }

    /// Go's user file, which need not be there; none where GOENV says so or there is no home (`cfg.EnvFile`).
    pub fn user_file(&self) -> Option<PathBuf> {
        files::user_file(&self.environment)
    }
}

/// What the go command would use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoSettings {
    /// GOPROXY
    pub goproxy: Option<Setting>,
    /// GOSUMDB
    pub gosumdb: Option<Setting>,
    /// GOPRIVATE, GONOPROXY and GONOSUMDB
    pub private: Private,
}

/// A value and where it was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// As written there; may hold credentials.
    pub value: String,
    /// Where.
    pub from: Provenance,
}

/// Where a setting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The variable of this name in the environment of the process.
    Environment(&'static str),
    /// go's user file, or the `go.env` of a GOROOT.
    File(PathBuf),
    /// `go env`, asked of this program.
    Command(PathBuf),
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        Self::given(std::env::vars_os())
    }

    /// One made of the given variables.
    pub fn given<K: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut given = Self::default();
        for (name, value) in variables {
            let (Ok(name), value) = (name.into().into_string(), value.into()) else { continue };
            given.variables.insert(name.clone(), value.to_string_lossy().into_owned());
            if value.to_str().is_none() {
                given.odd.insert(name, value);
            }
        }
        given
    }

    /// The variables that are no text, as they are; elsewhere marks stand for what can't be read in them.
    pub fn odd(&self) -> &HashMap<String, OsString> {
        &self.odd
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// One of go's settings, such as GOTOOLCHAIN: the variable, or else what go's files say. The go command is not
    /// asked.
    pub fn go_setting(&self, name: &'static str) -> Option<Setting> {
        files::Files::of(self).value(self, name)
    }

    /// All variables, for a child process.
    pub fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.variables.iter()
    }

    /// HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not.
    pub fn forward(&self) -> Forward {
        let either = |upper, lower| self.get(upper).or_else(|| self.get(lower));
        Forward {
            http: either("HTTP_PROXY", "http_proxy").map(Secret::new),
            https: either("HTTPS_PROXY", "https_proxy").map(Secret::new),
            except: either("NO_PROXY", "no_proxy").unwrap_or_default().to_owned(),
        }
    }

    /// The netrc file: NETRC, or `.netrc` in the home folder; nothing when it can't be read, or when GOAUTH does
    /// not name it. The other methods of GOAUTH run programs; a server gets its credentials from files and URLs.
    pub fn netrc(&self) -> Netrc {
        let goauth = files::Files::of(self).value(self, "GOAUTH").map(|setting| setting.value);
        if !goauth.as_deref().unwrap_or("netrc").split(';').any(|method| method.trim() == "netrc") {
            return Netrc::default();
        }
        let path = match self.get("NETRC") {
            Some(path) => PathBuf::from(path),
            None => match self.home() {
                Some(home) => home.join(".netrc"),
                None => return Netrc::default(),
            },
        };
        match std::fs::read(&path) {
            Ok(text) => Netrc::parse(&String::from_utf8_lossy(&text)),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(path = %path.display(), %error, "netrc file not read");
                }
                Netrc::default()
            }
        }
    }

    /// The folder for the settings of the user's programs (`os.UserConfigDir`).
    pub fn configuration_folder(&self) -> Option<PathBuf> {
        files::configuration_folder(self)
    }

    fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.get(name).map(PathBuf::from)
    }
}

impl GoSettings {
    /// Finds them. Blocking; runs `go env` for at most five seconds when neither the environment nor a
    /// file names a GOPROXY or a GOSUMDB.
    pub fn find(environment: &Environment) -> Self {
        let files = files::Files::of(environment);
        let value = |name| files.value(environment, name);
        let text = |name| value(name).map(|setting| setting.value);
        let private = text("GOPRIVATE").unwrap_or_default();
        let private = Private {
            no_proxy: text("GONOPROXY").unwrap_or_else(|| private.clone()),
            no_sumdb: text("GONOSUMDB").unwrap_or(private),
        };
        let (mut goproxy, mut gosumdb) = (value("GOPROXY"), value("GOSUMDB"));
        if (goproxy.is_none() || gosumdb.is_none())
            && let Some(said) = command::go_env(environment, command::PATIENCE)
        {
            goproxy = goproxy.or(said.goproxy);
            gosumdb = gosumdb.or(said.gosumdb);
        }
        Self { goproxy, gosumdb, private }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<&String> = self.variables.keys().collect();
        names.sort_unstable();
        f.debug_tuple("Environment").field(&names).finish()
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("from", &self.from).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Provenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(path) => write!(f, "`{} env`", path.display()),
        }
    }
}
