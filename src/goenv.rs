//! What a go verb finds around it: go's variables, the current folder, the files that make it a module or workspace,
//! and the release that it acts as.
//!
//! Sources of the rules: `cmd/go/internal/cfg/cfg.go`, `modload/init.go` (`FindGoWork`, `findModuleRoot`).

pub(crate) use modkeep_module::file_path as paths;

use std::path::Path;
use std::sync::OnceLock;

use modkeep_builder::overlay::Overlay;
use modkeep_fetch::environment::GoVariables;
use modkeep_resolver::go_version;

use crate::config::Environment;
use crate::flags::GoFlags;
use crate::release;
use crate::report::Failure;
use crate::version;

/// Read once, after `-C` was followed.
pub(crate) struct GoEnv {
    variables: GoVariables,
    goflags: GoFlags,
    folder: String,
    release: String,
    overlay: OnceLock<Overlay>,
}

impl GoEnv {
    /// That of this process and its current folder.
    pub(crate) fn of(environment: &Environment) -> Result<Self, Failure> {
        let go = Self::forgiving(environment)?;
        let goflags = GoFlags::parse(go.get("GOFLAGS").unwrap_or_default())?;
        Ok(Self { goflags, ..go })
    }

    /// The same; words in GOFLAGS that are no flags count for nothing.
    pub(crate) fn forgiving(environment: &Environment) -> Result<Self, Failure> {
        let variables = GoVariables::of(environment.of_go());
        let goflags = GoFlags::default();
        let folder = current_folder(environment)?;
        let release = release::selected(environment)?;
        Ok(Self { variables, goflags, folder, release, overlay: OnceLock::new() })
    }

