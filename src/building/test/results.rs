//! What came of the tests: those that were built are run or known, and all are told, one after the other.
//!
//! Source: `cmd/go/internal/test/test.go` (`runTestActor.Act`, `builderTest`).

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modkeep_builder::action_id::ActionId;
use modkeep_builder::package::{Graph, PackageId};
use modkeep_builder::perform::Outcome;
use modkeep_builder::plan::Plan;
use modkeep_builder::shop::Shop;
use modkeep_builder::test_result::Passed;
use modkeep_module::quote::quote;
use parking_lot::Mutex;

use super::Tested;
use super::coverage::{self, Others, Profile};
use super::flags::{Printing, TestFlags};
use super::program::{Program, Ran};
use super::turns::in_turn;
use super::vetted::Vets;
use super::voice::Voice;
use crate::building::Site;
use crate::report::{self, Failure};

/// What is built for one test.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    /// The package without its tests.
    pub(super) plain: Option<usize>,
    /// The program.
    pub(super) program: Option<usize>,
    /// The folder for the program's files, with a slash behind it.
    pub(super) folder: String,
}

/// All tests of a run.
pub(super) struct Results<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) flags: &'a TestFlags,
    pub(super) graph: &'a Graph,
    pub(super) tested: &'a [Tested],
    /// Whether `-coverpkg` covers more than the tested package.
    pub(super) covers_others: bool,
    variables: Arc<BTreeMap<String, String>>,
    /// PATH of the programs.
    search: OsString,
    nodes: Mutex<HashMap<PackageId, Nodes>>,
    vets: Mutex<Vets>,
    /// Results that make programs needless.
    known: Arc<Mutex<HashMap<PackageId, Passed>>>,
    /// Whether something failed, and no program that is only compiled did.
    fails_aloud: AtomicBool,
}

/// What came of one test.
struct Told {
    end: End,
    /// What is still to be told.
    text: Vec<u8>,
    /// The profile of coverage.
    profile: Vec<u8>,
}

/// How it ended.
enum End {
    Passed,
    Failed,
    /// It could not be run.
    Unbuilt,
}

impl<'a> Results<'a> {
    pub(super) fn of(
        site: &'a Site<'a>,
        flags: &'a TestFlags,
        graph: &'a Graph,
        tested: &'a [Tested],
        covers_others: bool,
    ) -> Self {
        let search = site.search_path();
        let mut variables = site.variables();
        let odd = site.go.environment().odd().iter().map(|(name, value)| (name.as_str(), value));
        // Values that are no text are told apart as they are.
        variables.insert("PATH".to_owned(), search.to_string_lossy().into_owned());
        let exact = odd.chain([("PATH", &search)]).filter(|(_, value)| value.to_str().is_none());
        variables.extend(exact.map(|(name, value)| (name.to_owned(), quote(value.as_encoded_bytes()))));
        let variables = Arc::new(variables);
        let (nodes, vets, known) = (Mutex::default(), Mutex::default(), Arc::default());
        let fails_aloud = AtomicBool::new(false);
        Self { site, flags, graph, tested, covers_others, variables, search, nodes, vets, known, fails_aloud }
    }

    /// Has a package and its tests vetted before they are run, and before their program is put in place, if `-vet` wants it.
    /// Gives what does it.
    pub(super) fn vet(&self, plan: &mut Plan<'_>, test: &Tested, installs: Option<usize>) -> Vec<usize> {
        let release = self.site.builds[0].toolchain.release;
        let Some(vetting) = self.flags.vet.vetting(release) else { return Vec::new() };
        plan.vet_by(vetting);
        let tests = test.packages.as_ref();
        self.vets.lock().add(plan, self.graph, test.package, tests, installs)
    }

    pub(super) fn set_nodes(&self, package: PackageId, nodes: Nodes) {
        self.nodes.lock().insert(package, nodes);
    }

    fn program<'p>(&'p self, package: PackageId, others: Option<&'p Others>) -> Program<'p> {
        Program {
            flags: self.flags,
            package: &self.graph[package],
            variables: Arc::clone(&self.variables),
            search: &self.search,
            cache: self.site.cache(),
            others,
            printing: self.flags.printing(self.tested.len()),
        }
    }

