//! Checksum databases: arithmetic, replies and notes against their definitions, golang.org/x/mod, and liars.

#![allow(clippy::unwrap_used, reason = "a world that a test can not build is a failure of the test")]

mod arithmetic;
mod attacks;
mod judged;
mod tampering;

use modkeep_harness::checksumdb::{Log, Reply};
use modkeep_module::sumdb::authenticate::Plan;
use modkeep_module::sumdb::tlog::Node;

const NAME: &str = "sum.corp.example/go";

fn module(id: u64) -> String {
    format!("example.com/m{id}")
}

/// The honest reply to a lookup of a record by its number.
fn lookup(log: &Log, id: u64) -> Vec<u8> {
    match log.answer(&format!("lookup/{}@v1.0.0", module(id))) {
        Reply::Content(reply) => reply,
        other => panic!("record {id} of {}: {other:?}", log.size()),
    }
}

/// The plan to prove nodes of the whole log.
fn plan(log: &Log, nodes: &[Node]) -> Plan {
    let mut plan = Plan::new(log.tree_at(log.size()));
    for &node in nodes {
        plan.prove(node).unwrap();
    }
    plan
}
