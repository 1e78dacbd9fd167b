//! Why a module is at its version.

use modkeep_resolver::explain::Explanation;
use modkeep_resolver::node::Node;

use crate::registry::{Registry, resolve, world};

const REGISTRY: Registry = &[
    ("ex.com/a@v1.0.0", "require ex.com/c v1.1.0\n", &[]),
    ("ex.com/b@v1.0.0", "require ex.com/d v1.0.0\n", &[]),
    ("ex.com/d@v1.0.0", "require ex.com/c v1.2.0\n", &[]),
    ("ex.com/c@v1.1.0", "", &[]),
    ("ex.com/c@v1.2.0", "", &[]),
];

fn explain(main: &str, path: &str) -> Option<Explanation> {
    let mut world = world(main);
    let graph = resolve(&mut world, REGISTRY, &mut Vec::new(), |world| world.module_graph(None));
    let path = world.path(path);
    world.explain(&graph.expect("the registry has all"), path)
}

fn ways(ways: &[Vec<Node>]) -> Vec<String> {
    let way = |way: &Vec<Node>| way.iter().map(Node::to_string).collect::<Vec<_>>().join(" ");
    ways.iter().map(way).collect()
}

#[test]
fn a_version_is_explained_by_who_raised_it_and_by_who_holds_the_next() {
    let main = "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\nrequire ex.com/b v1.0.0\n";
    let explanation = explain(main, "ex.com/c").expect("the module is there");
    assert_eq!(explanation.selected.to_string(), "ex.com/c@v1.2.0");
    assert_eq!(ways(&explanation.raised_by), ["ex.com/m ex.com/b@v1.0.0 ex.com/d@v1.0.0 ex.com/c@v1.2.0"]);
    let next = explanation.next.expect("something else requires it too");
    assert_eq!(next.version.to_string(), "ex.com/c@v1.1.0");
    assert_eq!(ways(&next.held_by), ["ex.com/m ex.com/a@v1.0.0 ex.com/c@v1.1.0"]);
    let roots: Vec<_> = explanation.reached_from.iter().map(Node::to_string).collect();
    assert_eq!(roots, ["ex.com/a@v1.0.0", "ex.com/b@v1.0.0"]);
}

#[test]
fn what_only_one_root_brings_has_no_next_version() {
    let main = "module ex.com/m\ngo 1.16\nrequire ex.com/b v1.0.0\n";
    let explanation = explain(main, "ex.com/d").expect("the module is there");
    assert_eq!(explanation.next, None);
    assert_eq!(explanation.reached_from.len(), 1);
    assert_eq!(explain(main, "ex.com/a"), None);
}
