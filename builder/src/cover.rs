//! Instrumenting a package for coverage, before it is compiled.
//!
//! Source: `cmd/go/internal/work:exec.go` (`runCover`, `writeCoverPkgInputs`).

use std::collections::BTreeMap;

use modkeep_module::file_path;
use modkeep_store::Digest;
use serde_json::json;

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
        let place = file_path::join(&unit.package.dir, file);
        if unit.shop.hashes.overlay().replaces(&place) {
            // Go's tool reads what is on disk, whose counters are none of the file's.
            return Err(StepError::Plain(format!("{place}: a file of -overlay can't be instrumented")));
        }
        inputs.push(place);
        let stem = file.strip_suffix(".go").unwrap_or(file);
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
    bench.run(action, &heading, folder, &[])?;
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
    let fields = BTreeMap::from([
        ("OutConfig", json!(config)),
        ("PkgPath", json!(package.import_path)),
        ("PkgName", json!(package.name)),
        ("Granularity", json!("perblock")),
        ("ModulePath", json!(module)),
        ("Local", json!(package.cmdline_files)),
        ("EmitMetaFile", json!(meta)),
    ]);
    serde_json::to_string(&fields).unwrap_or_default() + "\n"
}

/// The file of what is known of a package's counters (`covcmd.MetaFileForPackage`).
pub(crate) fn meta_file(import_path: &str) -> String {
    format!("covmeta.{}", Digest::of(import_path.as_bytes()))
}
