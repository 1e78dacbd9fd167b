//! A toolchain that came as a module: what go does to its folder before it is used.
//!
//! Zips of modules keep no permissions and no go.mod below the root, so programs are made executable and each `_go.mod`
//! gets its name back. Several processes may do this at the same time. Source: `cmd/go/internal/toolchain/select.go:Exec`.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::Path;

/// Makes the unpacked module `golang.org/toolchain` in `root` a GOROOT.
///
/// # Errors
/// When the folder can't be changed.
pub fn complete(root: &Path) -> io::Result<()> {
    // Tools first, for `bin/go` tells others that all is done.
    if !is_executable(&root.join("bin/go"))? {
        allow(&root.join("pkg/tool"), &|_| true)?;
        allow(&root.join("lib"), &|name| name.starts_with("go_") && name.ends_with("_exec"))?;
        allow(&root.join("bin/gofmt"), &|_| true)?;
        allow(&root.join("bin"), &|_| true)?;
    }
    let size = |name: &str| fs::metadata(root.join(name)).map(|metadata| metadata.len()).ok();
    if size("src/_go.mod") != size("src/go.mod") {
        let mut files = Vec::new();
        find(root, &|name| name == "_go.mod", &mut files)?;
        // The one of src comes last: it tells others that all is done.
        let last = root.join("src/_go.mod");
        files.retain(|file| *file != last);
        files.into_iter().chain([last]).try_for_each(|file| copy(&file, &file.with_file_name("go.mod")))?;
    }
    Ok(())
}

fn is_executable(file: &Path) -> io::Result<bool> {
    Ok(mode(&fs::metadata(file)?) & 0o111 != 0)
}

/// Sets the bits for execution of a file, or of the files below a folder.
fn allow(path: &Path, is_meant: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let mut files = Vec::new();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if found.is_dir() => find(path, is_meant, &mut files)?,
        Ok(_) => files.push(path.to_owned()),
    }
    files.iter().try_for_each(|file| {
        let mode = mode(&fs::metadata(file)?) & 0o777 | 0o111;
        fs::set_permissions(file, permissions(mode, file)?)
    })
}

fn find(
    folder: &Path,
    is_meant: &dyn Fn(&str) -> bool,
    files: &mut Vec<std::path::PathBuf>,
) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_str().is_some_and(is_meant) {
                files.push(entry.path());
            }
        }
    }
    Ok(())
}

/// Copies a file in a folder that can't be written to; whoever does it at the same time writes the same.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let content = fs::read(from)?;
    if fs::metadata(to).is_ok_and(|metadata| metadata.len() == content.len() as u64) {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(to);
    let before = fs::metadata(folder)?.permissions();
    let writable = permissions(mode(&fs::metadata(folder)?) & 0o7777 | 0o200, folder)?;
    fs::set_permissions(folder, writable)?;
    let written =
        OpenOptions::new().write(true).create(true).truncate(false).open(to).and_then(|mut file| {
            file.write_all(&content)?;
            file.set_len(content.len() as u64)
        });
    // The folder serves with either mode.
    let _ = fs::set_permissions(folder, before);
    written
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode()
}

#[cfg(unix)]
fn permissions(mode: u32, _: &Path) -> io::Result<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0o777
}

#[cfg(not(unix))]
fn permissions(_: u32, path: &Path) -> io::Result<Permissions> {
    Ok(fs::metadata(path)?.permissions())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_unpacked_toolchain_can_be_run_and_has_its_go_mod_files() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("bin/go", "go"),
            ("bin/gofmt", "gofmt"),
            ("pkg/tool/linux_amd64/compile", "compile"),
            ("lib/wasm/go_js_wasm_exec", "exec"),
            ("lib/wasm/wasm_exec.js", "script"),
            ("src/_go.mod", "module std\n"),
            ("src/cmd/_go.mod", "module cmd\n"),
        ];
        for (name, content) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(&file, content).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
        }
        fs::set_permissions(root.path().join("src/cmd"), Permissions::from_mode(0o555)).unwrap();
        // Twice, as a second process would.
        complete(root.path()).unwrap();
        complete(root.path()).unwrap();
        let executable = files.map(|(name, _)| is_executable(&root.path().join(name)).unwrap());
        assert_eq!(executable, [true, true, true, true, false, false, false]);
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(
            (read("src/go.mod"), read("src/cmd/go.mod")),
            ("module std\n".into(), "module cmd\n".into())
        );
        let folder = fs::metadata(root.path().join("src/cmd")).unwrap();
        assert_eq!(mode(&folder) & 0o777, 0o555);
        fs::set_permissions(root.path().join("src/cmd"), Permissions::from_mode(0o755)).unwrap();
    }
}
