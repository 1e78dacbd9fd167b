//! The go.work and go.mod files of the main modules, read strictly; versions that aren't canonical are looked up.
//!
//! Source of the rules: `cmd/go/internal/modload/init.go` (`loadModFile`, `fixVersion`) and `modfile.go:ReadModFile`.

use std::collections::HashMap;
use std::sync::Arc;

use modkeep_builder::godebugs::Table;
use modkeep_module::gomod::{Directive, FixError, GoMod, Godebug, ParseErrors};
use modkeep_module::path::major::{check_path_major, split_path_version};
use modkeep_module::path::{PathKind, check_import_path};
use modkeep_module::quote::quote;
use modkeep_module::version::canonical_version;
use modkeep_resolver::error::{DirtyReason, Error, TooNew};
use modkeep_resolver::go_version;
use modkeep_resolver::main_modules::{MainModule, Workspace};
use modkeep_resolver::query::{Allowed, Query};
use modkeep_resolver::release::told_by;
use modkeep_resolver::world::{Mode, World};

use super::{Ground, Session, Source, Wanted, local};
use crate::goenv::{GoEnv, paths};
use crate::locked;
use crate::report::{self, Failure};
use crate::workcmd;

/// What was read.
#[derive(Default)]
pub(super) struct MainFiles {
    pub(super) modules: Vec<MainModule>,
    pub(super) workspace: Option<Workspace>,
    /// The bytes of the only go.mod.
    pub(super) data: Vec<u8>,
}

/// Why a go.mod can't be used.
enum Fault {
    TooNew(TooNew),
    Other(String),
    End(Failure),
}

/// Reads all of them; several errors are told one by one.
pub(super) fn read(
    go: &GoEnv,
    ground: &Ground,
    wanted: &Wanted,
    source: &Arc<Source>,
) -> Result<MainFiles, Failure> {
    let mut files = MainFiles::default();
    let mut roots: Vec<(String, String)> = Vec::new();
    match ground {
        Ground::Open => return Ok(files),
        Ground::Module { root, go_mod } => roots.push((root.clone(), go_mod.clone())),
        Ground::Workspace { go_work } => {
            let workspace = read_workspace(go, go_work, &mut roots)?;
            files.workspace = Some(workspace);
        }
    }
    let is_work_verb = wanted.verb.starts_with("work ");
    let mut faults = Vec::new();
    for (root, go_mod) in roots {
        let mut reader = Reader { go, source, mode: &wanted.flags.mode };
        let (data, file, was_fixed) = match reader.read(&go_mod) {
            Ok(read) => read,
            Err(Fault::End(failure)) => return Err(failure),
            Err(fault) => {
                faults.push(explain(go, files.workspace.as_ref(), is_work_verb, &root, fault));
                continue;
            }
        };
        let shown = go.short(&root);
        let module = MainModule { file, was_fixed, directory: root, shown };
        if let Some(workspace) = files.workspace.as_ref().filter(|_| !is_work_verb) {
            let too_old = workspace.too_old_for(std::slice::from_ref(&module));
            if !too_old.is_empty() {
                faults.extend(too_old.into_iter().map(|error| told_by(go.release(), error).to_string()));
                continue;
            }
        }
        if files.workspace.is_none() {
            let wrong: Vec<_> = wrong_godebugs(go, module.file.godebugs()).collect();
            if !wrong.is_empty() {
                let short = go.short(&go_mod);
                let told = |(line, problem)| format!("error loading go.mod:\n{short}:{line}: {problem}");
                faults.extend(wrong.into_iter().map(told));
                continue;
            }
        }
        faults.extend(wrong_path(&module.file));
        files.data = data;
        files.modules.push(module);
    }
    match faults.split_last() {
        None => {
            check_tools(&files)?;
            Ok(files)
        }
        Some((last, others)) => {
            for fault in others {
                report::tell(&format!("go: {fault}"));
            }
            Err(Failure::go(last.clone()))
        }
    }
}

/// The folders of the modules of a workspace (`modload/init.go:LoadWorkFile`).
pub(crate) fn workspace_roots(go: &GoEnv, go_work: &str) -> Result<Vec<String>, Failure> {
    let mut roots = Vec::new();
    read_workspace(go, go_work, &mut roots)?;
    Ok(roots.into_iter().map(|(root, _)| root).collect())
}

