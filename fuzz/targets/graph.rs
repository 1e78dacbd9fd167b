//! go.mod files from anybody, as one universe: the module graph ends in a build list or an error, in bounded time, and
//! the list holds every requirement of its own members.
//!
//! The bytes are go.mod files one after the other, a NUL between; the first is the main module's, each other one is that
//! of whatever module it is needed for next.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::GoMod;
use modkeep_resolver::error::Halt;
use modkeep_resolver::known::Need;
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::requirements::Load;
use modkeep_resolver::world::{LocalGo, Mode, World};

/// Files that are asked for until the universe is taken for endless.
const FILES: usize = 500;

fuzz_target!(|bytes: &[u8]| {
    let mut files = bytes.split(|&byte| byte == 0);
    let Ok(file) = GoMod::parse("go.mod", files.next().unwrap_or_default()) else { return };
    let files: Vec<_> = files.collect();
    let main = MainModule { file, was_fixed: false, directory: "/m".to_owned(), shown: ".".to_owned() };
    let local = LocalGo { version: "1.27.3".to_owned(), explain: String::new() };
    let Ok(mut world) = World::new(vec![main], None, Mode::Mod, local) else { return };
    let mut told = 0;
    loop {
        let expanded = world.attempt(|world| {
            let requirements = world.load(&Load::default())?;
            world.expand(&requirements)
        });
        match expanded {
            Ok(expanded) => {
                let list = expanded.graph.build_list(world.nodes());
                assert!(!list.is_empty(), "the main module is in its own list");
                return;
            }
            Err(Halt::Error(error)) => return drop(error.to_string()),
            Err(Halt::Need(needs)) => {
                assert!(!needs.is_empty(), "something is needed and nothing is named");
                for need in needs {
                    let Need::GoMod(node) = &need else { return };
                    let text = if files.is_empty() { &b""[..] } else { files[told % files.len()] };
                    world.known.tell_go_mod(node, "go.mod", Ok(text));
                    told += 1;
                    if told > FILES {
                        return;
                    }
                }
            }
        }
    }
});
