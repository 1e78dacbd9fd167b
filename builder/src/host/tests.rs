use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::execute::Machine;
use crate::gocache::GoCache;
use crate::load::Scans;
use crate::memory::Memory;
use crate::package::Graph;
use crate::release::Release;
use crate::shop::Flags;
use crate::target::Target;
use crate::toolchain::Toolchain;
use crate::transcript::Transcript;

/// Answers as a compiler does whose folders lie beside it; one of headers is only searched once it is there.
const COMPILER: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1" in
-print-search-dirs)
	[ -e "$here/cc.cfg" ] && echo "Configuration file: $here/cc.cfg"
	echo "install: $here/"
	echo "programs: =$here/programs/:$here/later/"
	echo "libraries: =$here/libraries/:$here/more/"
	;;
*)
	echo '#include "..." search starts here:'
	echo '#include <...> search starts here:'
	for folder in local headers; do
		[ -d "$here/$folder" ] && echo " $here/$folder"
	done
	echo 'End of search list.'
	;;
esac
"#;

/// A compiler with its folders, and a cache.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        // Written by another process: no child of a test beside this one can hold it open when it is run.
        let script = r#"cat >"$0" && chmod 755 "$0""#;
        let mut writer = Command::new("sh");
        writer.args(["-c", script]).arg(world.path("cc")).stdin(Stdio::piped());
        let mut writer = writer.spawn().unwrap();
        writer.stdin.take().unwrap().write_all(COMPILER.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        world.write("programs/ld", "linker");
        world
            .write("libraries/libc.so", "/* GNU ld script */ GROUP ( DIR/c.so AS_NEEDED ( DIR/loader.so ) )");
        world.write("loader.so", "loader");
        world.write("headers/stdio.h", "int puts();");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[allow(clippy::disallowed_methods, reason = "files of the test")]
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("DIR", self.0.path().to_str().unwrap())).unwrap();
    }

    /// The identity as another run finds it, with these variables.
    fn identity(&self, part: Part, variables: &[(&str, &str)]) -> Option<Digest> {
        find(&self.shop(variables), self.path("cc").to_str().unwrap(), part)
    }

    fn shop(&self, variables: &[(&str, &str)]) -> Shop {
        #[allow(clippy::disallowed_methods, reason = "times of files are those of the machine")]
        let in_a_minute = || SystemTime::now() + Duration::from_secs(60);
        let cache = GoCache::open(&self.path("cache")).unwrap().with_clock(in_a_minute);
        let scans = Arc::new(Scans::with(Memory::of(&cache, "tree")));
        let mut all = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        all.extend(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let machine = Machine::new(all, Release::Go1_27, "/tmp");
        let transcript = Transcript::new(Box::new(|_| ()), "/tmp", "/");
        Shop::new(cache, machine, transcript, "/tmp", "/", Flags::default()).with_scans(scans)
    }
}

#[test]
fn whatever_a_compiler_may_read_by_itself_is_in_the_identity() {
    let world = World::new();
    let (mut linking, mut compiling) = (Vec::new(), Vec::new());
    let mut check = |what: &str, is_linked: bool| {
        let [new_linking, new_compiling] = [Part::Linking, Part::Compiling].map(|part| {
            let identity = world.identity(part, &[]).unwrap();
            assert_eq!(world.identity(part, &[]), Some(identity), "{what}: asked again");
            identity
        });
        assert!(!compiling.contains(&new_compiling), "{what}: not seen");
        assert_eq!(linking.last() != Some(&new_linking), is_linked, "{what}: the linker's part");
        linking.push(new_linking);
        compiling.push(new_compiling);
    };
    check("the beginning", true);
    world.write("headers/stdio.h", "int PUTS();");
    check("a header of the same length", false);
    world.write("elsewhere/deep/x.h", "1");
    symlink(world.path("elsewhere"), world.path("headers/linked")).unwrap();
    check("a link to a folder", false);
    world.write("elsewhere/deep/x.h", "2");
    check("a header behind a link to a folder", false);
    symlink(world.path("headers"), world.path("headers/linked-back")).unwrap();
    world.write("headers/other.h", "");
    check("a new header, where a link leads back", false);
    world.write("local/stdio.h", "");
    check("a folder of headers that was not there", false);
    world.write("later/as", "assembler");
    check("a folder of programs that was not there", true);
    world.write("more/libpthread.so", "library");
    check("a folder of libraries that was not there", true);
    world.write("loader.so", "Loader");
    check("a file that a linker's script names", true);
    world.write("c.so", "library");
    check("a file that a linker's script named in vain", true);
}