fn read_workspace(
    go: &GoEnv,
    go_work: &str,
    roots: &mut Vec<(String, String)>,
) -> Result<Workspace, Failure> {
    let file = workcmd::file::read(go, go_work, false).map_err(Failure::go)?;
    let folder = paths::parent(go_work).unwrap_or("/").to_owned();
    let short = go.short(go_work);
    for (directive, root) in file.uses().iter().zip(workcmd::file::roots(go_work, &file)) {
        if roots.iter().any(|(other, _)| *other == root) {
            let line = directive.position.line;
            return Err(Failure::go(format!(
                "error loading go.work:\n{short}:{line}: path {root} appears multiple times in workspace"
            )));
        }
        let go_mod = paths::join(&root, "go.mod");
        roots.push((root, go_mod));
    }
    if let Some((line, problem)) = wrong_godebugs(go, file.godebugs()).next() {
        return Err(Failure::go(format!("error loading go.work:\n{short}:{line}: {problem}")));
    }
    Ok(Workspace { file, directory: folder })
}

fn explain(
    go: &GoEnv,
    workspace: Option<&Workspace>,
    is_work_verb: bool,
    root: &str,
    fault: Fault,
) -> String {
    match (workspace, fault) {
        (Some(workspace), Fault::TooNew(error)) if !is_work_verb => {
            let line = workspace.file.go();
            let error = Error::WorkspaceTooOld {
                directory: go.short(root),
                needs: error.version,
                verb: if line.is_some() { "lists" } else { "implicitly requires" },
                has: line.map_or(go_version::DEFAULT_GO_WORK, |line| &line.version).to_owned(),
            };
            told_by(go.release(), error).to_string()
        }
        (Some(_), Fault::TooNew(error)) => {
            format!("cannot load module {} listed in go.work file: {error}", go.short(root))
        }
        (Some(_), Fault::Other(text)) => {
            let text = match text.strip_prefix("open /") {
                Some(rest) => match rest.split_once(": ") {
                    Some((path, cause)) => format!("open {}: {cause}", go.short(&format!("/{path}"))),
                    None => text,
                },
                None => text,
            };
            format!("cannot load module {} listed in go.work file: {text}", go.short(root))
        }
        (None, Fault::TooNew(error)) => error.to_string(),
        (_, Fault::Other(text)) => text,
        (_, Fault::End(failure)) => failure.to_string(),
    }
}

/// The lines that name settings which the release doesn't have so, and what is wrong with them.
fn wrong_godebugs<'a>(
    go: &'a GoEnv,
    lines: &'a [Directive<Godebug>],
) -> impl Iterator<Item = (usize, String)> + 'a {
    let table =
        (!lines.is_empty()).then(|| Table::of(&go.root_of_release().unwrap_or_default(), go.release()));
    lines.iter().filter_map(move |line| {
        let problem = table.as_ref()?.problem("godebug", &line.key, &line.value, go.release())?;
        Some((line.position.line, problem))
    })
}

fn wrong_path(file: &GoMod) -> Option<String> {
    let mut error = check_import_path(&file.module()?.path).err()?;
    error.kind = PathKind::Module;
    Some(error.to_string())
}

fn check_tools(files: &MainFiles) -> Result<(), Failure> {
    for tool in files.modules.iter().flat_map(|module| module.file.tools()) {
        if let Err(error) = check_import_path(&tool.path) {
            let text = error.to_string().replacen("malformed import path", "malformed tool path", 1);
            return Err(Failure::go(text));
        }
    }
    Ok(())
}

/// Reads one go.mod.
struct Reader<'a> {
    go: &'a GoEnv,
    source: &'a Arc<Source>,
    mode: &'a str,
}

/// What a version stands for that isn't canonical; nothing where nobody asked yet.
type LookUp<'a> = dyn FnMut(&str, &str) -> Option<Result<String, Error>> + 'a;

type Resolved = HashMap<(String, String), Result<String, Error>>;

