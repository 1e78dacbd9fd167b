//! Which GODEBUG settings a go.mod, a go.work or a `//go:debug` line may name (`modload/init.go:CheckGodebug`).
//!
//! A toolchain has a table of them in its sources, and patch releases change it. What is known here serves without.

use std::fs;

use modkeep_module::quote::{quote, unquote};
use modkeep_resolver::go_version;

/// The settings of release 1.27 (`internal/godebugs/table.go`).
const KNOWN: &[&str] = &[
    "allowmultiplevcs",
    "containermaxprocs",
    "cryptocustomrand",
    "dataindependenttiming",
    "decoratemappings",
    "embedfollowsymlinks",
    "execerrdot",
    "fips140",
    "fips140ems",
    "gocachehash",
    "gocachetest",
    "gocacheverify",
    "gotestjsonbuildtext",
    "htmlmetacontenturlescape",
    "http2client",
    "http2debug",
    "http2server",
    "httpcookiemaxnum",
    "httplaxcontentlength",
    "httpmuxgo121",
    "httpservecontentkeepheaders",
    "httpservecontentmaxranges",
    "installgoroot",
    "jstmpllitinterp",
    "multipartfiles",
    "multipartmaxheaders",
    "multipartmaxparts",
    "multipathtcp",
    "netdns",
    "netedns0",
    "panicnil",
    "randautoseed",
    "randseednop",
    "rsa1024min",
    "tarinsecurepath",
    "tlsmaxrsasize",
    "tlsmlkem",
    "tlssecpmlkem",
    "tlssha1",
    "tracebacklabels",
    "updatemaxprocs",
    "urlmaxqueryparams",
    "urlstrictcolons",
    "winreadlinkvolume",
    "winsymlink",
    "x509negativeserial",
    "x509rsacrt",
    "x509sha256skid",
    "x509sslcertoverrideplatform",
    "x509usefallbackroots",
    "x509usepolicies",
    "zipinsecurepath",
];

/// Settings that a release took away, and the values that ask for the old ways.
const REMOVED: &[(&str, u32, &[&str])] = &[
    ("asynctimerchan", 27, &["1", "2"]),
    ("gotypesalias", 27, &["0"]),
    ("tls10server", 27, &["1"]),
    ("tls3des", 27, &["1"]),
    ("tlskyber", 24, &["0"]),
    ("tlsrsakex", 27, &["1"]),
    ("tlsunsafeekm", 27, &["1"]),
    ("x509keypairleaf", 27, &["0"]),
    ("x509sha1", 24, &["1"]),
];

/// The settings that a toolchain knows and knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub(crate) settings: Vec<Setting>,
    removed: Vec<Removed>,
}

/// A setting, as a line of `internal/godebugs/table.go` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    /// N of the release go1.N that changed the default, and the value before that.
    pub(crate) changed: Option<(u32, String)>,
}

/// A setting that was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Removed {
    name: String,
    /// N of the release go1.N that took it away.
    release: u32,
    /// The values that ask for the old ways; none where every value is refused, as until 1.26.
    old: Option<Vec<String>>,
}

impl Table {
    /// That of a toolchain, or what is known of the release where it has none.
    pub fn of(goroot: &str, release: &str) -> Self {
        let read = fs::read_to_string(format!("{goroot}/src/internal/godebugs/table.go"));
        let read = read.map(|text| Self::parse(&text)).ok();
        read.filter(|table| !table.settings.is_empty()).unwrap_or_else(|| Self::known(release))
    }

    fn parse(text: &str) -> Self {
        let (mut settings, mut removed) = (Vec::new(), Vec::new());
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("{Name: ")) {
            match line.contains("Removed: ") {
                true => removed.extend(Removed::parse(line)),
                false => settings.extend(Setting::parse(line)),
            }
        }
        Self { settings, removed }
    }

    fn known(release: &str) -> Self {
        let is_before = |minor: u32| go_version::compare(release, &format!("1.{minor}")).is_lt();
        let known = KNOWN.iter().copied();
        let not_yet_removed = REMOVED.iter().filter(|(_, removed, _)| is_before(*removed));
        let known = known.chain(not_yet_removed.map(|(name, ..)| *name));
        let removed = REMOVED.iter().filter(|(_, removed, _)| !is_before(*removed));
        let removed = removed.map(|(name, removed, old)| Removed {
            name: (*name).to_owned(),
            release: *removed,
            old: (!is_before(27)).then(|| old.iter().map(|&value| value.to_owned()).collect()),
        });
        // When defaults changed the toolchain alone knows.
        let settings = known.map(|name| Setting { name: name.to_owned(), changed: None });
        Self { settings: settings.collect(), removed: removed.collect() }
    }

    /// What is wrong with a setting, under the rules of a release such as `1.27.3`; `what` is what settings are called there.
    pub fn problem(&self, what: &str, key: &str, value: &str, release: &str) -> Option<String> {
        for (text, part) in [(key, "key"), (value, "value")] {
            if text.contains([' ', '\t']) {
                return Some(format!("{part} contains space"));
            }
        }
        for (text, part) in [(key, "key"), (value, "value")] {
            if text.contains(',') {
                return Some(format!("{part} contains comma"));
            }
        }
        if key == "default" {
            return match value.strip_prefix("go").filter(|version| go_version::is_valid(version)) {
                None => Some("value for default= must be goVERSION".to_owned()),
                Some(version) if go_version::compare(version, release).is_gt() => {
                    Some(format!("default={value} too new (toolchain is go{release})"))
                }
                Some(_) => None,
            };
        }
        if self.settings.iter().any(|setting| setting.name == key) {
            return None;
        }
        let Some(removed) = self.removed.iter().find(|removed| removed.name == key) else {
            return Some(format!("unknown {what} {}", quote(key)));
        };
        let (key, number) = (quote(key), removed.release);
        match &removed.old {
            None => Some(format!("use of removed {what} {key}, see https://go.dev/doc/godebug#go-1{number}")),
            Some(old) if old.iter().any(|old| old == value) => Some(format!(
                "removed GODEBUG {key} set to old value {} (https://go.dev/doc/godebug#go-1{number})",
                quote(value)
            )),
            Some(_) => None,
        }
    }
}

