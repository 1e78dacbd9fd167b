//! The vet tool, asked what flags it has and what it is.
//!
//! Sources of the rules: `cmd/go/internal/vet/vetflag.go`, `work:buildid.go:toolID`.

use std::path::Path;
use std::process::{Command, Stdio};

use modkeep_builder::execute::status_words;
use modkeep_builder::vet::VetTool;
use serde::Deserialize;

use crate::building::settings::{host, toolchain};
use crate::goenv::{GoEnv, words};
use crate::report::Failure;

/// A flag of a tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ToolFlag {
    pub(super) name: String,
    #[serde(rename = "Bool")]
    pub(super) is_bool: bool,
}

/// The toolchain's own tool.
pub(super) fn of_toolchain(go: &GoEnv) -> Result<String, Failure> {
    let path = format!("{}/vet", toolchain(go, host())?.tools());
    match Path::new(&path).exists() {
        true => Ok(path),
        false => Err(Failure::exact(2, "go: no such tool \"vet\"")),
    }
}

/// The flags that a tool has.
pub(super) fn flags_of(path: &str) -> Result<Vec<ToolFlag>, Failure> {
    let failed = |error: &str| Failure::exact(2, format!("go: {path} -flags failed: {error}"));
    let output = Command::new(path)
        .arg("-flags")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| failed(&format!("fork/exec {path}: {}", words(&error))))?;
    if !output.status.success() {
        return Err(failed(&status_words(&output.status)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::exact(2, format!("go: can't unmarshal JSON from {path} -flags: {error}")))
}

/// What stands for a tool that isn't the toolchain's in keys: what it calls itself, or what it is made of.
pub(super) fn identify(go: &GoEnv, path: &str) -> Result<VetTool, Failure> {
    let failed = |error: &str| Failure::exact(1, format!("go: error obtaining buildID for {path}: {error}"));
    let output = Command::new(path)
        .arg("-V=full")
        .current_dir(go.folder())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(&format!("fork/exec {path}: {}", words(&error))))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::exact(1, format!("{said}{}", failed(&status_words(&output.status)))));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let fields: Vec<&str> = text.split_whitespace().collect();
    let id = match fields.as_slice() {
        [_, "version", version, .., last] if version.contains("devel") && last.starts_with("buildID=") => {
            last.rsplit('/').next().unwrap_or_default().to_owned()
        }
        [_, "version", version, ..] if !version.contains("devel") => text.trim().to_owned(),
        _ => {
            let problem = format!("go: parsing buildID from {path} -V=full: unexpected output:\n\t{text}");
            return Err(Failure::exact(1, problem));
        }
    };
    Ok(VetTool { path: path.to_owned(), id })
}
