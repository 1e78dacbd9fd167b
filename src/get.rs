//! `modkeep get`: versions of modules and packages, and the go.mod in which they are selected.
//!
//! Source of the rules: `cmd/go/internal/modget/get.go`.

use modkeep_module::GoMod;
use modkeep_module::gowork::GoWork;
use modkeep_resolver::get::{Argument, Checked, GetOptions, Got, Update};
use modkeep_resolver::go_version;
use modkeep_resolver::requirements::Load;

use crate::flags::{Kind, Usage, go_build_flags};
use crate::goenv::{GoEnv, paths};
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted, cleaned, is_local, workspace_roots};
use crate::workcmd;

mod plan;

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "get",
    line: "go get [-t] [-u] [-tool] [build flags] [packages]",
    flags: go_build_flags![
        ("d", Kind::Optional),
        ("diff", Kind::Bool),
        ("f", Kind::Bool),
        ("fix", Kind::Bool),
        ("insecure", Kind::Bool),
        ("json", Kind::Bool),
        ("m", Kind::Bool),
        ("t", Kind::Bool),
        ("tool", Kind::Bool),
        ("u", Kind::Optional),
    ],
};

/// What was asked for.
#[derive(Default)]
struct Asked {
    update: String,
    old_d: Option<bool>,
    is_diff: bool,
    has_f: bool,
    has_fix: bool,
    has_m: bool,
    has_insecure: bool,
    with_tests: bool,
    are_tools: bool,
    is_verbose: bool,
    tells_requests: bool,
    flags: ModFlags,
}

impl Asked {
    fn set(&mut self, name: &'static str, value: &str) -> Result<(), Failure> {
        let is_set = value == "true";
        match name {
            "u" => {
                self.update = match value {
                    "false" => String::new(),
                    "true" => "upgrade".to_owned(),
                    other => other.to_owned(),
                }
            }
            "d" => match value {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => self.old_d = Some(true),
                "0" | "f" | "F" | "FALSE" | "false" | "False" => self.old_d = Some(false),
                other => {
                    let value = modkeep_module::quote::quote(other);
                    return Err(USAGE.refuse(&format!("invalid boolean value {value} for -d: parse error")));
                }
            },
            "diff" => self.is_diff = is_set,
            "f" => self.has_f = is_set,
            "fix" => self.has_fix = is_set,
            "m" => self.has_m = is_set,
            "insecure" => self.has_insecure = is_set,
            "t" => self.with_tests = is_set,
            "tool" => self.are_tools = is_set,
            "v" => self.is_verbose = is_set,
            "x" => self.tells_requests = is_set,
            _ => drop(self.flags.set(name, value)?),
        }
        Ok(())
    }

    fn check(&self) -> Result<Option<Update>, Failure> {
        let update = match self.update.as_str() {
            "" => None,
            "upgrade" => Some(Update::Upgrade),
            "patch" => Some(Update::Patch),
            other => return Err(Failure::go(format!("unknown upgrade flag -u={other}"))),
        };
        match self.old_d {
            Some(false) => return Err(Failure::go("-d flag may not be set to false")),
            Some(true) => report::tell("go: -d flag is deprecated. -d=true is a no-op"),
            None => {}
        }
        if self.has_f {
            report::tell("go: -f flag is a no-op");
        }
        if self.has_fix {
            report::tell("go: -fix flag is a no-op");
        }
        if self.has_m {
            return Err(Failure::go("-m flag is no longer supported"));
        }
        if self.has_insecure {
            return Err(Failure::go("-insecure flag is no longer supported; use GOINSECURE instead"));
        }
        Ok(update)
    }
}

/// Changes go.mod and go.sum, or with `-diff` shows how they would change.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut asked = Asked::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| asked.set(name, value))?;
    let update = asked.check()?;
    let wanted = Wanted {
        verb: "get",
        ignores_workspace: true,
        tells_requests: asked.tells_requests,
        flags: asked.flags.clone(),
        ..Wanted::default()
    };
    let mut session = Session::start(go, &wanted)?;
    if !session.ground.has_root() {
        return Err(Failure::go(
            "go.mod file not found in current directory or any parent directory.\n\t'go get' is no longer supported outside a module.\n\tTo build and install a command, use 'go install' with a version,\n\tlike 'go install example.com/cmd@latest'\n\tFor more information, see https://go.dev/doc/go-get-install-deprecation\n\tor run 'go help get' or 'go help install'.",
        ));
    }
    session.world.allows_missing_imports = true;
    session.tell_standard(false);
    refuse_files(&mut session, &words)?;
    let options = GetOptions {
        arguments: arguments(go, &words),
        update,
        with_tests: asked.with_tests,
        are_tools: asked.are_tools,
        is_verbose: asked.is_verbose,
        workspace: workspace(go)?,
        go_sum: session.source.sums.lock().required().unwrap_or_default(),
        ignores_imports: false,
    };
    let got = session.answer_each(|world| world.get(&options))?;
    let checked = check(go, &mut session, &wanted, &options, &got)?;
    if checked.has_failed {
        return Err(Failure::told(1));
    }
    for error in session.answer(|world| world.check_sums(&got.check))? {
        session.fail_with(&error);
    }
    session.exit_if_failed()?;
    let sums = checked.loaded.as_ref().map(|loaded| &loaded.sums);
    if asked.is_diff {
        return plan::show(&mut session, &got, sums);
    }
    session.commit(&got.requirements, &got.change, sums)?;
    got.changes.iter().for_each(|change| report::tell(&format!("go: {change}")));
    raise_workspace(go, &session, &got)
}

