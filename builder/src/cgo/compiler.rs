//! The host's C compilers: which they are, what they can, and how they are called.
//!
//! Source: `cmd/go/internal/work:exec.go` (`ccompile`, `compilerCmd`, `gccSupportsFlag`), `buildid.go:gccToolID`.

use std::path::Path;

use modkeep_module::file_path;
use modkeep_store::Stamp;

use super::flags::FlagLists;
use crate::action::{Action, Variables};
use crate::action_id::ActionId;
use crate::compile::Unit;
use crate::execute::Ending;
use crate::goal::Goal;
use crate::package_flags::split;
use crate::release;
use crate::shop::{Bench, Shop, StepError};

/// What is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cxx,
    Fortran,
    /// By the C compiler.
    Assembly,
}

/// The variables that go sets for C compilers.
pub(super) fn environment() -> Vec<(String, String)> {
    vec![("TERM".to_owned(), "dumb".to_owned())]
}

/// The command of a compiler: CC, CXX or FC, or what the target has.
pub(crate) fn compiler(shop: &Shop, goal: &Goal<'_>, language: Language) -> Result<Vec<String>, StepError> {
    let is_clang = matches!(goal.build.target.os.as_str(), "darwin" | "ios" | "freebsd" | "openbsd");
    let (name, default) = match (language, is_clang) {
        (Language::C | Language::Assembly, true) => ("CC", "clang"),
        (Language::C | Language::Assembly, false) => ("CC", "gcc"),
        (Language::Cxx, true) => ("CXX", "clang++"),
        (Language::Cxx, false) => ("CXX", "g++"),
        (Language::Fortran, _) => ("FC", "gfortran"),
    };
    let value = shop.machine.variables().get(name).filter(|value| !value.is_empty());
    let words = split(value.map_or(default, String::as_str)).map_err(|error| {
        StepError::Plain(format!("go: {name} environment variable could not be parsed: {error}"))
    })?;
    Ok(if words.is_empty() { vec![default.to_owned()] } else { words })
}

/// What a compiler says of itself (`gccToolID`), or why it can't be asked.
pub(super) fn identity(shop: &Shop, program: &str, language: Language) -> Result<String, String> {
    let word = match language {
        Language::C | Language::Assembly => "c",
        Language::Cxx => "c++",
        Language::Fortran => "f95",
    };
    let key = (program.to_owned(), word.to_owned());
    let mut known = shop.tools.compilers.lock();
    known.entry(key).or_insert_with(|| ask_identity(shop, program, word)).clone()
}

fn ask_identity(shop: &Shop, program: &str, language: &str) -> Result<String, String> {
    let action = Action {
        program: program.to_owned(),
        arguments: ["-###", "-x", language, "-c", "-"].map(str::to_owned).to_vec(),
        folder: shop.folder.clone(),
        environment: Variables::Inherited(vec![("LC_ALL".to_owned(), "C".to_owned())]),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let outcome = shop.machine.run(&action);
    let quoted = |output: &[u8]| modkeep_module::quote::quote(output);
    if let Err(error) = outcome.ended {
        let text = error.to_string();
        let text = text.strip_prefix(&format!("{program}: ")).unwrap_or(&text);
        return Err(format!("{program}: {text}; output: {}", quoted(&outcome.output)));
    }
    let text = String::from_utf8_lossy(&outcome.output).into_owned();
    let Some(version) = text.split('\n').find(|line| names_version(line)) else {
        return Err(format!("{program}: can not find version number in {}", quoted(&outcome.output)));
    };
    if !version.contains("experimental") {
        return Ok(version.to_owned());
    }
    let command = text.split('\n').find(|line| line.starts_with(' ') && !line.starts_with(" (in-process)"));
    let words = command.and_then(|line| split(line).ok()).filter(|words| !words.is_empty());
    let Some(words) = words else {
        return Err(format!("{program}: can not find compilation command in {}", quoted(&outcome.output)));
    };
    let file = shop.machine.find(&words[0]).unwrap_or_else(|_| words[0].clone());
    let digest = shop.hashes.of(Path::new(&file)).map_err(|error| error.to_string())?;
    Ok(crate::action_id::short(digest.as_bytes()))
}

/// Whether `version NUMBER` stands on the line, before any word that ends in a colon.
fn names_version(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if word.ends_with(':') {
            return false;
        }
        if word == "version"
            && words.peek().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
        {
            return true;
        }
    }
    false
}

