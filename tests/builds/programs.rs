//! Real programs, as the main module, from the machine's registry; by name.

use std::path::Path;

use modkeep_conformance::go::{Go, RELEASE};
use modkeep_harness::go::{Client, machine_proxy};
use modkeep_harness::mains::{self, KUBERNETES};
use modkeep_harness::place::{full_run, kept_folder, skip};
use modkeep_harness::tree;
use tempfile::TempDir;

use super::listing::{compare_built_listings, compare_listings};
use super::states::{compare_revisions, compare_vendored, compare_workspace};
use super::variants::{profile, variants};
use super::yard::{Row, Yard, compare, settle};
use super::{OLDER, RELEASES};

/// One program.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    module: &'static str,
    packages: &'static [&'static str],
    targets: &'static [&'static str],
    releases: &'static [&'static str],
    /// Whether it is built with cgo as well.
    has_cgo: bool,
    is_small: bool,
    /// A package whose tests are built, where the program is built in all variants and states.
    tested: Option<&'static str>,
}

/// A small one.
const SMALL: Program = Program {
    name: "",
    module: "",
    packages: &["."],
    targets: &["linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64", "js/wasm"],
    releases: &RELEASES,
    has_cgo: false,
    is_small: true,
    tested: None,
};

/// More than a minute of a processor.
const LARGE: Program =
    Program { targets: &["linux/amd64", "linux/arm64"], releases: &[RELEASE], is_small: false, ..SMALL };

const PROGRAMS: [Program; 13] = [
    Program {
        name: "esbuild",
        module: "github.com/evanw/esbuild@v0.28.2",
        packages: &["./cmd/esbuild"],
        targets: &["linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64", "js/wasm", "wasip1/wasm"],
        tested: Some("./internal/js_lexer"),
        ..SMALL
    },
    Program { name: "shfmt", module: "mvdan.cc/sh/v3@v3.14.1", packages: &["./cmd/shfmt"], ..SMALL },
    Program { name: "age", module: "filippo.io/age@v1.3.2", packages: &["./cmd/age"], ..SMALL },
    Program { name: "fzf", module: "github.com/junegunn/fzf@v0.65.2", ..SMALL },
    Program {
        name: "staticcheck",
        module: "honnef.co/go/tools@v0.8.2",
        packages: &["./cmd/staticcheck"],
        ..SMALL
    },
    Program { name: "nats-server", module: "github.com/nats-io/nats-server/v2@v2.15.2", ..SMALL },
    Program { name: "gopls", module: "golang.org/x/tools/gopls@v0.24.0", ..LARGE },
    Program { name: "kine", module: "github.com/k3s-io/kine@v0.16.4", has_cgo: true, ..LARGE },
    Program {
        name: "caddy",
        module: "github.com/caddyserver/caddy/v2@v2.11.9",
        packages: &["./cmd/caddy"],
        ..LARGE
    },
    Program {
        name: "golangci-lint",
        module: "github.com/golangci/golangci-lint/v2@v2.15.0",
        packages: &["./cmd/golangci-lint"],
        ..LARGE
    },
    Program { name: "terraform", module: "github.com/hashicorp/terraform@v0.15.5", ..LARGE },
    Program {
        name: "kubernetes",
        module: KUBERNETES,
        packages: &["./cmd/sched", "k8s.io/kubernetes/cmd/kubectl"],
        ..LARGE
    },
    // One of its modules is refused by the registry.
    Program { name: "hugo", module: "github.com/gohugoio/hugo@v0.169.0", ..LARGE },
];

#[test]
fn real_programs_are_listed_as_go_lists_them() {
    settle(&each("listings of real programs", |_, yard, rows| compare_listings(yard, &rows[0])));
}

#[test]
fn real_programs_are_built_as_go_builds_them() {
    settle(&each("builds of real programs", |program, yard, rows| {
        let mut differences = compare(yard, rows);
        differences.extend(compare_built_listings(yard, &rows[0]));
        if let Some(tested) = program.tested {
            let guide = format!("-pgo={}", profile().display());
            for release in program.releases {
                let row = rows[0].by(release);
                differences.extend(compare(yard, &variants(&row, tested, "./...", &guide)));
                differences.extend(compare_revisions(yard, &row));
                differences.extend(compare_workspace(yard, &row, &["./tree"]));
                differences.extend(compare_vendored(yard, &row));
            }
        }
        differences
    }));
}

