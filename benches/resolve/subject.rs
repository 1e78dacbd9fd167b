//! What is resolved: a generated graph or a real program, with a module cache that has all of it.

use std::fs;
use std::path::{Path, PathBuf};

use modkeep_harness::go::machine_proxy;

use crate::client::{Client, Tool};
use crate::make;

/// Versions of a generated module.
const VERSIONS: u64 = 8;

/// Requirements of a generated version.
const REQUIREMENTS: u64 = 25;

/// Real programs, as `path@version`.
pub(crate) const PROGRAMS: [&str; 3] = [
    "github.com/hashicorp/terraform@v0.15.5",
    "github.com/caddyserver/caddy/v2@v2.11.9",
    "github.com/golangci/golangci-lint/v2@v2.15.0",
];

/// A main module.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Its GOMODCACHE.
    pub(crate) cache: PathBuf,
}

fn path(module: u64) -> String {
    format!("example.org/team{:02}/mod{module:04}", module % 37)
}

/// Numbers that look random and are the same on every run.
fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

impl Subject {
    /// A graph in which every version of so many modules requires about 25 others.
    pub(crate) fn generated(client: &Client, modules: u64, go: &str) -> Self {
        let place = client.place.join(format!("generated{modules}"));
        let subject = Self {
            name: format!("{modules} generated modules"),
            folder: place.join("main"),
            cache: place.join("cache"),
        };
        for module in 0..modules {
            let folder = subject.registry().join(path(module)).join("@v");
            make(&folder);
            let mut list = String::new();
            for version in 0..VERSIONS {
                let mut text = format!("module {}\n\ngo {go}\n\nrequire (\n", path(module));
                for requirement in 0..REQUIREMENTS {
                    let dice = mix(module * VERSIONS + version, requirement);
                    let (other, below) = (path(dice % modules), (dice >> 20) % (version + 1));
                    text.push_str(&format!("\t{other} v1.{below}.0\n"));
                }
                text.push_str(")\n");
                let name = format!("v1.{version}.0");
                write(&folder.join(format!("{name}.mod")), &text);
                let info = format!("{{\"Version\":\"{name}\",\"Time\":\"2020-01-01T00:00:00Z\"}}");
                write(&folder.join(format!("{name}.info")), &info);
                list.push_str(&format!("{name}\n"));
            }
            write(&folder.join("list"), &list);
        }
        make(&subject.folder);
        let requires: String =
            (0..modules / 4).map(|module| format!("\t{} v1.{}.0\n", path(module), VERSIONS - 1)).collect();
        let text = format!("module example.org/main\n\ngo {go}\n\nrequire (\n{requires})\n");
        write(&subject.folder.join("go.mod"), &text);
        let fill = Tool::go("fill").with("GOFLAGS", "-modcacherw -mod=mod");
        client.run(&fill, &subject, "off", &["list", "-m", "all"]);
        subject
    }

    /// A program as its authors published it, from the registry that the machine uses.
    pub(crate) fn real(client: &Client, program: &str) -> Option<Self> {
        let goproxy =
            machine_proxy().inspect_err(|missing| println!("{program} is left out: {missing}")).ok()?;
        let name =
            program.split('/').nth(2).unwrap_or(program).split('@').next().unwrap_or(program).to_owned();
        let place = client.place.join("real");
        let subject = Self { folder: place.join(&name), cache: place.join("cache"), name };
        if subject.folder.exists() {
            return Some(subject);
        }
        make(&subject.folder);
        let fill = Tool::go("fill").with("GOFLAGS", "-modcacherw -mod=mod");
        let (_, told) = client.run(&fill, &subject, &goproxy, &["mod", "download", "-json", program]);
        let told: serde_json::Value = serde_json::from_str(&told).ok()?;
        let published = PathBuf::from(told["Dir"].as_str()?);
        for file in ["go.mod", "go.sum"] {
            fs::copy(published.join(file), subject.folder.join(file)).ok()?;
        }
        // Directories that replace modules, and nothing else.
        link_directories(&published, &subject.folder)?;
        client.run(&fill, &subject, &goproxy, &["list", "-m", "all"]);
        Some(subject)
    }

    /// Fills the cache with so many modules of the build list; those modules.
    pub(crate) fn download(&self, client: &Client, count: usize) -> Vec<String> {
        let goproxy = machine_proxy().expect("it was there before");
        let fill = Tool::go("fill").with("GOFLAGS", "-modcacherw -mod=mod");
        let format = "{{if not .Main}}{{if not .Replace}}{{.Path}}@{{.Version}}{{end}}{{end}}";
        let (_, list) = client.run(&fill, self, &goproxy, &["list", "-m", "-f", format, "all"]);
        let mut words = vec!["mod", "download", "-json"];
        // Some modules are refused by some registries.
        words.extend(list.lines().filter(|line| !line.is_empty()).take(count + count / 4));
        let (_, told) = client.run(&fill.lenient(), self, &goproxy, &words);
        let told = serde_json::Deserializer::from_str(&told).into_iter::<serde_json::Value>().flatten();
        let had = told.filter(|module| module["Zip"].is_string() && module["Error"].is_null());
        let names = had.map(|module| {
            let text = |name: &str| module[name].as_str().unwrap_or_default().to_owned();
            format!("{}@{}", text("Path"), text("Version"))
        });
        let modules: Vec<String> = names.take(count).collect();
        modules
    }

    /// The cache as a registry.
    pub(crate) fn registry(&self) -> PathBuf {
        self.cache.join("cache/download")
    }
}

/// Makes the sub-folders of a module that replace others, by links.
fn link_directories(published: &Path, folder: &Path) -> Option<()> {
    let text = fs::read_to_string(published.join("go.mod")).ok()?;
    for directory in text.lines().filter_map(|line| line.split_once("=> ./").map(|(_, rest)| rest.trim())) {
        let target = folder.join(directory);
        make(target.parent()?);
        std::os::unix::fs::symlink(published.join(directory), target).ok()?;
    }
    Some(())
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("a file of the bench's own");
}
