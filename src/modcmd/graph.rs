//! `modkeep mod graph`: every requirement between modules, a line each.
//!
//! Source of the rules: `cmd/go/internal/modcmd/graph.go`.

use std::fmt::Write;

use modkeep_module::gomod::is_go_version;
use modkeep_module::quote::quote;
use modkeep_resolver::go_version;

use super::picture;
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "mod graph",
    line: "go mod graph [-go=version] [-x]",
    flags: module_flags![
        ("dot", Kind::Bool),
        ("go", Kind::Text),
        ("selected", Kind::Bool),
        ("svg", Kind::Bool),
        ("tree", Kind::Bool),
        ("x", Kind::Bool),
    ],
};

/// Prints the graph.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let mut version = String::new();
    let mut tells_requests = false;
    let (mut is_dot, mut is_svg, mut is_tree, mut only_selected) = (false, false, false, false);
    let words = USAGE.parse(words, go.goflags(), |name, value| {
        if name == "go" {
            check_go(go, &USAGE, "go", value)?;
            value.clone_into(&mut version);
        }
        match name {
            "x" => tells_requests = value == "true",
            "dot" => is_dot = value == "true",
            "svg" => is_svg = value == "true",
            "tree" => is_tree = value == "true",
            "selected" => only_selected = value == "true",
            _ => {}
        }
        flags.set(name, value).map(|_| ())
    })?;
    if !words.is_empty() {
        return Err(Failure::go("'go mod graph' accepts no arguments"));
    }
    let wanted = Wanted { verb: "mod graph", needs_root: true, tells_requests, flags, ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    let version = Some(version.as_str()).filter(|version| !version.is_empty());
    let graph = session.answer(|world| world.module_graph(version))?;
    let nodes = session.world.nodes();
    if is_dot || is_svg || is_tree || only_selected {
        let edges = picture::edges(&session.world, &graph, only_selected);
        return report::out(&match (is_dot, is_svg, is_tree) {
            (true, ..) => picture::dot(&session.world, &graph, &edges),
            (_, true, _) => picture::svg(&session.world, &graph, &edges),
            (.., true) => picture::tree(&session.world, &edges),
            _ => edges.iter().map(|(a, b)| format!("{} {}\n", nodes.node(*a), nodes.node(*b))).collect(),
        });
    }
    let mut text = String::new();
    for (from, to) in graph.edges(nodes) {
        writeln!(text, "{} {}", nodes.node(from), nodes.node(to)).expect("a String takes all text");
    }
    report::out(&text)?;
    // The process ends now.
    session.leave();
    Ok(())
}

/// Refuses a `-go` or `-compat` that is no version, or above the local release (`modcmd/tidy.go:goVersionFlag`).
pub(crate) fn check_go(go: &GoEnv, usage: &Usage, flag: &str, value: &str) -> Result<(), Failure> {
    let latest = go.release();
    let problem = if value.is_empty() {
        return Ok(());
    } else if !is_go_version(value) {
        format!("expecting a Go version like {}", quote(latest))
    } else if go_version::compare(value, latest).is_gt() {
        format!("maximum supported Go version is {latest}")
    } else {
        return Ok(());
    };
    Err(usage.refuse(&format!("invalid value {} for flag -{flag}: {problem}", quote(value))))
}