impl Setting {
    fn parse(line: &str) -> Option<Self> {
        let name = literal(line)?;
        let Some(changed) = number(line, "Changed: ") else {
            return Some(Self { name, changed: None });
        };
        let old = line.split_once("Old: ").map_or(Some(String::new()), |(_, old)| literal(old))?;
        Some(Self { name, changed: Some((changed, old)) })
    }
}

impl Removed {
    fn parse(line: &str) -> Option<Self> {
        let (name, release) = (literal(line)?, number(line, "Removed: ")?);
        let old = line.split_once("Old: ").map(|(_, predicate)| {
            if predicate.starts_with("zero") {
                return vec!["0".to_owned()];
            }
            if predicate.starts_with("one") {
                return vec!["1".to_owned()];
            }
            predicate.split("== ").skip(1).filter_map(literal).collect()
        });
        Some(Self { name, release, old })
    }
}

/// The text that a Go literal at the beginning stands for.
fn literal(text: &str) -> Option<String> {
    let end = text.strip_prefix('"')?.find('"')? + 2;
    String::from_utf8(unquote(&text.as_bytes()[..end])?).ok()
}

/// The number of a field.
fn number(line: &str, field: &str) -> Option<u32> {
    let (_, after) = line.split_once(field)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_judged_as_go_does() {
        let check = |table: &Table, release: &str, key: &str, value: &str, want: Option<&str>| {
            let problem = table.problem("godebug", key, value, release);
            assert_eq!(problem.as_deref(), want, "{release}: {key}={value}");
        };
        let old = "removed GODEBUG \"tls3des\" set to old value \"1\" (https://go.dev/doc/godebug#go-127)";
        for (key, value, want) in [
            ("panicnil", "1", None),
            ("default", "go1.21", None),
            ("default", "1.21", Some("value for default= must be goVERSION")),
            ("default", "go1.99", Some("default=go1.99 too new (toolchain is go1.27.3)")),
            ("nope", "1", Some("unknown godebug \"nope\"")),
            ("a b", "1", Some("key contains space")),
            ("tls3des", "0", None),
            ("tls3des", "1", Some(old)),
        ] {
            check(&Table::known("1.27.3"), "1.27.3", key, value, want);
        }
        let removed = "use of removed godebug \"x509sha1\", see https://go.dev/doc/godebug#go-124";
        for value in ["0", "1"] {
            check(&Table::known("1.26.8"), "1.26.8", "x509sha1", value, Some(removed));
        }
        check(&Table::known("1.26.8"), "1.26.8", "tls3des", "1", None);
    }

    #[test]
    fn a_toolchains_own_table_is_what_counts() {
        let text = "var All = []Info{\n\t{Name: \"a\", Package: \"cmd/go\"},\n\t{Name: \"b\", Package: \"x\", Changed: \
                    25, Old: \"0\"}, // why\n\t//{Name: \"c\", Changed: 1, Old: \"2\"},\n}\n\
                    var Removed = []RemovedInfo{\n\t{Name: \"d\", Removed: 24},\n\t{Name: \"e\", Removed: 24, Old: one},\n\
                    \t{Name: \"f\", Removed: 28, Old: func(s string) bool { return s == \"1\" || s == \"2\" }}, // Old: \"1\"\n}\n";
        let table = Table::parse(text);
        let changed = Some((25, "0".to_owned()));
        let settings = [Setting { name: "a".into(), changed: None }, Setting { name: "b".into(), changed }];
        assert_eq!(table.settings, settings);
        for (key, value, want) in [
            ("b", "0", None),
            ("panicnil", "1", Some("unknown setting \"panicnil\"")),
            ("c", "2", Some("unknown setting \"c\"")),
            ("d", "7", Some("use of removed setting \"d\", see https://go.dev/doc/godebug#go-124")),
            ("e", "0", None),
            (
                "e",
                "1",
                Some("removed GODEBUG \"e\" set to old value \"1\" (https://go.dev/doc/godebug#go-124)"),
            ),
            ("f", "0", None),
            (
                "f",
                "2",
                Some("removed GODEBUG \"f\" set to old value \"2\" (https://go.dev/doc/godebug#go-128)"),
            ),
        ] {
            assert_eq!(table.problem("setting", key, value, "1.28").as_deref(), want, "{key}={value}");
        }
    }

    #[test]
    fn a_toolchain_without_sources_has_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        assert_eq!(Table::of(root, "1.27.3"), Table::known("1.27.3"));
        let place = folder.path().join("src/internal/godebugs");
        #[allow(clippy::disallowed_methods, reason = "files of the test")]
        let write = |text: &str| {
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("table.go"), text).unwrap();
        };
        write("\t{Name: \"new\", Package: \"os\"},\n");
        let table = Table::of(root, "1.27.3");
        assert_eq!(table.problem("godebug", "new", "1", "1.27.3"), None);
        assert!(table.problem("godebug", "panicnil", "1", "1.27.3").is_some());
    }
}
