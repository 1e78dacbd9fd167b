//! `modkeep list` without `-m`: packages, as text or JSON.
//!
//! Source of the rules: `cmd/go/internal/list/list.go`.

use std::rc::Rc;
use std::sync::Arc;

use modkeep_builder::action_id::ActionId;
use modkeep_builder::build::{Build, Profile};
use modkeep_builder::listing::{Field, Listing};
use modkeep_builder::load::{Loader, Match, Options, PackageError, Scans, are_files};
use modkeep_builder::modules::Module;
use modkeep_builder::package::PackageId;
use modkeep_builder::tags::Instrument;
use modkeep_module::quote::quote;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::built;
use super::public::ModulePublic;
use crate::building::{BuildFlags, Site, open_cache, settings};
use crate::goenv::GoEnv;
use crate::gojson;
use crate::report::{self, Failure};
use crate::session::{ModFlags, Packages, Wanted, provide};
use crate::template::{Record, Template, Value};

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// `-deps`
    pub(super) deps: bool,
    /// `-test`
    pub(super) tests: bool,
    /// `-find`
    pub(super) finds: bool,
    /// `-export`
    pub(super) exports: bool,
    /// `-compiled`
    pub(super) is_compiled: bool,
    /// `-e`
    pub(super) is_lenient: bool,
    /// `all`, or fields; empty without `-json`.
    pub(super) json: String,
    /// `-f`
    pub(super) format: String,
}

/// Lists packages.
pub(super) fn run(
    go: &GoEnv,
    asked: &Asked,
    flags: &BuildFlags,
    of_modules: &ModFlags,
    words: &[String],
) -> Result<(), Failure> {
    let exact = |text: &str| Err(Failure::exact(1, text));
    if !asked.format.is_empty() && !asked.json.is_empty() {
        return exact("go list -f cannot be used with -json");
    }
    if asked.finds && asked.deps {
        return exact("go list -deps cannot be used with -find");
    }
    if asked.finds && asked.tests {
        return exact("go list -test cannot be used with -find");
    }
    let format = if asked.format.is_empty() { "{{.ImportPath}}" } else { &asked.format };
    let template = Template::parse(format).map_err(|error| Failure::exact(1, error))?;
    if asked.finds && asked.exports {
        return exact("go list -export cannot be used with -find");
    }
    let needs_stale = asked.needs("Stale");
    let site = (asked.exports || asked.is_compiled || needs_stale)
        .then(|| Site::find(go, flags, "list"))
        .transpose()?;
    let build = match &site {
        Some(site) => site.builds[0].clone(),
        None => settings(go, flags)?,
    };
    let template = template.with_context(context(go, &build));
    let options = Options {
        ignores_imports: asked.finds,
        suppresses_build_info: !asked.exports && !needs_stale,
        stamps: true,
        suppresses_embeds: !asked.exports && !asked.json.is_empty() && !asked.needs("EmbedFiles"),
        reads_tests: asked.tests,
        ..Options::default()
    };
    let wanted = Wanted { verb: "list", flags: of_modules.clone(), ..Wanted::default() };
    let is_of_files = are_files(words, go.folder(), go.seen());
    let packages = if is_of_files { Packages::ImportedBy(words) } else { Packages::Matching(words) };
    let scans = match &site {
        Some(site) => Arc::clone(site.scans()),
        None => Arc::new(Scans::default().over(go.seen())),
    };
    let (modules, matches) = provide(go, &wanted, &build, &scans, packages, asked.tests)?;
    for link in matches.iter().flat_map(|found| &found.ignored_links) {
        report::tell(&format!("warning: ignoring symlink {link}"));
    }
    for found in matches.iter().filter(|found| Match::is_empty(found)) {
        report::tell(&format!("go: warning: {} matched no packages", quote(&found.pattern)));
    }
    let mut loader = Loader::new(&build, &*modules, &scans, options)
        .map_err(|error| Failure::exact(2, format!("go: {error}")))?;
    let named = match is_of_files {
        true => vec![loader.load_files(words).map_err(|error| Failure::exact(1, error.to_string()))?],
        false => loader.load(&matches),
    };
    loader.set_profiles(&named);
    let named = asked.without_broken(&loader, named)?;
    let named = asked.with_tests(&mut loader, named)?;
    if asked.tests {
        keep_programs(go, &mut loader, &named)?;
    }
    let mut built = Ok(());
    if let Some(site) = &site {
        let graph = loader.graph();
        let list = if asked.deps { graph.with_dependencies(&named) } else { named.clone() };
        built = built::build(site, asked, needs_stale, &mut loader, &list);
    }
    if built.as_ref().is_err_and(|failure| failure.is_over() || !failure.to_string().is_empty()) {
        return built;
    }
    // Where the reasons were told, all are listed all the same.
    let graph = loader.graph();
    let template = match asked.json.is_empty() && asked.format.contains("module") {
        true => {
            let others = modules.others().map_err(|error| Failure::exact(1, error.to_string()))?;
            let known = modules.mains().iter().map(|main| Arc::clone(&main.module)).chain(others);
            template
                .with_modules(known.map(|module| (module.path.clone(), public(&module).value())).collect())
        }
        false => template,
    };
    let list = if asked.deps { graph.with_dependencies(&named) } else { named.clone() };
    let renames = asked.tests || build.pgo == Profile::Auto && named.len() > 1;
    let mut has_failed = false;
    // Go looks at all that is needed where it may have to rename, and tells what it finds there.
    if (asked.deps || renames) && !asked.is_lenient {
        let all = graph.with_dependencies(&named);
        has_failed = tell_errors(all.iter().filter_map(|id| graph[*id].error.as_ref()));
    }
    let listing = Listing::new(&loader, &named, renames);
    report::out(&asked.text(&listing, &list, &template)?)?;
    if has_failed { Err(Failure::told(1)) } else { built }
}

