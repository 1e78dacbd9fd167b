//! `modkeep test`: tests built, run, and remembered by what they read.
//!
//! Packages are vetted by the go command only; there is no vet here. Source of the rules: `cmd/go/internal/test/test.go`.

mod events;
mod flags;
mod program;
mod voice;
mod wait;

use std::collections::HashMap;
use std::sync::Arc;

use modkeep_builder::load::{Options, TestPackages};
use modkeep_builder::package::PackageId;
use modkeep_builder::plan::Linking;
use parking_lot::Mutex;

use self::flags::TestFlags;
use self::program::{Program, Ran};
use self::voice::Voice;
use super::site::Loaded;
use super::{Site, build_flags};
use crate::flags::{Kind, Usage};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "test",
    line: "go test [build/test flags] [packages] [build/test flags & test binary flags]",
    flags: build_flags![
        ("bench", Kind::Text),
        ("benchmem", Kind::Bool),
        ("benchtime", Kind::Text),
        ("c", Kind::Bool),
        ("count", Kind::Text),
        ("cpu", Kind::Text),
        ("exec", Kind::Text),
        ("failfast", Kind::Bool),
        ("fullpath", Kind::Bool),
        ("list", Kind::Text),
        ("o", Kind::Text),
        ("parallel", Kind::Text),
        ("run", Kind::Text),
        ("short", Kind::Bool),
        ("shuffle", Kind::Text),
        ("skip", Kind::Text),
        ("timeout", Kind::Text),
        ("vet", Kind::Text),
    ],
};

/// A named package and its test, if it has one.
struct Tested {
    package: PackageId,
    packages: Option<TestPackages>,
}

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let flags = TestFlags::parse(go, words)?;
    let site = Site::find(go, &flags.build, "test")?;
    let [build] = site.builds.as_slice() else {
        return Err(Failure::usage("tests are run for one target"));
    };
    let options = Options { reads_tests: true, ..Options::default() };
    let patterns = if flags.packages.is_empty() { vec![".".to_owned()] } else { flags.packages.clone() };
    let (mut loaded, tested) = site.load_with(build, &patterns, options, |loader, named| {
        let mut tested = Vec::new();
        for &package in named {
            let (inner, outer) =
                (&loader.graph()[package].test_go_files, &loader.graph()[package].x_test_go_files);
            let has_tests = !inner.is_empty() || !outer.is_empty();
            let packages = has_tests.then(|| loader.test_packages(package, None));
            tested.push(Tested { package, packages });
        }
        Ok(tested)
    })?;
    if flags.only_compiles
        && tested.iter().filter(|test| test.packages.is_some()).count() > 1
        && !flags.output.is_empty()
        && !flags.output.ends_with('/')
    {
        return Err(Failure::exact(1, "with multiple packages, -o must refer to a directory or /dev/null"));
    }
    let mut has_failed = false;
    let broken = check(&site, &loaded, &tested, &mut has_failed);
    for packages in tested.iter().filter_map(|test| test.packages) {
        loaded.graph[packages.main].omit_debug = !flags.only_compiles && flags.output.is_empty();
    }
    let loaded = [loaded];
    build_and_run(&site, &flags, &loaded, &tested, &broken, has_failed)
}

/// Tells what is wrong with tests that can't be built; gives their packages.
fn check(site: &Site<'_>, loaded: &Loaded, tested: &[Tested], has_failed: &mut bool) -> Vec<PackageId> {
    let graph = &loaded.graph;
    let mut broken = Vec::new();
    for test in tested {
        let Some(packages) = &test.packages else { continue };
        let roots: Vec<PackageId> =
            [Some(packages.main), Some(packages.inner), packages.outer].into_iter().flatten().collect();
        let wrong = graph.with_dependencies(&roots).into_iter().find_map(|id| graph[id].error.as_ref());
        if let Some(error) = wrong {
            *has_failed = true;
            broken.push(test.package);
            let text = format!("# {}\n{error}\n", graph[test.package].import_path);
            site.teller()(modkeep_builder::transcript::Told {
                package: &graph[test.package].import_path,
                text: &text,
                is_failure: true,
            });
        }
    }
    broken
}

