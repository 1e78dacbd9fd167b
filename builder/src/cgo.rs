//! Packages that import `C`: the cgo tool, the C compiler for what it makes and what the package has, and what the result
//! needs from libraries.
//!
//! Source: `cmd/go/internal/work:exec.go` (`runCgo`, `processCgoOutputs`, `dynimport`), `action.go:cgoAction`.

mod compiler;
mod flags;

use std::fs;

use modkeep_module::quote::quote;

use crate::action::{Action, Variables};
use crate::action_id::ActionId;
use crate::compile::{Unit, tool_action};
use crate::shop::{Bench, StepError};
use crate::words::quoted_list;

pub(crate) use compiler::{Language, compiler};
use flags::FlagLists;

/// What cgo adds to a package.
#[derive(Debug)]
pub(crate) struct Made {
    /// Go files.
    pub(crate) go: Vec<String>,
    /// Object files.
    pub(crate) objects: Vec<String>,
}

/// What of a package's key depends on C compilers and their flags.
pub(crate) fn key_lines(unit: &Unit<'_>) -> Result<String, StepError> {
    let (shop, goal, package) = (unit.shop, unit.goal, unit.package);
    // What is wrong with the flags is said when they are used.
    let flags = FlagLists::of(unit, false).unwrap_or_default();
    let mut text = String::new();
    let mut language = |word: &str, language: Language, lists: &[&Vec<String>]| -> Result<(), StepError> {
        let command = compiler(shop, goal, language)?;
        let lists: Vec<String> = lists.iter().map(|list| quoted_list(list)).collect();
        text.push_str(&format!("{word}={} {}\n", quoted_list(&command), lists.join(" ")));
        match compiler::identity(shop, &command[0], language) {
            Ok(id) => text.push_str(&format!("{word} ID={}\n", quote(id))),
            Err(error) => text.push_str(&format!("{word} ID ERROR={}\n", quote(error))),
        }
        Ok(())
    };
    language("CC", Language::C, &[&flags.preprocessor, &flags.c, &flags.linker])?;
    if !package.cxx_files.is_empty() || !package.swig_cxx_files.is_empty() {
        language("CXX", Language::Cxx, &[&flags.cxx])?;
    }
    if !package.f_files.is_empty() {
        language("FC", Language::Fortran, &[&flags.fortran])?;
    }
    Ok(text)
}

/// Runs cgo and the compilers; `cgo_files` are the files that import `C`, as they are or instrumented.
pub(crate) fn run(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    id: &ActionId,
    cgo_files: &[String],
) -> Result<Made, StepError> {
    let (package, folder) = (unit.package, unit.folder);
    if package.uses_swig() {
        return Err(StepError::Plain("files for swig are not supported".to_owned()));
    }
    let mut flags = FlagLists::of(unit, true)?;
    let (of_packages, libraries) = flags::from_pkg_config(unit, bench)?;
    flags.preprocessor.extend(of_packages);
    flags.linker.extend(libraries);
    if !package.m_files.is_empty() {
        flags.linker.push("-lobjc".to_owned());
    }
    if !package.f_files.is_empty() {
        let command = compiler(unit.shop, unit.goal, Language::Fortran)?;
        if command.join(" ").contains("gfortran") {
            flags.linker.push("-lgfortran".to_owned());
        }
    }
    let prefers_external = flags.prefer_external_linking(unit.goal.build.toolchain.release);
    flags.sanitize(unit.goal.build.instrument);
    flags.preprocessor.extend(["-I".to_owned(), folder.to_owned()]);
    let copied = copy_laid_over(unit, bench)?;
    let places: Vec<String> = cgo_files.iter().map(|file| unit.absolute(file)).collect();
    let sources: Vec<String> = cgo_files.iter().map(|file| unit.actual(file)).collect();
    run_tool(unit, bench, &flags, &places, &sources)?;

    let stems: Vec<&str> = places
        .iter()
        .map(|file| file.rsplit('/').next().unwrap_or(file))
        .map(|name| name.strip_suffix(".go").unwrap_or(name))
        .collect();
    let mut go = vec![format!("{folder}_cgo_gotypes.go")];
    go.extend(stems.iter().map(|stem| format!("{folder}{stem}.cgo1.go")));
    let mut objects = Vec::new();
    if prefers_external {
        let token = format!("{folder}preferlinkext");
        bench.write(&token, b"")?;
        objects.push(token);
    }
    for (index, (source, language)) in compiled_sources(unit, &stems).into_iter().enumerate() {
        let object = format!("{folder}_x{:03}.o", index + 1);
        if language == Language::Assembly {
            refuse_go_assembly(unit, &source)?;
        }
        let seed = seed(unit, id, &source);
        let source = match copied && !source.starts_with(folder) {
            true => format!("{folder}{}", source.rsplit('/').next().unwrap_or(&source)),
            false => source,
        };
        compiler::compile(unit, bench, &flags, language, &source, &object, &seed)?;
        objects.push(object);
    }
    // What C compilers say is told once, and not again with what the archive's entry in the cache has.
    bench.flush();
    match imports_of_libraries(unit, bench, id, &flags, &objects)? {
        Imports::Go(file) => go.push(file),
        Imports::Unknown(token) => objects.push(token),
    }
    Ok(Made { go, objects })
}

