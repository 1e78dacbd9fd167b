//! `modkeep mod vendor` and `modkeep work vendor`: a copy of every package that is needed, and modules.txt.
//!
//! Source of the rules: `cmd/go/internal/modcmd/vendor.go`.

mod copy;

use std::fs;
use std::path::{Path, PathBuf};

use modkeep_resolver::requirements::Load;
use modkeep_resolver::vendoring::{self, Vendoring};
use modkeep_resolver::written::Change;

use self::copy::Copier;
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::{GoEnv, paths, words as system_words};
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};

const FLAGS: &[(&str, Kind)] = module_flags![("e", Kind::Bool), ("o", Kind::Text), ("v", Kind::Bool),];

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "mod vendor", line: "go mod vendor [-e] [-v] [-o outdir]", flags: FLAGS };

/// How the verb is used for a workspace.
pub(crate) const WORK_USAGE: Usage =
    Usage { name: "work vendor", line: "go work vendor [-e] [-v] [-o outdir]", flags: FLAGS };

/// What was asked for.
#[derive(Default)]
struct Asked {
    is_lenient: bool,
    is_verbose: bool,
    output: String,
    flags: ModFlags,
}

fn parse(usage: &Usage, go: &GoEnv, words: &[String]) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    let words = usage.parse(words, go.goflags(), |name, value| {
        match name {
            "e" => asked.is_lenient = value == "true",
            "v" => asked.is_verbose = value == "true",
            "o" => value.clone_into(&mut asked.output),
            _ => drop(asked.flags.set(name, value)?),
        }
        Ok(())
    })?;
    if words.is_empty() { Ok(asked) } else { Err(Failure::go("'go mod vendor' accepts no arguments")) }
}

/// Vendors a module.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let asked = parse(&USAGE, go, words)?;
    if go.go_work()?.is_some() {
        return Err(Failure::go(
            "'go mod vendor' cannot be run in workspace mode. Run 'go work vendor' to vendor the workspace or set 'GOWORK=off' to exit workspace mode.",
        ));
    }
    vendor(go, "mod vendor", &asked)
}

/// Vendors a workspace.
pub(crate) fn run_work(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let asked = parse(&WORK_USAGE, go, words)?;
    crate::workcmd::file::in_force(go)?;
    vendor(go, "work vendor", &asked)
}

fn vendor(go: &GoEnv, verb: &'static str, asked: &Asked) -> Result<(), Failure> {
    let wanted = Wanted { verb, needs_root: true, flags: asked.flags.clone(), ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    let requirements = session.answer(|world| world.load(&Load::default()))?;
    let loaded = session.load_packages(&requirements, &vendoring::options(asked.is_lenient))?;
    session.commit(&loaded.requirements, &Change::default(), Some(&loaded.sums))?;
    let folder = match asked.output.as_str() {
        "" => session.ground.vendor_folder().unwrap_or_default(),
        output => go.absolute(output),
    };
    let io = |error: std::io::Error, path: &str| Failure::go(format!("{path}: {}", system_words(&error)));
    remove(Path::new(&folder)).map_err(|error| io(error, &format!("unlinkat {folder}")))?;
    let vendoring = match session.has_main() {
        true => session.answer(|world| world.vendoring(&loaded))?,
        false => Vendoring::default(),
    };
    if let Some(collision) = &vendoring.collision {
        return Err(Failure::exact(1, collision.clone()));
    }
    if asked.is_verbose && !vendoring.modules_txt.is_empty() {
        report::tell(vendoring.modules_txt.trim_end_matches('\n'));
    }
    copy_all(&mut session, &vendoring, &folder, asked.is_lenient)?;
    if vendoring.modules_txt.is_empty() {
        report::tell("go: no dependencies to vendor");
        return session.exit_if_failed();
    }
    fs::create_dir_all(&folder).map_err(|error| io(error, &format!("mkdir {folder}")))?;
    let file = paths::join(&folder, "modules.txt");
    let written = write(Path::new(&file), vendoring.modules_txt.as_bytes());
    written.map_err(|error| io(error, &format!("open {file}")))?;
    session.exit_if_failed()
}

fn copy_all(
    session: &mut Session<'_>,
    vendoring: &Vendoring,
    folder: &str,
    is_lenient: bool,
) -> Result<(), Failure> {
    let mut copier = Copier::new(vendoring.strips_go_mod, vendoring.copies_test_embeds);
    for package in &vendoring.packages {
        let root = session.root_of(&package.actual)?;
        let source = if package.directory.is_empty() { root } else { root.join(&package.directory) };
        let target = PathBuf::from(paths::join(folder, &package.path));
        let embeds = copier
            .package(&source, &target, &package.path, &package.module)
            .map_err(|error| Failure::go(error.to_string()))?;
        for problem in embeds {
            match is_lenient {
                true => report::tell(&format!("go: {problem}")),
                false => session.fail(&problem),
            }
        }
    }
    Ok(())
}

/// Removes a tree, if it is there.
fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => fs::remove_dir_all(folder),
        Ok(_) => fs::remove_file(folder),
    }
}

/// A file of a vendor directory, which can be made again.
fn write(path: &Path, data: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    fs::File::create(path)?.write_all(data)
}
