//! A listing of ours beside one of go's.

use std::collections::BTreeMap;
use std::fs;

use modkeep_builder::build::{Build, Profile};
use modkeep_builder::listing::{Field, Listing};
use modkeep_builder::load::{Loader, Options, PackageError, Scans};
use modkeep_builder::modules::{Module, Modules};
use modkeep_builder::package::PackageId;
use modkeep_builder::target::Target;
use modkeep_builder::toolchain::Toolchain;
use modkeep_conformance::go::Go;
use serde_json::{Map, Value, json};

/// Fields that only a build can fill in.
const OF_BUILDS: [&str; 4] = ["Stale", "StaleReason", "Export", "BuildID"];

/// The settings for a target, without flags.
pub(super) fn build(go: &Go, os: &str, arch: &str, folder: &str) -> Build {
    let host = Target {
        os: "linux".into(),
        arch: std::env::consts::ARCH.replace("x86_64", "amd64").replace("aarch64", "arm64"),
    };
    let toolchain = Toolchain::at(go.root().to_str().unwrap(), host).unwrap();
    let mut build = Build::new(toolchain, Target { os: os.into(), arch: arch.into() }, folder);
    build.pgo = Profile::Off;
    build
}

/// What we list, as go's JSON has it.
pub(super) fn listed(build: &Build, modules: &dyn Modules, scans: &Scans, patterns: &[&str]) -> Vec<Value> {
    let options = Options { suppresses_build_info: true, ..Options::default() };
    let mut loader = Loader::new(build, modules, scans, options).unwrap();
    let roots = loader.load(&loader.matches(&owned(patterns)));
    shown(&loader, &roots, false)
}

/// The same with tests; the program of a test shows its text in the place of the file.
pub(super) fn listed_with_tests(
    build: &Build,
    modules: &dyn Modules,
    scans: &Scans,
    patterns: &[&str],
) -> Vec<Value> {
    let options = Options { suppresses_build_info: true, reads_tests: true, ..Options::default() };
    let mut loader = Loader::new(build, modules, scans, options).unwrap();
    let mut roots = loader.load(&loader.matches(&owned(patterns)));
    for id in roots.clone() {
        let package = &loader.graph()[id];
        if package.test_go_files.is_empty() && package.x_test_go_files.is_empty() {
            continue;
        }
        let test = loader.test_packages(id, None);
        roots.push(test.main);
        roots.extend(Some(test.inner).filter(|inner| *inner != id));
        roots.extend(test.outer);
    }
    shown(&loader, &roots, true)
}

fn owned(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

fn shown(loader: &Loader<'_>, roots: &[PackageId], renames: bool) -> Vec<Value> {
    let list = loader.graph().with_dependencies(roots);
    let listing = Listing::new(loader, roots, renames);
    let one = |id: &PackageId| {
        let mut object = object(listing.fields(*id));
        if let Some(text) = &loader.graph()[*id].testmain {
            object["GoFiles"] = json!([**text]);
        }
        object
    };
    list.iter().map(one).collect()
}

fn object(fields: Vec<(&'static str, Field<'_>)>) -> Value {
    let shown = fields.into_iter().filter(|(_, field)| !field.is_empty());
    Value::Object(shown.map(|(name, field)| (name.to_owned(), value(field))).collect())
}

fn value(field: Field<'_>) -> Value {
    match field {
        Field::Text(text) => text.into(),
        Field::Flag(flag) => flag.into(),
        Field::List(list) => list.into(),
        Field::Texts(list) => list.into(),
        Field::Map(map) => json!(map),
        Field::Module(found) => found.map_or(Value::Null, module),
        Field::Error(found) => found.map_or(Value::Null, error),
        Field::Errors(errors) => errors.into_iter().map(error).collect(),
    }
}

fn error(error: &PackageError) -> Value {
    json!({ "ImportStack": error.stack_paths(), "Pos": error.position, "Err": error.problem.to_string() })
}

fn module(module: &Module) -> Value {
    let texts = [
        ("Path", &module.path),
        ("Version", &module.version),
        ("Dir", &module.dir),
        ("GoMod", &module.go_mod),
        ("GoVersion", &module.go_version),
        ("Sum", &module.sum),
        ("GoModSum", &module.go_mod_sum),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    let mut object: Map<String, Value> =
        texts.map(|(name, text)| (name.to_owned(), text.as_str().into())).collect();
    let flags = [("Main", module.main), ("Indirect", module.indirect)];
    object.extend(
        flags.into_iter().filter(|(_, flag)| *flag).map(|(name, flag)| (name.to_owned(), flag.into())),
    );
    object.extend(module.time.iter().map(|time| ("Time".to_owned(), time.as_str().into())));
    object.extend(module.replace.iter().map(|replace| ("Replace".to_owned(), self::module(replace))));
    Value::Object(object)
}

/// What go lists in a folder for a target.
pub(super) fn listed_by_go(go: &Go, build: &Build, arguments: &[&str]) -> Vec<Value> {
    let mut command = go.command();
    command.env("GOOS", &build.target.os).env("GOARCH", &build.target.arch);
    command.env("CGO_ENABLED", if build.cgo { "1" } else { "0" });
    if !build.gopath.is_empty() {
        command.env("GOPATH", &build.gopath);
    }
    let output = command
        .args(["list", "-e", "-pgo=off", "-deps", "-json"])
        .args(arguments)
        .current_dir(&build.folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    values.map(|value| with_program(value.unwrap())).collect()
}

/// Shows the text of a test's program in the place of its file, which lies in go's cache.
fn with_program(mut package: Value) -> Value {
    let is_program = package["Name"] == "main" && package["ImportPath"].as_str().unwrap().ends_with(".test");
    if let Some(file) = package["GoFiles"][0].as_str().filter(|file| is_program && file.starts_with('/')) {
        package["GoFiles"] = json!([fs::read_to_string(file).unwrap()]);
    }
    package
}

/// Every field that differs, and every package that only one of the two lists, or lists elsewhere.
pub(super) fn differences(of_go: &[Value], ours: &[Value]) -> Vec<String> {
    let path = |package: &Value| package["ImportPath"].as_str().unwrap_or_default().to_owned();
    let by_path: BTreeMap<String, &Value> = ours.iter().map(|package| (path(package), package)).collect();
    let mut differences = Vec::new();
    for package in of_go {
        let Some(our) = by_path.get(&path(package)) else {
            differences.push(format!("{}: only go lists it", path(package)));
            continue;
        };
        let mut names: Vec<&String> =
            package.as_object().unwrap().keys().chain(our.as_object().unwrap().keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|name| !OF_BUILDS.contains(&name.as_str())) {
            if package[name] != our[name] {
                differences.push(format!(
                    "{} {name}:\n  go {}\n  we {}",
                    path(package),
                    package[name],
                    our[name]
                ));
            }
        }
    }
    let order = |list: &[Value]| list.iter().map(path).collect::<Vec<_>>();
    let (go_order, our_order) = (order(of_go), order(ours));
    if let Some(at) =
        (0..go_order.len().max(our_order.len())).find(|at| go_order.get(*at) != our_order.get(*at))
    {
        differences.push(format!("order at {at}: go {:?}, we {:?}", go_order.get(at), our_order.get(at)));
    }
    differences
}