/// What differs in any of the programs that are asked for.
fn each(test: &str, differing: impl Fn(&Program, &Yard, &[Row<'_>]) -> Vec<String>) -> Vec<String> {
    if !full_run() {
        skip(test, &"only with MODKEEP_FULL=1");
        return Vec::new();
    }
    let (go, proxy) = match (Go::specification(), machine_proxy()) {
        (Ok(go), Ok(proxy)) => (go, proxy),
        (Err(missing), _) | (_, Err(missing)) => {
            skip(test, &missing);
            return Vec::new();
        }
    };
    let (names, targets) = (asked("MODKEEP_TEST_NAMES"), asked("MODKEEP_TEST_TARGETS"));
    let is_known = |name: &String| PROGRAMS.iter().any(|program| program.name == *name);
    assert!(names.iter().all(is_known), "MODKEEP_TEST_NAMES has a name that no program has: {names:?}");
    let is_asked = |program: &&Program| match names.as_slice() {
        [] => program.is_small,
        names => names.iter().any(|name| name == program.name),
    };
    let kept = kept_folder().join("programs");
    let modules = kept.join("modules");
    let client = Client::new(&go, &proxy).unwrap().with("GOMODCACHE", modules.to_str().unwrap());
    // What is compiled of std for one program is there for the next, for each side what it has compiled itself.
    let new = TempDir::with_prefix("modkeep-caches-").unwrap();
    let given = asked("MODKEEP_TEST_CACHES").pop();
    let caches = given.as_ref().map_or(new.path(), Path::new);
    let mut differences = Vec::new();
    for program in PROGRAMS.iter().filter(is_asked) {
        let main = match mains::folder(&client, &kept.join("mains"), program.module) {
            Ok(main) => main,
            Err(missing) => {
                skip(program.name, &missing);
                continue;
            }
        };
        let rows = rows(program, &targets);
        if rows.is_empty() {
            skip(program.name, &"none of its targets is asked for");
            continue;
        }
        let yard = Yard::new(false).with_modules(&modules).with_caches(caches);
        tree::copy(&main, &yard.path("tree")).unwrap();
        match fetch(&client, &yard, &rows) {
            Ok(()) => differences.extend(differing(program, &yard, &rows)),
            Err(missing) => skip(program.name, &missing),
        }
    }
    differences
}

/// The names in a variable that whoever runs the tests may set.
fn asked(variable: &str) -> Vec<String> {
    #[allow(clippy::disallowed_methods, reason = "what to test is said by whoever runs the tests")]
    let names = std::env::var(variable).unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// All builds of a program, or those for these targets.
fn rows(program: &Program, targets: &[String]) -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for release in program.releases {
        for package in program.packages {
            let row = Row::new(program.name, package).by(release);
            rows.extend(program.targets.iter().map(|target| row.for_target(target)));
            rows.extend(program.has_cgo.then(|| row.with_cgo()));
        }
    }
    rows.retain(|row| targets.is_empty() || targets.iter().any(|target| target == row.target));
    rows
}

/// What the packages need is downloaded by go alone, before both sides build without a registry.
fn fetch(client: &Client, yard: &Yard, rows: &[Row<'_>]) -> Result<(), String> {
    let needed = |row: &Row<'_>, arguments: &[&str]| {
        let (os, arch) = row.target.split_once('/').unwrap();
        let mut command = client.command();
        command.env("GOOS", os).env("GOARCH", arch).env("CGO_ENABLED", if row.cgo { "1" } else { "0" });
        command.args(["list", "-deps"]).args(arguments).current_dir(yard.path("tree"));
        let output = command.output().unwrap();
        match output.status.success() || row.target.ends_with("/wasm") {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    };
    needed(&rows[0], &["-test", "./..."])?;
    rows.iter().filter(|row| row.release != OLDER).try_for_each(|row| needed(row, &[row.package]))
}
