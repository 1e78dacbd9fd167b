//! Real programs, as the main module, from the machine's registry; by name.

use std::collections::BTreeMap;
use std::path::Path;

use modkeep_conformance::go::{Go, RELEASE};
use modkeep_harness::go::{Client, machine_proxy};
use modkeep_harness::place::{full_run, skip, tell};
use serde_json::Value;

use super::yard::{Row, Yard, check_all, copy};
use super::{OLDER, TARGETS};

/// One program.
struct Program {
    name: &'static str,
    module: &'static str,
    package: &'static str,
    /// How many of the targets it is built for.
    targets: usize,
    /// Whether the older release builds it too.
    is_for_both: bool,
    /// Whether it is built with cgo as well.
    has_cgo: bool,
    is_small: bool,
}

const PROGRAMS: [Program; 8] = [
    program("esbuild", "github.com/evanw/esbuild@v0.28.2", "./cmd/esbuild", 6, true, true),
    program("staticcheck", "honnef.co/go/tools@v0.8.2", "./cmd/staticcheck", 4, true, true),
    program("nats-server", "github.com/nats-io/nats-server/v2@v2.15.2", ".", 4, true, true),
    program("gopls", "golang.org/x/tools/gopls@v0.24.0", ".", 4, false, true),
    program("caddy", "github.com/caddyserver/caddy/v2@v2.11.9", "./cmd/caddy", 2, false, false),
    Program { has_cgo: true, ..program("kine", "github.com/k3s-io/kine@v0.16.4", ".", 1, false, false) },
    program(
        "golangci-lint",
        "github.com/golangci/golangci-lint/v2@v2.15.0",
        "./cmd/golangci-lint",
        2,
        false,
        false,
    ),
    program("terraform", "github.com/hashicorp/terraform@v0.15.5", ".", 2, false, false),
];

const fn program(
    name: &'static str,
    module: &'static str,
    package: &'static str,
    targets: usize,
    is_for_both: bool,
    is_small: bool,
) -> Program {
    Program { name, module, package, targets, is_for_both, has_cgo: false, is_small }
}

#[test]
fn real_programs_are_built_and_loaded_as_go_does_it() {
    if !full_run() {
        return skip("builds of real programs", &"only with MODKEEP_FULL=1");
    }
    let (go, proxy) = match (Go::specification(), machine_proxy()) {
        (Ok(go), Ok(proxy)) => (go, proxy),
        (Err(missing), _) | (_, Err(missing)) => return skip("builds of real programs", &missing),
    };
    #[allow(clippy::disallowed_methods, reason = "what to test is said by whoever runs the tests")]
    let names = std::env::var("MODKEEP_TEST_NAMES").unwrap_or_default();
    let is_asked = |program: &&Program| match names.as_str() {
        "" => program.is_small,
        names => names.split(',').any(|name| name == program.name),
    };
    let client = Client::new(&go, &proxy).unwrap();
    for program in PROGRAMS.iter().filter(is_asked) {
        let said = client.run(client.home(), &["mod", "download", "-json", program.module]).unwrap();
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        let source = said["Dir"].as_str().unwrap_or_else(|| panic!("{}: {said}", program.name));
        let yard = Yard::new(false).with_modules(&client.module_cache());
        copy(Path::new(source), &yard.path("tree"));
        // What its packages need is downloaded by go alone.
        let output = client.run(&yard.path("tree"), &["list", "-deps", "-test", "./..."]).unwrap();
        assert!(output.status.success(), "{}: {}", program.name, String::from_utf8_lossy(&output.stderr));
        check_loading(&yard, program);
        let row = Row::new(program.name, program.package);
        let mut rows: Vec<Row<'_>> =
            TARGETS[..program.targets].iter().map(|target| row.for_target(target)).collect();
        if program.is_for_both {
            rows.push(row.by(OLDER));
        }
        if program.has_cgo {
            rows.push(row.clone().with_cgo());
        }
        check_all(&yard, &rows);
    }
}

/// What is loaded for `./...` with tests is what go lists.
fn check_loading(yard: &Yard, program: &Program) {
    let row = Row { release: RELEASE, ..Row::new(program.name, "./...") };
    let [theirs, ours] = ["go", "modkeep"].map(|side| {
        let mut command = yard.command(side, &row, &yard.cache(side, RELEASE));
        let output = command.args(["list", "-e", "-deps", "-test", "-json", "./..."]).output().unwrap();
        let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        let packages: BTreeMap<String, Value> = values
            .map(|value: Result<Value, _>| {
                let mut value = value.unwrap();
                let fields = value.as_object_mut().unwrap();
                // What only building tells.
                for name in ["Stale", "StaleReason", "Export", "BuildID", "CompiledGoFiles"] {
                    fields.remove(name);
                }
                (value["ImportPath"].as_str().unwrap().to_owned(), value)
            })
            .collect();
        packages
    });
    let names: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let differences: Vec<String> = names
        .iter()
        .filter(|name| theirs.get(**name) != ours.get(**name))
        .map(|name| format!("{name}\n  go {:?}\n  we {:?}", theirs.get(*name), ours.get(*name)))
        .collect();
    tell(&format!("{:<32} {} packages loaded, {} differ", program.name, names.len(), differences.len()));
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(3)].join("\n"));
}
