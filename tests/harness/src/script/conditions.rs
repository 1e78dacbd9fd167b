//! The conditions in brackets: what the machine is and has.

use std::path::Path;

use super::state::State;

/// Whether a condition holds. Scripts run in full, not in short mode, which would skip many.
pub(super) fn holds(state: &State, tag: &str) -> Result<bool, String> {
    let (name, value) = match tag.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (tag, None),
    };
    Ok(match (name, value) {
        ("symlink" | "case-sensitive" | "link", None) => true,
        (
            "short" | "verbose" | "trimpath" | "race" | "asan" | "msan" | "fuzz" | "mismatched-goroot",
            None,
        ) => false,
        ("cgo", None) => has(state, "gcc") || has(state, "cc"),
        ("git", None) => has(state, "git"),
        ("root", None) => rustix::process::geteuid().is_root(),
        ("exec", Some(program)) => has(state, program),
        ("GOOS", Some(system)) => system == super::stage::system(),
        ("GOARCH", Some(processor)) => processor == super::stage::processor(),
        ("compiler", Some(compiler)) => compiler == "gc",
        ("GOEXPERIMENT" | "net" | "GODEBUG", Some(_)) => false,
        _ => return Err(format!("unknown condition {tag:?}")),
    })
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