impl Asked {
    /// Whether any field of that kind is shown.
    fn needs(&self, field: &str) -> bool {
        let fields = if self.json.is_empty() { &self.format } else { &self.json };
        self.json == "all" || fields.contains(field)
    }

    /// Without those that are broken, which end the program unless `-e` is given.
    fn without_broken(&self, loader: &Loader<'_>, named: Vec<PackageId>) -> Result<Vec<PackageId>, Failure> {
        let errors = named.iter().filter_map(|id| loader.graph()[*id].error.as_ref());
        if !self.is_lenient && tell_errors(errors) {
            return Err(Failure::told(1));
        }
        Ok(named)
    }

    /// With the packages of their tests behind them.
    fn with_tests(&self, loader: &mut Loader<'_>, named: Vec<PackageId>) -> Result<Vec<PackageId>, Failure> {
        let mut all = named.clone();
        for id in named.into_iter().filter(|_| self.tests) {
            let package = &loader.graph()[id];
            if package.test_go_files.is_empty() && package.x_test_go_files.is_empty() {
                continue;
            }
            let test = loader.test_packages(id, None);
            if let Some(broken) = loader.test_error(&test).filter(|_| !self.is_lenient)
                && let Some(error) = &loader.graph()[broken].error
            {
                return Err(Failure::go(format!("can't load test package: {error}")));
            }
            all.push(test.main);
            all.extend(Some(test.inner).filter(|inner| *inner != id));
            all.extend(test.outer);
        }
        Ok(all)
    }

    fn text(
        &self,
        listing: &Listing<'_>,
        list: &[PackageId],
        template: &Template,
    ) -> Result<String, Failure> {
        let mut output = String::new();
        for id in list {
            let mut fields = listing.fields(*id);
            if self.is_compiled {
                add_compiled_imports(&mut fields, listing.compiled_imports(*id));
            }
            if !self.json.is_empty() {
                let names: Vec<&str> = self.json.split(',').collect();
                let is_shown = |name: &str| self.json == "all" || names.contains(&name);
                let shown = fields.into_iter().filter(|(name, field)| is_shown(name) && !field.is_empty());
                output.push_str(&gojson::indented(&Document(shown.collect()))?);
                continue;
            }
            let (text, done) = template.run(&record(fields));
            output.push_str(&text);
            if let Err(error) = done {
                report::out(&output)?;
                return Err(Failure::exact(1, error));
            }
            if !output.is_empty() && !output.ends_with('\n') {
                output.push('\n');
            }
        }
        Ok(output)
    }
}

/// What cgo and its like import stands with what is written, under `-compiled`.
fn add_compiled_imports(fields: &mut [(&'static str, Field<'_>)], more: &[String]) {
    if let Some((_, Field::Texts(imports))) = fields.iter_mut().find(|(name, _)| *name == "Imports") {
        imports.extend(more.iter().cloned());
    }
}

/// Puts the texts of tests' programs into the build cache, and shows them as the files of those.
fn keep_programs(go: &GoEnv, loader: &mut Loader<'_>, named: &[PackageId]) -> Result<(), Failure> {
    let cache = open_cache(go)?;
    let salt = loader.build().toolchain.salt().to_owned();
    for &id in named {
        let Some(text) = loader.graph()[id].testmain.clone() else { continue };
        let key = ActionId::of(&salt, &format!("testmain\n{text}"));
        let output = cache.put_bytes(&key, text.as_bytes()).map_err(Failure::of)?;
        if let Some(file) = cache.output_file(&output) {
            loader.graph_mut()[id].go_files = vec![file.display().to_string()];
        }
    }
    Ok(())
}

