//! A registry of a few modules, and the caller's part over it.

use modkeep_module::GoMod;
use modkeep_resolver::error::{Error, Halt};
use modkeep_resolver::known::{Folder, Need};
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::world::{LocalGo, Mode, World};

/// Modules, what their go.mod files say after the module line, and the directories in which they have packages.
pub(crate) type Registry = &'static [(&'static str, &'static str, &'static [&'static str])];

/// The world of a main module with that go.mod.
pub(crate) fn world(main: &str) -> World {
    let file = GoMod::parse("go.mod", main.as_bytes()).expect("a go.mod");
    let main = MainModule { file, was_fixed: false, directory: "/m".to_owned(), shown: ".".to_owned() };
    let local = LocalGo { version: "1.27.3".to_owned(), explain: String::new() };
    World::new(vec![main], None, Mode::Mod, local).expect("one main module")
}

/// Answers needs until there is an answer. Needs that were met stand in `met`.
pub(crate) fn resolve<T>(
    world: &mut World,
    registry: Registry,
    met: &mut Vec<Need>,
    mut ask: impl FnMut(&mut World) -> Result<T, Halt>,
) -> Result<T, Box<Error>> {
    loop {
        match world.attempt(&mut ask) {
            Ok(answer) => return Ok(answer),
            Err(Halt::Error(error)) => return Err(error),
            Err(Halt::Need(needs)) => {
                needs.iter().for_each(|need| tell(world, registry, need));
                met.extend(needs);
            }
        }
    }
}

fn tell(world: &mut World, registry: Registry, need: &Need) {
    let find = |name: String| registry.iter().find(|(module, ..)| *module == name);
    match need {
        Need::GoMod(node) => {
            let (_, rest, _) = find(node.to_string()).expect("the registry has it");
            let text = format!("module {}\n{rest}", node.path);
            world.known.tell_go_mod(node, "go.mod", Ok(text.as_bytes()));
        }
        Need::Folder { module, directory } => {
            let directories = find(module.to_string()).map_or(&[][..], |(_, _, directories)| directories);
            let has_go_files = directories.contains(&directory.as_str());
            let shown = format!("/cache/{module}/{directory}");
            world.known.tell_folder(
                module,
                directory,
                Ok(Folder { has_go_files, shown, ..Folder::default() }),
            );
        }
        other => panic!("not asked for in small registries: {other:?}"),
    }
}