/// Refuses names of files, a common mistake.
fn refuse_files(session: &mut Session<'_>, words: &[String]) -> Result<(), Failure> {
    for word in words.iter().map(|word| cleaned(word)).filter(|word| word.ends_with(".go")) {
        if word.contains('@') {
            continue;
        }
        if !word.contains('/') {
            session.fail(&format!("{word}: arguments must be package or module paths"));
        } else if std::fs::metadata(&word).is_ok_and(|found| !found.is_dir()) {
            session.fail(&format!("{word} exists as a file, but 'go get' requires package arguments"));
        }
    }
    session.exit_if_failed()
}

fn arguments(go: &GoEnv, words: &[String]) -> Vec<Argument> {
    if words.is_empty() {
        let absolute = Some(go.folder().to_owned());
        return vec![Argument { text: String::new(), absolute }];
    }
    let argument = |word: &String| {
        let text = cleaned(word);
        let path = text.split('@').next().unwrap_or_default();
        let absolute = is_local(path).then(|| go.absolute(path));
        Argument { text, absolute }
    };
    words.iter().map(argument).collect()
}

/// The modules of the workspace that would be in force; one that can't be read is no concern of this verb.
fn workspace(go: &GoEnv) -> Result<Vec<(String, String)>, Failure> {
    let Some(go_work) = go.go_work()? else { return Ok(Vec::new()) };
    if let Ok(file) = workcmd::file::read(go, &go_work, true) {
        workcmd::file::check_release(go, &go_work, &file).map_err(Failure::go)?;
    }
    let mut modules = Vec::new();
    for root in workspace_roots(go, &go_work).unwrap_or_default() {
        // What can't be read is an error when packages are looked at in the workspace.
        let file = workcmd::file::read_module(go, &paths::join(&root, "go.mod"));
        if let Some(path) = file.ok().and_then(|file| Some(file.module()?.path.clone())) {
            modules.push((path, root));
        }
    }
    Ok(modules)
}

/// Looks at the packages that were named, in the workspace if the main module belongs to one.
fn check(
    go: &GoEnv,
    session: &mut Session<'_>,
    wanted: &Wanted,
    options: &GetOptions,
    got: &Got,
) -> Result<Checked, Failure> {
    let main = session.world.main.first();
    let path = session.world.nodes().node(main).path.clone();
    let is_in_workspace = options.workspace.iter().any(|(module, _)| **module == *path);
    let checked = match got.written.as_ref().filter(|_| is_in_workspace) {
        None => {
            let requirements = std::sync::Arc::clone(&got.requirements);
            session.answer_each(|world| world.check_packages(&requirements, &got.check))?
        }
        Some(written) => {
            let wanted = Wanted { ignores_workspace: false, ..wanted.clone() };
            let file: GoMod = written.file.clone();
            let mut around = Session::start_with(go, &wanted, Some((path.to_string(), file)))?;
            around.world.allows_missing_imports = true;
            around.tell_standard(false);
            let requirements = around.answer(|world| world.load(&Load::default()))?;
            let mut checked = around.answer_each(|world| world.check_packages(&requirements, &got.check))?;
            // The sums of the workspace are none of the module's.
            checked.loaded = None;
            checked
        }
    };
    checked.warnings.iter().for_each(|warning| report::tell(&format!("go: {warning}")));
    Ok(checked)
}

/// Raises the go line of go.work to that of the module.
fn raise_workspace(go: &GoEnv, session: &Session<'_>, got: &Got) -> Result<(), Failure> {
    let Some(go_work) = go.go_work()? else { return Ok(()) };
    let Ok(mut file) = workcmd::file::read(go, &go_work, false) else { return Ok(()) };
    let line = got.written.as_ref().and_then(|written| Some(written.file.go()?.version.clone()));
    let line = line.unwrap_or_else(|| got.requirements.go_version(&session.world).to_owned());
    let before: String = go_line(&file);
    workcmd::file::raise(&mut file, &line)?;
    match go_version::compare(&before, &go_line(&file)).is_eq() {
        true => Ok(()),
        false => workcmd::file::write(&go_work, &mut file),
    }
}

fn go_line(file: &GoWork) -> String {
    workcmd::file::of(file).to_owned()
}