impl Reader<'_> {
    fn read(&mut self, go_mod: &str) -> Result<(Vec<u8>, GoMod, bool), Fault> {
        let data =
            locked::read_seen(self.go.seen(), go_mod).map_err(|error| Fault::Other(error.to_string()))?;
        let short = self.go.short(go_mod);
        let mut asked = Vec::new();
        let mut note = |path: &str, version: &str| {
            asked.push((path.to_owned(), version.to_owned()));
            None
        };
        let _ = parse(go_mod, &data, &mut note, &mut false);
        let resolved = self.resolve(asked)?;
        let mut was_fixed = false;
        let mut look_up =
            |path: &str, version: &str| resolved.get(&(path.to_owned(), version.to_owned())).cloned();
        // Only at the beginning of a line is the name shortened.
        let parsed = parse(go_mod, &data, &mut look_up, &mut was_fixed);
        let file = match parsed.map_err(|errors| errors.with_file_name(&short)) {
            Ok(file) => file,
            Err(errors) => {
                let lax = GoMod::parse_lax(&short, &data).ok();
                return Err(match lax.and_then(|file| self.too_new(&short, &file)) {
                    Some(error) => Fault::TooNew(error),
                    None => Fault::Other(format!("errors parsing {short}:\n{errors}")),
                });
            }
        };
        if let Some(error) = self.too_new(&short, &file) {
            return Err(Fault::TooNew(error));
        }
        match file.module() {
            None => Err(Fault::Other(format!(
                "error reading {short}: missing module declaration. To specify the module path:\n\tgo mod edit -module=example.com/mod"
            ))),
            Some(module) if matches!(module.path.as_str(), "go" | "toolchain") => {
                Err(Fault::Other(format!("error reading {short}: invalid module path: \"{}\"", module.path)))
            }
            Some(_) => Ok((data, file, was_fixed)),
        }
    }

    fn too_new(&self, what: &str, file: &GoMod) -> Option<TooNew> {
        let version = &file.go()?.version;
        let local = local(self.go);
        go_version::compare(version, &local.version).is_gt().then(|| TooNew {
            what: what.to_owned(),
            version: version.clone(),
            local: local.version,
            explain: local.explain,
        })
    }

    /// What versions stand for that aren't canonical, asked of their sources before there are main modules.
    fn resolve(&mut self, asked: Vec<(String, String)>) -> Result<Resolved, Fault> {
        let mut resolved = Resolved::new();
        if asked.is_empty() {
            return Ok(resolved);
        }
        let reason = DirtyReason { mode: Some("vendor".to_owned()), reason: None };
        let mode = match self.mode {
            "vendor" => Mode::Vendor(reason, Box::default()),
            _ => Mode::Mod,
        };
        let world = World::new(Vec::new(), None, mode, local(self.go));
        let world = world.map_err(|error| Fault::Other(error.to_string()))?;
        let source = Arc::clone(self.source);
        let mut session = Session::of(self.go, world, source, Ground::Open, "");
        for (path, version) in asked {
            let query = Query { path: &path, query: &version, current: "", allowed: Allowed::Everything };
            let answer = session.ask(|world| world.query(&query)).map_err(Fault::End)?;
            let answer = answer.map(|revision| revision.version.clone());
            resolved.insert((path, version), answer);
        }
        Ok(resolved)
    }
}

/// Parses with the rules for versions in main modules; `look_up` knows what others stand for.
fn parse(
    name: &str,
    data: &[u8],
    look_up: &mut LookUp<'_>,
    was_fixed: &mut bool,
) -> Result<GoMod, ParseErrors> {
    let mut fix = |path: &str, written: &str| {
        let fixed = fix_version(path, written, look_up)?;
        *was_fixed |= fixed != written;
        Ok(fixed)
    };
    GoMod::parse_with(name, data, &mut fix)
}

fn fix_version(path: &str, version: &str, look_up: &mut LookUp<'_>) -> Result<String, FixError> {
    let version = match version.split_once("-gopkgin-") {
        Some((_, rest)) if path.starts_with("gopkg.in/") => rest,
        _ => version,
    };
    let Some((_, major)) = split_path_version(path) else {
        let text = format!("version {} invalid: malformed module path {}", quote(version), quote(path));
        return Err(FixError::Module(text.into()));
    };
    if canonical_version(version).as_deref() == Some(version) {
        return match check_path_major(version, major) {
            Ok(()) => Ok(version.to_owned()),
            Err(error) => Err(FixError::Module(Box::new(error))),
        };
    }
    match look_up(path, version) {
        None => Ok(version.to_owned()),
        Some(Ok(resolved)) => Ok(resolved),
        Some(Err(Error::Module(error))) if error.module.is_some() => {
            let text = match error.invalid {
                Some(noun) => format!("{noun} {} invalid: {}", quote(version), error.text),
                None => error.text,
            };
            Err(FixError::Module(text.into()))
        }
        Some(Err(error)) => Err(FixError::Other(Box::new(error))),
    }
}
