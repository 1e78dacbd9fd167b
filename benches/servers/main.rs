//! What does a warm request cost the server, beside nginx and Go's own file server?
//!
//! `cargo bench -p modkeep-benches --bench servers` prints, for small files, middle and big zips, the CPU time of the
//! server process a request and its ratio to nginx, medians over interleaved rounds. Every server runs on one core and
//! the clients on another. CPU time and not requests a second: machines are shared, and it is what a server costs.
//!
//! nginx (with sendfile) and go are used where they are; without nginx the ratio is to Go's server.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::disallowed_methods, reason = "it reads PATH, and loses nothing that it writes")]

mod contender;
mod load;
mod tree;

use std::collections::BTreeMap;

use contender::Contender;
use tree::{Set, Tree};

/// Rounds of every pair of server and set.
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, tree, address] = &arguments[..]
        && verb == "serve"
    {
        return contender::serve(tree, address);
    }
    let tree = Tree::make();
    let contenders = Contender::start_all(&tree);
    for contender in &contenders {
        contender.check(&tree);
    }
    for set in Set::ALL {
        let mut costs: BTreeMap<usize, Vec<load::Cost>> = BTreeMap::new();
        for round in 0..ROUNDS {
            for step in 0..contenders.len() {
                let index = (round + step) % contenders.len();
                costs.entry(index).or_default().push(load::round(&contenders[index], tree.paths(set)));
            }
        }
        report(set, &contenders, &costs);
    }
}

fn report(set: Set, contenders: &[Contender], costs: &BTreeMap<usize, Vec<load::Cost>>) {
    println!("{set}: {} connections, {ROUNDS} rounds", load::CONNECTIONS);
    println!("{:<10} {:>12} {:>10} {:>12} {:>10}", "server", "cpu us/req", "ratio", "req/s", "RSS MiB");
    for (index, contender) in contenders.iter().enumerate() {
        let ratios = costs[&index].iter().zip(&costs[&0]).map(|(own, first)| own.micros / first.micros);
        let micros = median(costs[&index].iter().map(|cost| cost.micros));
        let rate = median(costs[&index].iter().map(|cost| cost.rate));
        println!(
            "{:<10} {micros:>12.1} {:>10.2} {rate:>12.0} {:>10.0}",
            contender.name,
            median(ratios),
            contender.resident_mib()
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
