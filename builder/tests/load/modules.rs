//! The modules of a folder as the real go tells them, for tests of the loader alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use modkeep_builder::modules::{MainModule, Module, Modules, Place, PlaceError};
use modkeep_conformance::go::Go;
use serde_json::Value;

/// A build list, and packages found in it by their paths.
pub(super) struct Listed {
    mains: Vec<MainModule>,
    others: Vec<Arc<Module>>,
    go_version: String,
    godebugs: BTreeMap<String, String>,
    tools: Vec<String>,
    vendor: Option<String>,
    /// The module of each package of the vendor directory.
    vendored: BTreeMap<String, Arc<Module>>,
}

impl Listed {
    /// What go lists in the folder, `flags` given.
    pub(super) fn of(go: &Go, folder: &Path, flags: &[&str]) -> Self {
        let run = |arguments: &[&str]| {
            let output = go.command().args(arguments).current_dir(folder).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let is_vendored = flags.contains(&"-mod=vendor");
        let all = if is_vendored { vec![] } else { vec!["all"] };
        let output = run(&[&["list", "-m", "-json"], flags, &all].concat());
        let listed: Vec<Value> =
            serde_json::Deserializer::from_slice(&output).into_iter().map(|value| value.unwrap()).collect();
        let modules: Vec<Arc<Module>> = listed.iter().map(|value| Arc::new(module(value))).collect();
        let work = String::from_utf8(run(&["env", "GOWORK"])).unwrap();
        let file = match work.trim() {
            "" | "off" => "mod",
            _ => "work",
        };
        let edited: Value = serde_json::from_slice(&run(&[file, "edit", "-json"])).unwrap();
        let pairs = edited["GoDebug"].as_array().into_iter().flatten();
        let godebugs = pairs.map(|pair| (text(pair, "Key"), text(pair, "Value"))).collect();
        let tools = edited["Tool"].as_array().into_iter().flatten().map(|tool| text(tool, "Path")).collect();
        let ignored = edited["Ignore"].as_array().into_iter().flatten().map(|line| text(line, "Path"));
        let ignore: Vec<String> = ignored.collect();
        let mains = modules.iter().filter(|module| module.main).cloned();
        let vendor = is_vendored.then(|| folder.join("vendor").to_str().unwrap().to_owned());
        let vendored = vendor.as_deref().map(vendored).unwrap_or_default();
        Self {
            mains: mains.map(|module| MainModule { module, ignore: ignore.clone() }).collect(),
            others: modules.iter().filter(|module| !module.main).cloned().collect(),
            go_version: text(&edited, "Go"),
            godebugs,
            tools,
            vendor,
            vendored,
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn module(value: &Value) -> Module {
    let flag = |name: &str| value[name].as_bool().unwrap_or(false);
    Module {
        path: text(value, "Path"),
        version: text(value, "Version"),
        replace: value["Replace"].is_object().then(|| Box::new(module(&value["Replace"]))),
        time: value["Time"].as_str().map(str::to_owned),
        main: flag("Main"),
        indirect: flag("Indirect"),
        dir: text(value, "Dir"),
        go_mod: text(value, "GoMod"),
        go_version: text(value, "GoVersion"),
        sum: text(value, "Sum"),
        go_mod_sum: text(value, "GoModSum"),
    }
}

/// The packages of modules.txt.
fn vendored(vendor: &str) -> BTreeMap<String, Arc<Module>> {
    let list = fs::read_to_string(format!("{vendor}/modules.txt")).unwrap();
    let mut packages = BTreeMap::new();
    let mut current = Module::default();
    for line in list.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            let words: Vec<&str> = words.split_whitespace().collect();
            let version = words.get(1).filter(|word| **word != "=>").copied().unwrap_or_default();
            current = Module { path: words[0].to_owned(), version: version.to_owned(), ..Module::default() };
            if let Some(at) = words.iter().position(|word| *word == "=>") {
                let version = words.get(at + 2).copied().unwrap_or_default().to_owned();
                let dir = if version.is_empty() { words[at + 1] } else { "" };
                let replace = Module {
                    path: words[at + 1].to_owned(),
                    version,
                    dir: dir.to_owned(),
                    ..Module::default()
                };
                current.replace = Some(Box::new(replace));
            }
        } else if let Some(notes) = line.strip_prefix("## ") {
            for note in notes.split("; ") {
                match note.strip_prefix("go ") {
                    Some(version) => version.clone_into(&mut current.go_version),
                    None => current.indirect = false,
                }
            }
        } else if !line.is_empty() {
            packages.insert(line.to_owned(), Arc::new(current.clone()));
        }
    }
    packages
}

/// Whether there are Go files in the folder of a package.
fn has_package(dir: &str) -> bool {
    let names = fs::read_dir(dir).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".go"))
}

impl Modules for Listed {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        let modules = self.mains.iter().map(|main| &main.module);
        let others = self.others.iter().filter(|_| self.vendor.is_none());
        let mut found: Option<Place> = None;
        for module in modules.chain(others) {
            let Some(way) =
                path.strip_prefix(&module.path).filter(|way| way.is_empty() || way.starts_with('/'))
            else {
                continue;
            };
            let dir = format!("{}{way}", module.dir);
            let is_longer = found.as_ref().is_none_or(|place| module.path.len() > place.module.path.len());
            if is_longer && has_package(&dir) {
                found = Some(Place { module: Arc::clone(module), dir });
            }
        }
        if let (None, Some(vendor), Some(module)) = (&found, &self.vendor, self.vendored.get(path)) {
            found = Some(Place { module: Arc::clone(module), dir: format!("{vendor}/{path}") });
        }
        let is_std = !path.split('/').next().unwrap().contains('.');
        found.ok_or_else(|| PlaceError {
            is_missing: true,
            text: match is_std {
                _ if path.starts_with("./") => {
                    format!(
                        "{path:?} is relative, but relative import paths are not supported in module mode"
                    )
                }
                true => format!("package {path} is not in std (GOROOT/src/{path})"),
                false => format!("no required module provides package {path}; to add it:\n\tgo get {path}"),
            },
        })
    }

    fn mains(&self) -> &[MainModule] {
        &self.mains
    }

    fn go_version(&self) -> &str {
        &self.go_version
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }

    fn tools(&self) -> &[String] {
        &self.tools
    }

    fn vendor(&self) -> Option<&str> {
        self.vendor.as_deref()
    }

    fn others(&self) -> Result<Vec<Arc<Module>>, PlaceError> {
        Ok(self.others.clone())
    }
}