/// Puts what C compilers read into the work folder, if an overlay has any of it elsewhere; says whether it has
/// (`computeNonGoOverlay`).
fn copy_laid_over(unit: &Unit<'_>, bench: &Bench<'_>) -> Result<bool, StepError> {
    let (package, seen) = (unit.package, unit.shop.hashes.overlay());
    let lists = [&package.c_files, &package.s_files, &package.cxx_files, &package.h_files, &package.f_files];
    let files: Vec<&String> = lists.into_iter().flatten().collect();
    if !files.iter().any(|file| seen.replaces(&unit.absolute(file))) {
        return Ok(false);
    }
    for file in files {
        let name = file.rsplit('/').next().unwrap_or(file);
        bench.copy(&unit.actual(file), &format!("{}{name}", unit.folder))?;
    }
    Ok(true)
}

/// Runs the tool over `sources`, which it is to call by their `places`.
fn run_tool(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    flags: &FlagLists,
    places: &[String],
    sources: &[String],
) -> Result<(), StepError> {
    let package = unit.package;
    let mut arguments = vec!["-objdir".to_owned(), unit.folder.to_owned()];
    arguments.extend(["-importpath".to_owned(), package.import_path.clone()]);
    if package.standard && package.import_path == "runtime/cgo" {
        arguments.push("-import_runtime_cgo=false".to_owned());
    }
    let below_syscall = ["runtime/race", "runtime/msan", "runtime/cgo", "runtime/asan"];
    if package.standard && below_syscall.contains(&package.import_path.as_str()) {
        arguments.push("-import_syscall=false".to_owned());
    }
    let mut shown = compiler::environment();
    shown.extend(unit.goal.changed());
    if !flags.linker.is_empty() {
        let quoted: Vec<String> = flags.linker.iter().map(quote).collect();
        arguments.push(format!("-ldflags={}", quoted.join(" ")));
        shown.push(("CGO_LDFLAGS".to_owned(), String::new()));
    }
    let elsewhere = sources.iter().zip(places).filter(|(source, place)| source != place);
    let rules: Vec<String> = elsewhere.map(|(source, place)| format!("{source}=>{place}")).collect();
    if !rules.is_empty() {
        // Behind the other flags of cgo and before those for the linker, as go has it.
        let at = arguments.iter().position(|word| word.starts_with("-ldflags=")).unwrap_or(arguments.len());
        arguments.splice(at..at, ["-trimpath".to_owned(), rules.join(";")]);
    }
    arguments.push("--".to_owned());
    arguments.extend(flags.preprocessor.iter().chain(&flags.c).chain(sources).cloned());
    let mut action = tool_action(unit.goal, "cgo", arguments, &package.dir);
    if let Variables::Inherited(over) = &mut action.environment {
        over.extend(shown.iter().cloned());
        let command = compiler(unit.shop, unit.goal, Language::C)?;
        // The tool asks for the compiler by the variable that go sets from its own settings.
        over.push(("CC".to_owned(), crate::words::join(&command).map_err(StepError::plain)?));
    }
    bench.run(action, &package.import_path, &package.dir, &shown)
}

