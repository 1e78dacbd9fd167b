//! The graph of what was done, in the form that tools for go's own graph read (`-debug-actiongraph`).
//!
//! Go splits what is one node here into several actions: a package is looked up, covered, run through cgo and compiled. They
//! are told as go would have them, with the time of the whole at the last of them. What isn't told: `CmdUser` and `CmdSys`,
//! and when tests were run, for that comes after the graph is written.
//! Source: `cmd/go/internal/work:action.go` (`actionGraphJSON`, `CompileAction`), `cmd/go/internal/test/test.go`.

mod tests_run;

use std::collections::HashMap;
use std::io::Write;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use crate::link;
use crate::package::Package;
use crate::plan::{Node, NodeId, Plan, Work};

/// What is noted for the graph while a plan is carried out.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The time that each node took.
    spans: Mutex<HashMap<NodeId, (Timestamp, Timestamp)>>,
    /// By package and what is done for it.
    commands: Mutex<HashMap<(String, Part), Commands>>,
}

/// Commands, and the nanoseconds that they took together.
type Commands = (Vec<String>, u64);

/// Which of go's actions a command belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Build,
    Cover,
    Cgo,
    Link,
    Vet,
}

/// What came of a node.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) action: String,
    pub(crate) build_id: String,
    pub(crate) file: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    #[serde(rename = "ID")]
    id: usize,
    mode: String,
    package: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignore_fail: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    objdir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    #[serde(skip_serializing_if = "is_zero")]
    priority: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    built: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    vetx_only: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    need_build: bool,
    #[serde(rename = "ActionID", skip_serializing_if = "String::is_empty")]
    action_id: String,
    #[serde(rename = "BuildID", skip_serializing_if = "String::is_empty")]
    build_id: String,
    time_ready: String,
    time_start: String,
    time_done: String,
    cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_zero")]
    cmd_real: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// When something was done that was not.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Notes {
    pub(crate) fn ran(&self, node: NodeId, begun: Timestamp) {
        self.spans.lock().insert(node, (begun, Timestamp::now()));
    }

    pub(crate) fn command(&self, package: &str, program: &str, line: String, nanoseconds: u64) {
        let part = match program.rsplit('/').next() {
            Some("link") => Part::Link,
            Some("cover") => Part::Cover,
            Some("cgo") => Part::Cgo,
            Some("vet") => Part::Vet,
            _ => Part::Build,
        };
        let mut commands = self.commands.lock();
        let (lines, total) = commands.entry((package.to_owned(), part)).or_default();
        lines.push(line);
        *total += nanoseconds;
    }

    /// Writes the graph of a plan that was carried out.
    pub(crate) fn write(
        &self,
        file: &str,
        plan: &Plan<'_>,
        verb: &str,
        made: &dyn Fn(NodeId) -> Made,
    ) -> std::io::Result<()> {
        let mut actions: Vec<Action> =
            (0..plan.nodes.len()).map(|node| self.action(plan, verb, node, made(node))).collect();
        for node in 0..plan.nodes.len() {
            self.split(plan, node, &mut actions);
        }
        let root = match plan.asked() {
            _ if !plan.tests.is_empty() => tests_run::add(&mut actions, &plan.tests),
            [only] if verb == "build" && matches!(plan.nodes[*only].work, Work::Install { .. }) => *only,
            wanted => {
                let deps = wanted.to_vec();
                actions.push(Action { mode: format!("go {verb}"), deps, ..Action::default() });
                actions.len() - 1
            }
        };
        let list = numbered(actions, root);
        let mut text = Vec::new();
        let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        list.serialize(&mut serde_json::Serializer::with_formatter(&mut text, tabs))?;
        std::fs::File::create(file)?.write_all(&text)
    }

    /// The action that a node ends with, with numbers of nodes for what it needs.
    fn action(&self, plan: &Plan<'_>, verb: &str, id: NodeId, made: Made) -> Action {
        let node = &plan.nodes[id];
        let package = plan.package_of(node);
        let description = package.map(Package::description).unwrap_or_default();
        let of_link = |need: &NodeId| matches!(plan.nodes[*need].work, Work::Link { .. });
        let (mode, target, part) = match &node.work {
            Work::BuiltIn => ("built-in package", String::new(), None),
            Work::Compile { .. } | Work::Sources => ("build", String::new(), Some(Part::Build)),
            Work::Link { name, .. } => {
                let folder = package.map(|package| link::folder_of(package, &node.folder));
                ("link", folder.unwrap_or_default() + name, Some(Part::Link))
            }
            Work::Install { target } if verb == "test" => ("test build", target.clone(), None),
            Work::Install { target } if node.needs.iter().any(of_link) => {
                ("link-install", target.clone(), None)
            }
            Work::Install { target } => ("build-install", target.clone(), None),
            Work::Vet { .. } => ("vet", String::new(), Some(Part::Vet)),
            Work::Profile { .. } => {
                ("preprocess PGO profile", format!("{}pgo.preprofile", node.folder), None)
            }
        };
        let noted = part.and_then(|part| self.commands.lock().get(&(description, part)).cloned());
        let (cmd, cmd_real) = noted.map_or((None, 0), |(lines, time)| (Some(lines), time));
        let spans = self.spans.lock();
        let told = |time: Option<Timestamp>| time.map_or(NEVER.to_owned(), |time| time.to_string());
        let span = spans.get(&id);
        let before = node.needs.iter().chain(&node.after).filter_map(|need| Some(spans.get(need)?.1));
        let ready = before.max().or(span.map(|(begun, _)| *begun));
        Action {
            mode: mode.to_owned(),
            package: package.map(|package| package.import_path.clone()).unwrap_or_default(),
            deps: node.needs.clone(),
            objdir: node.folder.clone(),
            target,
            built: made.file,
            ignore_fail: matches!(node.work, Work::Vet { .. }),
            vetx_only: node.work == Work::Vet { is_asked: false },
            need_build: matches!(node.work, Work::BuiltIn | Work::Compile { is_wanted: true, .. }),
            action_id: made.action,
            build_id: made.build_id,
            time_ready: told(ready.filter(|_| span.is_some())),
            time_start: told(span.map(|(begun, _)| *begun)),
            time_done: told(span.map(|(_, done)| *done)),
            cmd,
            cmd_real,
            ..Action::default()
        }
    }

    /// Adds the actions that go has before the compiler runs.
    fn split(&self, plan: &Plan<'_>, id: NodeId, actions: &mut Vec<Action>) {
        let node = &plan.nodes[id];
        let (Work::Compile { program, .. }, Some(package)) = (&node.work, plan.package_of(node)) else {
            return;
        };
        let is_profile = |need: &NodeId| matches!(plan.nodes[*need].work, Work::Profile { .. });
        let mut before = node.needs.clone();
        before.extend(node.after.iter().copied().filter(is_profile));
        let add = |actions: &mut Vec<Action>, mode: &str, deps: Vec<usize>, part: Option<Part>| {
            let key = part.map(|part| (package.description(), part));
            let noted = key.and_then(|key| self.commands.lock().get(&key).cloned());
            let (cmd, cmd_real) = noted.map_or((None, 0), |(lines, time)| (Some(lines), time));
            let never = || NEVER.to_owned();
            let (time_ready, time_start, time_done) = (never(), never(), never());
            let (mode, objdir) = (mode.to_owned(), node.folder.clone());
            let package = package.import_path.clone();
            let times = Action { time_ready, time_start, time_done, ..Action::default() };
            actions.push(Action { mode, package, deps, objdir, cmd, cmd_real, ..times });
            actions.len() - 1
        };
        let look = add(actions, "build check cache", before.clone(), None);
        before.push(look);
        let cover = package.cover.as_ref().map(|_| add(actions, "cover", vec![look], Some(Part::Cover)));
        before.extend(cover);
        if package.uses_cgo() || package.uses_swig() {
            let deps = [look].into_iter().chain(cover).collect();
            let run = add(actions, "cgo run", deps, Some(Part::Cgo));
            let files = c_sources(package, node, cover.is_some());
            let compiled: Vec<usize> =
                files.map(|file| add(actions, &format!("cgo compile {file}"), vec![run], None)).collect();
            let all = add(actions, "collect cgo", compiled, None);
            actions[all].package.clear();
            before.push(all);
        }
        let linked: &[NodeId] =
            program.map_or(&[], |link| plan.nodes[link].needs.get(1..).unwrap_or_default());
        before.extend(node.after.iter().copied().filter(|need| !is_profile(need) && !linked.contains(need)));
        if program.is_some() {
            let all = add(actions, "nop", linked.to_vec(), None);
            actions[all].package.clear();
            actions[all].objdir.clear();
            before.push(all);
        }
        actions[id].deps = before;
    }
}

