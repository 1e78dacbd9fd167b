//! The conditions in brackets: what the machine is and has.

use std::path::Path;

use super::state::State;

/// Whether a condition holds.
pub(super) fn holds(state: &State, tag: &str) -> Result<bool, String> {
    let (name, value) = match tag.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (tag, None),
    };
    Ok(match (name, value) {
        ("symlink" | "case-sensitive" | "link", None) => true,
        ("short", None) => state.is_short,
        ("verbose" | "trimpath" | "fuzz" | "mismatched-goroot" | "abscc" | "default-cgo", None) => false,
        ("cgo", None) => has_c_compiler(state),
        ("race" | "asan" | "msan", None) => {
            has_c_compiler(state) && matches!(super::stage::processor(), "amd64" | "arm64")
        }
        ("buildmode", Some("pie" | "c-archive" | "c-shared" | "plugin" | "shared")) => has_c_compiler(state),
        ("git", None) => has(state, "git"),
        ("root", None) => rustix::process::geteuid().is_root(),
        ("exec", Some(program)) => has(state, program),
        // Those of the machine, whatever the script has set since.
        ("GOOS", Some(system)) => system == super::stage::system(),
        ("GOARCH", Some(processor)) => processor == super::stage::processor(),
        ("compiler", Some(compiler)) => compiler == "gc",
        ("GOEXPERIMENT" | "net" | "GODEBUG", Some(_)) => false,
        _ => return Err(format!("unknown condition {tag:?}")),
    })
}

fn has_c_compiler(state: &State) -> bool {
    has(state, "gcc") || has(state, "cc")
}

fn has(state: &State, program: &str) -> bool {
    match program.contains('/') {
        true => Path::new(program).is_file(),
        false => find(state, program).is_some(),
    }
}

/// The program of that name on the script's PATH.
pub(super) fn find(state: &State, program: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(state.get("PATH")).map(|folder| folder.join(program)).find(|file| file.is_file())
}
