//! Building the test binary of cmd/go with our overlay, once for each release and overlay.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::{PROXY_VARIABLE, SuiteError};
use crate::go::Go;

/// The value that the overlay replaces.
const PROXY_SETTING: &str = r#""GOPROXY=" + proxyURL,"#;

/// The folder of cmd/go, where its tests must be run.
pub(super) fn source(go: &Go) -> PathBuf {
    go.root().join("src/cmd/go")
}

/// Builds the binary, or finds the one that an earlier run built.
pub(super) fn build(go: &Go, kept: &Path, build_cache: &str) -> Result<PathBuf, SuiteError> {
    let original = source(go).join("script_test.go");
    let overlaid = overlay(&original)?;
    let folder = kept.join(format!("scripts-{:016x}", fingerprint(go, &overlaid)));
    fs::create_dir_all(&folder).map_err(SuiteError::io(folder.display().to_string()))?;
    let lock = File::create(folder.join("lock")).map_err(SuiteError::io("lock"))?;
    lock.lock().map_err(SuiteError::io("lock"))?;

    let binary = folder.join("cmdgo.test");
    if binary.is_file() {
        return Ok(binary);
    }
    let replacement = folder.join("script_test.go");
    let map = serde_json::json!({ "Replace": { original.to_string_lossy(): replacement } });
    write(&replacement, &overlaid)?;
    write(&folder.join("overlay.json"), &map.to_string())?;
    compile(go, &folder, build_cache)?;
    Ok(binary)
}

/// The file with its GOPROXY taken from our variable where that is set.
fn overlay(original: &Path) -> Result<String, SuiteError> {
    let text = fs::read_to_string(original).map_err(SuiteError::io(original.display().to_string()))?;
    if text.matches(PROXY_SETTING).count() != 1 {
        return Err(SuiteError::Shape { file: original.to_owned(), text: PROXY_SETTING });
    }
    let text = text.replace(PROXY_SETTING, r#""GOPROXY=" + proxyOnTrial(),"#);
    Ok(format!(
        "{text}\nfunc proxyOnTrial() string {{\n\tif url := os.Getenv(\"{PROXY_VARIABLE}\"); url != \"\" {{\n\
         \t\treturn url\n\t}}\n\treturn proxyURL\n}}\n"
    ))
}

/// Compiles into a name of its own first, so that a build cut short leaves no binary behind.
///
/// GOMODCACHE points elsewhere because go replaces no file under it, and a release fetched as a module lies there.
fn compile(go: &Go, folder: &Path, build_cache: &str) -> Result<(), SuiteError> {
    let part = folder.join("cmdgo.test.part");
    let mut command = go.command();
    command.current_dir(source(go)).args(["test", "-c", "-overlay"]).arg(folder.join("overlay.json"));
    command.arg("-o").arg(&part).arg(".");
    command.env("GOMODCACHE", folder.join("no-modules")).env("GOCACHE", build_cache);
    let output = command.output().map_err(SuiteError::io("go test -c"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(SuiteError::Failed { command: "go test -c of cmd/go".into(), text });
    }
    #[allow(clippy::disallowed_methods, reason = "a built test binary may be lost with the machine's power")]
    fs::rename(&part, folder.join("cmdgo.test")).map_err(SuiteError::io("cmdgo.test"))
}

fn write(file: &Path, text: &str) -> Result<(), SuiteError> {
    #[allow(clippy::disallowed_methods, reason = "written anew by the next run if it is lost")]
    fs::write(file, text).map_err(SuiteError::io(file.display().to_string()))
}

fn fingerprint(go: &Go, overlaid: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (go.root(), overlaid).hash(&mut hasher);
    hasher.finish()
}
