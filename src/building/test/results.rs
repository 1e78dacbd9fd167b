//! What came of the tests: those that were built are run or known, and all are told, one after the other.
//!
//! Source: `cmd/go/internal/test/test.go` (`runTestActor.Act`, `builderTest`).

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use modkeep_builder::action_id::ActionId;
use modkeep_builder::package::{Graph, PackageId};
use modkeep_builder::perform::Outcome;
use modkeep_builder::plan::Plan;
use modkeep_builder::shop::Shop;
use modkeep_builder::test_result::Passed;
use parking_lot::Mutex;

use super::Tested;
use super::coverage::{self, Others, Profile};
use super::flags::TestFlags;
use super::program::{Program, Ran};
use super::vetted::Vets;
use super::voice::Voice;
use crate::building::Site;
use crate::report::{self, Failure};

/// What is built for one test.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nodes {
    /// The package without its tests.
    pub(super) plain: Option<usize>,
    /// The program.
    pub(super) program: Option<usize>,
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
    nodes: RefCell<HashMap<PackageId, Nodes>>,
    vets: RefCell<Vets>,
    /// Results that make programs needless.
    known: Arc<Mutex<HashMap<PackageId, Passed>>>,
}

/// What became of one test.
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
        let variables = Arc::new(site.variables());
        let (nodes, vets, known) = (RefCell::default(), RefCell::default(), Arc::default());
        Self { site, flags, graph, tested, covers_others, variables, nodes, vets, known }
    }

    /// Has a package and its tests vetted before they are run, and before their program is put in place, if `-vet` wants it.
    pub(super) fn vet(&self, plan: &mut Plan<'_>, test: &Tested, installs: Option<usize>) {
        let release = self.site.builds[0].toolchain.release;
        if let Some(vetting) = self.flags.vet.vetting(release) {
            plan.vet_by(vetting);
            let tests = test.packages.as_ref();
            self.vets.borrow_mut().add(plan, self.graph, test.package, tests, installs);
        }
    }

    pub(super) fn set_nodes(&self, package: PackageId, nodes: Nodes) {
        self.nodes.borrow_mut().insert(package, nodes);
    }

    fn program<'p>(&'p self, package: PackageId, others: Option<&'p Others>) -> Program<'p> {
        Program {
            flags: self.flags,
            package: &self.graph[package],
            variables: Arc::clone(&self.variables),
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

    /// Tells all of them.
    pub(super) fn tell(
        &self,
        shop: &Shop,
        outcome: &Outcome,
        mut profile: Option<Profile>,
    ) -> Result<(), Failure> {
        let others = self.covers_others.then(|| {
            let nodes = self.nodes.borrow();
            let plain = self.tested.iter().filter_map(|test| {
                let node = nodes.get(&test.package)?.plain?;
                Some((self.graph[test.package].import_path.as_str(), node))
            });
            Others::of(outcome, plain)
        });
        let mut has_failed = false;
        for test in self.tested {
            if shop.machine.children().is_stopped() {
                // Nothing more begins after Ctrl-C.
                has_failed = true;
                break;
            }
            let end = self.tell_one(test, shop, outcome, others.as_ref(), profile.as_mut())?;
            has_failed |= !matches!(end, End::Passed);
            if matches!(end, End::Failed) && self.flags.fails_fast {
                break;
            }
        }
        if has_failed { Err(Failure::told(1)) } else { Ok(()) }
    }

    fn tell_one(
        &self,
        test: &Tested,
        shop: &Shop,
        outcome: &Outcome,
        others: Option<&Others>,
        profile: Option<&mut Profile>,
    ) -> Result<End, Failure> {
        let path = &self.graph[test.package].import_path;
        let begin = || Voice::of(path, self.flags.build.json);
        if let Some(broken) = test.broken {
            let mut voice = begin()?;
            voice.say(format!("FAIL\t{path} [setup failed]\n").as_bytes())?;
            voice.end(false, Some(&self.graph[broken].description()))?;
            return Ok(End::Unbuilt);
        }
        let mistaken = self.vets.borrow().failed(outcome, test.package);
        let nodes = self.nodes.borrow().get(&test.package).copied();
        let nodes = nodes.filter(|_| mistaken.is_none()).unwrap_or_default();
        let plain = nodes.plain.filter(|&node| outcome.compiled(node).is_some());
        if test.packages.is_none()
            && let Some(node) = plain
        {
            let mut voice = begin()?;
            self.tell_without_tests(path, shop, outcome.coverage(node), profile, &mut voice)?;
            voice.end(true, None)?;
            return Ok(End::Passed);
        }
        let Some(linked) = nodes.program.and_then(|node| outcome.linked(node)) else {
            if !self.flags.only_compiles {
                let mut voice = begin()?;
                voice.say(format!("FAIL\t{path} [build failed]\n").as_bytes())?;
                let failed = mistaken.unwrap_or(test.package);
                voice.end(false, Some(&self.graph[failed].description()))?;
            }
            return Ok(End::Unbuilt);
        };
        if self.flags.only_compiles {
            return Ok(End::Passed);
        }
        let name = linked.path.rsplit('/').next().unwrap_or_default();
        let built = self.flags.target(&self.site.go.absolute("."), name);
        let file = if built.is_empty() || linked.is_up_to_date() { &linked.path } else { &built };
        let program = self.program(test.package, others);
        if self.flags.build.dry {
            program.show(file, &linked.action, &shop.work);
            return Ok(End::Passed);
        }
        let known = self.known.lock().remove(&test.package);
        let known = known.or_else(|| others.and_then(|_| program.probe()?.known(&linked.action)));
        let mut voice = begin()?;
        let (is_well, written) = match known {
            Some(passed) => {
                voice.say(&passed.output)?;
                (true, passed.profile)
            }
            None => {
                let (ran, written) = program.run(file, &linked.action, &shop.work, &mut voice)?;
                (ran == Ran::Passed, written)
            }
        };
        voice.end(is_well, None)?;
        let is_merged = profile.is_none_or(|profile| profile.merge("_cover_.out", &written));
        Ok(if is_well && is_merged { End::Passed } else { End::Failed })
    }

    /// A package without tests; with coverage it tells what could have been covered.
    fn tell_without_tests(
        &self,
        path: &str,
        shop: &Shop,
        coverage: Option<&str>,
        profile: Option<&mut Profile>,
        voice: &mut Voice,
    ) -> Result<(), Failure> {
        let coverage = coverage.filter(|_| self.flags.build.cover);
        let is_shown = self.flags.build.dry || self.flags.build.shows;
        if let Some(file) = coverage.filter(|_| is_shown) {
            // What it would tell is read without it.
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).replace(&shop.work, "$WORK");
            let go = format!("{}/bin/go", self.site.builds[0].toolchain.root);
            report::tell(&format!("cd {folder}\n{go} tool covdata percent -i {folder}"));
            if self.flags.build.dry {
                return Ok(());
            }
        }
        match coverage.map(coverage::meta).transpose()?.flatten() {
            Some(meta) => {
                voice.say(meta.percent().as_bytes())?;
                let is_merged =
                    profile.map(|profile| profile.merge("_cover_.out", meta.profile().as_bytes()));
                if is_merged == Some(false) { Err(Failure::told(1)) } else { Ok(()) }
            }
            None => voice.say(format!("?   \t{path}\t[no test files]\n").as_bytes()),
        }
    }
}