#[test]
fn what_is_led_elsewhere_has_no_identity() {
    let world = World::new();
    assert!(world.identity(Part::Linking, &[]).is_some());
    for name in LEADING {
        assert_eq!(world.identity(Part::Linking, &[(name, "/x")]), None, "{name}");
        assert!(world.identity(Part::Linking, &[(name, "")]).is_some(), "{name}");
    }
    std::os::unix::net::UnixListener::bind(world.path("headers/socket")).unwrap();
    assert_eq!(world.identity(Part::Compiling, &[]), None, "no file and no folder");
    assert!(world.identity(Part::Linking, &[]).is_some());
}

#[test]
fn a_compiler_that_reads_a_configuration_has_no_identity() {
    let world = World::new();
    assert!(world.identity(Part::Linking, &[]).is_some());
    world.write("cc.cfg", "-Lelsewhere");
    for part in [Part::Linking, Part::Compiling] {
        assert_eq!(world.identity(part, &[]), None, "{part:?}");
    }
}

/// A build for a processor on a machine of amd64.
fn build_for(arch: &str) -> Build {
    let host = Target { os: "linux".to_owned(), arch: "amd64".to_owned() };
    let target = Target { arch: arch.to_owned(), ..host.clone() };
    let toolchain =
        Toolchain { root: "/go".to_owned(), version: "go1.27.3".to_owned(), release: Release::Go1_27, host };
    Build::new(toolchain, target, "/")
}

#[test]
fn another_processors_programs_have_no_identity() {
    let world = World::new();
    let compiler = world.path("cc");
    let graph = Graph::default();
    for (arch, is_there) in [("amd64", true), ("386", false), ("arm64", false)] {
        let shop = world.shop(&[("CC", compiler.to_str().unwrap())]);
        let build = build_for(arch);
        let identity = identity(&shop, &Goal::new(&build, &graph), Part::Compiling);
        assert_eq!(identity.is_some(), is_there, "{arch}");
    }
}

#[test]
fn a_folder_is_closed_for_one_target_and_open_for_another() {
    let world = World::new();
    world.write("package/a.go", "package a\n\nimport \"C\"\n");
    let shop = world.shop(&[]);
    let mut package = Package {
        dir: world.path("package").to_str().unwrap().to_owned(),
        cgo_files: vec!["a.go".to_owned()],
        ..Package::default()
    };
    let graph = Graph::default();
    let mut check = |arch: &str, flags: &[&str], expected: bool| {
        let build = build_for(arch);
        package.cgo_flags.linker = flags.iter().map(|&flag| flag.to_owned()).collect();
        assert_eq!(describes(&shop, &package, &Goal::new(&build, &graph)), expected, "{arch}");
    };
    check("amd64", &[], true);
    check("386", &["-lfoo"], false);
    check("arm64", &[], true);
}

#[test]
fn flags_that_may_lead_elsewhere_are_described_by_no_host() {
    let world = World::new();
    let shop = world.shop(&[]);
    let check = |variable: &str, expected: bool| {
        let mut build = build_for("amd64");
        build.c_variables.insert("CGO_CFLAGS".to_owned(), variable.to_owned());
        let graph = Graph::default();
        let goal = Goal::new(&build, &graph);
        let package = Package { standard: true, ..Package::default() };
        assert_eq!(describes(&shop, &package, &goal), expected, "{variable}");
        let of_somebody =
            Package { dir: world.path("nothing").to_str().unwrap().to_owned(), ..Package::default() };
        assert!(!describes(&shop, &of_somebody, &goal), "a folder that can't be looked at");
    };
    for flags in ["", "-g -O2", "-O1 -g0 -Wall -Wno-unused -DX=1 -UY -std=gnu11 -fno-strict-aliasing"] {
        check(flags, true);
    }
    for flags in [
        "-I/opt/include",
        "-O2 -isystem /x",
        "-include x.h",
        "-D X",
        "-fplugin=x.so",
        "-fprofile-use=x",
        "-march=native",
        "-Wl,-rpath,/x",
        "-lm",
        "x.o",
        "@file",
        "-gsplit-dwarf",
    ] {
        check(flags, false);
    }
}

#[test]
fn a_compiler_that_is_a_script_describes_no_packages_of_others() {
    let world = World::new();
    assert!(world.identity(Part::Compiling, &[]).is_some());
    assert_eq!(world.identity(Part::Foreign, &[]), None);
}
