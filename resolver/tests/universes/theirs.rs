//! Go's side of a universe.

use std::path::Path;

use modkeep_harness::resident::{Call, Said};

use crate::generate::{REGISTRY, Universe};
use crate::{Outcome, put, without_names};

/// What go says and leaves in a universe that stands in `folder`; nothing where it can't be told.
pub(crate) fn outcome(
    folder: &Path,
    universe: &Universe,
    mut ask: impl FnMut(&Call<'_>) -> Option<Said>,
) -> Option<Outcome> {
    let place = folder.join(&universe.mains[0]);
    let (gopath, workspace) = (folder.join("gopath"), folder.join("go.work"));
    let goproxy = format!("file://{}/{REGISTRY}", folder.display());
    let mut command = |arguments: Vec<&str>, is_changing: bool| {
        let gowork = if universe.is_workspace { workspace.to_str()? } else { "off" };
        let changes = is_changing && !universe.is_workspace;
        let goflags = if changes { "-modcacherw -mod=mod" } else { "-modcacherw" };
        let call = Call { folder: &place, gopath: &gopath, goproxy: &goproxy, gowork, goflags, arguments };
        ask(&call)
    };
    let failure = |said: &Said| if said.succeeded { String::new() } else { last_error(&said.stderr) };
    let mut outcome = Outcome::default();
    let said = command(vec!["mod", "graph"], false)?;
    outcome.errors[0] = failure(&said);
    outcome.graph = said.stdout;
    let said = command(vec!["list", "-m", "all"], true)?;
    outcome.errors[1] = failure(&said);
    let file = place.join("go.mod");
    outcome.go_mod = left(&file);
    if said.succeeded && !universe.is_workspace {
        let sums = std::fs::read_to_string(file.with_file_name("go.sum")).unwrap_or_default();
        let lines = sums.lines().filter_map(|line| line.rsplit_once(' '));
        outcome.sums = lines.map(|(subject, _)| subject.to_owned()).collect();
        outcome.sums.sort();
    }
    // Of a graph with an error, go prints what it has, and an error for every module without .info.
    outcome.list = if said.succeeded { said.stdout } else { String::new() };
    put(&file, universe.files["m0/go.mod"].as_bytes());
    let words = |pairs: &[(String, String)]| -> Vec<String> {
        pairs.iter().map(|(path, query)| format!("{path}@{query}")).collect()
    };
    let (questions, wanted) = (words(&universe.questions), words(&universe.wanted));
    let mut arguments =
        vec!["list", "-m", "-e", "-f", "{{.Path}} {{.Version}} {{with .Error}}{{.Err}}{{end}}"];
    arguments.extend(questions.iter().map(String::as_str));
    let said = command(arguments, true)?;
    outcome.answers =
        if said.succeeded { said.stdout.lines().map(str::to_owned).collect() } else { Vec::new() };
    put(&file, universe.files["m0/go.mod"].as_bytes());
    if !universe.is_workspace && !wanted.is_empty() {
        let mut arguments = vec!["get"];
        arguments.extend(wanted.iter().map(String::as_str));
        outcome.got = command(arguments, true)?.succeeded.then(|| left(&file));
    }
    Some(outcome)
}

fn left(file: &Path) -> String {
    std::fs::read_to_string(file).expect("go leaves a go.mod")
}

/// The last message on stderr, with the lines that continue it.
fn last_error(stderr: &str) -> String {
    let at = stderr.rfind("\ngo: ").map_or(0, |at| at + 1);
    without_names(&stderr[at..])
}
