//! A wrong archive in the private tier, under a right key: one that isn't what it says is never used, and one that says so
//! consistently is found by verifying.

use std::fs;
use std::path::{Path, PathBuf};

use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::tree;
use modkeep_store::Digest;

use super::{PROGRAM, World, copy, write};

/// The package whose import changes, so that its old archive serves again, and that import.
const USER: &str = "p1";
const IMPORT: &str = "p0";

pub(super) fn check(world: &World) {
    // What the tier holds of the package: a key, and the archive that it names.
    copy(&world.path("std"), &world.path("planted"));
    world.check(world.our_build("planted", "ours"), "ours");
    let right = Archive::of(world, "planted");
    let entry = right.entry(&world.path("planted/modkeep-results"));

    // Somebody's archive of other sources, with an ID that is its own.
    edit(world, USER, "return 1", "return 1001");
    copy(&world.path("std"), &world.path("strange"));
    assert!(world.our_build("strange", "strange").output().unwrap().status.success());
    let consistent = Archive::of(world, "strange");
    edit(world, USER, "return 1001", "return 1");
    let mut bytes = right.bytes.clone();
    *bytes.last_mut().unwrap() ^= 1;
    let damaged = Archive { bytes, ..right.clone() };

    // A body changes that importers don't read: their archives serve again, with another ID.
    edit(world, IMPORT, "return 0", "return 5");
    copy(&world.path("std"), &world.path("edited"));
    let expected = world.go_build("edited", "expected").output().unwrap();
    assert!(expected.status.success());
    let expected = world.read("expected");
    assert!(expected != world.program);
    let run = |cache: &str, words: &[&str]| {
        let mut command = world.placed(Modkeep::command(Path::new(PROGRAM), world.folder.path()), cache);
        command.args(["build", "-x", "-trimpath", "-buildvcs=false"]).args(words);
        let output = Modkeep::output(command);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let built = world.path("built");
    let build = |cache: &str| run(cache, &["-o", built.to_str().unwrap(), "."]);
    // Of the package alone: with a program all of the standard library is made again.
    let verify = |cache: &str| run(cache, &["-cache-verify=100%", &format!("./{USER}")]);
    let is_compiled = |script: &str| {
        script.lines().any(|line| line.contains("/compile") && line.contains("-p example.com/m/p1 "))
    };
    let attempt = |name: &str, planted: Option<&Archive>| {
        copy(&world.path("planted"), &world.path(name));
        if let Some(planted) = planted {
            planted.plant(&world.path(name), &entry);
        }
        name.to_owned()
    };

    let (succeeded, script) = build(&attempt("right", None));
    assert!(succeeded && !is_compiled(&script), "the archive serves again:\n{script}");
    assert!(world.read("built") == expected);

    let (succeeded, script) = build(&attempt("damaged", Some(&damaged)));
    assert!(succeeded && is_compiled(&script), "what isn't what it says is passed over:\n{script}");
    assert!(world.read("built") == expected);

    let cache = attempt("consistent", Some(&consistent));
    let (succeeded, said) = verify(&cache);
    assert!(!succeeded && said.contains("modkeep: example.com/m/p1: a cache had "), "{said}");
    assert!(said.contains("it is put right here"), "{said}");
    let (succeeded, said) = build(&cache);
    assert!(succeeded && world.read("built") == expected, "and then it is right: {said}");
    let (succeeded, said) = verify(&cache);
    assert!(succeeded, "{said}");
    edit(world, IMPORT, "return 5", "return 0");
}

fn edit(world: &World, package: &str, old: &str, new: &str) {
    let path = world.path("src").join(package).join("p.go");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    write(&path, &text.replace(old, new));
}

/// The archive of the package in a cache.
#[derive(Clone)]
struct Archive {
    id: String,
    bytes: Vec<u8>,
}

impl Archive {
    fn of(world: &World, cache: &str) -> Self {
        let list = |format: &str| {
            let mut command = world.placed(world.go.command(), cache);
            let package = format!("./{USER}");
            command.args(["list", "-trimpath", "-buildvcs=false", "-export", "-f", format, &package]);
            String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
        };
        Self { id: list("{{.BuildID}}"), bytes: fs::read(list("{{.Export}}")).unwrap() }
    }

    fn text(&self) -> String {
        format!("{} {}\n", self.id, Digest::of(&self.bytes))
    }

    /// The entry of the tier that leads to it.
    fn entry(&self, tier: &Path) -> PathBuf {
        let named = Digest::of(self.text().as_bytes()).to_string();
        let mut entries = tree::files(tier).into_iter().filter(|file| {
            file.to_string_lossy().ends_with("-a") && fs::read_to_string(file).unwrap().contains(&named)
        });
        let entry = entries.next().expect("the tier has the package");
        entry.strip_prefix(tier).unwrap().to_owned()
    }

    /// Has the entry lead to this one.
    fn plant(&self, cache: &Path, entry: &Path) {
        let place = |folder: &Path, digest: &str| folder.join(&digest[..2]).join(format!("{digest}-d"));
        let tier = cache.join("modkeep-results");
        let (text, digest) = (self.text(), Digest::of(&self.bytes).to_string());
        let named = Digest::of(text.as_bytes()).to_string();
        put(&place(cache, &digest), &self.bytes);
        put(&place(&tier, &named), text.as_bytes());
        let line = fs::read_to_string(tier.join(entry)).unwrap();
        let old = line.split(' ').nth(2).unwrap().to_owned();
        put(&tier.join(entry), line.replace(&old, &named).as_bytes());
    }
}

#[allow(clippy::disallowed_methods, reason = "files of the test")]
fn put(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
