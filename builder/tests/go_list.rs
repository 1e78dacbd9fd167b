//! Which files make up a package, compared with `go list -pgo=off -deps -json std cmd`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use modkeep_builder::release::Release;
use modkeep_builder::select::{Directory, Language, Requests, Selection};
use modkeep_builder::tags::{Settings, Tags};
use modkeep_harness::go::{Go, RELEASE};
use modkeep_harness::place::full_run;
use serde_json::Value;

const TARGETS: [&str; 14] = [
    "linux/amd64",
    "windows/arm64",
    "linux/arm64",
    "darwin/arm64",
    "windows/amd64",
    "freebsd/amd64",
    "js/wasm",
    "wasip1/wasm",
    "linux/386",
    "linux/riscv64",
    "android/arm64",
    "ios/arm64",
    "illumos/amd64",
    "aix/ppc64",
];

/// A package's lists by the names that go gives them.
type Lists = BTreeMap<&'static str, Vec<String>>;

const LISTS: [&str; 29] = [
    "GoFiles",
    "CgoFiles",
    "IgnoredGoFiles",
    "InvalidGoFiles",
    "IgnoredOtherFiles",
    "TestGoFiles",
    "XTestGoFiles",
    "CFiles",
    "CXXFiles",
    "MFiles",
    "HFiles",
    "FFiles",
    "SFiles",
    "SwigFiles",
    "SwigCXXFiles",
    "SysoFiles",
    "EmbedPatterns",
    "TestEmbedPatterns",
    "XTestEmbedPatterns",
    "CgoCFLAGS",
    "CgoCPPFLAGS",
    "CgoCXXFLAGS",
    "CgoFFLAGS",
    "CgoLDFLAGS",
    "CgoPkgConfig",
    "Imports",
    "TestImports",
    "XTestImports",
    "Name",
];

#[test]
fn files_and_imports_of_the_distribution_are_those_of_go_list() {
    let go = Go::specification().expect("the release go");
    let count = if full_run() { TARGETS.len() } else { 2 };
    let mut directories = HashMap::new();
    let (mut packages, mut differences) = (0, Vec::new());
    for target in &TARGETS[..count] {
        for cgo in [false, true] {
            let (os, arch) = target.split_once('/').expect("GOOS/GOARCH");
            let tags = tags(os, arch, cgo);
            for package in listed(&go, os, arch, cgo) {
                packages += 1;
                let of_go = lists_of_go(&package);
                let ours = lists(&selection(&package, &mut directories, &tags));
                differences.extend(LISTS.iter().filter(|list| of_go[*list] != ours[*list]).map(|list| {
                    let path = &package["ImportPath"];
                    format!(
                        "{target} cgo {cgo} {path} {list}:\n  go {:?}\n  we {:?}",
                        of_go[list], ours[list]
                    )
                }));
            }
        }
    }
    println!("{packages} packages, {} directories, {} differences", directories.len(), differences.len());
    assert!(packages > 300 * count, "go listed only {packages} packages");
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(20)].join("\n"));
}

fn tags(os: &str, arch: &str, cgo: bool) -> Tags {
    let release = Release::parse(RELEASE).expect("a supported release");
    let settings =
        Settings { release, os, arch, cgo, level: "", experiments: "", tags: &[], instrument: None };
    Tags::new(&settings).expect("tags")
}

fn listed(go: &Go, os: &str, arch: &str, cgo: bool) -> Vec<Value> {
    let cgo = if cgo { "1" } else { "0" };
    let mut command = go.command();
    command.env("GOOS", os).env("GOARCH", arch).env("CGO_ENABLED", cgo);
    let output = command
        .args(["list", "-e", "-pgo=off", "-deps", "-json", "std", "cmd"])
        .current_dir(go.root().join("src"));
    let output = output.output().expect("go list");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .map(|value| value.expect("JSON"))
        .collect()
}

fn selection(package: &Value, directories: &mut HashMap<PathBuf, Directory>, tags: &Tags) -> Selection {
    let path = Path::new(package["Dir"].as_str().expect("a directory"));
    let directory = directories.entry(path.to_owned()).or_insert_with(|| {
        Directory::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    directory.select(tags)
}

/// What go says, with imports as they are written.
fn lists_of_go(package: &Value) -> Lists {
    let strings = |list: &str| -> Vec<String> {
        let values = package[list].as_array().into_iter().flatten();
        values.map(|value| value.as_str().expect("text").to_owned()).collect()
    };
    let written = |path: String| {
        let vendored = path.strip_prefix("cmd/vendor/").or_else(|| path.strip_prefix("vendor/"));
        vendored.map_or(path.clone(), str::to_owned)
    };
    let mut lists: Lists = LISTS.iter().map(|&list| (list, strings(list))).collect();
    for list in ["Imports", "TestImports", "XTestImports"] {
        let mut imports: Vec<String> = strings(list).into_iter().map(written).collect();
        imports.sort();
        lists.insert(list, imports);
    }
    lists.insert("Name", vec![package["Name"].as_str().unwrap_or_default().to_owned()]);
    lists
}

fn lists(selection: &Selection) -> Lists {
    let other = |language| selection.other.get(&language).cloned().unwrap_or_default();
    let imports = |requests: &Requests| requests.imports.keys().cloned().collect();
    let embeds = |requests: &Requests| requests.embeds.keys().cloned().collect();
    let flags = &selection.flags;
    Lists::from([
        ("Name", vec![selection.name.clone()]),
        ("GoFiles", selection.go.clone()),
        ("CgoFiles", selection.cgo.clone()),
        ("IgnoredGoFiles", selection.ignored_go.clone()),
        ("InvalidGoFiles", selection.invalid_go.clone()),
        ("IgnoredOtherFiles", selection.ignored_other.clone()),
        ("TestGoFiles", selection.test.clone()),
        ("XTestGoFiles", selection.outer_test.clone()),
        ("CFiles", other(Language::C)),
        ("CXXFiles", other(Language::Cxx)),
        ("MFiles", other(Language::ObjectiveC)),
        ("HFiles", other(Language::Header)),
        ("FFiles", other(Language::Fortran)),
        ("SFiles", other(Language::Assembly)),
        ("SwigFiles", other(Language::Swig)),
        ("SwigCXXFiles", other(Language::SwigCxx)),
        ("SysoFiles", other(Language::Object)),
        ("EmbedPatterns", embeds(&selection.requests)),
        ("TestEmbedPatterns", embeds(&selection.test_requests)),
        ("XTestEmbedPatterns", embeds(&selection.outer_test_requests)),
        ("CgoCFLAGS", flags.c.clone()),
        ("CgoCPPFLAGS", flags.preprocessor.clone()),
        ("CgoCXXFLAGS", flags.cxx.clone()),
        ("CgoFFLAGS", flags.fortran.clone()),
        ("CgoLDFLAGS", flags.linker.clone()),
        ("CgoPkgConfig", flags.packages.clone()),
        ("Imports", imports(&selection.requests)),
        ("TestImports", imports(&selection.test_requests)),
        ("XTestImports", imports(&selection.outer_test_requests)),
    ])
}