    /// A variable, from the environment or go's files.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)
    }

    /// What the `go.env` of the installation says of a variable.
    pub(crate) fn installed_value(&self, name: &str) -> Option<&str> {
        self.variables.installed(name)
    }

    /// Whether one of go's files speaks of a variable.
    pub(crate) fn is_in_files(&self, name: &str) -> bool {
        self.variables.is_in_files(name)
    }

    /// The file in which `go env -w` keeps variables.
    pub(crate) fn settings_file(&self) -> Option<String> {
        self.variables.user_file()?.into_os_string().into_string().ok()
    }

    /// The variables of the process.
    pub(crate) fn environment(&self) -> &modkeep_fetch::environment::Environment {
        self.variables.environment()
    }

    /// All variables of the process, for those that run programs.
    pub(crate) fn process_variables(&self) -> std::collections::BTreeMap<String, String> {
        self.variables.environment().all().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// GOROOT: the one that is named, else that of the release.
    pub(crate) fn root(&self) -> Option<String> {
        self.get("GOROOT").map(paths::clean).or_else(|| self.root_of_release())
    }

    /// GOROOT of exactly the release that is acted as: the one that is named, that of the go on PATH, or the one in the
    /// module cache.
    pub(crate) fn root_of_release(&self) -> Option<String> {
        let installed = || release::installed_root(self.variables.get("PATH")?);
        let places: [&dyn Fn() -> Option<String>; 3] =
            [&|| self.get("GOROOT").map(str::to_owned), &installed, &|| self.unpacked_root()];
        places.iter().filter_map(|place| place()).find(|root| self.is_of_release(root))
    }

    /// Where the release is in the module cache, if it is there.
    pub(crate) fn unpacked_root(&self) -> Option<String> {
        let (os, arch) = (version::goos(), version::goarch());
        let name = format!("golang.org/toolchain@v0.0.1-go{}.{os}-{arch}", self.release);
        Some(paths::join(&self.module_cache()?, &name))
    }

    fn is_of_release(&self, root: &str) -> bool {
        let version = std::fs::read_to_string(paths::join(root, "VERSION")).unwrap_or_default();
        let line = version.lines().next().unwrap_or_default();
        let release = line.split(" X:").next().and_then(|version| version.trim().strip_prefix("go"));
        release == Some(&*self.release)
    }

    /// GOMODCACHE, or where it is when nobody says; nothing without GOPATH.
    pub(crate) fn module_cache(&self) -> Option<String> {
        match self.get("GOMODCACHE") {
            Some(folder) => Some(folder.to_owned()),
            None => self.gopath().first().map(|folder| paths::join(folder, "pkg/mod")),
        }
    }

    /// Reads what `-overlay` names, before anything is looked for; the first that is named counts.
    pub(crate) fn lay_over(&self, file: &str) -> Result<(), Failure> {
        if file.is_empty() || self.overlay.get().is_some() {
            return Ok(());
        }
        let overlay = Overlay::read(file, &self.folder).map_err(|error| Failure::go(error.to_string()))?;
        self.overlay.get_or_init(|| overlay);
        Ok(())
    }

    /// Files as they are seen through `-overlay`.
    pub(crate) fn seen(&self) -> &Overlay {
        self.overlay.get_or_init(Overlay::default)
    }

    /// GOFLAGS.
    pub(crate) fn goflags(&self) -> &GoFlags {
        &self.goflags
    }

    /// The current folder.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// The Go release that is acted as, such as `1.27.3`.
    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    /// Whether that release is older than another.
    pub(crate) fn is_before(&self, release: &str) -> bool {
        go_version::compare(&self.release, release).is_lt()
    }

    /// The folders of GOPATH; `go` in the home folder if it isn't set.
    pub(crate) fn gopath(&self) -> Vec<String> {
        let list = match self.get("GOPATH") {
            Some(list) => list.to_owned(),
            None => match self.get("HOME") {
                Some(home) => paths::join(home, "go"),
                None => return Vec::new(),
            },
        };
        list.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
    }

    /// Fails for folders of GOPATH that can't be found (`cmd/go/main.go`).
    pub(crate) fn check_gopath(&self) -> Result<(), Failure> {
        let wrong = |problem: &str| Err(Failure::exact(2, format!("go: GOPATH entry {problem}")));
        for folder in self.get("GOPATH").unwrap_or_default().split(':').filter(|folder| !folder.is_empty()) {
            let quoted = modkeep_module::quote::quote(folder);
            if folder.starts_with('~') {
                return wrong(&format!("cannot start with shell metacharacter '~': {quoted}"));
            }
            if !folder.starts_with('/') {
                let hint = "For more details see: 'go help gopath'";
                return wrong(&format!("is relative; must be absolute path: {quoted}.\n{hint}"));
            }
        }
        Ok(())
    }

    /// A path as errors show it: relative to the current folder if that is shorter (`base.ShortPath`).
    pub(crate) fn short(&self, path: &str) -> String {
        match paths::relative(&self.folder, path) {
            Some(relative) if relative.len() < path.len() && same_file(&relative, path) => relative,
            _ => path.to_owned(),
        }
    }

    /// A path from the current folder, whichever is shorter.
    pub(crate) fn short_always(&self, path: &str) -> String {
        paths::relative(&self.folder, path).unwrap_or_else(|| path.to_owned())
    }

    /// The path of a file as this process can open it, taken from the current folder.
    pub(crate) fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') { paths::clean(path) } else { paths::join(&self.folder, path) }
    }

    /// The folder of the nearest go.mod, or nothing (`findModuleRoot`).
    pub(crate) fn module_root(&self) -> Option<String> {
        paths::upwards(&self.folder)
            .find(|folder| self.seen().is_file(&paths::join(folder, "go.mod")))
            .map(str::to_owned)
    }

    /// The go.work file that is in force, or nothing.
    pub(crate) fn go_work(&self) -> Result<Option<String>, Failure> {
        match self.get("GOWORK") {
            Some("off") => Ok(None),
            Some("auto") | None => Ok(self.nearest_go_work()),
            Some(file) if file.starts_with('/') => Ok(Some(file.to_owned())),
            Some(_) => Err(Failure::go("invalid GOWORK: not an absolute path")),
        }
    }

    fn nearest_go_work(&self) -> Option<String> {
        let goroot = self.get("GOROOT");
        for folder in paths::upwards(&self.folder) {
            let file = paths::join(folder, "go.work");
            if self.seen().is_file(&file) {
                return Some(file);
            }
            if goroot.is_some() && paths::parent(folder) == goroot {
                return None;
            }
        }
        None
    }

    /// Whether packages come from modules (`modload.Init`).
    pub(crate) fn uses_modules(&self) -> Result<bool, Failure> {
        match self.get("GO111MODULE") {
            Some("off") => Ok(false),
            Some("auto") => Ok(self.go_work()?.is_some() || self.module_root().is_some()),
            _ => self.check_modules_enabled().map(|()| true),
        }
    }

    /// Fails where GO111MODULE forbids modules, or isn't one of its words.
    pub(crate) fn check_modules_enabled(&self) -> Result<(), Failure> {
        match self.get("GO111MODULE") {
            None | Some("auto" | "on") => Ok(()),
            Some("off") => Err(Failure::go("modules disabled by GO111MODULE=off; see 'go help modules'")),
            Some(other) => Err(Failure::go(format!("unknown environment setting GO111MODULE={other}"))),
        }
    }
}

/// The current folder under the name that PWD has for it, if it has (`os.Getwd`).
fn current_folder(environment: &Environment) -> Result<String, Failure> {
    if let Some(folder) = environment.text("PWD").filter(|folder| folder.starts_with('/'))
        && same_file(".", folder)
    {
        return Ok(folder.to_owned());
    }
    let folder = std::env::current_dir()
        .map_err(|error| Failure::go(format!("cannot determine current directory: {}", words(&error))))?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Whether two paths lead to the same file; those that lead nowhere are taken at their word.
fn same_file(a: &str, b: &str) -> bool {
    match (std::fs::metadata(Path::new(a)), std::fs::metadata(Path::new(b))) {
        (Ok(a), Ok(b)) => same_identity(&a, &b),
        (Err(a), Err(b)) => {
            a.kind() == std::io::ErrorKind::NotFound && b.kind() == std::io::ErrorKind::NotFound
        }
        _ => false,
    }
}

#[cfg(unix)]
fn same_identity(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_identity(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    false
}

/// What the system says of a failure, in Go's form of its words.
pub(crate) fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match (chars.next(), error.raw_os_error()) {
        (Some(first), Some(_)) => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
