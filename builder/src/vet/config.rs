//! What the tool is told about a package, as JSON in the order of go's own type (`vetConfig`).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use super::Vet;
use crate::modules::Module;
use crate::release::VERSION_WITHOUT_GO_LINE;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    compiler: &'static str,
    dir: &'a str,
    import_path: &'a str,
    go_files: Vec<String>,
    non_go_files: Vec<String>,
    ignored_files: Vec<String>,
    /// Nothing where the release says it otherwise; `null` for a package without a module.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<Option<OfModule<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_version: Option<&'a str>,
    import_map: BTreeMap<&'a str, &'a str>,
    package_file: BTreeMap<&'a str, &'a str>,
    standard: BTreeMap<&'a str, bool>,
    package_vetx: BTreeMap<&'a str, &'a str>,
    vetx_only: bool,
    vetx_output: String,
    stdout: String,
    go_version: String,
    fix_archive: String,
    succeed_on_typecheck_failure: bool,
}

/// A module (`golang.org/x/tools/go/analysis.Module`).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfModule<'a> {
    path: &'a str,
    version: &'a str,
    replace: Option<Box<OfModule<'a>>>,
    time: Option<&'a str>,
    main: bool,
    indirect: bool,
    dir: &'a str,
    go_mod: &'a str,
    go_version: &'a str,
    error: Option<()>,
}

impl<'a> OfModule<'a> {
    fn of(module: &'a Module) -> Self {
        Self {
            path: &module.path,
            version: &module.version,
            replace: module.replace.as_deref().map(|replace| Box::new(Self::of(replace))),
            time: module.time.as_deref(),
            main: module.main,
            indirect: module.indirect,
            dir: &module.dir,
            go_mod: &module.go_mod,
            go_version: &module.go_version,
            error: None,
        }
    }
}

impl Vet<'_> {
    /// The text of `vet.cfg`.
    pub(super) fn config(&self, sources: &[String]) -> String {
        let (unit, folder) = (self.unit, self.unit.folder);
        let (package, toolchain) = (unit.package, &unit.goal.build.toolchain);
        let absolute = |files: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            files.map(|file| unit.actual(file)).collect()
        };
        let is_go = |file: &&String| file.ends_with(".go");
        let mut ignored = package.ignored_go_files.iter().chain(&package.ignored_other_files);
        let pairs = package.raw_imports.iter().zip(&package.imports);
        let mut import_map: BTreeMap<&str, &str> =
            pairs.map(|(raw, path)| (raw.as_str(), path.as_str())).collect();
        // What only code that was made imports.
        let implied = unit.imports.iter().map(|(import, _)| import.import_path.as_str());
        let implied: Vec<&str> =
            implied.filter(|path| !import_map.values().any(|other| other == path)).collect();
        import_map.extend(implied.into_iter().map(|path| (path, path)));
        let module = package.module.as_deref();
        let says_module = toolchain.release.tells_vet_of_modules();
        let go_version = match module {
            Some(module) if module.go_version.is_empty() => format!("go{VERSION_WITHOUT_GO_LINE}"),
            Some(module) => format!("go{}", module.go_version),
            None => toolchain.salt().to_owned(),
        };
        let config = Config {
            id: &package.import_path,
            compiler: "gc",
            dir: &package.dir,
            import_path: &package.import_path,
            go_files: absolute(&mut sources.iter().filter(is_go)),
            non_go_files: absolute(&mut sources.iter().filter(|file| !is_go(file))),
            ignored_files: absolute(&mut ignored),
            module: says_module.then(|| module.map(OfModule::of)),
            module_path: (!says_module).then(|| module.map_or("", |module| &module.path)),
            module_version: (!says_module).then(|| module.map_or("", |module| &module.version)),
            import_map,
            package_file: (unit.imports.iter())
                .filter_map(|(import, compiled)| {
                    Some((import.import_path.as_str(), compiled.archive.as_ref()?.path.as_str()))
                })
                .collect(),
            standard: (unit.imports.iter())
                .filter(|(import, _)| import.standard)
                .map(|(import, _)| (import.import_path.as_str(), true))
                .collect(),
            package_vetx: (self.facts.iter())
                .map(|(import, facts)| (import.import_path.as_str(), facts.path.as_str()))
                .collect(),
            vetx_only: !self.is_asked,
            vetx_output: format!("{folder}vet.out"),
            stdout: format!("{folder}vet.stdout"),
            go_version,
            fix_archive: if self.keeps_fixes() { format!("{folder}vet.fix.zip") } else { String::new() },
            succeed_on_typecheck_failure: false,
        };
        let mut text = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"\t"));
        // Texts, flags and maps of them always have a form as JSON.
        let _ = config.serialize(&mut serializer);
        text.push(b'\n');
        String::from_utf8(text).unwrap_or_default()
    }
}
