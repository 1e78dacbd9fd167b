//! What holds for all packages of one target: the flags that its mode and instruments force, its variables, its endings.
//!
//! Source of the rules: `cmd/go/internal/work:init.go` (`instrumentInit`, `buildModeInit`), `cfg.go:GetArchEnv`.

use std::collections::BTreeMap;

use crate::action_id::ActionId;
use crate::build::{Build, BuildMode};
use crate::package::{Graph, Package};
use crate::platform;
use crate::tags::Instrument;

/// One target of a build, loaded.
#[derive(Debug)]
pub struct Goal<'a> {
    /// What is built with, for which target.
    pub build: &'a Build,
    /// The packages for that target.
    pub graph: &'a Graph,
    /// Flags that every compile gets before those that are asked for.
    pub forced_gcflags: Vec<String>,
    /// The same for the assembler.
    pub forced_asmflags: Vec<String>,
    /// The same for the linker.
    pub forced_ldflags: Vec<String>,
    /// The linker's `-buildmode`.
    pub link_mode: &'static str,
    /// What distinguishes the results of special compilations: `race`, `shared`.
    pub install_suffix: String,
    /// GOAMD64, GOARM64 and so on with its value; none for architectures without levels.
    pub level: Option<(&'static str, String)>,
    /// GOEXPERIMENT, as far as it differs from what is on anyway.
    pub experiments: String,
}

impl<'a> Goal<'a> {
    /// The target of `build`, with the packages that were loaded for it.
    pub fn new(build: &'a Build, graph: &'a Graph) -> Self {
        let instrument = build.instrument.map(Instrument::word);
        let race = build.instrument == Some(Instrument::Race);
        let default_pie = platform::is_pie_by_default(&build.target, race);
        let os = build.target.os.as_str();
        let (link_mode, shared) = match build.mode {
            BuildMode::Default | BuildMode::Archive | BuildMode::Lacking(_) if default_pie => {
                ("pie", os != "windows")
            }
            BuildMode::Pie => ("pie", !matches!(os, "aix" | "windows")),
            BuildMode::Default | BuildMode::Executable | BuildMode::Archive | BuildMode::Lacking(_) => {
                ("exe", false)
            }
        };
        let shared = shared && build.mode != BuildMode::Archive;
        let is_asked = build.mode != BuildMode::Default;
        let suffixes = [instrument, (shared && is_asked).then_some("shared")];
        let codegen = shared.then(|| "-shared".to_owned());
        let of_instrument = instrument.map(|word| format!("-{word}"));
        Self {
            forced_gcflags: codegen.iter().chain(&of_instrument).cloned().collect(),
            forced_asmflags: codegen.into_iter().collect(),
            forced_ldflags: of_instrument.into_iter().collect(),
            link_mode,
            install_suffix: suffixes.into_iter().flatten().collect::<Vec<_>>().join("_"),
            level: build.level_variable().map(|(name, value)| (name, value.to_owned())),
            experiments: build.clean_experiments(),
            build,
            graph,
        }
    }

    /// The name of the set that the standard library's results are in, in the remote cache.
    pub fn standard_set(&self) -> ActionId {
        self.set("std")
    }

    /// The name of the set of everything else that is built here.
    pub fn own_set(&self) -> ActionId {
        let named = self.graph.iter().map(|(_, package)| package);
        let mut names: Vec<&str> = named
            .filter(|package| package.cmdline_package || package.cmdline_files)
            .map(|package| match &package.module {
                Some(module) => module.path.as_str(),
                None => package.import_path.as_str(),
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        self.set(&names.join("\n"))
    }

    /// Any text that is the same for builds that share much will do: entries are found by their own keys.
    fn set(&self, name: &str) -> ActionId {
        let build = self.build;
        let target = &build.target;
        let text = format!(
            "{}/{} {} {}{} {} {} {}\n{name}\n",
            target.os,
            target.arch,
            self.link_mode,
            self.level_line(),
            self.experiments_line(),
            self.install_suffix,
            build.trimpath,
            build.cover
        );
        ActionId::of(&format!("modkeep set 1\n{}\n", build.toolchain.salt()), &text)
    }

    /// The line of a key that names the architecture's level.
    pub(crate) fn level_line(&self) -> String {
        match &self.level {
            Some((name, value)) => format!("{name}={value}\n"),
            None => "=\n".to_owned(),
        }
    }

    /// The line of a key that names experiments; nothing if they are those that are on anyway.
    pub(crate) fn experiments_line(&self) -> String {
        if self.experiments.is_empty() {
            String::new()
        } else {
            format!("GOEXPERIMENT={}\n", modkeep_module::quote::quote(&self.experiments))
        }
    }

    /// What programs of the target end in.
    pub fn program_suffix(&self) -> &'static str {
        if self.build.target.os == "windows" { ".exe" } else { "" }
    }

    /// The variables that a Go tool depends on.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let target = &self.build.target;
        let mut variables = BTreeMap::from([
            ("GOOS".to_owned(), target.os.clone()),
            ("GOARCH".to_owned(), target.arch.clone()),
            ("GOROOT".to_owned(), self.build.toolchain.root.clone()),
            ("CGO_ENABLED".to_owned(), if self.build.cgo { "1" } else { "0" }.to_owned()),
        ]);
        if let Some((name, value)) = &self.level {
            variables.insert((*name).to_owned(), value.clone());
        }
        if !self.build.experiments.is_empty() {
            variables.insert("GOEXPERIMENT".to_owned(), self.build.experiments.clone());
        }
        variables
    }

    /// Variables that go passes on its command lines because they are not those of the machine (`makeCfgChangedEnv`).
    pub(crate) fn changed(&self) -> Vec<(String, String)> {
        let level = self.level.as_ref().filter(|_| !self.build.level.is_empty());
        level.map(|(name, value)| ((*name).to_owned(), value.clone())).into_iter().collect()
    }

    /// What a compiler calls the package (`pkgPath`).
    pub(crate) fn symbol_path<'p>(&self, package: &'p Package) -> &'p str {
        if package.name == "main" && !package.force_library { "main" } else { &package.import_path }
    }
}
