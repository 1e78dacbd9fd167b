//! The actions that run tests and tell them, of which go has several for each package.
//!
//! Source: `cmd/go/internal/test/test.go` (`runTest`, `builderTest`).

use super::Action;
use crate::plan::TestRun;

/// Adds them; gives the one that all come to.
pub(super) fn add(actions: &mut Vec<Action>, tests: &[TestRun]) -> usize {
    let mut add = |action: Action| {
        actions.push(action);
        actions.len() - 1
    };
    let (mut prints, mut barrier) = (Vec::new(), None);
    for test in tests {
        let package = || test.package.clone();
        let of_test = |mode: &str, deps: Vec<usize>, objdir: &str| Action {
            mode: mode.to_owned(),
            package: package(),
            deps,
            ignore_fail: true,
            objdir: objdir.to_owned(),
            ..Action::default()
        };
        let before: Vec<usize> = [test.built].into_iter().chain(test.vets.iter().copied()).collect();
        let mut told = if test.is_run {
            // Tests are begun in order.
            let deps = before.into_iter().chain(barrier).collect();
            let waits = add(Action { mode: "test barrier".to_owned(), deps, ..Action::default() });
            barrier = Some(waits);
            let run = add(of_test("test run", vec![waits], &test.folder));
            let last = match test.has_tests {
                true => add(of_test(
                    "test clean",
                    [run].into_iter().chain(test.installed).collect(),
                    &test.folder,
                )),
                false => run,
            };
            of_test("test print", vec![last], "")
        } else {
            let last = test.installed.unwrap_or(test.built);
            let deps = [last].into_iter().chain(test.vets.iter().copied()).collect();
            Action { ignore_fail: false, ..of_test("test print (nop)", deps, "") }
        };
        told.deps.extend(prints.last());
        prints.push(add(told));
    }
    for test in tests {
        let Some(installed) = test.installed else { continue };
        // It is put in place once it has run.
        let is_run = |action: &Action| action.mode == "test run" && action.package == test.package;
        let run = actions.iter().position(is_run);
        actions[installed].deps.extend(test.vets.iter().copied().chain(run));
    }
    actions.push(Action { mode: "go test".to_owned(), deps: prints, ..Action::default() });
    actions.len() - 1
}
