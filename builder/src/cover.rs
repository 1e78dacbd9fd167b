//! Instrumenting a package for coverage, before it is compiled.
//!
//! Source: `cmd/go/internal/work:exec.go` (`runCover`, `writeCoverPkgInputs`).

pub mod meta;

use std::fs;

use modkeep_store::Digest;
use serde::Serialize;

use crate::action_id::ActionId;
use crate::compile::{Unit, tool_action};
use crate::package::Cover;
use crate::shop::{Bench, StepError};

/// The sources after the tool ran.
#[derive(Debug)]
pub(crate) struct Covered {
    pub(crate) go: Vec<String>,
    pub(crate) cgo: Vec<String>,
    /// What the compiler is to be told; none where nothing was instrumented.
    pub(crate) config: Option<String>,
}

/// Instruments all sources that are no tests.
pub(crate) fn run(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    id: &ActionId,
    cover: &Cover,
    mut go: Vec<String>,
    mut cgo: Vec<String>,
) -> Result<Covered, StepError> {
    let folder = unit.folder;
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for file in go.iter_mut().chain(&mut cgo) {
        if file.ends_with("_test.go") {
            continue;
        }
        let place = unit.absolute(file);
        if unit.shop.hashes.overlay().replaces(&place) {
            // Go's tool reads what is on disk, whose counters are none of the file's.
            return Err(StepError::Plain(format!("{place}: a file of -overlay can't be instrumented")));
        }
        inputs.push(place);
        // The program of a test lies in the folder already.
        let name = file.strip_prefix(folder).unwrap_or(file);
        let stem = name.strip_suffix(".go").unwrap_or(name);
        *file = format!("{folder}{stem}.cover.go");
        outputs.push(file.clone());
    }
    if inputs.is_empty() {
        return Ok(Covered { go, cgo, config: None });
    }
    outputs.insert(0, format!("{folder}covervars.go"));
    let config = format!("{folder}coveragecfg");
    let (request, list) = (format!("{folder}pkgcfg.txt"), format!("{folder}coveroutfiles.txt"));
    bench.write(&request, request_text(unit, cover, &config).as_bytes())?;
    bench.write(&list, (outputs.join("\n") + "\n").as_bytes())?;
    let path = Digest::of(unit.package.import_path.as_bytes()).to_string();
    let variable = format!("goCover_{}_", &path[..12]);
    let words = ["-pkgcfg", &request, "-mode", &cover.mode, "-var", &variable, "-outfilelist", &list];
    let mut arguments: Vec<String> = words.map(str::to_owned).to_vec();
    arguments.extend(inputs);
    let action = tool_action(unit.goal, "cover", arguments, folder);
    let heading = format!("{} {}", action.program, action.arguments.join(" "));
    let heading = unit.shop.transcript.with_work(&heading);
    bench.run(action, &heading, folder, &[])?;
    if cover.writes_meta && !unit.shop.flags.dry {
        let name = meta_file(&unit.package.import_path);
        let file = format!("{folder}{name}");
        let content = fs::read(&file).map_err(|error| StepError::system("open", &file, &error))?;
        unit.shop.keep(unit.shop.cache.put_bytes(&id.subkey(&name), &content));
    }
    go.insert(0, outputs.remove(0));
    Ok(Covered { go, cgo, config: Some(config) })
}

/// What the tool is asked, as JSON in the order of its own type.
fn request_text(unit: &Unit<'_>, cover: &Cover, config: &str) -> String {
    let package = unit.package;
    let module = package.module.as_ref().map_or("", |module| &module.path);
    let meta = if cover.writes_meta {
        format!("{}{}", unit.folder, meta_file(&package.import_path))
    } else {
        String::new()
    };
    let request = Request {
        out_config: config,
        pkg_path: &package.import_path,
        pkg_name: &package.name,
        granularity: "perblock",
        module_path: module,
        local: package.cmdline_files,
        emit_meta_file: &meta,
    };
    serde_json::to_string(&request).unwrap_or_default() + "\n"
}

/// `cmd/internal/cov/covcmd.CoverPkgConfig`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    out_config: &'a str,
    pkg_path: &'a str,
    pkg_name: &'a str,
    granularity: &'a str,
    module_path: &'a str,
    local: bool,
    emit_meta_file: &'a str,
}

/// The file of what is known of a package's counters (`covcmd.MetaFileForPackage`).
pub(crate) fn meta_file(import_path: &str) -> String {
    format!("covmeta.{}", Digest::of(import_path.as_bytes()))
}

/// The file of what is known of a package's counters, made if it isn't kept; none where the package counts nothing.
pub(crate) fn meta_of(unit: &Unit<'_>, id: &ActionId) -> Result<Option<String>, StepError> {
    let package = unit.package;
    let Some(cover) = package.cover.as_ref().filter(|cover| cover.writes_meta) else {
        return Ok(None);
    };
    let name = meta_file(&package.import_path);
    let in_folder = format!("{}{name}", unit.folder);
    if unit.shop.flags.dry {
        return Ok(Some(in_folder));
    }
    let kept = || unit.shop.cache.whole_file(&id.subkey(&name));
    if kept().is_none() {
        unit.take_along(id, &name);
    }
    if kept().is_none() {
        let mut bench = unit.shop.bench(package);
        bench.make_folder(unit.folder)?;
        let ran = run(unit, &mut bench, id, cover, package.go_files.clone(), package.cgo_files.clone());
        bench.flush();
        ran?;
    }
    Ok(Some(kept().map_or(in_folder, |(file, _)| file.to_string_lossy().into_owned())))
}
