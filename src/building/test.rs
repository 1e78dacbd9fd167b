//! `modkeep test`: tests built, vetted, run, and remembered by what they read.
//!
//! Source of the rules: `cmd/go/internal/test/test.go`.

mod coverage;
mod events;
mod flags;
mod fuzzing;
mod program;
mod results;
mod turns;
mod vetted;
mod voice;
mod wait;

use std::collections::HashSet;

use modkeep_builder::load::{Loader, Options, TestCover, TestPackages};
use modkeep_builder::package::{Graph, PackageId};
use modkeep_builder::plan::{Linking, Plan, TestRun};

use self::coverage::Profile;
use self::flags::TestFlags;
use self::results::{Nodes, Results};
use self::voice::Voice;
use super::{Site, build_flags};
use crate::flags::{Kind, Usage};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "test",
    line: "go test [build/test flags] [packages] [build/test flags & test binary flags]",
    flags: build_flags![
        ("artifacts", Kind::Bool),
        ("bench", Kind::Text),
        ("benchmem", Kind::Bool),
        ("benchtime", Kind::Text),
        ("blockprofile", Kind::Text),
        ("blockprofilerate", Kind::Text),
        ("c", Kind::Bool),
        ("count", Kind::Text),
        ("coverprofile", Kind::Text),
        ("cpu", Kind::Text),
        ("cpuprofile", Kind::Text),
        ("exec", Kind::Text),
        ("failfast", Kind::Bool),
        ("fullpath", Kind::Bool),
        ("fuzz", Kind::Text),
        ("fuzzminimizetime", Kind::Text),
        ("fuzztime", Kind::Text),
        ("list", Kind::Text),
        ("memprofile", Kind::Text),
        ("memprofilerate", Kind::Text),
        ("mutexprofile", Kind::Text),
        ("mutexprofilefraction", Kind::Text),
        ("o", Kind::Text),
        ("outputdir", Kind::Text),
        ("parallel", Kind::Text),
        ("run", Kind::Text),
        ("short", Kind::Bool),
        ("shuffle", Kind::Text),
        ("skip", Kind::Text),
        ("timeout", Kind::Text),
        ("trace", Kind::Text),
        ("vet", Kind::Text),
    ],
};

/// A named package and its test, if it has one.
struct Tested {
    package: PackageId,
    packages: Option<TestPackages>,
    /// Whether an error keeps it from being built, which was told.
    is_broken: bool,
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
    let (loaded, (tested, cover)) = site.load_with(build, &patterns, options, |loader, named| {
        if named.is_empty() {
            return Err(Failure::exact(1, "no packages to test"));
        }
        fuzzing::check(go, &flags, build, loader.graph(), named)?;
        check_output(&flags, loader.graph(), named)?;
        let cover = flags.build.cover.then(|| cover(loader, named));
        if flags.fuzzes {
            loader.instrument_for_fuzzing(named);
        }
        let tested = named.iter().map(|&package| test_of(&site, &flags, loader, package, cover.as_ref()));
        Ok((tested.collect::<Result<Vec<_>, _>>()?, cover))
    })?;
    let profile = Profile::begin(go, &flags, &build.cover_mode)?;
    let covers_others = cover.is_some_and(|cover| !cover.packages.is_empty());
    let loaded = [loaded];
    let results = Results::of(&site, &flags, &loaded[0].graph, &tested, covers_others);
    let has_broken = tested.iter().any(|test| test.is_broken);
    let performed = site.perform(
        &loaded,
        |plan| {
            plan_all(&results, plan);
            Ok(())
        },
        |shop, outcome| results.tell(shop, outcome, profile),
    );
    let is_aloud = performed.is_ok() || results.fails_aloud();
    performed.and(if has_broken { Err(Failure::told(1)) } else { Ok(()) }).inspect_err(|failure| {
        let is_said =
            !flags.build.json && !flags.fuzzes && failure.to_string().is_empty() && !failure.is_over();
        if !flags.packages.is_empty() && (!flags.only_compiles || is_aloud) && is_said {
            // Go's last word where named tests have failed.
            let _ = report::out("FAIL\n");
        }
    })
}

/// Fails where several programs would be one file.
fn check_output(flags: &TestFlags, graph: &Graph, named: &[PackageId]) -> Result<(), Failure> {
    let is_kept = flags.only_compiles || !flags.output.is_empty();
    if named.len() < 2 || !is_kept || flags.output == "/dev/null" {
        return Ok(());
    }
    let is_folder =
        flags.output.ends_with('/') || std::fs::metadata(&flags.output).is_ok_and(|found| found.is_dir());
    if !flags.output.is_empty() && !is_folder {
        return Err(Failure::exact(1, "with multiple packages, -o must refer to a directory or /dev/null"));
    }
    let mut texts = Vec::new();
    let mut told = HashSet::new();
    for &id in named {
        let name = program_name(graph, id);
        let same = named.iter().filter(|&&other| program_name(graph, other) == name);
        let paths: Vec<_> = same.map(|&other| format!("{}\n", graph[other].import_path)).collect();
        if paths.len() > 1 && told.insert(name.clone()) {
            texts.push(format!("cannot write test binary {name} for multiple packages:\n{}", paths.concat()));
        }
    }
    match texts.is_empty() {
        true => Ok(()),
        false => Err(Failure::exact(1, texts.join("\n"))),
    }
}

fn program_name(graph: &Graph, id: PackageId) -> String {
    format!("{}.test", graph[id].program_name())
}

