//! Which GODEBUG settings a go.mod, a go.work or a `//go:debug` line may name (`modload/init.go:CheckGodebug`).

use modkeep_module::quote::quote;
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

/// What is wrong with a setting, under the rules of a release such as `1.27.3`; `what` is what settings are called there.
pub fn problem(what: &str, key: &str, value: &str, release: &str) -> Option<String> {
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
    if KNOWN.contains(&key) {
        return None;
    }
    let is_there = |removed: u32| go_version::compare(release, &format!("1.{removed}")).is_lt();
    match REMOVED.iter().find(|(name, ..)| *name == key) {
        Some((_, removed, _)) if is_there(*removed) => None,
        Some((_, removed, old)) if old.contains(&value) => Some(format!(
            "removed GODEBUG {} set to old value {} (https://go.dev/doc/godebug#go-1{removed})",
            quote(key),
            quote(value)
        )),
        Some(_) => None,
        None => Some(format!("unknown {what} {}", quote(key))),
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn settings_are_judged_as_go_does() {
        for (key, value, want) in [
            ("panicnil", "1", None),
            ("default", "go1.21", None),
            ("default", "1.21", Some("value for default= must be goVERSION")),
            ("default", "go1.99", Some("default=go1.99 too new (toolchain is go1.27.3)")),
            ("nope", "1", Some("unknown godebug \"nope\"")),
            ("a b", "1", Some("key contains space")),
            ("tls3des", "0", None),
            (
                "tls3des",
                "1",
                Some(
                    "removed GODEBUG \"tls3des\" set to old value \"1\" (https://go.dev/doc/godebug#go-127)",
                ),
            ),
        ] {
            assert_eq!(problem("godebug", key, value, "1.27.3").as_deref(), want, "{key}={value}");
        }
    }
}
