//! A machine on which one program answers one question after the other about one main module.

use std::fs;
use std::path::{Path, PathBuf};

use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;
use modkeep_harness::tree;

use super::files::{self, Listing};

/// What is asked, and in which state the main module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The words after `go`.
    pub(crate) words: Vec<String>,
    /// Whether a vendor folder of an earlier question stays.
    pub(crate) is_vendored: bool,
}

impl Question {
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.words.join(" "), if self.is_vendored { " (vendored)" } else { "" })
    }
}

/// What questions are about.
pub(crate) struct Subject {
    /// In file names and reports.
    pub(crate) name: String,
    /// The folder with the main module, or with the modules of a workspace.
    pub(crate) main: PathBuf,
    pub(crate) questions: Vec<Question>,
    /// Whether a question finds go.mod and its like as the one before has left them, and go.work counts.
    pub(crate) is_workspace: bool,
}

/// Go or modkeep, with a module cache of its own that is empty in the beginning.
pub(crate) struct Machine<'a> {
    go: &'a Go,
    client: Client,
    program: Option<&'a Path>,
    proxy: &'a str,
    is_workspace: bool,
    before: Listing,
}

impl<'a> Machine<'a> {
    /// `program` answers, or go; the main module is a copy of `main`.
    pub(crate) fn new(go: &'a Go, proxy: &'a str, program: Option<&'a Path>, subject: &Subject) -> Self {
        let is_workspace = subject.is_workspace;
        let go_work = if is_workspace { "" } else { "off" };
        let client = Client::new(go, proxy).unwrap().with("GOFLAGS", "").with("GOWORK", go_work);
        tree::copy(&subject.main, &client.home().join("work")).unwrap();
        fs::create_dir_all(client.module_cache()).unwrap();
        Self { go, client, program, proxy, is_workspace, before: Listing::default() }
    }

    fn work(&self) -> PathBuf {
        self.client.home().join("work")
    }

    /// What it prints, how it ends, and the files that it leaves; go.mod and go.sum of a module are put back.
    pub(crate) fn ask(&mut self, question: &Question) -> String {
        let work = self.work();
        if !question.is_vendored {
            tree::remove(&work.join("vendor")).unwrap();
        }
        let kept = files::texts(&work);
        let program = self.program.map_or_else(|| self.go.tool(), Path::to_owned);
        let words = &question.words;
        let like = self.client.command();
        let mut command = self.go.command_of(&program);
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.current_dir(&work).args(words).output().unwrap();
        let mut text = format!("{}{}\n", String::from_utf8_lossy(&output.stdout), output.status);
        text.push_str(&story(&String::from_utf8_lossy(&output.stderr)));
        for (name, content) in files::texts(&work) {
            if kept.get(&name) != Some(&content) {
                text.push_str(&format!("--- {name}\n{content}"));
            }
        }
        if !self.is_workspace {
            files::restore(&work, &kept);
        }
        if words[..] == ["mod", "vendor"] || words[..] == ["work", "vendor"] {
            text.push_str(&files::tree(&work.join("vendor")));
        }
        let now = Listing::of(&self.client.module_cache());
        text.push_str(&now.since(&self.before));
        self.before = now;
        text.replace(self.client.home().to_str().unwrap(), "HOME").replace(self.proxy, "PROXY")
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        tree::remove(&self.client.module_cache()).unwrap();
    }
}

/// Downloads are told in the order in which they happen to begin.
fn story(stderr: &str) -> String {
    let is_download = |line: &&str| line.starts_with("go: downloading ");
    let (mut downloads, others): (Vec<&str>, Vec<&str>) = stderr.lines().partition(is_download);
    downloads.sort_unstable();
    downloads.iter().chain(&others).map(|line| format!("stderr: {line}\n")).collect()
}