/// Compiles one file; `source` is one of the package, or the path of one that was made.
pub(super) fn compile(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    flags: &FlagLists,
    language: Language,
    source: &str,
    object: &str,
    seed: &str,
) -> Result<(), StepError> {
    let command = compiler(unit.shop, unit.goal, language)?;
    let path = unit.absolute(source);
    let mut words = prefix(unit, bench, &command);
    words.extend(flags.for_compiler(language).cloned());
    let supports = |flag: &str| supports(unit, bench, &command, flag);
    if (unit.goal.build.trimpath || unit.package.goroot) && supports("-fdebug-prefix-map=a=b") {
        let word = if supports("-ffile-prefix-map=a=b") { "-ffile-prefix-map" } else { "-fdebug-prefix-map" };
        let (from, to) = mapped(unit);
        words.push(format!("{word}={from}={to}"));
    }
    let folder = file_path::parent(&path).unwrap_or("/").to_owned();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let is_made = source.starts_with(unit.folder);
    if is_made && flags.optimize_links(language) && supports("-fdebug-prefix-map=a=b") {
        words.extend(placed(name));
    }
    if supports("-frandom-seed=1") {
        words.push(format!("-frandom-seed={seed}"));
    }
    words.extend(["-o", object, "-c", name].map(str::to_owned));
    let outcome = bench.run_silently(called(words, &folder), &environment())?;
    bench.report(outcome, "", "")
}

/// Gives the files that cgo makes a folder in what is recorded for the linker's optimizer.
///
/// For a name without one GCC records where it runs, unmapped, and the work folder is another each time; so go's builds
/// with `-flto` don't repeat.
fn placed(name: &str) -> impl Iterator<Item = String> {
    let names = ["cgo-", "_cgo_", name];
    names.map(|name| format!("-fdebug-prefix-map={name}=/tmp/go-build/{name}")).into_iter()
}

/// Links objects to see what they need; says whether that works.
pub(super) fn link(
    unit: &Unit<'_>,
    bench: &Bench<'_>,
    flags: &FlagLists,
    inputs: &[String],
    output: &str,
) -> Result<bool, StepError> {
    let language = if unit.package.cxx_files.is_empty() { Language::C } else { Language::Cxx };
    let command = compiler(unit.shop, unit.goal, language)?;
    let mut words = prefix(unit, bench, &command);
    words.extend(["-o".to_owned(), output.to_owned()]);
    words.extend(inputs.iter().cloned());
    words.extend(flags.for_probe(&unit.goal.build.target));
    let line = crate::words::shown(words.iter().map(String::as_str));
    let outcome = bench.run_silently(called(words, &unit.shop.folder), &environment())?;
    let works = outcome.ended.is_ok();
    let saw = if works { "succeeded" } else { "failed" };
    bench.show("", &format!("{line} # test for internal linking errors ({saw})"));
    Ok(works)
}

