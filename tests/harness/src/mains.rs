//! Main modules of tests: real ones as they are published, and a small one over kubernetes.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use modkeep_conformance::go::Missing;

use crate::go::Client;
use crate::tree;

/// What the small module that needs kubernetes is called.
pub const KUBERNETES: &str = "example.com/k8s@v1.36.3";

const KUBERNETES_MAIN: &str = r#"package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() { os.Exit(cli.Run(app.NewSchedulerCommand())) }
"#;

/// The folder under `kept` with a main module, `MODULE@VERSION`, which the client has fetched once.
///
/// # Errors
/// When the registry doesn't give all of it.
pub fn folder(client: &Client, kept: &Path, module: &str) -> Result<PathBuf, Missing> {
    static MAKING: Mutex<()> = Mutex::new(());
    let folder = kept.join(module.replace('/', "+"));
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !folder.is_dir() {
        let new = folder.with_extension(format!("new{}", std::process::id()));
        make(client, &new, module).map_err(|error| Missing(format!("{module}: {error}")))?;
        #[allow(clippy::disallowed_methods, reason = "a folder of the test")]
        let named = fs::rename(new, &folder);
        named.map_err(|error| Missing(format!("{module}: {error}")))?;
    }
    Ok(folder)
}

fn make(client: &Client, folder: &Path, module: &str) -> io::Result<()> {
    tree::remove(folder)?;
    match module {
        KUBERNETES => kubernetes(client, folder),
        _ => tree::copy(&download(client, module)?, folder),
    }
}

fn download(client: &Client, module: &str) -> io::Result<PathBuf> {
    let output = client.run(client.home(), &["mod", "download", "-json", module])?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let dir = said["Dir"].as_str().ok_or_else(|| io::Error::other(said["Error"].to_string()))?;
    Ok(dir.into())
}

/// A program that needs kubernetes; what the repository replaces by folders of its own is replaced by what is published.
#[allow(clippy::disallowed_methods, reason = "files of the test")]
fn kubernetes(client: &Client, folder: &Path) -> io::Result<()> {
    let source = download(client, "k8s.io/kubernetes@v1.36.3")?;
    let go_mod = fs::read_to_string(source.join("go.mod"))?;
    let mut text = String::from(
        "module example.com/k8s\n\ngo 1.26.0\n\ngodebug default=go1.26\n\ntool k8s.io/kubernetes/cmd/kubectl\n\n\
         require k8s.io/kubernetes v1.36.3\n\nreplace (\n",
    );
    for line in go_mod.lines() {
        let replaced =
            line.trim().strip_prefix("replace ").unwrap_or(line.trim()).split_once(" => ./staging/");
        if let Some((path, _)) = replaced {
            writeln!(text, "\t{path} => {path} v0.36.3").expect("a text takes text");
        }
    }
    text.push_str(")\n");
    fs::create_dir_all(folder.join("cmd/sched"))?;
    fs::write(folder.join("go.mod"), text)?;
    fs::write(folder.join("cmd/sched/main.go"), KUBERNETES_MAIN)?;
    let output = client.run(folder, &["mod", "tidy"])?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
