//! Which go.mod a verb is about, and the error where there is none (`modload/init.go:MustHaveModRoot`).

use crate::goenv::{GoEnv, paths};
use crate::report::{self, Failure};

/// Files that tell a project from before modules or under version control.
const OTHER_SIGNS: &[&str] = &[".git/config"];

/// The go.mod of the main module; `-modfile` names another file for the module that is found.
pub(super) fn go_mod(go: &GoEnv, modfile: &str) -> Result<String, Failure> {
    go.check_modules_enabled()?;
    let Some(root) = go.module_root() else {
        if !modfile.is_empty() {
            return Err(Failure::go(
                "cannot find main module, but -modfile was set.\n\t-modfile cannot be used to set the module root directory.",
            ));
        }
        return Err(none(go));
    };
    let temporary = temporary(go);
    if paths::clean(temporary) == root {
        report::tell(&format!("go: warning: ignoring go.mod in system temp root {temporary}"));
        return Err(none(go));
    }
    if go.gopath().first() == Some(&root) {
        report::tell(&format!("go: warning: ignoring go.mod in $GOPATH {root}"));
        return Err(none(go));
    }
    check_modfile(modfile)?;
    Ok(if modfile.is_empty() { paths::join(&root, "go.mod") } else { modfile.to_owned() })
}

/// The system's folder for temporary files.
pub(crate) fn temporary(go: &GoEnv) -> &str {
    go.get("TMPDIR").unwrap_or("/tmp")
}

/// Fails where `-modfile` names a file that isn't called so.
pub(crate) fn check_modfile(modfile: &str) -> Result<(), Failure> {
    if modfile.is_empty() || modfile.ends_with(".mod") {
        return Ok(());
    }
    Err(Failure::go(format!("-modfile={modfile}: file does not have .mod extension")))
}

fn none(go: &GoEnv) -> Failure {
    let found = paths::upwards(go.folder()).find_map(|folder| {
        let sign =
            OTHER_SIGNS.iter().find(|sign| std::path::Path::new(&paths::join(folder, sign)).is_file())?;
        Some((folder, *sign))
    });
    let is_in_goroot =
        go.get("GOROOT").is_some_and(|goroot| paths::upwards(go.folder()).any(|folder| folder == goroot));
    match found.filter(|_| !is_in_goroot) {
        Some((folder, sign)) => {
            let way = paths::relative(go.folder(), folder).unwrap_or_else(|| folder.to_owned());
            let change = if way == "." { String::new() } else { format!("cd {way} && ") };
            Failure::go(format!(
                "cannot find main module, but found {sign} in {folder}\n\tto create a module there, run:\n\t{change}go mod init"
            ))
        }
        None => Failure::go(
            "go.mod file not found in current directory or any parent directory; see 'go help modules'",
        ),
    }
}
