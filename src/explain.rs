//! `modkeep explain`: why a module is in the build list at its version, what differs between two build lists, and why
//! packages would be built again.
//!
//! What go knows and does not say: the edges that raised a module, a way from the main module to each, the version that it
//! would have without them, and what has to go before the module does.

mod revision;

use std::fmt::Write;

use modkeep_resolver::explain::{Difference, Explanation, differences};
use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::Node;
use serde::Serialize;

use self::revision::Revision;
use crate::building::{BuildFlags, build_flags, rebuild};
use crate::flags::{Kind, Usage};
use crate::goenv::{GoEnv, paths};
use crate::gojson;
use crate::report::{self, Failure};
use crate::session::{Ground, ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "explain",
    line: "modkeep explain [-json] module...\n       modkeep explain [-json] -diff before after\n       \
           modkeep explain -rebuild [build flags] [packages]",
    flags: build_flags![("diff", Kind::Bool), ("rebuild", Kind::Bool)],
};

/// Ways that are shown of each kind in text; JSON has all.
const MOST_WAYS: usize = 8;

/// An explanation as JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    module: String,
    raised_by: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next_held_by: Vec<Vec<String>>,
    roots_that_lead_here: Vec<String>,
}

/// A change as JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    before: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    through: Vec<String>,
}

/// Explains.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let mut of_build = BuildFlags::default();
    let (mut is_json, mut is_diff, mut is_rebuild) = (false, false, false);
    let words = USAGE.parse(words, go.goflags(), |name, value| {
        match name {
            "json" => is_json = value == "true",
            "diff" => is_diff = value == "true",
            "rebuild" => is_rebuild = value == "true",
            "modcacherw" | "modfile" | "mod" | "overlay" => drop(flags.set(name, value)?),
            name => drop(of_build.set(&USAGE, go, name, value)?),
        }
        Ok(())
    })?;
    if is_rebuild {
        of_build.of_modules = flags;
        return rebuild::explain(go, of_build, &words);
    }
    // As `mod graph`, it only looks.
    let wanted = Wanted { verb: "mod graph", needs_root: !is_diff, flags, ..Wanted::default() };
    match (&words[..], is_diff) {
        ([before, after], true) => compare(go, &wanted, before, after, is_json),
        (_, true) => Err(USAGE.refuse("-diff wants two go.mod files, folders or commits")),
        ([], false) => Err(USAGE.refuse("no module is named")),
        (modules, false) => explain(go, &wanted, modules, is_json),
    }
}

fn explain(go: &GoEnv, wanted: &Wanted, modules: &[String], is_json: bool) -> Result<(), Failure> {
    let mut session = Session::start(go, wanted)?;
    let graph = session.answer(|world| world.module_graph(None))?;
    let mut texts = Vec::new();
    for module in modules {
        let path = session.world.nodes().find_path(module);
        let explanation = path.and_then(|path| session.world.explain(&graph, path));
        let Some(explanation) = explanation else {
            session.fail(&format!("module {module}: not a known dependency"));
            continue;
        };
        texts.push(match is_json {
            true => gojson::indented(&document(&explanation))?,
            false => readable(&explanation),
        });
    }
    report::out(&texts.join(if is_json { "" } else { "\n" }))?;
    session.exit_if_failed()
}

fn names(way: &[Node]) -> Vec<String> {
    way.iter().map(Node::to_string).collect()
}

fn document(explanation: &Explanation) -> Document {
    let ways = |ways: &[Vec<Node>]| ways.iter().map(|way| names(way)).collect();
    Document {
        module: explanation.selected.to_string(),
        raised_by: ways(&explanation.raised_by),
        next: explanation.next.as_ref().map(|lower| lower.version.to_string()),
        next_held_by: explanation.next.as_ref().map(|lower| ways(&lower.held_by)).unwrap_or_default(),
        roots_that_lead_here: names(&explanation.reached_from),
    }
}

fn readable(explanation: &Explanation) -> String {
    let mut text = format!("{}\n", explanation.selected);
    show_ways(&mut text, "required at this version by way of", &explanation.raised_by);
    match &explanation.next {
        Some(lower) => {
            let head = format!("without them {} would be selected, required by way of", lower.version);
            show_ways(&mut text, &head, &lower.held_by);
        }
        None => text.push_str("without them no version would be left\n"),
    }
    let roots = names(&explanation.reached_from);
    match roots.is_empty() {
        true => text.push_str("nothing leads here\n"),
        false => {
            writeln!(text, "to drop it, these have to go or to require less:\n\t{}", roots.join("\n\t"))
                .expect("a String takes all text");
        }
    }
    text
}

fn show_ways(text: &mut String, head: &str, ways: &[Vec<Node>]) {
    writeln!(text, "{head}").expect("a String takes all text");
    for way in ways.iter().take(MOST_WAYS) {
        writeln!(text, "\t{}", names(way).join(" → ")).expect("a String takes all text");
    }
    if ways.len() > MOST_WAYS {
        writeln!(text, "\tand {} more (-json has all)", ways.len() - MOST_WAYS)
            .expect("a String takes all text");
    }
}