/// What C compilers compile, in the order in which go numbers the results.
fn compiled_sources(unit: &Unit<'_>, stems: &[&str]) -> Vec<(String, Language)> {
    let (package, folder) = (unit.package, unit.folder);
    let mut sources = vec![(format!("{folder}_cgo_export.c"), Language::C)];
    sources.extend(stems.iter().map(|stem| (format!("{folder}{stem}.cgo2.c"), Language::C)));
    // The runtime's own package has Go assembly too; C compilers get the files whose names say so.
    let of_runtime = package.standard && package.import_path == "runtime/cgo";
    let assembly = package.s_files.iter().filter(|file| !of_runtime || file.starts_with("gcc_"));
    sources.extend(assembly.map(|file| (file.clone(), Language::Assembly)));
    sources.extend(package.c_files.iter().chain(&package.m_files).map(|file| (file.clone(), Language::C)));
    sources.extend(package.cxx_files.iter().map(|file| (file.clone(), Language::Cxx)));
    sources.extend(package.f_files.iter().map(|file| (file.clone(), Language::Fortran)));
    sources
}

/// What a compiler may take for random (`cgoCompileActor`). Go has the name of its work folder in it for the files that
/// cgo makes, so that with `-flto` no two of its builds are alike; here a name stands for the folder.
fn seed(unit: &Unit<'_>, id: &ActionId, source: &str) -> String {
    let name = match source.strip_prefix(unit.folder) {
        Some(name) => format!("$WORK/{name}"),
        None => source.to_owned(),
    };
    id.subkey(&format!("cgo compile {name}")).short()
}

fn refuse_go_assembly(unit: &Unit<'_>, source: &str) -> Result<(), StepError> {
    let Ok(content) = fs::read(unit.actual(source)) else {
        return Ok(());
    };
    let is_go = content
        .split(|&byte| byte == b'\n')
        .any(|line| [&b"TEXT"[..], b"DATA", b"GLOBL"].iter().any(|word| line.starts_with(word)));
    if is_go {
        return Err(StepError::Plain(format!("package using cgo has Go assembly file {source}")));
    }
    Ok(())
}

enum Imports {
    /// A Go file that names what is imported.
    Go(String),
    /// A token for the linker: only the host's linker can tell.
    Unknown(String),
}

/// Finds out which libraries the objects need, by linking them (`dynimport`).
fn imports_of_libraries(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    id: &ActionId,
    flags: &FlagLists,
    objects: &[String],
) -> Result<Imports, StepError> {
    let (package, folder) = (unit.package, unit.folder);
    let main = format!("{folder}_cgo_main.o");
    let source = format!("{folder}_cgo_main.c");
    compiler::compile(unit, bench, flags, Language::C, &source, &main, &id.short())?;
    let probe = format!("{folder}_cgo_.o");
    let mut inputs = vec![main];
    inputs.extend(objects.iter().cloned());
    inputs.extend((unit.system_objects)());
    if !compiler::link(unit, bench, flags, &inputs, &probe)? {
        let token = format!("{folder}dynimportfail");
        bench.write(&token, b"")?;
        return Ok(Imports::Unknown(token));
    }
    let file = format!("{folder}_cgo_import.go");
    let words = ["-dynpackage", &package.name, "-dynimport", &probe, "-dynout", &file];
    let mut arguments: Vec<String> = words.map(str::to_owned).to_vec();
    if package.standard && package.import_path == "runtime/cgo" {
        arguments.push("-dynlinker".to_owned());
    }
    let mut action: Action = tool_action(unit.goal, "cgo", arguments, &unit.shop.folder);
    let shown = compiler::environment();
    if let Variables::Inherited(over) = &mut action.environment {
        over.extend(shown.iter().cloned());
    }
    let folder = unit.shop.folder.clone();
    bench.run(action, &package.import_path, &folder, &shown)?;
    Ok(Imports::Go(file))
}
