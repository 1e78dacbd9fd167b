//! `modkeep explain -rebuild`: what a build would make, and which line of its key's text has changed since the last time.
//!
//! A package whose imports have to be made first has no key yet; only that is said of it.

use modkeep_builder::load::Options;
use modkeep_builder::plan::Linking;
use modkeep_builder::transcript::Told;

use super::{BuildFlags, Site};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};

/// Explains what a build of these packages would make.
pub(crate) fn explain(go: &GoEnv, flags: BuildFlags, patterns: &[String]) -> Result<(), Failure> {
    let flags = BuildFlags { only_tells_reasons: true, forces: false, dry: false, ..flags };
    let site = Site::find(go, &flags, "build")?;
    let loaded = site.load(patterns, Options { stamps: true, ..Options::default() })?;
    let nodes = std::cell::RefCell::new(Vec::new());
    let explained = site.perform(
        &loaded,
        |plan| {
            for (goal, loaded) in loaded.iter().enumerate() {
                for &id in &loaded.named {
                    let package = &loaded.graph[id];
                    let node = match package.name == "main" {
                        true => plan.link(goal, id, &Linking::default()),
                        false => plan.compile(goal, id),
                    };
                    nodes.borrow_mut().push((node, package));
                }
            }
            Ok(())
        },
        |_, outcome| {
            for (node, package) in nodes.borrow().iter() {
                let is_there = outcome.compiled(*node).is_some() || outcome.linked(*node).is_some();
                let what = if is_there { "nothing would be made" } else { "would be made" };
                report::out(&format!("{}: {what}\n", package.import_path))?;
            }
            Ok(())
        },
    );
    match explained {
        // What was not made was not meant to be.
        Err(failure) if failure.to_string().is_empty() && !failure.is_over() => Ok(()),
        explained => explained,
    }
}

/// Prints a reason, which is the result here.
pub(super) fn tell(told: &Told<'_>) -> Result<(), Failure> {
    if told.is_failure {
        report::failure(&Failure::exact(1, told.text.trim_end()));
        return Ok(());
    }
    report::out(told.text)
}
