//! How long does a module graph take, from bytes in memory to the build list?
//!
//! 2 000 modules of 8 versions each; every version requires about 25 others. In the unpruned graph all that is reachable
//! is read, in the pruned one what the main module lists. `cargo bench -p modkeep-benches --bench graph`.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use modkeep_module::GoMod;
use modkeep_resolver::error::Halt;
use modkeep_resolver::known::Need;
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::requirements::Load;
use modkeep_resolver::world::{LocalGo, Mode, World};

const MODULES: u64 = 2_000;
const VERSIONS: u64 = 8;
const REQUIREMENTS: u64 = 25;

fn path(module: u64) -> String {
    format!("example.org/team{:02}/mod{module:04}", module % 37)
}

/// Numbers that look random and are the same on every run.
fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// The go.mod files of a registry, by `path@version`.
fn registry(go: &str) -> HashMap<String, String> {
    let mut files = HashMap::new();
    for module in 0..MODULES {
        for version in 0..VERSIONS {
            let mut text = format!("module {}\n\ngo {go}\n\nrequire (\n", path(module));
            for requirement in 0..REQUIREMENTS {
                let dice = mix(module * VERSIONS + version, requirement);
                let (other, below) = (path(dice % MODULES), (dice >> 20) % (version + 1));
                text.push_str(&format!("\t{other} v1.{below}.0\n"));
            }
            text.push_str(")\n");
            files.insert(format!("{}@v1.{version}.0", path(module)), text);
        }
    }
    files
}

fn main_module(go: &str) -> String {
    let mut text = format!("module example.org/main\n\ngo {go}\n\nrequire (\n");
    for module in 0..MODULES / 4 {
        text.push_str(&format!("\t{} v1.{}.0\n", path(module), VERSIONS - 1));
    }
    text + ")\n"
}

/// The length of the build list.
fn resolve(main: &str, registry: &HashMap<String, String>) -> usize {
    let file = GoMod::parse("go.mod", main.as_bytes()).expect("a go.mod");
    let main = MainModule { file, was_fixed: false, directory: "/m".to_owned(), shown: ".".to_owned() };
    let local = LocalGo { version: "1.27.3".to_owned(), explain: String::new() };
    let mut world = World::new(vec![main], None, Mode::Mod, local).expect("one main module");
    loop {
        let expanded = world.attempt(|world| {
            let requirements = world.load(&Load::default())?;
            world.expand(&requirements)
        });
        match expanded {
            Ok(expanded) => return expanded.graph.build_list(world.nodes()).len(),
            Err(Halt::Error(error)) => panic!("{error}"),
            Err(Halt::Need(needs)) => {
                for need in needs {
                    let Need::GoMod(node) = &need else {
                        panic!("a graph needs go.mod files only: {need:?}")
                    };
                    let text = &registry[&node.to_string()];
                    world.known.tell_go_mod(node, "go.mod", Ok(text.as_bytes()));
                }
            }
        }
    }
}

fn graph(criterion: &mut Criterion) {
    for (name, go) in [("unpruned", "1.13"), ("pruned", "1.24")] {
        let (registry, main) = (registry(go), main_module(go));
        let mut group = criterion.benchmark_group("graph");
        group.sample_size(10);
        group.bench_function(name, |bench| bench.iter(|| resolve(black_box(&main), &registry)));
        group.finish();
    }
}

criterion_group!(benches, graph);
criterion_main!(benches);
