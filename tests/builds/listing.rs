//! What is listed of a real program's packages, beside go's listing.

use std::collections::BTreeSet;

use modkeep_harness::place::tell;
use serde_json::Value;

use super::yard::{Row, Yard};

/// Listings that are compared as texts; `PACKAGE` is the program.
const TEXTS: [&[&str]; 7] = [
    &["./..."],
    &["-test", "./..."],
    &["-find", "-f", "{{.ImportPath}} {{.Name}} {{.Imports}}", "./..."],
    &["-deps", "-f", "{{.ImportPath}} {{.Name}} {{.DepOnly}} {{with .Module}}{{.}}{{end}}", "PACKAGE"],
    &["-deps", "-test", "-f", "{{.ImportPath}} {{.ForTest}} {{join .Imports \",\"}}", "./..."],
    &["-json=ImportPath,Dir,Target,Root,GoFiles,IgnoredGoFiles,Imports,Deps,EmbedFiles,Module", "./..."],
    &["-e", "-json=ImportPath,Error,DepsErrors,Incomplete", "./...", "./missing", "example.com/missing"],
];

/// Those for which it is built.
const BUILT_TEXTS: [&[&str]; 2] = [
    &["-trimpath", "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}} {{.BuildID}}", "PACKAGE"],
    &["-trimpath", "-deps", "-compiled", "-f", "{{.ImportPath}} {{.CompiledGoFiles}}", "PACKAGE"],
];

/// What differs in the listings of a program and of the module that it is in.
pub(crate) fn compare_listings(yard: &Yard, row: &Row<'_>) -> Vec<String> {
    let mut differences = compare_packages(yard, row);
    differences.extend(compare_texts(yard, row, &TEXTS));
    differences
}

/// The same for what is only known once both have built the program.
pub(crate) fn compare_built_listings(yard: &Yard, row: &Row<'_>) -> Vec<String> {
    compare_texts(yard, row, &BUILT_TEXTS)
}

fn compare_texts(yard: &Yard, row: &Row<'_>, texts: &[&[&str]]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut same = 0;
    for text in texts {
        let arguments: Vec<&str> =
            text.iter().map(|word| if *word == "PACKAGE" { row.package } else { word }).collect();
        let [go, modkeep] = ["go", "modkeep"].map(|side| said(yard, row, side, &arguments));
        if go == modkeep {
            same += 1;
            continue;
        }
        let lines = || go.lines().map(Some).chain([None]).zip(modkeep.lines().map(Some).chain([None]));
        let first = lines().find(|(go, modkeep)| go != modkeep);
        differences.push(format!("{} list {arguments:?}: {first:?}", row.name));
    }
    tell(&format!("{:<32} {same} of {} listings are the same", row.name, texts.len()));
    differences
}

/// All that a side says, without the folder of its cache.
fn said(yard: &Yard, row: &Row<'_>, side: &str, arguments: &[&str]) -> String {
    let cache = yard.cache(side, row.release);
    let output = yard.command(side, row, &cache).arg("list").args(arguments).output().unwrap();
    let text = [&*output.stdout, &*output.stderr, output.status.to_string().as_bytes()].concat();
    String::from_utf8_lossy(&text).replace(cache.to_str().unwrap(), "CACHE")
}

/// Every field of every package that `./...` with its tests needs, and their order.
fn compare_packages(yard: &Yard, row: &Row<'_>) -> Vec<String> {
    let [go, modkeep] = ["go", "modkeep"].map(|side| {
        let mut command = yard.command(side, row, &yard.cache(side, row.release));
        let output = command.args(["list", "-e", "-deps", "-test", "-json", "./..."]).output().unwrap();
        let packages = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        packages.map(|package| without_cache(package.unwrap())).collect::<Vec<Value>>()
    });
    let mut differences = Vec::new();
    let path = |package: &Value| package["ImportPath"].as_str().unwrap().to_owned();
    let [mine, theirs] = [&modkeep, &go].map(|list| list.iter().map(path).collect::<Vec<_>>());
    if mine != theirs {
        let first = mine.iter().zip(&theirs).find(|(mine, theirs)| mine != theirs);
        differences.push(format!("{}: {} and {} packages, {first:?}", row.name, theirs.len(), mine.len()));
    }
    for package in &go {
        let Some(ours) = modkeep.iter().find(|ours| ours["ImportPath"] == package["ImportPath"]) else {
            continue;
        };
        let names: BTreeSet<&String> =
            [package, ours].into_iter().flat_map(|package| package.as_object().unwrap().keys()).collect();
        for name in names.into_iter().filter(|name| package[*name] != ours[*name]) {
            let (path, go, modkeep) = (path(package), &package[name], &ours[name]);
            differences.push(format!("{path} {name}:\n  go {go}\n  modkeep {modkeep}"));
        }
    }
    tell(&format!("{:<32} {} packages loaded, {} differences", row.name, go.len(), differences.len()));
    differences.truncate(10);
    differences
}

/// The program of a test lies in the cache of either.
fn without_cache(mut package: Value) -> Value {
    if package["ImportPath"].as_str().is_some_and(|path| path.ends_with(".test")) {
        for name in ["GoFiles", "CompiledGoFiles"] {
            if let Some(file) = package[name][0].as_str().and_then(|file| file.rsplit('/').next()) {
                package[name] = file.into();
            }
        }
    }
    package
}
