//! `modkeep mod tidy`: go.mod and go.sum with what packages and their tests need, and nothing else.
//!
//! Source of the rules: `cmd/go/internal/modcmd/tidy.go` and `modload/load.go:LoadPackages`.

use modkeep_resolver::packages::{Loaded, PackageOptions, Pattern, Silence, Tags, Tidy};
use modkeep_resolver::requirements::Load;
use modkeep_resolver::written::Change;

use super::graph::check_go;
use crate::difference::unified;
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "mod tidy",
    line: "go mod tidy [-e] [-v] [-x] [-diff] [-go=version] [-compat=version]",
    flags: module_flags![
        ("compat", Kind::Text),
        ("diff", Kind::Bool),
        ("e", Kind::Bool),
        ("go", Kind::Text),
        ("v", Kind::Bool),
        ("x", Kind::Bool),
    ],
};

/// Makes the files tidy, or shows how they would be changed.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let (mut is_lenient, mut is_verbose, mut is_diff) = (false, false, false);
    let mut tells_requests = false;
    let (mut version, mut compatible) = (String::new(), String::new());
    let words = USAGE.parse(words, go.goflags(), |name, value| {
        let is_set = value == "true";
        match name {
            "e" => is_lenient = is_set,
            "v" => is_verbose = is_set,
            "x" => tells_requests = is_set,
            "diff" => is_diff = is_set,
            "go" | "compat" => {
                check_go(go, &USAGE, name, value)?;
                value.clone_into(if name == "go" { &mut version } else { &mut compatible });
            }
            _ => drop(flags.set(name, value)?),
        }
        Ok(())
    })?;
    if !words.is_empty() {
        return Err(Failure::go("'go mod tidy' accepts no arguments"));
    }
    let wanted = Wanted {
        verb: "mod tidy",
        needs_root: true,
        ignores_workspace: true,
        tells_requests,
        flags,
        ..Wanted::default()
    };
    let mut session = Session::start(go, &wanted)?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let tidy = Tidy { go_version: given(version), compatible: given(compatible) };
    let load = Load { only_looks: false, go_version: tidy.go_version.clone() };
    let requirements = session.answer(|world| world.load(&load))?;
    let options = PackageOptions {
        patterns: vec![Pattern::Path("all".to_owned())],
        tags: Tags::Any,
        tidy: Some(tidy),
        resolves_missing: true,
        loads_tests: true,
        allows_errors: is_lenient,
        silence: Silence { missing_standard: true, ..Silence::default() },
        is_verbose,
        ..PackageOptions::default()
    };
    if tells_requests {
        session.tell_ignored();
    }
    let loaded = session.load_packages(&requirements, &options)?;
    if is_verbose {
        loaded.unused.iter().for_each(|path| report::tell(&format!("unused {path}")));
    }
    let change = Change { sets_go: true, ..Change::default() };
    if is_diff {
        let go_line = load.go_version.unwrap_or_else(|| go.release().to_owned());
        return show(&mut session, &loaded, &change, &go_line);
    }
    let keep = loaded.kept_sums.clone().unwrap_or_default();
    session.trim_sums(&keep)?;
    session.commit(&loaded.requirements, &change, Some(&loaded.sums))
}

/// Shows the difference that tidying would make; a missing go line counts as there.
fn show(session: &mut Session<'_>, loaded: &Loaded, change: &Change, go_line: &str) -> Result<(), Failure> {
    let written = session.world.written(&loaded.requirements, change);
    let written = written.map_err(|error| Failure::go(error.to_string()))?;
    let mut text = String::new();
    if let Some(written) = written {
        let mut before = written.before;
        let main = session.world.main.module(session.world.main.first());
        if let Some(main) = main.filter(|main| main.file.go().is_none()) {
            let mut file = main.file.clone();
            file.add_go(go_line).map_err(|error| Failure::go(error.to_string()))?;
            before = file.format();
        }
        let difference = unified("current/go.mod", &before, "tidy/go.mod", &written.after);
        if !difference.is_empty() {
            text.push_str(&difference);
            text.push('\n');
        }
    }
    let keep = loaded.kept_sums.clone().unwrap_or_default();
    let shown = loaded.kept_for_diff.clone().unwrap_or_else(|| keep.clone());
    let (before, after) = {
        let mut sums = session.source.sums.lock();
        sums.trim(&keep);
        sums.difference(&shown).map_err(|error| Failure::exact(1, error))?
    };
    let difference = unified("current/go.sum", &before, "tidy/go.sum", &after);
    if !difference.is_empty() {
        text.push_str(&difference);
        text.push('\n');
    }
    report::out(&text)?;
    if text.is_empty() { Ok(()) } else { Err(Failure::told(1)) }
}