    /// What says of a program's key that its result is known, and keeps that.
    pub(super) fn looks_up_before_linking(
        &self,
        package: PackageId,
    ) -> Option<impl Fn(&ActionId) -> bool + Send + Sync + 'static> {
        // What is covered elsewhere is known when all is built.
        let probe = self.program(package, None).probe().filter(|_| !self.covers_others)?;
        let known = Arc::clone(&self.known);
        Some(move |id: &ActionId| {
            let passed = probe.known(id);
            let is_known = passed.is_some();
            known.lock().extend(passed.map(|passed| (package, passed)));
            is_known
        })
    }

    /// Runs all of them, several at the same time, and tells them one after the other.
    pub(super) fn tell(
        &self,
        shop: &Shop,
        outcome: &Outcome,
        mut profile: Option<Profile>,
    ) -> Result<(), Failure> {
        let others = self.covers_others.then(|| {
            let nodes = self.nodes.lock();
            let plain = self.tested.iter().filter_map(|test| {
                let node = nodes.get(&test.package)?.plain?;
                Some((self.graph[test.package].import_path.as_str(), node))
            });
            Others::of(outcome, plain)
        });
        let tests: Vec<&Tested> = self.tested.iter().filter(|test| !test.is_broken).collect();
        let uncounted = others.as_ref().and_then(|_| self.uncounted(outcome));
        // What only compiles them goes on to the last word.
        let mut has_failed = !self.flags.only_compiles && tests.len() < self.tested.len();
        let (mut lacks_program, mut problem) = (false, None);
        let ends = AtomicBool::new(false);
        let printing = self.flags.printing(self.tested.len());
        // The times of benchmarks must not be each other's, nor the lines of a script.
        let is_in_line = self.flags.benchmarks || self.flags.build.dry;
        let at_once = if is_in_line { 1 } else { shop.flags.parallel };
        in_turn(
            tests.len(),
            at_once,
            |index| {
                // Nothing more begins after Ctrl-C.
                let is_over = ends.load(Ordering::Relaxed) || shop.machine.children().is_stopped();
                let path = &self.graph[tests[index].package].import_path;
                let is_silent = self.only_compiles(tests[index]) || self.flags.build.dry;
                let is_json = self.flags.build.json && !is_silent;
                let begin = || match is_json {
                    true => Voice::in_events(path, self.site.builds[0].toolchain.release),
                    false => Ok(Voice::of(printing == Printing::Kept)),
                };
                (!is_over).then(begin)
            },
            |index, voice| {
                let told = voice.and_then(|voice| {
                    self.run_one(tests[index], shop, outcome, others.as_ref(), uncounted, voice)
                });
                let is_last = match &told {
                    Ok(told) => matches!(told.end, End::Failed) && self.flags.fails_fast,
                    Err(_) => true,
                };
                ends.fetch_or(is_last, Ordering::Relaxed);
                told
            },
            |index, told| {
                let told = told.and_then(|told| report::out_bytes(&told.text).map(|()| told));
                match told {
                    Ok(told) => {
                        let merge = |profile: &mut Profile| profile.merge("_cover_.out", &told.profile);
                        let is_merged = profile.as_mut().is_none_or(merge);
                        has_failed |= !is_merged || !matches!(told.end, End::Passed);
                        lacks_program |= matches!(told.end, End::Unbuilt) && self.only_compiles(tests[index]);
                    }
                    Err(failure) => {
                        ends.store(true, Ordering::Relaxed);
                        problem.get_or_insert(failure);
                    }
                }
            },
        );
        self.fails_aloud.store(has_failed && !lacks_program, Ordering::Relaxed);
        match problem {
            Some(failure) => Err(failure),
            None if has_failed || shop.machine.children().is_stopped() => Err(Failure::told(1)),
            None => Ok(()),
        }
    }

    /// Whether something failed that is told as a failed test, if programs are only compiled.
    pub(super) fn fails_aloud(&self) -> bool {
        self.fails_aloud.load(Ordering::Relaxed)
    }

    /// Whether the program is made and nothing told of it. Of a package without tests it is told that it has none.
    fn only_compiles(&self, test: &Tested) -> bool {
        self.flags.only_compiles && test.packages.is_some()
    }

    /// What keeps a package from being compiled that all tests are to count.
    fn uncounted(&self, outcome: &Outcome) -> Option<PackageId> {
        let nodes = self.nodes.lock();
        let mut plain =
            self.tested.iter().filter_map(|test| Some((test.package, nodes.get(&test.package)?.plain?)));
        let (package, node) = plain.find(|(_, node)| outcome.compiled(*node).is_none())?;
        Some(outcome.culprit(node).unwrap_or(package))
    }

    fn run_one(
        &self,
        test: &Tested,
        shop: &Shop,
        outcome: &Outcome,
        others: Option<&Others>,
        uncounted: Option<PackageId>,
        mut voice: Voice,
    ) -> Result<Told, Failure> {
        let path = &self.graph[test.package].import_path;
        let mistaken = self.vets.lock().failed(outcome, test.package);
        let nodes = self.nodes.lock().get(&test.package).cloned().unwrap_or_default();
        let is_whole = mistaken.is_none() && uncounted.is_none();
        let plain = nodes.plain.filter(|&node| is_whole && outcome.compiled(node).is_some());
        if test.packages.is_none()
            && let Some(node) = plain
        {
            let profile = self.tell_without_tests(path, shop, outcome.coverage(node), &mut voice)?;
            return Ok(Told { end: End::Passed, text: voice.end(true, None)?, profile });
        }
        let told = |end: End, text: Vec<u8>| Told { end, text, profile: Vec::new() };
        let Some(linked) = nodes.program.filter(|_| is_whole).and_then(|node| outcome.linked(node)) else {
            if self.only_compiles(test) {
                return Ok(told(End::Unbuilt, Vec::new()));
            }
            voice.say(format!("FAIL\t{path} [build failed]\n").as_bytes())?;
            let culprit = || nodes.program.or(nodes.plain).and_then(|node| outcome.culprit(node));
            let failed = mistaken.or_else(culprit).or(uncounted).unwrap_or(test.package);
            return Ok(told(End::Unbuilt, voice.end(false, Some(&self.graph[failed].description()))?));
        };
        if self.flags.only_compiles {
            return Ok(told(End::Passed, Vec::new()));
        }
        let name = linked.path.rsplit('/').next().unwrap_or_default();
        let built = self.flags.target(&self.site.go.absolute("."), name);
        let file = if built.is_empty() || linked.is_up_to_date() { &linked.path } else { &built };
        let program = self.program(test.package, others);
        if self.flags.build.dry {
            program.show(file, &nodes.folder, &shop.work);
            report::tell(&format!("rm -rf {}", nodes.folder.replace(&shop.work, "$WORK")));
            return Ok(told(End::Passed, Vec::new()));
        }
        let known = self.known.lock().remove(&test.package);
        // What is put in place is linked whatever is known.
        let is_late = others.is_some() || self.flags.keeps_program();
        let known = known.or_else(|| program.probe().filter(|_| is_late)?.known(&linked.action));
        let (end, profile) = match known {
            Some(passed) => {
                voice.say(&passed.output)?;
                (End::Passed, passed.profile)
            }
            None => {
                let (ran, profile) =
                    program.run(file, &linked.action, &nodes.folder, &shop.work, &mut voice)?;
                (if ran == Ran::Passed { End::Passed } else { End::Failed }, profile)
            }
        };
        if self.flags.build.shows && !self.flags.build.keeps_work {
            report::tell(&format!("rm -rf {}", nodes.folder.replace(&shop.work, "$WORK")));
        }
        if !self.flags.build.keeps_work {
            // All of the work folder goes in the end; this one may be large.
            let _ = fs::remove_dir_all(&nodes.folder);
        }
        let text = voice.end(matches!(end, End::Passed), None)?;
        Ok(Told { end, text, profile })
    }

    /// A package without tests; with coverage it tells what could have been covered, and gives that as a profile.
    fn tell_without_tests(
        &self,
        path: &str,
        shop: &Shop,
        coverage: Option<&str>,
        voice: &mut Voice,
    ) -> Result<Vec<u8>, Failure> {
        let coverage = coverage.filter(|_| self.flags.build.cover);
        let is_shown = self.flags.build.dry || self.flags.build.shows;
        if let Some(file) = coverage.filter(|_| is_shown) {
            // What it would tell is read without it.
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).replace(&shop.work, "$WORK");
            let go = format!("{}/bin/go", self.site.builds[0].toolchain.root);
            report::tell(&format!("cd {folder}\n{go} tool covdata percent -i {folder}"));
            if self.flags.build.dry {
                return Ok(Vec::new());
            }
        }
        match coverage.map(coverage::meta).transpose()?.flatten() {
            Some(meta) => {
                voice.say(meta.percent().as_bytes())?;
                Ok(meta.profile().into_bytes())
            }
            None => {
                voice.say(format!("?   \t{path}\t[no test files]\n").as_bytes())?;
                Ok(Vec::new())
            }
        }
    }
}