fn cover(loader: &mut Loader<'_>, named: &[PackageId]) -> TestCover {
    let (cover, unmatched) = loader.cover_tests(named);
    for pattern in unmatched {
        report::tell(&format!("warning: no packages being tested depend on matches for pattern {pattern}"));
    }
    cover
}

/// The test of a package; what keeps it from being built is told, and at once that it has failed.
fn test_of(
    site: &Site<'_>,
    flags: &TestFlags,
    loader: &mut Loader<'_>,
    package: PackageId,
    cover: Option<&TestCover>,
) -> Result<Tested, Failure> {
    let fail = |graph: &Graph, broken: PackageId| {
        let path = &graph[package].import_path;
        let mut voice = match flags.build.json {
            true => Voice::in_events(path, site.builds[0].toolchain.release)?,
            false => Voice::of(false),
        };
        voice.say(format!("FAIL\t{path} [setup failed]\n").as_bytes())?;
        voice.end(false, Some(&graph[broken].description())).map(drop)
    };
    let tell = |graph: &Graph, broken: PackageId| {
        let error = graph[broken].error.as_ref().map(ToString::to_string).unwrap_or_default();
        site.teller()(modkeep_builder::transcript::Told {
            package: &graph[broken].description(),
            text: &format!("# {}\n{error}\n", graph[package].import_path),
            is_failure: true,
        });
    };
    let graph = loader.graph();
    let mut broken = graph.with_dependencies(&[package]);
    broken.retain(|&id| graph[id].error.is_some());
    if let Some(&first) = broken.first() {
        broken.iter().for_each(|&id| tell(graph, id));
        fail(graph, first)?;
        return Ok(Tested { package, packages: None, is_broken: true });
    }
    if graph[package].test_go_files.is_empty() && graph[package].x_test_go_files.is_empty() {
        return Ok(Tested { package, packages: None, is_broken: false });
    }
    let packages = loader.test_packages(package, cover);
    let broken = loader.test_error(&packages);
    if let Some(broken) = broken {
        tell(loader.graph(), broken);
        fail(loader.graph(), broken)?;
    }
    let needs_symbols = flags.only_compiles || flags.keeps_program();
    let main = &mut loader.graph_mut()[packages.main];
    // Tests of the runtime look at the symbols of their program.
    main.omit_debug = !needs_symbols && main.import_path != "runtime.test";
    Ok(Tested { package, packages: Some(packages), is_broken: broken.is_some() })
}

/// What is built for all tests.
fn plan_all(results: &Results<'_>, plan: &mut Plan<'_>) {
    let graph = results.graph;
    let imported: HashSet<PackageId> =
        results.tested.iter().flat_map(|test| graph[test.package].imported.iter().copied()).collect();
    for test in results.tested.iter().filter(|test| !test.is_broken) {
        let note = |plan: &mut Plan<'_>, built: usize, installed: Option<usize>, vets: Vec<usize>| {
            let has_tests = test.packages.is_some();
            plan.note_test(TestRun {
                package: graph[test.package].import_path.clone(),
                built,
                has_tests,
                is_run: !results.flags.only_compiles || !has_tests,
                installed,
                vets,
                folder: if has_tests { plan.folder(built).to_owned() } else { String::new() },
            });
        };
        let Some(packages) = &test.packages else {
            let plain = plan.compile(0, test.package);
            results.set_nodes(test.package, Nodes { plain: Some(plain), ..Nodes::default() });
            let vets = results.vet(plan, test, None);
            note(plan, plain, None, vets);
            continue;
        };
        if imported.contains(&test.package) && packages.inner != test.package {
            // What is wrong with a package that another test imports is told once.
            let inner = plan.compile(0, packages.inner);
            let plain = plan.compile(0, test.package);
            plan.wait(inner, plain);
        }
        let (program, installed, vets) = plan_program(results, plan, test, packages);
        note(plan, program, installed, vets);
        let package = &graph[test.package];
        let has_sources = !package.go_files.is_empty() || !package.cgo_files.is_empty();
        // What a package counts is only put together where tests run.
        let is_counted = results.covers_others && has_sources && !results.flags.only_compiles;
        let plain = is_counted.then(|| plan.compile(0, test.package));
        let folder = plan.folder(program).to_owned();
        results.set_nodes(test.package, Nodes { plain, program: Some(program), folder });
    }
}

/// The node of the program, what puts it in place, and what vets.
fn plan_program(
    results: &Results<'_>,
    plan: &mut Plan<'_>,
    test: &Tested,
    packages: &TestPackages,
) -> (usize, Option<usize>, Vec<usize>) {
    let name = program_name(results.graph, test.package);
    let file = format!("{name}{}", plan.program_suffix(0));
    let target = results.flags.target(&results.site.go.absolute("."), &file);
    let linking =
        Linking { target: &target, installs: !target.is_empty(), name: &name, ..Linking::default() };
    let node = plan.link(0, packages.main, &linking);
    let installed = (!target.is_empty()).then_some(node);
    let vets = results.vet(plan, test, installed);
    if target.is_empty() {
        // Under `-n` go doesn't look.
        let looks_up = (!results.flags.build.dry).then(|| results.looks_up_before_linking(test.package));
        if let Some(is_known) = looks_up.flatten() {
            plan.link_unless(node, is_known);
        }
        return (node, None, vets);
    }
    // The program is what is put in place.
    (node - 1, installed, vets)
}
