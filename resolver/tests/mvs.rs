//! Minimal version selection judged by the table in Go's own `mvs_test.go`, read from its source at run time.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use modkeep_conformance::go::Go;
use modkeep_resolver::mvs::{self, BuildListError, DowngradeSource, Order, Source, Stop, UpgradeSource};
use modkeep_resolver::node::{NodeId, Nodes, PathId};

/// Modules are single letters, versions any text in its byte order.
#[derive(Clone, Default)]
struct World {
    nodes: Nodes,
    required: HashMap<NodeId, Arc<[NodeId]>>,
}

impl World {
    fn node(&mut self, text: &str) -> NodeId {
        self.nodes.id(&text[..1], &text[1..])
    }

    fn list(&mut self, text: &str) -> Vec<NodeId> {
        text.split_whitespace().map(|node| self.node(node)).collect()
    }

    fn visible(&self, path: PathId) -> Vec<NodeId> {
        let known = self.required.keys().copied();
        known.filter(|node| node.path() == path && !self.nodes.version(*node).ends_with(".hidden")).collect()
    }
}

fn as_text(nodes: &Nodes, a: NodeId, b: NodeId) -> Ordering {
    let rank = |node| match nodes.version(node) {
        "none" => (0, ""),
        "" => (2, ""),
        version => (1, version),
    };
    rank(a).cmp(&rank(b))
}

impl Source for World {
    type Error = String;

    fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    fn required(&mut self, node: NodeId) -> Result<Arc<[NodeId]>, Stop<String>> {
        let missing = || Stop::Failed(format!("missing module: {}", self.nodes.node(node)));
        self.required.get(&node).cloned().ok_or_else(missing)
    }

    fn order(&self) -> Order {
        as_text
    }
}

impl UpgradeSource for World {
    fn upgrade(&mut self, node: NodeId) -> Result<NodeId, Stop<String>> {
        let highest = self.visible(node.path()).into_iter().max_by(|a, b| as_text(&self.nodes, *a, *b));
        highest.ok_or_else(|| Stop::Failed(format!("missing module: {}", self.nodes.path(node.path()))))
    }

    fn absent(&mut self, path: PathId) -> NodeId {
        self.nodes.at(path, "none")
    }
}

impl DowngradeSource for World {
    fn previous(&mut self, node: NodeId) -> Result<NodeId, Stop<String>> {
        let version = |node: &NodeId| self.nodes.version(*node).to_owned();
        let mut below = self.visible(node.path());
        below.retain(|other| !version(other).is_empty() && version(other) < version(&node));
        let highest = below.into_iter().max_by_key(version);
        Ok(highest.unwrap_or_else(|| self.absent(node.path())))
    }
}

fn answer(world: &mut World, question: &[&str]) -> Result<Vec<NodeId>, Stop<BuildListError<String>>> {
    let target = world.node(question[1]);
    let others = world.list(&question[2..].join(" "));
    match question[0] {
        "build" => mvs::build_list(world, &[target]),
        "upgrade*" => mvs::upgrade_all(world, target),
        "upgrade" => mvs::upgrade(world, target, &others),
        "upgradereq" => {
            let list = mvs::upgrade(world, target, &others)?;
            let mut upgraded = world.clone();
            upgraded.required.insert(target, list.into());
            mvs::minimal_requirements(&mut upgraded, target, &[])
        }
        // Go's test hands the target itself over as well.
        "downgrade" => mvs::downgrade(world, target, &[&[target][..], &others].concat()),
        "req" => {
            let base: Vec<_> = others.iter().map(|node| node.path()).collect();
            mvs::minimal_requirements(world, target, &base)
        }
        other => panic!("unknown question `{other}`"),
    }
}

#[test]
fn every_row_of_gos_table_has_gos_answer() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return eprintln!("SKIPPED every_row_of_gos_table_has_gos_answer: {missing}"),
    };
    let source = std::fs::read_to_string(go.root().join("src/cmd/go/internal/mvs/mvs_test.go")).unwrap();
    let table = source.split('`').nth(1).expect("the table is the first raw string");
    let (mut name, mut world, mut questions) = (String::new(), World::default(), Vec::new());
    let mut answered = 0;
    let mut lines: Vec<&str> = table.lines().map(str::trim).collect();
    lines.push("name: end");
    for line in lines {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once(':').expect("every line has a colon");
        let words: Vec<&str> = key.split_whitespace().collect();
        match words[..] {
            ["name"] => {
                for (question, want) in std::mem::take(&mut questions) {
                    let question: Vec<&str> = question;
                    let list = answer(&mut world, &question);
                    let want = world.list(want);
                    let list = list.unwrap_or_else(|stop| panic!("{name}: {question:?}: {stop:?}"));
                    assert_eq!(world.nodes.texts(&list), world.nodes.texts(&want), "{name}: {question:?}");
                    answered += 1;
                }
                (name, world) = (value.trim().to_owned(), World::default());
            }
            [module] => {
                let required = world.list(value);
                for node in &required {
                    world.required.entry(*node).or_default();
                }
                let module = world.node(module);
                world.required.insert(module, required.into());
            }
            _ => questions.push((words, value)),
        }
    }
    println!("{answered} questions answered as Go does");
    assert!(answered > 50, "only {answered} questions were found in the table");
}