fn build_and_run(
    site: &Site<'_>,
    flags: &TestFlags,
    loaded: &[Loaded],
    tested: &[Tested],
    broken: &[PackageId],
    mut has_failed: bool,
) -> Result<(), Failure> {
    let graph = &loaded[0].graph;
    let variables = Arc::new(site.variables());
    let known: Arc<Mutex<HashMap<PackageId, Vec<u8>>>> = Arc::default();
    let nodes: std::cell::RefCell<HashMap<PackageId, usize>> = std::cell::RefCell::default();
    let program = |package: PackageId| Program {
        flags,
        package: &graph[package],
        variables: Arc::clone(&variables),
        cache: site.cache(),
    };
    site.perform(
        loaded,
        |plan| {
            let suffix = plan.program_suffix(0);
            for test in tested.iter().filter(|test| !broken.contains(&test.package)) {
                let Some(packages) = &test.packages else {
                    nodes.borrow_mut().insert(test.package, plan.compile(0, test.package));
                    continue;
                };
                let name = format!("{}.test", graph[test.package].program_name());
                let target = flags.target(&site.go.absolute("."), &format!("{name}{suffix}"));
                let linking = Linking {
                    target: &target,
                    installs: !target.is_empty(),
                    name: &name,
                    ..Linking::default()
                };
                let node = plan.link(0, packages.main, &linking);
                let of_link = if target.is_empty() { node } else { node - 1 };
                nodes.borrow_mut().insert(test.package, of_link);
                if target.is_empty()
                    && let Some(probe) = program(test.package).probe()
                {
                    let (known, package) = (Arc::clone(&known), test.package);
                    plan.link_unless(node, move |id| {
                        let output = probe.known(id);
                        let is_known = output.is_some();
                        if let Some(output) = output {
                            known.lock().insert(package, output);
                        }
                        is_known
                    });
                }
            }
            Ok(())
        },
        |shop, outcome| {
            for test in tested {
                let path = &graph[test.package].import_path;
                let begin = || Voice::of(path, flags.build.json);
                if broken.contains(&test.package) {
                    let mut voice = begin()?;
                    voice.say(format!("FAIL\t{path} [setup failed]\n").as_bytes())?;
                    voice.end(false, Some(&graph[test.package].description()))?;
                    continue;
                }
                let node = nodes.borrow().get(&test.package).copied();
                if test.packages.is_none() && node.is_some_and(|node| outcome.compiled(node).is_some()) {
                    if !flags.only_compiles {
                        let mut voice = begin()?;
                        voice.say(format!("?   \t{path}\t[no test files]\n").as_bytes())?;
                        voice.end(true, None)?;
                    }
                    continue;
                }
                let Some(linked) = node.and_then(|node| outcome.linked(node)) else {
                    has_failed = true;
                    if !flags.only_compiles {
                        let mut voice = begin()?;
                        voice.say(format!("FAIL\t{path} [build failed]\n").as_bytes())?;
                        voice.end(false, Some(&graph[test.package].description()))?;
                    }
                    continue;
                };
                if flags.only_compiles || flags.build.dry {
                    continue;
                }
                if shop.machine.children().is_stopped() {
                    // Nothing more begins after Ctrl-C.
                    has_failed = true;
                    break;
                }
                let mut voice = begin()?;
                if let Some(output) = known.lock().get(&test.package) {
                    voice.say(output)?;
                    voice.end(true, None)?;
                    continue;
                }
                let built =
                    flags.target(&site.go.absolute("."), linked.path.rsplit('/').next().unwrap_or_default());
                let file =
                    if built.is_empty() || linked.is_up_to_date() { linked.path.clone() } else { built };
                let work = shop.work.clone();
                let ran = program(test.package).run(&file, &linked.action, &work, &mut voice)?;
                voice.end(ran == Ran::Passed, None)?;
                if ran == Ran::Failed {
                    has_failed = true;
                    if flags.fails_fast {
                        break;
                    }
                }
            }
            if has_failed { Err(Failure::told(1)) } else { Ok(()) }
        },
    )
    .inspect_err(|failure| {
        if !flags.packages.is_empty()
            && !flags.only_compiles
            && !flags.build.json
            && failure.to_string().is_empty()
        {
            // Go's last word where named tests have failed.
            let _ = report::out("FAIL\n");
        }
    })
}