/// The settings that templates may ask for (`list/context.go`).
fn context(go: &GoEnv, build: &Build) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    let list = |list: Vec<String>| Value::List(list.into_iter().map(Value::Text).collect());
    let releases = (1..=build.toolchain.release.minor()).map(|n| format!("go1.{n}")).collect();
    let suffix = match build.instrument {
        Some(Instrument::Race) => "race",
        Some(Instrument::Memory) => "msan",
        Some(Instrument::Address) => "asan",
        None => "",
    };
    let fields = vec![
        ("GOARCH", text(&build.target.arch)),
        ("GOOS", text(&build.target.os)),
        ("GOROOT", text(&build.toolchain.root)),
        ("GOPATH", Value::Text(go.gopath().join(":"))),
        ("CgoEnabled", Value::Bool(build.cgo)),
        ("UseAllFiles", Value::Bool(false)),
        ("Compiler", text("gc")),
        ("BuildTags", list(build.tags.clone())),
        // What is wrong with them is told when files are chosen.
        ("ToolTags", list(build.tool_tags().unwrap_or_default())),
        ("ReleaseTags", list(releases)),
        ("InstallSuffix", text(suffix)),
    ];
    Value::Record(Rc::new(Record { kind: "*list.Context", fields, shown: String::new(), has_string: false }))
}

/// Tells errors; whether there are any.
fn tell_errors<'a>(errors: impl Iterator<Item = &'a PackageError>) -> bool {
    let mut has_failed = false;
    for error in errors {
        has_failed = true;
        report::tell(&error.to_string());
    }
    has_failed
}

/// Fields in the order of go's.
struct Document<'a>(Vec<(&'static str, Field<'a>)>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, field) in &self.0 {
            match field {
                Field::Text(text) => map.serialize_entry(name, text)?,
                Field::Flag(flag) => map.serialize_entry(name, flag)?,
                Field::List(list) => map.serialize_entry(name, list)?,
                Field::Texts(list) => map.serialize_entry(name, list)?,
                Field::Map(pairs) => map.serialize_entry(name, pairs)?,
                Field::Module(module) => map.serialize_entry(name, &module.map(public))?,
                Field::Error(error) => map.serialize_entry(name, &error.map(ErrorDocument))?,
                Field::Errors(errors) => {
                    let errors: Vec<_> = errors.iter().map(|error| ErrorDocument(error)).collect();
                    map.serialize_entry(name, &errors)?;
                }
            }
        }
        map.end()
    }
}

struct ErrorDocument<'a>(&'a PackageError);

impl Serialize for ErrorDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("ImportStack", &self.0.stack_paths())?;
        map.serialize_entry("Pos", &self.0.position)?;
        map.serialize_entry("Err", &self.0.problem.to_string())?;
        map.end()
    }
}

fn public(module: &Module) -> ModulePublic {
    ModulePublic {
        path: module.path.clone(),
        version: module.version.clone(),
        replace: module.replace.as_deref().map(|replace| Box::new(public(replace))),
        time: module.time.clone(),
        main: module.main,
        indirect: module.indirect,
        dir: module.dir.clone(),
        go_mod: module.go_mod.clone(),
        go_version: module.go_version.clone(),
        sum: module.sum.clone(),
        go_mod_sum: module.go_mod_sum.clone(),
        ..ModulePublic::default()
    }
}

/// What a template sees.
fn record(fields: Vec<(&'static str, Field<'_>)>) -> Value {
    let fields = fields.into_iter().map(|(name, field)| (name, value(field))).collect();
    Value::Record(Rc::new(Record {
        kind: "*load.PackagePublic",
        fields,
        shown: String::new(),
        has_string: false,
    }))
}

fn value(field: Field<'_>) -> Value {
    let list = |list: &[String]| Value::List(list.iter().cloned().map(Value::Text).collect());
    match field {
        Field::Text(text) => Value::Text(text),
        Field::Flag(flag) => Value::Bool(flag),
        Field::List(texts) => list(texts),
        Field::Texts(texts) => list(&texts),
        Field::Map(pairs) => Value::Map(pairs),
        Field::Module(module) => {
            module.map_or(Value::Nil("*modinfo.ModulePublic"), |module| public(module).value())
        }
        Field::Error(error) => error.map_or(Value::Nil("*load.PackageError"), error_value),
        Field::Errors(errors) => Value::List(errors.into_iter().map(error_value).collect()),
    }
}

fn error_value(error: &PackageError) -> Value {
    let stack = error.stack_paths().into_iter().map(|path| Value::Text(path.to_owned())).collect();
    let fields = vec![
        ("ImportStack", Value::List(stack)),
        ("Pos", Value::Text(error.position.clone())),
        ("Err", Value::Text(error.problem.to_string())),
        ("IsImportCycle", Value::Bool(error.is_cycle)),
    ];
    let kind = "*load.PackageError";
    Value::Record(Rc::new(Record { kind, fields, shown: error.to_string(), has_string: false }))
}
