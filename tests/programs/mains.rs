//! The main modules: module zips as they are published, and a small one over kubernetes.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;

use super::files;

/// What the small module that needs kubernetes is called in the table.
pub(crate) const KUBERNETES: &str = "example.com/k8s@v1.36.3";

const KUBERNETES_MAIN: &str = r#"package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() { os.Exit(cli.Run(app.NewSchedulerCommand())) }
"#;

/// The folder with a main module as it was published, made once.
pub(crate) fn folder(go: &Go, proxy: &str, kept: &Path, module: &str) -> PathBuf {
    let folder = kept.join(module.replace('/', "+"));
    if !folder.is_dir() {
        let new = folder.with_extension("new");
        files::remove(&new);
        let client = Client::new(go, proxy).unwrap();
        match module {
            KUBERNETES => kubernetes(&client, &new),
            _ => files::copy(&download(&client, module), &new),
        }
        #[allow(clippy::disallowed_methods, reason = "a folder of the test")]
        fs::rename(new, &folder).unwrap();
    }
    folder
}

fn download(client: &Client, module: &str) -> PathBuf {
    let output = client.run(client.home(), &["mod", "download", "-json", module]).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    PathBuf::from(said["Dir"].as_str().unwrap_or_else(|| panic!("{module}: {said}")))
}

/// A program that needs kubernetes; what the repository replaces by folders of its own is replaced by what is published.
#[allow(clippy::disallowed_methods, reason = "files of the test")]
fn kubernetes(client: &Client, folder: &Path) {
    let source = download(client, "k8s.io/kubernetes@v1.36.3");
    let go_mod = fs::read_to_string(source.join("go.mod")).unwrap();
    let mut text = String::from(
        "module example.com/k8s\n\ngo 1.26.0\n\ngodebug default=go1.26\n\ntool k8s.io/kubernetes/cmd/kubectl\n\n\
         require k8s.io/kubernetes v1.36.3\n\nreplace (\n",
    );
    for line in go_mod.lines() {
        let replaced =
            line.trim().strip_prefix("replace ").unwrap_or(line.trim()).split_once(" => ./staging/");
        if let Some((path, _)) = replaced {
            writeln!(text, "\t{path} => {path} v0.36.3").unwrap();
        }
    }
    text.push_str(")\n");
    fs::create_dir_all(folder.join("cmd/sched")).unwrap();
    fs::write(folder.join("go.mod"), text).unwrap();
    fs::write(folder.join("cmd/sched/main.go"), KUBERNETES_MAIN).unwrap();
    let output = client.run(folder, &["mod", "tidy"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