fn called(mut words: Vec<String>, folder: &str) -> Action {
    let program = words.remove(0);
    Action {
        program,
        arguments: words,
        folder: folder.to_owned(),
        environment: Variables::Inherited(environment()),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

/// The beginning of every command line (`compilerCmd`).
fn prefix(unit: &Unit<'_>, bench: &Bench<'_>, command: &[String]) -> Vec<String> {
    let build = unit.goal.build;
    let os = build.target.os.as_str();
    let mut words = command.to_vec();
    words.extend(["-I".to_owned(), unit.package.dir.clone()]);
    if os != "windows" {
        words.push("-fPIC".to_owned());
    }
    words.extend(release::c_architecture_flags(
        build.toolchain.release,
        &build.target,
        unit.goal.level.as_ref(),
    ));
    if build.cgo {
        words.push(build.toolchain.release.c_threads_flag(os).to_owned());
    }
    if os == "aix" {
        words.push("-mcmodel=large".to_owned());
    }
    let supports = |flag: &str| supports(unit, bench, command, flag);
    for flag in ["-fno-caret-diagnostics", "-Qunused-arguments", "-Wl,--no-gc-sections"] {
        if supports(flag) {
            words.push(flag.to_owned());
        }
    }
    words.push("-fmessage-length=0".to_owned());
    if supports("-fdebug-prefix-map=a=b") {
        let word = if supports("-ffile-prefix-map=a=b") { "-ffile-prefix-map" } else { "-fdebug-prefix-map" };
        words.push(format!("{word}={}=/tmp/go-build", unit.folder.trim_end_matches('/')));
    }
    if supports("-gno-record-gcc-switches") {
        words.push("-gno-record-gcc-switches".to_owned());
    }
    if matches!(os, "darwin" | "ios") {
        words.push("-fno-common".to_owned());
    }
    words
}

/// What the paths of the package's sources are shown as.
fn mapped(unit: &Unit<'_>) -> (String, String) {
    let package = unit.package;
    let (from, to) = match &package.module {
        None if package.goroot => (package.root.clone(), "GOROOT".to_owned()),
        None if package.root.is_empty() => (package.dir.clone(), package.import_path.clone()),
        None => (package.root.clone(), "GOPATH".to_owned()),
        Some(module) if module.dir.is_empty() => {
            // A vendored package; the folder is part of its own path.
            let end = package.dir.find("/vendor/").map_or(package.dir.len(), |at| at + "/vendor".len());
            (package.dir[..end].to_owned(), "vendor".to_owned())
        }
        Some(module) if module.version.is_empty() => (module.dir.clone(), module.path.clone()),
        Some(module) => (module.dir.clone(), format!("{}@{}", module.path, module.version)),
    };
    if unit.goal.build.target.os == "windows" {
        (from, format!("\\\\_\\_\\{}", to.replace('/', "\\")))
    } else {
        (from, file_path::join("/_", &to))
    }
}

/// Whether a compiler knows a flag. Answers are kept under what the compiler's file is.
fn supports(unit: &Unit<'_>, bench: &Bench<'_>, command: &[String], flag: &str) -> bool {
    let shop = unit.shop;
    let is_for_linker = flag.starts_with("-Wl,");
    let variables = &unit.goal.build.c_variables;
    let name = if is_for_linker { "CGO_LDFLAGS" } else { "CGO_CFLAGS" };
    let more = split(variables.get(name).map_or(super::flags::DEFAULT, String::as_str)).unwrap_or_default();
    let mut words: Vec<String> = command.to_vec();
    words.push(flag.to_owned());
    words.extend(more);
    if !is_for_linker {
        words.push("-c".to_owned());
    }
    words.extend(["-x", "c", "-", "-o", "/dev/null"].map(str::to_owned));
    if shop.flags.dry {
        bench.show(&shop.work, &format!("{} || true", crate::words::shown(words.iter().map(String::as_str))));
        return false;
    }
    let key = (command[0].clone(), flag.to_owned());
    let mut known = shop.tools.compiler_flags.lock();
    if let Some(answer) = known.get(&key) {
        return *answer;
    }
    let kept = compiler_file(shop, &command[0])
        .map(|file| ActionId::of("modkeep compiler flag 1\n", &format!("{file}\n{}", words.join("\n"))));
    if let Some(answer) = kept.and_then(|id| shop.cache.bytes(&id)) {
        let answer = answer == b"true";
        known.insert(key, answer);
        return answer;
    }
    let shown = crate::words::shown(words.iter().map(String::as_str));
    if shop.flags.shows {
        bench.show(&shop.work, &format!("{shown} || true"));
    }
    let mut action = called(words, &shop.work);
    action.environment = Variables::Inherited(vec![("LC_ALL".to_owned(), "C".to_owned())]);
    let outcome = shop.machine.run(&action);
    let text = String::from_utf8_lossy(&outcome.output);
    let refusals =
        ["unrecognized", "unknown", "unrecognised", "is not supported", "not recognized", "unsupported"];
    let answer = !refusals.iter().any(|refusal| text.contains(refusal));
    // A compiler that was ended from outside has said nothing; its status alone is no answer.
    let has_answered = match &outcome.ended {
        Ok(()) => true,
        Err(Ending::Failed { status, .. }) => status.code().is_some(),
        Err(Ending::NotStarted(_) | Ending::Stopped) => false,
    };
    if let Some(id) = kept.filter(|_| has_answered) {
        shop.keep(shop.cache.put_bytes(&id, if answer { b"true" } else { b"false" }));
    }
    known.insert(key, answer);
    answer
}

/// The file of a compiler, with its stamp; none while that may stay the same through a change.
fn compiler_file(shop: &Shop, program: &str) -> Option<String> {
    let path = shop.machine.find(program).ok()?;
    let stamp = Stamp::of(Path::new(&path)).filter(|stamp| shop.memory().trusts(stamp))?;
    Some(format!("{path} {stamp}"))
}