/// The build list of a go.mod, named itself, by its folder, or by a commit of the module in which the program runs.
fn resolved<'a>(
    go: &'a GoEnv,
    wanted: &Wanted,
    place: &str,
) -> Result<(Session<'a>, std::sync::Arc<ModuleGraph>, Vec<Node>), Failure> {
    let path = go.absolute(place);
    let committed = match std::fs::metadata(&path) {
        Ok(_) => None,
        Err(_) => Some(Revision::take(go, place)?),
    };
    let is_folder = std::fs::metadata(&path).is_ok_and(|found| found.is_dir());
    let (root, go_mod) = match &committed {
        // Directories that replace modules are where they are today.
        Some(revision) => (go.module_root().unwrap_or_default(), revision.go_mod()),
        None => {
            let go_mod = if is_folder { paths::join(&path, "go.mod") } else { path };
            (paths::parent(&go_mod).unwrap_or("/").to_owned(), go_mod)
        }
    };
    let mut session = Session::start_on(go, wanted, Ground::Module { root, go_mod })?;
    let graph = session.answer(|world| world.module_graph(None))?;
    let mains = session.world.main.ids();
    let nodes = session.world.nodes();
    let list = graph.build_list(nodes).iter().filter(|node| !mains.contains(node));
    let list = list.map(|node| nodes.node(*node).clone()).collect();
    Ok((session, graph, list))
}

fn compare(go: &GoEnv, wanted: &Wanted, before: &str, after: &str, is_json: bool) -> Result<(), Failure> {
    go.lay_over(&wanted.flags.overlay)?;
    let (old, old_graph, old_list) = resolved(go, wanted, before)?;
    let (new, new_graph, new_list) = resolved(go, wanted, after)?;
    let mut text = String::new();
    for difference in differences(&old_list, &new_list) {
        let (verb, before, after) = match &difference {
            Difference::Added(node) => ("added", None, Some(node)),
            Difference::Removed(node) => ("removed", Some(node), None),
            Difference::Raised(old, new) => ("raised", Some(old), Some(new)),
            Difference::Lowered(old, new) => ("lowered", Some(old), Some(new)),
        };
        let through = match after {
            Some(node) => way_to(&new, &new_graph, node),
            None => before.map(|node| way_to(&old, &old_graph, node)).unwrap_or_default(),
        };
        let version = |node: Option<&Node>| node.map(|node| node.version.to_string()).unwrap_or_default();
        let path = after.or(before).map(|node| node.path.to_string()).unwrap_or_default();
        let (before, after) = (version(before), version(after));
        if is_json {
            text.push_str(&gojson::indented(&Change { path, before, after, through })?);
            continue;
        }
        let versions = [before, after].into_iter().filter(|version| !version.is_empty());
        let versions = versions.collect::<Vec<_>>().join(" => ");
        writeln!(text, "{verb} {path} {versions}\n\t{}", through.join(" → "))
            .expect("a String takes all text");
    }
    report::out(&text)
}

/// A shortest way to whoever requires exactly this version; one through another module, if there is one, says more
/// than that the main module requires what others made it require.
fn way_to(session: &Session<'_>, graph: &ModuleGraph, node: &Node) -> Vec<String> {
    let path = session.world.nodes().find_path(&node.path);
    let explanation = path.and_then(|path| session.world.explain(graph, path));
    let ways = explanation.map(|explanation| explanation.raised_by).unwrap_or_default();
    let way = ways.iter().find(|way| way.len() > 2).or(ways.first());
    way.map(|way| names(way)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use modkeep_resolver::explain::Lower;

    use super::*;

    #[test]
    fn an_explanation_reads_from_the_cause_to_the_way_out() {
        let way = |text: &str| -> Vec<Node> {
            let node = |part: &str| match part.split_once('@') {
                Some((path, version)) => Node::new(path, version),
                None => Node::new(part, ""),
            };
            text.split(' ').map(node).collect()
        };
        let explanation = Explanation {
            selected: Node::new("c", "v1.2.0"),
            raised_by: vec![way("m a@v1.0.0 c@v1.2.0")],
            next: Some(Lower { version: Node::new("c", "v1.1.0"), held_by: vec![way("m c@v1.1.0")] }),
            reached_from: way("a@v1.0.0 c@v1.1.0"),
        };
        assert_eq!(
            readable(&explanation),
            "c@v1.2.0\nrequired at this version by way of\n\tm → a@v1.0.0 → c@v1.2.0\nwithout them c@v1.1.0 would be selected, required by way of\n\tm → c@v1.1.0\nto drop it, these have to go or to require less:\n\ta@v1.0.0\n\tc@v1.1.0\n"
        );
    }
}