/// What the C compiler is given (`cgoAction`).
fn c_sources<'p>(
    package: &'p Package,
    node: &'p Node,
    is_covered: bool,
) -> impl Iterator<Item = String> + 'p {
    let ending = if is_covered { ".cover.cgo2.c" } else { ".cgo2.c" };
    let stem = |file: &String| file.strip_suffix(".go").unwrap_or(file).to_owned();
    let of_cgo = package.cgo_files.iter().map(move |file| format!("{}{}{ending}", node.folder, stem(file)));
    let is_runtime = package.standard && package.import_path == "runtime/cgo";
    let assembly = package.s_files.iter().filter(move |file| !is_runtime || file.starts_with("gcc_"));
    let others =
        [&package.c_files, &package.m_files, &package.cxx_files, &package.f_files].into_iter().flatten();
    std::iter::once(format!("{}_cgo_export.c", node.folder))
        .chain(of_cgo)
        .chain(assembly.chain(others).cloned())
}

/// What leads to the root, numbered breadth first, with go's order of going to work as priority.
fn numbered(mut actions: Vec<Action>, root: usize) -> Vec<Action> {
    let mut order = vec![root];
    let mut number = HashMap::from([(root, 0)]);
    let mut next = 0;
    while let Some(&action) = order.get(next) {
        next += 1;
        for &need in &actions[action].deps {
            let count = order.len();
            number.entry(need).or_insert_with(|| {
                order.push(need);
                count
            });
        }
    }
    let mut priority = 0;
    let mut is_seen = vec![false; actions.len()];
    let mut path = vec![(root, 0)];
    is_seen[root] = true;
    while let Some((action, next)) = path.last_mut() {
        let action = *action;
        match actions[action].deps.get(*next).copied() {
            Some(need) => {
                *next += 1;
                if !std::mem::replace(&mut is_seen[need], true) {
                    path.push((need, 0));
                }
            }
            None => {
                actions[action].priority = priority;
                priority += 1;
                path.pop();
            }
        }
    }
    let take = |(id, action): (usize, usize)| {
        let taken = std::mem::take(&mut actions[action]);
        let deps = taken.deps.iter().map(|need| number[need]).collect();
        let time = |time: String| if time.is_empty() { NEVER.to_owned() } else { time };
        Action {
            id,
            deps,
            time_ready: time(taken.time_ready),
            time_start: time(taken.time_start),
            time_done: time(taken.time_done),
            ..taken
        }
    };
    order.into_iter().enumerate().map(take).collect()
}
