//! `modkeep run`: a program built and run; the build cache keeps it.
//!
//! Source of the rules: `cmd/go/internal/run/run.go`.

use std::ffi::OsStr;
use std::process::{Command, ExitStatus};

use modkeep_builder::execute::{Machine, status_words};
use modkeep_builder::link::Linked;
use modkeep_builder::load::Options;
use modkeep_builder::plan::Linking;
use modkeep_builder::shop::Shop;

use super::{BuildFlags, Site, build_flags};
use crate::flags::{Kind, Usage};
use crate::goenv::{GoEnv, words as system_words};
use crate::report::Failure;

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "run",
    line: "go run [build flags] [-exec xprog] package [arguments...]",
    flags: build_flags![("exec", Kind::Text)],
};

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let mut wrapper = Vec::new();
    let rest = USAGE.parse(words, go.goflags(), |name, value| match name {
        "exec" => {
            wrapper = modkeep_builder::package_flags::split(value)
                .map_err(|error| USAGE.refuse(&format!("invalid value {value:?} for flag -exec: {error}")))?;
            Ok(())
        }
        name => flags.set(&USAGE, go, name, value).map(|_| ()),
    })?;
    let files = rest.iter().take_while(|word| word.ends_with(".go")).count();
    let (patterns, arguments) = match (files, rest.first()) {
        (0, None) => return Err(Failure::go("no go files listed")),
        (0, Some(first)) if first.starts_with('-') => return Err(Failure::go("no go files listed")),
        (0, Some(_)) => rest.split_at(1),
        (count, _) => rest.split_at(count),
    };
    if let Some(test) = patterns.iter().find(|file| file.ends_with("_test.go")) {
        return Err(Failure::go(format!("cannot run *_test.go files ({test})")));
    }
    with_program(go, &flags, "run", patterns, |shop, linked, search| {
        if flags.dry || flags.shows {
            let line = wrapper.iter().chain([&linked.path]).chain(arguments);
            crate::report::tell(&line.cloned().collect::<Vec<_>>().join(" ").replace(&shop.work, "$WORK"));
        }
        // Nothing more begins after Ctrl-C.
        if flags.dry || shop.machine.children().is_stopped() {
            return Ok(());
        }
        let status = run_program(&shop.machine, &wrapper, &linked.path, arguments, search)?;
        if status.success() { Ok(()) } else { Err(Failure::exact(1, status_words(&status))) }
    })
}

/// Builds the one program that the patterns name, which the build cache keeps, and does something with it. The text is PATH for
/// what it runs.
pub(super) fn with_program<T>(
    go: &GoEnv,
    flags: &BuildFlags,
    verb: &'static str,
    patterns: &[String],
    then: impl FnOnce(&Shop, &Linked, &OsStr) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let site = Site::find(go, flags, verb)?;
    let mut loaded = site.load(patterns, Options { programs_only: true, ..Options::default() })?;
    let [only] = loaded.as_mut_slice() else {
        return Err(Failure::usage("a program is run for one target"));
    };
    let id = match only.named.as_slice() {
        [] => return Err(Failure::go(format!("no packages loaded from {}", patterns.join(" ")))),
        [id] => *id,
        several => {
            let paths: Vec<&str> = several.iter().map(|&id| only.graph[id].import_path.as_str()).collect();
            let text =
                format!("pattern {} matches multiple packages:\n\t{}", patterns[0], paths.join("\n\t"));
            return Err(Failure::go(text));
        }
    };
    if only.graph[id].name != "main" {
        return Err(Failure::exact(
            1,
            format!("package {} is not a main package", only.graph[id].import_path),
        ));
    }
    only.graph[id].omit_debug = true;
    let name = only.graph[id].program_name().to_owned();
    let link = std::cell::Cell::new(0);
    let search = site.search_path();
    let mut done = None;
    site.perform(
        &loaded,
        |plan| {
            link.set(plan.link(0, id, &Linking { name: &name, is_kept: true, ..Linking::default() }));
            Ok(())
        },
        |shop, outcome| {
            let Some(linked) = outcome.linked(link.get()) else {
                // Why was told.
                return Err(Failure::told(1));
            };
            done = Some(then(shop, linked, &search)?);
            Ok(())
        },
    )?;
    // Why nothing was done was told.
    done.ok_or_else(|| Failure::told(1))
}

fn run_program(
    machine: &Machine,
    wrapper: &[String],
    path: &str,
    arguments: &[String],
    search: &OsStr,
) -> Result<ExitStatus, Failure> {
    let (program, before) = match wrapper.split_first() {
        None => (path.to_owned(), None),
        Some((program, words)) => {
            let found = machine.find(program).map_err(|error| Failure::exact(1, error.to_string()))?;
            (found, Some(words.iter().map(String::as_str).chain([path])))
        }
    };
    let mut command = Command::new(&program);
    command.args(before.into_iter().flatten()).args(arguments).env("PATH", search);
    let failed = |error| Failure::exact(1, format!("fork/exec {program}: {}", system_words(&error)));
    command.status().map_err(failed)
}
