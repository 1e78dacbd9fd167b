//! The build tags of the target, for what is asked about packages as they would be built.

use modkeep_builder::release::Release;
use modkeep_builder::tags::{Settings, Tags};

use crate::goenv::GoEnv;

/// The tags of GOOS and GOARCH; of the newest release that is supported where the release that is acted as isn't.
pub(super) fn tags(go: &GoEnv, words: &str) -> Option<Tags> {
    let os = go.get("GOOS").unwrap_or(crate::version::goos());
    let arch = go.get("GOARCH").unwrap_or(crate::version::goarch());
    let is_native = os == crate::version::goos() && arch == crate::version::goarch();
    let cgo = match go.get("CGO_ENABLED") {
        Some(value) => value == "1",
        None => is_native && has_compiler(go),
    };
    let words: Vec<&str> = words.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let settings = Settings {
        release: Release::parse(&format!("go{}", go.release())).unwrap_or(Release::Go1_27),
        os,
        arch,
        cgo,
        level: "",
        experiments: go.get("GOEXPERIMENT").unwrap_or_default(),
        tags: &words,
        instrument: None,
    };
    Tags::new(&settings).ok()
}

/// Whether the compiler that cgo would run is there.
pub(crate) fn has_compiler(go: &GoEnv) -> bool {
    // One that is named is taken at its word.
    if go.get("CC").is_some() {
        return true;
    }
    let is_clang = matches!(crate::version::goos(), "darwin" | "ios" | "freebsd" | "openbsd");
    let default = if is_clang { "clang" } else { "gcc" };
    let path = go.environment().get("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|folder| folder.join(default).is_file())
}
